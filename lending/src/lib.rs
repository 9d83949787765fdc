//! The rules of lending, and nothing else: what an amount is, which terms a product allows, how a loan moves from
//! application to its end. Everything here is a pure function of its arguments: no async, no database, no clock, no
//! randomness, no floats. The business date, the people and the limits are passed in.
//!
//! | module | holds |
//! |---|---|
//! | [`money`] | currencies and amounts: integer minor units, checked arithmetic, strict decimal text |
//! | [`rate`] | annual interest rates in parts per million |
//! | [`disclosure`] | what a credit costs a year, by the rules of four regulators |
//! | [`loan::terms`] | what was agreed: principal, rate, installments |
//! | [`loan::limits`] | what a product allows, and every way terms can break it |
//! | [`loan::status`] | the eight statuses by name, and which steps each allows |
//! | [`loan::transition`] | the steps by name, and the ways one can be refused |
//! | [`loan::lifecycle`] | the lifecycle: each state carries its data, each step consumes one state and yields the next |
//!
//! A new business rule goes under [`loan`]; it needs a hand-checked example and, where it is an invariant, a property.

pub mod calendar;
mod currency;
mod decimal;
pub mod disclosure;
pub mod ledger;
pub mod loan;
pub mod money;
mod named;
pub mod rate;
mod rounding;
mod schedule;
