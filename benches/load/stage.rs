//! Where workloads are compared and measured: all targets, each with its database. What is measured together takes its
//! turns in the same rounds, so that what else the machine does meets all of it alike.

use std::sync::Arc;
use std::time::Duration;

use crate::arguments::{Arguments, Engine};
use crate::baseline::pools::Pools;
use crate::compare;
use crate::facts::Facts;
use crate::measure::{Load, Magazine, turn};
use crate::payable;
use crate::place::Place;
use crate::report::{self, Series};
use crate::statements;
use crate::support;
use crate::target::Target;
use crate::workload::{Form, Shot, Workload};

pub struct Stage<'a> {
    pub engine: Engine,
    pub arguments: &'a Arguments,
    pub place: &'a Place,
    pub targets: &'a [Target],
    pub pools: &'a [Option<Pools>],
    pub facts: &'a Facts,
}

/// A workload of a target.
struct Entry<'a> {
    workload: Workload,
    target: &'a Target,
    pools: Option<&'a Pools>,
    magazine: Arc<Magazine>,
    series: Series,
}

impl Entry<'_> {
    /// The fewest and the most payments on the loans that it pays.
    async fn payments(&self) -> Option<(i64, i64)> {
        let loans = payable::loans(self.pools?, self.workload.pays()?).await;
        let payments = || loans.iter().map(|(_, payments)| *payments);
        payments().min().zip(payments().max())
    }
}

impl Stage<'_> {
    /// Measures workloads with so many connections, and prints what came of it.
    pub async fn measure(&self, group: &[Workload], connections: usize) -> Vec<Series> {
        let mut entries: Vec<Entry> = group.iter().flat_map(|workload| self.entries(*workload, connections)).collect();
        for entry in &mut entries {
            entry.series.payments_before = entry.payments().await;
        }
        self.round(&mut entries, Duration::from_millis(self.arguments.turn.min(1_000)), 0).await;
        entries.iter_mut().for_each(|entry| entry.series.turns.clear());
        for number in 0..self.arguments.rounds {
            self.round(&mut entries, Duration::from_millis(self.arguments.turn), number as usize).await;
        }
        for entry in &mut entries {
            entry.series.payments_after = entry.payments().await;
            // They are the same with more connections or fewer.
            if Some(&connections) == self.arguments.connections.first() {
                entry.series.statements = statements::of(self.place, entry.target, &entry.magazine).await;
            }
        }
        let all: Vec<Series> = entries.into_iter().map(|entry| entry.series).collect();
        report::print(&all, self.arguments.statements);
        all
    }

    /// Every target that has this workload.
    fn entries(&self, workload: Workload, connections: usize) -> Vec<Entry<'_>> {
        let mut entries = Vec::new();
        for (target, pools) in self.targets.iter().zip(self.pools) {
            let shots = self.shots(workload, target);
            if shots.is_empty() {
                continue;
            }
            let series = Series {
                engine: self.engine.name(),
                loans: self.arguments.loans,
                workload: workload.name(),
                connections,
                target: target.name.clone(),
                turns: Vec::new(),
                statements: None,
                payments_before: None,
                payments_after: None,
            };
            let magazine = Arc::new(Magazine::new(shots));
            entries.push(Entry { workload, target, pools: pools.as_ref(), magazine, series });
        }
        entries
    }

    /// A turn for each; every round begins with another one.
    async fn round(&self, entries: &mut [Entry<'_>], length: Duration, number: usize) {
        let database = self.place.cluster.as_ref().and_then(support::postgres::Cluster::server);
        let count = entries.len();
        for place in 0..count {
            let Some(entry) = entries.get_mut((place + number) % count) else { continue };
            let seals = entry.workload.writes() && entry.target.form == Form::Graphql;
            let sealing = entry.pools.filter(|_| seals);
            let load = Load { connections: entry.series.connections, length, rate: self.arguments.rate };
            entry.series.turns.push(turn(entry.target, &entry.magazine, load, database, sealing).await);
        }
    }

    fn shots(&self, workload: Workload, target: &Target) -> Vec<Shot> {
        workload.shots(target.form, &target.path, &target.token, self.facts)
    }

    /// Every target of the harness's own does the same as the first. All of them are compared before any is measured: then
    /// their databases are the same too.
    pub async fn compare(&self, workload: Workload) {
        let mut first: Option<(&Target, Vec<String>, &Pools)> = None;
        for (target, pools) in self.targets.iter().zip(self.pools) {
            let (shots, Some(pools)) = (self.shots(workload, target), pools) else { continue };
            if shots.is_empty() {
                continue;
            }
            let answers = compare::answers(target, &shots).await;
            let Some((first, expected, stored)) = &first else {
                first = Some((target, answers, pools));
                continue;
            };
            compare::alike(workload, (&first.name, expected), (&target.name, &answers));
            if let Some(set) = workload.pays().filter(|_| workload != Workload::Mixed) {
                compare::rows(stored, pools, self.facts.payable(set)).await;
            }
        }
    }
}
