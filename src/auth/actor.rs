//! The caller as every service and resolver sees it.

use std::collections::BTreeSet;

use super::policy::{self, Action};
use super::role::Role;

/// A recognised caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who it is, as the issuer names them: 1 to 255 characters, no control characters. Written to the audit trail.
    pub subject: String,
    /// What they are; never empty.
    pub roles: BTreeSet<Role>,
    /// Where they work.
    pub branches: BranchGrant,
    /// The request they act by, for the audit trail; commands have none.
    pub request_id: Option<String>,
}

impl Actor {
    /// Whether one of the actor's roles allows the action. The branch is a separate question.
    #[must_use]
    pub fn can(&self, action: Action) -> bool {
        policy::can(self, action)
    }
}

/// The branches an actor may see and work in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchGrant {
    /// Every branch.
    All,
    /// These branches, by code, and everything below them. Empty means none.
    Codes(Vec<String>),
}

impl BranchGrant {
    /// True if every branch is granted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}
