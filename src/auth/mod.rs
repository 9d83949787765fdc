//! Who is calling, and what may they do: a token becomes an [`Actor`], and [`policy`] is one pure table of roles and
//! actions. Of its callers' HTTP this module knows nothing beyond the `Authorization` header's value ([`keys`] is a client
//! of the issuer's), and nothing of the database: which rows a branch grant covers is the services' work.

mod actor;
mod authenticator;
mod claims;
pub mod dev;
mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod inspection;
mod jwt;
mod keys;
pub mod policy;
mod role;
mod token;
mod verified;

#[cfg(test)]
mod tests;

pub use actor::{Actor, BranchGrant};
pub use authenticator::{Authenticator, Recognition, settled};
pub use error::{AuthError, AuthSetupError, MintError};
pub use policy::Action;
pub use role::{Role, UnknownRole};
