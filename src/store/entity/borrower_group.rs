//! `borrower_groups`: groups whose members answer for each other's loans.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "borrower_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub branch_id: Uuid,
    #[sea_orm(unique)]
    pub number: String,
    pub name: String,
    pub name_folded: String,
    #[sea_orm(unique)]
    pub external_ref: Option<String>,
    pub status: String,
    pub meeting_weekday: Option<String>,
    pub meeting_place: Option<String>,
    pub closed_on: Option<Date>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "branch_id", to = "id")]
    pub branch: BelongsTo<super::branch::Entity>,
    #[sea_orm(has_many)]
    pub members: HasMany<super::group_member::Entity>,
    #[sea_orm(has_many)]
    pub loans: HasMany<super::loan::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "borrower_groups":
    id, branch_id, number, name, name_folded, external_ref, status, meeting_weekday, meeting_place, closed_on,
    version, created_at, updated_at,
}
