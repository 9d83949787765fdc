//! Loans: the agreed terms and the lifecycle so far. The lifecycle's columns and `Lifecycle` are two spellings of one
//! thing; both directions of the translation live here.

use chrono::{DateTime, NaiveDate, Utc};
use lending::loan::{Application, Approval, Decision, Disbursement, Lifecycle, LoanStatus, LoanTerms};
use lending::money::{Currency, Money};
use lending::rate::Rate;
use sea_orm::sea_query::{Expr, OnConflict, SelectStatement, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select, Value,
};
use serde::Serialize;
use uuid::Uuid;

use super::batch::Batch;
use super::borrowers::{self, BorrowerField};
use super::conditions;
use super::convert::{self, money, required};
use super::entity::{borrower, loan};
use super::error::StoreError;
use super::filter::{Field, LikePattern, storable};
use super::find::{self, Lock};
use super::insert;
use super::loan_balances::LoanProjection;
use super::rows::ByPlace;
use super::scope::Scope;

/// The statuses of loans that have not ended.
pub(super) const LIVE: [LoanStatus; 4] =
    [LoanStatus::Pending, LoanStatus::Approved, LoanStatus::Disbursed, LoanStatus::Defaulted];

/// A loan as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanRecord {
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
    /// What was agreed.
    pub terms: LoanTerms,
    /// The lifecycle so far.
    pub state: Lifecycle,
    /// What its transactions come to.
    pub projection: LoanProjection,
    /// Grows with every change.
    pub version: i64,
    /// When it was applied for, to the millisecond.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<loan::Model> for LoanRecord {
    type Error = StoreError;

    fn try_from(row: loan::Model) -> Result<Self, StoreError> {
        let currency = convert::currency(&row.currency)?;
        let state = state(&row, currency)?;
        let projection = LoanProjection::from(&row);
        Ok(Self {
            id: row.id,
            number: row.number,
            external_ref: row.external_ref,
            branch_id: row.branch_id,
            borrower_id: row.borrower_id,
            product_id: row.product_id,
            group_id: row.group_id,
            officer: row.officer,
            terms: LoanTerms {
                principal: Money::new(row.principal_minor, currency),
                annual_rate: Rate::from_ppm(row.annual_rate_ppm),
                installments: convert::count(row.installments)?,
                every: convert::count(row.repayment_every)?,
                unit: convert::unit(&row.repayment_unit)?,
                first_due_on: row.first_due_on,
                conditions: conditions::read(&row.conditions)?,
            },
            state,
            projection,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The status that a row has.
pub(super) fn status(text: &str) -> Result<LoanStatus, StoreError> {
    LoanStatus::parse(text).ok_or_else(|| StoreError::Corrupt(format!("loan status {text:?}")))
}

fn state(row: &loan::Model, currency: Currency) -> Result<Lifecycle, StoreError> {
    let status = status(&row.status)?;
    let application = Application {
        applied_on: row.applied_on,
        applied_by: row.applied_by.clone(),
        amount: Money::new(row.principal_minor, currency),
    };
    let approval = || -> Result<Approval, StoreError> {
        Ok(Approval {
            on: required(row.approved_on, "approved_on")?,
            by: required(row.approved_by.clone(), "approved_by")?,
            amount: money(row.approved_minor, currency, "approved_minor")?,
        })
    };
    let decision = || -> Result<Decision, StoreError> {
        Ok(Decision {
            on: required(row.decided_on, "decided_on")?,
            by: required(row.decided_by.clone(), "decided_by")?,
            reason: row.decision_reason.clone(),
        })
    };
    let disbursement = || -> Result<Disbursement, StoreError> {
        Ok(Disbursement {
            on: required(row.disbursed_on, "disbursed_on")?,
            by: required(row.disbursed_by.clone(), "disbursed_by")?,
            amount: money(row.disbursed_minor, currency, "disbursed_minor")?,
        })
    };
    let closed_on = || required(row.closed_on, "closed_on");
    Ok(match status {
        LoanStatus::Pending => Lifecycle::Pending { application },
        LoanStatus::Approved => Lifecycle::Approved { application, approval: approval()? },
        LoanStatus::Rejected => Lifecycle::Rejected { application, rejection: decision()? },
        LoanStatus::Withdrawn => Lifecycle::Withdrawn {
            application,
            approval: row.approved_on.map(|_| approval()).transpose()?,
            withdrawal: decision()?,
        },
        LoanStatus::Disbursed => {
            Lifecycle::Disbursed { application, approval: approval()?, disbursement: disbursement()? }
        }
        LoanStatus::Defaulted => Lifecycle::Defaulted {
            application,
            approval: approval()?,
            disbursement: disbursement()?,
            defaulted_on: required(row.defaulted_on, "defaulted_on")?,
        },
        LoanStatus::Repaid => Lifecycle::Repaid {
            application,
            approval: approval()?,
            disbursement: disbursement()?,
            closed_on: closed_on()?,
        },
        LoanStatus::WrittenOff => Lifecycle::WrittenOff {
            application,
            approval: approval()?,
            disbursement: disbursement()?,
            closed_on: closed_on()?,
        },
    })
}

/// The lifecycle taken apart into the columns' facts.
struct Facts<'a> {
    application: &'a Application,
    approval: Option<&'a Approval>,
    decision: Option<&'a Decision>,
    disbursement: Option<&'a Disbursement>,
    defaulted_on: Option<NaiveDate>,
    closed_on: Option<NaiveDate>,
}

fn facts(state: &Lifecycle) -> Facts<'_> {
    let none = |application| Facts {
        application,
        approval: None,
        decision: None,
        disbursement: None,
        defaulted_on: None,
        closed_on: None,
    };
    match state {
        Lifecycle::Pending { application } => none(application),
        Lifecycle::Approved { application, approval } => Facts { approval: Some(approval), ..none(application) },
        Lifecycle::Rejected { application, rejection } => Facts { decision: Some(rejection), ..none(application) },
        Lifecycle::Withdrawn { application, approval, withdrawal } => {
            Facts { approval: approval.as_ref(), decision: Some(withdrawal), ..none(application) }
        }
        Lifecycle::Disbursed { application, approval, disbursement } => {
            Facts { approval: Some(approval), disbursement: Some(disbursement), ..none(application) }
        }
        Lifecycle::Defaulted { application, approval, disbursement, defaulted_on } => Facts {
            approval: Some(approval),
            disbursement: Some(disbursement),
            defaulted_on: Some(*defaulted_on),
            ..none(application)
        },
        Lifecycle::Repaid { application, approval, disbursement, closed_on }
        | Lifecycle::WrittenOff { application, approval, disbursement, closed_on } => Facts {
            approval: Some(approval),
            disbursement: Some(disbursement),
            closed_on: Some(*closed_on),
            ..none(application)
        },
    }
}

impl TryFrom<&LoanRecord> for loan::ActiveModel {
    type Error = StoreError;

    fn try_from(record: &LoanRecord) -> Result<Self, StoreError> {
        let facts = facts(&record.state);
        Ok(Self {
            id: Set(record.id),
            number: Set(record.number.clone()),
            external_ref: Set(record.external_ref.clone()),
            branch_id: Set(record.branch_id),
            borrower_id: Set(record.borrower_id),
            product_id: Set(record.product_id),
            group_id: Set(record.group_id),
            officer: Set(record.officer.clone()),
            currency: Set(record.terms.principal.currency().code().to_owned()),
            principal_minor: Set(record.terms.principal.minor()),
            annual_rate_ppm: Set(record.terms.annual_rate.ppm()),
            installments: Set(record.terms.installments.into()),
            repayment_every: Set(record.terms.every.into()),
            repayment_unit: Set(record.terms.unit.as_str().to_owned()),
            first_due_on: Set(record.terms.first_due_on),
            conditions: Set(conditions::write(&record.terms.conditions)?),
            applied_on: Set(facts.application.applied_on),
            applied_by: Set(facts.application.applied_by.clone()),
            approved_on: Set(facts.approval.map(|approval| approval.on)),
            approved_by: Set(facts.approval.map(|approval| approval.by.clone())),
            approved_minor: Set(facts.approval.map(|approval| approval.amount.minor())),
            decided_on: Set(facts.decision.map(|decision| decision.on)),
            decided_by: Set(facts.decision.map(|decision| decision.by.clone())),
            decision_reason: Set(facts.decision.and_then(|decision| decision.reason.clone())),
            created_at: Set(record.created_at),
            ..settled(record)
        })
    }
}

/// What a transaction may change of a loan.
fn settled(record: &LoanRecord) -> loan::ActiveModel {
    let facts = facts(&record.state);
    let projection = &record.projection;
    loan::ActiveModel {
        status: Set(record.state.status().as_str().to_owned()),
        disbursed_on: Set(facts.disbursement.map(|disbursement| disbursement.on)),
        disbursed_by: Set(facts.disbursement.map(|disbursement| disbursement.by.clone())),
        disbursed_minor: Set(facts.disbursement.map(|disbursement| disbursement.amount.minor())),
        defaulted_on: Set(facts.defaulted_on),
        closed_on: Set(facts.closed_on),
        disbursed_total_minor: Set(projection.disbursed),
        outstanding_principal_minor: Set(projection.outstanding.principal),
        outstanding_interest_minor: Set(projection.outstanding.interest),
        outstanding_fees_minor: Set(projection.outstanding.fees),
        outstanding_penalties_minor: Set(projection.outstanding.penalties),
        credit_minor: Set(projection.credit),
        recovered_minor: Set(projection.recovered),
        accrued_interest_minor: Set(projection.accrued.interest),
        accrued_fees_minor: Set(projection.accrued.fees),
        accrued_penalties_minor: Set(projection.accrued.penalties),
        oldest_unpaid_due_on: Set(projection.oldest_unpaid_due_on),
        next_due_on: Set(projection.next_due_on),
        matures_on: Set(projection.matures_on),
        charged_off_on: Set(projection.charged_off_on),
        accrued_through: Set(projection.accrued_through),
        projected_on: Set(projection.projected_on),
        refreshed_on: Set(projection.refreshed_on),
        version: Set(record.version),
        updated_at: Set(record.updated_at),
        ..Default::default()
    }
}

/// What loans can be filtered and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LoanField {
    /// The number.
    Number,
    /// The id in another system.
    ExternalRef,
    /// The branch.
    Branch,
    /// The borrower.
    Borrower,
    /// The product.
    Product,
    /// The group.
    Group,
    /// The credit officer's subject.
    Officer,
    /// The currency.
    Currency,
    /// The principal in minor units.
    Principal,
    /// The status.
    Status,
    /// The day of the application.
    AppliedOn,
    /// The day of the disbursement.
    DisbursedOn,
    /// When it was applied for.
    CreatedAt,
    /// The number of days past due, 0 if none. It is known on a day only: ask of [`Self::OldestUnpaidDueOn`] instead.
    DaysPastDue,
    /// The due date of the oldest installment with anything left of it; [`NEVER`] if there is none.
    OldestUnpaidDueOn,
    /// The next due date; [`NEVER`] if there is none.
    NextDueOn,
}

