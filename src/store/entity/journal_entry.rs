//! `journal_entries`: what was booked, append-only.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "journal_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub branch_id: Uuid,
    pub loan_id: Option<Uuid>,
    pub transaction_id: Option<Uuid>,
    pub kind: String,
    pub booked_on: Date,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: String,
    pub currency: String,
    pub reverses_id: Option<Uuid>,
    pub memo: Option<String>,
    #[sea_orm(has_many)]
    pub lines: HasMany<super::journal_line::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "journal_entries":
    id, branch_id, loan_id, transaction_id, kind, booked_on, recorded_at, recorded_by, currency, reverses_id, memo,
}
