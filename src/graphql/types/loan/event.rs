//! What happened to a loan, from the application on: its lifecycle and its transactions as one list.

use async_graphql::{Enum, SimpleObject};
use chrono::NaiveDate;
use lending::loan::{Lifecycle, Standing, TransactionKind};

use super::transaction::LoanTransaction;
use crate::graphql::types::scalars::{Date, DateTime};
use crate::service::loan_views::LoanView;

/// What happened to a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum LoanEventKind {
    /// It was applied for.
    Applied,
    /// The lender agreed.
    Approved,
    /// The lender refused.
    Rejected,
    /// The borrower gave up.
    Withdrawn,
    /// Money was paid out.
    Disbursed,
    /// The borrower paid.
    Paid,
    /// The lender paid for the borrower.
    GoodwillCredited,
    /// Credit was paid back.
    CreditRefunded,
    /// A charge was made.
    Charged,
    /// A charge or interest was waived.
    Waived,
    /// The rest of the schedule was agreed anew.
    Rescheduled,
    /// It was taken off the books.
    ChargedOff,
    /// It was given up.
    WrittenOff,
    /// Money came in after it was given up.
    Recovered,
    /// A transaction was taken back.
    Reversed,
    /// It counts as defaulted from this day on.
    Defaulted,
    /// Nothing is owed any more from this day on.
    Repaid,
}

impl From<TransactionKind> for LoanEventKind {
    fn from(kind: TransactionKind) -> Self {
        match kind {
            TransactionKind::Disbursement => Self::Disbursed,
            TransactionKind::Repayment => Self::Paid,
            TransactionKind::GoodwillCredit => Self::GoodwillCredited,
            TransactionKind::CreditRefund => Self::CreditRefunded,
            TransactionKind::Charge => Self::Charged,
            TransactionKind::Waiver => Self::Waived,
            TransactionKind::ChargeOff => Self::ChargedOff,
            TransactionKind::WriteOff => Self::WrittenOff,
            TransactionKind::Recovery => Self::Recovered,
            TransactionKind::Reschedule => Self::Rescheduled,
        }
    }
}

/// Something that happened to a loan.
#[derive(Clone, SimpleObject)]
pub struct LoanEvent {
    /// What happened.
    pub kind: LoanEventKind,
    /// The business date it happened on.
    pub on: Date,
    /// When it was recorded; null where only the day is known.
    pub recorded_at: Option<DateTime>,
    /// The subject of whoever recorded it; null for what follows from time or from other events.
    pub by: Option<String>,
    /// Why, if a reason was given.
    pub reason: Option<String>,
    /// The transaction that was recorded, or that was taken back.
    pub transaction: Option<LoanTransaction>,
}

/// The place of an event: its day, what comes first on one day, and the transaction it is about.
pub type EventKey = (NaiveDate, u8, u32);

impl LoanEvent {
    fn plain(kind: LoanEventKind, on: NaiveDate, by: Option<&str>) -> Self {
        Self { kind, on: Date(on), recorded_at: None, by: by.map(str::to_owned), reason: None, transaction: None }
    }

    /// Everything that happened to a loan by the view's day, first to last.
    pub fn all(view: &LoanView) -> Vec<(EventKey, Self)> {
        let mut events = of_lifecycle(view);
        for recorded in view.until_day() {
            let transaction = LoanTransaction::of(view, recorded);
            let (on, sequence) = (recorded.transaction.on, recorded.transaction.sequence);
            let kind = recorded.transaction.event.kind().into();
            events.push((
                (on, 3, sequence),
                Self {
                    recorded_at: Some(DateTime(recorded.recorded_at)),
                    transaction: Some(transaction.clone()),
                    ..Self::plain(kind, on, Some(&recorded.recorded_by))
                },
            ));
            if let Some(reversal) = &recorded.reversal {
                events.push((
                    (reversal.on, 4, sequence),
                    Self {
                        recorded_at: Some(DateTime(reversal.reversed_at)),
                        reason: reversal.reason.clone(),
                        transaction: Some(transaction),
                        ..Self::plain(LoanEventKind::Reversed, reversal.on, Some(&reversal.reversed_by))
                    },
                ));
            }
        }
        match view.state.standing {
            Standing::Defaulted { on } => events.push(((on, 5, 0), Self::plain(LoanEventKind::Defaulted, on, None))),
            Standing::Repaid { on } => events.push(((on, 5, 0), Self::plain(LoanEventKind::Repaid, on, None))),
            Standing::NotDisbursed | Standing::Active | Standing::WrittenOff { .. } => {}
        }
        events.sort_by_key(|(key, _)| *key);
        events
    }
}

/// The application and the decisions about it.
fn of_lifecycle(view: &LoanView) -> Vec<(EventKey, LoanEvent)> {
    let lifecycle = &view.record.state;
    let application = lifecycle.application();
    let applied = LoanEvent {
        recorded_at: Some(DateTime(view.record.created_at)),
        ..LoanEvent::plain(LoanEventKind::Applied, application.applied_on, Some(&application.applied_by))
    };
    let mut events = vec![((application.applied_on, 0, 0), applied)];
    if let Some(approval) = lifecycle.approval() {
        let approved = LoanEvent::plain(LoanEventKind::Approved, approval.on, Some(&approval.by));
        events.push(((approval.on, 1, 0), approved));
    }
    let decision = match lifecycle {
        Lifecycle::Rejected { rejection, .. } => Some((LoanEventKind::Rejected, rejection)),
        Lifecycle::Withdrawn { withdrawal, .. } => Some((LoanEventKind::Withdrawn, withdrawal)),
        _ => None,
    };
    if let Some((kind, decision)) = decision {
        let event =
            LoanEvent { reason: decision.reason.clone(), ..LoanEvent::plain(kind, decision.on, Some(&decision.by)) };
        events.push(((decision.on, 2, 0), event));
    }
    events
}
