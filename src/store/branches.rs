//! Branches: a forest. A branch is its own row and the root of the subtree below it.

use chrono::{DateTime, NaiveDate, Utc, Weekday};
use lending::loan::LoanStatus;
use lending::money::Currency;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use serde::Serialize;
use uuid::Uuid;

use super::calendars;
use super::convert;
use super::entity::{branch, loan};
use super::error::StoreError;
use super::filter::{Field, LikePattern, branches_below, storable};
use super::find::{self, Lock};
use super::insert;
use super::loans;
use super::scope::Scope;

/// Whether a branch does business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchStatus {
    /// It does.
    Open,
    /// It no longer takes applications; what it lent stays visible.
    Closed,
}

impl BranchStatus {
    /// The name in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Closed => "CLOSED",
        }
    }
}

/// A branch as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRecord {
    /// The id.
    pub id: Uuid,
    /// The short, unique code people know it by.
    pub code: String,
    /// The name.
    pub name: String,
    /// The branch above it.
    pub parent_id: Option<Uuid>,
    /// The currency it works in.
    pub currency: Currency,
    /// An IANA time zone, which decides its business date.
    pub time_zone: String,
    /// Whether it does business.
    pub status: BranchStatus,
    /// The days of the week it rests.
    pub rest_days: Vec<Weekday>,
    /// The last business date that was closed. [`update`] leaves it alone; closing a day moves it.
    pub closed_through: Option<NaiveDate>,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<branch::Model> for BranchRecord {
    type Error = StoreError;

    fn try_from(row: branch::Model) -> Result<Self, StoreError> {
        let status = match row.status.as_str() {
            "OPEN" => BranchStatus::Open,
            "CLOSED" => BranchStatus::Closed,
            other => return Err(StoreError::Corrupt(format!("branch status {other:?}"))),
        };
        Ok(Self {
            id: row.id,
            currency: convert::currency(&row.currency)?,
            code: row.code,
            name: row.name,
            parent_id: row.parent_id,
            time_zone: row.time_zone,
            status,
            rest_days: calendars::parse_rest_days(&row.rest_days)?,
            closed_through: row.closed_through,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<&BranchRecord> for branch::ActiveModel {
    fn from(record: &BranchRecord) -> Self {
        Self {
            id: Set(record.id),
            code: Set(record.code.clone()),
            name: Set(record.name.clone()),
            name_folded: Set(record.name.to_lowercase()),
            parent_id: Set(record.parent_id),
            currency: Set(record.currency.code().to_owned()),
            time_zone: Set(record.time_zone.clone()),
            status: Set(record.status.as_str().to_owned()),
            rest_days: Set(calendars::format_rest_days(&record.rest_days)),
            closed_through: Set(record.closed_through),
            version: Set(record.version),
            created_at: Set(record.created_at),
            updated_at: Set(record.updated_at),
        }
    }
}

/// What branches can be filtered and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum BranchField {
    /// The code.
    Code,
    /// The name, ignoring case.
    Name,
    /// The branch above.
    Parent,
    /// The currency.
    Currency,
    /// The status.
    Status,
    /// When it was created.
    CreatedAt,
}

impl Field for BranchField {
    type Entity = branch::Entity;

    const LIST: &'static str = "branches";

    fn column(self) -> branch::Column {
        match self {
            Self::Code => branch::Column::Code,
            Self::Name => branch::Column::NameFolded,
            Self::Parent => branch::Column::ParentId,
            Self::Currency => branch::Column::Currency,
            Self::Status => branch::Column::Status,
            Self::CreatedAt => branch::Column::CreatedAt,
        }
    }

    fn nullable(self) -> bool {
        self == Self::Parent
    }

    fn visible_targets(self, scope: &Scope) -> Option<SelectStatement> {
        let visible = branch::Entity::find().select_only().column(branch::Column::Id).filter(scope.condition::<Self>());
        (self == Self::Parent).then(|| QueryTrait::into_query(visible))
    }

    fn search(pattern: &LikePattern) -> Condition {
        Condition::any().add(pattern.in_code(branch::Column::Code)).add(pattern.in_folded(branch::Column::NameFolded))
    }

    fn branch_column() -> Option<branch::Column> {
        Some(branch::Column::Id)
    }

    fn id_column() -> branch::Column {
        branch::Column::Id
    }
}

/// How a single branch is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchKey {
    /// By id.
    Id(Uuid),
    /// By code.
    Code(String),
}

/// The branch, if it exists for this scope.
///
/// # Errors
/// Whatever the database answers.
pub async fn find(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    key: &BranchKey,
    lock: Lock,
) -> Result<Option<BranchRecord>, StoreError> {
    let condition = match key {
        BranchKey::Id(id) => branch::Column::Id.eq(*id),
        BranchKey::Code(code) => branch::Column::Code.eq(storable(code)?),
    };
    find::one::<BranchField, _>(connection, scope, Condition::all().add(condition), lock).await
}

/// All branches of a scope, in the order of their codes.
///
/// # Errors
/// Whatever the database answers.
pub async fn all(connection: &impl ConnectionTrait, scope: &Scope) -> Result<Vec<BranchRecord>, StoreError> {
    let rows = branch::Entity::find()
        .filter(scope.condition::<BranchField>())
        .order_by_asc(branch::Column::Code)
        .all(connection)
        .await?;
    rows.into_iter().map(BranchRecord::try_from).collect()
}

/// Adds a branch.
///
/// # Errors
/// [`StoreError::Duplicate`] when the code is taken; otherwise whatever the database answers.
pub async fn insert(transaction: &impl ConnectionTrait, record: &BranchRecord) -> Result<(), StoreError> {
    branch::Entity::insert(branch::ActiveModel::from(record)).exec_without_returning(transaction).await?;
    Ok(())
}

/// Adds branches, any number of them. A parent must not come after its children.
///
/// # Errors
/// [`StoreError::Duplicate`] when a code is taken; otherwise whatever the database answers.
pub async fn insert_many(transaction: &impl ConnectionTrait, records: &[BranchRecord]) -> Result<(), StoreError> {
    insert::many::<branch::Entity, _>(transaction, records.iter().map(branch::ActiveModel::from).collect()).await
}

/// Writes a changed branch whose row must still be of the version before the record's.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it is not; otherwise whatever the database answers.
pub async fn update(transaction: &impl ConnectionTrait, record: &BranchRecord) -> Result<(), StoreError> {
    let mut row = branch::ActiveModel::from(record);
    row.not_set(branch::Column::ClosedThrough);
    find::change_one(transaction, row, branch::Column::Id, branch::Column::Version).await
}

/// Lets nobody else move a branch until the transaction ends. Two moves that touch no row in common can still make a
/// cycle between them. SQLite's only writer needs no lock.
///
/// # Errors
/// Whatever the database answers.
pub async fn lock_forest(transaction: &impl ConnectionTrait) -> Result<(), StoreError> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared("SELECT pg_advisory_xact_lock(7240115039)").await?;
    }
    Ok(())
}

