//! A loan's transactions and what was taken back of them: the source everything else about its books is worked out from.
//! Rows are only ever added. Histories are asked for by loan; the caller has found the loan within its scope, and has
//! locked its row before adding, so that two writers of one loan never take the same sequence.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use lending::loan::{Event, Sequence, Transaction};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::batch::Batch;
use super::cells::Cells;
use super::convert;
use super::entity::{loan_reversal, loan_transaction};
use super::error::StoreError;
use super::filter::storable;
use super::insert;

/// A transaction as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTransaction {
    /// The id.
    pub id: Uuid,
    /// What the fold knows of it; `reversed` says whether there is a [`reversal`](Self::reversal).
    pub transaction: Transaction,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The subject of who recorded it.
    pub recorded_by: String,
    /// The id in another system, unique among the loan's.
    pub external_ref: Option<String>,
    /// That it was taken back, and by whom.
    pub reversal: Option<Reversal>,
}

/// That a transaction was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The business date it was taken back on.
    pub on: NaiveDate,
    /// When it was recorded.
    pub reversed_at: DateTime<Utc>,
    /// The subject of who recorded it.
    pub reversed_by: String,
    /// Why.
    pub reason: Option<String>,
}

impl StoredTransaction {
    /// What the fold knows of these transactions.
    #[must_use]
    pub fn history(stored: &[Self]) -> Vec<Transaction> {
        stored.iter().map(|one| one.transaction.clone()).collect()
    }

    /// What the books knew at a moment: what was recorded later is left out, what was taken back later still stands.
    #[must_use]
    pub fn known_at(stored: &[Self], moment: DateTime<Utc>) -> Vec<Transaction> {
        let known = stored.iter().filter(|one| one.recorded_at <= moment);
        known
            .map(|one| {
                let reversed = one.reversal.as_ref().is_some_and(|reversal| reversal.reversed_at <= moment);
                Transaction { reversed, ..one.transaction.clone() }
            })
            .collect()
    }
}

/// The transactions of a loan in the order they were recorded.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_loan(connection: &impl ConnectionTrait, loan_id: Uuid) -> Result<Vec<StoredTransaction>, StoreError> {
    Ok(of_loans(connection, &[loan_id]).await?.remove(&loan_id).unwrap_or_default())
}

/// The transactions of each of these loans in the order they were recorded, in one statement; loans without any are
/// not in the answer. No statement is sent for no loans.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_loans(
    connection: &impl ConnectionTrait,
    loan_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<StoredTransaction>>, StoreError> {
    let mut found: HashMap<Uuid, Vec<StoredTransaction>> = HashMap::new();
    if loan_ids.is_empty() {
        return Ok(found);
    }
    let rows = loan_transaction::Entity::find()
        .find_also_related(loan_reversal::Entity)
        .filter(loan_transaction::Column::LoanId.is_in(loan_ids.iter().copied()))
        .order_by_asc(loan_transaction::Column::LoanId)
        .order_by_asc(loan_transaction::Column::Sequence)
        .all(connection)
        .await?;
    for (row, reversal) in rows {
        found.entry(row.loan_id).or_default().push(read(row, reversal)?);
    }
    Ok(found)
}

/// The loans these transactions belong to, each once. Nothing is said of whether they exist for the caller.
///
/// # Errors
/// Whatever the database answers.
pub async fn loans_of(connection: &impl ConnectionTrait, transactions: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    if transactions.is_empty() {
        return Ok(Vec::new());
    }
    Ok(loan_transaction::Entity::find()
        .select_only()
        .column(loan_transaction::Column::LoanId)
        .distinct()
        .filter(loan_transaction::Column::Id.is_in(transactions.iter().copied()))
        .into_tuple()
        .all(connection)
        .await?)
}

/// The cells that [`read_cells`] reads: first these of the transaction,
pub(super) const CELLS: [loan_transaction::Column; 9] = [
    loan_transaction::Column::Id,
    loan_transaction::Column::Sequence,
    loan_transaction::Column::Kind,
    loan_transaction::Column::ValueDate,
    loan_transaction::Column::AmountMinor,
    loan_transaction::Column::Event,
    loan_transaction::Column::ExternalRef,
    loan_transaction::Column::RecordedAt,
    loan_transaction::Column::RecordedBy,
];

/// then these of its reversal.
pub(super) const REVERSAL_CELLS: [loan_reversal::Column; 4] = [
    loan_reversal::Column::ValueDate,
    loan_reversal::Column::ReversedAt,
    loan_reversal::Column::ReversedBy,
    loan_reversal::Column::Reason,
];

