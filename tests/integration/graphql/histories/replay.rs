//! One history from its application to the end of its last day: what is sent, and what is asked at the end.

use branch_loan_api::clock::Clock;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lending::money::Currency;
use serde_json::{Value as Json, json};

use super::ask::{ask, mutate, text_of};
use super::compare::Comparison;
use super::conditions;
use crate::support::api::{START, TestApi};

/// When a history is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Long after all of it; the conditions are the product's.
    Afterwards,
    /// Step by step on the days of the steps; the conditions are those of the application.
    AsItHappened,
}

/// Replays a history at a branch of its own, and gives everything that came out otherwise.
pub async fn replay(api: &TestApi, pace: Pace, number: usize, history: &Json) -> Vec<String> {
    let mut replay = Replay {
        api,
        pace,
        history,
        currency: Currency::parse(text_of(&history["currency"])).unwrap(),
        branch: String::new(),
        loan: String::new(),
        of_step: Vec::new(),
        expectations: Vec::new(),
        differences: Vec::new(),
    };
    if let Err(refusal) = replay.run(number).await {
        replay.differences.push(refusal);
    }
    replay.differences
}

/// A history while it is replayed.
struct Replay<'a> {
    api: &'a TestApi,
    pace: Pace,
    history: &'a Json,
    currency: Currency,
    branch: String,
    loan: String,
    /// The transaction of each step but expectations, if it made one.
    of_step: Vec<Option<String>>,
    /// What was expected, and the moment it was compared.
    expectations: Vec<(&'a Json, DateTime<Utc>)>,
    differences: Vec<String>,
}

impl<'a> Replay<'a> {
    async fn run(&mut self, number: usize) -> Result<(), String> {
        self.open(number).await?;
        for step in self.history["steps"].as_array().unwrap() {
            match step.get("expect") {
                Some(expected) => self.expect(expected).await,
                None => self.step(step).await,
            }
        }
        self.recall().await;
        self.audit("at the end").await?;
        let close = json!({"branchId": self.branch});
        let closed = mutate(self.api, "closeBusinessDay", &close, "closed { days passedOver }").await?;
        self.equal("days closed", &closed["closed"], &json!([{"days": 1, "passedOver": 0}]));
        if let Some((expected, _)) = self.expectations.last().copied() {
            self.compare(expected, Some(text_of(&expected["asOf"])), None, " after the end of the day").await;
        }
        self.audit("after the end of the day").await
    }

    /// Opens a branch, takes the application for the loan and approves it on the day of the first step.
    async fn open(&mut self, number: usize) -> Result<(), String> {
        let steps = self.history["steps"].as_array().unwrap();
        let first = steps.iter().filter_map(|step| step.get("on")).map(text_of).min().unwrap();
        self.api.clock.set(&match self.pace {
            Pace::Afterwards => START.to_owned(),
            Pace::AsItHappened => format!("{first}T09:00:00Z"),
        });
        let code = format!("H{number}");
        let currency = self.currency.code();
        let branch = json!({"code": code, "name": code, "currency": currency, "timeZone": "Africa/Nairobi"});
        self.branch = self.made("createBranch", branch, "branch").await?;
        let borrower = json!({"branchId": self.branch, "name": "Wanjiru Kamau"});
        let borrower = self.made("registerBorrower", borrower, "borrower").await?;
        let (product, application) = self.terms();
        let product = self.made("createLoanProduct", with_code(product, &code, currency), "loanProduct").await?;
        let mut application = application;
        application["idempotencyKey"] = json!(format!("{code}-application"));
        application["borrowerId"] = json!(borrower);
        application["productId"] = json!(product);
        application["principal"] = self.money(&self.history["terms"]["principal"]);
        application["appliedOn"] = json!(first);
        self.loan = self.made("applyForLoan", application, "loan").await?;
        mutate(self.api, "approveLoan", &json!({"loanId": self.loan, "on": first}), "loan { id }").await?;
        Ok(())
    }

