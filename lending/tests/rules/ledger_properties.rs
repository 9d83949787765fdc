//! What holds of the books of every loan: every entry balances, the accounts of the loan say what the loan says, and
//! what was earned is never less than what was paid or waived.

use lending::ledger::{Account, Side};
use lending::loan::posting::{accrual, difference};
use lending::loan::{Event, Portions, Standing};
use proptest::prelude::*;

use crate::random::any_loan;
use crate::schedule_properties::states;
use crate::thorough;

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn every_entry_balances(example in any_loan(8)) {
        for state in states(&example) {
            for effect in &state.effects {
                let side = |side| effect.entry.postings().iter().filter(move |line| line.side == side);
                let (debits, credits): (i64, i64) =
                    (side(Side::Debit).map(|line| line.amount).sum(), side(Side::Credit).map(|line| line.amount).sum());
                prop_assert_eq!(debits, credits);
                prop_assert!(effect.entry.postings().iter().all(|line| line.amount > 0));
            }
        }
    }

    #[test]
    fn the_accounts_say_what_the_loan_says(example in any_loan(8)) {
        for state in states(&example) {
            let net = |account| state.effects.iter().map(|effect| effect.entry.net(account)).sum::<i64>();
            let written_off = matches!(state.standing, Standing::WrittenOff { .. });
            let off_the_books = written_off || state.charged_off_on.is_some();
            let principal = if off_the_books { 0 } else { state.outstanding().unwrap().principal };
            prop_assert_eq!(net(Account::LoansReceivable), principal, "on {}", state.as_of);
            prop_assert_eq!(net(Account::OverpaymentLiability), -state.credit);
            let earned = state.earned(state.as_of).unwrap();
            let settled = state.installments.iter().try_fold(Portions::ZERO, |sum, row| {
                sum.plus(&row.paid)?.plus(&row.waived)
            }).unwrap();
            for (account, earned, settled) in [
                (Account::InterestReceivable, earned.interest, settled.interest),
                (Account::FeesReceivable, earned.fees, settled.fees),
                (Account::PenaltiesReceivable, earned.penalties, settled.penalties),
            ] {
                let receivable = if off_the_books { 0 } else { earned - settled };
                prop_assert!(receivable >= 0);
                prop_assert_eq!(net(account) + earned, receivable, "{:?} on {}", account, state.as_of);
            }
        }
    }

    #[test]
    fn accruing_twice_books_once(example in any_loan(6)) {
        for state in states(&example) {
            let booked = state.earned(state.as_of).unwrap();
            prop_assert!(accrual(&state, &booked, Some(state.as_of)).unwrap().is_empty());
            prop_assert!(!booked.any_negative());
        }
    }

    #[test]
    fn rebooking_the_difference_makes_the_books_of_the_new_history(example in any_loan(8), reversed in 1_usize..8) {
        let mut changed = example.clone();
        let Some(transaction) = changed.transactions.get_mut(reversed) else { return Ok(()) };
        if matches!(transaction.event, Event::Charge { .. }) {
            // A waiver may rest on it; the gate refuses that.
            return Ok(());
        }
        transaction.reversed = true;
        let (before, after) = (states(&example), states(&changed));
        let (Some(before), Some(after)) = (before.last(), after.last()) else { return Ok(()) };
        if before.as_of != after.as_of {
            return Ok(());
        }
        let found = difference(before, after);
        for account in Account::ALL.iter().copied() {
            let net = |state: &lending::loan::LoanState| -> i64 {
                state.effects.iter().map(|effect| effect.entry.net(account)).sum()
            };
            let rebooked: i64 = found.rebooked.iter().flat_map(|rebooking| [&rebooking.mirror, &rebooking.post])
                .flatten().map(|entry| entry.net(account)).sum();
            prop_assert_eq!(net(before) + rebooked, net(after), "{:?}", account);
        }
    }
}
