//! Random lives of loans through the API: after every step the books verify and balance, what was told of earlier days
//! stays told, and every way to sum loans says the same. In the end what was known at each moment can still be asked for.

use chrono::{Days, NaiveDate, TimeDelta, Timelike};
use rand::Rng;
use serde_json::{Value as Json, json};

use super::book_desk::{BookDesk, REFUSAL, kes};
use super::world::{change, create, mutation, with};
use crate::support::engines::Engine;
use crate::support::random::Dice;

both_engines!(whatever_happens_the_books_hold_and_the_past_stays);

/// Steps that are taken, and the most that are tried for it.
const STEPS: usize = 16;
const TRIES: usize = 300;
const BEGIN: &str = "2025-09-01";

/// What a loan is on a day.
const ON_A_DAY: &str =
    "status balances { principal { amount } interest { amount } fees { amount } penalties { amount } }
    overdue { total { amount } } creditBalance { amount } daysPastDue recovered { amount } nextDueOn
    schedule { number dueOn total { amount } paid { total { amount } } outstanding { total { amount } } settledOn }";

/// Kinds of loans that are worked out in different ways.
fn kinds() -> [Json; 5] {
    let daily = json!({"recalculation": "DAILY_BALANCE", "dayCount": "ACTUAL_365"});
    [
        json!({}),
        daily.clone(),
        with(daily, json!({"allocation": {"mode": "RULES"}, "defaultAfterDays": 30})),
        json!({"amortization": "EQUAL_PRINCIPAL", "lateCharge": {"share": "5", "graceDays": 2}, "defaultAfterDays": 20}),
        json!({"interestMethod": "FLAT", "allocation": {"mode": "DUE_THEN_ADVANCE"}, "earlyPayment": "REDUCE_INSTALLMENT"}),
    ]
}

struct Lives {
    desk: BookDesk,
    dice: Dice,
    loans: Vec<String>,
    today: NaiveDate,
    /// Seconds that went by since the clock was set: nothing else is recorded at the moment of a step.
    seconds: i64,
    told: Vec<Told>,
}

/// What was told of a loan on its business date.
struct Told {
    loan: String,
    on: NaiveDate,
    /// A moment after everything that was known, and before everything else.
    known_at: String,
    state: Json,
}

/// A change that is tried: of which loan, and the first day it can matter on.
struct Try {
    name: &'static str,
    loan: String,
    more: Json,
    since: NaiveDate,
}

async fn whatever_happens_the_books_hold_and_the_past_stays(engine: Engine) {
    let mut lives = Lives::begin(&engine).await;
    let mut done = 0;
    for _ in 0..TRIES {
        if done == STEPS {
            break;
        }
        lives.time_goes_by().await;
        let Some(step) = lives.choose().await else { continue };
        let before = lives.past(&step).await;
        let accepted = lives.tried(&step).await;
        let place = format!("{} {} on {}", step.name, step.more, lives.today);
        assert_eq!(lives.past(&step).await, before, "the days before {} changed: {place}", step.since);
        if accepted {
            lives.books_hold(&place).await;
            lives.remember(&step.loan).await;
            done += 1;
        }
    }
    lives.what_was_known_is_still_known().await;
    assert_eq!(done, STEPS, "so many steps of {TRIES} that were tried");
}

impl Lives {
    async fn begin(engine: &Engine) -> Self {
        let desk = BookDesk::open(engine).await;
        let mut lives = Self {
            desk,
            dice: Dice::new(),
            loans: Vec::new(),
            today: BEGIN.parse().unwrap(),
            seconds: 0,
            told: Vec::new(),
        };
        lives.tick();
        for (number, terms) in kinds().into_iter().enumerate() {
            let key = format!("apply-{number}");
            let more = json!({"annualRate": "18", "installments": 6, "terms": terms, "officer": format!("officer-{}", number % 2)});
            let input = with(lives.desk.world.application(&key, "1200"), more);
            let loan = create(&lives.desk.world.api, "applyForLoan", input).await;
            lives.desk.record("approveLoan", &loan, json!({})).await;
            lives.desk.record("disburseLoan", &loan, json!({"amount": kes("1000")})).await;
            lives.loans.push(loan);
        }
        lives
    }

