//! Makes metrics and puts them into the registry, with their help; keeps a list of what there is. Names and labels are
//! constants of this module: one that the library refuses is left out of the answer, and a test sees it.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// A name under which values are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// What it tells, in one sentence.
    pub help: String,
}

/// The registry and what is in it.
#[derive(Default)]
pub(super) struct Families {
    registry: Registry,
    all: Vec<Family>,
}

impl Families {
    pub(super) fn all(&self) -> &[Family] {
        &self.all
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    pub(super) fn collector(&mut self, collector: impl Collector + 'static) {
        let described = collector.desc().into_iter().map(|it| (it.fq_name.clone(), it.help.clone()));
        let described: Vec<_> = described.map(|(name, help)| Family { name, help }).collect();
        match self.registry.register(Box::new(collector)) {
            Ok(()) => self.all.extend(described),
            Err(error) => tracing::error!(%error, ?described, "a metric is left out"),
        }
    }

    fn made<C: Collector + Clone + 'static>(&mut self, made: prometheus::Result<C>) -> C {
        // The names are constants of this module: what fails here fails in every test.
        #[allow(clippy::expect_used)]
        let made = made.expect("a metric's name and labels are well formed");
        self.collector(made.clone());
        made
    }

    pub(super) fn counter(&mut self, name: &str, help: &str) -> IntCounter {
        self.made(IntCounter::new(name, help))
    }

    pub(super) fn counters(&mut self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.made(IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str) -> IntGauge {
        self.made(IntGauge::new(name, help))
    }

    pub(super) fn gauges(&mut self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.made(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// A gauge of seconds.
    pub(super) fn seconds(&mut self, name: &str, help: &str) -> Gauge {
        self.made(Gauge::new(name, help))
    }

    /// Gauges of seconds.
    pub(super) fn seconds_of(&mut self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.made(GaugeVec::new(Opts::new(name, help), labels))
    }

    /// Durations.
    pub(super) fn durations(&mut self, name: &str, help: &str, labels: &[&str], buckets: Buckets) -> HistogramVec {
        let bounds = match buckets {
            Buckets::Requests => vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
            Buckets::Statements => vec![0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0],
        };
        self.made(HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds), labels))
    }
}

/// The bounds that durations are counted by, in seconds.
pub(super) enum Buckets {
    /// From 5 ms to the deadline of 10 s, as the semantic conventions advise.
    Requests,
    /// From 0.1 ms to PostgreSQL's statement timeout of 5 s.
    Statements,
}
