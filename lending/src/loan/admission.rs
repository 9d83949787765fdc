//! Whether a new event is welcome: dates, amounts and the standing it needs, answered with the numbers that help. The
//! fold takes any history that makes sense; this is the gate in front of it.

use chrono::{Months, NaiveDate};
use thiserror::Error;

use super::charges::ChargeKind;
use super::event::{Event, Reschedule, Sequence, Transaction};
use super::limits::HIGHEST_RATE;
use super::state::{LoanState, Standing};
use super::status::LoanStatus;
use super::transition::Transition;
use crate::money::Money;
use crate::rate::Rate;

/// The most months from a day to a due date that is named.
const MONTHS_TO_DUE: u32 = 24;

/// Which of an event's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOf {
    /// The value date.
    Value,
    /// When a charge falls due.
    ChargeDue,
    /// The day from which on the rest is agreed anew.
    AgreedFrom,
    /// The first due date of a new agreement.
    FirstDue,
}

/// Why an event is refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The date lies outside what is possible. Both bounds are inclusive.
    #[error("Choose a date from {earliest} to {latest}.")]
    DateOutOfRange {
        /// Which date.
        of: DateOf,
        /// The first possible date.
        earliest: NaiveDate,
        /// The last possible date.
        latest: NaiveDate,
    },
    /// The amount lies outside what is possible. Both bounds are inclusive, in minor units.
    #[error("Choose an amount from {min} to {max}.")]
    AmountOutOfRange {
        /// The smallest amount.
        min: i64,
        /// The largest amount.
        max: i64,
    },
    /// The rate lies outside what any product may allow. Both bounds are inclusive.
    #[error("Choose an annual rate from {min} to {max}.")]
    RateOutOfRange {
        /// The lowest rate.
        min: Rate,
        /// The highest rate.
        max: Rate,
    },
    /// The loan's standing does not know this event.
    #[error("This loan cannot take {attempted} now.")]
    WrongStanding {
        /// The event, by the name of the step in the API.
        attempted: &'static str,
    },
    /// The charge named is not there, or was reversed.
    #[error("Choose a charge of this loan that stands, not transaction {charge}.")]
    NoSuchCharge {
        /// What was named.
        charge: Sequence,
    },
    /// There is nothing of what the event is about.
    #[error("There is nothing to {what} on this loan.")]
    NothingOwed {
        /// What was tried.
        what: &'static str,
    },
    /// The transaction was reversed before.
    #[error("Transaction {sequence} has been reversed already.")]
    AlreadyReversed {
        /// Which one.
        sequence: Sequence,
    },
    /// Later transactions rest on this one.
    #[error("Reverse the transactions that rest on transaction {sequence} first.")]
    StillNeeded {
        /// Which one.
        sequence: Sequence,
    },
}

/// What can be done with a loan of a status, by the names of the steps in the API: the steps of its life, and what can
/// be recorded on it; a loan that was charged off takes no new money, no new agreement and no second charge-off. Dates,
/// amounts and people can still refuse one of them.
pub fn allowed_now(status: LoanStatus, charged_off: bool) -> Vec<&'static str> {
    let recorded: &[&'static str] = match status {
        LoanStatus::Disbursed | LoanStatus::Defaulted => &[
            "DISBURSE",
            "RECORD_REPAYMENT",
            "REFUND_CREDIT",
            "ADD_CHARGE",
            "WAIVE_CHARGE",
            "WAIVE_INTEREST",
            "RESCHEDULE",
            "CHARGE_OFF",
            "REVERSE",
        ],
        LoanStatus::Repaid => &["DISBURSE", "RECORD_REPAYMENT", "REFUND_CREDIT", "ADD_CHARGE", "REVERSE"],
        LoanStatus::WrittenOff => &["RECORD_RECOVERY", "REVERSE"],
        LoanStatus::Pending | LoanStatus::Approved | LoanStatus::Rejected | LoanStatus::Withdrawn => &[],
    };
    let chosen = |step: &&Transition| {
        !matches!(step, Transition::Default | Transition::Cure | Transition::Repay | Transition::Reopen)
    };
    let welcome = |step: &&'static str| !charged_off || !matches!(*step, "DISBURSE" | "RESCHEDULE" | "CHARGE_OFF");
    let steps = status.allowed().iter().filter(chosen).map(|step| step.as_str());
    steps.chain(recorded.iter().copied().filter(welcome)).collect()
}

/// What an event is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// The approved amount in minor units.
    pub approved: i64,
    /// The day of the approval.
    pub approved_on: NaiveDate,
    /// The branch's business date: nothing is dated after it.
    pub today: NaiveDate,
    /// The last business date that was closed. Payments, charges and waivers may be dated before it, because they
    /// become known late; decisions of the lender may not.
    pub closed_through: Option<NaiveDate>,
    /// The loan as it is on its business date, before the event.
    pub state: &'a LoanState,
}

