//! The five roles. What each may do is in [`super::policy`].

use std::fmt;
use std::str::FromStr;

/// What a caller is to the lender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Serves borrowers at a branch.
    Officer,
    /// Answers for a branch: decides on loans.
    Manager,
    /// Runs the system: branches and products too.
    Admin,
    /// Sees everything in scope and changes nothing.
    Auditor,
    /// Another system that brings in borrowers and applications.
    Service,
}

impl Role {
    /// Every role, in the order of the policy table.
    pub const ALL: [Self; 5] = [Self::Officer, Self::Manager, Self::Admin, Self::Auditor, Self::Service];

    /// `OFFICER`, `MANAGER`, `ADMIN`, `AUDITOR` or `SERVICE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Officer => "OFFICER",
            Self::Manager => "MANAGER",
            Self::Admin => "ADMIN",
            Self::Auditor => "AUDITOR",
            Self::Service => "SERVICE",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("OFFICER, MANAGER, ADMIN, AUDITOR or SERVICE is needed")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    /// Upper and lower case are the same: identity providers differ in taste.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str().eq_ignore_ascii_case(text)).ok_or(UnknownRole)
    }
}
