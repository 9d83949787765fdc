//! The fold: a loan's terms and its transactions, taken in the order of (value date, sequence), make its state. It
//! has no memory, reads no clock and leaves nothing out; a backdated, reversed or imagined transaction is nothing
//! special, because everything is always worked out from the beginning.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | the order of events, and what each kind does |
//! | `account` | what was charged, paid, waived and given up of each installment |
//! | `allocate` | where a payment goes |
//! | `closing` | what a payment that pays the loan off pays, and what falls away |
//! | `book` | what an event books |
//! | `report` | the state that comes of it |

mod account;
mod allocate;
mod book;
mod closing;
mod report;

use chrono::NaiveDate;

use super::charges::{ChargeAmount, ChargeKind, ChargeTerms, ChargeTiming};
use super::conditions::{AllocationMode, Component, InterestRecalculation};
use super::error::FoldError;
use super::event::{Event, Sequence, Transaction};
use super::portions::Portions;
use super::state::{ChargeState, Effect, LoanState, Share};
use super::terms::LoanTerms;
use crate::calendar::Calendar;
use crate::ledger::Entry;
use crate::rounding::share;
use crate::schedule::{Early, Model, PrincipalPaid};
use account::Account;

/// The one way to a loan's state.
#[derive(Debug, Clone, Copy)]
pub struct Loan;

impl Loan {
    /// What a loan is at the end of the day `as_of`, from its terms and its transactions in any order; reversed ones
    /// and those after `as_of` count for nothing.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn fold(
        terms: &LoanTerms,
        transactions: &[Transaction],
        calendar: &Calendar,
        as_of: NaiveDate,
    ) -> Result<LoanState, FoldError> {
        Folding::run(terms, transactions, calendar, as_of)?.report(as_of)
    }

    /// The same, kept so that one transaction more can be taken without taking all others again.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn begin<'a>(
        terms: &'a LoanTerms,
        transactions: &[Transaction],
        calendar: &'a Calendar,
        as_of: NaiveDate,
    ) -> Result<Begun<'a>, FoldError> {
        let standing = standing(transactions, as_of);
        let folding = Folding::over(terms, &standing, calendar)?;
        Ok(Begun { folding, last: standing.last().map(|last| place(last)), as_of })
    }
}

/// A fold that has taken all transactions there are so far.
#[derive(Debug, Clone)]
pub struct Begun<'a> {
    folding: Folding<'a>,
    /// The place of the last transaction it has taken.
    last: Option<(NaiveDate, Sequence)>,
    as_of: NaiveDate,
}

impl Begun<'_> {
    /// What the loan is at the end of the day.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn state(&self) -> Result<LoanState, FoldError> {
        self.folding.clone().end(self.as_of)?.report(self.as_of)
    }

    /// What the loan is with this transaction too. `None` when it does not come after all others, and they have to be
    /// folded anew.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn with(&self, transaction: &Transaction) -> Result<Option<LoanState>, FoldError> {
        let place = place(transaction);
        if transaction.reversed || place.0 > self.as_of || self.last.is_some_and(|last| place <= last) {
            return Ok(None);
        }
        let mut folding = self.folding.clone();
        folding.take(transaction)?;
        folding.end(self.as_of)?.report(self.as_of).map(Some)
    }
}

/// Whether and how interest follows what is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interest {
    /// It does not.
    Fixed,
    /// It does, and payments go by rules.
    ByRules,
    /// It does, and installments are settled one after the other.
    ByInstallment,
}

