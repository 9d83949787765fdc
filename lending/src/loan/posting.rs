//! What the journal needs when a loan's history has changed: an entry that no longer holds is mirrored and posted
//! anew, income that is earned and not booked is accrued. A comparison of two states, nothing more; who writes it down
//! and under which date is not decided here.

use chrono::NaiveDate;

use super::error::FoldError;
use super::event::Sequence;
use super::portions::Portions;
use super::state::{Effect, LoanState, Share};
use crate::ledger::{Account, Entry, Side};

/// What is to be done about one transaction's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebooking {
    /// The transaction.
    pub sequence: Sequence,
    /// The mirror of the entry that stands now.
    pub mirror: Option<Entry>,
    /// The entry that is to stand.
    pub post: Option<Entry>,
}

/// An earlier transaction of which a replay changed the split, or the installments it went to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The transaction.
    pub sequence: Sequence,
    /// Its split before.
    pub before: Portions,
    /// What of it was credit before.
    pub credit_before: i64,
    /// Its split now.
    pub after: Portions,
    /// What of it is credit now.
    pub credit_after: i64,
    /// Where its cents went before.
    pub shares_before: Vec<Share>,
    /// Where they go now.
    pub shares_after: Vec<Share>,
}

/// What became different between two states of one loan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// The entries to mirror and to post, in the order of the transactions.
    pub rebooked: Vec<Rebooking>,
    /// The earlier transactions that changed, in the order of the transactions.
    pub replayed: Vec<Replayed>,
}

/// Compares the loan before a change of its history with the loan after it.
pub fn difference(before: &LoanState, after: &LoanState) -> Difference {
    let mut found = Difference::default();
    let mut sequences: Vec<Sequence> =
        before.effects.iter().chain(&after.effects).map(|effect| effect.sequence).collect();
    sequences.sort_unstable();
    sequences.dedup();
    for sequence in sequences {
        match (effect_of(before, sequence), effect_of(after, sequence)) {
            (Some(old), Some(new)) => compare(old, new, &mut found),
            (Some(old), None) => found.rebook(sequence, Some(&old.entry), None),
            (None, Some(new)) => found.rebook(sequence, None, Some(&new.entry)),
            (None, None) => {}
        }
    }
    found
}

fn effect_of(state: &LoanState, sequence: Sequence) -> Option<&Effect> {
    state.effects.iter().find(|effect| effect.sequence == sequence)
}

fn compare(old: &Effect, new: &Effect, found: &mut Difference) {
    if old.entry != new.entry {
        found.rebook(old.sequence, Some(&old.entry), Some(&new.entry));
    }
    if old.portions != new.portions || old.to_credit != new.to_credit || !same_shares(&old.shares, &new.shares) {
        found.replayed.push(Replayed {
            sequence: old.sequence,
            before: old.portions,
            credit_before: old.to_credit,
            after: new.portions,
            credit_after: new.to_credit,
            shares_before: old.shares.clone(),
            shares_after: new.shares.clone(),
        });
    }
}

/// The same amounts of the same parts of the same installments, by whatever rule.
fn same_shares(old: &[Share], new: &[Share]) -> bool {
    let what = |share: &Share| (share.installment, share.component, share.amount);
    old.iter().map(what).eq(new.iter().map(what))
}

impl Difference {
    fn rebook(&mut self, sequence: Sequence, old: Option<&Entry>, new: Option<&Entry>) {
        let mirror = old.filter(|entry| !entry.is_empty()).map(Entry::mirror);
        let post = new.filter(|entry| !entry.is_empty()).cloned();
        if mirror.is_some() || post.is_some() {
            self.rebooked.push(Rebooking { sequence, mirror, post });
        }
    }
}

/// The entry that brings the income booked of a loan to what is earned: by `through`, the last day whose accounts are
/// closed, or else only what was paid or waived already. Empty when nothing is missing.
///
/// # Errors
/// [`FoldError::Overflow`].
pub fn accrual(state: &LoanState, booked: &Portions, through: Option<NaiveDate>) -> Result<Entry, FoldError> {
    let missing = state.earned(through.unwrap_or(NaiveDate::MIN))?.minus(booked)?;
    Entry::new([
        (Account::InterestReceivable, Side::Debit, missing.interest),
        (Account::InterestIncome, Side::Credit, missing.interest),
        (Account::FeesReceivable, Side::Debit, missing.fees),
        (Account::FeeIncome, Side::Credit, missing.fees),
        (Account::PenaltiesReceivable, Side::Debit, missing.penalties),
        (Account::PenaltyIncome, Side::Credit, missing.penalties),
    ])
    .map_err(|_| FoldError::Overflow)
}
