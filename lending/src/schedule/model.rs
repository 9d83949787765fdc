//! The rows of a loan together. A disbursement, a tranche or a new agreement solves the rows it concerns; after every
//! change the balances run through all rows once more, and the last unpaid row takes what is left, so that the
//! principal of the rows is always exactly what was disbursed.

use std::cell::RefCell;
use std::rc::Rc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::dates::{add_units, due_dates};
use super::interest::{Rounding, RowInterest, Tariff};
use super::level::{evening, level};
use super::rates::{days, nominal_fraction, of_rate};
use super::row::{Row, Target, add, sub, sum};
use crate::calendar::Calendar;
use crate::loan::conditions::{AllocationMode, Amortization, Conditions, InterestMethod, LevelOn};
use crate::loan::limits::MOST_INSTALLMENTS;
use crate::loan::{FoldError, LoanTerms, Reschedule};
use crate::rounding::{share, to_minor, to_multiple};

/// What moved the balance that bears interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// Money was paid out.
    Disbursed,
    /// Money came back, or was late, or principal was owed again.
    Corrected,
}

/// A change of the balance that bears interest, at the start of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub on: NaiveDate,
    pub amount: i64,
    pub kind: ChangeKind,
}

/// The rows of a loan and all that moves them.
#[derive(Debug, Clone)]
pub(crate) struct Model<'a> {
    pub(crate) terms: &'a LoanTerms,
    calendar: &'a Calendar,
    pub(crate) tariff: Tariff,
    pub rows: Vec<Row>,
    pub(crate) changes: Vec<Change>,
    pub(crate) disbursed: i64,
    pub(crate) credited: i64,
    /// The due date a new agreement counts the others from, and the first row it concerns.
    agreed_from: Option<(NaiveDate, usize)>,
    /// The loan was paid off: its rows ask for what was paid and nothing more.
    pub(super) closed: bool,
    /// In a look at a day within the loan: days from here on bear nothing.
    pub(crate) interest_until: Option<NaiveDate>,
    /// The last look at a day, until the rows change.
    pub(crate) look: RefCell<Option<(NaiveDate, Rc<Self>)>>,
    /// Up to when overdue principal has borne interest.
    pub(crate) overdue_until: Option<NaiveDate>,
}

impl<'a> Model<'a> {
    /// A loan of which nothing was paid out yet.
    pub(crate) fn new(terms: &'a LoanTerms, calendar: &'a Calendar) -> Self {
        let rounding = match terms.conditions.allocation.mode {
            AllocationMode::Rules => Rounding::PerRow,
            AllocationMode::ByInstallment | AllocationMode::DueThenAdvance => Rounding::PerStretch,
        };
        let tariff = Tariff::new(terms.conditions.day_count, rounding, terms.annual_rate);
        Self {
            terms,
            calendar,
            tariff,
            rows: Vec::new(),
            changes: Vec::new(),
            disbursed: 0,
            credited: 0,
            agreed_from: None,
            closed: false,
            interest_until: None,
            look: RefCell::default(),
            overdue_until: None,
        }
    }

