//! Compares a folded loan with an expectation and names every figure that differs.

use lending::loan::{Effect, Installment, LoanState, Sequence, Standing};
use lending::money::{Currency, Money};

use crate::format::{Expectation, Row, Split};

/// For every action of a history the transaction it recorded.
pub type Recorded = Vec<Option<Sequence>>;

pub fn differences(state: &LoanState, expectation: &Expectation, recorded: &Recorded) -> Vec<String> {
    let mut report = Report { place: expectation.as_of.to_string(), currency: state.currency, found: Vec::new() };
    if let Some(rows) = &expectation.rows {
        report.text("number of rows", &rows.len().to_string(), &state.installments.len().to_string());
        for (installment, row) in state.installments.iter().zip(rows) {
            report.at(format!("{} row {}", expectation.as_of, installment.number)).row(installment, row);
        }
    }
    report.at(expectation.as_of.to_string());
    let outstanding = state.installments.iter().map(outstanding).sum();
    report.amount("outstanding", expectation.outstanding.as_deref(), outstanding);
    report.amount("credit", expectation.credit.as_deref(), state.credit);
    if let Some(status) = &expectation.status {
        report.text("status", status, standing(state.standing));
    }
    for split in &expectation.splits {
        let place = format!("{} step {}", expectation.as_of, split.step);
        let sequence = recorded.get(split.step).copied().flatten();
        let effect = state.effects.iter().find(|effect| Some(effect.sequence) == sequence);
        match effect {
            Some(effect) => report.at(place).split(effect, split),
            None => report.found.push(format!("{place}: has no effect")),
        }
    }
    report.found
}

fn outstanding(installment: &Installment) -> i64 {
    installment.outstanding().and_then(|portions| portions.total()).unwrap()
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::NotDisbursed => "NOT_DISBURSED",
        Standing::Active => "ACTIVE",
        Standing::Defaulted { .. } => "DEFAULTED",
        Standing::Repaid { .. } => "REPAID",
        Standing::WrittenOff { .. } => "WRITTEN_OFF",
    }
}

struct Report {
    place: String,
    currency: Currency,
    found: Vec<String>,
}

impl Report {
    fn at(&mut self, place: String) -> &mut Self {
        self.place = place;
        self
    }

    fn row(&mut self, installment: &Installment, row: &Row) {
        if let Some(due_on) = row.due_on {
            self.text("due on", &due_on.to_string(), &installment.due_on.to_string());
        }
        self.amount("principal", row.principal.as_deref(), installment.due.principal);
        self.amount("interest", row.interest.as_deref(), installment.due.interest);
        self.amount("fees", row.fees.as_deref(), installment.due.fees);
        self.amount("penalties", row.penalties.as_deref(), installment.due.penalties);
        self.amount("paid", row.paid.as_deref(), installment.paid.total().unwrap());
        self.amount("paid in advance", row.paid_in_advance.as_deref(), installment.paid_in_advance);
        self.amount("paid late", row.paid_late.as_deref(), installment.paid_late);
        self.amount("outstanding", row.outstanding.as_deref(), outstanding(installment));
        self.amount("balance after", row.balance_after.as_deref(), installment.principal_balance_after);
        if let Some(settled_on) = row.settled_on {
            let text =
                |date: Option<_>| date.map_or_else(|| "never".to_owned(), |date: chrono::NaiveDate| date.to_string());
            self.text("settled on", &text(settled_on), &text(installment.settled_on));
        }
    }

    fn split(&mut self, effect: &Effect, split: &Split) {
        self.amount("principal", split.principal.as_deref(), effect.portions.principal);
        self.amount("interest", split.interest.as_deref(), effect.portions.interest);
        self.amount("fees", split.fees.as_deref(), effect.portions.fees);
        self.amount("penalties", split.penalties.as_deref(), effect.portions.penalties);
        self.amount("to credit", split.to_credit.as_deref(), effect.to_credit);
        self.amount("balance after", split.balance_after.as_deref(), effect.balance_after);
    }

    /// Compares minor units with an amount as text; one that is left out is not compared.
    fn amount(&mut self, what: &str, expected: Option<&str>, actual: i64) {
        let Some(expected) = expected else { return };
        match Money::parse_amount(expected, self.currency) {
            Ok(money) if money.minor() == actual => {}
            Ok(_) => self.text(what, expected, &Money::new(actual, self.currency).to_decimal_string()),
            Err(error) => self.found.push(format!("{}: {what} {expected}: {error}", self.place)),
        }
    }

    fn text(&mut self, what: &str, expected: &str, actual: &str) {
        if expected != actual {
            self.found.push(format!("{}: {what} is {actual}, expected {expected}", self.place));
        }
    }
}
