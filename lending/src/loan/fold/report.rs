//! The state that comes of a fold, and what it takes to be rid of the loan. Nothing here changes the loan.

use chrono::NaiveDate;

use super::{Folding, Interest, Loan, add, sub};
use crate::calendar::Calendar;
use crate::loan::conditions::PayoffInterest;
use crate::loan::error::FoldError;
use crate::loan::event::Transaction;
use crate::loan::payoff::PayoffQuote;
use crate::loan::portions::Portions;
use crate::loan::state::{Installment, LoanState, Standing};
use crate::loan::terms::LoanTerms;
use crate::schedule::Early;

impl Loan {
    /// What it takes to be rid of a loan on a day, given what happened up to it: all principal; interest to the day
    /// or to the end of its period, and of a loan whose interest is fixed all that is scheduled; fees and penalties
    /// due by then and the early-closure fee; less the borrower's credit.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn payoff(
        terms: &LoanTerms,
        transactions: &[Transaction],
        calendar: &Calendar,
        on: NaiveDate,
    ) -> Result<PayoffQuote, FoldError> {
        Folding::run(terms, transactions, calendar, on)?.payoff(on)
    }
}

impl Folding<'_> {
    /// See [`Loan::payoff`].
    pub(super) fn payoff(&self, on: NaiveDate) -> Result<PayoffQuote, FoldError> {
        self.quote(on, self.closing_fee(on)?)
    }

    /// What paying off costs with so much of a fee for it.
    pub(super) fn quote(&self, on: NaiveDate, closing_fee: i64) -> Result<PayoffQuote, FoldError> {
        let outstanding = self.outstanding()?;
        let interest = self.payoff_interest(on, &outstanding)?;
        let runs = outstanding.owes_more_than_charges();
        let (fees, penalties) = self.charges_due(on, runs, closing_fee)?;
        let principal = outstanding.principal;
        let owed = Portions { principal, interest, fees, penalties }.total()?;
        Ok(PayoffQuote {
            on,
            principal,
            interest,
            fees,
            penalties,
            credit: self.credit,
            total: sub(owed, self.credit)?,
        })
    }

    fn payoff_interest(&self, on: NaiveDate, outstanding: &Portions) -> Result<i64, FoldError> {
        if self.interest == Interest::Fixed || self.charged_off_on.is_some() || outstanding.principal == 0 {
            return Ok(outstanding.interest);
        }
        let day = match self.terms.conditions.payoff_interest {
            PayoffInterest::ToDate => on,
            PayoffInterest::ToPeriodEnd => self.model.period_end(on),
        };
        if self.interest == Interest::ByRules {
            // To the period's end means that overdue principal bears interest until then, too.
            let mut look = self.model.clone();
            look.bear_overdue(day)?;
            return Ok(look.payoff(day)?.interest);
        }
        let mut look = self.clone();
        if look.model.maturity().is_some_and(|maturity| day < maturity) {
            look.early.push(Early { on: day, amount: outstanding.principal });
        }
        look.remake(day)?;
        Ok(look.outstanding()?.interest.max(0))
    }

    /// What is left of fees and penalties that are due by a day, with a fee for closing the loan then; of a loan that owes
    /// nothing else, all that is left.
    fn charges_due(&self, on: NaiveDate, runs: bool, closing_fee: i64) -> Result<(i64, i64), FoldError> {
        let place = self.place_of_charge(on);
        let (mut fees, mut penalties) = (if place.is_none() { closing_fee } else { 0 }, 0);
        for index in 0..self.accounts.len() {
            let fee = if place == Some(index) { closing_fee } else { 0 };
            let left = self.outstanding_of(index)?;
            let ahead = if runs { self.charges_ahead_with(index, on, fee)? } else { Portions::ZERO };
            fees = add(fees, sub(add(left.fees, fee)?, ahead.fees)?)?;
            penalties = add(penalties, sub(left.penalties, ahead.penalties)?)?;
        }
        Ok((fees, penalties))
    }

    /// The state of the loan.
    pub(super) fn report(mut self, as_of: NaiveDate) -> Result<LoanState, FoldError> {
        self.model.tariff.with_lines = true;
        match self.interest {
            Interest::Fixed | Interest::ByRules => self.model.recompute()?,
            Interest::ByInstallment => self.advance_to(as_of)?,
        }
        let installments = self.installments()?;
        let standing = match (self.first_disbursed_on, self.written_off_on, self.repaid_on, self.defaulted_on) {
            (None, ..) => Standing::NotDisbursed,
            (_, Some(on), ..) => Standing::WrittenOff { on },
            (_, _, Some(on), _) => Standing::Repaid { on },
            (_, _, _, Some(on)) => Standing::Defaulted { on },
            _ => Standing::Active,
        };
        Ok(LoanState {
            as_of,
            currency: self.terms.principal.currency(),
            disbursed: self.model.disbursed,
            first_disbursed_on: self.first_disbursed_on,
            installments,
            standing,
            charged_off_on: self.charged_off_on,
            accrual_stopped: self.earned_at_stop,
            credit: self.credit,
            recovered: self.recovered,
            charges: self.charges,
            effects: self.effects,
            interest_lines: self.model.rows.iter().flat_map(|row| row.lines.iter().copied()).collect(),
        })
    }

    fn installments(&self) -> Result<Vec<Installment>, FoldError> {
        let last = self.model.rows.len().saturating_sub(1);
        let mut repaid = 0;
        let mut owed_again = 0;
        let mut rows = Vec::with_capacity(self.accounts.len());
        for (index, account) in self.accounts.iter().enumerate() {
            let due = self.due_of(index)?;
            let row = self.model.rows.get(index).filter(|_| !account.beyond);
            let (starts_on, until) = match row {
                Some(row) => (row.from, row.until),
                None => (self.model.maturity().unwrap_or(account.due_on), account.due_on),
            };
            repaid = add(repaid, due.principal)?;
            owed_again = add(owed_again, add(account.owed_again, row.map_or(0, |row| row.credited))?)?;
            let lent = if index >= last { self.model.disbursed } else { self.model.paid_out_before(until)? };
            rows.push(Installment {
                number: account.number,
                starts_on,
                due_on: self.due_date_of(index),
                due,
                paid: account.paid,
                waived: account.waived,
                written_off: account.written_off,
                paid_in_advance: account.paid_in_advance,
                paid_late: account.paid_late,
                principal_balance_after: sub(add(lent, owed_again)?, repaid)?,
                settled_on: account.settled_on,
            });
        }
        if self.interest == Interest::ByInstallment {
            // What was paid early made the loan shorter.
            while rows.len() > 1 && rows.last().is_some_and(|row| row.due.is_zero() && row.paid.is_zero()) {
                rows.pop();
            }
        }
        Ok(rows)
    }
}
