//! What instruments ask of the books: days that wait to be closed, ledgers out of balance, and what was counted.

use branch_loan_api::clock::Clock;
use branch_loan_api::service::oversight::DaysToClose;

use super::desk::Desk;
use crate::support::engines::Engine;

both_engines!(a_branch_is_behind_once_a_day_is_over_and_not_closed, a_ledger_out_of_balance_is_counted,);

async fn a_branch_is_behind_once_a_day_is_over_and_not_closed(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let services = &desk.world.services;
    desk.at("2025-06-25");
    assert_eq!(services.days_to_close().await.unwrap(), DaysToClose::default(), "it has not begun");
    assert_eq!(services.tally().last_run(), None);
    let closed = desk.close("2025-06-25", 100).await;
    let run = services.tally().last_run().unwrap();
    assert_eq!((run.loans, run.ended_at), (closed.work.loans, desk.world.clock.now()));
    assert!(run.loans > 0);
    assert_eq!(services.days_to_close().await.unwrap(), DaysToClose::default());
    desk.at("2025-06-26");
    assert_eq!(services.days_to_close().await.unwrap(), DaysToClose::default(), "the day is not over");
    desk.at("2025-06-29");
    assert_eq!(services.days_to_close().await.unwrap(), DaysToClose { branches: 1, most_days: 3 });
    desk.close("2025-06-28", 100).await;
    assert_eq!(services.days_to_close().await.unwrap(), DaysToClose::default());
}

async fn a_ledger_out_of_balance_is_counted(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    assert_eq!(desk.world.services.count_unbalanced().await.unwrap(), 0);
    let unlock = match desk.world.engine.is_postgres() {
        true => "DROP TRIGGER journal_lines_append_only ON journal_lines",
        false => "DROP TRIGGER journal_lines_no_update",
    };
    desk.sql(&[unlock, "UPDATE journal_lines SET debit_minor = debit_minor + 1 WHERE debit_minor > 0"]).await;
    assert_eq!(desk.world.services.count_unbalanced().await.unwrap(), 1);
}
