//! An expectation of a history against a loan of the API, figure by figure.

use chrono::{DateTime, Utc};
use lending::money::{Currency, Money};
use serde_json::{Value as Json, json};

use super::ask::{ask, text_of};
use crate::support::api::Client;

const LOAN: &str =
    "query($id: ID!, $asOf: Date, $knownAt: DateTime) { loan(by: {id: $id}, asOf: $asOf, knownAt: $knownAt) {
    asOf status balances { total { amount } } creditBalance { amount }
    schedule {
        number dueOn principal { amount } interest { amount } fees { amount } penalties { amount }
        paid { total { amount } } paidInAdvance { amount } paidLate { amount } outstanding { total { amount } }
        principalBalanceAfter { amount } settledOn
    }
    transactions(first: 100) {
        totalCount
        nodes {
            id reversedAt toCredit { amount } balanceAfter { amount }
            portions { principal { amount } interest { amount } fees { amount } penalties { amount } }
        }
    }
} }";

/// Where each amount of a row is.
const ROW: [(&str, &str); 9] = [
    ("principal", "/principal/amount"),
    ("interest", "/interest/amount"),
    ("fees", "/fees/amount"),
    ("penalties", "/penalties/amount"),
    ("paid", "/paid/total/amount"),
    ("paidInAdvance", "/paidInAdvance/amount"),
    ("paidLate", "/paidLate/amount"),
    ("outstanding", "/outstanding/total/amount"),
    ("balanceAfter", "/principalBalanceAfter/amount"),
];

/// Where each amount of a split is.
const SPLIT: [(&str, &str); 6] = [
    ("principal", "/portions/principal/amount"),
    ("interest", "/portions/interest/amount"),
    ("fees", "/portions/fees/amount"),
    ("penalties", "/portions/penalties/amount"),
    ("toCredit", "/toCredit/amount"),
    ("balanceAfter", "/balanceAfter/amount"),
];

/// What figures are compared by.
pub struct Comparison<'a> {
    pub currency: Currency,
    /// The transaction of each step that made one.
    pub of_step: &'a [Option<String>],
}

impl Comparison<'_> {
    /// What is not as expected of the loan on a day, as known at a moment.
    pub async fn with_the_loan(
        &self,
        client: &Client,
        loan: &str,
        expected: &Json,
        as_of: Option<&str>,
        known_at: Option<DateTime<Utc>>,
    ) -> Vec<String> {
        let known_at = known_at.map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        let variables = json!({"id": loan, "asOf": as_of, "knownAt": known_at});
        let actual = match ask(client, LOAN, variables).await {
            Ok(data) if data["loan"].is_null() => return vec!["there is no such loan".to_owned()],
            Ok(mut data) => data["loan"].take(),
            Err(errors) => return vec![errors],
        };
        let mut found = Vec::new();
        for (name, value) in expected.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()) {
            match name.as_str() {
                "asOf" => self.text("as of", text_of(value), &actual["asOf"], &mut found),
                "rows" => self.rows(value.as_array().unwrap(), &actual["schedule"], &mut found),
                "outstanding" => self.amount(name, value, &actual["balances"]["total"]["amount"], &mut found),
                "credit" => self.amount(name, value, &actual["creditBalance"]["amount"], &mut found),
                "status" => self.text(name, status(text_of(value)), &actual["status"], &mut found),
                "splits" => self.splits(value.as_array().unwrap(), &actual["transactions"], &mut found),
                other => panic!("nobody knows how to expect {other}"),
            }
        }
        found
    }

    fn rows(&self, expected: &[Json], actual: &Json, found: &mut Vec<String>) {
        let actual = actual.as_array().unwrap();
        if expected.len() != actual.len() {
            let days: Vec<&str> = actual.iter().map(|row| text_of(&row["dueOn"])).collect();
            found.push(format!("expected {} rows, got {}: {days:?}", expected.len(), actual.len()));
        }
        for (expected, actual) in expected.iter().zip(actual) {
            let place = format!("row {}", actual["number"]);
            for (name, value) in expected.as_object().unwrap() {
                let what = format!("{place} {name}");
                match ROW.iter().find(|(figure, _)| figure == name) {
                    Some((_, pointer)) if !value.is_null() => {
                        self.amount(&what, value, actual.pointer(pointer).unwrap(), found);
                    }
                    Some(_) => {}
                    None if ["dueOn", "settledOn"].contains(&name.as_str()) => {
                        if *value != actual[name] {
                            found.push(format!("{what}: expected {value}, got {}", actual[name]));
                        }
                    }
                    None => panic!("nobody knows how to expect {name} of a row"),
                }
            }
        }
    }

    fn splits(&self, expected: &[Json], actual: &Json, found: &mut Vec<String>) {
        let nodes = actual["nodes"].as_array().unwrap();
        assert_eq!(actual["totalCount"], json!(nodes.len()), "all of a history's transactions fit on a page");
        for split in expected {
            let step = usize::try_from(split["step"].as_u64().unwrap()).unwrap();
            let id = self.of_step.get(step).cloned().flatten();
            let standing =
                nodes.iter().find(|node| node["reversedAt"].is_null() && node["id"].as_str() == id.as_deref());
            let Some(standing) = standing else {
                found.push(format!("step {step}: no such transaction stands"));
                continue;
            };
            for (name, value) in split.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()) {
                match SPLIT.iter().find(|(figure, _)| figure == name) {
                    Some((_, pointer)) => {
                        self.amount(&format!("step {step} {name}"), value, standing.pointer(pointer).unwrap(), found);
                    }
                    None => assert_eq!(name, "step", "nobody knows how to expect this of a split"),
                }
            }
        }
    }

    /// An amount as the history writes it, against one as the API does: with exactly the currency's decimals.
    fn amount(&self, what: &str, expected: &Json, actual: &Json, found: &mut Vec<String>) {
        let expected = Money::parse_amount(text_of(expected), self.currency).unwrap().to_decimal_string();
        self.text(what, &expected, actual, found);
    }

    fn text(&self, what: &str, expected: &str, actual: &Json, found: &mut Vec<String>) {
        if actual.as_str() != Some(expected) {
            found.push(format!("{what}: expected {expected}, got {actual}"));
        }
    }
}

/// What the API calls a standing.
fn status(standing: &str) -> &str {
    match standing {
        "NOT_DISBURSED" => "APPROVED",
        "ACTIVE" => "DISBURSED",
        "DEFAULTED" | "REPAID" | "WRITTEN_OFF" => standing,
        other => panic!("unknown standing {other}"),
    }
}