/// A loan while its transactions are taken one by one.
#[derive(Debug, Clone)]
pub(super) struct Folding<'a> {
    terms: &'a LoanTerms,
    model: Model<'a>,
    interest: Interest,
    /// One per row of the model, and one more for what falls due after maturity.
    accounts: Vec<Account>,
    charges: Vec<ChargeState>,
    early: Vec<Early>,
    principal_paid: Vec<PrincipalPaid>,
    first_disbursed_on: Option<NaiveDate>,
    /// Principal that is owed again because a refund lost its cover.
    owed_again: i64,
    credit: i64,
    recovered: i64,
    defaulted_on: Option<NaiveDate>,
    repaid_on: Option<NaiveDate>,
    written_off_on: Option<NaiveDate>,
    charged_off_on: Option<NaiveDate>,
    /// What had been earned when accrual stopped.
    earned_at_stop: Option<Portions>,
    effects: Vec<Effect>,
}

/// What an event did, before it is written down.
struct Outcome {
    amount: i64,
    portions: Portions,
    to_credit: i64,
    shares: Vec<Share>,
    entry: Entry,
}

impl<'a> Folding<'a> {
    pub(super) fn run(
        terms: &'a LoanTerms,
        transactions: &[Transaction],
        calendar: &'a Calendar,
        as_of: NaiveDate,
    ) -> Result<Self, FoldError> {
        Self::over(terms, &standing(transactions, as_of), calendar)?.end(as_of)
    }

    /// Takes transactions that are in their order.
    fn over(terms: &'a LoanTerms, standing: &[&Transaction], calendar: &'a Calendar) -> Result<Self, FoldError> {
        let mut folding = Self::new(terms, calendar);
        for transaction in standing {
            folding.take(transaction)?;
        }
        Ok(folding)
    }

    /// Lets a day end after its last transaction.
    fn end(mut self, as_of: NaiveDate) -> Result<Self, FoldError> {
        self.advance_to(as_of)?;
        self.watch_default(as_of)?;
        // Interest that no row had room for can turn up later.
        if !self.outstanding()?.is_zero() {
            self.repaid_on = None;
        }
        Ok(self)
    }

    fn new(terms: &'a LoanTerms, calendar: &'a Calendar) -> Self {
        let interest = match (terms.conditions.recalculation, terms.conditions.allocation.mode) {
            (InterestRecalculation::Fixed, _) => Interest::Fixed,
            (InterestRecalculation::DailyBalance, AllocationMode::Rules) => Interest::ByRules,
            (InterestRecalculation::DailyBalance, _) => Interest::ByInstallment,
        };
        Self {
            terms,
            model: Model::new(terms, calendar),
            interest,
            accounts: Vec::new(),
            charges: Vec::new(),
            early: Vec::new(),
            principal_paid: Vec::new(),
            first_disbursed_on: None,
            owed_again: 0,
            credit: 0,
            recovered: 0,
            defaulted_on: None,
            repaid_on: None,
            written_off_on: None,
            charged_off_on: None,
            earned_at_stop: None,
            effects: Vec::new(),
        }
    }

    fn take(&mut self, transaction: &Transaction) -> Result<(), FoldError> {
        let on = effective_on(transaction);
        let sequence = transaction.sequence;
        if self.first_disbursed_on.is_none() && !matches!(transaction.event, Event::Disbursement { .. }) {
            return Err(FoldError::NothingDisbursed { sequence, on });
        }
        if transaction.event.amount().is_some_and(|amount| amount <= 0) {
            return Err(FoldError::AmountNotPositive { sequence });
        }
        self.advance_to(on)?;
        self.watch_default(on)?;
        let outcome = match &transaction.event {
            Event::Disbursement { amount } => self.disburse(on, *amount),
            Event::Payment { amount, payment } => self.pay(sequence, on, *amount, *payment),
            Event::CreditRefund { amount } => self.refund(on, *amount),
            Event::Charge { amount, charge, due_on, late_for } => {
                let charge = NewCharge { amount: *amount, kind: *charge, due_on: *due_on, late_for: *late_for };
                self.charge(sequence, on, charge)
            }
            Event::ChargeWaiver { charge, amount } => self.waive_charge(sequence, on, *charge, *amount),
            Event::InterestWaiver { amount } => self.waive_interest(on, *amount),
            Event::ChargeOff => self.charge_off(on),
            Event::WriteOff => self.write_off(on),
            Event::Recovery { amount } => self.recover(*amount),
            Event::Reschedule(agreement) => self.reschedule(on, agreement),
        }?;
        self.note_settled(on)?;
        let outstanding = self.outstanding()?;
        if outstanding.is_zero() && self.first_disbursed_on.is_some() {
            self.repaid_on = self.repaid_on.or(Some(on));
        } else {
            self.repaid_on = None;
        }
        if self.oldest_unpaid()?.is_none_or(|due_on| due_on >= on) {
            self.defaulted_on = None;
        }
        self.effects.push(Effect {
            sequence,
            on: transaction.on,
            kind: transaction.event.kind(),
            amount: outcome.amount,
            portions: outcome.portions,
            to_credit: outcome.to_credit,
            balance_after: outstanding.principal,
            shares: outcome.shares,
            entry: outcome.entry,
        });
        Ok(())
    }

