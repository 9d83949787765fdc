//! `audit_pending`: events that no chain holds yet.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_pending")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: Uuid,
    pub branch_id: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "audit_pending":
    event_id, branch_id,
}
