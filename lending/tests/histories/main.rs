//! Loan histories with the figures of other systems' own tests, replayed step by step and compared row by row, to the
//! minor unit. Every difference of every file is reported; there is no list of exceptions. The server's integration tests
//! replay the same files through its API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]
#![allow(clippy::print_stderr, reason = "the differences are the report")]

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::{
    ChargeKind, Conditions, Event, Installment, Loan, LoanState, LoanTerms, PaymentKind, PeriodUnit, Reschedule,
    Standing, Transaction,
};
use lending::money::{Currency, Money};
use lending::rate::Rate;
use serde_json::Value;

#[test]
fn every_history_comes_out_as_published() {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/histories")), &mut files);
    files.sort();
    assert!(!files.is_empty(), "there are no histories");
    let wanted = std::env::var("HISTORY").ok();
    let mut differing = 0;
    let mut told = String::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if wanted.as_ref().is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let history: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let differences = replay(&history);
        if !differences.is_empty() {
            differing += 1;
            told.push_str(&format!("\n{name} ({})\n  {}\n", history["source"], differences.join("\n  ")));
        }
    }
    assert!(differing == 0, "{differing} of {} histories differ:{told}", files.len());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

/// What a step stands for while a history is replayed.
struct Replay {
    currency: Currency,
    terms: LoanTerms,
    transactions: Vec<Transaction>,
    /// The transaction of each step but expectations, if it made one.
    of_step: Vec<Option<u32>>,
    differences: Vec<String>,
}

fn replay(history: &Value) -> Vec<String> {
    let currency = Currency::parse(text(&history["currency"])).unwrap();
    let mut replay = Replay {
        currency,
        terms: terms(&history["terms"], currency),
        transactions: Vec::new(),
        of_step: Vec::new(),
        differences: Vec::new(),
    };
    let found = replay.terms.conditions.violations(replay.terms.installments);
    assert!(found.is_empty(), "{}: {found:?}", history["source"]);
    for step in history["steps"].as_array().unwrap() {
        replay.step(step);
    }
    replay.differences
}

fn terms(value: &Value, currency: Currency) -> LoanTerms {
    let conditions: Conditions = match value.get("conditions") {
        Some(conditions) => serde_json::from_value(conditions.clone()).unwrap(),
        None => Conditions::default(),
    };
    LoanTerms {
        principal: amount(&value["principal"], currency),
        annual_rate: Rate::parse_percent(text(&value["annualRate"])).unwrap(),
        installments: u32::try_from(value["installments"].as_u64().unwrap()).unwrap(),
        every: u32::try_from(value["every"].as_u64().unwrap()).unwrap(),
        unit: PeriodUnit::parse(text(&value["unit"])).unwrap(),
        first_due_on: value.get("firstDueOn").and_then(Value::as_str).map(|date| date.parse().unwrap()),
        conditions,
    }
}

impl Replay {
    fn step(&mut self, step: &Value) {
        if let Some(expected) = step.get("expect") {
            self.compare(expected);
            return;
        }
        let what = text(&step["do"]);
        if what == "reverse" {
            let Some(reversed) = self.transaction_of(step) else { return };
            for transaction in &mut self.transactions {
                transaction.reversed |= transaction.sequence == reversed;
            }
            self.of_step.push(None);
            return;
        }
        let currency = self.currency;
        let minor = |field: &str| amount(&step[field], currency).minor();
        let event = match what {
            "disburse" => Event::Disbursement { amount: minor("amount") },
            "repay" => Event::Payment { amount: minor("amount"), payment: PaymentKind::Repayment },
            "goodwill" => Event::Payment { amount: minor("amount"), payment: PaymentKind::GoodwillCredit },
            "refundCredit" => Event::CreditRefund { amount: minor("amount") },
            "charge" => Event::Charge {
                amount: minor("amount"),
                charge: ChargeKind::parse(text(&step["charge"])).unwrap(),
                due_on: date(&step["dueOn"]),
                late_for: None,
            },
            "waiveCharge" => {
                let Some(charge) = self.transaction_of(step) else { return };
                Event::ChargeWaiver { charge, amount: minor("amount") }
            }
            "waiveInterest" => Event::InterestWaiver { amount: minor("amount") },
            "chargeOff" => Event::ChargeOff,
            "writeOff" => Event::WriteOff,
            "reschedule" => Event::Reschedule(Reschedule {
                from: step.get("from").map_or_else(|| date(&step["on"]), date),
                first_due_on: step.get("firstDueOn").map(date),
                annual_rate: step.get("annualRate").map(|rate| Rate::parse_percent(text(rate)).unwrap()),
                extra_installments: step
                    .get("extraInstallments")
                    .map_or(0, |extra| u32::try_from(extra.as_u64().unwrap()).unwrap()),
            }),
            other => panic!("unknown step {other}"),
        };
        let sequence = u32::try_from(self.transactions.len()).unwrap() + 1;
        self.transactions.push(Transaction { sequence, on: date(&step["on"]), event, reversed: false });
        self.of_step.push(Some(sequence));
    }

