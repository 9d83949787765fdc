//! What happens to requests: how many, how long, with which outcome. Each label has a known set of values.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, IntGaugeVec};

use super::family::{Buckets, Families};

/// Methods with a label of their own, by RFC 9110 and RFC 5789; a client may make up others.
const METHODS: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// What the API answers when the server cannot.
const FAILURES: [&str; 3] = ["500", "503", "504"];

/// A limit that turns requests away when it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Queries in flight.
    Reads,
    /// Mutations in flight.
    Writes,
    /// Connections: what comes on one above the cap.
    Connections,
    /// Bodies that are being read.
    Bodies,
    /// Open sockets.
    Sockets,
    /// Operations on one socket.
    SocketOperations,
}

impl Budget {
    const ALL: [Self; 6] =
        [Self::Reads, Self::Writes, Self::Connections, Self::Bodies, Self::Sockets, Self::SocketOperations];

    /// As its label says it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Connections => "connections",
            Self::Bodies => "bodies",
            Self::Sockets => "sockets",
            Self::SocketOperations => "socket_operations",
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer without errors; a payload may still hold user errors, which the refusals count.
    Ok,
    /// With an error that the caller can mend.
    Refused,
    /// With an error of ours: a defect, or the database out of reach.
    Failed,
    /// Before its end: the deadline passed or the client left.
    Stopped,
}

impl Outcome {
    /// As labels and spans say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// A request that has no answer yet.
pub struct Active(IntGauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Counts requests, operations and refusals.
pub struct Requests {
    duration: HistogramVec,
    active: IntGaugeVec,
    operations: IntCounterVec,
    operation_duration: HistogramVec,
    refusals: IntCounterVec,
    sheds: IntCounterVec,
}

impl Requests {
    pub(super) fn new(families: &mut Families) -> Self {
        let of_operation = ["graphql_operation_type", "graphql_root_field"];
        let requests = Self {
            duration: families.durations(
                "http_server_request_duration_seconds",
                "Time from a request's head to the head of its answer.",
                &["http_request_method", "http_route", "http_response_status_code"],
                Buckets::Requests,
            ),
            active: families.gauges(
                "http_server_active_requests",
                "Requests that have no answer yet.",
                &["http_request_method"],
            ),
            operations: families.counters(
                "branch_loan_graphql_operations_total",
                "Root fields of operations that ran, by how the operation ended.",
                &["graphql_operation_type", "graphql_root_field", "outcome"],
            ),
            operation_duration: families.durations(
                "branch_loan_graphql_operation_duration_seconds",
                "Time an operation ran, by its root field, or `several`.",
                &of_operation,
                Buckets::Requests,
            ),
            refusals: families.counters(
                "branch_loan_refusals_total",
                "Requests, operations and inputs refused, and errors answered, by their code.",
                &["code"],
            ),
            sheds: families.counters(
                "branch_loan_overload_sheds_total",
                "Requests and operations turned away because a limit was reached.",
                &["budget"],
            ),
        };
        // What is there from the beginning has a rate from the first time it happens.
        for budget in Budget::ALL {
            requests.sheds.with_label_values(&[budget.as_str()]);
        }
        for code in ["INTERNAL", "OVERLOADED", "RATE_LIMITED", "TIMEOUT", "UNAUTHENTICATED", "UNAVAILABLE"] {
            requests.refusals.with_label_values(&[code]);
        }
        for status in FAILURES {
            requests.duration.with_label_values(&["POST", "/graphql", status]);
        }
        requests
    }

    /// A request has begun; it is active until what this returns is dropped.
    #[must_use]
    pub fn begun(&self, method: &str) -> Active {
        let active = self.active.with_label_values(&[method_label(method)]);
        active.inc();
        Active(active)
    }

    /// A request has ended. `route` is the pattern of the router, not the path; `None` where no route matched.
    pub fn ended(&self, method: &str, route: Option<&str>, status: &str, took: Duration) {
        let labels = [method_label(method), route.unwrap_or_default(), status];
        self.duration.with_label_values(&labels).observe(took.as_secs_f64());
    }

    /// An operation has ended. `root_fields` are names of the schema; none of them means that the document asked for
    /// none that exists.
    pub fn operation<'a>(
        &self,
        kind: &str,
        root_fields: impl Iterator<Item = &'a str>,
        outcome: Outcome,
        took: Duration,
    ) {
        let mut only = None;
        for (index, field) in root_fields.enumerate() {
            only = Some(if index == 0 { field } else { "several" });
            self.operations.with_label_values(&[kind, field, outcome.as_str()]).inc();
        }
        if only.is_none() {
            self.operations.with_label_values(&[kind, "", outcome.as_str()]).inc();
        }
        let labels = [kind, only.unwrap_or_default()];
        self.operation_duration.with_label_values(&labels).observe(took.as_secs_f64());
    }

    /// Something was refused, with one of the codes of docs/API.md.
    pub fn refused(&self, code: &str) {
        self.refusals.with_label_values(&[code]).inc();
    }

    /// The counters of refusals, for those that are counted elsewhere.
    pub(super) fn refusals(&self) -> IntCounterVec {
        self.refusals.clone()
    }

    /// Something was turned away because a limit was reached.
    pub fn shed(&self, budget: Budget) {
        self.sheds.with_label_values(&[budget.as_str()]).inc();
    }
}

/// A method as labels and spans say it.
#[must_use]
pub fn method_label(method: &str) -> &'static str {
    METHODS.iter().copied().find(|known| *known == method).unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    use crate::telemetry::metrics::Metrics;

    use super::*;

    #[test]
    fn a_method_that_a_client_made_up_is_no_label() {
        let metrics = Metrics::default();
        for method in ["POST", "canary", "CANARY"] {
            drop(metrics.requests.begun(method));
            metrics.requests.ended(method, Some("/graphql"), "405", Duration::from_millis(1));
        }
        let text = metrics.text();
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(text.contains("http_server_active_requests{http_request_method=\"_OTHER\"} 0"), "{text}");
    }

    #[test]
    fn what_alerts_look_for_is_there_before_it_happens() {
        let text = Metrics::default().text();
        for line in [
            "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_response_status_code=\"503\",http_route=\"/graphql\"} 0",
            "branch_loan_refusals_total{code=\"INTERNAL\"} 0",
            "branch_loan_overload_sheds_total{budget=\"writes\"} 0",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn several_root_fields_are_counted_each_and_timed_once() {
        let metrics = Metrics::default();
        let took = Duration::from_millis(1);
        metrics.requests.operation("query", ["loan", "loans"].into_iter(), Outcome::Ok, took);
        metrics.requests.operation("query", [].into_iter(), Outcome::Refused, took);
        let text = metrics.text();
        for line in [
            "branch_loan_graphql_operations_total{graphql_operation_type=\"query\",graphql_root_field=\"loan\",outcome=\"ok\"} 1",
            "branch_loan_graphql_operations_total{graphql_operation_type=\"query\",graphql_root_field=\"loans\",outcome=\"ok\"} 1",
            "branch_loan_graphql_operations_total{graphql_operation_type=\"query\",graphql_root_field=\"\",outcome=\"refused\"} 1",
            "branch_loan_graphql_operation_duration_seconds_count{graphql_operation_type=\"query\",graphql_root_field=\"several\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
