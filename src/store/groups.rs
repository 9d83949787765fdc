//! Groups whose members answer for each other's loans. Who is a member is in [`super::group_members`]; a group's row is
//! also the lock under which its members and its loans change.

use chrono::{DateTime, NaiveDate, Utc, Weekday};
use lending::loan::LoanStatus;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use uuid::Uuid;

use super::entity::{borrower_group, loan};
use super::error::StoreError;
use super::filter::{Field, LikePattern, storable};
use super::find::{self, Lock};
use super::loans;
use super::scope::Scope;

/// Whether a group does business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStatus {
    /// It takes members and loans.
    Active,
    /// It has come to an end.
    Closed,
}

impl GroupStatus {
    /// The name in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Closed => "CLOSED",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        match name {
            "ACTIVE" => Ok(Self::Active),
            "CLOSED" => Ok(Self::Closed),
            other => Err(StoreError::Corrupt(format!("group status {other:?}"))),
        }
    }
}

/// The name of a day of the week in the database and in the API.
#[must_use]
pub const fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "MONDAY",
        Weekday::Tue => "TUESDAY",
        Weekday::Wed => "WEDNESDAY",
        Weekday::Thu => "THURSDAY",
        Weekday::Fri => "FRIDAY",
        Weekday::Sat => "SATURDAY",
        Weekday::Sun => "SUNDAY",
    }
}

fn weekday(name: &str) -> Result<Weekday, StoreError> {
    let all = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    let found = all.into_iter().find(|weekday| weekday_name(*weekday) == name);
    found.ok_or_else(|| StoreError::Corrupt(format!("weekday {name:?}")))
}

/// A group as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// The id.
    pub id: Uuid,
    /// The branch that looks after it.
    pub branch_id: Uuid,
    /// The number people read out.
    pub number: String,
    /// The name.
    pub name: String,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// Whether it does business.
    pub status: GroupStatus,
    /// The day of the week it meets on.
    pub meeting_weekday: Option<Weekday>,
    /// Where it meets: the center.
    pub meeting_place: Option<String>,
    /// The day it was closed.
    pub closed_on: Option<NaiveDate>,
    /// Grows with every change, of the members too.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<borrower_group::Model> for GroupRecord {
    type Error = StoreError;

    fn try_from(row: borrower_group::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            branch_id: row.branch_id,
            number: row.number,
            name: row.name,
            external_ref: row.external_ref,
            status: GroupStatus::parse(&row.status)?,
            meeting_weekday: row.meeting_weekday.as_deref().map(weekday).transpose()?,
            meeting_place: row.meeting_place,
            closed_on: row.closed_on,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<&GroupRecord> for borrower_group::ActiveModel {
    fn from(record: &GroupRecord) -> Self {
        Self {
            id: Set(record.id),
            branch_id: Set(record.branch_id),
            number: Set(record.number.clone()),
            name: Set(record.name.clone()),
            name_folded: Set(record.name.to_lowercase()),
            external_ref: Set(record.external_ref.clone()),
            status: Set(record.status.as_str().to_owned()),
            meeting_weekday: Set(record.meeting_weekday.map(|weekday| weekday_name(weekday).to_owned())),
            meeting_place: Set(record.meeting_place.clone()),
            closed_on: Set(record.closed_on),
            version: Set(record.version),
            created_at: Set(record.created_at),
            updated_at: Set(record.updated_at),
        }
    }
}

/// What groups can be filtered and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum GroupField {
    /// The branch.
    Branch,
    /// The number.
    Number,
    /// The name, ignoring case.
    Name,
    /// The id in another system.
    ExternalRef,
    /// The status.
    Status,
    /// The day of the week it meets on.
    MeetingWeekday,
    /// When it was created.
    CreatedAt,
}

impl Field for GroupField {
    type Entity = borrower_group::Entity;

    const LIST: &'static str = "groups";

    fn column(self) -> borrower_group::Column {
        match self {
            Self::Branch => borrower_group::Column::BranchId,
            Self::Number => borrower_group::Column::Number,
            Self::Name => borrower_group::Column::NameFolded,
            Self::ExternalRef => borrower_group::Column::ExternalRef,
            Self::Status => borrower_group::Column::Status,
            Self::MeetingWeekday => borrower_group::Column::MeetingWeekday,
            Self::CreatedAt => borrower_group::Column::CreatedAt,
        }
    }

    fn nullable(self) -> bool {
        matches!(self, Self::ExternalRef | Self::MeetingWeekday)
    }

    fn search(pattern: &LikePattern) -> Condition {
        Condition::any()
            .add(pattern.in_folded(borrower_group::Column::NameFolded))
            .add(pattern.in_code(borrower_group::Column::Number))
            .add(pattern.in_optional_code(borrower_group::Column::ExternalRef))
    }

    fn branch_column() -> Option<borrower_group::Column> {
        Some(borrower_group::Column::BranchId)
    }

    fn id_column() -> borrower_group::Column {
        borrower_group::Column::Id
    }
}

/// How a single group is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKey {
    /// By id.
    Id(Uuid),
    /// By number.
    Number(String),
    /// By the id in another system.
    ExternalRef(String),
}

/// The group, if it exists for this scope.
///
/// # Errors
/// Whatever the database answers.
pub async fn find(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    key: &GroupKey,
    lock: Lock,
) -> Result<Option<GroupRecord>, StoreError> {
    let condition = match key {
        GroupKey::Id(id) => borrower_group::Column::Id.eq(*id),
        GroupKey::Number(number) => borrower_group::Column::Number.eq(storable(number)?),
        GroupKey::ExternalRef(reference) => borrower_group::Column::ExternalRef.eq(storable(reference)?),
    };
    find::one::<GroupField, _>(connection, scope, Condition::all().add(condition), lock).await
}

/// Adds a group.
///
/// # Errors
/// [`StoreError::Duplicate`] when the external reference is taken; otherwise whatever the database answers.
pub async fn insert(transaction: &impl ConnectionTrait, record: &GroupRecord) -> Result<(), StoreError> {
    let row = borrower_group::ActiveModel::from(record);
    borrower_group::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// Writes a changed group whose row must still be of the version before the record's.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it is not; [`StoreError::Duplicate`] when the external reference is taken;
/// otherwise whatever the database answers.
pub async fn update(transaction: &impl ConnectionTrait, record: &GroupRecord) -> Result<(), StoreError> {
    let row = borrower_group::ActiveModel::from(record);
    find::change_one(transaction, row, borrower_group::Column::Id, borrower_group::Column::Version).await
}

/// Whether the group, or one borrower in it, has a loan that has not ended.
///
/// # Errors
/// Whatever the database answers.
pub async fn has_live_loan(
    connection: &impl ConnectionTrait,
    group: Uuid,
    borrower: Option<Uuid>,
) -> Result<bool, StoreError> {
    let mut select = loan::Entity::find()
        .filter(loan::Column::GroupId.eq(group))
        .filter(loan::Column::Status.is_in(loans::LIVE.map(LoanStatus::as_str)));
    if let Some(borrower) = borrower {
        select = select.filter(loan::Column::BorrowerId.eq(borrower));
    }
    Ok(select.one(connection).await?.is_some())
}
