//! What is left of installments by the day they fall due on, kept like the other sums of the portfolio: triggers append what
//! a write adds as rows of their own, which are rolled up into sums by branch and totals by time zone. Days to come are
//! among them, because what falls due at midnight does so without a write. The loan's status is not: it can change in one
//! statement with the installments, and a trigger could not tell under which one they were counted before. Nor can it for
//! the branch, the product and the currency, which no use case changes; a hand that does takes the installments along, in a
//! statement of its own.

mod postgres;
mod sqlite;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{counting, date, integer, reference, text};
use crate::m20261129_000050_portfolio_changes::keep_small;

#[derive(DeriveMigrationName)]
pub struct Migration;

const PORTIONS: [&str; 4] = ["principal", "interest", "fees", "penalties"];

/// What is summed: first how many installments there are with something left, and then what that is.
const FIGURES: [&str; 5] = [
    "installments",
    "outstanding_principal_minor",
    "outstanding_interest_minor",
    "outstanding_fees_minor",
    "outstanding_penalties_minor",
];

const COLUMNS: &str = "branch_id, due_on, product_id, currency, installments, outstanding_principal_minor, \
                       outstanding_interest_minor, outstanding_fees_minor, outstanding_penalties_minor";

const OTHER_KEYS: &str = "due_on, product_id, currency";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables(manager).await?;
        let triggers = match manager.get_database_backend() {
            DbBackend::Postgres => {
                // Keeps writers out until all of this is committed, so that what is summed is all. In the order in which
                // they come to these tables, or each could wait for the other.
                let locks = "LOCK TABLE branches, loans, loan_installments IN SHARE ROW EXCLUSIVE MODE";
                manager.get_connection().execute_unprepared(locks).await?;
                postgres::triggers()
            }
            _ => sqlite::triggers(),
        };
        for sql in triggers.into_iter().chain(fill()) {
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}

async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (name, place) in [
        ("dues_changes", reference("branch_id")),
        ("dues_sums", reference("branch_id")),
        ("dues_totals", text(manager, "time_zone")),
    ] {
        let mut table = Table::create();
        table.table(name);
        if name == "dues_changes" {
            table.col(counting(manager));
        }
        table.col(place).col(date("due_on")).col(reference("product_id")).col(text(manager, "currency"));
        for figure in FIGURES {
            table.col(integer(figure));
        }
        manager.create_table(table).await?;
    }
    let connection = manager.get_connection();
    // Days before products: a report reads those of a branch or of a time zone until a day.
    for sql in [
        format!("CREATE UNIQUE INDEX uq_dues_sums ON dues_sums (branch_id, {OTHER_KEYS})"),
        format!("CREATE UNIQUE INDEX uq_dues_totals ON dues_totals (time_zone, {OTHER_KEYS})"),
    ] {
        connection.execute_unprepared(&sql).await?;
    }
    if manager.get_database_backend() == DbBackend::Postgres {
        keep_small(connection, "dues").await?;
    }
    Ok(())
}

/// The columns of a row of installments that tell what is left of it, and when.
fn stored() -> Vec<String> {
    let parts = ["due", "paid", "waived", "written_off"];
    let amounts = PORTIONS.iter().flat_map(|portion| parts.map(|part| format!("{part}_{portion}_minor")));
    ["loan_id".to_owned(), "due_on".to_owned()].into_iter().chain(amounts).collect()
}

/// What is left of an installment, portion by portion: nothing of any when nothing is left in all.
fn left(row: &str) -> [String; 4] {
    PORTIONS.map(|portion| {
        let part = |name: &str| format!("{row}.{name}_{portion}_minor");
        format!("({} - {} - {} - {})", part("due"), part("paid"), part("waived"), part("written_off"))
    })
}

/// The figures of an installment with something left: `sign` is an empty string or a minus.
fn figures(row: &str, sign: &str) -> String {
    format!("{sign}1, {}", left(row).map(|left| format!("{sign}{left}")).join(", "))
}

/// The installments of a loan that comes under other keys, out of the old ones and into the new ones.
fn append_moved() -> [String; 2] {
    [("OLD", "-"), ("NEW", "")].map(|(loan, sign)| {
        format!(
            "INSERT INTO dues_changes ({COLUMNS})
             SELECT {loan}.branch_id, i.due_on, {loan}.product_id, {loan}.currency, {figures}
             FROM loan_installments i WHERE i.loan_id = {loan}.id AND i.left_minor > 0",
            figures = figures("i", sign)
        )
    })
}

/// Adds rows to the totals.
fn add_to_totals(rows: &str) -> String {
    let columns = FIGURES.join(", ");
    let added = FIGURES.map(|figure| format!("{figure} = dues_totals.{figure} + excluded.{figure}")).join(", ");
    format!(
        "INSERT INTO dues_totals (time_zone, {OTHER_KEYS}, {columns}) {rows}
         ON CONFLICT (time_zone, {OTHER_KEYS}) DO UPDATE SET {added}"
    )
}

/// A branch that moves to another time zone takes its part of the totals along.
fn move_totals() -> String {
    let part = |branch: &str, sign: &str| {
        let figures = FIGURES.map(|figure| format!("{sign}{figure}")).join(", ");
        format!("SELECT {branch}.time_zone, {OTHER_KEYS}, {figures} FROM dues_sums WHERE branch_id = NEW.id")
    };
    // What follows a condition cannot be taken for one of a join.
    let both = format!("SELECT * FROM ({} UNION ALL {}) AS moved WHERE 1 = 1", part("OLD", "-"), part("NEW", ""));
    add_to_totals(&both)
}

/// The sums and totals of the installments that are there.
fn fill() -> [String; 2] {
    let left = left("i").map(|left| format!("CAST(SUM({left}) AS bigint)")).join(", ");
    let sums = format!(
        "INSERT INTO dues_sums ({COLUMNS})
         SELECT l.branch_id, i.due_on, l.product_id, l.currency, COUNT(*), {left}
         FROM loan_installments i JOIN loans l ON l.id = i.loan_id WHERE i.left_minor > 0
         GROUP BY l.branch_id, i.due_on, l.product_id, l.currency"
    );
    let figures = FIGURES.map(|figure| format!("CAST(SUM(s.{figure}) AS bigint)")).join(", ");
    let totals = format!(
        "SELECT b.time_zone, s.due_on, s.product_id, s.currency, {figures}
         FROM dues_sums s JOIN branches b ON b.id = s.branch_id WHERE 1 = 1
         GROUP BY b.time_zone, s.due_on, s.product_id, s.currency"
    );
    [sums, add_to_totals(&totals)]
}
