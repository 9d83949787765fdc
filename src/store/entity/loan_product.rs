//! `loan_products`: limits and default terms.
#![allow(missing_docs)] // the columns are described by the migration; SeaORM generates the rest

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loan_products")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub code: String,
    pub name: String,
    pub name_folded: String,
    pub currency: String,
    pub principal_min_minor: i64,
    pub principal_max_minor: i64,
    pub annual_rate_min_ppm: i64,
    pub annual_rate_max_ppm: i64,
    pub installments_min: i64,
    pub installments_max: i64,
    pub default_annual_rate_ppm: i64,
    pub default_installments: i64,
    pub repayment_every: i64,
    pub repayment_unit: String,
    pub conditions: String,
    pub status: String,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub loans: HasMany<super::loan::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::store::rows::by_place! {
    "loan_products":
    id, code, name, name_folded, currency, principal_min_minor, principal_max_minor, annual_rate_min_ppm,
    annual_rate_max_ppm, installments_min, installments_max, default_annual_rate_ppm, default_installments,
    repayment_every, repayment_unit, conditions, status, version, created_at, updated_at,
}
