//! Who may do what, where: every root field, every argument that takes an id and every row that can be reached, for every
//! role, about things of one's own, of others and of nobody. What there is to ask is read from the schema, so that a field
//! or an argument that comes later fails here until it is said who may use it.

mod arguments;
mod edges;
mod fields;
mod ids;
mod neighbours;
mod policy;
mod sides;
mod things;

pub use fields::{Row, Scoped, matrix};
pub use things::{Things, Whose, things};
