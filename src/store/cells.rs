//! The cells of a row one after the other, as they were selected: for rows of several tables, and for many rows, where
//! looking each cell up by its name would be most of the reading.

use sea_orm::{QueryResult, TryGetable};

use super::error::StoreError;

/// A row that is being read.
pub(super) struct Cells<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> Cells<'a> {
    /// From its first cell on.
    pub(super) fn of(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
    }

    /// The next cell.
    pub(super) fn take<T: TryGetable>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// Passes over cells.
    pub(super) fn skip(&mut self, cells: usize) {
        self.next += cells;
    }
}