/// Reads a transaction of a loan with its reversal; `None` when the row holds none.
pub(super) fn read_cells(cells: &mut Cells<'_>, loan_id: Uuid) -> Result<Option<StoredTransaction>, StoreError> {
    let Some(id) = cells.take()? else { return Ok(None) };
    let row = loan_transaction::Model {
        id,
        loan_id,
        sequence: cells.take()?,
        kind: cells.take()?,
        value_date: cells.take()?,
        amount_minor: cells.take()?,
        event: cells.take()?,
        external_ref: cells.take()?,
        recorded_at: cells.take()?,
        recorded_by: cells.take()?,
    };
    let reversal = match cells.take()? {
        Some(value_date) => Some(loan_reversal::Model {
            transaction_id: id,
            loan_id,
            value_date,
            reversed_at: cells.take()?,
            reversed_by: cells.take()?,
            reason: cells.take()?,
        }),
        None => {
            cells.skip(REVERSAL_CELLS.len() - 1);
            None
        }
    };
    read(row, reversal).map(Some)
}

fn read(row: loan_transaction::Model, reversal: Option<loan_reversal::Model>) -> Result<StoredTransaction, StoreError> {
    let event: Event = serde_json::from_str(&row.event)
        .map_err(|error| StoreError::Corrupt(format!("event of transaction {}: {error}", row.id)))?;
    if event.kind().as_str() != row.kind || event.amount() != row.amount_minor {
        return Err(StoreError::Corrupt(format!("kind or amount of transaction {}", row.id)));
    }
    let sequence = convert::count(row.sequence)?;
    let reversal = reversal.map(|row| Reversal {
        on: row.value_date,
        reversed_at: row.reversed_at,
        reversed_by: row.reversed_by,
        reason: row.reason,
    });
    Ok(StoredTransaction {
        id: row.id,
        transaction: Transaction { sequence, on: row.value_date, event, reversed: reversal.is_some() },
        recorded_at: row.recorded_at,
        recorded_by: row.recorded_by,
        external_ref: row.external_ref,
        reversal,
    })
}

/// The sequence the next transaction of a loan gets.
#[must_use]
pub fn next_sequence(stored: &[StoredTransaction]) -> Sequence {
    stored.iter().map(|one| one.transaction.sequence).max().unwrap_or(0).saturating_add(1)
}

/// Adds transactions to loans, each with its loan's id, in few statements. Reversals they hold are added with them.
///
/// # Errors
/// [`StoreError::Duplicate`] when a sequence or an external reference of the loan is taken; [`StoreError::BadText`];
/// otherwise whatever the database answers.
pub async fn append(
    transaction: &impl ConnectionTrait,
    additions: &[(Uuid, StoredTransaction)],
) -> Result<(), StoreError> {
    let rows = additions.iter().map(|(loan_id, one)| row(*loan_id, one)).collect::<Result<Vec<_>, _>>()?;
    insert::many::<loan_transaction::Entity, _>(transaction, rows).await?;
    let reversals = additions
        .iter()
        .filter_map(|(loan_id, one)| one.reversal.as_ref().map(|reversal| reversal_row(*loan_id, one.id, reversal)))
        .collect::<Result<Vec<_>, _>>()?;
    insert::many::<loan_reversal::Entity, _>(transaction, reversals).await
}

/// Adds a transaction to a loan, with what else is in the batch.
///
/// # Errors
/// [`StoreError::BadText`].
pub fn add(batch: &mut Batch, loan_id: Uuid, one: &StoredTransaction) -> Result<(), StoreError> {
    batch.insert::<loan_transaction::Entity, _>(vec![row(loan_id, one)?]);
    Ok(())
}

/// Takes a transaction back, with what else is in the batch.
///
/// # Errors
/// [`StoreError::BadText`].
pub fn reverse(batch: &mut Batch, loan_id: Uuid, transaction_id: Uuid, reversal: &Reversal) -> Result<(), StoreError> {
    batch.insert::<loan_reversal::Entity, _>(vec![reversal_row(loan_id, transaction_id, reversal)?]);
    Ok(())
}

fn row(loan_id: Uuid, one: &StoredTransaction) -> Result<loan_transaction::ActiveModel, StoreError> {
    let event = &one.transaction.event;
    let json = serde_json::to_string(event).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(loan_transaction::ActiveModel {
        id: Set(one.id),
        loan_id: Set(loan_id),
        sequence: Set(one.transaction.sequence.into()),
        kind: Set(event.kind().as_str().to_owned()),
        value_date: Set(one.transaction.on),
        amount_minor: Set(event.amount()),
        event: Set(json),
        external_ref: Set(one.external_ref.as_deref().map(storable).transpose()?.map(str::to_owned)),
        recorded_at: Set(one.recorded_at),
        recorded_by: Set(storable(&one.recorded_by)?.to_owned()),
    })
}

fn reversal_row(
    loan_id: Uuid,
    transaction_id: Uuid,
    reversal: &Reversal,
) -> Result<loan_reversal::ActiveModel, StoreError> {
    Ok(loan_reversal::ActiveModel {
        transaction_id: Set(transaction_id),
        loan_id: Set(loan_id),
        value_date: Set(reversal.on),
        reversed_at: Set(reversal.reversed_at),
        reversed_by: Set(storable(&reversal.reversed_by)?.to_owned()),
        reason: Set(reversal.reason.as_deref().map(storable).transpose()?.map(str::to_owned)),
    })
}
