//! What the tests share.

pub mod api;