    /// What is the product's of the history's terms, and what is the application's.
    fn terms(&self) -> (Json, Json) {
        let terms = &self.history["terms"];
        let conditions = terms.get("conditions").cloned().unwrap_or_else(|| json!({}));
        let conditions = conditions::input(&conditions, self.currency);
        let mut product = json!({
            "principalMax": {"amount": "10000000", "currency": self.currency.code()},
            "annualRateMax": "1000",
        });
        let mut application = json!({"terms": {}});
        match self.pace {
            Pace::Afterwards => {
                product["terms"] = conditions;
                product["defaultAnnualRate"] = terms["annualRate"].clone();
                product["defaultInstallments"] = terms["installments"].clone();
                product["every"] = terms["every"].clone();
                product["unit"] = terms["unit"].clone();
            }
            Pace::AsItHappened => {
                application["terms"] = conditions;
                for name in ["annualRate", "installments", "every", "unit"] {
                    application["terms"][name] = terms[name].clone();
                }
            }
        }
        if let Some(date) = terms.get("firstDueOn") {
            application["terms"]["firstDueOn"] = date.clone();
        }
        (product, application)
    }

    async fn made(&self, name: &str, input: Json, object: &str) -> Result<String, String> {
        let made = mutate(self.api, name, &input, &format!("{object} {{ id }}")).await;
        Ok(text_of(&made.map_err(|refusal| format!("{name} {input}: {refusal}"))?[object]["id"]).to_owned())
    }

    fn money(&self, amount: &Json) -> Json {
        json!({"amount": amount, "currency": self.currency.code()})
    }

    /// Every request has a moment of its own; `AsItHappened`, on a day that has not come yet it is on that day.
    fn pass_time(&self, day: Option<&str>) {
        self.api.clock.advance(TimeDelta::seconds(1));
        if let Some(day) = day.filter(|_| self.pace == Pace::AsItHappened) {
            let day: NaiveDate = day.parse().unwrap();
            if day > self.today() {
                self.api.clock.set(&format!("{day}T09:00:00Z"));
            }
        }
    }

    /// The business date: in Nairobi no replay comes near midnight.
    fn today(&self) -> NaiveDate {
        self.api.clock.now().date_naive()
    }

    /// Records a step.
    async fn step(&mut self, step: &Json) {
        self.pass_time(step.get("on").map(text_of));
        let place = self.of_step.len();
        let (name, mut input) = match self.mutation(step) {
            Ok(found) => found,
            Err(why) => {
                self.of_step.push(None);
                return self.differences.push(format!("step {place} {step}: {why}"));
            }
        };
        input["loanId"] = json!(self.loan);
        input["idempotencyKey"] = json!(format!("{}-{place}", self.loan));
        if let Some(on) = step.get("on") {
            input["on"] = on.clone();
        }
        let recorded = match mutate(self.api, name, &input, "loan { id } transaction { id } replayed").await {
            Ok(payload) => Some(text_of(&payload["transaction"]["id"]).to_owned()),
            Err(refusal) => {
                self.differences.push(format!("step {place} {step}: {refusal}"));
                None
            }
        };
        self.of_step.push(recorded.filter(|_| name != "reverseTransaction"));
    }

    /// The mutation of a step, and what is its own of the input.
    fn mutation(&self, step: &Json) -> Result<(&'static str, Json), String> {
        let amount = || json!({"amount": self.money(&step["amount"])});
        let of_step = |field: &str| -> Result<Json, String> {
            let place = usize::try_from(step["step"].as_u64().unwrap()).unwrap();
            let transaction = self.of_step.get(place).cloned().flatten();
            Ok(json!({field: transaction.ok_or(format!("step {place} is no transaction"))?}))
        };
        Ok(match text_of(&step["do"]) {
            "disburse" => ("disburseLoan", amount()),
            "repay" => ("recordRepayment", amount()),
            "goodwill" => {
                ("recordRepayment", json!({"amount": self.money(&step["amount"]), "kind": "GOODWILL_CREDIT"}))
            }
            "refundCredit" => ("refundCredit", amount()),
            "charge" => {
                let (kind, due_on) = (&step["charge"], &step["dueOn"]);
                ("addLoanCharge", json!({"amount": self.money(&step["amount"]), "kind": kind, "dueOn": due_on}))
            }
            "waiveCharge" => {
                let mut input = of_step("chargeId")?;
                input["amount"] = self.money(&step["amount"]);
                ("waiveLoanCharge", input)
            }
            "waiveInterest" => ("waiveInterest", amount()),
            "chargeOff" => ("chargeOffLoan", json!({})),
            "writeOff" => ("writeOffLoan", json!({})),
            "reschedule" => {
                let named = ["from", "firstDueOn", "annualRate", "extraInstallments"];
                let given = named.iter().filter_map(|name| Some(((*name).to_owned(), step.get(*name)?.clone())));
                ("rescheduleLoan", Json::Object(given.collect()))
            }
            "reverse" => ("reverseTransaction", of_step("transactionId")?),
            other => panic!("unknown step {other}"),
        })
    }

