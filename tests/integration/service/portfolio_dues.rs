//! What is left of installments, summed by the day they fall due on, is what the installments come to: after each kind of
//! write, whoever wrote it. Each trigger is needed, and what the manual says makes the sums anew does.

use std::path::Path;

use branch_loan_api::service::check::Change;
use branch_loan_api::service::close_day::CloseDay;
use branch_loan_api::service::conditions::{ConditionsInput, LateChargeInput};
use branch_loan_api::service::list::{Filter, Scalar, Test};
use branch_loan_api::service::loan_books::What;
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loan_terms::TermsInput;
use branch_loan_api::service::loans::{ApplyForLoan, LoanField};
use branch_loan_api::service::portfolio::{Aged, GroupBy, Report, Sums};
use branch_loan_api::service::verify::FindingKind;
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{ChargeKind, PaymentKind};
use uuid::Uuid;

use super::portfolio_sums::{Lender, over_all_loans};
use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve};
use crate::support::services::{admin, day};

both_engines!(
    dues_follow_each_kind_of_write,
    the_end_of_a_day_takes_what_it_charges_along,
    a_folded_loan_is_left_out_of_the_dues,
    sums_tell_the_age_of_dues_where_they_are_by_what_is_asked_for,
    without_one_of_its_triggers_the_dues_are_wrong,
    a_write_that_leaves_as_much_adds_nothing,
);

/// A loan of 1,200.00 in six installments since 5 September.
pub async fn lent(lender: &mut Lender, branch: usize, conditions: ConditionsInput) -> Uuid {
    let borrower = lender.world.borrower(&lender.branches[branch]).await;
    let input = ApplyForLoan {
        principal: amount("1200.00", "KES"),
        annual_rate: Some("36".to_owned()),
        installments: Some(6),
        applied_on: Some(day("2025-09-01")),
        terms: Some(TermsInput { conditions, ..TermsInput::default() }),
        ..application(&Uuid::now_v7().to_string(), &borrower, &lender.products[0])
    };
    let loan = lender.world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    let decision = Decide { on: Some(day("2025-09-01")), ..approve(loan.id) };
    lender.world.services.decide(&admin(), &decision).await.unwrap();
    lender.record(loan.id, Some(day("2025-09-05")), What::Disburse { amount: None }).await.unwrap();
    lender.loans.push(loan.clone());
    loan.id
}

async fn aged(lender: &Lender, filter: Filter<LoanField>, group: GroupBy) -> Sums<Aged> {
    let report = Report::new(filter, None);
    Sums::clone(&*report.aged(&lender.world.services, &admin(), group).await.unwrap())
}

async fn late(lender: &Lender) -> Sums<Aged> {
    aged(lender, Filter::default(), GroupBy::Nothing).await
}

async fn assert_holds(lender: &Lender, when: &str) -> Sums<Aged> {
    lender.assert_exact(when).await;
    lender.assert_clean(when).await;
    late(lender).await
}

async fn close(lender: &Lender, on: &str) {
    let input = CloseDay { branch: None, on: Some(day(on)), chunk: 100, idempotency_key: None };
    lender.world.services.close_days_by_command(&admin(), &input).await.unwrap();
}

