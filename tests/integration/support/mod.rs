//! What the tests share.

pub mod issuer;
pub mod process;
pub mod server;
