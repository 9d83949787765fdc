//! What payments do to rows whose interest follows the balance, for loans that pay by rules: money lowers the balance
//! from its day, or from the due date when it is late; overdue principal bears interest until the day the loan is
//! looked at, and never past maturity. What a row asks for on a day is found by looking at the loan as if it ended
//! that day.

use std::rc::Rc;

use chrono::NaiveDate;

use super::model::{Change, ChangeKind, Model};
use super::row::{Row, Target, add, sub, sum};
use crate::loan::FoldError;

/// What a row asks for on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub principal: i64,
    pub interest: i64,
}

impl Model<'_> {
    /// What the row at `index` asks for on a day, paid or not.
    pub(crate) fn asked(&self, index: usize, on: NaiveDate) -> Result<Asked, FoldError> {
        let look = self.look_at(on)?;
        let Some(row) = look.rows.get(index) else { return Ok(Asked { principal: 0, interest: 0 }) };
        let open = look.open_rows()?;
        if on > row.from || self.maturity().is_none_or(|maturity| on >= maturity) {
            return Ok(Asked { principal: row.principal, interest: row.interest });
        }
        // A row that has not started: what it aimed at from the beginning, as far as the loan still owes it.
        let mut row = row.clone();
        let owed = look.owed_principal()?;
        if matches!(row.target, Target::Level(_)) {
            if open > 1 {
                row.target = Target::Level(row.original);
                row.principal = sub(row.total()?, row.interest)?.max(row.paid_principal);
                let over = sub(row.outstanding_principal()?, owed)?.max(0);
                row.target = Target::Level(sub(row.original, over)?);
            }
            row.principal = sub(row.total()?, row.interest)?.max(0).max(row.paid_principal);
        }
        Ok(Asked { principal: row.principal, interest: row.interest })
    }

    /// Principal and interest it takes to be rid of the loan on a day.
    pub(crate) fn payoff(&self, on: NaiveDate) -> Result<Asked, FoldError> {
        let look = self.look_at(on)?;
        let interest = sum(look.rows.iter().map(|row| row.interest))?;
        let unshown = look.rows.last().map_or(0, |row| row.unrecognized);
        let paid = sum(look.rows.iter().map(|row| row.paid_interest))?;
        Ok(Asked { principal: look.owed_principal()?, interest: add(sub(interest, paid)?, unshown)?.max(0) })
    }

    /// The end of the period a day lies in.
    pub(crate) fn period_end(&self, on: NaiveDate) -> NaiveDate {
        self.row_of(on).and_then(|index| self.rows.get(index)).map_or(on, |row| row.until)
    }

    /// Interest of a row was paid.
    pub(crate) fn pay_interest(&mut self, index: usize, on: NaiveDate, amount: i64) -> Result<(), FoldError> {
        if let Some(row) = self.rows.get_mut(index) {
            row.paid_interest = add(row.paid_interest, amount)?;
        }
        self.settle(on)
    }

    /// Principal of a row was paid.
    pub(crate) fn pay_principal(&mut self, index: usize, on: NaiveDate, amount: i64) -> Result<(), FoldError> {
        let Some(row) = self.rows.get_mut(index) else { return Ok(()) };
        row.paid_principal = add(row.paid_principal, amount)?;
        let (from, on_time) = (row.from, on.min(row.until));
        let lowered = amount.checked_neg().ok_or(FoldError::Overflow)?;
        self.insert_change(Change { on: on_time, amount: lowered, kind: ChangeKind::Corrected });
        self.settle(on_time)?;
        let several_open = self.open_rows()? > 1;
        let Some(row) = self.rows.get_mut(index) else { return Ok(()) };
        if several_open && on < from && matches!(row.target, Target::Level(_)) {
            let paid = row.paid()?;
            if paid > row.total()? || paid == add(row.original, row.credited)? {
                row.target = Target::Level(sub(paid, row.credited)?);
            }
        }
        self.settle(on_time)
    }

    /// Lets principal that is overdue bear interest up to a day.
    pub(crate) fn bear_overdue(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        let Some(maturity) = self.maturity() else { return Ok(()) };
        let on = on.min(maturity);
        let late = self.rows.iter().take_while(|row| row.until < on).count();
        if late == 0 {
            return Ok(());
        }
        let mut open = 0_i64;
        let mut all = 0_i64;
        for index in 0..late {
            let Some(from) = self.rows.get(index).map(|row| row.from) else { break };
            if open != 0 {
                self.bear_from(from, None, open, all, on)?;
            }
            // Asked only now: what an earlier row left unpaid has changed this one's interest, and so its principal.
            open = self.rows.get(index).map_or(Ok(0), Row::outstanding_principal)?;
            all = add(all, open)?;
        }
        let running = self.row_of(on).and_then(|index| self.rows.get(index)).map(|row| (row.from, row.until));
        if let Some((from, until)) = running {
            self.bear_from(from, Some(until), open, all, on)?;
        }
        if all > 0 && self.overdue_until.is_none_or(|until| until < on) {
            self.overdue_until = Some(on);
        }
        Ok(())
    }

    fn bear_from(
        &mut self,
        from: NaiveDate,
        until: Option<NaiveDate>,
        open: i64,
        all: i64,
        on: NaiveDate,
    ) -> Result<(), FoldError> {
        if self.overdue_until == Some(on) {
            return Ok(());
        }
        let start = self.overdue_until.map_or(from, |until| until.max(from));
        self.insert_change(Change { on: start, amount: open, kind: ChangeKind::Corrected });
        if until.is_some_and(|until| from < on && on <= until) {
            let lowered = all.checked_neg().ok_or(FoldError::Overflow)?;
            self.insert_change(Change { on, amount: lowered, kind: ChangeKind::Corrected });
            self.overdue_until = Some(on);
        }
        self.settle(start)
    }

    /// The loan as if no interest ran from a day on.
    fn look_at(&self, on: NaiveDate) -> Result<Rc<Self>, FoldError> {
        if let Some((_, known)) = self.look.borrow().as_ref().filter(|(day, _)| *day == on) {
            return Ok(Rc::clone(known));
        }
        let mut look = self.clone();
        if self.maturity().is_some_and(|maturity| on < maturity) {
            look.interest_until = Some(on);
            look.settle(on)?;
        }
        let look = Rc::new(look);
        self.look.replace(Some((on, Rc::clone(&look))));
        Ok(look)
    }

    fn open_rows(&self) -> Result<usize, FoldError> {
        let mut open = 0_usize;
        for row in &self.rows {
            open = open.saturating_add(usize::from(!row.is_fully_paid()?));
        }
        Ok(open)
    }

    /// How much of the principal that is owed a row can take: all but what other rows owe again.
    pub(crate) fn principal_free_for(&self, index: usize) -> Result<i64, FoldError> {
        let others = self.rows.iter().enumerate().filter(|(place, _)| *place != index);
        let reserved = sum(others.map(|(_, row)| row.credited.saturating_sub(row.paid_principal).max(0)))?;
        sub(self.owed_principal()?, reserved)
    }

    fn owed_principal(&self) -> Result<i64, FoldError> {
        let paid = sum(self.rows.iter().map(|row| row.paid_principal))?;
        sub(add(self.disbursed, self.credited)?, paid)
    }
}