    /// The moment now, a few seconds after nine.
    fn moment(&self) -> String {
        let morning = chrono::NaiveTime::MIN.with_hour(9).unwrap();
        let now = self.today.and_time(morning) + TimeDelta::seconds(self.seconds);
        format!("{}Z", now.format("%Y-%m-%dT%H:%M:%S%.3f"))
    }

    /// Moves the clock on by two seconds.
    fn tick(&mut self) {
        self.seconds += 2;
        self.desk.world.api.clock.set(&self.moment());
    }

    /// What is told of a loan now, to be asked for again later.
    async fn remember(&mut self, loan: &str) {
        let text = format!("query($id: ID!, $on: Date!) {{ loan(by: {{id: $id}}, asOf: $on) {{ {ON_A_DAY} }} }}");
        let variables = json!({"id": loan, "on": self.today.to_string()});
        let state = self.desk.world.api.data(&text, variables).await["loan"].take();
        self.told.push(Told { loan: loan.to_owned(), on: self.today, known_at: self.moment(), state });
    }

    async fn what_was_known_is_still_known(&self) {
        let text = format!(
            "query($id: ID!, $on: Date!, $at: DateTime!) {{ loan(by: {{id: $id}}, asOf: $on, knownAt: $at) {{ {ON_A_DAY} }} }}"
        );
        for told in &self.told {
            let variables = json!({"id": told.loan, "on": told.on.to_string(), "at": told.known_at});
            let state = self.desk.world.api.data(&text, variables).await["loan"].take();
            assert_eq!(state, told.state, "{} on {} as known at {}", told.loan, told.on, told.known_at);
        }
    }

    /// Some days pass, and now and then some of them are closed.
    async fn time_goes_by(&mut self) {
        let days = *self.dice.pick(&[0, 0, 0, 3, 9, 20]);
        self.today = self.today + Days::new(days);
        self.tick();
        if self.dice.random_ratio(1, 4) {
            let back = self.dice.random_range(0..5);
            let on = self.today - Days::new(back);
            let input = json!({"branchId": self.desk.world.nbo, "on": on.to_string()});
            change(&self.desk.world.api, "closeBusinessDay", input, "id").await;
            self.tick();
        }
    }

    /// A day of the last weeks, today more often than any other.
    fn some_day(&mut self) -> NaiveDate {
        let back = *self.dice.pick(&[0, 0, 0, 1, 4, 11, 25, 60]);
        self.today - Days::new(back)
    }

    fn some_amount(&mut self) -> Json {
        let minor: i64 = self.dice.random_range(1..40_000);
        kes(&format!("{}.{:02}", minor / 100, minor % 100))
    }

    async fn choose(&mut self) -> Option<Try> {
        let loan = self.dice.pick(&self.loans.clone()).clone();
        let on = self.some_day();
        let dated = json!({"on": on.to_string()});
        let amount = json!({"amount": self.some_amount()});
        let names = [
            "recordRepayment",
            "recordRepayment",
            "recordRepayment",
            "recordRepayment",
            "addLoanCharge",
            "waiveLoanCharge",
            "waiveInterest",
            "refundCredit",
            "rescheduleLoan",
            "reverseTransaction",
            "reverseTransaction",
            "disburseLoan",
            "chargeOffLoan",
            "writeOffLoan",
            "recordRecovery",
        ];
        let name = *self.dice.pick(&names);
        let more = match name {
            "recordRepayment" | "refundCredit" | "waiveInterest" | "recordRecovery" | "addLoanCharge" => {
                with(dated, amount)
            }
            "disburseLoan" => with(dated, json!({"amount": kes("50")})),
            "rescheduleLoan" => with(dated, self.agreement()),
            "waiveLoanCharge" => with(dated, json!({"chargeId": self.transaction(&loan, Some("CHARGE")).await?.0})),
            "reverseTransaction" => {
                let (id, value_date) = self.transaction(&loan, None).await?;
                return Some(Try { name, loan, more: json!({"transactionId": id}), since: value_date });
            }
            _ if self.dice.random_ratio(2, 3) => return None,
            _ => dated,
        };
        Some(Try { name, loan, more, since: on })
    }

    fn agreement(&mut self) -> Json {
        let later = self.today + Days::new(self.dice.random_range(5..40));
        let choices = [
            json!({"annualRate": "9.5"}),
            json!({"extraInstallments": 2}),
            json!({"firstDueOn": later.to_string()}),
            json!({"annualRate": "30", "extraInstallments": 1}),
        ];
        self.dice.pick(&choices).clone()
    }

