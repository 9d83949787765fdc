//! How long a schedule and a fold take: a schedule of 12 installments, and a fold over 12 and over 60 transactions in each
//! of the three ways interest can follow payments. A server folds a loan on every mutation, so these are what a request costs.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail by panicking")]

use std::hint::black_box;

use chrono::{Days, NaiveDate};
use criterion::{Criterion, criterion_group, criterion_main};
use lending::calendar::Calendar;
use lending::loan::conditions::{Allocation, AllocationMode, InterestRecalculation};
use lending::loan::{Conditions, Event, Loan, LoanTerms, PaymentKind, PeriodUnit, Transaction};
use lending::money::{Currency, Money};
use lending::rate::Rate;

const PRINCIPAL: i64 = 1_200_000;

fn terms(recalculation: InterestRecalculation, mode: AllocationMode) -> LoanTerms {
    let allocation = Allocation { mode, ..Allocation::default() };
    LoanTerms {
        principal: Money::new(PRINCIPAL, Currency::parse("KES").unwrap()),
        annual_rate: Rate::parse_percent("24").unwrap(),
        installments: 12,
        every: 1,
        unit: PeriodUnit::Month,
        first_due_on: None,
        conditions: Conditions { recalculation, allocation, ..Conditions::default() },
    }
}

fn start() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 15).unwrap()
}

/// A disbursement and small payments every six days, some of which come late.
fn history(transactions: u32) -> Vec<Transaction> {
    let payment = Event::Payment { amount: 20_000, payment: PaymentKind::Repayment };
    let disbursement = Event::Disbursement { amount: PRINCIPAL };
    let first = Transaction { sequence: 1, on: start(), event: disbursement, reversed: false };
    let payments = (2..=transactions).map(|sequence| Transaction {
        sequence,
        on: start() + Days::new(u64::from(sequence) * 6 + 14),
        event: payment.clone(),
        reversed: false,
    });
    std::iter::once(first).chain(payments).collect()
}

fn fold(criterion: &mut Criterion) {
    let calendar = Calendar::every_day();
    let fixed = terms(InterestRecalculation::Fixed, AllocationMode::ByInstallment);
    let one = history(1);
    criterion.bench_function("schedule of 12 installments", |bencher| {
        bencher.iter(|| Loan::fold(black_box(&fixed), &one, &calendar, start()).unwrap());
    });
    let histories = [history(12), history(60)];
    let as_of = start() + Days::new(400);
    for (name, recalculation, mode) in [
        ("fixed", InterestRecalculation::Fixed, AllocationMode::ByInstallment),
        ("daily balance by installment", InterestRecalculation::DailyBalance, AllocationMode::ByInstallment),
        ("daily balance by rules", InterestRecalculation::DailyBalance, AllocationMode::Rules),
    ] {
        let terms = terms(recalculation, mode);
        for history in &histories {
            criterion.bench_function(&format!("fold of {} transactions, {name}", history.len()), |bencher| {
                bencher.iter(|| Loan::fold(black_box(&terms), history, &calendar, as_of).unwrap());
            });
        }
    }
}

criterion_group!(benches, fold);
criterion_main!(benches);
