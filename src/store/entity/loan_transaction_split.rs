//! `loan_transaction_splits`: what each transaction did, a projection.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loan_transaction_splits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub transaction_id: Uuid,
    pub loan_id: Uuid,
    pub amount_minor: i64,
    pub principal_minor: i64,
    pub interest_minor: i64,
    pub fees_minor: i64,
    pub penalties_minor: i64,
    pub to_credit_minor: i64,
    pub balance_after_minor: i64,
    pub journal_entry_id: Option<Uuid>,
    #[sea_orm(belongs_to, from = "transaction_id", to = "id")]
    pub transaction: BelongsTo<super::loan_transaction::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
