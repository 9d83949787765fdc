//! What verifying the books reads: loans in chunks with the entries of their transactions, and the ledger's invariants
//! as statements that answer with what breaks them. Nothing here writes.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement, Value,
};
use uuid::Uuid;

use super::entity::{journal_entry, loan};
use super::error::StoreError;
use super::journal::{self, LineRecord};
use super::loans::LoanRecord;

/// Ids bound to one statement; SQLite takes 32,766.
const MOST_IDS: usize = 10_000;

/// The next loans that have a projection, in the order of their ids; of all branches if none are named.
///
/// # Errors
/// Whatever the database answers.
pub async fn loans(
    connection: &impl ConnectionTrait,
    branches: Option<&[Uuid]>,
    after: Uuid,
    size: u64,
) -> Result<Vec<LoanRecord>, StoreError> {
    let mut condition = Condition::all().add(loan::Column::Id.gt(after)).add(loan::Column::ProjectedOn.is_not_null());
    if let Some(branches) = branches {
        condition = condition.add(loan::Column::BranchId.is_in(branches.iter().copied()));
    }
    let select = loan::Entity::find().filter(condition).order_by_asc(loan::Column::Id).limit(size);
    select.all(connection).await?.into_iter().map(LoanRecord::try_from).collect()
}

/// An entry of a loan's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionEntry {
    /// The entry.
    pub id: Uuid,
    /// The transaction.
    pub transaction_id: Uuid,
    /// The entry it is the mirror of.
    pub reverses_id: Option<Uuid>,
    /// Its lines.
    pub lines: Vec<LineRecord>,
}

/// The entries of the transactions of these loans, by loan, in the order of booking.
///
/// # Errors
/// Whatever the database answers.
pub async fn transaction_entries(
    connection: &impl ConnectionTrait,
    loan_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<TransactionEntry>>, StoreError> {
    let rows = journal_entry::Entity::find()
        .filter(journal_entry::Column::LoanId.is_in(loan_ids.iter().copied()))
        .filter(journal_entry::Column::TransactionId.is_not_null())
        .order_by_asc(journal_entry::Column::Id)
        .all(connection)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut lines = HashMap::new();
    for some in ids.chunks(MOST_IDS) {
        lines.extend(journal::lines(connection, some).await?);
    }
    let mut found: HashMap<Uuid, Vec<TransactionEntry>> = HashMap::new();
    for row in rows {
        let (Some(loan_id), Some(transaction_id)) = (row.loan_id, row.transaction_id) else { continue };
        let lines = lines.remove(&row.id).unwrap_or_default();
        let entry = TransactionEntry { id: row.id, transaction_id, reverses_id: row.reverses_id, lines };
        found.entry(loan_id).or_default().push(entry);
    }
    Ok(found)
}

/// Something of the ledger that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Broken {
    /// What it is about: an entry's id, a branch's code.
    pub subject: String,
    /// What it should be, in minor units.
    pub expected: i64,
    /// What it is.
    pub actual: i64,
}

/// An invariant of the ledger that one statement tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerRule {
    /// The debits of an entry are its credits, in each currency.
    EntryBalances,
    /// An entry has lines.
    EntryHasLines,
    /// What an entry and its mirror add to an account is nothing.
    MirrorMirrors,
    /// The debits of a branch are its credits, in each currency.
    TrialBalance,
    /// Loans receivable of a branch are the principal its loans owe.
    PrincipalControl,
    /// The overpayment liability of a branch is its loans' credit.
    CreditControl,
}

impl LedgerRule {
    /// Every rule.
    pub const ALL: [Self; 6] = [
        Self::EntryBalances,
        Self::EntryHasLines,
        Self::MirrorMirrors,
        Self::TrialBalance,
        Self::PrincipalControl,
        Self::CreditControl,
    ];

