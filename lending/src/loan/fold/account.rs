//! What was charged, paid, waived and given up of each installment, and what is left of it. The principal and the
//! interest an installment asks for are the schedule's; everything else about it is here.

use chrono::NaiveDate;

use super::{Folding, Interest, add, sub};
use crate::loan::conditions::{Component, DueState};
use crate::loan::error::FoldError;
use crate::loan::portions::Portions;

/// The account of one installment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub number: u32,
    /// It holds what falls due after maturity; no row of the schedule stands behind it.
    pub beyond: bool,
    /// For an account beyond the schedule: when it is due.
    pub due_on: NaiveDate,
    pub charged: Portions,
    /// Charges to come that a payoff left nothing to come for.
    pub forgone: Portions,
    pub paid: Portions,
    pub waived: Portions,
    pub written_off: Portions,
    /// Principal owed again because a refund lost its cover.
    pub owed_again: i64,
    pub paid_in_advance: i64,
    pub paid_late: i64,
    pub settled_on: Option<NaiveDate>,
}

impl Account {
    pub(super) const fn new(number: u32) -> Self {
        Self {
            number,
            beyond: false,
            due_on: NaiveDate::MIN,
            charged: Portions::ZERO,
            forgone: Portions::ZERO,
            paid: Portions::ZERO,
            waived: Portions::ZERO,
            written_off: Portions::ZERO,
            owed_again: 0,
            paid_in_advance: 0,
            paid_late: 0,
            settled_on: None,
        }
    }
}

