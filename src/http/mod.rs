//! To be filled.

pub mod guard;