/// What stands for no due date, so that lists have a place for it: after all others.
pub const NEVER: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

impl Field for LoanField {
    type Entity = loan::Entity;

    const LIST: &'static str = "loans";

    fn column(self) -> loan::Column {
        match self {
            Self::Number => loan::Column::Number,
            Self::ExternalRef => loan::Column::ExternalRef,
            Self::Branch => loan::Column::BranchId,
            Self::Borrower => loan::Column::BorrowerId,
            Self::Product => loan::Column::ProductId,
            Self::Group => loan::Column::GroupId,
            Self::Officer => loan::Column::Officer,
            Self::Currency => loan::Column::Currency,
            Self::Principal => loan::Column::PrincipalMinor,
            Self::Status => loan::Column::Status,
            Self::AppliedOn => loan::Column::AppliedOn,
            Self::DisbursedOn => loan::Column::DisbursedOn,
            Self::CreatedAt => loan::Column::CreatedAt,
            Self::DaysPastDue | Self::OldestUnpaidDueOn => loan::Column::OldestUnpaidDueOn,
            Self::NextDueOn => loan::Column::NextDueOn,
        }
    }

    fn operand(self) -> SimpleExpr {
        match self {
            // Written out and not bound, letter by letter as in the indexes.
            Self::DaysPastDue | Self::OldestUnpaidDueOn => {
                Expr::cust("COALESCE(loans.oldest_unpaid_due_on, '9999-12-31')")
            }
            Self::NextDueOn => Expr::cust("COALESCE(loans.next_due_on, '9999-12-31')"),
            _ => Expr::col(self.column().as_column_ref()),
        }
    }