    /// Compares an expectation with the loan as of its day; where that is the business date, also with the loan as it is.
    async fn expect(&mut self, expected: &'a Json) {
        let day = text_of(&expected["asOf"]);
        self.pass_time(Some(day));
        self.expectations.push((expected, self.api.clock.now()));
        self.compare(expected, Some(day), None, "").await;
        if self.today() == day.parse().unwrap() {
            self.compare(expected, None, None, " as it is").await;
        }
    }

    /// Compares every expectation once more, with what the books knew at its moment.
    async fn recall(&mut self) {
        self.pass_time(None);
        for (expected, known_at) in self.expectations.clone() {
            self.compare(expected, Some(text_of(&expected["asOf"])), Some(known_at), " as known then").await;
        }
    }

    async fn compare(&mut self, expected: &Json, as_of: Option<&str>, known_at: Option<DateTime<Utc>>, what: &str) {
        let comparison = Comparison { currency: self.currency, of_step: &self.of_step };
        let found = comparison.with_the_loan(self.api, &self.loan, expected, as_of, known_at).await;
        let day = text_of(&expected["asOf"]);
        self.differences.extend(found.into_iter().map(|one| format!("{day}{what}: {one}")));
    }

    /// What must hold of any loan: its books verify, debits are credits, and it can be quoted and imagined on.
    async fn audit(&mut self, when: &str) -> Result<(), String> {
        let query = "query($branch: ID!) {
            verifyBooks(branch: $branch) { clean loans findings { kind subject expected actual } }
            trialBalance(branch: $branch) { balanced totals { debit { amount } credit { amount } } }
        }";
        let books = ask(self.api, query, json!({"branch": self.branch})).await?;
        let clean = json!({"clean": true, "loans": 1, "findings": []});
        self.equal(&format!("{when}: books"), &books["verifyBooks"], &clean);
        self.equal(&format!("{when}: trial balance"), &books["trialBalance"]["balanced"], &json!(true));
        let total = &books["trialBalance"]["totals"][0];
        self.equal(&format!("{when}: debits"), &total["debit"], &total["credit"]);
        let query = "query($id: ID!, $today: Date!) { loan(by: {id: $id}) {
            balances { principal { amount } fees { amount } penalties { amount } total { amount } }
            creditBalance { amount } schedule { number total { amount } outstanding { total { amount } } }
            payoffQuote(on: $today) { on principal { amount } total { amount } }
            simulate(events: []) {
                balances { principal { amount } fees { amount } penalties { amount } total { amount } }
                creditBalance { amount } schedule { number total { amount } outstanding { total { amount } } }
                changes { number } userErrors { code }
            }
        } }";
        let mut loan = ask(self.api, query, json!({"id": self.loan, "today": self.today()})).await?["loan"].take();
        let mut imagined = loan["simulate"].take();
        let quoted = loan["payoffQuote"].take();
        for name in ["payoffQuote", "simulate"] {
            loan.as_object_mut().unwrap().remove(name);
        }
        let nothing = ["changes", "userErrors"].map(|name| imagined.as_object_mut().unwrap().remove(name).unwrap());
        self.equal(&format!("{when}: imagined changes and refusals"), &json!(nothing), &json!([[], []]));
        self.equal(&format!("{when}: imagined"), &imagined, &loan);
        self.equal(&format!("{when}: quoted"), &quoted["principal"], &loan["balances"]["principal"]);
        Ok(())
    }

    fn equal(&mut self, what: &str, actual: &Json, expected: &Json) {
        if actual != expected {
            self.differences.push(format!("{what}: expected {expected}, got {actual}"));
        }
    }
}

fn with_code(mut product: Json, code: &str, currency: &str) -> Json {
    for (name, value) in [("code", code), ("name", code), ("currency", currency)] {
        product[name] = json!(value);
    }
    product
}
