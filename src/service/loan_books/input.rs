//! What can be recorded on a loan, as callers send it, and its reading into an event. Whether the loan takes the event
//! is decided by `lending`; here only forms, currencies and defaults are looked at.

use chrono::NaiveDate;
use lending::loan::admission;
use lending::loan::conditions::Component;
use lending::loan::{ChargeKind, Event, LoanState, PaymentKind, Reschedule, Sequence};
use lending::money::Currency;
use serde::Serialize;
use uuid::Uuid;

use super::Books;
use crate::auth::policy::Action;
use crate::service::check::{AmountInput, Check};
use crate::service::error::ServiceError;
use crate::service::problem::{Problem, ProblemCode};

const REASON_LENGTH: usize = 500;
const REFERENCE_LENGTH: usize = 100;

/// Something to record on a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The caller's key; the same key with the same input is the same record.
    #[serde(skip)]
    pub idempotency_key: String,
    /// Which loan.
    pub loan: Uuid,
    /// The value date; the day of the books when missing.
    pub on: Option<NaiveDate>,
    /// What happened.
    pub what: What,
    /// The id in another system, unique for the loan.
    pub external_ref: Option<String>,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

/// What can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum What {
    /// Money was paid out; everything approved and not paid out yet if no amount is named.
    Disburse {
        /// How much.
        amount: Option<AmountInput>,
    },
    /// The disbursement is taken back, as long as nothing rests on it.
    UndoDisbursement {
        /// Why.
        reason: Option<String>,
    },
    /// Money came in.
    Pay {
        /// How much.
        amount: AmountInput,
        /// From whom.
        kind: PaymentKind,
    },
    /// A transaction is as if it had never been.
    Reverse {
        /// Which one.
        transaction: Uuid,
        /// Why.
        reason: Option<String>,
    },
    /// A charge.
    Charge {
        /// How much.
        amount: AmountInput,
        /// Fee or penalty.
        kind: ChargeKind,
        /// When it is due; on the value date when missing.
        due_on: Option<NaiveDate>,
    },
    /// A charge is waived; all that is left of it if no amount is named.
    WaiveCharge {
        /// The charge's transaction.
        charge: Uuid,
        /// How much.
        amount: Option<AmountInput>,
    },
    /// Interest is waived; all that is left if no amount is named.
    WaiveInterest {
        /// How much.
        amount: Option<AmountInput>,
    },
    /// Credit is paid back; all of it if no amount is named.
    RefundCredit {
        /// How much.
        amount: Option<AmountInput>,
    },
    /// The rest is agreed anew.
    Reschedule {
        /// From which day on; the value date when missing.
        from: Option<NaiveDate>,
        /// The first due date from then on.
        first_due_on: Option<NaiveDate>,
        /// The annual rate in percent from then on.
        annual_rate: Option<String>,
        /// So many installments more.
        extra_installments: Option<i32>,
    },
    /// Taken off the books.
    ChargeOff,
    /// Given up.
    WriteOff,
    /// Money after it was given up.
    Recover {
        /// How much.
        amount: AmountInput,
    },
}

impl What {
    /// What the caller must be allowed to do.
    pub(super) const fn action(&self) -> Action {
        match self {
            Self::Disburse { .. } => Action::DisburseLoan,
            Self::UndoDisbursement { .. } => Action::UndoDisbursement,
            Self::Pay { kind: PaymentKind::Repayment, .. } => Action::RecordRepayment,
            Self::Pay { kind: PaymentKind::GoodwillCredit, .. } => Action::GrantGoodwill,
            Self::Reverse { .. } => Action::ReverseTransaction,
            Self::Charge { .. } => Action::AddLoanCharge,
            Self::WaiveCharge { .. } | Self::WaiveInterest { .. } => Action::WaiveLoanCharge,
            Self::RefundCredit { .. } => Action::RefundCredit,
            Self::Reschedule { .. } => Action::RescheduleLoan,
            Self::ChargeOff => Action::ChargeOffLoan,
            Self::WriteOff => Action::WriteOffLoan,
            Self::Recover { .. } => Action::RecordRecovery,
        }
    }

