//! The longest loan there is, with as much of a history as any loan has. That this test ends is what it is for: in none
//! of the ways interest can follow payments do the rows chase each other.

use chrono::Days;
use lending::loan::conditions::{Allocation, AllocationMode, InterestRecalculation};
use lending::loan::{Conditions, Event, LoanTerms, PaymentKind, PeriodUnit};

use crate::example::{Example, day};

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