    fn value(self, row: &impl ByPlace<Entity = loan::Entity>) -> Option<Value> {
        match (self, row.value(self.column())?) {
            (Self::DaysPastDue | Self::OldestUnpaidDueOn | Self::NextDueOn, Value::ChronoDate(None)) => {
                Some(NEVER.into())
            }
            (_, value) => Some(value),
        }
    }

    fn nullable(self) -> bool {
        matches!(self, Self::ExternalRef | Self::Group | Self::Officer | Self::DisbursedOn | Self::NextDueOn)
    }

    /// A borrower may have a loan at another branch than the one that looks after them. A group's loans are its branch's.
    fn visible_targets(self, scope: &Scope) -> Option<SelectStatement> {
        (self == Self::Borrower).then(|| sea_orm::QueryTrait::into_query(visible_borrowers(scope)))
    }

    /// Number and external reference, or the borrower's name, number and external reference.
    fn search(pattern: &LikePattern) -> Condition {
        let of_borrower = visible_borrowers(pattern.scope()).filter(borrowers::search(pattern));
        Condition::any()
            .add(pattern.in_code(loan::Column::Number))
            .add(pattern.in_optional_code(loan::Column::ExternalRef))
            .add(loan::Column::BorrowerId.in_subquery(sea_orm::QueryTrait::into_query(of_borrower)))
    }

