//! The integration tests, one binary: over HTTP against the real server, on databases of their own, and the commands of
//! the real binary. The folders mirror `src/`; `house/` holds the rules of the code base itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions
)]

mod commands;
mod graphql;
mod house;
mod http;
mod support;
