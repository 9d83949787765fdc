//! The table of postings, row by row: what each event books.

use lending::ledger::{Account, Account::*, Side, Side::*};
use lending::loan::posting::accrual;
use lending::loan::{Conditions, Event, LoanState, PaymentKind, Portions};

use crate::example::{Example, portions};

fn booked(state: &LoanState, index: usize) -> Vec<(Account, Side, i64)> {
    state.effects[index].entry.postings().iter().map(|line| (line.account, line.side, line.amount)).collect()
}

/// 1,000.00 at 2 % a month over 4, with a fee of 3.00 and a penalty of 2.00 due before the first installment.
fn loan() -> Example {
    Example::new(100_000, "24", 4, "2024-01-15", Conditions::default()).fee("2024-02-01", "2024-02-10", 300).penalty(
        "2024-02-01",
        "2024-02-12",
        200,
    )
}

#[test]
fn a_disbursement_is_cash_become_a_loan() {
    let state = loan().on("2024-02-01");
    assert_eq!(booked(&state, 0), [(LoansReceivable, Debit, 100_000), (Cash, Credit, 100_000)]);
    assert_eq!(booked(&state, 1), [], "a charge is income when it is earned");
}

#[test]
fn accruals_debit_the_receivable_and_credit_the_income() {
    let state = loan().on("2024-02-15");
    let entry = accrual(&state, &portions(0, 1_500, 0, 0), Some(state.as_of)).unwrap();
    let lines: Vec<_> = entry.postings().iter().map(|line| (line.account, line.side, line.amount)).collect();
    assert_eq!(
        lines,
        [
            (InterestReceivable, Debit, 500),
            (InterestIncome, Credit, 500),
            (FeesReceivable, Debit, 300),
            (FeeIncome, Credit, 300),
            (PenaltiesReceivable, Debit, 200),
            (PenaltyIncome, Credit, 200),
        ]
    );
}

#[test]
fn too_much_accrued_is_taken_back_on_the_other_side() {
    let state = loan().on("2024-02-15");
    let entry = accrual(&state, &portions(0, 2_500, 300, 200), Some(state.as_of)).unwrap();
    assert_eq!(entry.net(InterestReceivable), -500);
    assert_eq!(entry.net(InterestIncome), 500);
}

#[test]
fn before_a_day_is_closed_only_what_was_paid_is_earned() {
    let state = loan().pays("2024-02-01", 1_000).on("2024-02-01");
    let entry = accrual(&state, &Portions::ZERO, None).unwrap();
    assert_eq!(entry.net(InterestIncome), -500);
    assert_eq!(entry.net(FeeIncome), -300);
    assert_eq!(entry.net(PenaltyIncome), -200);
}

#[test]
fn a_repayment_is_cash_against_the_receivables_and_the_rest_a_liability() {
    let state = loan().pays("2024-02-15", 26_762).pays("2024-02-16", 90_000).on("2024-02-16");
    let expected = [
        (Cash, Debit, 26_762),
        (PenaltiesReceivable, Credit, 200),
        (FeesReceivable, Credit, 300),
        (InterestReceivable, Credit, 2_000),
        (LoansReceivable, Credit, 24_262),
    ];
    assert_eq!(booked(&state, 3), expected);
    let rest = [
        (Cash, Debit, 90_000),
        (InterestReceivable, Credit, 3_050),
        (LoansReceivable, Credit, 75_738),
        (OverpaymentLiability, Credit, 11_212),
    ];
    assert_eq!(booked(&state, 4), rest);
}

#[test]
fn goodwill_is_the_lenders_expense() {
    let payment = Event::Payment { amount: 2_500, payment: PaymentKind::GoodwillCredit };
    let state = loan().then("2024-02-15", payment).on("2024-02-15");
    assert_eq!(booked(&state, 3)[0], (GoodwillExpense, Debit, 2_500));
    assert_eq!(state.effects[3].entry.net(Cash), 0);
}