    fn branch_column() -> Option<loan::Column> {
        Some(loan::Column::BranchId)
    }

    fn id_column() -> loan::Column {
        loan::Column::Id
    }
}

fn visible_borrowers(scope: &Scope) -> Select<borrower::Entity> {
    borrower::Entity::find().select_only().column(borrower::Column::Id).filter(scope.condition::<BorrowerField>())
}

/// How a single loan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoanKey {
    /// By id.
    Id(Uuid),
    /// By number.
    Number(String),
    /// By the id in another system.
    ExternalRef(String),
}

/// The loan, if it exists for this scope.
///
/// # Errors
/// Whatever the database answers.
pub async fn find(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    key: &LoanKey,
    lock: Lock,
) -> Result<Option<LoanRecord>, StoreError> {
    let condition = match key {
        LoanKey::Id(id) => loan::Column::Id.eq(*id),
        LoanKey::Number(number) => loan::Column::Number.eq(storable(number)?),
        LoanKey::ExternalRef(reference) => loan::Column::ExternalRef.eq(storable(reference)?),
    };
    find::one::<LoanField, _>(connection, scope, Condition::all().add(condition), lock).await
}

/// Adds loans, any number of them.
///
/// # Errors
/// [`StoreError::Duplicate`] when an external reference is taken; otherwise whatever the database answers.
pub async fn insert(transaction: &impl ConnectionTrait, records: &[LoanRecord]) -> Result<(), StoreError> {
    let rows = records.iter().map(loan::ActiveModel::try_from).collect::<Result<Vec<_>, _>>()?;
    insert::many::<loan::Entity, _>(transaction, rows).await
}

