//! The rows a loan's transactions come to: installments and what each transaction did. They are rewritten by difference:
//! what is stored already is not written again, whatever the length of the schedule. Like the history they are asked for
//! by loan; the caller has found the loan within its scope, and holds its lock when it writes.

use std::collections::{HashMap, HashSet};

use lending::loan::{Effect, Installment, Portions};
use sea_orm::sea_query::{OnConflict, Order, Query, SelectStatement};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, Iterable, QueryFilter};
use uuid::Uuid;

use super::batch::Batch;
use super::cells::Cells;
use super::convert;
use super::entity::{loan_installment, loan_transaction_split};
use super::error::StoreError;
use super::find;
use super::insert;
use super::text::TextByIds;

/// What a transaction did, in minor units of the loan's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// The transaction.
    pub transaction_id: Uuid,
    /// How much it came to.
    pub amount: i64,
    /// The portions it was split into.
    pub portions: Portions,
    /// What became, or came out of, the borrower's credit.
    pub to_credit: i64,
    /// The principal owed after it.
    pub balance_after: i64,
    /// The journal entry that stands for it now; `None` when it books nothing.
    pub journal_entry_id: Option<Uuid>,
}

impl Split {
    /// What an effect is to a transaction's row.
    #[must_use]
    pub fn of(effect: &Effect, transaction_id: Uuid, journal_entry_id: Option<Uuid>) -> Self {
        Self {
            transaction_id,
            amount: effect.amount,
            portions: effect.portions,
            to_credit: effect.to_credit,
            balance_after: effect.balance_after,
            journal_entry_id,
        }
    }
}

