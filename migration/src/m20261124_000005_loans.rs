//! Loans: the agreed terms and the lifecycle so far. Which of the lifecycle's columns are set follows from the status;
//! the checks at the end hold the two together.

use sea_orm_migration::prelude::*;

use crate::columns::{
    id, index, integer, optional_date, optional_integer, optional_text, reference, text, timestamp, version,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const STATUSES: [&str; 8] =
    ["PENDING", "APPROVED", "REJECTED", "WITHDRAWN", "DISBURSED", "DEFAULTED", "REPAID", "WRITTEN_OFF"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table("loans")
            .col(id())
            .col(text(manager, "number"))
            .col(optional_text(manager, "external_ref"))
            .col(reference("branch_id"))
            .col(reference("borrower_id"))
            .col(reference("product_id"))
            .col(optional_text(manager, "officer"))
            .col(text(manager, "currency"))
            .col(integer("principal_minor"))
            .col(integer("annual_rate_ppm"))
            .col(integer("installments"))
            .col(integer("repayment_every"))
            .col(text(manager, "repayment_unit"))
            .col(text(manager, "status"))
            .col(ColumnDef::new("applied_on").date().not_null())
            .col(text(manager, "applied_by"))
            .col(optional_date("approved_on"))
            .col(optional_text(manager, "approved_by"))
            .col(optional_integer("approved_minor"))
            .col(optional_date("decided_on"))
            .col(optional_text(manager, "decided_by"))
            .col(optional_text(manager, "decision_reason"))
            .col(optional_date("disbursed_on"))
            .col(optional_text(manager, "disbursed_by"))
            .col(optional_integer("disbursed_minor"))
            .col(optional_date("defaulted_on"))
            .col(optional_date("closed_on"))
            .col(version())
            .col(timestamp("created_at"))
            .col(timestamp("updated_at"));
        for (column, target) in
            [("branch_id", "branches"), ("borrower_id", "borrowers"), ("product_id", "loan_products")]
        {
            table.foreign_key(
                ForeignKey::create().name(format!("fk_loans_{column}")).from("loans", column).to(target, "id"),
            );
        }
        for check in [
            "length(currency) = 3",
            "principal_minor > 0",
            "annual_rate_ppm >= 0",
            "installments > 0",
            "repayment_every > 0",
            "approved_minor IS NULL OR (approved_minor > 0 AND approved_minor <= principal_minor)",
            "disbursed_minor IS NULL OR (disbursed_minor > 0 AND disbursed_minor <= approved_minor)",
            "status NOT IN ('APPROVED', 'DISBURSED', 'DEFAULTED', 'REPAID', 'WRITTEN_OFF') OR approved_on IS NOT NULL",
            "status NOT IN ('DISBURSED', 'DEFAULTED', 'REPAID', 'WRITTEN_OFF') OR disbursed_on IS NOT NULL",
            "status NOT IN ('REJECTED', 'WITHDRAWN') OR decided_on IS NOT NULL",
            "status NOT IN ('REPAID', 'WRITTEN_OFF') OR closed_on IS NOT NULL",
        ] {
            table.check(Expr::cust(check));
        }
        table
            .check(Expr::col("status").is_in(STATUSES))
            .check(Expr::col("repayment_unit").is_in(["DAY", "WEEK", "MONTH"]));
        manager.create_table(table.take()).await?;

        index(manager, "loans", &["number"], true).await?;
        index(manager, "loans", &["external_ref"], true).await?;
        for columns in [
            &["branch_id", "created_at", "id"][..],
            &["borrower_id", "id"],
            &["product_id", "id"],
            &["officer", "id"],
            &["status", "created_at", "id"],
            &["currency", "status", "principal_minor"],
            &["created_at", "id"],
            &["applied_on", "id"],
            &["disbursed_on", "id"],
            &["principal_minor", "id"],
        ] {
            index(manager, "loans", columns, false).await?;
        }
        Ok(())
    }
}
