//! Who is calling, and what may they do: a token becomes an [`Actor`], and [`policy`] is one pure table of roles and
//! actions. This module knows nothing of HTTP beyond the `Authorization` header's value, and nothing of the database:
//! which rows a branch grant covers is the services' work.

mod actor;
mod authenticator;
mod claims;
pub mod dev;
mod error;
mod jwks;
mod jwt;
pub mod policy;
mod role;
mod token;

#[cfg(test)]
mod tests;

pub use actor::{Actor, BranchGrant};
pub use authenticator::Authenticator;
pub use error::{AuthError, AuthSetupError, MintError};
pub use policy::Action;
pub use role::{Role, UnknownRole};
