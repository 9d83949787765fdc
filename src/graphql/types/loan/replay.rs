//! What recording something changed about earlier transactions of the loan.

use async_graphql::{Enum, Result, SimpleObject};
use lending::money::Currency;

use super::balances::Balances;
use super::transaction::{LoanTransaction, TransactionAllocation};
use crate::service::loan_books::ReplayedTransaction as Replayed;
use crate::service::loan_views::LoanView;

/// Who paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
#[graphql(remote = "lending::loan::PaymentKind")]
pub enum PaymentKind {
    /// The borrower.
    #[default]
    Repayment,
    /// The lender, as goodwill.
    GoodwillCredit,
}

/// What recording something changed about earlier transactions: the loan was worked out anew from its beginning.
#[derive(SimpleObject)]
pub struct ReplayReport {
    /// The transactions that are split otherwise now, or went to other installments, in the order they were recorded.
    pub changed: Vec<ReplayedTransaction>,
}

/// An earlier transaction that changed.
#[derive(SimpleObject)]
pub struct ReplayedTransaction {
    /// The transaction as it now is.
    pub transaction: LoanTransaction,
    /// Its split before.
    pub before: Balances,
    /// Its split now.
    pub after: Balances,
    /// Where its cents went before.
    pub allocations_before: Vec<TransactionAllocation>,
    /// Where they go now.
    pub allocations_after: Vec<TransactionAllocation>,
}

impl ReplayReport {
    /// The report; `None` when nothing changed.
    pub fn of(view: &LoanView, replay: &[Replayed]) -> Result<Option<Self>> {
        let currency = view.record.terms.principal.currency();
        let changed: Vec<_> = replay
            .iter()
            .filter_map(|replayed| {
                let transaction = LoanTransaction::find(view, replayed.transaction)?;
                Some(replayed_transaction(transaction, replayed, currency))
            })
            .collect::<Result<_>>()?;
        Ok((!changed.is_empty()).then_some(Self { changed }))
    }
}

fn replayed_transaction(
    transaction: LoanTransaction,
    replayed: &Replayed,
    currency: Currency,
) -> Result<ReplayedTransaction> {
    let change = &replayed.change;
    let allocations = |shares: &[lending::loan::Share]| {
        shares.iter().map(|share| TransactionAllocation::of(share, currency)).collect()
    };
    Ok(ReplayedTransaction {
        transaction,
        before: Balances::of(&change.before, currency)?,
        after: Balances::of(&change.after, currency)?,
        allocations_before: allocations(&change.shares_before),
        allocations_after: allocations(&change.shares_after),
    })
}
