//! `loans`: the agreed terms and the lifecycle so far.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loans")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub number: String,
    #[sea_orm(unique)]
    pub external_ref: Option<String>,
    pub branch_id: Uuid,
    pub borrower_id: Uuid,
    pub product_id: Uuid,
    pub group_id: Option<Uuid>,
    pub officer: Option<String>,
    pub currency: String,
    pub principal_minor: i64,
    pub annual_rate_ppm: i64,
    pub installments: i64,
    pub repayment_every: i64,
    pub repayment_unit: String,
    pub first_due_on: Option<Date>,
    pub conditions: String,
    pub status: String,
    pub applied_on: Date,
    pub applied_by: String,
    pub approved_on: Option<Date>,
    pub approved_by: Option<String>,
    pub approved_minor: Option<i64>,
    pub decided_on: Option<Date>,
    pub decided_by: Option<String>,
    pub decision_reason: Option<String>,
    pub disbursed_on: Option<Date>,
    pub disbursed_by: Option<String>,
    pub disbursed_minor: Option<i64>,
    pub defaulted_on: Option<Date>,
    pub closed_on: Option<Date>,
    pub disbursed_total_minor: i64,
    pub outstanding_principal_minor: i64,
    pub outstanding_interest_minor: i64,
    pub outstanding_fees_minor: i64,
    pub outstanding_penalties_minor: i64,
    pub credit_minor: i64,
    pub recovered_minor: i64,
    pub accrued_interest_minor: i64,
    pub accrued_fees_minor: i64,
    pub accrued_penalties_minor: i64,
    pub oldest_unpaid_due_on: Option<Date>,
    pub next_due_on: Option<Date>,
    pub matures_on: Option<Date>,
    pub charged_off_on: Option<Date>,
    pub accrued_through: Option<Date>,
    pub projected_on: Option<Date>,
    pub refreshed_on: Option<Date>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "branch_id", to = "id")]
    pub branch: BelongsTo<super::branch::Entity>,
    #[sea_orm(belongs_to, from = "borrower_id", to = "id")]
    pub borrower: BelongsTo<super::borrower::Entity>,
    #[sea_orm(belongs_to, from = "product_id", to = "id")]
    pub product: BelongsTo<super::loan_product::Entity>,
    #[sea_orm(belongs_to, from = "group_id", to = "id")]
    pub group: BelongsTo<Option<super::borrower_group::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "loans":
    id, number, external_ref, branch_id, borrower_id, product_id, group_id, officer, currency, principal_minor,
    annual_rate_ppm, installments, repayment_every, repayment_unit, first_due_on, conditions, status, applied_on,
    applied_by, approved_on, approved_by, approved_minor, decided_on, decided_by, decision_reason, disbursed_on,
    disbursed_by, disbursed_minor, defaulted_on, closed_on, disbursed_total_minor, outstanding_principal_minor,
    outstanding_interest_minor, outstanding_fees_minor, outstanding_penalties_minor, credit_minor, recovered_minor,
    accrued_interest_minor, accrued_fees_minor, accrued_penalties_minor, oldest_unpaid_due_on, next_due_on,
    matures_on, charged_off_on, accrued_through, projected_on, refreshed_on, version, created_at, updated_at,
}

crate::store::rows::by_place! {
    /// What most lists show of a loan.
    Face of "loans":
    id: Uuid,
    number: String,
    external_ref: Option<String>,
    branch_id: Uuid,
    borrower_id: Uuid,
    product_id: Uuid,
    group_id: Option<Uuid>,
    officer: Option<String>,
    currency: String,
    principal_minor: i64,
    status: String,
    applied_on: Date,
    disbursed_on: Option<Date>,
    version: i64,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
}
