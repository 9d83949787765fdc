//! A loan to look at, built in one line each: what the other files of examples and properties start from. Amounts are
//! minor units, dates are written as text.

use std::fmt;

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::conditions::AllocationMode;
use lending::loan::payoff::PayoffQuote;
use lending::loan::{
    ChargeKind, Conditions, Event, Installment, Loan, LoanState, LoanTerms, PaymentKind, PeriodUnit, Portions,
    Transaction,
};
use lending::money::Money;
use lending::rate::Rate;

use crate::currency;

/// A day as text: `2025-01-31`.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Portions in the order in which one reads a schedule: principal, interest, fees, penalties.
pub fn portions(principal: i64, interest: i64, fees: i64, penalties: i64) -> Portions {
    Portions { principal, interest, fees, penalties }
}

/// A loan with its history. Printed briefly: of the conditions only what is not usual.
#[derive(Clone)]
pub struct Example {
    pub terms: LoanTerms,
    pub transactions: Vec<Transaction>,
    pub calendar: Calendar,
}

impl fmt::Debug for Example {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = &self.terms;
        let first = terms.first_due_on.map_or(String::new(), |first| format!(" first {first}"));
        let (rate, every, unit) = (terms.annual_rate.to_percent_string(), terms.every, terms.unit);
        writeln!(formatter, "{} {rate}% {}x {every} {unit:?}{first}", terms.principal, terms.installments)?;
        let usual = serde_json::to_value(Conditions::default()).unwrap();
        for (name, value) in serde_json::to_value(&terms.conditions).unwrap().as_object().unwrap() {
            if let ("allocation", Some(allocation)) = (name.as_str(), value.as_object()) {
                for (name, value) in allocation.iter().filter(|(name, _)| *name != "rules") {
                    writeln!(formatter, "  {name}: {value}")?;
                }
            } else if usual.get(name) != Some(value) {
                writeln!(formatter, "  {name}: {value}")?;
            }
        }
        if terms.conditions.allocation.mode == AllocationMode::Rules {
            for rule in &terms.conditions.allocation.rules {
                write!(formatter, "  {:?}{:?}", rule.state, rule.component)?;
            }
            writeln!(formatter)?;
        }
        if !self.calendar.is_working_day(day("2024-01-06")) {
            writeln!(formatter, "  rests on weekends")?;
        }
        for transaction in &self.transactions {
            let reversed = if transaction.reversed { " REVERSED" } else { "" };
            writeln!(formatter, "  {}. {} {:?}{reversed}", transaction.sequence, transaction.on, transaction.event)?;
        }
        Ok(())
    }
}

impl Example {
    /// A monthly loan in US dollars, disbursed in full.
    pub fn new(principal: i64, percent: &str, installments: u32, on: &str, conditions: Conditions) -> Self {
        Self::with(principal, percent, installments, on, conditions, |_| {})
    }

    /// The same with terms to change first.
    pub fn with(
        principal: i64,
        percent: &str,
        installments: u32,
        on: &str,
        conditions: Conditions,
        change: impl FnOnce(&mut LoanTerms),
    ) -> Self {
        let mut terms = LoanTerms {
            principal: Money::new(principal, currency("USD")),
            annual_rate: Rate::parse_percent(percent).unwrap(),
            installments,
            every: 1,
            unit: PeriodUnit::Month,
            first_due_on: None,
            conditions,
        };
        change(&mut terms);
        assert_eq!(terms.conditions.violations(terms.installments), []);
        let example = Self { terms, transactions: Vec::new(), calendar: Calendar::every_day() };
        example.then(on, Event::Disbursement { amount: principal })
    }

    pub fn then(mut self, on: &str, event: Event) -> Self {
        self.push(day(on), event);
        self
    }

    pub fn push(&mut self, on: NaiveDate, event: Event) -> u32 {
        let sequence = u32::try_from(self.transactions.len()).unwrap() + 1;
        self.transactions.push(Transaction { sequence, on, event, reversed: false });
        sequence
    }

    pub fn pays(self, on: &str, amount: i64) -> Self {
        self.then(on, Event::Payment { amount, payment: PaymentKind::Repayment })
    }

    pub fn fee(self, on: &str, due_on: &str, amount: i64) -> Self {
        self.then(on, Event::Charge { amount, charge: ChargeKind::Fee, due_on: day(due_on), late_for: None })
    }

    pub fn penalty(self, on: &str, due_on: &str, amount: i64) -> Self {
        self.then(on, Event::Charge { amount, charge: ChargeKind::Penalty, due_on: day(due_on), late_for: None })
    }

    /// Reverses a transaction.
    pub fn reversing(mut self, sequence: u32) -> Self {
        for transaction in self.transactions.iter_mut().filter(|transaction| transaction.sequence == sequence) {
            transaction.reversed = true;
        }
        self
    }

    pub fn on(&self, as_of: &str) -> LoanState {
        self.at(day(as_of))
    }

    pub fn at(&self, as_of: NaiveDate) -> LoanState {
        Loan::fold(&self.terms, &self.transactions, &self.calendar, as_of).unwrap()
    }

    pub fn payoff(&self, on: &str) -> PayoffQuote {
        Loan::payoff(&self.terms, &self.transactions, &self.calendar, day(on)).unwrap()
    }

    /// The schedule on the day of the first disbursement.
    pub fn schedule(&self) -> Vec<Installment> {
        self.at(self.transactions[0].on).installments
    }
}

/// Due dates of a schedule as text.
pub fn dates(rows: &[Installment]) -> Vec<String> {
    rows.iter().map(|row| row.due_on.to_string()).collect()
}

/// What each row asks for: (principal, interest).
pub fn asked(rows: &[Installment]) -> Vec<(i64, i64)> {
    rows.iter().map(|row| (row.due.principal, row.due.interest)).collect()
}

/// Principal and interest together of each row.
pub fn totals(rows: &[Installment]) -> Vec<i64> {
    rows.iter().map(|row| row.due.principal + row.due.interest).collect()
}
