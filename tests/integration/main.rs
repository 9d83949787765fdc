//! The integration tests, one binary: over HTTP against the real server, on databases of their own. The folders mirror
//! `src/`; `house/` holds the rules of the code base itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::as_conversions)]

mod graphql;
mod house;
mod support;
