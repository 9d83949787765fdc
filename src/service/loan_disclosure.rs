//! What a loan costs a year as it was agreed: the flows that its disbursements and its schedule make when every
//! installment is paid on its due date. Late money, early money and charges of one loan alone are not part of what was
//! agreed, so they never change the number; the rates themselves are `lending::disclosure`'s.

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::disclosure::{self, CashFlow, CostDisclosure, Direction, DisclosureError, DisclosureRule, Timing};
use lending::ledger::Account;
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{Event, FoldError, Loan, LoanState, LoanTerms, Transaction, TransactionKind};
use lending::money::Money;
use thiserror::Error;

use super::loan_views::LoanView;

/// Why a loan's cost cannot be disclosed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoDisclosure {
    /// The flows have no single annual rate.
    #[error(transparent)]
    NoRate(#[from] DisclosureError),
    /// The terms make no schedule.
    #[error(transparent)]
    NoSchedule(#[from] FoldError),
}

impl LoanView {
    /// The cost of the loan by a rule; of a loan that was not paid out yet, as it is expected to be. `None` where
    /// nothing was paid out and nothing will be.
    ///
    /// # Errors
    /// [`NoDisclosure`].
    pub fn disclose(&self, rule: DisclosureRule) -> Result<Option<CostDisclosure>, NoDisclosure> {
        let mut transactions = self.transactions();
        if self.state.first_disbursed_on.is_none() {
            transactions = self.expected_disbursement().into_iter().collect();
        }
        transactions.retain(|one| one.on <= self.as_of || self.state.first_disbursed_on.is_none());
        disclose(&self.record.terms, &transactions, &self.calendar, rule)
    }
}

/// The cost of a loan by a rule, from what was agreed: its disbursements, net of what was kept of them, and its
/// reschedulings. `None` without a disbursement that stands.
///
/// # Errors
/// [`NoDisclosure`].
pub fn disclose(
    terms: &LoanTerms,
    transactions: &[Transaction],
    calendar: &Calendar,
    rule: DisclosureRule,
) -> Result<Option<CostDisclosure>, NoDisclosure> {
    let agreed: Vec<Transaction> = transactions.iter().filter(|one| is_agreed(one)).cloned().collect();
    let Some(as_of) = agreed.iter().map(|one| one.on).max() else { return Ok(None) };
    // Paid on time, both kinds of interest ask for the same; fixed interest needs no payments to say so.
    let mut terms = terms.clone();
    terms.conditions.recalculation = InterestRecalculation::Fixed;
    let state = Loan::fold(&terms, &agreed, calendar, as_of)?;
    let flows = flows(&state)?;
    let timing = Timing { every: terms.every, unit: terms.unit };
    Ok(Some(disclosure::disclose(rule, &flows, timing)?))
}

fn is_agreed(transaction: &Transaction) -> bool {
    !transaction.reversed && matches!(transaction.event, Event::Disbursement { .. } | Event::Reschedule(_))
}

/// Cash out and in by its disbursements, and every row with its principal, interest and fees on its due date.
fn flows(state: &LoanState) -> Result<Vec<CashFlow>, FoldError> {
    let mut flows = Vec::new();
    for effect in state.effects.iter().filter(|effect| effect.kind == TransactionKind::Disbursement) {
        flows.extend(flow(state, effect.on, effect.entry.net(Account::Cash))?);
    }
    for row in &state.installments {
        let asked = [row.due.interest, row.due.fees].into_iter().try_fold(row.due.principal, i64::checked_add);
        flows.extend(flow(state, row.due_on, asked.ok_or(FoldError::Overflow)?)?);
    }
    flows.sort_by_key(|flow| flow.on);
    Ok(flows)
}

/// What changes the lender's cash by so much: up is a payment, down an advance.
fn flow(state: &LoanState, on: NaiveDate, cash: i64) -> Result<Option<CashFlow>, FoldError> {
    let direction = match cash {
        0 => return Ok(None),
        1.. => Direction::Payment,
        _ => Direction::Advance,
    };
    let amount = Money::new(cash.checked_abs().ok_or(FoldError::Overflow)?, state.currency);
    Ok(Some(CashFlow { on, amount, direction }))
}