    /// Lets interest that follows the balance catch up with a day.
    fn advance_to(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        let stopped = self.charged_off_on.or(self.written_off_on);
        match self.interest {
            Interest::Fixed => Ok(()),
            Interest::ByRules if stopped.is_some() => Ok(()),
            Interest::ByRules => self.model.bear_overdue(on),
            Interest::ByInstallment => self.remake(stopped.map_or(on, |stopped| stopped.min(on))),
        }
    }

    /// How interest follows payments now: of a loan that is off the books it no longer does.
    fn follows(&self) -> Interest {
        if self.charged_off_on.is_some() { Interest::Fixed } else { self.interest }
    }

    /// Makes the rows of a loan that settles installment by installment anew, for what is known on a day.
    fn remake(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        self.tell_settled()?;
        self.model.remake(&self.early, &self.principal_paid, on)
    }

    fn watch_default(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        if self.defaulted_on.is_some() || self.written_off_on.is_some() {
            return Ok(());
        }
        let after = chrono::Days::new(u64::from(self.terms.conditions.default_after_days));
        let since = self.oldest_unpaid()?.and_then(|due_on| due_on.checked_add_days(after));
        self.defaulted_on = since.filter(|since| *since <= on);
        Ok(())
    }

    fn disburse(&mut self, on: NaiveDate, amount: i64) -> Result<Outcome, FoldError> {
        let first_time = self.first_disbursed_on.is_none();
        self.tell_settled()?;
        self.model.disburse(on, amount)?;
        self.first_disbursed_on = self.first_disbursed_on.or(Some(on));
        self.advance_to(on)?;
        self.open_accounts()?;
        self.ask_again_after(on);
        let upfront = upfront(&self.terms.conditions.charges, amount, first_time)?;
        let (shares, used) = self.use_credit(on)?;
        Ok(Outcome {
            amount,
            portions: Portions::only(Component::Principal, amount),
            to_credit: neg(used)?,
            entry: book::disbursement(amount, upfront, &shares, used)?,
            shares,
        })
    }

    /// Tells a schedule that does not follow payments what it may not undercut.
    fn tell_settled(&mut self) -> Result<(), FoldError> {
        if self.interest == Interest::ByRules {
            return Ok(());
        }
        for (index, account) in self.accounts.iter().enumerate().filter(|(_, account)| !account.beyond) {
            let settled = account.paid.plus(&account.waived)?;
            let principal = sub(settled.principal, account.owed_again)?.max(0);
            self.model.note_settled(index, principal, settled.interest);
        }
        Ok(())
    }

    /// A loan that was paid off and is paid out again runs on, and bears its charges to come.
    fn ask_again_after(&mut self, on: NaiveDate) {
        for index in 0..self.accounts.len() {
            if self.due_date_of(index) > on
                && let Some(account) = self.accounts.get_mut(index)
            {
                account.forgone = Portions::ZERO;
            }
        }
    }