async fn dues_follow_each_kind_of_write(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let none = late(&lender).await;
    assert!(none.is_empty());
    let loan = lent(&mut lender, 0, ConditionsInput::default()).await;
    let lent_out = assert_holds(&lender, "disbursed").await;
    assert_ne!(none, lent_out);
    let other = lent(&mut lender, 2, ConditionsInput::default()).await;
    assert_ne!(assert_holds(&lender, "another one").await, lent_out);
    lender.record(other, None, What::UndoDisbursement { reason: None }).await.unwrap();
    assert_eq!(assert_holds(&lender, "disbursement undone").await, lent_out);
    let pay = |value: &str| What::Pay { amount: amount(value, "KES"), kind: PaymentKind::Repayment };

    let transaction = lender.record(loan, None, pay("100.00")).await.unwrap();
    let paid = assert_holds(&lender, "paid").await;
    assert_ne!(lent_out, paid);
    lender.record(loan, None, What::Reverse { transaction, reason: None }).await.unwrap();
    assert_eq!(assert_holds(&lender, "payment reversed").await, lent_out);

    let fee = What::Charge { amount: amount("50.00", "KES"), kind: ChargeKind::Fee, due_on: None };
    let charge = lender.record(loan, Some(day("2025-12-01")), fee).await.unwrap();
    assert_ne!(assert_holds(&lender, "charged").await, lent_out);
    lender.record(loan, None, What::WaiveCharge { charge, amount: None }).await.unwrap();
    assert_eq!(assert_holds(&lender, "charge waived").await, lent_out);

    let some = Some(amount("10.00", "KES"));
    lender.record(loan, None, What::WaiveInterest { amount: some }).await.unwrap();
    let waived = assert_holds(&lender, "interest waived").await;
    assert_ne!(waived, lent_out);

    close(&lender, "2026-01-14").await;
    let status = Filter::Field(LoanField::Status, Test::Is(Scalar::Text("DEFAULTED".to_owned())));
    assert_eq!(aged(&lender, status, GroupBy::Nothing).await, waived, "it is in default");
    assert_eq!(assert_holds(&lender, "defaulted").await, waived);

    let anew =
        |day| What::Reschedule { from: Some(day), first_due_on: None, annual_rate: None, extra_installments: Some(3) };
    let agreed = lender.record(loan, None, anew(day("2026-01-15"))).await.unwrap();
    assert_holds(&lender, "agreed anew").await;
    lender.world.services.tidy_portfolio().await.unwrap();
    lender.record(loan, None, What::Reverse { transaction: agreed, reason: None }).await.unwrap();
    assert_eq!(assert_holds(&lender, "agreement reversed").await, waived);

    let given_up = lender.record(loan, None, What::WriteOff).await.unwrap();
    assert_eq!(assert_holds(&lender, "written off").await, none);
    lender.record(loan, None, What::Reverse { transaction: given_up, reason: None }).await.unwrap();
    assert_eq!(assert_holds(&lender, "write-off reversed").await, waived);
    lender.record(loan, None, pay("5000.00")).await.unwrap();
    assert_eq!(assert_holds(&lender, "paid off").await, none);
    lender.world.services.tidy_portfolio().await.unwrap();
    assert_eq!(assert_holds(&lender, "tidied").await, none);
}

async fn the_end_of_a_day_takes_what_it_charges_along(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let charge = LateChargeInput { amount: Some(amount("25.00", "KES")), share: None, grace_days: Some(2), cap: None };
    for branch in 0..3 {
        let conditions = ConditionsInput { late_charge: Change::Set(charge.clone()), ..ConditionsInput::default() };
        lent(&mut lender, branch, conditions).await;
    }
    let penalties = |late: &Sums<Aged>| late.values().map(|one| one.overdue().unwrap().penalties).sum::<i64>();
    close(&lender, "2026-01-14").await;
    assert_eq!(penalties(&assert_holds(&lender, "charged for being late").await), 0, "they are not late themselves");
    // What falls due at midnight does so without a write.
    lender.world.services.tidy_portfolio().await.unwrap();
    lender.world.clock.set("2026-02-06T12:00:00Z");
    assert_eq!(penalties(&assert_holds(&lender, "and then it was February").await), 3 * 4 * 2_500);
}

