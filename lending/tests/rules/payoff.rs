//! What it takes to be rid of a loan on a day. The example of 100.00 at 7 %, 30/360, over 6 months is a published one.

use lending::loan::conditions::{Allocation, AllocationMode, DayCount, InterestRecalculation, PayoffInterest};
use lending::loan::{ChargeAmount, ChargeTerms, ChargeTiming, Conditions, Event, Portions, Standing};

use crate::example::{Example, day, portions};

fn conditions(mode: AllocationMode, payoff_interest: PayoffInterest) -> Conditions {
    Conditions {
        payoff_interest,
        recalculation: InterestRecalculation::DailyBalance,
        day_count: DayCount::Thirty360,
        allocation: Allocation { mode, ..Allocation::default() },
        ..Conditions::default()
    }
}

fn loan(conditions: Conditions) -> Example {
    Example::new(10_000, "7", 6, "2024-01-01", conditions).pays("2024-02-01", 1_701)
}

#[test]
fn the_published_payoff_is_to_the_day_or_to_the_end_of_the_period() {
    for mode in [AllocationMode::ByInstallment, AllocationMode::DueThenAdvance, AllocationMode::Rules] {
        for (payoff_interest, interest, total) in
            [(PayoffInterest::ToDate, 24, 8_381), (PayoffInterest::ToPeriodEnd, 49, 8_406)]
        {
            let example = loan(conditions(mode, payoff_interest));
            let quote = example.payoff("2024-02-15");
            assert_eq!((quote.principal, quote.interest, quote.total), (8_357, interest, total), "{mode:?}");
            let state = example.pays("2024-02-15", total).on("2024-02-15");
            assert_eq!(state.standing, Standing::Repaid { on: day("2024-02-15") }, "{mode:?} {payoff_interest:?}");
            assert_eq!(state.effects[2].portions, portions(8_357, interest, 0, 0), "{mode:?}");
            assert_eq!(state.credit, 0);
        }
    }
}

#[test]
fn a_cent_less_leaves_a_cent() {
    for mode in [AllocationMode::ByInstallment, AllocationMode::Rules] {
        let state = loan(conditions(mode, PayoffInterest::ToDate)).pays("2024-02-15", 8_380).on("2024-02-15");
        assert_eq!(state.standing, Standing::Active, "{mode:?}");
        assert!(state.outstanding().unwrap().total().unwrap() >= 1);
    }
}

#[test]
fn fixed_interest_is_owed_in_full() {
    let fixed = Conditions {
        recalculation: InterestRecalculation::Fixed,
        ..conditions(AllocationMode::ByInstallment, PayoffInterest::ToDate)
    };
    let quote = loan(fixed).payoff("2024-02-15");
    assert_eq!((quote.principal, quote.interest), (8_357, 49 + 39 + 29 + 20 + 10));
}

#[test]
fn fees_and_penalties_count_when_they_are_due() {
    let example = loan(conditions(AllocationMode::ByInstallment, PayoffInterest::ToDate))
        .fee("2024-02-02", "2024-02-15", 300)
        .fee("2024-02-02", "2024-02-16", 40)
        .penalty("2024-02-02", "2024-02-14", 5);
    let quote = example.payoff("2024-02-15");
    assert_eq!((quote.fees, quote.penalties, quote.total), (300, 5, 8_381 + 305));
}

#[test]
fn closing_early_costs_its_fee_and_closing_at_maturity_does_not() {
    for payoff_interest in [PayoffInterest::ToDate, PayoffInterest::ToPeriodEnd] {
        for mode in [AllocationMode::ByInstallment, AllocationMode::Rules] {
            let conditions = Conditions { early_closure_fee: 150, ..conditions(mode, payoff_interest) };
            let example = loan(conditions);
            let quote = example.payoff("2024-02-15");
            assert_eq!(quote.fees, 150);
            let state = example.clone().pays("2024-02-15", quote.total).on("2024-02-15");
            assert_eq!(state.standing, Standing::Repaid { on: day("2024-02-15") }, "{mode:?} {payoff_interest:?}");
            assert_eq!(state.effects[2].portions.fees, 150);
            assert_eq!((state.charges.len(), state.charges[0].amount, state.credit), (1, 150, 0));
            // A cent less does not close it, and the fee is not made.
            let state = example.clone().pays("2024-02-15", quote.total - 1).on("2024-02-15");
            assert!(state.charges.is_empty(), "{mode:?} {payoff_interest:?}");
            assert_eq!(example.payoff("2024-07-01").fees, 0);
        }
    }
}

