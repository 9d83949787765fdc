//! Paying a loan off: whether an amount does, what it then pays and no more, and what is not asked for any longer. The
//! quote it is measured by is `report`'s; where the money goes is `allocate`'s.

use chrono::NaiveDate;

use super::allocate::Paying;
use super::{ChargeState, Folding, Interest, add, sub};
use crate::loan::charges::ChargeKind;
use crate::loan::conditions::Component;
use crate::loan::error::FoldError;
use crate::loan::event::Sequence;

/// What a payment that pays the loan off may still pay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    /// What closing the loan costs, when the payment covers that too.
    fee: i64,
    /// Interest: no more than the quote said, and no less.
    interest: i64,
    /// Charges that are not due: the quote did not ask for them, so they get what it leaves.
    charges_ahead: i64,
}

impl Folding<'_> {
    /// What closing the loan on a day costs: nothing at maturity, nor where charges alone are left.
    pub(super) fn closing_fee(&self, on: NaiveDate) -> Result<i64, FoldError> {
        let early = self.model.maturity().is_some_and(|maturity| on < maturity);
        let charged = early && self.outstanding()?.owes_more_than_charges();
        Ok(if charged { self.terms.conditions.early_closure_fee } else { 0 })
    }

    /// The rows and the quote round interest in different places: what the quote said of it is paid in full, and the
    /// rows of a loan that is paid off ask for nothing more. Neither do the charges of days it no longer runs.
    pub(super) fn close(&mut self, paying: &mut Paying) -> Result<(), FoldError> {
        let Some(Closing { interest, .. }) = paying.closes else { return self.pay_unshown(paying) };
        if self.outstanding()?.principal != 0 {
            return Ok(());
        }
        self.forgo_charges_ahead(paying.on)?;
        if self.follows() == Interest::Fixed {
            return Ok(());
        }
        let running = self.model.row_of(paying.on).unwrap_or(self.model.rows.len().saturating_sub(1));
        self.pay_part(running, Component::Interest, interest, None, paying)?;
        if self.follows() == Interest::ByInstallment {
            self.tell_settled()?;
        }
        self.model.close()
    }

    /// Money that is left pays the interest that no row had room for, before it is anybody's credit.
    fn pay_unshown(&mut self, paying: &mut Paying) -> Result<(), FoldError> {
        if paying.left == 0 || self.follows() != Interest::ByRules || !self.outstanding()?.is_zero() {
            return Ok(());
        }
        let unshown = self.model.payoff(paying.interest_on)?.interest;
        let running = self.model.row_of(paying.on).unwrap_or(self.model.rows.len().saturating_sub(1));
        self.pay_part(running, Component::Interest, unshown, None, paying)?;
        if paying.left > 0 { self.model.close() } else { Ok(()) }
    }

    /// Whether an amount pays the loan off on a day, with the fee for it or else without.
    pub(super) fn closes(&self, on: NaiveDate, amount: i64) -> Result<Option<Closing>, FoldError> {
        let outstanding = self.outstanding()?;
        if !outstanding.owes_more_than_charges() || amount < outstanding.principal {
            return Ok(None);
        }
        let fee = self.closing_fee(on)?;
        for fee in if fee == 0 { vec![0] } else { vec![fee, 0] } {
            // Credit lowers the quote, but here it may be the very money that pays.
            let quote = self.quote(on, fee)?;
            let beyond = sub(amount, add(quote.total, quote.credit)?)?;
            if beyond >= 0 {
                return Ok(Some(Closing { fee, interest: quote.interest, charges_ahead: beyond }));
            }
        }
        Ok(None)
    }

    /// A payoff ends the loan: what its charges to come were not paid is not asked for.
    fn forgo_charges_ahead(&mut self, on: NaiveDate) -> Result<(), FoldError> {
        for index in 0..self.accounts.len() {
            let ahead = self.charges_ahead(index, on)?;
            if let Some(account) = self.accounts.get_mut(index) {
                account.forgone = account.forgone.plus(&ahead)?;
            }
        }
        Ok(())
    }

    /// What paying off early costs is charged when a payment covers that too.
    pub(super) fn charge_early_closure(
        &mut self,
        sequence: Sequence,
        on: NaiveDate,
        closes: Option<Closing>,
    ) -> Result<(), FoldError> {
        let Some(fee) = closes.map(|closing| closing.fee).filter(|fee| *fee > 0) else { return Ok(()) };
        let index = self.account_for_charge(on)?;
        let mut installment = 0;
        if let Some(account) = self.accounts.get_mut(index) {
            account.charged.fees = add(account.charged.fees, fee)?;
            installment = account.number;
        }
        self.charges.push(ChargeState {
            sequence,
            kind: ChargeKind::Fee,
            due_on: on,
            installment,
            amount: fee,
            waived: 0,
            late_for: None,
        });
        Ok(())
    }

    /// How much of an amount a payment has for a component: one that pays the loan off pays what its quote asked for.
    pub(super) fn within_quote(
        &self,
        index: usize,
        component: Component,
        amount: i64,
        paying: &mut Paying,
    ) -> Result<i64, FoldError> {
        let Some(closing) = &mut paying.closes else { return Ok(amount) };
        match component {
            Component::Interest if self.follows() != Interest::Fixed => {
                let amount = amount.min(closing.interest);
                closing.interest = sub(closing.interest, amount.max(0))?;
                Ok(amount)
            }
            Component::Principal | Component::Interest => Ok(amount),
            Component::Fee | Component::Penalty => {
                let due = sub(self.owed_now(index, component)?, self.charges_ahead(index, paying.on)?.of(component))?;
                let ahead = sub(amount, due)?.max(0).min(closing.charges_ahead);
                closing.charges_ahead = sub(closing.charges_ahead, ahead)?;
                add(amount.min(due), ahead)
            }
        }
    }
}
