//! Memberships: who belongs to which group, from when to when. They are never deleted, only ended; a borrower has at
//! most one that has not ended in each branch, which an index of the database holds them to.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
};
use uuid::Uuid;

use super::entity::{borrower_group, group_member};
use super::error::StoreError;
use super::groups::GroupField;
use super::scope::Scope;

/// What a member does for the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberRole {
    /// Leads it.
    Chair,
    /// Keeps its records.
    Secretary,
    /// Keeps its money.
    Treasurer,
    /// Belongs to it.
    Member,
}

impl MemberRole {
    const ALL: [Self; 4] = [Self::Chair, Self::Secretary, Self::Treasurer, Self::Member];

    /// The name in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chair => "CHAIR",
            Self::Secretary => "SECRETARY",
            Self::Treasurer => "TREASURER",
            Self::Member => "MEMBER",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == name);
        found.ok_or_else(|| StoreError::Corrupt(format!("member role {name:?}")))
    }
}

/// A membership as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// The id.
    pub id: Uuid,
    /// The group.
    pub group_id: Uuid,
    /// The group's branch.
    pub branch_id: Uuid,
    /// The member.
    pub borrower_id: Uuid,
    /// What they do for the group.
    pub role: MemberRole,
    /// The first day.
    pub joined_on: NaiveDate,
    /// The last day; none while they belong to the group.
    pub left_on: Option<NaiveDate>,
    /// When it was written down.
    pub created_at: DateTime<Utc>,
}

impl TryFrom<group_member::Model> for MemberRecord {
    type Error = StoreError;

    fn try_from(row: group_member::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            group_id: row.group_id,
            branch_id: row.branch_id,
            borrower_id: row.borrower_id,
            role: MemberRole::parse(&row.role)?,
            joined_on: row.joined_on,
            left_on: row.left_on,
            created_at: row.created_at,
        })
    }
}

fn within(scope: &Scope) -> Select<group_member::Entity> {
    group_member::Entity::find().inner_join(borrower_group::Entity).filter(scope.condition::<GroupField>())
}

async fn records(
    connection: &impl ConnectionTrait,
    select: Select<group_member::Entity>,
) -> Result<Vec<MemberRecord>, StoreError> {
    let rows = select
        .order_by_asc(group_member::Column::JoinedOn)
        .order_by_asc(group_member::Column::Id)
        .all(connection)
        .await?;
    rows.into_iter().map(MemberRecord::try_from).collect()
}

/// All memberships of these groups, ended ones too, in the order in which they began. No statement is sent for no
/// groups.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_groups(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    groups: &[Uuid],
) -> Result<Vec<MemberRecord>, StoreError> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let select = within(scope).filter(group_member::Column::GroupId.is_in(groups.iter().copied()));
    records(connection, select).await
}

/// The memberships of these borrowers that have not ended, in the order in which they began. No statement is sent for no
/// borrowers.
///
/// # Errors
/// Whatever the database answers.
pub async fn active_of_borrowers(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    borrowers: &[Uuid],
) -> Result<Vec<MemberRecord>, StoreError> {
    if borrowers.is_empty() {
        return Ok(Vec::new());
    }
    let select = within(scope)
        .filter(group_member::Column::BorrowerId.is_in(borrowers.iter().copied()))
        .filter(group_member::Column::LeftOn.is_null());
    records(connection, select).await
}

/// All memberships of a borrower in the groups of a branch, ended ones too, in the order in which they began.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_borrower(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    borrower: Uuid,
    branch: Uuid,
) -> Result<Vec<MemberRecord>, StoreError> {
    let select = within(scope)
        .filter(group_member::Column::BorrowerId.eq(borrower))
        .filter(group_member::Column::BranchId.eq(branch));
    records(connection, select).await
}

/// How many members the group has now.
///
/// # Errors
/// Whatever the database answers.
pub async fn count_active(connection: &impl ConnectionTrait, group: Uuid) -> Result<u64, StoreError> {
    let active = group_member::Entity::find()
        .filter(group_member::Column::GroupId.eq(group))
        .filter(group_member::Column::LeftOn.is_null());
    Ok(active.count(connection).await?)
}

/// Adds a membership.
///
/// # Errors
/// [`StoreError::Duplicate`] when the borrower belongs to a group of the branch already; otherwise whatever the database
/// answers.
pub async fn insert(transaction: &impl ConnectionTrait, record: &MemberRecord) -> Result<(), StoreError> {
    let row = group_member::ActiveModel {
        id: Set(record.id),
        group_id: Set(record.group_id),
        branch_id: Set(record.branch_id),
        borrower_id: Set(record.borrower_id),
        role: Set(record.role.as_str().to_owned()),
        joined_on: Set(record.joined_on),
        left_on: Set(record.left_on),
        created_at: Set(record.created_at),
    };
    group_member::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// Gives a member another role. The group's row must be locked.
///
/// # Errors
/// Whatever the database answers.
pub async fn set_role(transaction: &impl ConnectionTrait, id: Uuid, role: MemberRole) -> Result<(), StoreError> {
    group_member::Entity::update_many()
        .col_expr(group_member::Column::Role, Expr::value(role.as_str()))
        .filter(group_member::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Ends one membership. The group's row must be locked.
///
/// # Errors
/// Whatever the database answers.
pub async fn end(transaction: &impl ConnectionTrait, id: Uuid, left_on: NaiveDate) -> Result<(), StoreError> {
    group_member::Entity::update_many()
        .col_expr(group_member::Column::LeftOn, Expr::value(left_on))
        .filter(group_member::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Ends every membership of a group that has not ended. The group's row must be locked.
///
/// # Errors
/// Whatever the database answers.
pub async fn end_all(transaction: &impl ConnectionTrait, group: Uuid, left_on: NaiveDate) -> Result<(), StoreError> {
    group_member::Entity::update_many()
        .col_expr(group_member::Column::LeftOn, Expr::value(left_on))
        .filter(group_member::Column::GroupId.eq(group))
        .filter(group_member::Column::LeftOn.is_null())
        .exec(transaction)
        .await?;
    Ok(())
}
