//! How a history is written down. Amounts are decimal text in the history's currency. What an expectation leaves out
//! its source does not show, and is not compared.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use lending::loan::{ChargeKind, Conditions, PeriodUnit};
use lending::money::Currency;
use lending::rate::Rate;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Where the figures come from; for the reader.
    #[serde(rename = "source")]
    pub _source: String,
    pub currency: Currency,
    pub terms: Terms,
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    pub principal: String,
    pub annual_rate: Rate,
    pub installments: u32,
    pub every: u32,
    pub unit: PeriodUnit,
    pub first_due_on: Option<NaiveDate>,
    #[serde(default)]
    pub conditions: Conditions,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Step {
    Expect { expect: Box<Expectation> },
    Act(Action),
}

/// Something that happens. A `step` counts the actions before it from 0; expectations do not count.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    Disburse {
        on: NaiveDate,
        amount: String,
    },
    Repay {
        on: NaiveDate,
        amount: String,
    },
    Goodwill {
        on: NaiveDate,
        amount: String,
    },
    RefundCredit {
        on: NaiveDate,
        amount: String,
    },
    Charge {
        on: NaiveDate,
        amount: String,
        charge: ChargeKind,
        due_on: NaiveDate,
    },
    WaiveCharge {
        on: NaiveDate,
        step: usize,
        amount: String,
    },
    WaiveInterest {
        on: NaiveDate,
        amount: String,
    },
    ChargeOff {
        on: NaiveDate,
    },
    WriteOff {
        on: NaiveDate,
    },
    Recover {
        on: NaiveDate,
        amount: String,
    },
    Reverse {
        step: usize,
    },
    Reschedule {
        on: NaiveDate,
        /// `on` when it is left out.
        from: Option<NaiveDate>,
        first_due_on: Option<NaiveDate>,
        annual_rate: Option<Rate>,
        #[serde(default)]
        extra_installments: u32,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    pub as_of: NaiveDate,
    pub rows: Option<Vec<Row>>,
    /// What is left of all rows.
    pub outstanding: Option<String>,
    pub credit: Option<String>,
    /// `ACTIVE`, `REPAID`, `WRITTEN_OFF` or `DEFAULTED`.
    pub status: Option<String>,
    #[serde(default)]
    pub splits: Vec<Split>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Row {
    pub due_on: Option<NaiveDate>,
    pub principal: Option<String>,
    pub interest: Option<String>,
    pub fees: Option<String>,
    pub penalties: Option<String>,
    pub paid: Option<String>,
    pub paid_in_advance: Option<String>,
    pub paid_late: Option<String>,
    pub outstanding: Option<String>,
    pub balance_after: Option<String>,
    /// `null`: it is not settled.
    #[serde(default, deserialize_with = "present")]
    pub settled_on: Option<Option<NaiveDate>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Split {
    pub step: usize,
    pub principal: Option<String>,
    pub interest: Option<String>,
    pub fees: Option<String>,
    pub penalties: Option<String>,
    pub to_credit: Option<String>,
    pub balance_after: Option<String>,
}

/// Tells a field that is `null` from one that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<NaiveDate>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
