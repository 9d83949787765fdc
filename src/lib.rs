//! The branch-loan-api server as a library, so that the binary, the tests and the benches come in by the same door.
//! `docs/ARCHITECTURE.md` is the map of the modules and of who may import whom.

pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
#[doc(hidden)]
pub mod fuzzing;
pub mod graphql;
pub mod http;
pub mod ids;
pub mod service;
pub mod store;
pub mod telemetry;
