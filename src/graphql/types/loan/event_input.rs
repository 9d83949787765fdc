//! Imagined events as callers send them: exactly one of the kinds, each with its own fields.

use async_graphql::{ID, InputObject, OneofObject};
use lending::loan::PaymentKind;

use crate::graphql::types::charge_terms::ChargeKind;
use crate::graphql::types::money::MoneyInput;
use crate::graphql::types::scalars::{Date, Decimal};
use crate::ids::{self, NodeId};
use crate::service::ServiceError;
use crate::service::loan_books::What;
use crate::service::loan_simulation::ImaginedEvent;
use crate::service::problem::{Problem, ProblemCode};

/// Something that could happen to a loan: exactly one of these.
#[derive(OneofObject)]
pub enum LoanEventInput {
    /// Money is paid out, the first time or as a further tranche.
    Disbursement(OptionalAmountInput),
    /// The borrower pays.
    Repayment(AmountEventInput),
    /// The lender pays for the borrower.
    GoodwillCredit(AmountEventInput),
    /// Credit is paid back to the borrower.
    CreditRefund(OptionalAmountInput),
    /// A charge is made.
    Charge(ChargeEventInput),
    /// A charge is waived.
    ChargeWaiver(ChargeWaiverEventInput),
    /// Interest is waived, that of the oldest installment first.
    InterestWaiver(OptionalAmountInput),
    /// The rest of the schedule is agreed anew.
    Reschedule(RescheduleEventInput),
    /// The loan is taken off the books; it stays collectable.
    ChargeOff(DayEventInput),
    /// The loan is given up.
    WriteOff(DayEventInput),
    /// Money comes in after the write-off.
    Recovery(AmountEventInput),
    /// A transaction is taken back.
    Reversal(ReversalEventInput),
}

/// An event that needs a day only.
#[derive(InputObject)]
pub struct DayEventInput {
    /// The value date.
    pub on: Date,
}

/// An event with an amount.
#[derive(InputObject)]
pub struct AmountEventInput {
    /// The value date.
    pub on: Date,
    /// How much, in the loan's currency.
    pub amount: MoneyInput,
}

/// An event whose amount can be left out.
#[derive(InputObject)]
pub struct OptionalAmountInput {
    /// The value date.
    pub on: Date,
    /// How much, in the loan's currency; if omitted, all there is: what is approved and not disbursed yet, all credit, all interest that is left.
    pub amount: Option<MoneyInput>,
}

/// A charge.
#[derive(InputObject)]
pub struct ChargeEventInput {
    /// The value date.
    pub on: Date,
    /// How much, in the loan's currency.
    pub amount: MoneyInput,
    /// Fee or penalty.
    pub kind: ChargeKind,
    /// The day it falls due; the value date if omitted.
    pub due_on: Option<Date>,
}

/// A waiver of a charge.
#[derive(InputObject)]
pub struct ChargeWaiverEventInput {
    /// The value date.
    pub on: Date,
    /// The transaction that made the charge.
    pub charge_id: ID,
    /// How much of it; all that is left if omitted.
    pub amount: Option<MoneyInput>,
}

/// A new agreement about the installments that are left; what is omitted stays as it is.
#[derive(InputObject)]
pub struct RescheduleEventInput {
    /// The value date.
    pub on: Date,
    /// Installments due on this day or later are concerned, and interest changes from it on; the value date if omitted.
    pub from: Option<Date>,
    /// The first of them falls due on this day instead, and the others follow from there.
    pub first_due_on: Option<Date>,
    /// The annual rate from then on, in percent with at most four decimals.
    pub annual_rate: Option<Decimal>,
    /// So many installments more.
    pub extra_installments: Option<i32>,
}

/// A transaction to take back.
#[derive(InputObject)]
pub struct ReversalEventInput {
    /// The day it is taken back on.
    pub on: Date,
    /// Which transaction of the loan.
    pub transaction_id: ID,
}

impl LoanEventInput {
    /// Reads the event that stands at a path of the input.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] for an id that is none, or of something else.
    pub fn read(self, path: &[&str]) -> Result<ImaginedEvent, ServiceError> {
        let of = |on: Date, what| ImaginedEvent { on: on.0, what };
        let pay = |input: AmountEventInput, kind| of(input.on, What::Pay { amount: input.amount.into(), kind });
        Ok(match self {
            Self::Disbursement(input) => of(input.on, What::Disburse { amount: input.amount.map(Into::into) }),
            Self::Repayment(input) => pay(input, PaymentKind::Repayment),
            Self::GoodwillCredit(input) => pay(input, PaymentKind::GoodwillCredit),
            Self::CreditRefund(input) => of(input.on, What::RefundCredit { amount: input.amount.map(Into::into) }),
            Self::Charge(input) => {
                let (amount, due_on) = (input.amount.into(), input.due_on.map(|date| date.0));
                of(input.on, What::Charge { amount, kind: input.kind.into(), due_on })
            }
            Self::ChargeWaiver(input) => {
                let charge = transaction(&input.charge_id, path, "chargeId")?;
                of(input.on, What::WaiveCharge { charge, amount: input.amount.map(Into::into) })
            }
            Self::InterestWaiver(input) => of(input.on, What::WaiveInterest { amount: input.amount.map(Into::into) }),
            Self::Reschedule(input) => of(
                input.on,
                What::Reschedule {
                    from: input.from.map(|date| date.0),
                    first_due_on: input.first_due_on.map(|date| date.0),
                    annual_rate: input.annual_rate.map(|rate| rate.0),
                    extra_installments: input.extra_installments,
                },
            ),
            Self::ChargeOff(input) => of(input.on, What::ChargeOff),
            Self::WriteOff(input) => of(input.on, What::WriteOff),
            Self::Recovery(input) => of(input.on, What::Recover { amount: input.amount.into() }),
            Self::Reversal(input) => {
                let transaction = transaction(&input.transaction_id, path, "transactionId")?;
                of(input.on, What::Reverse { transaction, reason: None })
            }
        })
    }
}

fn transaction(id: &ID, path: &[&str], field: &str) -> Result<uuid::Uuid, ServiceError> {
    NodeId::parse(id, ids::Kind::LoanTransaction).map_err(|error| {
        let path: Vec<&str> = path.iter().copied().chain([field]).collect();
        Problem::new(ProblemCode::InvalidId, &path, error.to_string()).into()
    })
}
