//! What is told of the turns: ratios to the baseline, round by round, because rounds differ more than targets do; and
//! processor time, which differs least.

use serde::Serialize;

use crate::measure::Turn;
use crate::processes::memory_of;
use crate::statements::Statement;
use crate::target::Target;

/// All turns of a target at a workload.
#[derive(Debug, Serialize)]
pub struct Series {
    pub engine: &'static str,
    pub loans: u32,
    pub workload: String,
    pub connections: usize,
    pub target: String,
    pub turns: Vec<Turn>,
    pub statements: Option<Vec<Statement>>,
    /// The fewest and the most payments on a loan that is paid, before the first turn and after the last.
    pub payments_before: Option<(i64, i64)>,
    pub payments_after: Option<(i64, i64)>,
}

/// The smallest, the middle and the largest of some figures.
fn spread(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    let at = |place: usize| figures.get(place).copied().unwrap_or(f64::NAN);
    (at(0), at(figures.len() / 2), at(figures.len().saturating_sub(1)))
}

/// How soon a target was there, and what it holds before anything else was asked of it.
pub fn before(target: &Target) {
    let held = target.process().map(memory_of).unwrap_or_default().0;
    let health = target.first_health.map(|after| format!("answers /health after {} ms, and ", after.as_millis()));
    println!("{} {}holds {} MiB before the first request", target.name, health.unwrap_or_default(), held / 1_024);
}

pub fn head() {
    println!(
        "{:<15}{:>5} {:<11}{:>8}  {:<18}{:<18}{:>9}{:>9}{:>9}{:>9}{:>6}{:>6}{:>6}{:>6}",
        "workload",
        "conn",
        "target",
        "req/s",
        "throughput ratio",
        "processor ratio",
        "cpu µs",
        "db µs",
        "p50 µs",
        "p99 µs",
        "MiB",
        "peak",
        "SQL",
        "fail"
    );
}

/// Prints what was measured together: each beside the baseline, the second server beside the first, and each target beside
/// itself at the first workload.
pub fn print(all: &[Series], statements: bool) {
    for series in all {
        series.print(all.iter().find(|other| other.target == "baseline" && other.workload == series.workload));
        if statements {
            series.print_statements();
        }
    }
    for series in all.iter().filter(|series| series.target == "server-b") {
        let first = all.iter().find(|other| other.target == "server" && other.workload == series.workload);
        if let Some(first) = first {
            series.print_beside(first);
        }
    }
    for series in all {
        let first = all.iter().find(|other| other.target == series.target);
        if let Some(first) = first.filter(|first| first.workload != series.workload) {
            series.print_beside(first);
        }
    }
}

impl Series {
    fn middle(&self, of: impl Fn(&Turn) -> f64) -> f64 {
        spread(self.turns.iter().map(of).collect()).1
    }

    /// A line of the table, compared with the baseline's turns of the same rounds.
    fn print(&self, baseline: Option<&Self>) {
        let ratio = |of: &dyn Fn(&Turn) -> f64| baseline.map_or("–".to_owned(), |baseline| self.ratio(baseline, of));
        let sent = self.statements.as_ref().map(|all| all.iter().fold(0.0, |sum, one| sum + one.per_request));
        let failures: u64 = self.turns.iter().map(|turn| turn.failures).sum();
        let memory = self.turns.last().map_or((0, 0), |turn| (turn.memory.0 / 1_024, turn.memory.1 / 1_024));
        println!(
            "{:<15}{:>5} {:<11}{:>8.0}  {:<18}{:<18}{:>9.1}{:>9.1}{:>9.0}{:>9.0}{:>6}{:>6}{:>6}{:>6}",
            self.workload,
            self.connections,
            self.target,
            self.middle(|turn| turn.per_second),
            ratio(&|turn| turn.per_second),
            ratio(&|turn| turn.target_micros + turn.database_micros),
            self.middle(|turn| turn.target_micros),
            self.middle(|turn| turn.database_micros),
            self.middle(|turn| f64::from(turn.p50_micros)),
            self.middle(|turn| f64::from(turn.p99_micros)),
            memory.0,
            memory.1,
            sent.map_or("–".to_owned(), |sent| format!("{sent:.1}")),
            failures
        );
        if let Some(failure) = self.turns.iter().find_map(|turn| turn.first_failure.as_ref()) {
            println!("    first failure: {failure}");
        }
        if let Some((before, after)) = self.payments_before.zip(self.payments_after) {
            let range = |(least, most): (i64, i64)| format!("{least} to {most}");
            println!("    payments on each loan: {} before, {} afterwards", range(before), range(after));
        }
    }

    /// The ratio to another's turns of the same rounds: least, median, most.
    fn ratio(&self, other: &Self, of: &dyn Fn(&Turn) -> f64) -> String {
        let pairs = self.turns.iter().zip(&other.turns);
        let (least, middle, most) = spread(pairs.map(|(own, base)| of(own) / of(base)).collect());
        format!("{least:.2}–{middle:.2}–{most:.2}")
    }

    fn print_beside(&self, first: &Self) {
        println!(
            "    {} {} beside {} {}: throughput {}, processor time {}, p50 {}",
            self.target,
            self.workload,
            first.target,
            first.workload,
            self.ratio(first, &|turn| turn.per_second),
            self.ratio(first, &|turn| turn.target_micros + turn.database_micros),
            self.ratio(first, &|turn| f64::from(turn.p50_micros)),
        );
    }

    fn print_statements(&self) {
        for statement in self.statements.iter().flatten() {
            println!(
                "    {}: {:.2} × {:.0} µs {}",
                self.target, statement.per_request, statement.microseconds, statement.text
            );
        }
    }
}