    fn sql(self, of_branch: &str) -> String {
        // UUIDs are bytes on SQLite and a type of their own on PostgreSQL; both can be told as text by the caller's name
        // of the branch, or by `hex`.
        match self {
            Self::EntryBalances => format!(
                "SELECT b.code || ' ' || l.currency || ' ' || {id} AS subject,
                     CAST(SUM(l.debit_minor) AS bigint) AS expected, CAST(SUM(l.credit_minor) AS bigint) AS actual
                 FROM journal_lines l JOIN branches b ON b.id = l.branch_id WHERE {of_branch}
                 GROUP BY b.code, l.currency, l.entry_id HAVING SUM(l.debit_minor) <> SUM(l.credit_minor)",
                id = "{l.entry_id}"
            ),
            Self::EntryHasLines => format!(
                "SELECT b.code || ' ' || {id} AS subject, CAST(2 AS bigint) AS expected, CAST(0 AS bigint) AS actual
                 FROM journal_entries e JOIN branches b ON b.id = e.branch_id WHERE {of_branch}
                 AND NOT EXISTS (SELECT 1 FROM journal_lines l WHERE l.entry_id = e.id)",
                id = "{e.id}"
            ),
            Self::MirrorMirrors => format!(
                "SELECT b.code || ' ' || l.account || ' ' || {id} AS subject, CAST(0 AS bigint) AS expected,
                     CAST(SUM(l.debit_minor - l.credit_minor) AS bigint) AS actual
                 FROM journal_entries m JOIN branches b ON b.id = m.branch_id
                 JOIN journal_lines l ON l.entry_id = m.id OR l.entry_id = m.reverses_id
                 WHERE {of_branch} AND m.reverses_id IS NOT NULL
                 GROUP BY b.code, l.account, m.id HAVING SUM(l.debit_minor - l.credit_minor) <> 0",
                id = "{m.id}"
            ),
            Self::TrialBalance => format!(
                "SELECT b.code || ' ' || l.currency AS subject, CAST(SUM(l.debit_minor) AS bigint) AS expected,
                     CAST(SUM(l.credit_minor) AS bigint) AS actual
                 FROM journal_lines l JOIN branches b ON b.id = l.branch_id WHERE {of_branch}
                 GROUP BY b.code, l.currency HAVING SUM(l.debit_minor) <> SUM(l.credit_minor)"
            ),
            Self::PrincipalControl => control(
                of_branch,
                "LOANS_RECEIVABLE",
                "CASE WHEN charged_off_on IS NULL AND status <> 'WRITTEN_OFF' THEN outstanding_principal_minor ELSE 0 END",
            ),
            Self::CreditControl => control(of_branch, "OVERPAYMENT_LIABILITY", "-credit_minor"),
        }
    }
}

/// An account of each branch and currency against a sum over its loans.
fn control(of_branch: &str, account: &str, of_loan: &str) -> String {
    format!(
        "SELECT b.code || ' ' || s.currency AS subject, CAST(SUM(s.expected) AS bigint) AS expected,
             CAST(SUM(s.actual) AS bigint) AS actual
         FROM (
             SELECT branch_id, currency, {of_loan} AS expected, 0 AS actual FROM loans WHERE projected_on IS NOT NULL
             UNION ALL
             SELECT branch_id, currency, 0, debit_minor - credit_minor FROM journal_lines WHERE account = '{account}'
         ) s JOIN branches b ON b.id = s.branch_id WHERE {of_branch}
         GROUP BY b.code, s.currency HAVING SUM(s.expected) <> SUM(s.actual)"
    )
}

/// What breaks a rule, in these branches or in all.
///
/// # Errors
/// Whatever the database answers.
pub async fn broken(
    connection: &impl ConnectionTrait,
    rule: LedgerRule,
    branches: Option<&[Uuid]>,
) -> Result<Vec<Broken>, StoreError> {
    let backend = connection.get_database_backend();
    let ids = branches.unwrap_or_default();
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let of_branch = match branches {
        None => "1 = 1".to_owned(),
        Some([]) => "1 = 0".to_owned(),
        Some(_) => format!("b.id IN ({})", places.join(", ")),
    };
    let mut sql = rule.sql(&of_branch);
    for column in ["l.entry_id", "e.id", "m.id"] {
        let text = match backend {
            sea_orm::DbBackend::Postgres => format!("CAST({column} AS text)"),
            _ => format!("lower(hex({column}))"),
        };
        sql = sql.replace(&format!("{{{column}}}"), &text);
    }
    let values: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(Broken::find_by_statement(statement).all(connection).await?)
}