    /// The mutation's name, which is part of the idempotency key.
    pub(super) const fn operation(&self) -> &'static str {
        match self {
            Self::Disburse { .. } => "disburseLoan",
            Self::UndoDisbursement { .. } => "undoDisbursement",
            Self::Pay { .. } => "recordRepayment",
            Self::Reverse { .. } => "reverseTransaction",
            Self::Charge { .. } => "addLoanCharge",
            Self::WaiveCharge { .. } => "waiveLoanCharge",
            Self::WaiveInterest { .. } => "waiveInterest",
            Self::RefundCredit { .. } => "refundCredit",
            Self::Reschedule { .. } => "rescheduleLoan",
            Self::ChargeOff => "chargeOffLoan",
            Self::WriteOff => "writeOffLoan",
            Self::Recover { .. } => "recordRecovery",
        }
    }

    /// The step it tries, by its name in the API.
    pub(super) const fn attempted(&self) -> &'static str {
        match self {
            Self::Disburse { .. } => "DISBURSE",
            Self::UndoDisbursement { .. } => "UNDO_DISBURSEMENT",
            Self::Pay { .. } => "RECORD_REPAYMENT",
            Self::Reverse { .. } => "REVERSE",
            Self::Charge { .. } => "ADD_CHARGE",
            Self::WaiveCharge { .. } => "WAIVE_CHARGE",
            Self::WaiveInterest { .. } => "WAIVE_INTEREST",
            Self::RefundCredit { .. } => "REFUND_CREDIT",
            Self::Reschedule { .. } => "RESCHEDULE",
            Self::ChargeOff => "CHARGE_OFF",
            Self::WriteOff => "WRITE_OFF",
            Self::Recover { .. } => "RECORD_RECOVERY",
        }
    }
}

/// A change of a loan's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HistoryChange {
    /// One event more.
    Add(Event),
    /// One transaction less.
    Reverse {
        /// Which one.
        sequence: Sequence,
        /// Why.
        reason: Option<String>,
    },
}

/// Reads what is to be recorded, on a value date, for a loan as it is.
pub(super) fn read(books: &Books, what: &What, on: NaiveDate) -> Result<HistoryChange, ServiceError> {
    let mut check = Check::default();
    let change = match what {
        What::UndoDisbursement { reason } => {
            let reason = reason_of(&mut check, reason.as_deref());
            let sequence = books.only_disbursement()?;
            Some(HistoryChange::Reverse { sequence, reason })
        }
        What::Reverse { transaction, reason } => {
            let reason = reason_of(&mut check, reason.as_deref());
            let sequence = books.reversible(*transaction)?;
            Some(HistoryChange::Reverse { sequence, reason })
        }
        other => event(&mut check, books, other, on)?.map(HistoryChange::Add),
    };
    check.finish()?;
    change.ok_or(ServiceError::BadInput)
}

fn event(check: &mut Check, books: &Books, what: &What, on: NaiveDate) -> Result<Option<Event>, ServiceError> {
    let (currency, state) = (books.currency(), &books.state);
    let mut amount = |input: &AmountInput| minor(check, input, currency);
    Ok(match what {
        What::Disburse { amount: given } => {
            let all = books.approved().saturating_sub(state.disbursed);
            or_all(given.as_ref(), all, &mut amount).map(|amount| Event::Disbursement { amount })
        }
        What::Pay { amount: given, kind } => amount(given).map(|amount| Event::Payment { amount, payment: *kind }),
        What::Charge { amount: given, kind, due_on } => amount(given).map(|amount| Event::Charge {
            amount,
            charge: *kind,
            due_on: due_on.unwrap_or(on),
            late_for: None,
        }),
        What::WaiveCharge { charge, amount: given } => {
            let charge = books.sequence_of(*charge, "chargeId")?;
            or_all(given.as_ref(), left_of_charge(state, charge), &mut amount)
                .map(|amount| Event::ChargeWaiver { charge, amount })
        }
        What::WaiveInterest { amount: given } => {
            let all = state.outstanding().map_err(ServiceError::from)?.of(Component::Interest);
            or_all(given.as_ref(), all, &mut amount).map(|amount| Event::InterestWaiver { amount })
        }
        What::RefundCredit { amount: given } => or_all(given.as_ref(), admission::refundable(state, on), &mut amount)
            .map(|amount| Event::CreditRefund { amount }),
        What::Recover { amount: given } => amount(given).map(|amount| Event::Recovery { amount }),
        What::ChargeOff => Some(Event::ChargeOff),
        What::WriteOff => Some(Event::WriteOff),
        What::Reschedule { from, first_due_on, annual_rate, extra_installments } => {
            let annual_rate = match annual_rate {
                Some(percent) => match check.rate(&["input", "annualRate"], percent) {
                    Some(rate) => Some(rate),
                    None => return Ok(None),
                },
                None => None,
            };
            let extra = match extra_installments {
                Some(0) | None => 0,
                Some(number) => match check.positive(&["input", "extraInstallments"], *number) {
                    Some(extra) => extra,
                    None => return Ok(None),
                },
            };
            Some(Event::Reschedule(Reschedule {
                from: from.unwrap_or(on),
                first_due_on: *first_due_on,
                annual_rate,
                extra_installments: extra,
            }))
        }
        What::UndoDisbursement { .. } | What::Reverse { .. } => None,
    })
}