impl Folding<'_> {
    /// What an installment asks for.
    pub(super) fn due_of(&self, index: usize) -> Result<Portions, FoldError> {
        let Some(account) = self.accounts.get(index) else { return Ok(Portions::ZERO) };
        let (principal, interest) = match self.model.rows.get(index).filter(|_| !account.beyond) {
            Some(row) => (row.principal, row.interest),
            None => (0, 0),
        };
        let principal = add(principal, account.owed_again)?;
        Ok(Portions { principal, interest, ..account.charged.minus(&account.forgone)? })
    }

    /// What is left of it.
    pub(super) fn outstanding_of(&self, index: usize) -> Result<Portions, FoldError> {
        let Some(account) = self.accounts.get(index) else { return Ok(Portions::ZERO) };
        self.due_of(index)?.minus(&account.paid)?.minus(&account.waived)?.minus(&account.written_off)
    }

    /// What is left of all.
    pub(super) fn outstanding(&self) -> Result<Portions, FoldError> {
        (0..self.accounts.len()).try_fold(Portions::ZERO, |sum, index| sum.plus(&self.outstanding_of(index)?))
    }

    /// When it is due.
    pub(super) fn due_date_of(&self, index: usize) -> NaiveDate {
        match (self.accounts.get(index), self.model.rows.get(index)) {
            (Some(account), _) if account.beyond => account.due_on,
            (_, Some(row)) => row.due_on,
            _ => NaiveDate::MAX,
        }
    }

    pub(super) fn index_of(&self, number: u32) -> Option<usize> {
        self.accounts.iter().position(|account| account.number == number)
    }

    pub(super) fn due_state(&self, number: u32, on: NaiveDate) -> DueState {
        let due_on = self.index_of(number).map_or(NaiveDate::MAX, |index| self.due_date_of(index));
        state_of(due_on, on)
    }

    /// What is left of one component, as the schedule stands.
    pub(super) fn owed_now(&self, index: usize, component: Component) -> Result<i64, FoldError> {
        Ok(self.outstanding_of(index)?.of(component).max(0))
    }

    /// What is owed of one component on a day: of an installment that is not due yet and whose interest follows the
    /// balance, interest counts only up to that day.
    pub(super) fn owed_on(&self, index: usize, component: Component, on: NaiveDate) -> Result<i64, FoldError> {
        let follows =
            self.follows() == Interest::ByRules && matches!(component, Component::Principal | Component::Interest);
        let beyond = self.accounts.get(index).is_none_or(|account| account.beyond);
        if !follows || beyond || self.due_date_of(index) <= on {
            return self.owed_now(index, component);
        }
        let asked = self.model.asked(index, on)?;
        let Some(row) = self.model.rows.get(index) else { return Ok(0) };
        let owed = match component {
            // What other rows owe again stays theirs.
            Component::Principal => {
                sub(asked.principal, row.paid_principal)?.min(self.model.principal_free_for(index)?)
            }
            _ => sub(asked.interest, row.paid_interest)?,
        };
        Ok(owed.max(0))
    }

    /// What is left of an installment's fees and penalties that no day has called for yet: a charge is called for on its
    /// own day, and everything on the installment's.
    pub(super) fn charges_ahead(&self, index: usize, on: NaiveDate) -> Result<Portions, FoldError> {
        self.charges_ahead_with(index, on, 0)
    }

    /// The same if a fee due on that day were charged first. Charges are paid in the order they fall due.
    pub(super) fn charges_ahead_with(&self, index: usize, on: NaiveDate, fee: i64) -> Result<Portions, FoldError> {
        let Some(account) = self.accounts.get(index).filter(|_| self.due_date_of(index) > on) else {
            return Ok(Portions::ZERO);
        };
        let fee = Portions::only(Component::Fee, fee);
        let left = self.outstanding_of(index)?.plus(&fee)?;
        let mut due = fee;
        for charge in self.charges.iter().filter(|charge| charge.installment == account.number) {
            if charge.due_on <= on {
                let open = sub(charge.amount, charge.waived)?;
                due = due.plus(&Portions::only(super::component_of(charge.kind), open))?;
            }
        }
        let ahead = |component| {
            let due = sub(due.of(component), account.paid.of(component))?.max(0);
            sub(left.of(component), due).map(|ahead| ahead.max(0))
        };
        Ok(Portions { fees: ahead(Component::Fee)?, penalties: ahead(Component::Penalty)?, ..Portions::ZERO })
    }

    /// The due date of the oldest installment with anything left of it.
    pub(super) fn oldest_unpaid(&self) -> Result<Option<NaiveDate>, FoldError> {
        let mut oldest: Option<NaiveDate> = None;
        for index in 0..self.accounts.len() {
            if !self.outstanding_of(index)?.is_zero() {
                let due_on = self.due_date_of(index);
                oldest = Some(oldest.map_or(due_on, |oldest| oldest.min(due_on)));
            }
        }
        Ok(oldest)
    }

    /// The account a charge due on a day belongs to: `from < due ≤ to`; past maturity, one beyond the schedule.
    pub(super) fn account_for_charge(&mut self, due_on: NaiveDate) -> Result<usize, FoldError> {
        match self.model.rows.iter().position(|row| due_on <= row.due_on) {
            Some(index) => Ok(index),
            None => self.account_beyond(due_on),
        }
    }

    /// Where a charge due on a day would be booked, if there is an account for it yet.
    pub(super) fn place_of_charge(&self, due_on: NaiveDate) -> Option<usize> {
        let row = self.model.rows.iter().position(|row| due_on <= row.due_on);
        row.or_else(|| self.accounts.iter().position(|account| account.beyond))
    }

    /// The account of the installment that falls due after a day; past maturity, one beyond the schedule.
    pub(super) fn account_for_after(&mut self, on: NaiveDate) -> Result<usize, FoldError> {
        match self.model.rows.iter().position(|row| on < row.due_on) {
            Some(index) => Ok(index),
            None => self.account_beyond(on),
        }
    }

    pub(super) fn number_after(&self, on: NaiveDate) -> u32 {
        let row = self.model.rows.iter().find(|row| on < row.due_on).map(|row| row.number);
        let beyond = self.accounts.iter().find(|account| account.beyond).map(|account| account.number);
        row.or(beyond).unwrap_or_default()
    }

    fn account_beyond(&mut self, due_on: NaiveDate) -> Result<usize, FoldError> {
        if let Some(index) = self.accounts.iter().position(|account| account.beyond) {
            if let Some(account) = self.accounts.get_mut(index) {
                account.due_on = account.due_on.max(due_on);
            }
            return Ok(index);
        }
        let rows = u32::try_from(self.model.rows.len()).map_err(|_| FoldError::Overflow)?;
        let mut account = Account::new(rows.saturating_add(1));
        account.beyond = true;
        account.due_on = due_on;
        self.accounts.push(account);
        Ok(self.accounts.len().saturating_sub(1))
    }

    /// Writes down which installments nothing is left of, and since when.
    pub(super) fn note_settled(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        let all_settled = self.outstanding()?.is_zero();
        for index in 0..self.accounts.len() {
            let left = self.outstanding_of(index)?;
            let due = self.due_of(index)?;
            let Some(account) = self.accounts.get_mut(index) else { continue };
            let touched = !due.is_zero() || all_settled || account.settled_on.is_some();
            account.settled_on = match (left.is_zero() && touched, account.settled_on) {
                (true, Some(since)) => Some(since),
                (true, None) => Some(on),
                (false, _) => None,
            };
        }
        Ok(())
    }
}

/// How a due date lies to a payment's date.
pub(super) fn state_of(due_on: NaiveDate, on: NaiveDate) -> DueState {
    match due_on.cmp(&on) {
        std::cmp::Ordering::Less => DueState::PastDue,
        std::cmp::Ordering::Equal => DueState::Due,
        std::cmp::Ordering::Greater => DueState::InAdvance,
    }
}