    /// A transaction of the loan, and the day it counts from.
    async fn transaction(&mut self, loan: &str, kind: Option<&str>) -> Option<(String, NaiveDate)> {
        let text = "query($id: ID!) { loan(by: {id: $id}) { transactions(first: 100) { nodes { id kind on } } charges { transactionId dueOn } } }";
        let loan = self.desk.world.api.data(text, json!({"id": loan})).await["loan"].take();
        let nodes = loan["transactions"]["nodes"].as_array().unwrap();
        let fitting: Vec<&Json> = nodes.iter().filter(|one| kind.is_none_or(|kind| one["kind"] == kind)).collect();
        if fitting.is_empty() {
            return None;
        }
        let chosen = *self.dice.pick(&fitting);
        Some((chosen["id"].as_str().unwrap().to_owned(), chosen["on"].as_str().unwrap().parse().unwrap()))
    }

    /// Tries a step, which is done or refused; anything else is a defect.
    async fn tried(&self, step: &Try) -> bool {
        let input = self.desk.input(&step.loan, step.more.clone());
        let text =
            mutation(step.name, &format!("loan {{ id }} replay {{ changed {{ transaction {{ id }} }} }} {REFUSAL}"));
        let answer = self.desk.world.api.data(&text, json!({"input": input})).await[step.name].take();
        let refused = !answer["userErrors"].as_array().unwrap().is_empty();
        assert_eq!(refused, answer["loan"].is_null(), "{} {}: {answer}", step.name, step.more);
        !refused
    }

    /// What is told of the loan on days before the step can matter.
    async fn past(&self, step: &Try) -> Vec<Json> {
        let text = format!("query($id: ID!, $on: Date!) {{ loan(by: {{id: $id}}, asOf: $on) {{ {ON_A_DAY} }} }}");
        let mut told = Vec::new();
        for back in [1, 8, 40] {
            let on = step.since - Days::new(back);
            let variables = json!({"id": step.loan, "on": on.to_string()});
            told.push(self.desk.world.api.data(&text, variables).await["loan"].take());
        }
        told
    }

    async fn books_hold(&self, place: &str) {
        let sums =
            "currency count principal { amount } outstanding { principal { amount } interest { amount } fees { amount }
            penalties { amount } total { amount } } overdue { amount } creditBalance { amount }
            portfolioAtRisk(days: 1) { amount { amount } ratio count } ageing { amount { total { amount } } }";
        let text = format!(
            "query($today: Date!) {{ verifyBooks {{ clean findings {{ kind subject expected actual }} }} trialBalance {{ balanced totals {{ debit {{ amount }} credit {{ amount }} }} }}
                loans(first: 100) {{ totals {{ {sums} }} nodes {{ balances {{ total {{ amount }} }} }} }}
                portfolio {{ byCurrency {{ {sums} }} byOfficer {{ totals {{ outstanding {{ total {{ amount }} }} }} }} }}
                folded: portfolio(asOf: $today) {{ byCurrency {{ {sums} }} }} }}"
        );
        let data = self.desk.world.api.data(&text, json!({"today": self.today.to_string()})).await;
        assert_eq!(data["verifyBooks"], json!({"clean": true, "findings": []}), "{place}");
        let balance = &data["trialBalance"];
        assert_eq!(balance["balanced"], true, "{place}");
        assert_eq!(balance["totals"][0]["debit"], balance["totals"][0]["credit"], "{place}");
        let totals = &data["loans"]["totals"];
        assert_eq!(totals, &data["portfolio"]["byCurrency"], "{place}");
        assert_eq!(totals, &data["folded"]["byCurrency"], "the day itself, worked out anew: {place}");
        let outstanding = minor(&totals[0]["outstanding"]["total"]["amount"]);
        let loans = data["loans"]["nodes"].as_array().unwrap();
        assert_eq!(
            loans.iter().map(|loan| minor(&loan["balances"]["total"]["amount"])).sum::<i64>(),
            outstanding,
            "{place}"
        );
        let officers = data["portfolio"]["byOfficer"].as_array().unwrap();
        let by_officer = officers.iter().map(|one| minor(&one["totals"][0]["outstanding"]["total"]["amount"]));
        assert_eq!(by_officer.sum::<i64>(), outstanding, "{place}");
    }
}

fn minor(amount: &Json) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}
