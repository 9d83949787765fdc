//! Imagined events as callers send them, and their reading into what the fold knows. Only forms, currencies and
//! defaults are looked at here.

use chrono::NaiveDate;
use lending::loan::conditions::Component;
use lending::loan::{ChargeKind, Event, FoldError, LoanState, PaymentKind, Reschedule, Sequence};
use uuid::Uuid;

use crate::service::check::{AmountInput, Check};
use crate::service::problem::Problem;

/// An imagined event with its value date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImaginedEvent {
    /// The value date.
    pub on: NaiveDate,
    /// What would happen.
    pub what: Imagined,
}

/// What can be imagined to happen to a loan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imagined {
    /// Money is paid out; everything approved and not paid out yet if no amount is named.
    Disburse {
        /// How much.
        amount: Option<AmountInput>,
    },
    /// Money comes in.
    Pay {
        /// How much.
        amount: AmountInput,
        /// From whom.
        kind: PaymentKind,
    },
    /// Credit is paid back; all of it if no amount is named.
    RefundCredit {
        /// How much.
        amount: Option<AmountInput>,
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
    /// A charge of the loan is waived; all that is left of it if no amount is named.
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
    /// A transaction is as if it had never been.
    Reverse {
        /// Which one.
        transaction: Uuid,
    },
}

/// What an event does to a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// One event more.
    Add(Event),
    /// One transaction less.
    Reverse(Sequence),
}

/// What an event is read against.
pub(super) struct Reading<'a> {
    /// The loan before the event.
    pub state: &'a LoanState,
    /// What may still be paid out.
    pub undisbursed: i64,
    /// The loan's transactions by id.
    pub ids: &'a [(Uuid, Sequence)],
    /// Where in the input the event stands.
    pub path: &'a [&'a str],
}

impl Reading<'_> {
    /// Reads an event, or notes what is wrong with it.
    pub(super) fn read(&self, check: &mut Check, event: &ImaginedEvent) -> Result<Option<Step>, FoldError> {
        let read = match &event.what {
            Imagined::Disburse { amount } => {
                self.or_all(check, amount.as_ref(), self.undisbursed).map(|amount| Event::Disbursement { amount })
            }
            Imagined::Pay { amount, kind } => {
                self.amount(check, amount).map(|amount| Event::Payment { amount, payment: *kind })
            }
            Imagined::RefundCredit { amount } => {
                self.or_all(check, amount.as_ref(), self.state.credit).map(|amount| Event::CreditRefund { amount })
            }
            Imagined::Charge { amount, kind, due_on } => self.amount(check, amount).map(|amount| Event::Charge {
                amount,
                charge: *kind,
                due_on: due_on.unwrap_or(event.on),
                late_for: None,
            }),
            Imagined::WaiveCharge { charge, amount } => {
                let Some(charge) = self.sequence(check, *charge, "chargeId", "charge of this loan") else {
                    return Ok(None);
                };
                let left = self.left_of_charge(charge)?;
                self.or_all(check, amount.as_ref(), left).map(|amount| Event::ChargeWaiver { charge, amount })
            }
            Imagined::WaiveInterest { amount } => {
                let left = self.state.outstanding()?.of(Component::Interest);
                self.or_all(check, amount.as_ref(), left).map(|amount| Event::InterestWaiver { amount })
            }
            Imagined::Reschedule { .. } => self.reschedule(check, event),
            Imagined::ChargeOff => Some(Event::ChargeOff),
            Imagined::WriteOff => Some(Event::WriteOff),
            Imagined::Recover { amount } => self.amount(check, amount).map(|amount| Event::Recovery { amount }),
            Imagined::Reverse { transaction } => {
                let found = self.sequence(check, *transaction, "transactionId", "transaction of this loan");
                return Ok(found.map(Step::Reverse));
            }
        };
        Ok(read.map(Step::Add))
    }

    fn at<'a>(&'a self, field: &'a str) -> Vec<&'a str> {
        self.path.iter().copied().chain([field]).collect()
    }

    fn amount(&self, check: &mut Check, input: &AmountInput) -> Option<i64> {
        check.money_in(&self.at("amount"), input, self.state.currency).map(|money| money.minor())
    }

    fn or_all(&self, check: &mut Check, input: Option<&AmountInput>, all: i64) -> Option<i64> {
        match input {
            Some(input) => self.amount(check, input),
            None => Some(all),
        }
    }

    fn sequence(&self, check: &mut Check, id: Uuid, field: &str, noun: &str) -> Option<Sequence> {
        let found = self.ids.iter().find(|(known, _)| *known == id).map(|(_, sequence)| *sequence);
        if found.is_none() {
            check.note(Problem::not_found(&self.at(field), noun));
        }
        found
    }

    fn left_of_charge(&self, sequence: Sequence) -> Result<i64, FoldError> {
        let Some(charge) = self.state.charges.iter().find(|charge| charge.sequence == sequence) else { return Ok(0) };
        let row = self.state.installments.iter().find(|row| row.number == charge.installment);
        let left = row.map(lending::loan::Installment::outstanding).transpose()?.unwrap_or_default();
        let owed = match charge.kind {
            ChargeKind::Fee => left.fees,
            ChargeKind::Penalty => left.penalties,
        };
        Ok(owed.min(charge.amount.saturating_sub(charge.waived)))
    }

    fn reschedule(&self, check: &mut Check, event: &ImaginedEvent) -> Option<Event> {
        let Imagined::Reschedule { from, first_due_on, annual_rate, extra_installments } = &event.what else {
            return None;
        };
        let annual_rate = match annual_rate {
            Some(percent) => Some(check.rate(&self.at("annualRate"), percent)?),
            None => None,
        };
        let extra_installments = match extra_installments {
            Some(0) | None => 0,
            Some(number) => check.positive(&self.at("extraInstallments"), *number)?,
        };
        Some(Event::Reschedule(Reschedule {
            from: from.unwrap_or(event.on),
            first_due_on: *first_due_on,
            annual_rate,
            extra_installments,
        }))
    }
}
