//! What was recorded stands when a branch's business date goes back, because a clock or the branch's time zone was set
//! back: balances, reports and the books keep it, what comes next is added to it, and the days close with it.

use branch_loan_api::service::branches::UpdateBranch;
use branch_loan_api::service::close_day::CloseDay;
use branch_loan_api::service::conditions::ConditionsInput;
use branch_loan_api::service::loan_books::What;
use branch_loan_api::service::loans::LoanKey;
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{LoanState, PaymentKind};
use uuid::Uuid;

use super::portfolio_dues::lent;
use super::portfolio_sums::Lender;
use crate::support::engines::Engine;
use crate::support::inputs::{amount, branch_change};
use crate::support::services::{admin, auditor_of, day};

both_engines!(a_clock_that_is_set_back_takes_nothing_back, a_branch_that_moves_west_takes_nothing_back);

/// The branch where it is the 16th already when the clock says 18:00 of the 15th in UTC.
const EAST: usize = 2;

fn pay(units: &str) -> What {
    What::Pay { amount: amount(units, "KES"), kind: PaymentKind::Repayment }
}

async fn seen(lender: &Lender, loan: Uuid) -> LoanState {
    lender.world.services.loan_view(&auditor_of("HCM"), &LoanKey::Id(loan), None, None).await.unwrap().unwrap().state
}

/// Each loan says that so much was paid, and all books hold.
async fn assert_paid(lender: &Lender, loans: &[Uuid], minor: i64, when: &str) {
    for loan in loans {
        let paid: i64 = seen(lender, *loan).await.effects.iter().skip(1).map(|one| one.amount).sum();
        assert_eq!(paid, minor, "{when}: {loan}");
    }
    lender.assert_clean(when).await;
    lender.assert_exact(when).await;
}

async fn nothing_is_taken_back(engine: Engine, set_back: impl AsyncFn(&Lender)) {
    let mut lender = Lender::open(engine).await;
    lender.world.clock.set("2026-01-15T18:00:00Z");
    let following =
        ConditionsInput { recalculation: Some(InterestRecalculation::DailyBalance), ..ConditionsInput::default() };
    let mut loans = Vec::new();
    for conditions in [ConditionsInput::default(), following] {
        loans.push(lent(&mut lender, EAST, conditions).await);
    }
    for loan in &loans {
        lender.record(*loan, None, pay("300.00")).await.unwrap();
    }
    assert_paid(&lender, &loans, 30_000, "on the 16th").await;

    set_back(&lender).await;
    assert_paid(&lender, &loans, 30_000, "on the 15th").await;
    assert_eq!(lender.refresh().await, 0, "the books are of the 16th");
    assert_paid(&lender, &loans, 30_000, "refreshed").await;
    for loan in &loans {
        lender.record(*loan, None, pay("20.00")).await.unwrap();
        lender.record(*loan, Some(day("2026-01-15")), pay("5.00")).await.unwrap();
    }
    assert_paid(&lender, &loans, 32_500, "paid on the 15th").await;
    let ahead = lender.record(loans[0], Some(day("2026-01-17")), pay("1.00")).await;
    assert!(ahead.is_err(), "the 17th has come nowhere");

    for on in ["2026-01-15", "2026-01-16", "2026-01-17"] {
        let input = CloseDay { branch: None, on: Some(day(on)), chunk: 100, idempotency_key: None };
        lender.world.clock.set(&format!("{on}T20:00:00Z"));
        lender.world.services.close_days(&admin(), &input).await.unwrap();
        assert_paid(&lender, &loans, 32_500, &format!("{on} is closed")).await;
    }
    lender.refresh().await;
    assert_paid(&lender, &loans, 32_500, "at the end").await;
}

async fn a_clock_that_is_set_back_takes_nothing_back(engine: Engine) {
    nothing_is_taken_back(engine, async |lender: &Lender| lender.world.clock.set("2026-01-15T16:59:59Z")).await;
}

async fn a_branch_that_moves_west_takes_nothing_back(engine: Engine) {
    nothing_is_taken_back(engine, async |lender: &Lender| {
        let zone = Some("America/Lima".to_owned());
        let input = UpdateBranch { time_zone: zone, ..branch_change(lender.branches[EAST].id) };
        lender.world.services.update_branch(&admin(), &input).await.unwrap();
    })
    .await;
}
