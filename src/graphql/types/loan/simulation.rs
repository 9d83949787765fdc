//! A loan as it would be, beside what it is.

use async_graphql::{Object, Result, SimpleObject};
use lending::loan::state;
use lending::loan::{LoanState, Portions};

use super::balances::{Balances, money};
use super::quotes::{CostDisclosure, DisclosureRule, disclosed};
use super::schedule::Installment;
use crate::graphql::error::Nullable;
use crate::graphql::types::ledger::{JournalEntryKind, JournalLine};
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::Date;
use crate::graphql::types::user_error::UserError;
use crate::service::ServiceError;
use crate::service::loan_simulation::Simulation;
use crate::service::problem::Problem;

/// A loan as it would be. Nothing of it is written.
pub struct LoanSimulation {
    simulation: Option<Simulation>,
    problems: Vec<Problem>,
}

/// What an event would change about an installment.
#[derive(Debug, Clone, SimpleObject)]
pub struct InstallmentChange {
    /// The number of the installment.
    pub number: u32,
    /// When it is due without the events; null when there is no such installment.
    pub due_on_before: Option<Date>,
    /// When it would be due; null when there would be no such installment.
    pub due_on_after: Option<Date>,
    /// What it asks for without the events; null when there is no such installment.
    pub before: Option<Balances>,
    /// What it would ask for; null when there would be no such installment.
    pub after: Option<Balances>,
    /// What is left of it without the events; null when there is no such installment.
    pub outstanding_before: Option<Balances>,
    /// What would be left of it; null when there would be no such installment.
    pub outstanding_after: Option<Balances>,
}

/// A journal entry that would be booked.
#[derive(Debug, Clone, SimpleObject)]
pub struct SimulatedEntry {
    /// What it would be for.
    pub kind: JournalEntryKind,
    /// The day it would be booked on: the value date of a new transaction, else the last day of the simulation.
    pub on: Date,
    /// It would take an entry back that was booked before, because a transaction is split anew or reversed.
    pub reverses: bool,
    /// Its lines; debits and credits are equal.
    pub lines: Vec<JournalLine>,
}

impl LoanSimulation {
    /// What was simulated, with what was refused.
    pub fn of(mut simulation: Simulation) -> Self {
        let problems = std::mem::take(&mut simulation.problems);
        Self { simulation: Some(simulation), problems }
    }

    /// What could not be simulated, and the loan without it if there is one.
    pub fn refused(simulation: Option<Simulation>, problems: Vec<Problem>) -> Self {
        Self { simulation, problems }
    }

    fn after(&self) -> Option<&LoanState> {
        self.simulation.as_ref().map(|simulation| &simulation.after)
    }

    fn asked(&self) -> Result<Option<(Portions, &LoanState)>> {
        let Some(simulation) = &self.simulation else { return Ok(None) };
        Ok(Some((simulation.asked().map_err(ServiceError::from)?, &simulation.after)))
    }
}

/// A loan as it would be. Nothing of it is written.
#[Object]
impl LoanSimulation {
    /// The day all this would be of: the loan's day, or that of the last event if it is later.
    fn as_of(&self) -> Option<Date> {
        self.after().map(|after| Date(after.as_of))
    }

    /// The schedule, first row to last; empty when the terms could not be read and while nothing is disbursed.
    fn schedule(&self) -> Vec<Installment> {
        self.after().map_or_else(Vec::new, |after| Installment::all(after.installments.clone(), after.currency))
    }

    /// What would be left of all installments together; null when the terms could not be read.
    fn balances(&self) -> Result<Option<Balances>> {
        let Some(after) = self.after() else { return Ok(None) };
        Ok(Some(Balances::of(&after.outstanding().map_err(ServiceError::from)?, after.currency)?))
    }

    /// What the borrower would have paid too much; null when the terms could not be read.
    fn credit_balance(&self) -> Option<Money> {
        self.after().map(|after| money(after.credit, after.currency))
    }

    /// The interest that all installments ask for; null when the terms could not be read.
    fn total_interest(&self) -> Result<Option<Money>> {
        Ok(self.asked()?.map(|(asked, after)| money(asked.interest, after.currency)))
    }

    /// All that the installments ask for: principal, interest, fees and penalties; null when the terms could not be read.
    fn total_repayable(&self) -> Result<Option<Money>> {
        let Some((asked, after)) = self.asked()? else { return Ok(None) };
        Ok(Some(money(asked.total().map_err(ServiceError::from)?, after.currency)))
    }

    /// What the loan would cost a year as it would have been agreed, like `Loan.disclosure`; null while nothing is disbursed. Where the flows have no single rate it is null, and the error says why.
    fn disclosure(&self, #[graphql(desc = "By which rule.")] rule: DisclosureRule) -> Nullable<CostDisclosure> {
        disclosed(self.simulation.as_ref()?.disclose(rule.into()))
    }

    /// The installments that would be different, or that would have something else left of them, compared with the loan on the same day without the events.
    fn changes(&self) -> Result<Vec<InstallmentChange>> {
        match &self.simulation {
            Some(simulation) => changes(&simulation.before, &simulation.after),
            None => Ok(Vec::new()),
        }
    }

    /// The journal entries that would be booked, in their order.
    fn journal(&self) -> Vec<SimulatedEntry> {
        let Some(simulation) = &self.simulation else { return Vec::new() };
        let entries = simulation.journal.iter().map(|entry| SimulatedEntry {
            kind: entry.kind.into(),
            on: Date(entry.on),
            reverses: entry.mirrors,
            lines: JournalLine::all(&entry.entry, simulation.after.currency),
        });
        entries.collect()
    }

    /// What to mend; empty when all went well. The first event that is refused and those after it count for nothing, the ones before it do.
    fn user_errors(&self) -> Vec<UserError> {
        self.problems.iter().cloned().map(UserError::from).collect()
    }
}

fn changes(before: &LoanState, after: &LoanState) -> Result<Vec<InstallmentChange>> {
    let most = before.installments.len().max(after.installments.len());
    let mut found = Vec::new();
    for place in 0..most {
        let (old, new) = (before.installments.get(place), after.installments.get(place));
        let asks = |row: &state::Installment| row.due;
        let left = |row: &state::Installment| row.outstanding();
        let (left_before, left_after) = (
            old.map(left).transpose().map_err(ServiceError::from)?,
            new.map(left).transpose().map_err(ServiceError::from)?,
        );
        let same = old.map(asks) == new.map(asks)
            && left_before == left_after
            && old.map(|row| row.due_on) == new.map(|row| row.due_on);
        let Some(number) = new.or(old).map(|row| row.number).filter(|_| !same) else { continue };
        let balances = |portions: Option<Portions>| portions.map(|one| Balances::of(&one, after.currency)).transpose();
        found.push(InstallmentChange {
            number,
            due_on_before: old.map(|row| Date(row.due_on)),
            due_on_after: new.map(|row| Date(row.due_on)),
            before: balances(old.map(asks))?,
            after: balances(new.map(asks))?,
            outstanding_before: balances(left_before)?,
            outstanding_after: balances(left_after)?,
        });
    }
    Ok(found)
}
