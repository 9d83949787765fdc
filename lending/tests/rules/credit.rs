//! Money beyond what is owed: a credit balance, its refund, and the refund whose cover was taken away.

use lending::ledger::Account;
use lending::loan::conditions::{Amortization, InterestRecalculation};
use lending::loan::{Conditions, Event, Standing};

use crate::example::{Example, day, portions};

/// 300.00 without interest, three times 100.00.
fn overpaid() -> Example {
    Example::new(30_000, "0", 3, "2024-01-15", Conditions::default()).pays("2024-02-15", 35_000)
}

#[test]
fn what_is_left_is_the_borrowers() {
    let state = overpaid().on("2024-02-15");
    assert_eq!(state.credit, 5_000);
    assert_eq!(state.effects[1].to_credit, 5_000);
    assert_eq!(state.effects[1].portions, portions(30_000, 0, 0, 0));
    assert_eq!(state.effects[1].entry.net(Account::OverpaymentLiability), -5_000);
    assert_eq!(state.standing, Standing::Repaid { on: day("2024-02-15") });
}

#[test]
fn credit_is_refunded() {
    let state = overpaid().then("2024-02-20", Event::CreditRefund { amount: 5_000 }).on("2024-02-20");
    assert_eq!(state.credit, 0);
    assert_eq!(state.effects[2].to_credit, -5_000);
    assert_eq!(state.effects[2].entry.net(Account::OverpaymentLiability), 5_000);
    assert_eq!(state.effects[2].entry.net(Account::Cash), -5_000);
    assert_eq!(state.standing, Standing::Repaid { on: day("2024-02-15") });
}

#[test]
fn a_refund_that_lost_its_cover_is_owed_again_as_principal() {
    let example =
        overpaid().pays("2024-02-16", 1_000).then("2024-02-20", Event::CreditRefund { amount: 6_000 }).reversing(3);
    let state = example.on("2024-02-20");
    let refund = &state.effects[2];
    assert_eq!((refund.to_credit, refund.portions), (-5_000, portions(1_000, 0, 0, 0)));
    assert_eq!(refund.entry.net(Account::LoansReceivable), 1_000);
    assert_eq!(refund.entry.net(Account::OverpaymentLiability), 5_000);
    assert_eq!(state.outstanding().unwrap(), portions(1_000, 0, 0, 0));
    assert_eq!(state.installments[1].due.principal, 11_000, "in the installment that runs then");
    assert_eq!(state.standing, Standing::Active);
    // Without the first payment, too, all of it is owed again.
    let state = example.reversing(2).on("2024-02-20");
    assert_eq!(state.outstanding().unwrap(), portions(36_000, 0, 0, 0));
    assert_eq!(state.credit, 0);
}

#[test]
fn credit_pays_what_becomes_owed() {
    let state = overpaid().fee("2024-02-20", "2024-02-20", 700).on("2024-02-20");
    assert_eq!(state.credit, 4_300);
    assert_eq!(state.effects[2].to_credit, -700);
    assert_eq!(state.installments[1].paid.fees, 700);
    assert_eq!(state.effects[2].entry.net(Account::FeesReceivable), -700);
    let state = overpaid().fee("2024-02-20", "2024-02-20", 7_000).on("2024-02-20");
    assert_eq!((state.credit, state.outstanding().unwrap().fees), (0, 2_000));
    assert_eq!(state.standing, Standing::Active);
}

#[test]
fn credit_that_pays_part_of_a_tranche_does_not_pay_it_off() {
    // 300.00 repaid with 50.00 too much, then 80.00 lent: 30.00 bear 24 of 29 days of 1 %, and a month.
    let conditions = Conditions {
        recalculation: InterestRecalculation::DailyBalance,
        amortization: Amortization::InterestOnly,
        ..Conditions::default()
    };
    let state = Example::new(30_000, "12", 3, "2024-01-15", conditions)
        .pays("2024-01-15", 35_000)
        .then("2024-02-20", Event::Disbursement { amount: 8_000 })
        .on("2024-02-20");
    assert_eq!(state.credit, 0);
    assert_eq!(state.outstanding().unwrap().total().unwrap(), 3_000 + 25 + 30);
}

#[test]
fn money_pays_interest_that_no_row_shows_before_it_is_credit() {
    // By rules that pay principal in advance before interest; on 23 January one of interest was left that no row showed.
    use lending::loan::LoanTerms;
    use lending::loan::conditions::{AdvanceTo, Allocation, AllocationMode, Component::*, DayCount, DueState};
    let order = [Penalty, Principal, Interest, Fee];
    let mut rules = Allocation::usual_rules();
    let ahead = rules.iter_mut().filter(|rule| rule.state == DueState::InAdvance);
    ahead.zip(order).for_each(|(rule, component)| rule.component = component);
    rules.swap(7, 8);
    let conditions = Conditions {
        day_count: DayCount::ActualActual,
        interest_payment_grace: 2,
        early_closure_fee: 12,
        recalculation: InterestRecalculation::DailyBalance,
        allocation: Allocation {
            mode: AllocationMode::Rules,
            advance_to: AdvanceTo::LastInstallment,
            rules,
            ..Allocation::default()
        },
        ..Conditions::default()
    };
    let change = |terms: &mut LoanTerms| {
        terms.principal = lending::money::Money::new(361, crate::currency("JPY"));
        (terms.every, terms.unit) = (2, lending::loan::PeriodUnit::Week);
        terms.first_due_on = Some(day("2023-11-30"));
    };
    let example = Example::with(361, "27.3135", 6, "2023-10-31", conditions, change)
        .then("2023-11-15", Event::CreditRefund { amount: 44 })
        .pays("2023-11-19", 240)
        .pays("2023-12-18", 31)
        .pays("2024-01-23", 157);
    for on in ["2024-01-23", "2024-02-06", "2024-06-30"] {
        let state = example.on(on);
        assert!(state.outstanding().unwrap().is_zero() && state.credit > 0, "{on}: {:?}", state.outstanding());
        assert_eq!(state.standing, Standing::Repaid { on: day("2024-01-23") });
    }
}
