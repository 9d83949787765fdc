//! A branch with loans of several kinds, for tests of days and books: the clock is the tests' to move.

use std::sync::Arc;

use std::sync::atomic::{AtomicU32, Ordering};

use branch_loan_api::service::ServiceError;
use branch_loan_api::service::branches::{BranchKey, BranchRecord};
use branch_loan_api::service::check::Change;
use branch_loan_api::service::close_day::{CloseDay, ClosedBranch};
use branch_loan_api::service::conditions::AllocationInput;
use branch_loan_api::service::conditions::ConditionsInput;
use branch_loan_api::service::conditions::{ChargeInput, LateChargeInput};
use branch_loan_api::service::loan_books::{Record, Recorded, What};
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loan_terms::TermsInput;
use branch_loan_api::service::loans::{ApplyForLoan, LoanKey, LoanRecord};
use branch_loan_api::service::verify::{FindingKind, Verification};
use lending::loan::conditions::{AllocationMode, Amortization, DayCount, InterestRecalculation};
use lending::loan::{ChargeTiming, PaymentKind};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve};
use crate::support::ledger;
use crate::support::services::{World, admin, day};

pub struct Desk {
    pub world: World,
    pub branch: BranchRecord,
    pub loans: Vec<LoanRecord>,
    keys: AtomicU32,
}

/// Kinds of loans that the end of the day treats in different ways.
pub fn kinds() -> Vec<ConditionsInput> {
    let daily = ConditionsInput {
        recalculation: Some(InterestRecalculation::DailyBalance),
        day_count: Some(DayCount::Actual365),
        ..ConditionsInput::default()
    };
    let rules = AllocationInput { mode: Some(AllocationMode::Rules), ..AllocationInput::default() };
    let late = LateChargeInput {
        amount: None,
        share: Some("5".to_owned()),
        grace_days: Some(2),
        cap: Some(amount("90.00", "KES")),
    };
    let fee = ChargeInput {
        name: "Insurance".to_owned(),
        timing: ChargeTiming::PerInstallment,
        amount: Some(amount("3.50", "KES")),
        share: None,
    };
    vec![
        ConditionsInput::default(),
        daily.clone(),
        ConditionsInput { allocation: Some(rules), default_after_days: Some(40), ..daily },
        ConditionsInput {
            late_charge: Change::Set(late),
            charges: Some(vec![fee]),
            default_after_days: Some(35),
            ..ConditionsInput::default()
        },
        ConditionsInput { amortization: Some(Amortization::EqualPrincipal), ..ConditionsInput::default() },
    ]
}

impl Desk {
    /// Loans of every kind, so many of each, approved on 2025-06-01; nothing is paid out.
    pub async fn open(engine: Engine, each: u32) -> Self {
        let world = World::new(engine).await;
        world.clock.set("2025-06-01T09:00:00Z");
        let (branch, borrower, product) = world.parties().await;
        let mut loans = Vec::new();
        for (kind, conditions) in kinds().into_iter().enumerate() {
            for number in 0..each {
                let input = ApplyForLoan {
                    principal: amount(&format!("{}.00", 9_000 + 371 * number), "KES"),
                    annual_rate: Some("17.5".to_owned()),
                    installments: Some(6),
                    terms: Some(TermsInput { conditions: conditions.clone(), ..TermsInput::default() }),
                    ..application(&format!("apply-{kind}-{number}"), &borrower, &product)
                };
                let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
                let approved = Decide { on: Some(day("2025-06-01")), ..approve(loan.id) };
                loans.push(world.services.decide(&admin(), &approved).await.unwrap().loan);
            }
        }
        Self { world, branch, loans, keys: AtomicU32::new(0) }
    }

    /// The same, all paid out on 2025-06-10.
    pub async fn running(engine: Engine, each: u32) -> Self {
        let desk = Self::open(engine, each).await;
        desk.at("2025-06-10");
        for loan in &desk.loans {
            desk.record(loan.id, What::Disburse { amount: None }).await;
        }
        desk
    }

    /// Makes it morning of a day.
    pub fn at(&self, day: &str) {
        self.world.clock.set(&format!("{day}T09:00:00Z"));
    }

    pub async fn try_record(&self, loan: Uuid, what: What, on: Option<&str>) -> Result<Recorded, ServiceError> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let input = Record {
            idempotency_key: format!("key-{key}"),
            loan,
            on: on.map(day),
            what,
            external_ref: None,
            expected_version: None,
        };
        self.world.services.record(&admin(), &input).await
    }

    pub async fn record(&self, loan: Uuid, what: What) -> Recorded {
        let recorded = self.try_record(loan, what, None).await.unwrap();
        // What it answers with from memory is what anybody reads.
        let read = self.world.services.loan_view(&admin(), &LoanKey::Id(loan), None, None).await.unwrap();
        assert_eq!(recorded.view.as_deref(), read.as_ref());
        recorded
    }

    pub async fn pay(&self, loan: Uuid, value: &str) -> Recorded {
        self.record(loan, What::Pay { amount: amount(value, "KES"), kind: PaymentKind::Repayment }).await
    }

    /// Closes days through one.
    pub async fn close(&self, through: &str, chunk: u32) -> ClosedBranch {
        let closed = self.world.services.close_days(&admin(), &closing(through, chunk)).await.unwrap();
        closed.branches.into_iter().next().unwrap()
    }

    pub async fn verify(&self) -> Verification {
        self.world.services.verify_books(&admin(), None).await.unwrap()
    }

    pub async fn assert_clean(&self, when: &str) {
        let found = self.verify().await;
        assert!(found.is_clean(), "{when}: {:#?}", found.findings);
    }

    /// The kinds of what is found, each once.
    pub async fn found(&self) -> Vec<FindingKind> {
        let mut kinds: Vec<FindingKind> = self.verify().await.findings.iter().map(|found| found.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    pub async fn loan(&self, id: Uuid) -> LoanRecord {
        Arc::unwrap_or_clone(self.world.services.loan(&admin(), &LoanKey::Id(id)).await.unwrap().unwrap())
    }

    pub async fn closed_through(&self) -> Option<chrono::NaiveDate> {
        let key = BranchKey::Id(self.branch.id);
        self.world.services.branch(&admin(), &key).await.unwrap().unwrap().closed_through
    }

    pub async fn journal(&self) -> Vec<ledger::Booked> {
        ledger::booked(self.world.database.reader()).await
    }

    /// Runs SQL past the store.
    pub async fn sql(&self, statements: &[&str]) {
        let raw = self.world.engine.raw().await;
        for statement in statements {
            raw.execute_unprepared(statement).await.unwrap();
        }
        raw.close().await.unwrap();
    }
}

pub fn closing(through: &str, chunk: u32) -> CloseDay {
    CloseDay { branch: None, on: Some(day(through)), chunk, idempotency_key: None }
}