    /// One account for each row, with the charges that every installment bears.
    fn open_accounts(&mut self) -> Result<(), FoldError> {
        let known = self.accounts.iter().filter(|account| !account.beyond).count();
        let charges = &self.terms.conditions.charges;
        for row in self.model.rows.iter().skip(known) {
            let mut account = Account::new(row.number);
            for charge in charges.iter().filter(|charge| charge.timing == ChargeTiming::PerInstallment) {
                let base = add(row.principal, row.interest)?;
                account.charged.fees = add(account.charged.fees, amount_of(charge.amount, base)?)?;
            }
            let place = usize::try_from(row.number.saturating_sub(1)).map_err(|_| FoldError::Overflow)?;
            self.accounts.insert(place.min(self.accounts.len()), account);
        }
        let rows = u32::try_from(self.model.rows.len()).map_err(|_| FoldError::Overflow)?;
        if let Some(beyond) = self.accounts.iter_mut().find(|account| account.beyond) {
            beyond.number = rows.saturating_add(1);
        }
        Ok(())
    }

    fn refund(&mut self, on: NaiveDate, amount: i64) -> Result<Outcome, FoldError> {
        let covered = amount.min(self.credit);
        self.credit = sub(self.credit, covered)?;
        let short = sub(amount, covered)?;
        let mut shares = Vec::new();
        if short > 0 {
            self.owed_again = add(self.owed_again, short)?;
            let number = match self.follows() {
                Interest::ByRules => self.model.credit(on, short)?,
                Interest::Fixed | Interest::ByInstallment => None,
            };
            if number.is_none() {
                let index = self.account_for_after(on)?;
                if let Some(account) = self.accounts.get_mut(index) {
                    account.owed_again = add(account.owed_again, short)?;
                }
            }
            let installment = number.unwrap_or_else(|| self.number_after(on));
            shares.push(Share {
                installment,
                component: Component::Principal,
                amount: short,
                state: self.due_state(installment, on),
                rule: None,
            });
        }
        Ok(Outcome {
            amount,
            portions: Portions::only(Component::Principal, short),
            to_credit: neg(covered)?,
            entry: book::refund(covered, short, self.charged_off_on.is_some())?,
            shares,
        })
    }

    fn charge(&mut self, sequence: Sequence, on: NaiveDate, charge: NewCharge) -> Result<Outcome, FoldError> {
        let index = self.account_for_charge(charge.due_on)?;
        let component = component_of(charge.kind);
        let mut installment = 0;
        if let Some(account) = self.accounts.get_mut(index) {
            account.charged = account.charged.plus(&Portions::only(component, charge.amount))?;
            installment = account.number;
        }
        self.charges.push(ChargeState {
            sequence,
            kind: charge.kind,
            due_on: charge.due_on,
            installment,
            amount: charge.amount,
            waived: 0,
            late_for: charge.late_for,
        });
        let (shares, used) = self.use_credit(on)?;
        Ok(Outcome {
            amount: charge.amount,
            portions: Portions::only(component, charge.amount),
            to_credit: neg(used)?,
            entry: book::use_of_credit(&shares, used, self.charged_off_on.is_some())?,
            shares,
        })
    }

    fn waive_charge(
        &mut self,
        sequence: Sequence,
        on: NaiveDate,
        charge: Sequence,
        amount: i64,
    ) -> Result<Outcome, FoldError> {
        let position = self.charges.iter().position(|candidate| candidate.sequence == charge);
        let position = position.ok_or(FoldError::NoSuchCharge { sequence, charge })?;
        let Some(found) = self.charges.get(position).cloned() else {
            return Err(FoldError::NoSuchCharge { sequence, charge });
        };
        let component = component_of(found.kind);
        let index = self.index_of(found.installment);
        let owed = index.map_or(Ok(0), |index| self.owed_now(index, component))?;
        let waived = amount.min(sub(found.amount, found.waived)?).min(owed).max(0);
        if let Some(charge) = self.charges.get_mut(position) {
            charge.waived = add(charge.waived, waived)?;
        }
        if let Some(account) = index.and_then(|index| self.accounts.get_mut(index)) {
            account.waived = account.waived.plus(&Portions::only(component, waived))?;
        }
        let state = self.due_state(found.installment, on);
        let share = Share { installment: found.installment, component, amount: waived, state, rule: None };
        self.waiver(Portions::only(component, waived), vec![share])
    }