async fn a_folded_loan_is_left_out_of_the_dues(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    for branch in 0..3 {
        lent(&mut lender, branch, ConditionsInput::default()).await;
        let recalculation = Some(InterestRecalculation::DailyBalance);
        lent(&mut lender, branch, ConditionsInput { recalculation, ..ConditionsInput::default() }).await;
        // Some of it rolled up, and some not.
        if branch == 1 {
            lender.world.services.tidy_portfolio().await.unwrap();
        }
    }
    lender.world.clock.set("2026-02-10T12:00:00Z");
    let mut folded = Vec::new();
    for group in GroupBy::ALL {
        folded.push(aged(&lender, Filter::default(), group).await);
        assert_eq!(folded.last(), Some(&aged(&lender, over_all_loans(&Filter::default()), group).await), "{group:?}");
    }
    assert_eq!(lender.refresh().await, 3);
    for (group, folded) in GroupBy::ALL.into_iter().zip(folded) {
        assert_eq!(aged(&lender, Filter::default(), group).await, folded, "{group:?}");
    }
}

/// Installments are read where a status or an officer is asked for, and nowhere else.
async fn sums_tell_the_age_of_dues_where_they_are_by_what_is_asked_for(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    lent(&mut lender, 0, ConditionsInput::default()).await;
    let is = |field, text: &str| Filter::Field(field, Test::Is(Scalar::Text(text.to_owned())));
    let branch = Filter::Field(LoanField::Branch, Test::Is(Scalar::Id(lender.branches[0].id)));
    for (filter, group, expected) in [
        (Filter::default(), GroupBy::Nothing, "dues_totals"),
        (Filter::default(), GroupBy::Product, "dues_totals"),
        (is(LoanField::Currency, "KES"), GroupBy::Nothing, "dues_totals"),
        (Filter::default(), GroupBy::Branch, "dues_sums"),
        (branch, GroupBy::Nothing, "dues_sums"),
        (Filter::default(), GroupBy::Status, "loan_installments"),
        (Filter::default(), GroupBy::Officer, "loan_installments"),
        (is(LoanField::Status, "DEFAULTED"), GroupBy::Nothing, "loan_installments"),
        (is(LoanField::Officer, "admin"), GroupBy::Nothing, "loan_installments"),
    ] {
        lender.world.statements.reset();
        assert!(!aged(&lender, filter.clone(), group).await.is_empty(), "{filter:?} {group:?}");
        let statements = lender.world.statements.take();
        let read = ["dues_totals", "dues_sums", "loan_installments"].map(|table| {
            let is_named = statements.iter().any(|sql| sql.contains(table));
            if is_named { table } else { "" }
        });
        assert_eq!(read.concat(), expected, "{filter:?} {group:?}");
    }
}

/// A trigger, the table it is of, and changes that only it sees, each of which can be made again.
type Trigger = (&'static str, &'static str, Vec<&'static str>);

const FEE: &str = "UPDATE loan_installments SET due_fees_minor = due_fees_minor + 1 WHERE number = 3";
const INSERTED: &str = "INSERT INTO loan_installments (loan_id, number, starts_on, due_on, due_principal_minor,
        due_interest_minor, due_fees_minor, due_penalties_minor, paid_principal_minor, paid_interest_minor,
        paid_fees_minor, paid_penalties_minor, waived_principal_minor, waived_interest_minor, waived_fees_minor,
        waived_penalties_minor, written_off_principal_minor, written_off_interest_minor, written_off_fees_minor,
        written_off_penalties_minor, paid_in_advance_minor, paid_late_minor, principal_balance_after_minor)
    SELECT loan_id, (SELECT max(number) + 1 FROM loan_installments), starts_on, due_on, due_principal_minor,
        due_interest_minor, due_fees_minor, due_penalties_minor, paid_principal_minor, paid_interest_minor,
        paid_fees_minor, paid_penalties_minor, waived_principal_minor, waived_interest_minor, waived_fees_minor,
        waived_penalties_minor, written_off_principal_minor, written_off_interest_minor, written_off_fees_minor,
        written_off_penalties_minor, paid_in_advance_minor, paid_late_minor, principal_balance_after_minor
    FROM loan_installments WHERE number = 3";
