//! What makes the fold a fold: neither the order of its input nor what was reversed or lies in the future matters, and
//! money that comes in either pays something or becomes credit.

use chrono::Days;
use lending::loan::{Event, Loan, PaymentKind, Standing, TransactionKind};
use lending::loan::{Portions, Transaction};
use proptest::prelude::*;

use crate::example::Example;
use crate::random::{any_loan, days_of, nominal_days, start};
use crate::schedule_properties::states;
use crate::thorough;

fn folded(example: &Example, transactions: &[Transaction], as_of: chrono::NaiveDate) -> String {
    format!("{:?}", Loan::fold(&example.terms, transactions, &example.calendar, as_of))
}

/// Whether a transaction counts from before another one, or from after a day.
fn earlier_or_after(one: &Transaction, others: &[Transaction], as_of: chrono::NaiveDate) -> bool {
    let from = |transaction: &Transaction| match transaction.event {
        Event::Charge { due_on, .. } => (transaction.on.min(due_on), transaction.sequence),
        _ => (transaction.on, transaction.sequence),
    };
    from(one).0 > as_of || others.iter().any(|other| from(other) >= from(one))
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn the_order_of_the_input_does_not_matter(example in any_loan(8), seed in any::<u64>()) {
        let as_of = start() + Days::new(nominal_days(&example.terms));
        let mut shuffled = example.transactions.clone();
        shuffled.sort_by_key(|transaction| u64::from(transaction.sequence).wrapping_mul(seed | 1) % 257);
        prop_assert_eq!(folded(&example, &shuffled, as_of), folded(&example, &example.transactions, as_of));
    }

    #[test]
    fn what_was_reversed_never_was(example in any_loan(8)) {
        let as_of = start() + Days::new(2_000);
        let standing: Vec<Transaction> =
            example.transactions.iter().filter(|transaction| !transaction.reversed).cloned().collect();
        prop_assert_eq!(folded(&example, &standing, as_of), folded(&example, &example.transactions, as_of));
    }

    #[test]
    fn the_past_does_not_know_the_future(example in any_loan(8)) {
        for as_of in days_of(&example.transactions) {
            let known: Vec<Transaction> =
                example.transactions.iter().filter(|transaction| transaction.on <= as_of).cloned().collect();
            prop_assert_eq!(folded(&example, &known, as_of), folded(&example, &example.transactions, as_of));
        }
    }

    #[test]
    fn looking_at_a_loan_in_between_changes_nothing(example in any_loan(8), place in 0_u64..1_500) {
        // A reversed transaction on a day is a look at that day.
        let mut looked = example.clone();
        let on = start() + Days::new(nominal_days(&example.terms) * place / 1_000);
        looked.push(on, Event::CreditRefund { amount: 1 });
        looked.transactions.last_mut().unwrap().reversed = true;
        let end = start() + Days::new(2_000);
        prop_assert_eq!(folded(&looked, &looked.transactions, end), folded(&example, &example.transactions, end));
    }

    #[test]
    fn one_transaction_more_is_as_if_it_had_been_there_before(example in any_loan(8), place in 0_u64..2_500) {
        let (terms, calendar) = (&example.terms, &example.calendar);
        let as_of = start() + Days::new(nominal_days(terms) * place / 1_000);
        for end in 0..example.transactions.len() {
            let (earlier, rest) = example.transactions.split_at(end);
            let Ok(begun) = Loan::begin(terms, earlier, calendar, as_of) else { continue };
            prop_assert_eq!(format!("{:?}", begun.state()), folded(&example, earlier, as_of));
            for one in rest {
                let whole = [earlier, std::slice::from_ref(one)].concat();
                match begun.with(one) {
                    Ok(Some(state)) => prop_assert_eq!(Ok(state), Loan::fold(terms, &whole, calendar, as_of)),
                    Err(error) => prop_assert_eq!(Err(error), Loan::fold(terms, &whole, calendar, as_of)),
                    // It was not taken, so that it is not the last one, or counts for nothing on the day.
                    Ok(None) => prop_assert!(one.reversed || earlier_or_after(one, earlier, as_of)),
                }
            }
        }
    }

    #[test]
    fn money_pays_what_is_owed_or_becomes_credit(example in any_loan(8)) {
        for state in states(&example) {
            let written_off = matches!(state.standing, Standing::WrittenOff { .. });
            let owed = state.outstanding().unwrap();
            prop_assert!(state.credit == 0 || owed.is_zero(), "on {}: {:?} and {}", state.as_of, owed, state.credit);
            prop_assert!(!written_off || owed.is_zero());
            let repaid = matches!(state.standing, Standing::Repaid { .. });
            prop_assert_eq!(repaid, owed.is_zero() && !written_off && state.disbursed > 0, "on {}", state.as_of);
            let moved: i64 = state.effects.iter().map(|effect| effect.to_credit).sum();
            prop_assert_eq!(moved, state.credit);
        }
    }

    #[test]
    fn every_cent_of_a_transaction_is_explained(example in any_loan(8)) {
        for state in states(&example) {
            let mut paid = Portions::ZERO;
            for effect in &state.effects {
                let shared = effect.shares.iter().try_fold(Portions::ZERO, |sum, share| {
                    sum.plus(&Portions::only(share.component, share.amount))
                }).unwrap();
                prop_assert!(effect.shares.iter().all(|share| share.amount >= 0));
                match effect.kind {
                    TransactionKind::Repayment | TransactionKind::GoodwillCredit => {
                        prop_assert_eq!(effect.portions.total().unwrap() + effect.to_credit, effect.amount);
                        prop_assert_eq!(shared, effect.portions);
                        paid = paid.plus(&shared).unwrap();
                    }
                    TransactionKind::Waiver | TransactionKind::WriteOff => prop_assert_eq!(shared, effect.portions),
                    TransactionKind::Disbursement | TransactionKind::Charge | TransactionKind::Reschedule => {
                        prop_assert_eq!(shared.total().unwrap(), -effect.to_credit);
                        paid = paid.plus(&shared).unwrap();
                    }
                    TransactionKind::CreditRefund => {
                        prop_assert_eq!(effect.portions.total().unwrap() - effect.to_credit, effect.amount);
                    }
                    TransactionKind::ChargeOff | TransactionKind::Recovery => {}
                }
            }
            let rows = state.installments.iter().try_fold(Portions::ZERO, |sum, row| sum.plus(&row.paid)).unwrap();
            prop_assert_eq!(paid, rows, "on {}", state.as_of);
        }
    }

    #[test]
    fn paying_the_payoff_quote_closes_the_loan(example in any_loan(6), place in 0_u64..1_200) {
        let mut example = example;
        let on = start() + Days::new(nominal_days(&example.terms) * place / 1_000);
        let quote = Loan::payoff(&example.terms, &example.transactions, &example.calendar, on);
        let Ok(quote) = quote else { return Ok(()) };
        let given_up = matches!(example.at(on).standing, Standing::WrittenOff { .. });
        if quote.total <= 0 || given_up {
            return Ok(());
        }
        example.transactions.retain(|transaction| transaction.on <= on);
        let payment = Event::Payment { amount: quote.total, payment: PaymentKind::Repayment };
        let sequence = example.transactions.iter().map(|transaction| transaction.sequence).max().unwrap() + 1;
        example.transactions.push(Transaction { sequence, on, event: payment, reversed: false });
        let state = example.at(on);
        prop_assert!(state.outstanding().unwrap().is_zero(), "{:?} leaves {:?}", quote, state.outstanding());
        prop_assert_eq!(state.credit, 0);
        prop_assert_eq!(state.standing, Standing::Repaid { on });
        prop_assert!(example.at(on + Days::new(700)).outstanding().unwrap().is_zero());
    }
}
