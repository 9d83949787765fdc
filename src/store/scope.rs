//! Which branches a finder may look at. A scope is part of the SQL of every statement, so that a row outside it cannot
//! be told from a row that does not exist; it is evaluated there too, so that it is never out of date.

use sea_orm::{ColumnTrait, Condition};

use super::entity::branch;
use super::filter::{Field, branches_below};

/// The rows that exist for a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every branch.
    All,
    /// The branches with these codes, and everything below them.
    Branches(Vec<String>),
}

impl Scope {
    /// The scope as SQL on the rows of a table.
    #[must_use]
    pub fn condition<F: Field>(&self) -> Condition {
        match (self, F::branch_column()) {
            (Self::All, _) | (_, None) => Condition::all(),
            (Self::Branches(codes), Some(column)) => Condition::all()
                .add(column.in_subquery(branches_below(branch::Column::Code.is_in(codes.iter().cloned())))),
        }
    }
}
