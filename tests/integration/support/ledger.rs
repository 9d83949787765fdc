//! The journal as two databases can be compared by it: without ids, and without how the lines were spread over entries.

use sea_orm::{ConnectionTrait, QueryResult, Statement};

/// The number of the loan whose receivable it is, the day, the account, debits less credits.
pub type Booked = (String, String, String, i64);

/// What was booked to each account on each day, receivables loan by loan.
pub async fn booked(connection: &impl ConnectionTrait) -> Vec<Booked> {
    let sql = "SELECT COALESCE(o.number, '') AS number, CAST(e.booked_on AS text) AS booked_on, l.account AS account,
                   CAST(SUM(l.debit_minor - l.credit_minor) AS bigint) AS net
               FROM journal_lines l JOIN journal_entries e ON e.id = l.entry_id
               LEFT JOIN loans o ON o.id = l.loan_id AND l.account LIKE '%RECEIVABLE'
               GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap();
    let read = |row: &QueryResult| {
        (
            row.try_get("", "number").unwrap(),
            row.try_get("", "booked_on").unwrap(),
            row.try_get("", "account").unwrap(),
            row.try_get("", "net").unwrap(),
        )
    };
    rows.iter().map(read).collect()
}
