//! What most lists show of a loan: a third of its columns, which cost a third to read. Whoever needs more reads the whole
//! loan; nothing is decided or written from a face.

use chrono::{DateTime, NaiveDate, Utc};
use lending::loan::LoanStatus;
use lending::money::Money;
use uuid::Uuid;

use super::convert;
use super::entity::loan;
use super::error::StoreError;
use super::loans::{LoanField, LoanRecord, status};
use super::rows::Record;

/// What most lists show of a loan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanFace {
    /// The id.
    pub id: Uuid,
    /// The number people read out.
    pub number: String,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// The branch that lends.
    pub branch_id: Uuid,
    /// Who borrows.
    pub borrower_id: Uuid,
    /// The product it was made under.
    pub product_id: Uuid,
    /// The group whose members answer for it.
    pub group_id: Option<Uuid>,
    /// The subject of the credit officer who looks after it.
    pub officer: Option<String>,
    /// The amount applied for.
    pub principal: Money,
    /// Where it is in its life.
    pub status: LoanStatus,
    /// The day of the application.
    pub applied_on: NaiveDate,
    /// The day of the disbursement.
    pub disbursed_on: Option<NaiveDate>,
    /// Grows with every change.
    pub version: i64,
    /// When it was applied for, to the millisecond.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl LoanFace {
    /// Whether a list of faces can be in the order of a field.
    pub fn has(field: LoanField) -> bool {
        match field {
            LoanField::Number
            | LoanField::ExternalRef
            | LoanField::Branch
            | LoanField::Borrower
            | LoanField::Product
            | LoanField::Group
            | LoanField::Officer
            | LoanField::Currency
            | LoanField::Principal
            | LoanField::Status
            | LoanField::AppliedOn
            | LoanField::DisbursedOn
            | LoanField::CreatedAt => true,
            LoanField::DaysPastDue | LoanField::OldestUnpaidDueOn | LoanField::NextDueOn => false,
        }
    }
}

impl Record<loan::Entity> for LoanFace {
    type Row = loan::Face;

    fn of(row: loan::Face) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            number: row.number,
            external_ref: row.external_ref,
            branch_id: row.branch_id,
            borrower_id: row.borrower_id,
            product_id: row.product_id,
            group_id: row.group_id,
            officer: row.officer,
            principal: Money::new(row.principal_minor, convert::currency(&row.currency)?),
            status: status(&row.status)?,
            applied_on: row.applied_on,
            disbursed_on: row.disbursed_on,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<&LoanRecord> for LoanFace {
    fn from(record: &LoanRecord) -> Self {
        Self {
            id: record.id,
            number: record.number.clone(),
            external_ref: record.external_ref.clone(),
            branch_id: record.branch_id,
            borrower_id: record.borrower_id,
            product_id: record.product_id,
            group_id: record.group_id,
            officer: record.officer.clone(),
            principal: record.terms.principal,
            status: record.state.status(),
            applied_on: record.state.application().applied_on,
            disbursed_on: record.state.disbursement().map(|disbursement| disbursement.on),
            version: record.version,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}