#[test]
fn late_principal_is_paid_off_with_its_interest() {
    // Nothing was paid by 15 March: 100.00 for two months, and 14 of the third's 31 days.
    for mode in [AllocationMode::ByInstallment, AllocationMode::Rules] {
        let example = Example::new(10_000, "7", 6, "2024-01-01", conditions(mode, PayoffInterest::ToDate));
        let quote = example.payoff("2024-03-15");
        assert_eq!((quote.principal, quote.interest), (10_000, 58 + 58 + 26), "{mode:?}");
    }
}

#[test]
fn a_repaid_loan_costs_nothing_and_credit_is_negative() {
    let example = loan(conditions(AllocationMode::ByInstallment, PayoffInterest::ToDate)).pays("2024-02-15", 8_381);
    assert_eq!(example.payoff("2024-02-15").total, 0);
    let quote = example.pays("2024-02-16", 500).payoff("2024-02-16");
    assert_eq!((quote.credit, quote.total), (500, -500));
}

/// The published loan with 0.50 on every installment and 1.50 for closing early.
fn with_fees(mode: AllocationMode, recalculation: InterestRecalculation) -> Example {
    let service =
        ChargeTerms { name: "Service".into(), timing: ChargeTiming::PerInstallment, amount: ChargeAmount::Flat(50) };
    let conditions = Conditions {
        charges: vec![service],
        early_closure_fee: 150,
        recalculation,
        ..conditions(mode, PayoffInterest::ToDate)
    };
    Example::new(10_000, "7", 6, "2024-01-01", conditions).pays("2024-02-01", 1_751)
}

#[test]
fn charges_to_come_fall_away_with_the_loan() {
    for mode in AllocationMode::ALL {
        for (recalculation, interest) in
            [(InterestRecalculation::DailyBalance, 24), (InterestRecalculation::Fixed, 49 + 39 + 29 + 20 + 10)]
        {
            let example = with_fees(*mode, recalculation);
            let quote = example.payoff("2024-02-15");
            assert_eq!((quote.principal, quote.interest, quote.fees), (8_357, interest, 150), "{mode:?}");
            let state = example.clone().pays("2024-02-15", quote.total).on("2024-02-15");
            assert_eq!(state.standing, Standing::Repaid { on: day("2024-02-15") }, "{mode:?} {recalculation:?}");
            assert_eq!((state.outstanding().unwrap(), state.credit), (Portions::ZERO, 0));
            assert_eq!(state.installments.iter().map(|row| row.due.fees).sum::<i64>(), 50 + 150);
            // Money for some of them pays some of them, and is no credit.
            let state = example.pays("2024-02-15", quote.total + 30).on("2024-02-15");
            assert_eq!((state.outstanding().unwrap(), state.credit), (Portions::ZERO, 0), "{mode:?}");
            assert_eq!(state.effects[2].portions.fees, 150 + 30);
        }
    }
}

#[test]
fn a_loan_paid_out_again_bears_its_charges_again() {
    let example = with_fees(AllocationMode::ByInstallment, InterestRecalculation::DailyBalance)
        .pays("2024-02-15", 8_531)
        .then("2024-02-20", Event::Disbursement { amount: 5_000 });
    let fees: Vec<i64> = example.on("2024-02-20").installments.iter().map(|row| row.due.fees).collect();
    assert_eq!(fees, [50, 50 + 150, 50, 50, 50, 50]);
}

#[test]
fn a_charge_on_a_repaid_loan_is_quoted_alone_and_stays_owed_until_it_is_paid() {
    for mode in AllocationMode::ALL {
        let example = with_fees(*mode, InterestRecalculation::DailyBalance)
            .pays("2024-02-15", 8_531)
            .fee("2024-02-20", "2024-02-20", 300)
            .fee("2024-02-20", "2024-03-20", 40);
        let quote = example.payoff("2024-02-21");
        assert_eq!((quote.fees, quote.total), (340, 340), "due or not, and no second fee for closing");
        let state = example.clone().pays("2024-02-21", 300).on("2024-02-21");
        assert_eq!(state.outstanding().unwrap().fees, 40, "{mode:?}");
        let state = example.pays("2024-02-21", 340).on("2024-02-21");
        assert_eq!((state.outstanding().unwrap(), state.credit), (Portions::ZERO, 0));
    }
}

#[test]
fn a_fee_paid_ahead_counts_for_what_is_due_first() {
    // 0.20 of the running installment's 0.50 are paid already, and pay 0.20 of the fee for closing.
    for mode in AllocationMode::ALL {
        let example = with_fees(*mode, InterestRecalculation::DailyBalance).pays("2024-02-10", 20);
        let quote = example.payoff("2024-02-10");
        assert_eq!((quote.principal, quote.fees), (8_357, 130), "{mode:?}");
        let state = example.pays("2024-02-10", quote.total).on("2024-02-10");
        assert_eq!((state.outstanding().unwrap(), state.credit), (Portions::ZERO, 0), "{mode:?}");
    }
}
