//! Whoever asks, in the API.

use async_graphql::{Enum, Object};

use crate::auth::policy::{self, Action};
use crate::auth::{Actor, BranchGrant};

/// What someone is to the lender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::Role")]
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

/// Whoever asks.
pub struct Viewer {
    actor: Actor,
}

impl From<&Actor> for Viewer {
    fn from(actor: &Actor) -> Self {
        Self { actor: actor.clone() }
    }
}

/// Whoever asks.
#[Object]
impl Viewer {
    /// The subject of the token: who it is, in the identity provider's words.
    fn subject(&self) -> &str {
        &self.actor.subject
    }

    /// The roles.
    fn roles(&self) -> Vec<Role> {
        self.actor.roles.iter().copied().map(Role::from).collect()
    }

    /// Whether they work for all branches.
    fn all_branches(&self) -> bool {
        self.actor.branches == BranchGrant::All
    }

    /// The codes of the branches they work for, the branches below them included; empty for those who work for all branches.
    fn branch_codes(&self) -> Vec<&str> {
        match &self.actor.branches {
            BranchGrant::All => Vec::new(),
            BranchGrant::Codes(codes) => codes.iter().map(String::as_str).collect(),
        }
    }

    /// What their roles allow, such as "ApproveLoan", so that a frontend need not offer what would be refused.
    fn permissions(&self) -> Vec<&'static str> {
        Action::ALL.iter().filter(|action| policy::can(&self.actor, **action)).map(|action| action.as_str()).collect()
    }
}
