//! The application against real databases: every test runs on SQLite, and again on PostgreSQL when its binaries are
//! found (`REQUIRE_POSTGRES=1` makes that a duty). The folders mirror `src/`; `support/` starts what the tests need.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::as_conversions)]

#[macro_use]
mod support;

mod service;
mod store;
