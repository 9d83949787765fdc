//! Where a payment goes: installment by installment, what is due before what is not, or by a list of rules. Every
//! share says which place in the order sent it there. What finds nothing more to pay becomes the borrower's credit.

use chrono::NaiveDate;

use super::account::state_of;
use super::closing::Closing;
use super::{Folding, Interest, Outcome, add, book, sub};
use crate::loan::charges::ChargeKind;
use crate::loan::conditions::{
    AdvanceTo, AllocationMode, AllocationRule, Component, DueState, PayoffInterest, RuleDirection,
};
use crate::loan::error::FoldError;
use crate::loan::event::{PaymentKind, Sequence};
use crate::loan::portions::Portions;
use crate::loan::state::Share;
use crate::rounding::share;
use crate::schedule::{Early, PrincipalPaid};

/// A payment on its way through the installments.
pub(super) struct Paying {
    pub on: NaiveDate,
    /// The day up to which interest of installments that are not due counts.
    pub interest_on: NaiveDate,
    /// It pays the loan off, by its quote.
    pub closes: Option<Closing>,
    pub left: i64,
    pub shares: Vec<Share>,
}

impl Folding<'_> {
    pub(super) fn pay(
        &mut self,
        sequence: Sequence,
        on: NaiveDate,
        amount: i64,
        kind: PaymentKind,
    ) -> Result<Outcome, FoldError> {
        // Asked before the early-closure fee is charged, or the fee would be asked for twice.
        let closes = self.closes(on, amount)?;
        self.charge_early_closure(sequence, on, closes)?;
        let shares = self.allocate(on, amount, closes)?;
        let portions = sum_of(&shares)?;
        let to_credit = sub(amount, portions.total()?)?;
        self.credit = add(self.credit, to_credit)?;
        let entry = book::payment(kind, &portions, to_credit, self.charged_off_on.is_some())?;
        Ok(Outcome { amount, portions, to_credit, shares, entry })
    }

    /// Credit pays what has just become owed: a loan never has both.
    pub(super) fn use_credit(&mut self, on: NaiveDate) -> Result<(Vec<Share>, i64), FoldError> {
        if self.credit <= 0 {
            return Ok((Vec::new(), 0));
        }
        let closes = self.closes(on, self.credit)?;
        let shares = self.allocate(on, self.credit, closes)?;
        let used = sum_of(&shares)?.total()?;
        self.credit = sub(self.credit, used)?;
        Ok((shares, used))
    }

    fn allocate(&mut self, on: NaiveDate, amount: i64, closes: Option<Closing>) -> Result<Vec<Share>, FoldError> {
        let to_end = self.terms.conditions.payoff_interest == PayoffInterest::ToPeriodEnd;
        let follows = self.follows() != Interest::Fixed;
        let interest_on = if closes.is_some() && to_end && follows { self.model.period_end(on) } else { on };
        if interest_on > on {
            self.advance_to(interest_on)?;
        }
        let mut paying = Paying { on, interest_on, closes, left: amount, shares: Vec::new() };
        match self.terms.conditions.allocation.mode {
            AllocationMode::Rules => {
                self.by_rules(&mut paying)?;
                self.exhaust(&mut paying)?;
            }
            AllocationMode::ByInstallment | AllocationMode::DueThenAdvance => self.one_by_one(&mut paying)?,
        }
        self.close(&mut paying)?;
        Ok(paying.shares)
    }

    fn one_by_one(&mut self, paying: &mut Paying) -> Result<(), FoldError> {
        let allocation = &self.terms.conditions.allocation;
        if paying.closes.is_some() {
            // All principal comes back on that day: no row asks for interest beyond it, due or not.
            let principal = self.outstanding()?.principal;
            self.note_early(paying.interest_on, principal)?;
        }
        self.settle_due(paying)?;
        if paying.left > 0 && paying.closes.is_none() {
            // Early money on a due date is principal of the installment that is due that day.
            self.note_early(paying.interest_on, paying.left)?;
            self.settle_due(paying)?;
        }
        for index in 0..self.accounts.len() {
            if paying.left == 0 {
                return Ok(());
            }
            if self.due_date_of(index) <= paying.on {
                continue;
            }
            if allocation.mode == AllocationMode::DueThenAdvance {
                self.settle_due_charges(index, paying)?;
                self.settle_in_order(index, &allocation.advance_order, paying)?;
            } else {
                self.settle_in_order(index, &allocation.order, paying)?;
            }
        }
        Ok(())
    }

    fn settle_due(&mut self, paying: &mut Paying) -> Result<(), FoldError> {
        for index in 0..self.accounts.len() {
            if self.due_date_of(index) <= paying.on {
                self.settle_in_order(index, &self.terms.conditions.allocation.order, paying)?;
            }
        }
        Ok(())
    }

    /// Money that is left when everything due is settled lowers the balance that bears interest.
    fn note_early(&mut self, on: NaiveDate, amount: i64) -> Result<(), FoldError> {
        let before_maturity = self.model.maturity().is_some_and(|maturity| on < maturity);
        if self.follows() != Interest::ByInstallment || !before_maturity || amount == 0 {
            return Ok(());
        }
        self.early.push(Early { on, amount });
        self.remake(on)
    }

    fn settle_in_order(&mut self, index: usize, order: &[Component], paying: &mut Paying) -> Result<(), FoldError> {
        for (place, component) in (0..).zip(order) {
            let owed = self.owed_now(index, *component)?;
            self.pay_part(index, *component, owed, Some(place), paying)?;
        }
        Ok(())
    }

    /// Penalties and fees that are due already, of an installment that is not.
    fn settle_due_charges(&mut self, index: usize, paying: &mut Paying) -> Result<(), FoldError> {
        for (place, (kind, component)) in
            (0..).zip([(ChargeKind::Penalty, Component::Penalty), (ChargeKind::Fee, Component::Fee)])
        {
            let Some(account) = self.accounts.get(index) else { continue };
            let due = self
                .charges
                .iter()
                .filter(|charge| charge.installment == account.number && charge.kind == kind)
                .filter(|charge| charge.due_on <= paying.on)
                .try_fold(0, |sum, charge| add(sum, sub(charge.amount, charge.waived)?))?;
            let owed = sub(due, account.paid.of(component))?.min(self.owed_now(index, component)?);
            self.pay_part(index, component, owed, Some(place), paying)?;
        }
        Ok(())
    }

    fn by_rules(&mut self, paying: &mut Paying) -> Result<(), FoldError> {
        let allocation = &self.terms.conditions.allocation;
        match allocation.direction {
            RuleDirection::ComponentFirst => {
                for (place, rule) in (0..).zip(&allocation.rules) {
                    self.walk(rule.state, &[(place, *rule)], paying)?;
                }
            }
            RuleDirection::InstallmentFirst => {
                let mut seen: Vec<DueState> = Vec::new();
                for rule in &allocation.rules {
                    if seen.contains(&rule.state) {
                        continue;
                    }
                    seen.push(rule.state);
                    let of_state: Vec<(u32, AllocationRule)> = (0..)
                        .zip(allocation.rules.iter().copied())
                        .filter(|(_, candidate)| candidate.state == rule.state)
                        .collect();
                    self.walk(rule.state, &of_state, paying)?;
                }
            }
        }
        Ok(())
    }

    /// What the rules left over pays what is owed all the same, principal first, because it is what bears interest: a
    /// loan never has both a debt and a credit.
    fn exhaust(&mut self, paying: &mut Paying) -> Result<(), FoldError> {
        loop {
            let before = paying.left;
            for component in [Component::Principal, Component::Interest, Component::Fee, Component::Penalty] {
                for index in 0..self.accounts.len() {
                    if paying.left == 0 {
                        return Ok(());
                    }
                    let owed = self.owed_now(index, component)?;
                    self.pay_part(index, component, owed, None, paying)?;
                }
            }
            // What one row gave up another asks for: again, until nothing moves any more.
            if paying.left == before {
                return Ok(());
            }
        }
    }

    /// Pays the installments of one due state by some rules, until nothing moves any more.
    fn walk(&mut self, state: DueState, rules: &[(u32, AllocationRule)], paying: &mut Paying) -> Result<(), FoldError> {
        let advance_to = self.terms.conditions.allocation.advance_to;
        loop {
            let before = paying.left;
            if before == 0 {
                return Ok(());
            }
            let mut indices: Vec<usize> = (0..self.accounts.len())
                .filter(|index| state_of(self.due_date_of(*index), paying.on) == state)
                .collect();
            match (state, advance_to) {
                (DueState::InAdvance, AdvanceTo::Reamortize) => self.spread(&indices, rules, paying)?,
                (DueState::InAdvance, AdvanceTo::LastInstallment) => {
                    indices.reverse();
                    self.fill(&indices, rules, paying)?;
                }
                _ => self.fill(&indices, rules, paying)?,
            }
            if paying.left == before {
                return Ok(());
            }
        }
    }

    fn fill(
        &mut self,
        indices: &[usize],
        rules: &[(u32, AllocationRule)],
        paying: &mut Paying,
    ) -> Result<(), FoldError> {
        for index in indices {
            for (place, rule) in rules {
                if paying.left == 0 {
                    return Ok(());
                }
                let owed = self.owed_on(*index, rule.component, paying.interest_on)?;
                self.pay_part(*index, rule.component, owed, Some(*place), paying)?;
            }
        }
        Ok(())
    }

    /// Gives each installment an equal part; the last takes what is left over by rounding.
    fn spread(
        &mut self,
        indices: &[usize],
        rules: &[(u32, AllocationRule)],
        paying: &mut Paying,
    ) -> Result<(), FoldError> {
        let mut open = Vec::new();
        for index in indices {
            for (_, rule) in rules {
                if self.owed_on(*index, rule.component, paying.interest_on)? > 0 {
                    open.push(*index);
                    break;
                }
            }
        }
        let count = i64::try_from(open.len()).map_err(|_| FoldError::Overflow)?;
        if count == 0 {
            return Ok(());
        }
        let rounded = share(paying.left, 1, count)?;
        let too_much = rounded.checked_mul(sub(count, 1)?).is_none_or(|sum| sum > paying.left);
        let each = if too_much { paying.left.div_euclid(count) } else { rounded };
        let mut budget = paying.left;
        for (place, index) in open.iter().enumerate() {
            let is_last = place.saturating_add(1) == open.len();
            let part = if is_last { budget } else { each.min(budget) };
            budget = sub(budget, part)?;
            let aside = sub(paying.left, part)?;
            paying.left = part;
            self.fill(std::slice::from_ref(index), rules, paying)?;
            paying.left = add(paying.left, aside)?;
        }
        Ok(())
    }

    pub(super) fn pay_part(
        &mut self,
        index: usize,
        component: Component,
        owed: i64,
        rule: Option<u32>,
        paying: &mut Paying,
    ) -> Result<(), FoldError> {
        let amount = self.within_quote(index, component, owed.min(paying.left), paying)?;
        if amount <= 0 {
            return Ok(());
        }
        let state = state_of(self.due_date_of(index), paying.on);
        let Some(account) = self.accounts.get_mut(index) else { return Ok(()) };
        account.paid = account.paid.plus(&Portions::only(component, amount))?;
        match state {
            DueState::InAdvance => account.paid_in_advance = add(account.paid_in_advance, amount)?,
            DueState::PastDue => account.paid_late = add(account.paid_late, amount)?,
            DueState::Due => {}
        }
        let (installment, beyond) = (account.number, account.beyond);
        paying.left = sub(paying.left, amount)?;
        paying.shares.push(Share { installment, component, amount, state, rule });
        if !beyond {
            self.tell_schedule(index, installment, component, amount, paying)?;
        }
        Ok(())
    }

    fn tell_schedule(
        &mut self,
        index: usize,
        installment: u32,
        component: Component,
        amount: i64,
        paying: &Paying,
    ) -> Result<(), FoldError> {
        match (self.follows(), component) {
            (Interest::ByRules, Component::Principal) => self.model.pay_principal(index, paying.interest_on, amount),
            (Interest::ByRules, Component::Interest) => self.model.pay_interest(index, paying.interest_on, amount),
            (Interest::ByInstallment, Component::Principal) => {
                self.principal_paid.push(PrincipalPaid { installment, on: paying.interest_on, amount });
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What shares come to.
pub(super) fn sum_of(shares: &[Share]) -> Result<Portions, FoldError> {
    shares.iter().try_fold(Portions::ZERO, |sum, share| sum.plus(&Portions::only(share.component, share.amount)))
}
