//! What the tests share.

pub mod api;
pub mod issuer;
pub mod process;
pub mod server;
