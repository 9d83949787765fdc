//! A loan's transactions: what was recorded, by whom, and what it did.

use async_graphql::{Enum, ID, Object, Result, SimpleObject};
use lending::loan::{Effect, Portions, Share};
use lending::money::Currency;
use uuid::Uuid;

use super::balances::{Balances, money};
use crate::graphql::types::allocation::{Component, DueState};
use crate::graphql::types::id::id;
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::{Date, DateTime};
use crate::ids::Kind;
use crate::service::loan_views::{LoanView, RecordedTransaction};

/// What kind of transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::TransactionKind")]
pub enum TransactionKind {
    /// Money paid out.
    Disbursement,
    /// A payment by the borrower.
    Repayment,
    /// A payment by the lender.
    GoodwillCredit,
    /// Credit paid back to the borrower.
    CreditRefund,
    /// A charge.
    Charge,
    /// A waiver of a charge or of interest.
    Waiver,
    /// Taken off the books; the loan stays collectable.
    ChargeOff,
    /// Given up.
    WriteOff,
    /// Money that came in after the write-off.
    Recovery,
    /// The rest of the schedule agreed anew.
    Reschedule,
}

/// Something that was recorded on a loan. It is never changed; what it did may be, when an earlier one is recorded late or reversed.
#[derive(Clone)]
pub struct LoanTransaction {
    recorded: RecordedTransaction,
    effect: Option<Effect>,
    currency: Currency,
}

impl LoanTransaction {
    /// A transaction of a loan, with what it did by the view's day.
    pub fn of(view: &LoanView, recorded: &RecordedTransaction) -> Self {
        Self {
            recorded: recorded.clone(),
            effect: view.effect(recorded).cloned(),
            currency: view.record.terms.principal.currency(),
        }
    }

    /// The transaction of a loan with an id.
    pub fn find(view: &LoanView, id: Uuid) -> Option<Self> {
        view.history.iter().find(|one| one.id == id).map(|recorded| Self::of(view, recorded))
    }

    fn money(&self, minor: i64) -> Money {
        money(minor, self.currency)
    }
}

/// Something that was recorded on a loan. It is never changed; what it did may be, when an earlier one is recorded late or reversed.
#[Object]
impl LoanTransaction {
    /// The id, such as "loantx_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::LoanTransaction, self.recorded.id)
    }

    /// Its place in the order in which the loan's transactions were recorded: 1, 2, 3, …
    fn sequence(&self) -> u32 {
        self.recorded.transaction.sequence
    }

    /// What kind of transaction it is.
    fn kind(&self) -> TransactionKind {
        self.recorded.transaction.event.kind().into()
    }

    /// How much it came to: what was paid, charged, disbursed; for a waiver what there was to waive, for a charge-off or a write-off what was owed, for a rescheduling the principal it is about. Of a reversed one, what it was recorded with.
    fn amount(&self) -> Money {
        let recorded = self.recorded.transaction.event.amount().unwrap_or(0);
        self.money(self.effect.as_ref().map_or(recorded, |effect| effect.amount))
    }

    /// The value date: the day it counts from.
    fn on(&self) -> Date {
        Date(self.recorded.transaction.on)
    }

    /// When it was recorded.
    fn recorded_at(&self) -> DateTime {
        DateTime(self.recorded.recorded_at)
    }

    /// The subject of whoever recorded it.
    fn recorded_by(&self) -> &str {
        &self.recorded.recorded_by
    }

    /// The id in another system.
    fn external_ref(&self) -> Option<&str> {
        self.recorded.external_ref.as_deref()
    }

    /// When it was reversed; null while it stands.
    fn reversed_at(&self) -> Option<DateTime> {
        self.recorded.reversal.as_ref().map(|reversal| DateTime(reversal.reversed_at))
    }

    /// The business date of its reversal; null while it stands.
    fn reversed_on(&self) -> Option<Date> {
        self.recorded.reversal.as_ref().map(|reversal| Date(reversal.on))
    }

    /// The subject of whoever reversed it; null while it stands.
    fn reversed_by(&self) -> Option<&str> {
        self.recorded.reversal.as_ref().map(|reversal| reversal.reversed_by.as_str())
    }

    /// Why it was reversed, if a reason was given.
    fn reversal_reason(&self) -> Option<&str> {
        self.recorded.reversal.as_ref().and_then(|reversal| reversal.reason.as_deref())
    }

    /// Its split: what was paid, waived, charged, disbursed or given up of each; nothing of a reversed one.
    fn portions(&self) -> Result<Balances> {
        let portions = self.effect.as_ref().map_or(Portions::ZERO, |effect| effect.portions);
        Balances::of(&portions, self.currency)
    }

    /// What of it became the borrower's credit; below nothing when it came out of the credit.
    fn to_credit(&self) -> Money {
        self.money(self.effect.as_ref().map_or(0, |effect| effect.to_credit))
    }

    /// The principal owed after it; null when it was reversed.
    fn balance_after(&self) -> Option<Money> {
        self.effect.as_ref().map(|effect| self.money(effect.balance_after))
    }

    /// Where every cent went, and by which rule; empty when it was reversed.
    fn allocations(&self) -> Vec<TransactionAllocation> {
        let shares = self.effect.iter().flat_map(|effect| &effect.shares);
        shares.map(|share| TransactionAllocation::of(share, self.currency)).collect()
    }
}

/// A part of a transaction, and why it went where it went.
#[derive(Debug, Clone, SimpleObject)]
pub struct TransactionAllocation {
    /// The number of the installment.
    pub installment: u32,
    /// The part of the installment.
    pub component: Component,
    /// How much.
    pub amount: Money,
    /// How the installment's due date lay to the transaction's day.
    pub state: DueState,
    /// The place, counted from 0, in the loan's order or among its rules that sent it there; null where neither did, as in a waiver.
    pub rule: Option<u32>,
}

impl TransactionAllocation {
    /// A share of a transaction in its currency.
    pub fn of(share: &Share, currency: Currency) -> Self {
        Self {
            installment: share.installment,
            component: share.component.into(),
            amount: money(share.amount, currency),
            state: share.state.into(),
            rule: share.rule,
        }
    }
}
