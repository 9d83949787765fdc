//! Charges: at once, on every installment, on a day, beyond the last installment, and waived.

use lending::ledger::Account;
use lending::loan::{ChargeAmount, ChargeKind, ChargeTerms, ChargeTiming, Conditions, Event};

use crate::example::{Example, day, portions};

fn with(timing: ChargeTiming, amount: ChargeAmount) -> Conditions {
    Conditions { charges: vec![ChargeTerms { name: "Service".to_owned(), timing, amount }], ..Conditions::default() }
}

#[test]
fn an_upfront_fee_is_kept_from_the_proceeds() {
    // 2 % of 1,000.00.
    let state =
        Example::new(100_000, "12", 3, "2024-01-15", with(ChargeTiming::UpfrontKept, ChargeAmount::Share(20_000)))
            .on("2024-01-15");
    let entry = &state.effects[0].entry;
    assert_eq!(entry.net(Account::LoansReceivable), 100_000);
    assert_eq!(entry.net(Account::Cash), -98_000);
    assert_eq!(entry.net(Account::FeeIncome), -2_000);
    assert_eq!(state.disbursed, 100_000);
    assert!(state.installments.iter().all(|row| row.due.fees == 0));
}

#[test]
fn an_upfront_fee_is_paid_apart() {
    let state =
        Example::new(100_000, "12", 3, "2024-01-15", with(ChargeTiming::UpfrontPaid, ChargeAmount::Flat(1_500)))
            .on("2024-01-15");
    let entry = &state.effects[0].entry;
    assert_eq!(entry.net(Account::LoansReceivable), 100_000);
    assert_eq!(entry.net(Account::Cash), -98_500);
    assert_eq!(entry.net(Account::FeeIncome), -1_500);
    assert_eq!(entry.postings().len(), 4, "the money out and the money in are lines of their own");
}

#[test]
fn a_tranche_bears_a_share_again_but_no_flat_fee() {
    for (amount, expected) in [(ChargeAmount::Share(20_000), -1_000), (ChargeAmount::Flat(1_500), 0)] {
        let state = Example::new(100_000, "12", 3, "2024-01-15", with(ChargeTiming::UpfrontKept, amount))
            .then("2024-02-20", Event::Disbursement { amount: 50_000 })
            .on("2024-02-20");
        assert_eq!(state.effects[1].entry.net(Account::FeeIncome), expected);
    }
}

#[test]
fn every_installment_bears_its_fee() {
    let fees = |amount| {
        let state =
            Example::new(100_000, "24", 4, "2024-01-15", with(ChargeTiming::PerInstallment, amount)).on("2024-01-15");
        state.installments.iter().map(|row| row.due.fees).collect::<Vec<_>>()
    };
    assert_eq!(fees(ChargeAmount::Flat(250)), [250, 250, 250, 250]);
    // 1 % of 262.62 and of 262.64.
    assert_eq!(fees(ChargeAmount::Share(10_000)), [263, 263, 263, 263]);
}

#[test]
fn a_charge_belongs_to_the_installment_whose_period_it_lies_in() {
    // Due 15 February, 15 March, 15 April.
    for (due_on, installment) in
        [("2024-01-15", 1), ("2024-02-15", 1), ("2024-02-16", 2), ("2024-03-15", 2), ("2024-04-15", 3)]
    {
        let state = Example::new(100_000, "12", 3, "2024-01-15", Conditions::default())
            .fee("2024-01-15", due_on, 700)
            .on("2024-01-20");
        assert_eq!(state.charges[0].installment, installment, "{due_on}");
        let fees: Vec<i64> = state.installments.iter().map(|row| row.due.fees).collect();
        assert_eq!(fees[usize::try_from(installment).unwrap() - 1], 700);
        assert_eq!(fees.iter().sum::<i64>(), 700);
    }
}

#[test]
fn a_charge_after_maturity_is_a_row_of_its_own() {
    let state = Example::new(100_000, "12", 3, "2024-01-15", Conditions::default())
        .fee("2024-04-20", "2024-04-20", 700)
        .penalty("2024-05-01", "2024-05-01", 30)
        .on("2024-05-02");
    assert_eq!(state.installments.len(), 4);
    let row = &state.installments[3];
    assert_eq!((row.number, row.starts_on, row.due_on), (4, day("2024-04-15"), day("2024-05-01")));
    assert_eq!(row.due, portions(0, 0, 700, 30));
    assert_eq!(row.principal_balance_after, 0);
}

#[test]
fn a_waiver_lowers_what_is_owed_and_is_no_payment() {
    let example = Example::new(100_000, "12", 3, "2024-01-15", Conditions::default())
        .fee("2024-02-01", "2024-02-01", 700)
        .then("2024-02-02", Event::ChargeWaiver { charge: 2, amount: 300 });
    let state = example.on("2024-02-02");
    let row = &state.installments[0];
    assert_eq!((row.due.fees, row.waived.fees, row.paid.fees), (700, 300, 0));
    assert_eq!(row.outstanding().unwrap().fees, 400);
    assert_eq!(state.charges[0].waived, 300);
    // A second waiver finds 400 only.
    let state = example.then("2024-02-03", Event::ChargeWaiver { charge: 2, amount: 900 }).on("2024-02-03");
    assert_eq!(state.effects[3].portions, portions(0, 0, 400, 0));
    assert_eq!(state.outstanding().unwrap().fees, 0);
}

#[test]
fn what_was_paid_of_a_charge_cannot_be_waived() {
    let state = Example::new(100_000, "12", 3, "2024-01-15", Conditions::default())
        .fee("2024-02-01", "2024-02-01", 700)
        .pays("2024-02-02", 500)
        .then("2024-02-03", Event::ChargeWaiver { charge: 2, amount: 700 })
        .on("2024-02-03");
    assert_eq!(state.effects[3].portions, portions(0, 0, 200, 0));
}

#[test]
fn waived_interest_is_taken_from_the_oldest() {
    let state = Example::new(100_000, "24", 4, "2024-01-15", Conditions::default())
        .then("2024-02-01", Event::InterestWaiver { amount: 2_500 })
        .on("2024-02-01");
    let waived: Vec<i64> = state.installments.iter().map(|row| row.waived.interest).collect();
    assert_eq!(waived, [2_000, 500, 0, 0]);
    assert_eq!(state.effects[1].portions, portions(0, 2_500, 0, 0));
}

#[test]
fn a_late_charge_knows_its_installment() {
    let state = Example::new(100_000, "24", 4, "2024-01-15", Conditions::default())
        .then(
            "2024-02-20",
            Event::Charge { amount: 500, charge: ChargeKind::Penalty, due_on: day("2024-02-20"), late_for: Some(1) },
        )
        .on("2024-02-20");
    assert_eq!(state.charges[0].late_for, Some(1));
    assert_eq!(state.installments[1].due.penalties, 500);
}
