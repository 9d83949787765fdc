//! What the tests stand on: engines, a world of services with a clock of its own, inputs that are valid as they are; the
//! server over HTTP, the binary as a process, an issuer of tokens.

#[macro_use]
pub mod engines;
pub mod api;
pub mod exposition;
pub mod fill;
pub mod inputs;
pub mod issuer;
pub mod ledger;
pub mod model;
pub mod postgres;
pub mod process;
pub mod publisher;
pub mod random;
pub mod sdl;
pub mod seams;
pub mod server;
pub mod services;
