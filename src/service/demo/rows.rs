//! Adding rows that are not there yet, alike for every table: look which ids exist, number the others, insert them, all
//! in one transaction. A row that exists is left alone, whatever has become of it since.

use uuid::Uuid;

use crate::service::loan_books::bulk::{self, MadeLoan};
use crate::service::problem::{Problem, ProblemCode};
use crate::service::{ServiceError, Services};
use crate::store::borrowers::{self, BorrowerField, BorrowerRecord};
use crate::store::branches::{self, BranchField, BranchRecord};
use crate::store::database::Transaction;
use crate::store::filter::Field;
use crate::store::loan_products::{self, LoanProductField, LoanProductRecord};
use crate::store::loans::LoanField;
use crate::store::numbers::{self, Sequence};
use crate::store::scope::Scope;
use crate::store::{StoreError, find};

/// How many rows were added, and how many were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows that were added.
    pub added: u64,
    /// Rows that were there already.
    pub present: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.present += other.present;
    }
}

/// A table's row, as far as adding it is concerned.
pub(super) trait Row: Clone {
    /// The table's fields.
    type Field: Field;
    /// Where its numbers come from, if it has any.
    const SEQUENCE: Option<Sequence>;

    fn id(&self) -> Uuid;

    fn set_number(&mut self, _number: String) {}

    async fn insert(transaction: &Transaction, rows: &[Self]) -> Result<(), StoreError>;
}

impl Row for BranchRecord {
    type Field = BranchField;

    const SEQUENCE: Option<Sequence> = None;

    fn id(&self) -> Uuid {
        self.id
    }

    async fn insert(transaction: &Transaction, rows: &[Self]) -> Result<(), StoreError> {
        branches::insert_many(&**transaction, rows).await
    }
}

impl Row for LoanProductRecord {
    type Field = LoanProductField;

    const SEQUENCE: Option<Sequence> = None;

    fn id(&self) -> Uuid {
        self.id
    }

    async fn insert(transaction: &Transaction, rows: &[Self]) -> Result<(), StoreError> {
        for row in rows {
            loan_products::insert(&**transaction, row).await?;
        }
        Ok(())
    }
}

impl Row for BorrowerRecord {
    type Field = BorrowerField;

    const SEQUENCE: Option<Sequence> = Some(Sequence::Borrower);

    fn id(&self) -> Uuid {
        self.id
    }

    fn set_number(&mut self, number: String) {
        self.number = number;
    }

    async fn insert(transaction: &Transaction, rows: &[Self]) -> Result<(), StoreError> {
        borrowers::insert_many(&**transaction, rows).await
    }
}

impl Row for MadeLoan {
    type Field = LoanField;

    const SEQUENCE: Option<Sequence> = Some(Sequence::Loan);

    fn id(&self) -> Uuid {
        self.loan.id
    }

    fn set_number(&mut self, number: String) {
        self.loan.number = number;
    }

    async fn insert(transaction: &Transaction, rows: &[Self]) -> Result<(), StoreError> {
        bulk::insert_many(transaction, rows).await
    }
}

/// Adds those of the rows whose ids do not exist.
pub(super) async fn add_missing<R: Row>(services: &Services, rows: &[R]) -> Result<Tally, ServiceError> {
    services
        .database
        .write(|transaction| async move { Ok(add(&transaction, rows.to_vec()).await?) })
        .await
        .map_err(in_the_way)
}

/// The same in a transaction.
pub(super) async fn add<R: Row>(transaction: &Transaction, mut missing: Vec<R>) -> Result<Tally, StoreError> {
    let ids: Vec<Uuid> = missing.iter().map(Row::id).collect();
    let present = find::present::<R::Field>(&**transaction, &Scope::All, &ids).await?;
    missing.retain(|row| !present.contains(&row.id()));
    let tally = Tally { added: count(missing.len()), present: count(present.len()) };
    if missing.is_empty() {
        return Ok(tally);
    }
    if let Some(sequence) = R::SEQUENCE {
        let how_many = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        let numbers = numbers::take(&**transaction, sequence, how_many).await?;
        for (row, number) in missing.iter_mut().zip(numbers) {
            row.set_number(number);
        }
    }
    R::insert(transaction, &missing).await?;
    Ok(tally)
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// A broken unique index, told as what to do about it. The index is not named: its text may hold values.
pub(super) fn in_the_way(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Internal(StoreError::Duplicate(_)) => Problem::new(
            ProblemCode::AlreadyTaken,
            &[],
            "This database uses a code or a reference of the demonstration data for something else; \
             use a database of its own for the demonstration, or run it again if another run was at work.",
        )
        .into(),
        other => other,
    }
}
