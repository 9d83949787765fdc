//! The longest loan there is, with as much of a history as any loan has. That this test ends is what it is for: in none
//! of the ways interest can follow payments do the rows chase each other.

use chrono::Days;
use lending::calendar::Calendar;
use lending::disclosure::{CashFlow, Direction, DisclosureError, DisclosureRule, Timing, disclose};
use lending::loan::conditions::{Allocation, AllocationMode, InterestRecalculation};
use lending::loan::{Conditions, Event, FoldError, Loan, LoanTerms, PaymentKind, PeriodUnit};
use lending::money::Money;
use lending::rate::Rate;
use proptest::prelude::*;

use crate::currency;
use crate::example::{Example, day};
use crate::random::{any_conditions, any_of, nominal_days, start};

fn long_loan(recalculation: InterestRecalculation, mode: AllocationMode) -> Example {
    let allocation = Allocation { mode, ..Allocation::default() };
    let conditions = Conditions { recalculation, allocation, smooth_last: true, ..Conditions::default() };
    let change = |terms: &mut LoanTerms| terms.unit = PeriodUnit::Week;
    let mut example = Example::with(60_000_000, "24", 600, "2024-01-15", conditions, change);
    for place in 0..60_u64 {
        // Two of three payments are late, and what they pay swings around the ten installments that are due.
        let on = day("2024-01-22") + Days::new(place * 70 + place % 3);
        let amount = 2_950_000 + i64::try_from(place % 7).unwrap() * 20_000;
        example.push(on, Event::Payment { amount, payment: PaymentKind::Repayment });
    }
    example
}

#[test]
fn six_hundred_installments_and_sixty_payments_are_folded() {
    for recalculation in InterestRecalculation::ALL {
        for mode in AllocationMode::ALL {
            let state = long_loan(*recalculation, *mode).at(day("2036-01-01"));
            let principal: i64 = state.installments.iter().map(|row| row.due.principal).sum();
            assert_eq!(principal, 60_000_000, "{recalculation:?} {mode:?}");
            assert_eq!(state.effects.len(), 61);
        }
    }
}

fn is_a_limit(error: FoldError) -> bool {
    matches!(error, FoldError::Overflow | FoldError::DateOverflow | FoldError::ImpossibleTerms { .. })
}

proptest! {
    // A case is up to 600 rows, run through for every payment.
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_largest_loans_are_made_or_refused(
        (installments, conditions) in prop_oneof![9 => 1_u32..40, 1 => Just(600)]
            .prop_flat_map(|installments| (Just(installments), any_conditions(installments))),
        principal in prop_oneof![Just(i64::MAX), Just(i64::MAX - 1), i64::MAX / 4..i64::MAX, 1..i64::MAX],
        code in any_of(&["JPY", "USD", "BHD"]),
        ppm in prop_oneof![Just(1_000_000), Just(1), Just(0), 0_i64..=1_000_000],
        (unit, every) in prop_oneof![
            Just((PeriodUnit::Day, 1)), Just((PeriodUnit::Day, 366)), Just((PeriodUnit::Week, 53)), Just((PeriodUnit::Month, 12)),
        ],
        payments in prop::collection::vec((0_u64..1_100, 1..i64::MAX), 0..3),
    ) {
        let terms = LoanTerms {
            principal: Money::new(principal, currency(code)),
            annual_rate: Rate::from_ppm(ppm),
            installments,
            every,
            unit,
            first_due_on: None,
            conditions,
        };
        let lasts = nominal_days(&terms);
        let mut example = Example { terms, transactions: Vec::new(), calendar: Calendar::every_day() };
        example.push(start(), Event::Disbursement { amount: principal });
        for (place, amount) in payments {
            let on = start() + Days::new(lasts * place / 1_000);
            example.push(on, Event::Payment { amount, payment: PaymentKind::Repayment });
        }
        let end = start() + Days::new(lasts + 400);
        match Loan::fold(&example.terms, &example.transactions, &example.calendar, end) {
            Ok(state) => {
                let rows: i128 = state.installments.iter().map(|row| i128::from(row.due.principal)).sum();
                prop_assert_eq!(rows, i128::from(principal));
                prop_assert!(state.installments.iter().all(|row| !row.due.any_negative()));
                for on in [start(), end] {
                    prop_assert!(state.earned(on).map_or_else(is_a_limit, |earned| !earned.any_negative()));
                }
            }
            Err(error) => prop_assert!(is_a_limit(error)),
        }
        let quote = Loan::payoff(&example.terms, &example.transactions, &example.calendar, start());
        prop_assert!(quote.map_or_else(is_a_limit, |quote| quote.principal >= 0));
    }

    #[test]
    fn the_largest_credits_are_disclosed_or_refused(
        advanced in prop_oneof![Just(i64::MAX), i64::MAX / 2..i64::MAX],
        payments in prop::collection::vec((1_u64..400, 1..i64::MAX), 1..8),
        unit in any_of(&PeriodUnit::ALL),
    ) {
        let flow = |on, minor, direction| CashFlow { on, amount: Money::new(minor, currency("BHD")), direction };
        let mut on = start();
        let mut flows = vec![flow(on, advanced, Direction::Advance)];
        for (days, minor) in payments {
            on = on + Days::new(days);
            flows.push(flow(on, minor, Direction::Payment));
        }
        for rule in DisclosureRule::ALL {
            match disclose(*rule, &flows, Timing { every: 1, unit }) {
                Ok(cost) => prop_assert!(cost.rate.parts_per_trillion() >= 0),
                Err(error) => prop_assert!(matches!(
                    error,
                    DisclosureError::Overflow
                        | DisclosureError::PaymentsBelowAdvances { .. }
                        | DisclosureError::RateTooHigh
                ), "{error:?}"),
            }
        }
    }
}
