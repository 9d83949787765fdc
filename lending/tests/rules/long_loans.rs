//! The longest loan there is, with as much of a history as any loan has: a fold takes time that one can wait for, in
//! each way interest can follow payments. The bound is far above what it takes; what it catches is growth without end.

use std::time::{Duration, Instant};

use chrono::Days;
use lending::loan::conditions::{Allocation, AllocationMode, InterestRecalculation};
use lending::loan::{Conditions, Event, LoanTerms, PaymentKind, PeriodUnit};

use crate::example::{Example, day};

fn long_loan(recalculation: InterestRecalculation, mode: AllocationMode, smooth_last: bool) -> Example {
    let allocation = Allocation { mode, ..Allocation::default() };
    let conditions = Conditions { recalculation, allocation, smooth_last, ..Conditions::default() };
    let change = |terms: &mut LoanTerms| terms.unit = PeriodUnit::Week;
    let mut example = Example::with(60_000_000, "24", 600, "2024-01-15", conditions, change);
    for week in 0..60_u64 {
        // Every third payment is late, and what they pay swings around the installment.
        let on = day("2024-01-22") + Days::new(week * 70 + week % 3);
        let amount = 2_950_000 + i64::try_from(week % 7).unwrap() * 20_000;
        example.push(on, Event::Payment { amount, payment: PaymentKind::Repayment });
    }
    example
}

#[test]
fn six_hundred_installments_and_sixty_payments_are_folded_in_bounded_time() {
    for recalculation in InterestRecalculation::ALL {
        for mode in AllocationMode::ALL {
            for smooth_last in [false, true] {
                let example = long_loan(*recalculation, *mode, smooth_last);
                let started = Instant::now();
                let state = example.at(day("2036-01-01"));
                let took = started.elapsed();
                assert!(took < Duration::from_secs(30), "{recalculation:?} {mode:?}: {took:?}");
                assert_eq!(state.installments.iter().map(|row| row.due.principal).sum::<i64>(), 60_000_000);
                if std::env::var("TOOK").is_ok() {
                    println!("{recalculation:?} {mode:?} {smooth_last}: {took:?}");
                }
            }
        }
    }
}