const DELETED: &str = "DELETE FROM loan_installments WHERE number = (SELECT max(number) FROM loan_installments)";
const OTHER_PRODUCT: &str =
    "UPDATE loans SET product_id = (SELECT p.id FROM loan_products p WHERE p.id <> loans.product_id)";
const OTHER_TIME_ZONE: &str =
    "UPDATE branches SET time_zone = CASE time_zone WHEN 'UTC' THEN 'Asia/Tokyo' ELSE 'UTC' END";

fn triggers(postgres: bool) -> Vec<Trigger> {
    let mut all: Vec<Trigger> = vec![
        ("loan_installments_dues_inserted", "loan_installments", vec![INSERTED]),
        ("loan_installments_dues_deleted", "loan_installments", vec![DELETED]),
        ("loans_dues_moved", "loans", vec![OTHER_PRODUCT]),
        ("branches_move_dues_totals", "branches", vec![OTHER_TIME_ZONE]),
    ];
    if postgres {
        let moved = "UPDATE loan_installments SET due_on = due_on + 1 WHERE number = 3";
        all.push(("loan_installments_dues_updated", "loan_installments", vec![FEE, moved]));
    } else {
        let moved = "UPDATE loan_installments SET due_on = date(due_on, '+1 day') WHERE number = 3";
        all.push(("loan_installments_dues_changed", "loan_installments", vec![FEE]));
        all.push(("loan_installments_dues_moved", "loan_installments", vec![moved]));
    }
    all
}

/// What the manual says to run.
fn made_anew() -> String {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let (_, after) = manual.split_once("To make them anew").unwrap();
    let (_, code) = after.split_once("```sql\n").unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

/// The sums that are wrong. What a hand did to the installments is found besides.
async fn wrong(lender: &Lender) -> Vec<String> {
    let verification = lender.world.services.verify_books(&admin(), None).await.unwrap();
    let of_sums = verification.findings.into_iter().filter(|found| found.kind == FindingKind::PortfolioSum);
    of_sums.map(|found| found.subject).collect()
}

async fn without_one_of_its_triggers_the_dues_are_wrong(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    lent(&mut lender, 0, ConditionsInput::default()).await;
    lender.world.services.tidy_portfolio().await.unwrap();
    let (postgres, anew) = (lender.world.engine.is_postgres(), made_anew());
    for (trigger, table, changes) in triggers(postgres) {
        for change in &changes {
            lender.sql(change).await;
            assert_eq!(wrong(&lender).await, [""; 0], "{trigger} sees {change}");
        }
        let of_table = if postgres { format!(" ON {table}") } else { String::new() };
        lender.sql(&format!("DROP TRIGGER {trigger}{of_table}")).await;
        for change in &changes {
            lender.sql(change).await;
            let wrong_now = wrong(&lender).await;
            assert!(wrong_now.iter().any(|subject| subject.starts_with("dues_totals ")), "{change}: {wrong_now:?}");
            assert!(wrong_now.iter().all(|subject| subject.starts_with("dues_")), "{change}: {wrong_now:?}");
            lender.sql(&anew).await;
            assert_eq!(wrong(&lender).await, [""; 0], "made anew");
            lender.world.services.tidy_portfolio().await.unwrap();
            assert_eq!(wrong(&lender).await, [""; 0], "made anew and rolled up");
        }
    }
}

async fn a_write_that_leaves_as_much_adds_nothing(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    lent(&mut lender, 0, ConditionsInput::default()).await;
    lender.world.services.tidy_portfolio().await.unwrap();
    let same = "UPDATE loan_installments SET due_on = due_on, due_fees_minor = due_fees_minor,
        paid_late_minor = paid_late_minor + 1";
    lender.sql(same).await;
    assert_eq!(lender.world.services.roll_up_portfolio().await.unwrap(), 0);
    lender.sql(FEE).await;
    assert_eq!(lender.world.services.roll_up_portfolio().await.unwrap(), 1);
}
