//! `group_members`: who was a member of which group, from when to when.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "group_members")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub group_id: Uuid,
    pub branch_id: Uuid,
    pub borrower_id: Uuid,
    pub role: String,
    pub joined_on: Date,
    pub left_on: Option<Date>,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "group_id", to = "id")]
    pub group: BelongsTo<super::borrower_group::Entity>,
    #[sea_orm(belongs_to, from = "borrower_id", to = "id")]
    pub borrower: BelongsTo<super::borrower::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
