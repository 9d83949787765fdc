//! Everything that is counted, in one registry of this server's own. Names follow OpenTelemetry's semantic conventions as
//! Prometheus spells them; what those do not know begins with `branch_loan_`. Labels come from the code and the schema
//! only, so that their number is bounded whatever clients send.
//!
//! | file | what it counts |
//! |---|---|
//! | [`requests`] | HTTP requests, GraphQL operations, refusals |
//! | [`statements`] | SQL statements |
//! | [`state`] | what is looked up when somebody asks: pools, caches, the books |

mod family;
pub mod requests;
pub mod state;
pub mod statements;

use std::sync::{Mutex, PoisonError};

use prometheus::TextEncoder;
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;

use family::Families;
pub use family::Family;
use requests::Requests;
use state::State;
use statements::Statements;

/// What [`Metrics::text`] is written in.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of one server.
pub struct Metrics {
    families: Families,
    /// Requests, operations and refusals.
    pub requests: Requests,
    /// SQL statements.
    pub statements: Statements,
    state: Mutex<State>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut families = Families::default();
        let requests = Requests::new(&mut families);
        let statements = Statements::new(&mut families);
        let state = State::new(&mut families, requests.refusals());
        #[cfg(target_os = "linux")]
        families.collector(ProcessCollector::for_self());
        Self { families, requests, statements, state: Mutex::new(state) }
    }
}

impl Metrics {
    /// Notes how things stand. One at a time, because totals kept elsewhere are caught up with here.
    pub fn note(&self, look: impl FnOnce(&State)) {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.families.gather()).unwrap_or_else(|error| {
            tracing::error!(%error, "the metrics cannot be written down");
            String::new()
        })
    }

    /// Every family there is, whether or not it has a value yet.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        self.families.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_name_of_its_own_and_says_what_it_is() {
        let metrics = Metrics::default();
        let mut names: Vec<&str> = metrics.families().iter().map(|family| family.name.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() == count && count > 30, "{names:?}");
        for family in metrics.families() {
            assert!(family.help.ends_with('.') && family.help.len() > 10, "{family:?}");
        }
    }

    #[test]
    fn totals_kept_elsewhere_never_go_back() {
        let metrics = Metrics::default();
        for total in [3, 5, 4] {
            metrics.note(|state| state.document_cache(total, 0, 1, 1));
        }
        assert!(metrics.text().contains("branch_loan_document_cache_hits_total 5\n"), "{}", metrics.text());
    }
}