    fn waive_interest(&mut self, on: NaiveDate, amount: i64) -> Result<Outcome, FoldError> {
        let mut left = amount;
        let mut shares = Vec::new();
        for index in 0..self.accounts.len() {
            let owed = self.owed_on(index, Component::Interest, on)?;
            let part = left.min(owed).max(0);
            if part == 0 {
                continue;
            }
            left = sub(left, part)?;
            let mut installment = 0;
            if let Some(account) = self.accounts.get_mut(index) {
                account.waived.interest = add(account.waived.interest, part)?;
                installment = account.number;
            }
            if self.follows() == Interest::ByRules {
                self.model.pay_interest(index, on, part)?;
            }
            let state = self.due_state(installment, on);
            shares.push(Share { installment, component: Component::Interest, amount: part, state, rule: None });
        }
        self.waiver(Portions::only(Component::Interest, sub(amount, left)?), shares)
    }

    fn waiver(&self, portions: Portions, shares: Vec<Share>) -> Result<Outcome, FoldError> {
        let entry = if self.charged_off_on.is_some() { Entry::default() } else { book::waiver(&portions)? };
        Ok(Outcome { amount: portions.total()?, portions, to_credit: 0, shares, entry })
    }

    fn charge_off(&mut self, on: NaiveDate) -> Result<Outcome, FoldError> {
        let outstanding = self.outstanding()?;
        let receivable = self.stop_accrual(on)?;
        self.charged_off_on = Some(on);
        Ok(Outcome {
            amount: outstanding.total()?,
            portions: outstanding,
            to_credit: 0,
            shares: Vec::new(),
            entry: book::charge_off(&receivable)?,
        })
    }

    fn write_off(&mut self, on: NaiveDate) -> Result<Outcome, FoldError> {
        let outstanding = self.outstanding()?;
        let receivable = if self.charged_off_on.is_some() { Portions::ZERO } else { self.stop_accrual(on)? };
        let mut shares = Vec::new();
        for index in 0..self.accounts.len() {
            let left = self.outstanding_of(index)?;
            let Some(account) = self.accounts.get_mut(index) else { continue };
            account.written_off = account.written_off.plus(&left)?;
            let installment = account.number;
            for component in Component::ALL.iter().copied().filter(|component| left.of(*component) != 0) {
                let state = self.due_state(installment, on);
                shares.push(Share { installment, component, amount: left.of(component), state, rule: None });
            }
        }
        self.written_off_on = Some(on);
        Ok(Outcome {
            amount: outstanding.total()?,
            portions: outstanding,
            to_credit: 0,
            shares,
            entry: book::write_off(&receivable)?,
        })
    }

    /// What stands in the receivable accounts when accrual stops.
    fn stop_accrual(&mut self, on: NaiveDate) -> Result<Portions, FoldError> {
        let state = self.clone().report(on)?;
        let earned = state.earned(on)?;
        self.earned_at_stop = Some(earned);
        let outstanding = state.outstanding()?;
        let (mut paid, mut waived) = (Portions::ZERO, Portions::ZERO);
        for account in &self.accounts {
            paid = paid.plus(&account.paid)?;
            waived = waived.plus(&account.waived)?;
        }
        let receivable = earned.minus(&paid)?.minus(&waived)?;
        Ok(Portions { principal: outstanding.principal, ..receivable })
    }

    fn recover(&mut self, amount: i64) -> Result<Outcome, FoldError> {
        self.recovered = add(self.recovered, amount)?;
        Ok(Outcome {
            amount,
            portions: Portions::ZERO,
            to_credit: 0,
            shares: Vec::new(),
            entry: book::recovery(amount)?,
        })
    }

