//! What the tests stand on: engines, a world of services with a clock of its own, inputs that are valid as they are.

#[macro_use]
pub mod engines;
pub mod fill;
pub mod inputs;
pub mod model;
pub mod postgres;
pub mod random;
pub mod services;