/// The installments of each of these loans, first to last, in one statement; loans without any are not in the answer.
///
/// # Errors
/// Whatever the database answers.
pub async fn installments(
    connection: &impl ConnectionTrait,
    loan_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Installment>>, StoreError> {
    let mut found: HashMap<Uuid, Vec<Installment>> = HashMap::new();
    if loan_ids.is_empty() {
        return Ok(found);
    }
    static TEXT: TextByIds = TextByIds::new();
    let backend = connection.get_database_backend();
    let statement = TEXT.with(backend, loan_ids, || rows_of(backend, loan_ids));
    for (number, row) in connection.query_all_raw(statement).await?.iter().enumerate() {
        let mut cells = if number == 0 { Cells::of(row)? } else { Cells::of_further(row)? };
        let installment = read_installment_cells(&mut cells)?;
        found.entry(cells.take()?).or_default().push(installment);
    }
    Ok(found)
}

/// Installments, each with its loan's id at the end.
fn rows_of(backend: DbBackend, loan_ids: &[Uuid]) -> SelectStatement {
    let mut select = Query::select();
    CELLS.into_iter().for_each(|column| {
        select.column(column);
    });
    select
        .column(loan_installment::Column::LoanId)
        .from(loan_installment::Entity)
        .and_where(find::among(backend, loan_installment::Column::LoanId, loan_ids))
        .order_by(loan_installment::Column::LoanId, Order::Asc)
        .order_by(loan_installment::Column::Number, Order::Asc);
    select
}

/// What the transactions of each of these loans did, in one statement, in no particular order; loans without any are
/// not in the answer.
///
/// # Errors
/// Whatever the database answers.
pub async fn splits(
    connection: &impl ConnectionTrait,
    loan_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Split>>, StoreError> {
    let mut found: HashMap<Uuid, Vec<Split>> = HashMap::new();
    if loan_ids.is_empty() {
        return Ok(found);
    }
    let rows = loan_transaction_split::Entity::find()
        .filter(loan_transaction_split::Column::LoanId.is_in(loan_ids.iter().copied()))
        .all(connection)
        .await?;
    for row in rows {
        found.entry(row.loan_id).or_default().push(split(&row));
    }
    Ok(found)
}

/// Makes a loan's installments `now`, given what is `stored`, with what else is in the batch: at most two statements, and
/// none when nothing differs.
pub fn change_installments(batch: &mut Batch, loan_id: Uuid, stored: &[Installment], now: &[Installment]) {
    let known: HashMap<u32, &Installment> = stored.iter().map(|row| (row.number, row)).collect();
    let gone = known.keys().filter(|number| !now.iter().any(|row| row.number == **number));
    batch.delete::<loan_installment::Entity>(
        (loan_installment::Column::LoanId, loan_id.into()),
        loan_installment::Column::Number,
        gone.map(|number| i64::from(*number).into()),
    );
    let changed = now.iter().filter(|row| known.get(&row.number) != Some(row));
    let rows = changed.map(|row| installment_row(loan_id, row)).collect();
    batch.insert_or_update::<loan_installment::Entity, _>(rows);
}

/// Makes what a loan's transactions did `now`, given what is `stored`, with what else is in the batch: at most two
/// statements, and none when nothing differs. A transaction that did something and is not in `now`, as after its reversal,
/// loses its row.
pub fn change_splits(batch: &mut Batch, loan_id: Uuid, stored: &[Split], now: &[Split]) {
    let known: HashMap<Uuid, &Split> = stored.iter().map(|row| (row.transaction_id, row)).collect();
    let kept: HashSet<Uuid> = now.iter().map(|row| row.transaction_id).collect();
    batch.delete::<loan_transaction_split::Entity>(
        (loan_transaction_split::Column::LoanId, loan_id.into()),
        loan_transaction_split::Column::TransactionId,
        known.keys().filter(|id| !kept.contains(*id)).map(|id| (*id).into()),
    );
    let changed = now.iter().filter(|row| known.get(&row.transaction_id) != Some(row));
    let rows = changed.map(|row| split_row(loan_id, row)).collect();
    batch.insert_or_update::<loan_transaction_split::Entity, _>(rows);
}

/// Adds the installments of loans that have none yet, each with its loan's id, in few statements.
///
/// # Errors
/// [`StoreError::Duplicate`] when a loan has them already; otherwise whatever the database answers.
pub async fn insert_installments<'a>(
    transaction: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = (Uuid, &'a Installment)>,
) -> Result<(), StoreError> {
    let rows = rows.into_iter().map(|(loan_id, row)| installment_row(loan_id, row)).collect();
    insert::many::<loan_installment::Entity, _>(transaction, rows).await
}

/// Adds what the transactions of loans did that have nothing of it yet, each with its loan's id, in few statements.
///
/// # Errors
/// [`StoreError::Duplicate`] when a transaction has it already; otherwise whatever the database answers.
pub async fn insert_splits<'a>(
    transaction: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = (Uuid, &'a Split)>,
) -> Result<(), StoreError> {
    let rows = rows.into_iter().map(|(loan_id, row)| split_row(loan_id, row)).collect();
    insert::many::<loan_transaction_split::Entity, _>(transaction, rows).await
}

/// What is stored of a loan, and what is to be.
pub struct Rewrite<'a, T> {
    /// The loan.
    pub loan_id: Uuid,
    /// What is stored.
    pub stored: &'a [T],
    /// What is to be stored.
    pub now: &'a [T],
}

/// Makes the installments of many loans what they are to be: what differs travels in few statements for all of them.
///
/// # Errors
/// Whatever the database answers.
pub async fn rewrite_installments(
    transaction: &impl ConnectionTrait,
    rewrites: &[Rewrite<'_, Installment>],
) -> Result<(), StoreError> {
    let mut changed = Vec::new();
    for rewrite in rewrites {
        if rewrite.now.len() < rewrite.stored.len() {
            // The schedule became shorter, which no batch can say of several loans at once.
            let mut batch = Batch::default();
            change_installments(&mut batch, rewrite.loan_id, rewrite.stored, rewrite.now);
            batch.send(transaction).await?;
            continue;
        }
        let known: HashMap<u32, &Installment> = rewrite.stored.iter().map(|row| (row.number, row)).collect();
        let differing = rewrite.now.iter().filter(|row| known.get(&row.number) != Some(row));
        changed.extend(differing.map(|row| installment_row(rewrite.loan_id, row)));
    }
    insert::or_update::<loan_installment::Entity, _>(transaction, changed, &installment_conflict()).await
}

/// Makes the splits of many loans what they are to be, none of them gone: what differs travels in few statements.
///
/// # Errors
/// Whatever the database answers.
pub async fn rewrite_splits(
    transaction: &impl ConnectionTrait,
    rewrites: &[Rewrite<'_, Split>],
) -> Result<(), StoreError> {
    let mut changed = Vec::new();
    for rewrite in rewrites {
        let known: HashMap<Uuid, &Split> = rewrite.stored.iter().map(|row| (row.transaction_id, row)).collect();
        let differing = rewrite.now.iter().filter(|row| known.get(&row.transaction_id) != Some(row));
        changed.extend(differing.map(|row| split_row(rewrite.loan_id, row)));
    }
    insert::or_update::<loan_transaction_split::Entity, _>(transaction, changed, &split_conflict()).await
}

fn installment_conflict() -> OnConflict {
    let key = [loan_installment::Column::LoanId, loan_installment::Column::Number];
    let computed = loan_installment::Column::LeftMinor;
    let columns = loan_installment::Column::iter();
    let others = columns.filter(|column| !matches_any(column, &key) && !matches_any(column, &[computed]));
    OnConflict::columns(key).update_columns(others).to_owned()
}

fn split_conflict() -> OnConflict {
    let key = loan_transaction_split::Column::TransactionId;
    let others = loan_transaction_split::Column::iter().filter(|column| !matches_any(column, &[key]));
    OnConflict::column(key).update_columns(others).to_owned()
}

/// SeaORM's columns do not compare; their names do.
fn matches_any<C: sea_orm::IdenStatic>(column: &C, others: &[C]) -> bool {
    others.iter().any(|other| other.as_str() == column.as_str())
}

/// The cells that [`read_installment_cells`] reads.
const CELLS: [loan_installment::Column; 23] = [
    loan_installment::Column::Number,
    loan_installment::Column::StartsOn,
    loan_installment::Column::DueOn,
    loan_installment::Column::DuePrincipalMinor,
    loan_installment::Column::DueInterestMinor,
    loan_installment::Column::DueFeesMinor,
    loan_installment::Column::DuePenaltiesMinor,
    loan_installment::Column::PaidPrincipalMinor,
    loan_installment::Column::PaidInterestMinor,
    loan_installment::Column::PaidFeesMinor,
    loan_installment::Column::PaidPenaltiesMinor,
    loan_installment::Column::WaivedPrincipalMinor,
    loan_installment::Column::WaivedInterestMinor,
    loan_installment::Column::WaivedFeesMinor,
    loan_installment::Column::WaivedPenaltiesMinor,
    loan_installment::Column::WrittenOffPrincipalMinor,
    loan_installment::Column::WrittenOffInterestMinor,
    loan_installment::Column::WrittenOffFeesMinor,
    loan_installment::Column::WrittenOffPenaltiesMinor,
    loan_installment::Column::PaidInAdvanceMinor,
    loan_installment::Column::PaidLateMinor,
    loan_installment::Column::PrincipalBalanceAfterMinor,
    loan_installment::Column::SettledOn,
];

fn read_installment_cells(cells: &mut Cells<'_>) -> Result<Installment, StoreError> {
    Ok(Installment {
        number: convert::count(cells.take()?)?,
        starts_on: cells.take()?,
        due_on: cells.take()?,
        due: portions(cells)?,
        paid: portions(cells)?,
        waived: portions(cells)?,
        written_off: portions(cells)?,
        paid_in_advance: cells.take()?,
        paid_late: cells.take()?,
        principal_balance_after: cells.take()?,
        settled_on: cells.take()?,
    })
}

fn portions(cells: &mut Cells<'_>) -> Result<Portions, StoreError> {
    Ok(Portions { principal: cells.take()?, interest: cells.take()?, fees: cells.take()?, penalties: cells.take()? })
}

fn installment_row(loan_id: Uuid, row: &Installment) -> loan_installment::ActiveModel {
    loan_installment::ActiveModel {
        loan_id: Set(loan_id),
        number: Set(row.number.into()),
        starts_on: Set(row.starts_on),
        due_on: Set(row.due_on),
        due_principal_minor: Set(row.due.principal),
        due_interest_minor: Set(row.due.interest),
        due_fees_minor: Set(row.due.fees),
        due_penalties_minor: Set(row.due.penalties),
        paid_principal_minor: Set(row.paid.principal),
        paid_interest_minor: Set(row.paid.interest),
        paid_fees_minor: Set(row.paid.fees),
        paid_penalties_minor: Set(row.paid.penalties),
        waived_principal_minor: Set(row.waived.principal),
        waived_interest_minor: Set(row.waived.interest),
        waived_fees_minor: Set(row.waived.fees),
        waived_penalties_minor: Set(row.waived.penalties),
        written_off_principal_minor: Set(row.written_off.principal),
        written_off_interest_minor: Set(row.written_off.interest),
        written_off_fees_minor: Set(row.written_off.fees),
        written_off_penalties_minor: Set(row.written_off.penalties),
        paid_in_advance_minor: Set(row.paid_in_advance),
        paid_late_minor: Set(row.paid_late),
        principal_balance_after_minor: Set(row.principal_balance_after),
        settled_on: Set(row.settled_on),
        ..Default::default()
    }
}

/// The cells that [`read_split_cells`] reads.
pub(super) const SPLIT_CELLS: [loan_transaction_split::Column; 8] = [
    loan_transaction_split::Column::AmountMinor,
    loan_transaction_split::Column::PrincipalMinor,
    loan_transaction_split::Column::InterestMinor,
    loan_transaction_split::Column::FeesMinor,
    loan_transaction_split::Column::PenaltiesMinor,
    loan_transaction_split::Column::ToCreditMinor,
    loan_transaction_split::Column::BalanceAfterMinor,
    loan_transaction_split::Column::JournalEntryId,
];

/// Reads what a transaction did; `None` when the row tells nothing of it.
pub(super) fn read_split_cells(cells: &mut Cells<'_>, transaction_id: Uuid) -> Result<Option<Split>, StoreError> {
    let Some(amount) = cells.take()? else { return Ok(None) };
    Ok(Some(Split {
        transaction_id,
        amount,
        portions: portions(cells)?,
        to_credit: cells.take()?,
        balance_after: cells.take()?,
        journal_entry_id: cells.take()?,
    }))
}

fn split(row: &loan_transaction_split::Model) -> Split {
    Split {
        transaction_id: row.transaction_id,
        amount: row.amount_minor,
        portions: Portions {
            principal: row.principal_minor,
            interest: row.interest_minor,
            fees: row.fees_minor,
            penalties: row.penalties_minor,
        },
        to_credit: row.to_credit_minor,
        balance_after: row.balance_after_minor,
        journal_entry_id: row.journal_entry_id,
    }
}

fn split_row(loan_id: Uuid, row: &Split) -> loan_transaction_split::ActiveModel {
    loan_transaction_split::ActiveModel {
        transaction_id: Set(row.transaction_id),
        loan_id: Set(loan_id),
        amount_minor: Set(row.amount),
        principal_minor: Set(row.portions.principal),
        interest_minor: Set(row.portions.interest),
        fees_minor: Set(row.portions.fees),
        penalties_minor: Set(row.portions.penalties),
        to_credit_minor: Set(row.to_credit),
        balance_after_minor: Set(row.balance_after),
        journal_entry_id: Set(row.journal_entry_id),
    }
}
