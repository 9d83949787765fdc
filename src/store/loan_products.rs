//! Loan products: limits and default terms. Products belong to the lender as a whole, not to a branch.

use chrono::{DateTime, Utc};
use lending::loan::{Conditions, PeriodUnit, ProductLimits};
use lending::rate::Rate;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait};
use serde::Serialize;
use uuid::Uuid;

use super::entity::loan_product;
use super::error::StoreError;
use super::filter::{Field, LikePattern, storable};
use super::find::{self, Lock};
use super::scope::Scope;
use super::{conditions, convert};

/// Whether a product is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoanProductStatus {
    /// It can be applied for.
    Active,
    /// It can no longer be applied for; loans made under it go on.
    Retired,
}

impl LoanProductStatus {
    /// The name in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Retired => "RETIRED",
        }
    }
}

/// A loan product as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanProductRecord {
    /// The id.
    pub id: Uuid,
    /// The short, unique code people know it by.
    pub code: String,
    /// The name.
    pub name: String,
    /// What may be lent.
    pub limits: ProductLimits,
    /// The annual rate a loan gets when its application names none.
    pub default_rate: Rate,
    /// The number of installments a loan gets when its application names none.
    pub default_installments: u32,
    /// An installment falls due every so many units.
    pub every: u32,
    /// The unit of `every`.
    pub unit: PeriodUnit,
    /// How its loans work where their application does not say otherwise.
    pub conditions: Conditions,
    /// Whether it is offered.
    pub status: LoanProductStatus,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<loan_product::Model> for LoanProductRecord {
    type Error = StoreError;

    fn try_from(row: loan_product::Model) -> Result<Self, StoreError> {
        let status = match row.status.as_str() {
            "ACTIVE" => LoanProductStatus::Active,
            "RETIRED" => LoanProductStatus::Retired,
            other => return Err(StoreError::Corrupt(format!("loan product status {other:?}"))),
        };
        Ok(Self {
            id: row.id,
            limits: ProductLimits {
                currency: convert::currency(&row.currency)?,
                principal_min: row.principal_min_minor,
                principal_max: row.principal_max_minor,
                rate_min_ppm: row.annual_rate_min_ppm,
                rate_max_ppm: row.annual_rate_max_ppm,
                installments_min: convert::count(row.installments_min)?,
                installments_max: convert::count(row.installments_max)?,
            },
            code: row.code,
            name: row.name,
            default_rate: Rate::from_ppm(row.default_annual_rate_ppm),
            default_installments: convert::count(row.default_installments)?,
            every: convert::count(row.repayment_every)?,
            unit: convert::unit(&row.repayment_unit)?,
            conditions: conditions::read(&row.conditions)?,
            status,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl TryFrom<&LoanProductRecord> for loan_product::ActiveModel {
    type Error = StoreError;

    fn try_from(record: &LoanProductRecord) -> Result<Self, StoreError> {
        Ok(Self {
            id: Set(record.id),
            code: Set(record.code.clone()),
            name: Set(record.name.clone()),
            name_folded: Set(record.name.to_lowercase()),
            currency: Set(record.limits.currency.code().to_owned()),
            principal_min_minor: Set(record.limits.principal_min),
            principal_max_minor: Set(record.limits.principal_max),
            annual_rate_min_ppm: Set(record.limits.rate_min_ppm),
            annual_rate_max_ppm: Set(record.limits.rate_max_ppm),
            installments_min: Set(record.limits.installments_min.into()),
            installments_max: Set(record.limits.installments_max.into()),
            default_annual_rate_ppm: Set(record.default_rate.ppm()),
            default_installments: Set(record.default_installments.into()),
            repayment_every: Set(record.every.into()),
            repayment_unit: Set(record.unit.as_str().to_owned()),
            conditions: Set(conditions::write(&record.conditions)?),
            status: Set(record.status.as_str().to_owned()),
            version: Set(record.version),
            created_at: Set(record.created_at),
            updated_at: Set(record.updated_at),
        })
    }
}

/// What loan products can be filtered and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LoanProductField {
    /// The code.
    Code,
    /// The name, ignoring case.
    Name,
    /// The currency.
    Currency,
    /// The status.
    Status,
    /// When it was created.
    CreatedAt,
}

impl Field for LoanProductField {
    type Entity = loan_product::Entity;

    const LIST: &'static str = "loan_products";

    fn column(self) -> loan_product::Column {
        match self {
            Self::Code => loan_product::Column::Code,
            Self::Name => loan_product::Column::NameFolded,
            Self::Currency => loan_product::Column::Currency,
            Self::Status => loan_product::Column::Status,
            Self::CreatedAt => loan_product::Column::CreatedAt,
        }
    }

    fn search(pattern: &LikePattern) -> Condition {
        Condition::any()
            .add(pattern.in_code(loan_product::Column::Code))
            .add(pattern.in_folded(loan_product::Column::NameFolded))
    }

    fn branch_column() -> Option<loan_product::Column> {
        None
    }

    fn id_column() -> loan_product::Column {
        loan_product::Column::Id
    }
}

/// How a single loan product is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoanProductKey {
    /// By id.
    Id(Uuid),
    /// By code.
    Code(String),
}

/// The loan product, if it exists.
///
/// # Errors
/// Whatever the database answers.
pub async fn find(
    connection: &impl ConnectionTrait,
    key: &LoanProductKey,
    lock: Lock,
) -> Result<Option<LoanProductRecord>, StoreError> {
    let condition = match key {
        LoanProductKey::Id(id) => loan_product::Column::Id.eq(*id),
        LoanProductKey::Code(code) => loan_product::Column::Code.eq(storable(code)?),
    };
    find::one::<LoanProductField, _>(connection, &Scope::All, Condition::all().add(condition), lock).await
}

/// Adds a loan product.
///
/// # Errors
/// [`StoreError::Duplicate`] when the code is taken; otherwise whatever the database answers.
pub async fn insert(transaction: &impl ConnectionTrait, record: &LoanProductRecord) -> Result<(), StoreError> {
    loan_product::Entity::insert(loan_product::ActiveModel::try_from(record)?)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// Writes a changed loan product whose row must still be of the version before the record's.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it is not; otherwise whatever the database answers.
pub async fn update(transaction: &impl ConnectionTrait, record: &LoanProductRecord) -> Result<(), StoreError> {
    let row = loan_product::ActiveModel::try_from(record)?;
    find::change_one(transaction, row, loan_product::Column::Id, loan_product::Column::Version).await
}
