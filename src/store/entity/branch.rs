//! `branches`: a forest of branches.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "branches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub code: String,
    pub name: String,
    pub name_folded: String,
    pub parent_id: Option<Uuid>,
    pub currency: String,
    pub time_zone: String,
    pub status: String,
    pub rest_days: String,
    pub closed_through: Option<Date>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id")]
    pub parent: BelongsTo<Option<Entity>>,
    #[sea_orm(has_many)]
    pub borrowers: HasMany<super::borrower::Entity>,
    #[sea_orm(has_many)]
    pub loans: HasMany<super::loan::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "branches":
    id, code, name, name_folded, parent_id, currency, time_zone, status, rest_days, closed_through, version,
    created_at, updated_at,
}
