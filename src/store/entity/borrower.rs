//! `borrowers`: the people who borrow, each with one branch.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "borrowers")]
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
    pub phone_sealed: Option<Vec<u8>>,
    pub phone_hash: Option<Vec<u8>>,
    pub national_id_sealed: Option<Vec<u8>>,
    pub national_id_hash: Option<Vec<u8>>,
    pub key_id: Option<String>,
    pub date_of_birth: Option<Date>,
    pub erased_at: Option<DateTimeUtc>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "branch_id", to = "id")]
    pub branch: BelongsTo<super::branch::Entity>,
    #[sea_orm(has_many)]
    pub loans: HasMany<super::loan::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "borrowers":
    id, branch_id, number, name, name_folded, external_ref, phone_sealed, phone_hash, national_id_sealed,
    national_id_hash, key_id, date_of_birth, erased_at, version, created_at, updated_at,
}
