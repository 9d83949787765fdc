//! Replays a history: its actions become transactions, and at every expectation the loan is folded from those so far.

use chrono::NaiveDate;

use lending::calendar::Calendar;
use lending::loan::{Event, Loan, LoanTerms, PaymentKind, Reschedule, Sequence, Transaction};
use lending::money::{Currency, Money};

use crate::compare::{self, Recorded};
use crate::format::{Action, Expectation, History, Step, Terms};

/// Everything that comes out otherwise than the history says; empty when nothing does.
pub fn differences(history: &History) -> Vec<String> {
    let terms = match terms(&history.terms, history.currency) {
        Ok(terms) => terms,
        Err(problem) => return vec![problem],
    };
    let violations = terms.conditions.violations(terms.installments);
    if !violations.is_empty() {
        return vec![format!("its conditions contradict themselves: {violations:?}")];
    }
    let mut replay = Replay { currency: history.currency, transactions: Vec::new(), recorded: Vec::new() };
    let mut found = Vec::new();
    for step in &history.steps {
        match step {
            Step::Act(action) => {
                if let Err(problem) = replay.act(action) {
                    found.push(problem);
                }
            }
            Step::Expect { expect } => found.extend(replay.check(&terms, expect)),
        }
    }
    found
}

fn terms(terms: &Terms, currency: Currency) -> Result<LoanTerms, String> {
    Ok(LoanTerms {
        principal: Money::parse_amount(&terms.principal, currency).map_err(|error| error.to_string())?,
        annual_rate: terms.annual_rate,
        installments: terms.installments,
        every: terms.every,
        unit: terms.unit,
        first_due_on: terms.first_due_on,
        conditions: terms.conditions.clone(),
    })
}

struct Replay {
    currency: Currency,
    transactions: Vec<Transaction>,
    /// For every action the transaction it recorded; a reversal records none.
    recorded: Recorded,
}

impl Replay {
    fn act(&mut self, action: &Action) -> Result<(), String> {
        if let Action::Reverse { step } = action {
            let sequence = self.sequence_of(*step)?;
            for transaction in self.transactions.iter_mut().filter(|transaction| transaction.sequence == sequence) {
                transaction.reversed = true;
            }
            self.recorded.push(None);
            return Ok(());
        }
        let (on, event) = self.event(action)?;
        let sequence = Sequence::try_from(self.transactions.len() + 1).unwrap();
        self.transactions.push(Transaction { sequence, on, event, reversed: false });
        self.recorded.push(Some(sequence));
        Ok(())
    }

    fn event(&self, action: &Action) -> Result<(NaiveDate, Event), String> {
        Ok(match action {
            Action::Disburse { on, amount } => (*on, Event::Disbursement { amount: self.minor(amount)? }),
            Action::Repay { on, amount } => (*on, self.payment(amount, PaymentKind::Repayment)?),
            Action::Goodwill { on, amount } => (*on, self.payment(amount, PaymentKind::GoodwillCredit)?),
            Action::RefundCredit { on, amount } => (*on, Event::CreditRefund { amount: self.minor(amount)? }),
            Action::Charge { on, amount, charge, due_on } => {
                (*on, Event::Charge { amount: self.minor(amount)?, charge: *charge, due_on: *due_on, late_for: None })
            }
            Action::WaiveCharge { on, step, amount } => {
                (*on, Event::ChargeWaiver { charge: self.sequence_of(*step)?, amount: self.minor(amount)? })
            }
            Action::WaiveInterest { on, amount } => (*on, Event::InterestWaiver { amount: self.minor(amount)? }),
            Action::ChargeOff { on } => (*on, Event::ChargeOff),
            Action::WriteOff { on } => (*on, Event::WriteOff),
            Action::Recover { on, amount } => (*on, Event::Recovery { amount: self.minor(amount)? }),
            Action::Reschedule { on, from, first_due_on, annual_rate, extra_installments } => (
                *on,
                Event::Reschedule(Reschedule {
                    from: from.unwrap_or(*on),
                    first_due_on: *first_due_on,
                    annual_rate: *annual_rate,
                    extra_installments: *extra_installments,
                }),
            ),
            Action::Reverse { .. } => return Err("a reversal is no event".to_owned()),
        })
    }

    fn payment(&self, amount: &str, payment: PaymentKind) -> Result<Event, String> {
        Ok(Event::Payment { amount: self.minor(amount)?, payment })
    }

    fn minor(&self, amount: &str) -> Result<i64, String> {
        Money::parse_amount(amount, self.currency).map(Money::minor).map_err(|error| format!("{amount}: {error}"))
    }

    fn sequence_of(&self, step: usize) -> Result<Sequence, String> {
        self.recorded.get(step).copied().flatten().ok_or_else(|| format!("step {step} records no transaction"))
    }

    fn check(&self, terms: &LoanTerms, expectation: &Expectation) -> Vec<String> {
        match Loan::fold(terms, &self.transactions, &Calendar::every_day(), expectation.as_of) {
            Ok(state) => compare::differences(&state, expectation, &self.recorded),
            Err(error) => vec![format!("{}: cannot be folded: {error}", expectation.as_of)],
        }
    }
}
