//! One loan: its fold against everything that is stored of it. Pure; the caller has read it all.

use std::collections::HashMap;
use std::fmt::Debug;

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::ledger::Account;
use lending::loan::{Effect, FoldError, Installment, Loan, LoanState, LoanStatus, Portions};
use uuid::Uuid;

use super::{Finding, FindingKind};
use crate::store::journal::AccountSum;
use crate::store::loan_balances::LoanProjection;
use crate::store::loan_history::StoredTransaction;
use crate::store::loan_projection::Split;
use crate::store::loans::LoanRecord;
use crate::store::verify::TransactionEntry;

/// Everything that is stored of a loan.
pub(super) struct Stored {
    pub loan: LoanRecord,
    pub history: Vec<StoredTransaction>,
    pub splits: Vec<Split>,
    pub rows: Vec<Installment>,
    pub sums: Vec<AccountSum>,
    pub entries: Vec<TransactionEntry>,
}

/// What is collected about a loan.
struct Findings<'a> {
    number: &'a str,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn compare<T: PartialEq + Debug>(&mut self, kind: FindingKind, subject: &str, expected: &T, actual: &T) {
        if expected != actual {
            self.found.push(Finding {
                kind,
                loan: Some(self.number.to_owned()),
                subject: subject.to_owned(),
                expected: format!("{expected:?}"),
                actual: format!("{actual:?}"),
            });
        }
    }
}

/// What does not hold about a loan.
pub(super) fn verify(stored: &Stored, calendar: &Calendar) -> Vec<Finding> {
    let mut findings = Findings { number: &stored.loan.number, found: Vec::new() };
    if let Err(error) = check(stored, calendar, &mut findings) {
        findings.compare(FindingKind::UnfoldableHistory, "history", &"a loan".to_owned(), &error.to_string());
    }
    findings.found
}

fn check(stored: &Stored, calendar: &Calendar, findings: &mut Findings<'_>) -> Result<(), FoldError> {
    let sequences: Vec<u32> = stored.history.iter().map(|one| one.transaction.sequence).collect();
    let expected: Vec<u32> = (1..).take(sequences.len()).collect();
    findings.compare(FindingKind::SequenceGap, "sequences", &expected, &sequences);

    let projection = &stored.loan.projection;
    let as_of = projection.projected_on.unwrap_or(NaiveDate::MIN);
    let history = StoredTransaction::history(&stored.history);
    let state = Loan::fold(&stored.loan.terms, &history, calendar, as_of)?;
    let right_on = projection.right_on().unwrap_or(NaiveDate::MIN);
    let refreshed = match right_on > as_of {
        true => Some(Loan::fold(&stored.loan.terms, &history, calendar, right_on)?),
        false => None,
    };
    let balances = refreshed.as_ref().unwrap_or(&state);
    rows(stored, balances, findings);
    splits(stored, &state, findings);
    entries(stored, &state, findings);

    let through = projection.accrued_through;
    let earned = state.earned(through.unwrap_or(NaiveDate::MIN))?;
    findings.compare(FindingKind::Accrued, "accrued", &earned, &projection.accrued);
    let expected = LoanProjection { refreshed_on: projection.refreshed_on, ..projection.refreshed(balances)? };
    findings.compare(FindingKind::Balance, "projection", &expected, projection);
    let settled = stored.loan.state.clone().settled(&state, "");
    findings.compare(FindingKind::Status, "status", &settled, &stored.loan.state);
    accounts(stored, &state, findings)
}

fn rows(stored: &Stored, state: &LoanState, findings: &mut Findings<'_>) {
    let of = |rows: &[Installment], number: u32| rows.iter().find(|row| row.number == number).cloned();
    let mut numbers: Vec<u32> = stored.rows.iter().chain(&state.installments).map(|row| row.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let (expected, actual) = (of(&state.installments, number), of(&stored.rows, number));
        findings.compare(FindingKind::Installment, &format!("installment {number}"), &expected, &actual);
    }
}

fn splits(stored: &Stored, state: &LoanState, findings: &mut Findings<'_>) {
    for one in &stored.history {
        let sequence = one.transaction.sequence;
        let actual = stored.splits.iter().find(|split| split.transaction_id == one.id).copied();
        let entry = actual.and_then(|split| split.journal_entry_id);
        let expected = effect(state, sequence).map(|effect| Split::of(effect, one.id, entry));
        findings.compare(FindingKind::Split, &format!("transaction {sequence}"), &expected, &actual);
    }
}

/// Of each transaction the one entry stands that its split names, and books what the fold says; all others are mirrors
/// or mirrored.
fn entries(stored: &Stored, state: &LoanState, findings: &mut Findings<'_>) {
    let mirrored: Vec<Uuid> = stored.entries.iter().filter_map(|entry| entry.reverses_id).collect();
    for one in &stored.history {
        let sequence = one.transaction.sequence;
        let subject = format!("transaction {sequence}");
        let standing: Vec<&TransactionEntry> = stored
            .entries
            .iter()
            .filter(|entry| entry.transaction_id == one.id)
            .filter(|entry| entry.reverses_id.is_none() && !mirrored.contains(&entry.id))
            .collect();
        let named = stored.splits.iter().find(|split| split.transaction_id == one.id);
        let named: Vec<Uuid> = named.and_then(|split| split.journal_entry_id).into_iter().collect();
        let ids: Vec<Uuid> = standing.iter().map(|entry| entry.id).collect();
        findings.compare(FindingKind::TransactionEntry, &subject, &named, &ids);
        let expected = effect(state, sequence).map(|effect| effect.entry.postings().to_vec()).unwrap_or_default();
        let actual: Vec<_> = standing.iter().flat_map(|entry| entry.lines.iter().map(|line| line.posting)).collect();
        findings.compare(FindingKind::TransactionEntry, &subject, &expected, &actual);
    }
}

fn effect(state: &LoanState, sequence: u32) -> Option<&Effect> {
    state.effects.iter().find(|effect| effect.sequence == sequence)
}

/// What stands in the loan's accounts is what it owes; of a loan off the books, nothing.
fn accounts(stored: &Stored, state: &LoanState, findings: &mut Findings<'_>) -> Result<(), FoldError> {
    let nets: HashMap<Account, i64> =
        stored.sums.iter().map(|sum| (sum.account, sum.debits.saturating_sub(sum.credits))).collect();
    let off = state.charged_off_on.is_some() || stored.loan.state.status() == LoanStatus::WrittenOff;
    let settled =
        state.installments.iter().try_fold(Portions::ZERO, |sum, row| sum.plus(&row.paid)?.plus(&row.waived))?;
    let mut receivable = stored.loan.projection.accrued.minus(&settled)?;
    receivable.principal = state.outstanding()?.principal;
    if off {
        receivable = Portions::ZERO;
    }
    for (account, expected) in [
        (Account::LoansReceivable, receivable.principal),
        (Account::InterestReceivable, receivable.interest),
        (Account::FeesReceivable, receivable.fees),
        (Account::PenaltiesReceivable, receivable.penalties),
        (Account::OverpaymentLiability, state.credit.saturating_neg()),
    ] {
        let actual = nets.get(&account).copied().unwrap_or(0);
        findings.compare(FindingKind::LoanAccount, account.as_str(), &expected, &actual);
    }
    Ok(())
}
