//! The conditions of a history, in the words of `lending`, as the API takes them: the same names and values, but amounts
//! are money and shares are percentages.

use lending::money::{Currency, Money};
use lending::rate::Rate;
use serde_json::{Value as Json, json};

/// The conditions as a `LoanConditionsInput`. A condition this does not know is sent as it stands, for the API to judge.
pub fn input(conditions: &Json, currency: Currency) -> Json {
    let mut input = conditions.clone();
    for (name, value) in input.as_object_mut().unwrap() {
        match name.as_str() {
            "installmentMultiple" | "earlyClosureFee" => *value = amount(value, currency),
            "charges" => {
                for charge in value.as_array_mut().unwrap() {
                    let (name, given) = charge_amount(&charge["amount"], currency);
                    charge.as_object_mut().unwrap().remove("amount");
                    charge[name] = given;
                }
            }
            _ => {}
        }
    }
    input
}

fn charge_amount(value: &Json, currency: Currency) -> (&'static str, Json) {
    match (value.get("FLAT"), value.get("SHARE")) {
        (Some(flat), None) => ("amount", amount(flat, currency)),
        (None, Some(share)) => ("share", json!(Rate::from_ppm(share.as_i64().unwrap()).to_percent_string())),
        _ => panic!("neither an amount nor a share: {value}"),
    }
}

fn amount(minor: &Json, currency: Currency) -> Json {
    let money = Money::new(minor.as_i64().unwrap(), currency);
    json!({"amount": money.to_decimal_string(), "currency": currency.code()})
}
