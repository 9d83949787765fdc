//! `loan_transactions`: what happened to a loan, append-only.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loan_transactions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub loan_id: Uuid,
    pub sequence: i64,
    pub kind: String,
    pub value_date: Date,
    pub amount_minor: Option<i64>,
    pub event: String,
    pub external_ref: Option<String>,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: String,
    #[sea_orm(belongs_to, from = "loan_id", to = "id")]
    pub loan: BelongsTo<super::loan::Entity>,
    #[sea_orm(has_one)]
    pub reversal: HasOne<super::loan_reversal::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
