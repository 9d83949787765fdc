//! The numbers people read out over the telephone. They only ever grow; a transaction that fails may leave a gap.

use sea_orm::sea_query::{Expr, Func, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::error::StoreError;

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// `B-000000001`
    Borrower,
    /// `L-000000001`
    Loan,
    /// `G-000000001`
    Group,
}

impl Sequence {
    fn name(self) -> &'static str {
        match self {
            Self::Borrower => "borrower_number",
            Self::Loan => "loan_number",
            Self::Group => "group_number",
        }
    }

    /// The next number as a part of another statement of PostgreSQL's: it is taken for every row that the statement finds.
    pub(super) fn next(self) -> SimpleExpr {
        Func::cust("nextval").arg(Expr::cust(format!("'{}'", self.name()))).into()
    }

    /// A number as people read it.
    pub(super) fn format(self, value: i64) -> String {
        let letter = match self {
            Self::Borrower => 'B',
            Self::Loan => 'L',
            Self::Group => 'G',
        };
        format!("{letter}-{value:09}")
    }
}

/// Takes the next `how_many` numbers, in ascending order.
///
/// # Errors
/// Whatever the database answers.
pub async fn take(
    transaction: &impl ConnectionTrait,
    sequence: Sequence,
    how_many: u32,
) -> Result<Vec<String>, StoreError> {
    let backend = transaction.get_database_backend();
    let name = sequence.name();
    if backend == DbBackend::Postgres {
        let sql = format!("SELECT nextval('{name}') AS value FROM generate_series(1, $1)");
        let rows = transaction
            .query_all_raw(Statement::from_sql_and_values(backend, sql, [i64::from(how_many).into()]))
            .await?;
        return rows.iter().map(|row| Ok(sequence.format(row.try_get::<i64>("", "value")?))).collect();
    }
    let sql = "UPDATE number_sequences SET value = value + $1 WHERE name = $2 RETURNING value";
    let row = transaction
        .query_one_raw(Statement::from_sql_and_values(backend, sql, [i64::from(how_many).into(), name.into()]))
        .await?
        .ok_or_else(|| StoreError::Corrupt(format!("no sequence {name}")))?;
    let last: i64 = row.try_get("", "value")?;
    Ok((last - i64::from(how_many) + 1..=last).map(|value| sequence.format(value)).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::{Database, DatabaseOptions};

    #[tokio::test]
    async fn thousands_are_taken_in_order_and_continued() {
        let options = DatabaseOptions {
            url: "sqlite::memory:".to_owned(),
            max_connections: 1,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(5),
        };
        let database = Database::connect(&options, None).await.unwrap();
        database.migrate().await.unwrap();
        let reader = database.reader();
        let first = take(reader, Sequence::Loan, 5_000).await.unwrap();
        assert_eq!(first.len(), 5_000);
        assert!(first.is_sorted_by(|one, next| one < next));
        assert_eq!((first[0].as_str(), first[4_999].as_str()), ("L-000000001", "L-000005000"));
        assert_eq!(take(reader, Sequence::Loan, 1).await.unwrap(), ["L-000005001"]);
        assert_eq!(take(reader, Sequence::Borrower, 1).await.unwrap(), ["B-000000001"]);
        assert!(take(reader, Sequence::Loan, 0).await.unwrap().is_empty());
    }
}