/// Whether an event of a day is welcome.
///
/// # Errors
/// [`Refusal`].
pub fn admit(admission: &Admission<'_>, event: &Event, on: NaiveDate) -> Result<(), Refusal> {
    admission.check_standing(event)?;
    admission.check_date(event, on)?;
    match event {
        Event::Disbursement { amount } => {
            let left = admission.approved.saturating_sub(admission.state.disbursed);
            check_amount(*amount, left, "disburse")
        }
        Event::Payment { amount, .. } => check_amount(*amount, Money::LARGEST_MINOR, "pay"),
        Event::CreditRefund { amount } => check_amount(*amount, refundable(admission.state, on), "refund"),
        Event::Charge { amount, due_on, .. } => {
            let earliest = admission.state.first_disbursed_on.unwrap_or(on);
            let latest = admission.state.matures_on().map_or(on, |maturity| maturity.max(on));
            check_between(DateOf::ChargeDue, *due_on, earliest, months_after(latest))?;
            check_amount(*amount, Money::LARGEST_MINOR, "charge")
        }
        Event::ChargeWaiver { charge, amount } => check_amount(*amount, admission.waivable(*charge)?, "waive"),
        Event::InterestWaiver { amount } => {
            let owed = admission.state.outstanding().map_or(0, |left| left.interest);
            check_amount(*amount, owed, "waive")
        }
        Event::Recovery { amount } => {
            let given_up = admission.state.installments.iter().map(|row| row.written_off.total().unwrap_or(i64::MAX));
            let given_up = given_up.fold(0, i64::saturating_add);
            check_amount(*amount, given_up.saturating_sub(admission.state.recovered), "recover")
        }
        Event::Reschedule(agreement) => admission.check_agreement(agreement),
        Event::ChargeOff | Event::WriteOff => Ok(()),
    }
}

/// How much of the credit can be paid back on a day: what is there at its end and is not used later. Before there is any,
/// a refund would be money lent.
pub fn refundable(state: &LoanState, on: NaiveDate) -> i64 {
    let mut credit: i64 = 0;
    let mut least = state.credit;
    for effect in &state.effects {
        if effect.on > on {
            least = least.min(credit);
        }
        credit = credit.saturating_add(effect.to_credit);
    }
    least.max(0)
}

/// Whether a transaction may be reversed: once, and only when nothing that stands rests on it.
///
/// # Errors
/// [`Refusal::AlreadyReversed`], [`Refusal::StillNeeded`].
pub fn admit_reversal(transactions: &[Transaction], sequence: Sequence) -> Result<(), Refusal> {
    let standing = || transactions.iter().filter(|other| !other.reversed && other.sequence != sequence);
    let Some(target) = transactions.iter().find(|transaction| transaction.sequence == sequence) else {
        return Err(Refusal::StillNeeded { sequence });
    };
    if target.reversed {
        return Err(Refusal::AlreadyReversed { sequence });
    }
    let needed = match &target.event {
        Event::Disbursement { .. } => {
            standing().any(|other| other.on >= target.on || first_of(transactions) == sequence)
        }
        Event::Charge { .. } => {
            standing().any(|other| matches!(other.event, Event::ChargeWaiver { charge, .. } if charge == sequence))
        }
        Event::WriteOff => standing().any(|other| matches!(other.event, Event::Recovery { .. })),
        _ => false,
    };
    if needed { Err(Refusal::StillNeeded { sequence }) } else { Ok(()) }
}

/// The disbursement everything else rests on.
fn first_of(transactions: &[Transaction]) -> Sequence {
    let disbursements = transactions
        .iter()
        .filter(|transaction| !transaction.reversed && matches!(transaction.event, Event::Disbursement { .. }));
    disbursements.min_by_key(|transaction| (transaction.on, transaction.sequence)).map_or(0, |first| first.sequence)
}

