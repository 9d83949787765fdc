//! What a run came to, and the line that says so.

use std::time::Duration;

use super::load::{Outcome, Phase};
use super::probes::Probes;
use super::stop::Stopped;

/// An answer that takes longer is no sign of a server that has recovered.
const USUAL: Duration = Duration::from_millis(500);

/// Violations that are printed of one phase.
const MOST: usize = 5;

#[derive(Debug, Default)]
pub struct Figures {
    /// Accepted answers a second at the most.
    pub capacity: u64,
    pub memory_before: u64,
    pub memory_peak: u64,
    pub violations: Vec<String>,
    parts: Vec<String>,
}

impl Figures {
    /// Nothing but answers that may be given.
    pub fn note(&mut self, title: &str, phase: &Phase) {
        let bad = phase.samples.iter().filter_map(|sample| match &sample.outcome {
            Outcome::Accepted | Outcome::Refused | Outcome::Unavailable => None,
            other => Some(format!("{title}: {other:?}")),
        });
        self.violations.extend(bad.take(MOST));
        if phase.count(&Outcome::Accepted) == 0 {
            self.violations.push(format!("{title}: nothing was accepted"));
        }
    }

    pub fn overload(&mut self, phase: &Phase) {
        self.note("overload", phase);
        let refused = phase.times(&Outcome::Refused);
        let accepted = phase.times(&Outcome::Accepted);
        self.parts.push(format!(
            "overload {}/s offered, {}/s accepted ({} % of the peak), {} refused (p50 {}, p99 {}), {} unavailable, \
             accepted p99 {}",
            phase.offered_per_second(),
            phase.accepted_per_second(),
            phase.accepted_per_second() * 100 / self.capacity.max(1),
            refused.len(),
            percentile(&refused, 50),
            percentile(&refused, 99),
            phase.count(&Outcome::Unavailable),
            percentile(&accepted, 99),
        ));
    }

    pub fn normal(&mut self, phase: &Phase) {
        self.note("normal", phase);
        let troubled = phase.samples.iter().filter(|one| one.outcome != Outcome::Accepted || one.took > USUAL);
        let recovered = troubled.map(|sample| sample.at).max().unwrap_or_default();
        let accepted = phase.times(&Outcome::Accepted);
        self.parts.push(format!(
            "recovered in {} ms, then p50 {}, p99 {}",
            recovered.as_millis(),
            percentile(&accepted, 50),
            percentile(&accepted, 99)
        ));
    }

    pub fn slow(&mut self, phase: &Phase, slow: usize) {
        self.note("slow clients", phase);
        if phase.count(&Outcome::Accepted) != phase.samples.len() as u64 {
            self.violations.push("slow clients: not everything beside them was accepted".to_owned());
        }
        let accepted = phase.times(&Outcome::Accepted);
        self.parts.push(format!(
            "beside {slow} slow connections {}/s, p50 {}, p99 {}",
            phase.accepted_per_second(),
            percentile(&accepted, 50),
            percentile(&accepted, 99)
        ));
    }

    pub fn probes(&mut self, probes: Probes) {
        self.violations.extend(probes.failed.into_iter().map(|failed| format!("probe {failed}")).take(MOST));
        self.parts.push(format!("{} probes, the slowest {} ms", probes.asked, probes.slowest.as_millis()));
    }

    pub fn stopped(&mut self, stopped: Stopped) {
        self.parts.push(format!(
            "SIGTERM: {} answered, {} lost, {} cut at the door, over in {} ms",
            stopped.answered,
            stopped.violations.len(),
            stopped.cut,
            stopped.took.as_millis()
        ));
        self.violations.extend(stopped.violations.into_iter().take(MOST));
    }

    /// The closing line. Figures of a short run mean nothing, and are not told.
    pub fn line(&self, engine: &str, measured: bool) -> String {
        let verdict = match self.violations.len() {
            0 => "as it should be".to_owned(),
            count => format!("{count} VIOLATIONS"),
        };
        if !measured {
            return format!("overload: {engine}: {verdict}");
        }
        let parts = self.parts.join("; ");
        let (before, peak) = (self.memory_before / 1024, self.memory_peak / 1024);
        format!(
            "overload: {engine}: peak {}/s; {parts}; memory {before} MiB, at most {peak} MiB; {verdict}",
            self.capacity
        )
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> String {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or("–".to_owned(), |time| format!("{} ms", time.as_millis()))
}
