//! `audit_events`: what was changed, refused and looked at, append-only.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub branch_id: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
    pub subject: String,
    pub roles: String,
    pub request_id: Option<String>,
    pub operation: String,
    pub outcome: String,
    pub codes: String,
    pub object_kind: Option<String>,
    pub object_id: Option<Uuid>,
    pub details: String,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "audit_events":
    id, branch_id, recorded_at, subject, roles, request_id, operation, outcome, codes, object_kind, object_id,
    details,
}