impl Admission<'_> {
    fn check_standing(&self, event: &Event) -> Result<(), Refusal> {
        let attempted = step_name(event);
        let running = matches!(self.state.standing, Standing::Active | Standing::Defaulted { .. });
        let off_the_books = self.state.charged_off_on.is_some();
        let welcome = match (event, self.state.standing) {
            (Event::Disbursement { .. }, Standing::NotDisbursed) => true,
            // What was approved and not paid out yet may follow, even if all that was paid out has come back.
            (Event::Disbursement { .. }, standing) => {
                (running || matches!(standing, Standing::Repaid { .. })) && !off_the_books
            }
            (Event::Payment { .. } | Event::CreditRefund { .. } | Event::Charge { .. }, Standing::Repaid { .. }) => {
                true
            }
            (Event::Recovery { .. }, Standing::WrittenOff { .. }) => true,
            (Event::Recovery { .. }, _) => false,
            (Event::ChargeOff | Event::Reschedule(_), _) => running && !off_the_books,
            _ => running,
        };
        if welcome { Ok(()) } else { Err(Refusal::WrongStanding { attempted }) }
    }

    fn check_date(&self, event: &Event, on: NaiveDate) -> Result<(), Refusal> {
        let mut earliest = match event {
            Event::Disbursement { .. } => self.approved_on,
            _ => self.state.first_disbursed_on.unwrap_or(self.approved_on),
        };
        let mut latest = self.today;
        let may_come_late = matches!(
            event,
            Event::Payment { .. } | Event::Charge { .. } | Event::ChargeWaiver { .. } | Event::InterestWaiver { .. }
        );
        if let Some(closed) = self.closed_through.filter(|_| !may_come_late) {
            earliest = earliest.max(closed.succ_opt().unwrap_or(closed));
        }
        if let (Event::Disbursement { .. }, Some(maturity)) = (event, self.state.matures_on()) {
            latest = latest.min(maturity.pred_opt().unwrap_or(maturity));
        }
        if let (Event::WriteOff, Some(last)) = (event, self.state.effects.iter().map(|effect| effect.on).max()) {
            // What was paid after the loan was given up would be nobody's.
            earliest = earliest.max(last);
        }
        if let (Event::Recovery { .. }, Standing::WrittenOff { on }) = (event, self.state.standing) {
            earliest = earliest.max(on);
        }
        check_between(DateOf::Value, on, earliest, latest)
    }

    /// How much of a charge can be waived.
    fn waivable(&self, charge: Sequence) -> Result<i64, Refusal> {
        let found = self.state.charges.iter().find(|candidate| candidate.sequence == charge);
        let found = found.ok_or(Refusal::NoSuchCharge { charge })?;
        let row = self.state.installments.iter().find(|row| row.number == found.installment);
        let left = row.and_then(|row| row.outstanding().ok()).unwrap_or_default();
        let owed = match found.kind {
            ChargeKind::Fee => left.fees,
            ChargeKind::Penalty => left.penalties,
        };
        Ok(owed.min(found.amount.saturating_sub(found.waived)))
    }

    fn check_agreement(&self, agreement: &Reschedule) -> Result<(), Refusal> {
        let earliest = self.state.first_disbursed_on.unwrap_or(self.approved_on);
        let latest = self.state.matures_on().unwrap_or(self.today);
        check_between(DateOf::AgreedFrom, agreement.from, earliest, latest)?;
        let changes = agreement.first_due_on.is_some() || agreement.annual_rate.is_some();
        if !changes && agreement.extra_installments == 0 {
            return Err(Refusal::NothingOwed { what: "reschedule" });
        }
        let (min, max) = (Rate::ZERO, HIGHEST_RATE);
        if agreement.annual_rate.is_some_and(|rate| !(min..=max).contains(&rate)) {
            return Err(Refusal::RateOutOfRange { min, max });
        }
        match agreement.first_due_on {
            Some(first_due_on) => {
                let before = self.state.installments.iter().take_while(|row| row.due_on < agreement.from).last();
                let after = before.map_or(earliest, |row| row.due_on);
                let earliest = after.succ_opt().unwrap_or(after);
                check_between(DateOf::FirstDue, first_due_on, earliest, months_after(agreement.from))
            }
            None => Ok(()),
        }
    }
}

/// The name of an event's step in the API.
pub const fn step_name(event: &Event) -> &'static str {
    match event {
        Event::Disbursement { .. } => "DISBURSE",
        Event::Payment { .. } => "RECORD_REPAYMENT",
        Event::CreditRefund { .. } => "REFUND_CREDIT",
        Event::Charge { .. } => "ADD_CHARGE",
        Event::ChargeWaiver { .. } => "WAIVE_CHARGE",
        Event::InterestWaiver { .. } => "WAIVE_INTEREST",
        Event::ChargeOff => "CHARGE_OFF",
        Event::WriteOff => "WRITE_OFF",
        Event::Recovery { .. } => "RECORD_RECOVERY",
        Event::Reschedule(_) => "RESCHEDULE",
    }
}

fn months_after(day: NaiveDate) -> NaiveDate {
    day.checked_add_months(Months::new(MONTHS_TO_DUE)).unwrap_or(day)
}

fn check_between(of: DateOf, given: NaiveDate, earliest: NaiveDate, latest: NaiveDate) -> Result<(), Refusal> {
    if given < earliest || given > latest {
        return Err(Refusal::DateOutOfRange { of, earliest, latest });
    }
    Ok(())
}

fn check_amount(given: i64, max: i64, what: &'static str) -> Result<(), Refusal> {
    if max < 1 {
        return Err(Refusal::NothingOwed { what });
    }
    if given < 1 || given > max {
        return Err(Refusal::AmountOutOfRange { min: 1, max });
    }
    Ok(())
}
