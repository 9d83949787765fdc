//! Schema changes of a database that is in use: what a later change works out from the rows that are there is what it
//! would have been told of one by one.

use branch_loan_api::service::portfolio::{GroupBy, Report};
use sea_orm::ConnectionTrait;

use crate::service::portfolio_sums::Lender;
use crate::support::engines::Engine;
use crate::support::fill::fill;
use crate::support::random::Dice;
use crate::support::services::{World, admin};

both_engines!(
    sums_of_the_portfolio_begin_with_the_loans_that_are_there,
    dues_begin_with_the_installments_that_are_there,
);

/// Takes back the change that brought the sums.
fn undone(postgres: bool) -> Vec<String> {
    let mut undone = Vec::new();
    for family in ["portfolio", "arrears"] {
        let triggers: &[&str] =
            if postgres { &["inserted", "updated", "deleted"] } else { &["inserted", "deleted", "changed", "moved"] };
        for trigger in triggers {
            let on = if postgres { " ON loans" } else { "" };
            undone.push(format!("DROP TRIGGER loans_{family}_{trigger}{on}"));
        }
        if postgres {
            undone.push(format!("DROP FUNCTION note_{family}_change"));
        }
    }
    undone.push(format!("DROP TRIGGER branches_move_totals{}", if postgres { " ON branches" } else { "" }));
    if postgres {
        undone.push("DROP FUNCTION move_totals".to_owned());
    }
    for family in ["portfolio", "arrears"] {
        undone.extend(["changes", "sums", "totals"].map(|table| format!("DROP TABLE {family}_{table}")));
    }
    for sql in [
        "DROP INDEX ix_loans_refreshed_while_late",
        "DROP INDEX ix_loans_late_since_refreshed",
        "DROP INDEX ix_loans_branch_refreshed_while_late",
        "DROP INDEX ix_loans_branch_late_since_refreshed",
        "DROP INDEX ix_loans_officer_created_at_id",
        "DROP INDEX ix_loans_product_id_created_at_id",
        "CREATE INDEX ix_loans_officer_id ON loans (officer, id)",
        "CREATE INDEX ix_loans_product_id_id ON loans (product_id, id)",
        "DROP INDEX ix_loans_status_oldest_unpaid_or_never_id",
        "CREATE INDEX ix_loans_status_oldest_unpaid_due_on ON loans (status, oldest_unpaid_due_on)",
        "ALTER TABLE loans DROP COLUMN refreshed_on",
        "DELETE FROM seaql_migrations WHERE version = 'm20261129_000050_portfolio_changes'",
        "DELETE FROM seaql_migrations WHERE version = 'm20261129_000080_stale_by_branch'",
    ] {
        undone.push(sql.to_owned());
    }
    undone
}

async fn sums_of_the_portfolio_begin_with_the_loans_that_are_there(engine: Engine) {
    let database = engine.connect().await;
    fill(&database, &mut Dice::new(), 500).await;
    let raw = engine.raw().await;
    for sql in undone(engine.is_postgres()) {
        raw.execute_unprepared(&sql).await.unwrap();
    }
    raw.close().await.unwrap();
    let pending = database.pending_migrations().await.unwrap();
    assert_eq!(pending, ["m20261129_000050_portfolio_changes", "m20261129_000080_stale_by_branch"]);
    database.migrate().await.unwrap();
    let world = World::new(engine).await;
    let counted = Report::new(Default::default(), None);
    let counted = counted.counted(&world.services, &admin(), GroupBy::Nothing).await.unwrap();
    assert_eq!(counted.values().map(|one| one.count).sum::<i64>(), 500);
    let verification = world.services.verify_books(&admin(), None).await.unwrap();
    assert!(verification.is_clean(), "{:#?}", verification.findings);
}

/// Takes back the change that brought the dues.
fn undone_dues(postgres: bool) -> Vec<String> {
    let on_installments: &[&str] =
        if postgres { &["inserted", "updated", "deleted"] } else { &["inserted", "deleted", "changed", "moved"] };
    let installments =
        on_installments.iter().map(|name| (format!("loan_installments_dues_{name}"), "loan_installments"));
    let others =
        [("loans_dues_moved".to_owned(), "loans"), ("branches_move_dues_totals".to_owned(), "branches")].into_iter();
    let triggers = installments.chain(others).map(|(trigger, table)| match postgres {
        true => format!("DROP TRIGGER {trigger} ON {table}"),
        false => format!("DROP TRIGGER {trigger}"),
    });
    let functions = ["note_dues_change", "move_dues", "move_dues_totals"].into_iter().filter(|_| postgres);
    let functions = functions.map(|function| format!("DROP FUNCTION {function}"));
    let tables = ["changes", "sums", "totals"].map(|table| format!("DROP TABLE dues_{table}"));
    let applied = "DELETE FROM seaql_migrations WHERE version = 'm20261129_000070_dues'".to_owned();
    triggers.chain(functions).chain(tables).chain([applied]).collect()
}

async fn dues_begin_with_the_installments_that_are_there(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    lender.lend(&mut Dice::new(), 12).await;
    for sql in undone_dues(lender.world.engine.is_postgres()) {
        lender.sql(&sql).await;
    }
    assert_eq!(lender.world.database.pending_migrations().await.unwrap(), ["m20261129_000070_dues"]);
    lender.world.database.migrate().await.unwrap();
    let aged = Report::new(Default::default(), None);
    let aged = aged.aged(&lender.world.services, &admin(), GroupBy::Nothing).await.unwrap();
    assert!(aged.values().any(|one| !one.overdue().unwrap().is_zero()), "{aged:?}");
    lender.assert_exact("filled").await;
    lender.assert_clean("filled").await;
}
