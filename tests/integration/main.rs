//! The integration tests, one binary: over HTTP, over the services, and through the commands of the real binary, on
//! databases of their own. Whatever touches the database runs on SQLite, and again on PostgreSQL when its binaries are
//! found (`REQUIRE_POSTGRES=1` makes that a duty). The folders mirror `src/`; `house/` holds the rules of the code base
//! itself.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions
)]

#[macro_use]
mod support;

mod commands;
mod graphql;
mod house;
mod http;
mod service;
mod store;
