//! What a loan is on a day: installments, balances, credit, and an account of every cent and every day of interest.
//! It is only ever made by [`Loan::fold`](super::Loan::fold), and only read from here.

use chrono::NaiveDate;

use super::charges::ChargeKind;
use super::conditions::{Component, DueState};
use super::error::FoldError;
use super::event::{Sequence, TransactionKind};
use super::portions::Portions;
use crate::ledger::Entry;
use crate::money::Currency;
use crate::rate::Rate;

/// A loan on a day. All amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanState {
    /// The day.
    pub as_of: NaiveDate,
    /// The currency.
    pub currency: Currency,
    /// Everything paid out, gross.
    pub disbursed: i64,
    /// The day of the first disbursement.
    pub first_disbursed_on: Option<NaiveDate>,
    /// The schedule, first to last.
    pub installments: Vec<Installment>,
    /// Where it stands.
    pub standing: Standing,
    /// The day it was taken off the books.
    pub charged_off_on: Option<NaiveDate>,
    /// What had been earned when accrual stopped, for a loan that was charged off or written off.
    pub accrual_stopped: Option<Portions>,
    /// What the borrower paid too much and has not got back.
    pub credit: i64,
    /// Money that came in after the write-off.
    pub recovered: i64,
    /// The charges, in the order of their transactions.
    pub charges: Vec<ChargeState>,
    /// What each transaction did, in the order of (value date, sequence).
    pub effects: Vec<Effect>,
    /// How each row's interest came about.
    pub interest_lines: Vec<InterestLine>,
}

/// Where a disbursed loan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was paid out.
    NotDisbursed,
    /// It runs.
    Active,
    /// It was so long past due that it counts as defaulted, and its arrears are not paid yet.
    Defaulted {
        /// Since when.
        on: NaiveDate,
    },
    /// Nothing is owed any more.
    Repaid {
        /// Since when.
        on: NaiveDate,
    },
    /// It was given up.
    WrittenOff {
        /// When.
        on: NaiveDate,
    },
}

/// One row of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installment {
    /// 1, 2, 3, …
    pub number: u32,
    /// The day its period starts.
    pub starts_on: NaiveDate,
    /// The day it is due, which is the day its period ends.
    pub due_on: NaiveDate,
    /// What it asks for.
    pub due: Portions,
    /// What was paid of it.
    pub paid: Portions,
    /// What was waived of it.
    pub waived: Portions,
    /// What was written off of it.
    pub written_off: Portions,
    /// How much was paid before it was due.
    pub paid_in_advance: i64,
    /// How much was paid after it was due.
    pub paid_late: i64,
    /// The principal the schedule leaves after it.
    pub principal_balance_after: i64,
    /// The day nothing of it was left.
    pub settled_on: Option<NaiveDate>,
}

/// A charge with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeState {
    /// Its transaction.
    pub sequence: Sequence,
    /// Fee or penalty.
    pub kind: ChargeKind,
    /// The day it is due.
    pub due_on: NaiveDate,
    /// The installment it belongs to.
    pub installment: u32,
    /// How much.
    pub amount: i64,
    /// How much of it was waived.
    pub waived: i64,
    /// For a late charge: the installment it was made for.
    pub late_for: Option<u32>,
}

/// What one transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Which transaction.
    pub sequence: Sequence,
    /// Its value date.
    pub on: NaiveDate,
    /// Its kind.
    pub kind: TransactionKind,
    /// How much it came to: for a write-off or a charge-off what was owed, for a waiver what there was to waive.
    pub amount: i64,
    /// Its split: what was paid, waived, charged, disbursed, given up.
    pub portions: Portions,
    /// What of it became, or came out of, the borrower's credit.
    pub to_credit: i64,
    /// The principal owed after it.
    pub balance_after: i64,
    /// Where each cent went.
    pub shares: Vec<Share>,
    /// What it books.
    pub entry: Entry,
}

/// A part of a transaction and why it went where it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The installment.
    pub installment: u32,
    /// The part of it.
    pub component: Component,
    /// How much.
    pub amount: i64,
    /// How the installment's due date lay to the transaction.
    pub state: DueState,
    /// The place, from 0, in the order or the rules that sent it there.
    pub rule: Option<u32>,
}

/// A stretch of days of one balance and one rate within a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterestLine {
    /// The row.
    pub installment: u32,
    /// The first day.
    pub from: NaiveDate,
    /// The day after the last.
    pub until: NaiveDate,
    /// Calendar days between them.
    pub days: i64,
    /// The balance that bore interest.
    pub balance: i64,
    /// The annual rate.
    pub annual_rate: Rate,
    /// The interest of the stretch in millionths of a minor unit, before the row's rounding.
    pub micro_interest: i128,
}

impl Installment {
    /// What is left of it.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn outstanding(&self) -> Result<Portions, FoldError> {
        self.due.minus(&self.paid)?.minus(&self.waived)?.minus(&self.written_off)
    }
}
