//! `loan_reversals`: what was taken back of a loan's transactions, append-only.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loan_reversals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub transaction_id: Uuid,
    pub loan_id: Uuid,
    pub value_date: Date,
    pub reversed_at: DateTimeUtc,
    pub reversed_by: String,
    pub reason: Option<String>,
    #[sea_orm(belongs_to, from = "transaction_id", to = "id")]
    pub transaction: BelongsTo<super::loan_transaction::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
