//! How soon what is on the audit trail is sealed. That it is written at all is nobody's choice.

use std::time::Duration;

use clap::Args;

use super::effective::Effective;
use super::values::milliseconds_from_100;

/// Settings of the audit trail, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Audit")]
pub struct AuditArgs {
    /// Time between two looks of the sealer for new audit events, in milliseconds, 100 at least. What is newer is counted
    /// as not sealed yet.
    #[arg(long, env = "AUDIT_SEAL_INTERVAL_MS", default_value = "1000", value_parser = milliseconds_from_100)]
    pub audit_seal_interval_ms: Duration,
}

/// The configuration of the audit trail.
#[derive(Debug, Clone)]
pub struct AuditConfig {
    /// Time between two looks of the sealer.
    pub seal_interval: Duration,
}

impl AuditArgs {
    /// Takes what is given.
    #[must_use]
    pub fn resolve(self) -> AuditConfig {
        AuditConfig { seal_interval: self.audit_seal_interval_ms }
    }
}

impl AuditConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.span("AUDIT_SEAL_INTERVAL_MS", self.seal_interval);
    }
}
