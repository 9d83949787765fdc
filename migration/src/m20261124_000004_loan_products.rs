//! Loan products: what may be lent (limits) and what is proposed (default terms). Amounts are minor units of the
//! product's currency, rates parts per million a year.

use sea_orm_migration::prelude::*;

use crate::columns::{id, index, integer, text, timestamp, version};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("loan_products")
                    .col(id())
                    .col(text(manager, "code"))
                    .col(text(manager, "name"))
                    .col(text(manager, "name_folded"))
                    .col(text(manager, "currency"))
                    .col(integer("principal_min_minor"))
                    .col(integer("principal_max_minor"))
                    .col(integer("annual_rate_min_ppm"))
                    .col(integer("annual_rate_max_ppm"))
                    .col(integer("installments_min"))
                    .col(integer("installments_max"))
                    .col(integer("default_annual_rate_ppm"))
                    .col(integer("default_installments"))
                    .col(integer("repayment_every"))
                    .col(text(manager, "repayment_unit"))
                    .col(text(manager, "status"))
                    .col(version())
                    .col(timestamp("created_at"))
                    .col(timestamp("updated_at"))
                    .check(Expr::col("status").is_in(["ACTIVE", "RETIRED"]))
                    .check(Expr::col("repayment_unit").is_in(["DAY", "WEEK", "MONTH"]))
                    .check(Expr::cust("length(currency) = 3"))
                    .check(Expr::cust("principal_min_minor > 0 AND principal_max_minor >= principal_min_minor"))
                    .check(Expr::cust("annual_rate_min_ppm >= 0 AND annual_rate_max_ppm >= annual_rate_min_ppm"))
                    .check(Expr::cust("installments_min > 0 AND installments_max >= installments_min"))
                    .check(Expr::cust("repayment_every > 0"))
                    .to_owned(),
            )
            .await?;
        index(manager, "loan_products", &["code"], true).await?;
        index(manager, "loan_products", &["name_folded", "id"], false).await?;
        index(manager, "loan_products", &["currency", "id"], false).await?;
        index(manager, "loan_products", &["status", "id"], false).await?;
        index(manager, "loan_products", &["created_at", "id"], false).await
    }
}
