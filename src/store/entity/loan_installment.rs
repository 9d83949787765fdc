//! `loan_installments`: the rows of a loan's schedule, a projection.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loan_installments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub loan_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub starts_on: Date,
    pub due_on: Date,
    pub due_principal_minor: i64,
    pub due_interest_minor: i64,
    pub due_fees_minor: i64,
    pub due_penalties_minor: i64,
    pub paid_principal_minor: i64,
    pub paid_interest_minor: i64,
    pub paid_fees_minor: i64,
    pub paid_penalties_minor: i64,
    pub waived_principal_minor: i64,
    pub waived_interest_minor: i64,
    pub waived_fees_minor: i64,
    pub waived_penalties_minor: i64,
    pub written_off_principal_minor: i64,
    pub written_off_interest_minor: i64,
    pub written_off_fees_minor: i64,
    pub written_off_penalties_minor: i64,
    pub paid_in_advance_minor: i64,
    pub paid_late_minor: i64,
    pub principal_balance_after_minor: i64,
    pub settled_on: Option<Date>,
    /// Computed by the engine; never set from here.
    pub left_minor: i64,
    #[sea_orm(belongs_to, from = "loan_id", to = "id")]
    pub loan: BelongsTo<super::loan::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