/// Whether `candidate` is `root` or lies below it.
///
/// # Errors
/// Whatever the database answers.
pub async fn is_below(connection: &impl ConnectionTrait, candidate: Uuid, root: Uuid) -> Result<bool, StoreError> {
    let row = branch::Entity::find()
        .select_only()
        .column(branch::Column::Id)
        .filter(branch::Column::Id.eq(candidate))
        .filter(branch::Column::Id.in_subquery(branches_below(branch::Column::Id.eq(root))))
        .into_tuple::<Uuid>()
        .one(connection)
        .await?;
    Ok(row.is_some())
}

/// Why a branch cannot be closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StillInUse {
    /// A branch below it is open.
    OpenChild,
    /// It has loans that have not ended.
    LiveLoans,
}

/// What keeps a branch from being closed, if anything does.
///
/// # Errors
/// Whatever the database answers.
pub async fn still_in_use(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<StillInUse>, StoreError> {
    let open_child = branch::Entity::find()
        .filter(branch::Column::ParentId.eq(id))
        .filter(branch::Column::Status.eq(BranchStatus::Open.as_str()))
        .one(connection)
        .await?;
    if open_child.is_some() {
        return Ok(Some(StillInUse::OpenChild));
    }
    let live_loan = loan::Entity::find()
        .filter(loan::Column::BranchId.eq(id))
        .filter(loan::Column::Status.is_in(loans::LIVE.map(LoanStatus::as_str)))
        .one(connection)
        .await?;
    Ok(live_loan.map(|_| StillInUse::LiveLoans))
}