#[test]
fn a_refund_is_cash_against_the_liability() {
    let state = loan().pays("2024-02-15", 110_000).then("2024-02-16", Event::CreditRefund { amount: 100 });
    assert_eq!(booked(&state.on("2024-02-16"), 4), [(OverpaymentLiability, Debit, 100), (Cash, Credit, 100)]);
    let uncovered = state.reversing(4).on("2024-02-16");
    assert_eq!(booked(&uncovered, 3), [(LoansReceivable, Debit, 100), (Cash, Credit, 100)]);
}

#[test]
fn a_waiver_gives_the_income_back() {
    let state = loan()
        .then("2024-02-15", Event::ChargeWaiver { charge: 2, amount: 300 })
        .then("2024-02-15", Event::ChargeWaiver { charge: 3, amount: 200 })
        .then("2024-02-15", Event::InterestWaiver { amount: 50 })
        .on("2024-02-15");
    assert_eq!(booked(&state, 3), [(FeeIncome, Debit, 300), (FeesReceivable, Credit, 300)]);
    assert_eq!(booked(&state, 4), [(PenaltyIncome, Debit, 200), (PenaltiesReceivable, Credit, 200)]);
    assert_eq!(booked(&state, 5), [(InterestIncome, Debit, 50), (InterestReceivable, Credit, 50)]);
}

/// What stands in the receivable accounts on 15 February: one installment's interest, and the charges.
const RECEIVABLES: [(Account, Side, i64); 4] = [
    (PenaltiesReceivable, Credit, 200),
    (FeesReceivable, Credit, 300),
    (InterestReceivable, Credit, 2_000),
    (LoansReceivable, Credit, 100_000),
];

#[test]
fn a_charge_off_is_a_credit_loss_and_income_charged_off() {
    let state = loan().then("2024-02-15", Event::ChargeOff).on("2024-02-15");
    let mut expected = vec![(CreditLoss, Debit, 100_000), (IncomeChargedOff, Debit, 2_500)];
    expected.extend(RECEIVABLES);
    assert_eq!(booked(&state, 3), expected);
}

#[test]
fn a_write_off_is_a_loss() {
    let state = loan().then("2024-02-15", Event::WriteOff).on("2024-02-15");
    let mut expected = vec![(LossesWrittenOff, Debit, 102_500)];
    expected.extend(RECEIVABLES);
    assert_eq!(booked(&state, 3), expected);
}

#[test]
fn a_loan_charged_off_before_is_written_off_without_a_second_loss() {
    let state = loan().then("2024-02-15", Event::ChargeOff).then("2024-02-20", Event::WriteOff).on("2024-02-20");
    assert_eq!(booked(&state, 4), []);
}

#[test]
fn money_after_the_loss_is_recovery_income() {
    let written_off = loan().then("2024-02-15", Event::WriteOff).then("2024-02-20", Event::Recovery { amount: 700 });
    assert_eq!(booked(&written_off.on("2024-02-20"), 4), [(Cash, Debit, 700), (RecoveryIncome, Credit, 700)]);
    let charged_off = loan().then("2024-02-15", Event::ChargeOff).pays("2024-02-20", 700);
    assert_eq!(booked(&charged_off.on("2024-02-20"), 4), [(Cash, Debit, 700), (RecoveryIncome, Credit, 700)]);
}

#[test]
fn a_refund_without_cover_of_a_loan_off_the_books_is_a_loss() {
    let state = loan().then("2024-02-15", Event::ChargeOff).then("2024-02-20", Event::CreditRefund { amount: 700 });
    assert_eq!(booked(&state.on("2024-02-20"), 4), [(CreditLoss, Debit, 700), (Cash, Credit, 700)]);
}

#[test]
fn a_mirror_takes_an_entry_back() {
    let state = loan().pays("2024-02-15", 26_762).on("2024-02-15");
    let entry = &state.effects[3].entry;
    let mirror = entry.mirror();
    assert!(Account::ALL.iter().all(|account| entry.net(*account) + mirror.net(*account) == 0));
    assert_eq!(mirror.mirror(), *entry);
}
