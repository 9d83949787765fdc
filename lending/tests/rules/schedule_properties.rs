//! What holds of every schedule, whatever the terms and whatever happened: principal is neither lost nor made, and no
//! part of any row is negative.

use chrono::{Days, NaiveDate};
use lending::calendar::Calendar;
use lending::loan::conditions::{Allocation, InterestMethod, InterestRecalculation, NonWorkingDays};
use lending::loan::{Event, Transaction};
use lending::loan::{FoldError, Loan, LoanState, PaymentKind, TransactionKind};
use lending::money::Money;
use proptest::prelude::*;

use crate::example::{Example, asked};
use crate::random::{any_loan, any_terms, days_of, start};
use crate::{currency, thorough};

/// The states of a loan on every day on which something happens. A history may be impossible only in ways that the
/// gate in front of it refuses.
pub fn states(example: &Example) -> Vec<LoanState> {
    let mut found = Vec::new();
    for as_of in days_of(&example.transactions) {
        match Loan::fold(&example.terms, &example.transactions, &example.calendar, as_of) {
            Ok(state) => found.push(state),
            Err(
                FoldError::NothingToReschedule { .. }
                | FoldError::ImpossibleTerms { .. }
                | FoldError::FirstDuePassed { .. },
            ) => return found,
            Err(error) => panic!("{error:?}"),
        }
    }
    found
}

/// Principal that is owed again because a refund lost its cover.
pub fn owed_again(state: &LoanState) -> i64 {
    let refunds = state.effects.iter().filter(|effect| effect.kind == TransactionKind::CreditRefund);
    refunds.map(|effect| effect.portions.principal).sum()
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn the_rows_bring_back_exactly_what_was_paid_out(example in any_loan(8)) {
        for state in states(&example) {
            let principal: i64 = state.installments.iter().map(|row| row.due.principal).sum();
            prop_assert_eq!(principal, state.disbursed + owed_again(&state), "on {}", state.as_of);
            prop_assert_eq!(state.installments.last().map(|row| row.principal_balance_after), Some(0));
        }
    }

    #[test]
    fn no_part_of_anything_is_negative(example in any_loan(8)) {
        for state in states(&example) {
            for row in &state.installments {
                let left = row.outstanding().unwrap();
                for part in [row.due, row.paid, row.waived, row.written_off, left] {
                    prop_assert!(!part.any_negative(), "on {}: {:?}", state.as_of, row);
                }
                prop_assert!(row.principal_balance_after >= 0, "on {}: {:?}", state.as_of, row);
                prop_assert!(row.paid_in_advance >= 0 && row.paid_late >= 0);
            }
            prop_assert!(state.credit >= 0 && state.recovered >= 0);
        }
    }

    #[test]
    fn the_first_schedule_is_whole(terms in any_terms()) {
        let principal = terms.principal.minor();
        let mut example = Example { terms, transactions: Vec::new(), calendar: Calendar::every_day() };
        example.push(start(), Event::Disbursement { amount: principal });
        let state = example.at(start());
        let mut balance = principal;
        let mut last = start();
        for row in &state.installments {
            prop_assert!(row.due_on > last, "two installments on one day: {:?}", row);
            prop_assert!(!row.due.any_negative());
            balance -= row.due.principal;
            prop_assert_eq!(row.principal_balance_after, balance);
            last = row.due_on;
        }
        prop_assert_eq!(balance, 0);
    }

    #[test]
    fn paying_on_time_costs_what_fixed_interest_costs(terms in any_terms()) {
        let principal = terms.principal.minor();
        let mut terms = terms;
        terms.conditions.non_working_days = NonWorkingDays::Keep;
        terms.conditions.early_closure_fee = 0;
        terms.conditions.interest_method = InterestMethod::DecliningBalance;
        terms.conditions.recalculation = InterestRecalculation::Fixed;
        // Rules that pay in advance before what is due would not pay on time.
        terms.conditions.allocation.rules = Allocation::usual_rules();
        let mut example = Example { terms, transactions: Vec::new(), calendar: Calendar::every_day() };
        example.push(start(), Event::Disbursement { amount: principal });
        let fixed = example.at(start()).installments;
        // Who pays the last principal is rid of the charges of rows after it.
        let last = fixed.iter().rposition(|row| row.due.principal + row.due.interest > 0).unwrap();
        for row in &fixed[..=last] {
            let amount = row.due.total().unwrap();
            if amount > 0 {
                example.push(row.due_on, Event::Payment { amount, payment: PaymentKind::Repayment });
            }
        }
        example.terms.conditions.recalculation = InterestRecalculation::DailyBalance;
        let state = example.at(start() + Days::new(5_000));
        prop_assert_eq!(state.credit, 0, "{:?}", example);
        let mut rows = asked(&state.installments);
        rows.resize(fixed.len(), (0, 0));
        prop_assert_eq!(rows, asked(&fixed), "{:?}", example);
        prop_assert!(state.outstanding().unwrap().is_zero());
    }

    #[test]
    fn the_limits_of_what_can_be_kept_are_errors(
        terms in any_terms(),
        principal in prop::sample::select(vec![i64::MAX, i64::MAX - 1, i64::MAX / 2, i64::MAX / 1_000]),
        amounts in prop::collection::vec((0_u64..900, prop::sample::select(vec![1, i64::MAX / 2, i64::MAX])), 0..4),
        at_the_end_of_time in prop::bool::weighted(0.1),
    ) {
        let mut terms = terms;
        terms.principal = Money::new(principal, currency("JPY"));
        terms.first_due_on = None;
        let start = if at_the_end_of_time { NaiveDate::MAX - Days::new(40) } else { start() };
        let mut history = vec![Transaction {
            sequence: 1, on: start, event: Event::Disbursement { amount: principal }, reversed: false,
        }];
        for (sequence, (after, amount)) in (2..).zip(amounts) {
            let on = start.checked_add_days(Days::new(after)).unwrap_or(NaiveDate::MAX);
            let event = match amount % 3 {
                0 => Event::Disbursement { amount },
                1 => Event::Payment { amount, payment: PaymentKind::Repayment },
                _ => Event::CreditRefund { amount },
            };
            history.push(Transaction { sequence, on, event, reversed: false });
        }
        match Loan::fold(&terms, &history, &Calendar::every_day(), NaiveDate::MAX) {
            Ok(state) => {
                let rows: i128 = state.installments.iter().map(|row| i128::from(row.due.principal)).sum();
                prop_assert_eq!(rows, i128::from(state.disbursed) + i128::from(owed_again(&state)));
            }
            Err(error) => prop_assert!(
                matches!(error, FoldError::Overflow | FoldError::DateOverflow | FoldError::ImpossibleTerms { .. }),
                "{:?}", error
            ),
        }
    }
}
