//! What metrics and traces learn of an operation: its kind, the schema's root fields it asked for, how it ended and how
//! long it took. It is told when it is dropped, so that an operation that was cut short is told of, too.

use async_graphql::{Name, Response as Answer};
use tokio::time::Instant;

use super::answer;
use super::door::{AdmittedOperation, OperationKind};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::requests::Outcome;
use crate::telemetry::traces::Trace;

/// An operation that runs.
pub struct Watch {
    telemetry: Telemetry,
    kind: OperationKind,
    root_fields: Vec<Name>,
    started: Instant,
    trace: Option<Trace>,
    outcome: Outcome,
}

impl Watch {
    /// It begins now.
    pub fn begin(telemetry: &Telemetry, operation: &dyn AdmittedOperation) -> Self {
        let (kind, root_fields) = (operation.kind(), operation.root_fields().to_vec());
        let trace = telemetry.traces.operation(kind.as_str(), root_fields.iter().map(Name::as_str));
        Self {
            telemetry: telemetry.clone(),
            kind,
            root_fields,
            started: Instant::now(),
            trace,
            outcome: Outcome::Stopped,
        }
    }

    /// Runs it in its span, if it has one.
    pub async fn run(mut self, work: impl Future<Output = Answer>) -> Answer {
        let answer = match self.trace.clone() {
            Some(trace) => trace.run(work).await,
            None => work.await,
        };
        self.outcome = answer::outcome(&answer);
        answer
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let fields = self.root_fields.iter().map(Name::as_str);
        self.telemetry.metrics.requests.operation(self.kind.as_str(), fields, self.outcome, self.started.elapsed());
        if let Some(trace) = &self.trace {
            trace.end_operation(self.outcome.as_str(), self.outcome == Outcome::Failed);
        }
    }
}