/// Writes a changed loan whose row must still be of the version before the record's.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it is not; otherwise whatever the database answers.
pub async fn update(transaction: &impl ConnectionTrait, record: &LoanRecord) -> Result<(), StoreError> {
    let row = loan::ActiveModel::try_from(record)?;
    find::change_one(transaction, row, loan::Column::Id, loan::Column::Version).await
}

/// Adds a loan, with what else is in the batch.
///
/// # Errors
/// [`StoreError::Corrupt`] for conditions that have no text.
pub fn add(batch: &mut Batch, record: &LoanRecord) -> Result<(), StoreError> {
    batch.insert::<loan::Entity, _>(vec![loan::ActiveModel::try_from(record)?]);
    Ok(())
}

/// Writes what transactions made of a loan whose row must still be of the version before the record's, with what else is
/// in the batch.
///
/// # Errors
/// [`StoreError::Corrupt`] when the batch has such a change already.
pub fn settle(batch: &mut Batch, record: &LoanRecord) -> Result<(), StoreError> {
    let row = loan::ActiveModel { id: Set(record.id), ..settled(record) };
    batch.change_one::<loan::Entity, _>(row, loan::Column::Id, loan::Column::Version)
}

/// What an end of day may change of a loan.
const OF_A_DAY: [loan::Column; 23] = [
    loan::Column::Status,
    loan::Column::DefaultedOn,
    loan::Column::ClosedOn,
    loan::Column::DisbursedTotalMinor,
    loan::Column::OutstandingPrincipalMinor,
    loan::Column::OutstandingInterestMinor,
    loan::Column::OutstandingFeesMinor,
    loan::Column::OutstandingPenaltiesMinor,
    loan::Column::CreditMinor,
    loan::Column::RecoveredMinor,
    loan::Column::AccruedInterestMinor,
    loan::Column::AccruedFeesMinor,
    loan::Column::AccruedPenaltiesMinor,
    loan::Column::OldestUnpaidDueOn,
    loan::Column::NextDueOn,
    loan::Column::MaturesOn,
    loan::Column::ChargedOffOn,
    loan::Column::AccruedThrough,
    loan::Column::ProjectedOn,
    loan::Column::RefreshedOn,
    loan::Column::Version,
    loan::Column::UpdatedAt,
    loan::Column::DisbursedMinor,
];

/// Writes status and projection of loans that the caller has locked, in few statements.
///
/// # Errors
/// Whatever the database answers.
pub async fn update_day(transaction: &impl ConnectionTrait, records: &[LoanRecord]) -> Result<(), StoreError> {
    let rows = records.iter().map(loan::ActiveModel::try_from).collect::<Result<Vec<_>, _>>()?;
    let conflict = OnConflict::column(loan::Column::Id).update_columns(OF_A_DAY).to_owned();
    insert::or_update::<loan::Entity, _>(transaction, rows, &conflict).await
}

/// What another day makes of a loan's balances. Its books, its version and when it was changed are not among it.
const OF_A_REFRESH: [loan::Column; 9] = [
    loan::Column::OutstandingPrincipalMinor,
    loan::Column::OutstandingInterestMinor,
    loan::Column::OutstandingFeesMinor,
    loan::Column::OutstandingPenaltiesMinor,
    loan::Column::CreditMinor,
    loan::Column::OldestUnpaidDueOn,
    loan::Column::NextDueOn,
    loan::Column::MaturesOn,
    loan::Column::RefreshedOn,
];

/// Writes the balances of loans that the caller has locked, in few statements.
///
/// # Errors
/// Whatever the database answers.
pub async fn update_balances(transaction: &impl ConnectionTrait, records: &[LoanRecord]) -> Result<(), StoreError> {
    let rows = records.iter().map(loan::ActiveModel::try_from).collect::<Result<Vec<_>, _>>()?;
    let conflict = OnConflict::column(loan::Column::Id).update_columns(OF_A_REFRESH).to_owned();
    insert::or_update::<loan::Entity, _>(transaction, rows, &conflict).await
}
