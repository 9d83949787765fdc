//! A loan made at once has the very rows it would have if its transactions had been recorded one after the other.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use lending::loan::{Lifecycle, LoanTerms, PaymentKind, PeriodUnit, Transaction};
use lending::money::Money;
use lending::rate::Rate;
use uuid::Uuid;

use super::super::write::{Outcome, StandingEntries, take};
use super::super::{Books, settle};
use super::*;
use crate::store::branches::{BranchRecord, BranchStatus};
use crate::store::loan_balances::LoanProjection;

/// Ids that count.
#[derive(Default)]
struct Counted(AtomicU32);

impl IdSource for Counted {
    fn next(&self, _: DateTime<Utc>) -> Uuid {
        Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

/// The loan made again, through the pipeline, each transaction on its own day and admitted first. Journal entries are
/// numbered from 0 in both.
pub(in crate::service) fn made_twice(
    loan: &LoanRecord,
    history: &[StoredTransaction],
    as_of: NaiveDate,
) -> [MadeLoan; 2] {
    let calendar = Calendar::every_day();
    let at_once = make(loan.clone(), &calendar, history.to_vec(), as_of, &Counted::default()).unwrap();
    let mut one_by_one = MadeLoan {
        loan: loan.clone(),
        history: history.to_vec(),
        installments: Vec::new(),
        splits: Vec::new(),
        bookings: Vec::new(),
    };
    let state = fold(loan, &[], &calendar, as_of).unwrap();
    let mut books =
        Books { loan: loan.clone(), branch: branch(loan), calendar, history: Vec::new(), today: as_of, state };
    let (ids, mut standing) = (Counted::default(), StandingEntries::new());
    for stored in history {
        let (on, event) = (stored.transaction.on, stored.transaction.event.clone());
        books.today = on;
        books.admit(&event, on).unwrap();
        let change = books.changed(None, Some((event, on)), None).unwrap();
        assert!(change.difference.replayed.is_empty());
        books.history.push(stored.clone());
        let by = &stored.recorded_by;
        let stamp = Stamp { by, now: stored.recorded_at, id: stored.id, reference: None, ids: &ids };
        let Outcome { entries, splits } = take(&mut books, &change, &stamp, &mut standing).unwrap();
        one_by_one.bookings.extend(entries);
        one_by_one.splits = splits;
    }
    one_by_one.loan = books.loan;
    if let Some(last) = history.last() {
        let after = fold(loan, &StoredTransaction::history(history), &books.calendar, as_of).unwrap();
        let accrued = one_by_one.loan.projection.accrued;
        settle(&mut one_by_one.loan, &after, accrued, &last.recorded_by).unwrap();
        one_by_one.installments = after.installments;
    }
    [at_once, one_by_one]
}

fn branch(loan: &LoanRecord) -> BranchRecord {
    BranchRecord {
        id: loan.branch_id,
        code: "B".to_owned(),
        name: "Branch".to_owned(),
        parent_id: None,
        currency: loan.terms.principal.currency(),
        time_zone: "UTC".to_owned(),
        status: BranchStatus::Open,
        rest_days: Vec::new(),
        closed_through: None,
        version: 1,
        created_at: loan.created_at,
        updated_at: loan.created_at,
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// 1,200.00 KES at 12 % over three months, approved on 1 January 2025.
fn approved() -> LoanRecord {
    let created_at: DateTime<Utc> = "2025-01-01T08:00:00Z".parse().unwrap();
    let principal = Money::parse_amount("1200.00", lending::money::Currency::parse("KES").unwrap()).unwrap();
    let business = lending::loan::Business { today: day("2025-12-31"), maker_checker: false };
    let state = Lifecycle::apply(day("2025-01-01"), "officer".to_owned(), principal, business).unwrap();
    LoanRecord {
        id: Uuid::from_u128(0xa),
        number: "L-1".to_owned(),
        external_ref: None,
        branch_id: Uuid::from_u128(0xb),
        borrower_id: Uuid::from_u128(0xc),
        product_id: Uuid::from_u128(0xd),
        group_id: None,
        officer: None,
        terms: LoanTerms {
            principal,
            annual_rate: Rate::from_ppm(120_000),
            installments: 3,
            every: 1,
            unit: PeriodUnit::Month,
            first_due_on: None,
            conditions: lending::loan::Conditions::default(),
        },
        state: state.approve(day("2025-01-01"), "manager".to_owned(), None, business).unwrap(),
        projection: LoanProjection::default(),
        version: 2,
        created_at,
        updated_at: created_at,
    }
}

fn history(events: &[(&str, Event)]) -> Vec<StoredTransaction> {
    let stored = |((on, event), sequence): (&(&str, Event), u32)| StoredTransaction {
        id: Uuid::from_u128(1_000 + u128::from(sequence)),
        transaction: Transaction { sequence, on: day(on), event: event.clone(), reversed: false },
        recorded_at: format!("{on}T10:00:00Z").parse().unwrap(),
        recorded_by: "cashier".to_owned(),
        external_ref: None,
        reversal: None,
    };
    events.iter().zip(1..).map(stored).collect()
}

const fn payment(amount: i64) -> Event {
    Event::Payment { amount, payment: PaymentKind::Repayment }
}

#[test]
fn a_loan_with_every_kind_of_transaction_is_what_the_pipeline_makes_of_it() {
    let charge = Event::Charge {
        amount: 5_000,
        charge: lending::loan::ChargeKind::Fee,
        due_on: day("2025-02-15"),
        late_for: None,
    };
    let history = history(&[
        ("2025-01-02", Event::Disbursement { amount: 120_000 }),
        ("2025-01-20", payment(50_000)),
        ("2025-02-03", charge),
        ("2025-02-04", Event::ChargeWaiver { charge: 3, amount: 2_000 }),
        ("2025-02-05", Event::InterestWaiver { amount: 100 }),
        ("2025-02-20", payment(10_000)),
        ("2025-02-20", Event::Payment { amount: 1_000, payment: PaymentKind::GoodwillCredit }),
        ("2025-06-30", Event::WriteOff),
        ("2025-07-10", Event::Recovery { amount: 700 }),
    ]);
    let [at_once, one_by_one] = made_twice(&approved(), &history, day("2025-12-31"));
    assert_eq!(at_once, one_by_one);
    assert_eq!(at_once.loan.version, 11);
    assert_eq!(at_once.splits.len(), 9);
    assert!(matches!(at_once.loan.state, Lifecycle::WrittenOff { closed_on, .. } if closed_on == day("2025-06-30")));
}

#[test]
fn a_charge_that_uses_up_credit_is_accrued_when_it_does() {
    let charge = Event::Charge {
        amount: 5_000,
        charge: lending::loan::ChargeKind::Fee,
        due_on: day("2025-03-15"),
        late_for: None,
    };
    let history = history(&[
        ("2025-01-02", Event::Disbursement { amount: 120_000 }),
        ("2025-01-20", payment(200_000)),
        ("2025-01-21", Event::CreditRefund { amount: 10_000 }),
        ("2025-02-03", charge),
    ]);
    let [at_once, one_by_one] = made_twice(&approved(), &history, day("2025-12-31"));
    assert_eq!(at_once, one_by_one);
    assert_eq!(at_once.loan.projection.accrued.fees, 5_000);
}

#[test]
fn a_loan_without_a_history_stays_as_it_is() {
    let [at_once, one_by_one] = made_twice(&approved(), &[], day("2025-12-31"));
    assert_eq!(at_once, one_by_one);
    assert_eq!(at_once.loan, approved());
}

#[test]
fn a_history_out_of_order_is_refused() {
    let disbursed = ("2025-01-02", Event::Disbursement { amount: 120_000 });
    let backdated = history(&[disbursed.clone(), ("2025-02-02", payment(100)), ("2025-02-01", payment(100))]);
    let after_the_end = history(&[disbursed.clone(), ("2026-01-01", payment(100))]);
    let mut reversed = history(&[disbursed.clone(), ("2025-02-02", payment(100))]);
    reversed[1].transaction.reversed = true;
    let mut gap = history(&[disbursed, ("2025-02-02", payment(100))]);
    gap[1].transaction.sequence = 3;
    for history in [backdated, after_the_end, reversed, gap] {
        let made = make(approved(), &Calendar::every_day(), history, day("2025-12-31"), &Counted::default());
        assert!(matches!(made, Err(ServiceError::Internal(StoreError::Corrupt(_)))), "{made:?}");
    }
}