    fn reschedule(&mut self, on: NaiveDate, agreement: &super::event::Reschedule) -> Result<Outcome, FoldError> {
        // Where nothing is owed there is nothing to agree anew.
        if !self.outstanding()?.is_zero() {
            self.tell_settled()?;
            self.model.reschedule(agreement)?;
            self.open_accounts()?;
            self.advance_to(agreement.from)?;
        }
        let outstanding = self.outstanding()?;
        // A dearer agreement can ask something of a loan that a payment recorded later had repaid.
        let (shares, used) = self.use_credit(on)?;
        Ok(Outcome {
            amount: outstanding.principal,
            portions: Portions::ZERO,
            to_credit: neg(used)?,
            entry: book::use_of_credit(&shares, used, self.charged_off_on.is_some())?,
            shares,
        })
    }
}

/// A charge on its way in.
#[derive(Clone, Copy)]
struct NewCharge {
    amount: i64,
    kind: ChargeKind,
    due_on: NaiveDate,
    late_for: Option<u32>,
}

/// What is kept from the proceeds, and what is paid apart, of a disbursement. Flat charges are made once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Upfront {
    pub kept: i64,
    pub paid_apart: i64,
}

/// The charges that a disbursement makes at once.
///
/// # Errors
/// [`FoldError::Overflow`].
pub(super) fn upfront(charges: &[ChargeTerms], disbursed: i64, first_time: bool) -> Result<Upfront, FoldError> {
    let mut found = Upfront::default();
    for charge in charges {
        if matches!(charge.amount, ChargeAmount::Flat(_)) && !first_time {
            continue;
        }
        let amount = amount_of(charge.amount, disbursed)?;
        match charge.timing {
            ChargeTiming::UpfrontKept => found.kept = add(found.kept, amount)?,
            ChargeTiming::UpfrontPaid => found.paid_apart = add(found.paid_apart, amount)?,
            ChargeTiming::PerInstallment => {}
        }
    }
    Ok(found)
}

/// A charge in minor units, given what a share of it is of.
pub(super) fn amount_of(amount: ChargeAmount, base: i64) -> Result<i64, FoldError> {
    match amount {
        ChargeAmount::Flat(minor) => Ok(minor),
        ChargeAmount::Share(ppm) => share(base, ppm, 1_000_000),
    }
}

const fn component_of(kind: ChargeKind) -> Component {
    match kind {
        ChargeKind::Fee => Component::Fee,
        ChargeKind::Penalty => Component::Penalty,
    }
}

/// The transactions that count by a day, in the order they are taken in.
fn standing(transactions: &[Transaction], as_of: NaiveDate) -> Vec<&Transaction> {
    let mut standing: Vec<&Transaction> =
        transactions.iter().filter(|transaction| !transaction.reversed && effective_on(transaction) <= as_of).collect();
    standing.sort_by_key(|transaction| place(transaction));
    standing
}

/// The place of a transaction in that order.
fn place(transaction: &Transaction) -> (NaiveDate, Sequence) {
    (effective_on(transaction), transaction.sequence)
}

/// The day an event counts from: a charge counts from its due date when that lies before the day it was made.
fn effective_on(transaction: &Transaction) -> NaiveDate {
    match &transaction.event {
        Event::Charge { due_on, .. } => transaction.on.min(*due_on),
        _ => transaction.on,
    }
}

fn add(left: i64, right: i64) -> Result<i64, FoldError> {
    left.checked_add(right).ok_or(FoldError::Overflow)
}

fn sub(left: i64, right: i64) -> Result<i64, FoldError> {
    left.checked_sub(right).ok_or(FoldError::Overflow)
}

fn neg(amount: i64) -> Result<i64, FoldError> {
    amount.checked_neg().ok_or(FoldError::Overflow)
}