    pub(crate) const fn conditions(&self) -> &'a Conditions {
        &self.terms.conditions
    }

    /// The end of the last row.
    pub(crate) fn maturity(&self) -> Option<NaiveDate> {
        self.rows.last().map(|row| row.until)
    }

    /// What was paid out before a day.
    pub(crate) fn paid_out_before(&self, date: NaiveDate) -> Result<i64, FoldError> {
        let earlier = self.changes.iter().filter(|change| change.kind == ChangeKind::Disbursed && change.on < date);
        sum(earlier.map(|change| change.amount))
    }

    /// The row a day belongs to: the one that ends on it or after it; a day past the end belongs to none.
    pub(crate) fn row_of(&self, date: NaiveDate) -> Option<usize> {
        self.rows.iter().position(|row| date <= row.until)
    }

    /// Money is paid out.
    pub(crate) fn disburse(&mut self, on: NaiveDate, amount: i64) -> Result<(), FoldError> {
        let first_time = self.rows.is_empty();
        if first_time {
            self.rows = self.make_rows(on)?;
        }
        self.disbursed = add(self.disbursed, amount)?;
        self.closed = false;
        let on = on.min(self.maturity().unwrap_or(on));
        self.insert_change(Change { on, amount, kind: ChangeKind::Disbursed });
        let concerned = self.first_row_after(on);
        if self.conditions().interest_method == InterestMethod::Flat {
            self.add_flat_interest(concerned, amount)?;
        }
        if first_time {
            self.solve(concerned)?;
        } else {
            let mut fresh = self.without_payments();
            fresh.solve(concerned)?;
            for (row, solved) in self.rows.iter_mut().zip(fresh.rows).skip(concerned) {
                row.target = solved.target;
                row.original = solved.original;
            }
        }
        self.settle(on)
    }

    /// The rest is agreed anew.
    pub(crate) fn reschedule(&mut self, agreement: &Reschedule) -> Result<(), FoldError> {
        let from = agreement.from;
        let first = self.rows.iter().position(|row| row.due_on >= from);
        let first = first.ok_or(FoldError::NothingToReschedule { from })?;
        let extra = usize::try_from(agreement.extra_installments).map_err(|_| FoldError::Overflow)?;
        let count = self.rows.len().saturating_add(extra);
        if u32::try_from(count).map_or(true, |count| count > MOST_INSTALLMENTS) {
            return Err(FoldError::TooManyInstallments { max: MOST_INSTALLMENTS });
        }
        self.redate(first, count, agreement.first_due_on)?;
        if let Some(rate) = agreement.annual_rate {
            self.tariff.rates.retain(|(date, _)| *date < from || *date == NaiveDate::MIN);
            self.tariff.rates.push((from, rate));
        }
        self.tariff.forget();
        if extra > 0 {
            self.solve(first)?;
        } else if agreement.annual_rate.is_some() {
            // A row that ends on the day bears the old rate throughout, and keeps its amount.
            let running = self.rows.iter().position(|row| row.until > from).unwrap_or(first);
            self.solve(running.max(first))?;
        }
        self.settle(from)
    }

    /// Principal is owed again from a day on, in the row that runs then.
    pub(crate) fn credit(&mut self, on: NaiveDate, amount: i64) -> Result<Option<u32>, FoldError> {
        let Some(index) = self.rows.iter().position(|row| on < row.until) else { return Ok(None) };
        self.credited = add(self.credited, amount)?;
        self.closed = false;
        self.insert_change(Change { on, amount, kind: ChangeKind::Corrected });
        let mut number = None;
        if let Some(row) = self.rows.get_mut(index) {
            row.credited = add(row.credited, amount)?;
            number = Some(row.number);
        }
        self.settle(on)?;
        Ok(number)
    }

    pub(crate) fn insert_change(&mut self, change: Change) {
        let place = self.changes.partition_point(|other| other.on <= change.on);
        self.changes.insert(place, change);
    }

    fn first_row_after(&self, on: NaiveDate) -> usize {
        let last = self.rows.len().saturating_sub(1);
        let index = self.row_of(on).unwrap_or(last);
        let ends_here = self.rows.get(index).is_some_and(|row| row.until == on);
        if ends_here { index.saturating_add(1).min(last) } else { index }
    }

    /// What was paid or waived of a row, for a schedule that does not depend on it.
    pub(crate) fn note_settled(&mut self, index: usize, principal: i64, interest: i64) {
        if let Some(row) = self.rows.get_mut(index) {
            row.settled_principal = principal;
            row.settled_interest = interest;
        }
    }

    fn without_payments(&self) -> Self {
        let mut fresh = self.clone();
        fresh.changes.retain(|change| change.kind == ChangeKind::Disbursed);
        for row in &mut fresh.rows {
            row.paid_principal = 0;
            row.paid_interest = 0;
            row.moved_here = 0;
            row.moved_away = false;
            if row.original != 0 {
                row.target = match row.target {
                    Target::Level(_) => Target::Level(row.original),
                    Target::Principal(_) => Target::Principal(row.original),
                };
            }
        }
        fresh
    }

    fn make_rows(&self, start: NaiveDate) -> Result<Vec<Row>, FoldError> {
        let conditions = self.conditions();
        let (count, every) = match conditions.amortization {
            Amortization::Bullet => (1, self.terms.every.saturating_mul(self.terms.installments)),
            _ => (self.terms.installments, self.terms.every),
        };
        let first = match (conditions.amortization, self.terms.first_due_on) {
            (Amortization::Bullet, Some(first)) => {
                let steps = self.terms.every.saturating_mul(self.terms.installments.saturating_sub(1));
                Some(add_units(first, steps, self.terms.unit, conditions.month_end)?)
            }
            (_, first) => first,
        };
        if count == 0 {
            return Err(FoldError::ImpossibleTerms { field: "installments" });
        }
        if let Some(first_due_on) = first.filter(|first| *first <= start) {
            return Err(FoldError::FirstDuePassed { first_due_on });
        }
        let dates = due_dates(start, first, count, every, self.terms.unit, conditions, self.calendar)?;
        let mut from = start;
        let mut rows = Vec::with_capacity(dates.len());
        for (number, date) in (1..).zip(dates) {
            rows.push(self.new_row(number, from, date.accrues_until, date.due_on, every));
            from = date.accrues_until;
        }
        Ok(rows)
    }

    fn new_row(&self, number: u32, from: NaiveDate, until: NaiveDate, due_on: NaiveDate, every: u32) -> Row {
        let conditions = self.conditions();
        let is_level = conditions.amortization == Amortization::EqualInstallments
            && conditions.interest_method == InterestMethod::DecliningBalance;
        let principal_grace = number <= conditions.principal_grace;
        Row {
            number,
            from,
            until,
            due_on,
            every,
            unit: self.terms.unit,
            target: if is_level && !principal_grace { Target::Level(0) } else { Target::Principal(0) },
            original: 0,
            flat_interest: (conditions.interest_method == InterestMethod::Flat).then_some(0),
            interest_free: number <= conditions.interest_free_installments,
            interest_grace: number <= conditions.interest_payment_grace,
            principal_grace,
            credited: 0,
            paid_principal: 0,
            paid_interest: 0,
            settled_principal: 0,
            settled_interest: 0,
            moved_here: 0,
            moved_away: false,
            interest: 0,
            principal: 0,
            unrecognized: 0,
            balance_after: 0,
            lines: Vec::new(),
            deferred: 0,
        }
    }

    /// Gives the rows from `first` on new dates, and makes `count` rows of them all.
    fn redate(&mut self, first: usize, count: usize, first_due_on: Option<NaiveDate>) -> Result<(), FoldError> {
        let conditions = self.conditions();
        let left = u32::try_from(count.saturating_sub(first)).map_err(|_| FoldError::Overflow)?;
        let start = self.rows.get(first).map(|row| row.from);
        let start = start.ok_or(FoldError::ImpossibleTerms { field: "installments" })?;
        let seed = match first_due_on {
            Some(due_on) if due_on <= start => return Err(FoldError::ImpossibleTerms { field: "firstDueOn" }),
            Some(due_on) => Some((due_on, 0_u32)),
            None => None,
        };
        let (every, unit) = (self.terms.every, self.terms.unit);
        let dates = match seed {
            Some((due_on, _)) => due_dates(start, Some(due_on), left, every, unit, conditions, self.calendar)?,
            None => {
                // Rows beyond the last follow from the agreement that dated it.
                let (seed, at) = match self.agreed_from {
                    Some((due_on, at)) => (Some(due_on), at),
                    // What a bullet is extended by comes after it, a period at a time.
                    None if conditions.amortization == Amortization::Bullet => {
                        (self.rows.first().map(|row| row.due_on), 0)
                    }
                    None => (self.terms.first_due_on, 0),
                };
                let origin = self.rows.get(at).map_or(start, |row| row.from);
                let total = u32::try_from(count.saturating_sub(at)).map_err(|_| FoldError::Overflow)?;
                let all = due_dates(origin, seed, total, every, unit, conditions, self.calendar)?;
                let known = self.rows.len().saturating_sub(at);
                let kept =
                    self.rows.iter().map(|row| super::dates::DueDate { accrues_until: row.until, due_on: row.due_on });
                kept.chain(all.into_iter().skip(known)).skip(first).collect()
            }
        };
        if let Some(due_on) = first_due_on {
            self.agreed_from = Some((due_on, first));
        }
        let mut from = start;
        for (offset, date) in dates.into_iter().enumerate() {
            let index = first.saturating_add(offset);
            match self.rows.get_mut(index) {
                Some(row) => {
                    row.from = from;
                    row.until = date.accrues_until;
                    row.due_on = date.due_on;
                }
                None => {
                    let number = u32::try_from(index.saturating_add(1)).map_err(|_| FoldError::Overflow)?;
                    let row = self.new_row(number, from, date.accrues_until, date.due_on, every);
                    self.rows.push(row);
                }
            }
            from = date.accrues_until;
        }
        Ok(())
    }

    fn add_flat_interest(&mut self, first: usize, amount: i64) -> Result<(), FoldError> {
        let tariff = &self.tariff;
        let mut fraction = Decimal::ZERO;
        let mut bearing = 0_i64;
        for row in self.rows.iter().skip(first).filter(|row| !row.interest_free) {
            fraction = fraction.checked_add(tariff.fraction(row.period())?).ok_or(FoldError::Overflow)?;
            bearing = add(bearing, 1)?;
        }
        let exact = Decimal::from(amount).checked_mul(fraction).ok_or(FoldError::Overflow)?;
        let mut left = to_minor(exact)?;
        if bearing == 0 {
            return Ok(());
        }
        let each = share(left, 1, bearing)?;
        for row in self.rows.iter_mut().skip(first).filter(|row| !row.interest_free) {
            bearing = sub(bearing, 1)?;
            // Rounding up can use up the interest before the rows.
            let part = if bearing == 0 { left } else { each.min(left) };
            left = sub(left, part)?;
            row.flat_interest = Some(add(row.flat_interest.unwrap_or(0), part)?);
        }
        Ok(())
    }

    /// Solves the rows from `first` on for the balance they have to bring back.
    fn solve(&mut self, first: usize) -> Result<(), FoldError> {
        self.recompute()?;
        let balance = self.balance_to_solve(first)?;
        match (self.conditions().interest_method, self.conditions().amortization) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstallments) => self.solve_level(first, balance),
            (_, Amortization::InterestOnly | Amortization::Bullet) => self.set_principal(first, |_| Ok(0)),
            (InterestMethod::Flat, Amortization::EqualInstallments) => {
                let multiple = self.conditions().installment_multiple;
                let each = self.per_row(first, balance)?;
                self.set_principal(first, |row| {
                    let interest = row.flat_interest.unwrap_or(0);
                    let principal = to_multiple(Decimal::from(each), multiple)?;
                    sub(add(principal, to_multiple(Decimal::from(interest), multiple)?)?, interest)
                })
            }
            (_, Amortization::EqualPrincipal) => {
                let each = self.per_row(first, balance)?;
                self.set_principal(first, |_| Ok(each))
            }
        }?;
        self.settle(self.rows.get(first).map_or(NaiveDate::MIN, |row| row.due_on))
    }

    fn per_row(&self, first: usize, balance: i64) -> Result<i64, FoldError> {
        let bearing = self.rows.iter().skip(first).filter(|row| !row.principal_grace).count();
        share(balance, 1, i64::try_from(bearing.max(1)).map_err(|_| FoldError::Overflow)?)
    }

    fn set_principal(
        &mut self,
        first: usize,
        amount: impl Fn(&Row) -> Result<i64, FoldError>,
    ) -> Result<(), FoldError> {
        for row in self.rows.iter_mut().skip(first) {
            let settled = row.paid_principal.max(row.settled_principal);
            let principal = if row.principal_grace { 0 } else { amount(row)?.max(settled) };
            row.target = Target::Principal(principal);
            row.original = principal;
        }
        Ok(())
    }

    /// The scheduled balance before a row, and everything paid out within it.
    fn balance_to_solve(&self, first: usize) -> Result<i64, FoldError> {
        let before = match first.checked_sub(1) {
            Some(previous) => self.rows.get(previous).map_or(0, |row| row.balance_after),
            None => 0,
        };
        let (from, until) = self.rows.get(first).map_or((NaiveDate::MIN, NaiveDate::MAX), |row| (row.from, row.until));
        let is_last = first.saturating_add(1) >= self.rows.len();
        let within = self.changes.iter().filter(|change| {
            let starts = if first == 0 { change.on >= from } else { change.on > from };
            change.kind == ChangeKind::Disbursed && starts && (change.on < until || (is_last && change.on == until))
        });
        // What was paid out on the day the row starts is part of the balance before it already.
        add(before, sum(within.map(|change| change.amount))?)
    }

    fn solve_level(&mut self, first: usize, balance: i64) -> Result<(), FoldError> {
        let mut fractions = Vec::new();
        for row in self.rows.iter().skip(first).filter(|row| !row.principal_grace) {
            fractions.push(self.level_fraction(row)?);
        }
        if fractions.is_empty() {
            return Ok(());
        }
        let exact = level(balance, &fractions)?;
        let amount = to_multiple(Decimal::from(to_minor(exact)?), self.conditions().installment_multiple)?;
        self.set_level(first, amount)?;
        if self.conditions().smooth_last {
            self.smooth(first, amount)?;
        }
        Ok(())
    }

    pub(crate) fn level_fraction(&self, row: &Row) -> Result<Decimal, FoldError> {
        if row.interest_free {
            return Ok(Decimal::ZERO);
        }
        match self.conditions().level_on {
            LevelOn::ActualPeriods => self.tariff.fraction(row.period()),
            LevelOn::NominalPeriods => {
                let years = nominal_fraction(self.tariff.day_count, row.every, row.unit)?;
                of_rate(self.tariff.rate_on(row.from), years)
            }
        }
    }

    fn set_level(&mut self, first: usize, amount: i64) -> Result<(), FoldError> {
        for row in self.rows.iter_mut().skip(first).filter(|row| !row.principal_grace) {
            if amount >= row.floor()? {
                row.target = Target::Level(amount);
                row.original = amount;
            }
        }
        Ok(())
    }

    /// Evens out the last row with the others, as long as that brings them closer; three times at most.
    fn smooth(&mut self, first: usize, mut level: i64) -> Result<(), FoldError> {
        let multiple = self.conditions().installment_multiple;
        let exponent = self.terms.principal.currency().exponent();
        for _ in 0..3 {
            let mut settled = self.clone();
            settled.settle(self.rows.get(first).map_or(NaiveDate::MIN, |row| row.due_on))?;
            let Some(last) = settled.last_open(first)? else { return Ok(()) };
            let count = self.rows.iter().skip(first).filter(|row| !row.principal_grace).count();
            let over = self.rows.iter().skip(first).filter(|row| row.paid().is_ok_and(|paid| paid > level)).count();
            let Some(step) = evening(level, last, count, count.saturating_sub(over), exponent)? else { return Ok(()) };
            let amount = to_multiple(Decimal::from(add(level, step)?), multiple)?;
            if amount == level {
                return Ok(());
            }
            let mut tried = self.clone();
            tried.set_level(first, amount)?;
            let mut tried_settled = tried.clone();
            tried_settled.settle(self.rows.get(first).map_or(NaiveDate::MIN, |row| row.due_on))?;
            let better = match tried_settled.last_open(first)? {
                Some(new_last) => sub(new_last, amount)?.abs() < sub(last, level)?.abs(),
                None => false,
            };
            if !better {
                return Ok(());
            }
            *self = tried;
            level = amount;
        }
        Ok(())
    }

    /// What the last row aims at that is not paid and follows one that is not; a row that nothing is left for counts, or
    /// evening out could make a loan shorter than agreed.
    fn last_open(&self, first: usize) -> Result<Option<i64>, FoldError> {
        let open: Vec<&Row> = self.rows.iter().skip(first).filter(|row| !row.principal_grace).collect();
        let is_open = |row: &Row| Ok::<_, FoldError>(!row.is_fully_paid()? || row.paid()? == 0);
        for pair in open.windows(2).rev() {
            let [before, last] = pair else { continue };
            if is_open(before)? && is_open(last)? {
                return Ok(Some(last.target.amount()));
            }
        }
        Ok(None)
    }

    /// Runs the balances through all rows: interest, principal, what is carried on.
    pub(crate) fn recompute(&mut self) -> Result<(), FoldError> {
        let mut balance = 0_i64;
        let mut carried = 0_i64;
        let mut deferred = 0_i64;
        let mut changes = self.changes.iter().peekable();
        let tariff = &self.tariff;
        let last = self.rows.len().saturating_sub(1);
        for (index, row) in self.rows.iter_mut().enumerate() {
            let mut interest = RowInterest::default();
            let mut start = row.from;
            let mut at_end = 0_i64;
            while let Some(change) = changes.next_if(|change| change.on <= row.until) {
                if change.on == row.until {
                    at_end = add(at_end, change.amount)?;
                    continue;
                }
                let until = change.on.max(start);
                bear(&mut interest, tariff, row, (start, until), balance, self.interest_until)?;
                balance = add(balance, change.amount)?;
                start = until;
            }
            bear(&mut interest, tariff, row, (start, row.until), balance.max(0), self.interest_until)?;
            let own = match row.flat_interest {
                Some(flat) => flat_until(row, flat, self.interest_until)?,
                None => interest.total(tariff.rounding)?,
            };
            let own = if row.moved_away { 0 } else { own };
            row.deferred = if row.interest_grace { 0 } else { std::mem::take(&mut deferred) };
            let calculated = add(add(add(own, row.moved_here)?, carried)?, row.deferred)?.max(0);
            if self.closed {
                row.close();
            } else {
                row.divide(calculated, index == last)?;
            }
            carried = 0;
            if row.interest_grace {
                deferred = add(deferred, std::mem::take(&mut row.unrecognized))?;
            } else {
                carried = row.unrecognized;
            }
            row.lines = interest.lines;
            balance = add(balance.max(0), at_end)?;
            balance = add(sub(balance, row.principal)?, row.paid_principal)?.max(0);
            row.balance_after = balance;
        }
        Ok(())
    }

    /// The loan is paid off.
    pub(crate) fn close(&mut self) -> Result<(), FoldError> {
        self.closed = true;
        self.look.take();
        self.recompute()
    }

    /// Lets the last unpaid row take what the others leave. `on` is the day of what changed.
    pub(crate) fn settle(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        self.look.take();
        self.recompute()?;
        if self.closed {
            return Ok(());
        }
        // A run through the rows is what everything else costs: there is one only after something moved.
        let mut stale = self.trim()?;
        for row in &mut self.rows {
            stale |= row.moved_here != 0 || row.moved_away;
            row.moved_here = 0;
            row.moved_away = false;
        }
        let mut taker = None;
        for _ in 0..=self.rows.len() {
            if std::mem::take(&mut stale) {
                self.recompute()?;
            }
            let missing = self.missing()?;
            taker = self.taker()?;
            if missing == 0 {
                break;
            }
            // When all that was asked for is paid and something is missing still, the last row asks for it.
            let Some(index) = taker.or(self.rows.len().checked_sub(1)) else { return Ok(()) };
            stale = true;
            // Rounding can have the earlier rows ask for more than there is: then the last one that still can gives way.
            let giver = if missing < 0 { self.giver(index)? } else { index };
            if let Some(row) = self.rows.get_mut(giver) {
                row.target = row.target.plus(missing)?;
                let floor = match row.target {
                    Target::Level(_) => sub(row.floor()?, row.beside_target()?)?,
                    Target::Principal(_) => sub(row.paid_principal.max(row.settled_principal), row.credited)?,
                }
                .max(0);
                if row.target.amount() < floor {
                    row.target = match row.target {
                        Target::Level(_) => Target::Level(floor),
                        Target::Principal(_) => Target::Principal(floor),
                    };
                }
            }
        }
        let moved = self.move_late_interest(taker, on)?;
        if moved || stale {
            self.recompute()?;
        }
        self.pin(taker)
    }

    /// The last resort, when totals and the interest within them keep chasing each other: a row is given the principal
    /// it is to have, whatever its interest comes to, because no cent of principal may be lost or made.
    fn pin(&mut self, taker: Option<usize>) -> Result<(), FoldError> {
        let Some(last) = self.rows.len().checked_sub(1) else { return Ok(()) };
        for _ in 0..=last {
            let missing = self.missing()?;
            if missing == 0 {
                return Ok(());
            }
            let index = if missing < 0 { self.giver(last)? } else { taker.unwrap_or(last) };
            if let Some(row) = self.rows.get_mut(index) {
                row.target = Target::Principal(sub(add(row.principal, missing)?, row.credited)?.max(0));
            }
            self.recompute()?;
        }
        Ok(())
    }

    /// Principal that no row asks for; below nothing when the rows ask for too much.
    fn missing(&self) -> Result<i64, FoldError> {
        sub(add(self.disbursed, self.credited)?, sum(self.rows.iter().map(|row| row.principal))?)
    }

    /// The last row that is not fully paid; the last of all while nothing is paid.
    fn taker(&self) -> Result<Option<usize>, FoldError> {
        let last = self.rows.len().checked_sub(1);
        let mut untouched = true;
        for row in &self.rows {
            untouched &= row.floor()? == 0;
        }
        if untouched {
            return Ok(last);
        }
        let mut found = None;
        let mut any_paid = false;
        for (index, row) in self.rows.iter().enumerate() {
            any_paid |= row.paid_principal > 0;
            if row.floor()? >= row.total()? && row.floor()? > 0 && row.paid()? == 0 {
                // Settled without the schedule having been told.
                continue;
            }
            if !row.is_fully_paid()? || matches!(row.target, Target::Principal(_)) && row.paid_principal < row.principal
            {
                found = Some(index);
            }
        }
        Ok(found.or(if any_paid { None } else { last }))
    }

    /// The last row up to `taker` that can ask for less principal; `taker` when none can.
    fn giver(&self, taker: usize) -> Result<usize, FoldError> {
        for (index, row) in self.rows.iter().enumerate().take(taker.saturating_add(1)).rev() {
            if row.principal > row.paid_principal.max(row.settled_principal).max(row.credited) {
                return Ok(index);
            }
        }
        Ok(taker)
    }

    /// No row asks for more principal than the loan still owes.
    fn trim(&mut self) -> Result<bool, FoldError> {
        let mut trimmed = false;
        let paid = sum(self.rows.iter().map(|row| row.paid_principal))?;
        let owed = sub(add(self.disbursed, self.credited)?, paid)?.max(0);
        for row in &mut self.rows {
            let over = sub(row.outstanding_principal()?, owed)?;
            if over <= 0 {
                continue;
            }
            trimmed = true;
            let lowered = row.target.plus(over.checked_neg().ok_or(FoldError::Overflow)?)?;
            let floor = match row.target {
                Target::Level(_) => sub(row.paid()?, row.beside_target()?)?.max(0),
                Target::Principal(_) => sub(row.paid_principal, row.credited)?.max(0),
            };
            row.target = match lowered {
                Target::Level(amount) => Target::Level(amount.max(floor)),
                Target::Principal(amount) => Target::Principal(amount.max(floor)),
            };
        }
        Ok(trimmed)
    }

    /// When the rows after the taker were all paid ahead, interest they cannot show belongs to the taker. Answers
    /// whether there was any.
    fn move_late_interest(&mut self, taker: Option<usize>, on: NaiveDate) -> Result<bool, FoldError> {
        let Some(taker) = taker.filter(|index| index.saturating_add(1) < self.rows.len()) else { return Ok(false) };
        let mut look = self.clone();
        look.interest_until = Some(self.interest_until.map_or(on, |until| until.min(on)));
        look.recompute()?;
        let later = look.rows.iter().skip(taker.saturating_add(1)).rev().find(|row| row.unrecognized > 0);
        let Some(moved) = later.map(|row| row.unrecognized) else { return Ok(false) };
        for row in self.rows.iter_mut().skip(taker.saturating_add(1)) {
            row.moved_away = true;
        }
        if let Some(row) = self.rows.get_mut(taker) {
            row.moved_here = moved;
        }
        Ok(true)
    }
}

fn bear(
    interest: &mut RowInterest,
    tariff: &Tariff,
    row: &Row,
    (from, until): (NaiveDate, NaiveDate),
    balance: i64,
    limit: Option<NaiveDate>,
) -> Result<(), FoldError> {
    if row.interest_free || row.flat_interest.is_some() {
        return Ok(());
    }
    let until = limit.map_or(until, |limit| until.min(limit));
    interest.stretch(tariff, row.number, row.period(), (from, until), balance.max(0))
}

/// Flat interest of a row up to a day, by days.
fn flat_until(row: &Row, flat: i64, limit: Option<NaiveDate>) -> Result<i64, FoldError> {
    let Some(limit) = limit.filter(|limit| *limit < row.until) else { return Ok(flat) };
    let (covered, length) = (days(row.from, limit).max(0), days(row.from, row.until));
    if length <= 0 { Ok(flat) } else { share(flat, covered, length) }
}