fn minor(check: &mut Check, input: &AmountInput, currency: Currency) -> Option<i64> {
    check.money_in(&["input", "amount"], input, currency).map(|money| money.minor())
}

fn or_all(given: Option<&AmountInput>, all: i64, read: &mut impl FnMut(&AmountInput) -> Option<i64>) -> Option<i64> {
    match given {
        Some(input) => read(input),
        None => Some(all),
    }
}

fn left_of_charge(state: &LoanState, charge: Sequence) -> i64 {
    let found = state.charges.iter().find(|candidate| candidate.sequence == charge);
    found.map_or(0, |charge| {
        let row = state.installments.iter().find(|row| row.number == charge.installment);
        let left = row.and_then(|row| row.outstanding().ok()).unwrap_or_default();
        let owed = match charge.kind {
            ChargeKind::Fee => left.fees,
            ChargeKind::Penalty => left.penalties,
        };
        owed.min(charge.amount.saturating_sub(charge.waived))
    })
}

fn reason_of(check: &mut Check, reason: Option<&str>) -> Option<String> {
    check.optional_text(&["input", "reason"], reason, REASON_LENGTH)
}

/// Reads the id in another system.
pub(super) fn external_ref(input: &Record) -> Result<Option<String>, ServiceError> {
    let mut check = Check::default();
    let reference = check.optional_text(&["input", "externalRef"], input.external_ref.as_deref(), REFERENCE_LENGTH);
    check.finish()?;
    Ok(reference)
}

/// A refusal of `lending`, as a problem with the numbers that help.
pub(super) fn refused(books: &Books, refusal: &admission::Refusal) -> Problem {
    use admission::{DateOf, Refusal};

    use crate::service::problem::Detail;
    let message = refusal.to_string();
    let money = |minor| lending::money::Money::new(minor, books.currency());
    match refusal {
        Refusal::DateOutOfRange { of, earliest, latest } => {
            let field = match of {
                DateOf::Value => "on",
                DateOf::ChargeDue => "dueOn",
                DateOf::AgreedFrom => "from",
                DateOf::FirstDue => "firstDueOn",
            };
            // A day that can be no day at all: the loan had to be there before the range ends.
            let message = if earliest > latest {
                format!("No date is possible: it may not be before {earliest}, nor after {latest}.")
            } else {
                message
            };
            Problem::new(ProblemCode::DateOutOfRange, &["input", field], message)
                .with(Detail::Date { earliest: Some(*earliest), latest: Some(*latest) })
        }
        Refusal::AmountOutOfRange { min, max } => {
            let (min, max) = (money(*min), money(*max));
            let message = format!("Choose an amount from {min} to {max}.");
            Problem::new(ProblemCode::AmountOutOfRange, &["input", "amount"], message)
                .with(Detail::Amount { min: Some(min), max: Some(max) })
        }
        Refusal::RateOutOfRange { .. } => Problem::new(ProblemCode::RateOutOfRange, &["input", "annualRate"], message),
        Refusal::WrongStanding { attempted } => books.wrong_status(attempted),
        Refusal::NoSuchCharge { .. } => Problem::not_found(&["input", "chargeId"], "charge of this loan"),
        Refusal::NothingOwed { .. } => Problem::new(ProblemCode::NothingToDo, &["input"], message),
        Refusal::AlreadyReversed { .. } => {
            Problem::new(ProblemCode::AlreadyReversed, &["input", "transactionId"], message)
        }
        Refusal::StillNeeded { .. } => Problem::new(ProblemCode::StillNeeded, &["input", "transactionId"], message),
    }
}