    /// The transaction of the step that a step names.
    fn transaction_of(&mut self, step: &Value) -> Option<u32> {
        let place = usize::try_from(step["step"].as_u64().unwrap()).unwrap();
        let sequence = self.of_step.get(place).copied().flatten();
        if sequence.is_none() {
            self.of_step.push(None);
            self.differences.push(format!("step {place} is no transaction: {step}"));
        }
        sequence
    }

    fn compare(&mut self, expected: &Value) {
        let as_of = date(&expected["asOf"]);
        let state = match Loan::fold(&self.terms, &self.transactions, &Calendar::every_day(), as_of) {
            Ok(state) => state,
            Err(error) => return self.differences.push(format!("{as_of}: {error}")),
        };
        self.compare_rows(expected, &state);
        if let Some(outstanding) = expected.get("outstanding").filter(|value| !value.is_null()) {
            let actual = state.outstanding().unwrap().total().unwrap();
            self.amount(&format!("{as_of} outstanding"), outstanding, actual);
        }
        if let Some(credit) = expected.get("credit").filter(|value| !value.is_null()) {
            self.amount(&format!("{as_of} credit"), credit, state.credit);
        }
        if let Some(status) = expected.get("status").and_then(Value::as_str) {
            let actual = match state.standing {
                Standing::NotDisbursed => "NOT_DISBURSED",
                Standing::Active => "ACTIVE",
                Standing::Defaulted { .. } => "DEFAULTED",
                Standing::Repaid { .. } => "REPAID",
                Standing::WrittenOff { .. } => "WRITTEN_OFF",
            };
            if status != actual {
                self.differences.push(format!("{as_of} status: expected {status}, got {actual}"));
            }
        }
        self.compare_splits(expected, &state);
    }

    fn compare_rows(&mut self, expected: &Value, state: &LoanState) {
        let Some(rows) = expected.get("rows").and_then(Value::as_array) else { return };
        let as_of = state.as_of;
        if rows.len() != state.installments.len() {
            let found: Vec<String> = state.installments.iter().map(|row| row.due_on.to_string()).collect();
            self.differences.push(format!("{as_of}: expected {} rows, got {}: {found:?}", rows.len(), found.len()));
        }
        for (row, actual) in rows.iter().zip(&state.installments) {
            let place = format!("{as_of} row {}", actual.number);
            for (field, minor) in figures(actual) {
                if let Some(value) = row.get(field).filter(|value| !value.is_null()) {
                    self.amount(&format!("{place} {field}"), value, minor);
                }
            }
            self.date(&format!("{place} dueOn"), row.get("dueOn"), Some(actual.due_on));
            self.date(&format!("{place} settledOn"), row.get("settledOn"), actual.settled_on);
        }
    }

    fn compare_splits(&mut self, expected: &Value, state: &LoanState) {
        let Some(splits) = expected.get("splits").and_then(Value::as_array) else { return };
        for split in splits {
            let step = usize::try_from(split["step"].as_u64().unwrap()).unwrap();
            let place = format!("{} step {step}", state.as_of);
            let Some(sequence) = self.of_step.get(step).copied().flatten() else {
                self.differences.push(format!("{place}: that step is no transaction"));
                continue;
            };
            let Some(effect) = state.effects.iter().find(|effect| effect.sequence == sequence).cloned() else {
                self.differences.push(format!("{place}: no such transaction stands"));
                continue;
            };
            let portions = effect.portions;
            for (field, minor) in [
                ("principal", portions.principal),
                ("interest", portions.interest),
                ("fees", portions.fees),
                ("penalties", portions.penalties),
                ("toCredit", effect.to_credit),
                ("balanceAfter", effect.balance_after),
            ] {
                if let Some(value) = split.get(field).filter(|value| !value.is_null()) {
                    self.amount(&format!("{place} {field}"), value, minor);
                }
            }
        }
    }

    fn amount(&mut self, what: &str, expected: &Value, actual: i64) {
        let expected = amount(expected, self.currency).minor();
        if expected != actual {
            let shown = |minor| Money::new(minor, self.currency).to_decimal_string();
            self.differences.push(format!("{what}: expected {}, got {}", shown(expected), shown(actual)));
        }
    }

    fn date(&mut self, what: &str, expected: Option<&Value>, actual: Option<NaiveDate>) {
        let Some(expected) = expected else { return };
        let expected = (!expected.is_null()).then(|| date(expected));
        if expected != actual {
            self.differences.push(format!("{what}: expected {expected:?}, got {actual:?}"));
        }
    }
}

fn figures(row: &Installment) -> [(&'static str, i64); 9] {
    [
        ("principal", row.due.principal),
        ("interest", row.due.interest),
        ("fees", row.due.fees),
        ("penalties", row.due.penalties),
        ("paid", row.paid.total().unwrap()),
        ("paidInAdvance", row.paid_in_advance),
        ("paidLate", row.paid_late),
        ("outstanding", row.outstanding().unwrap().total().unwrap()),
        ("balanceAfter", row.principal_balance_after),
    ]
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn date(value: &Value) -> NaiveDate {
    text(value).parse().unwrap()
}

fn amount(value: &Value, currency: Currency) -> Money {
    Money::parse_amount(text(value), currency).unwrap()
}
