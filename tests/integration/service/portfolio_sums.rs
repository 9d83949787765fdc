//! The sums that are kept of the portfolio are what the loans come to: after every kind of write, rolled up or not, while
//! others write and roll up, for every scope; and what was tampered with is found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use branch_loan_api::auth::Actor;
use branch_loan_api::service::branches::{BranchRecord, CreateBranch, UpdateBranch};
use branch_loan_api::service::close_day::CloseDay;
use branch_loan_api::service::conditions::ConditionsInput;
use branch_loan_api::service::list::{Filter, Scalar, Test};
use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loan_officers::AssignOfficer;
use branch_loan_api::service::loan_products::LoanProductRecord;
use branch_loan_api::service::loan_terms::TermsInput;
use branch_loan_api::service::loans::{ApplyForLoan, LoanField, LoanKey, LoanRecord};
use branch_loan_api::service::portfolio::{GroupBy, Pace, Report};
use branch_loan_api::service::verify::FindingKind;
use chrono::{Days, NaiveDate};
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{ChargeKind, PaymentKind};
use rand::Rng;
use sea_orm::ConnectionTrait;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve, branch_change, new_branch, reject};
use crate::support::random::Dice;
use crate::support::services::{World, admin, auditor_of, day};

both_engines!(
    whatever_is_written_the_sums_are_what_the_loans_come_to,
    writers_and_roll_ups_at_once_lose_nothing,
    a_sum_that_was_tampered_with_is_found,
    a_refresh_makes_reports_of_the_day_and_leaves_the_books_alone,
    a_branch_that_moves_to_another_time_zone_takes_its_totals_along,
);

/// A lender with branches in two time zones and loans of all kinds.
pub struct Lender {
    pub world: World,
    pub branches: Vec<BranchRecord>,
    pub products: Vec<LoanProductRecord>,
    pub loans: Vec<LoanRecord>,
}

/// True of every loan, and of nothing that sums are by: it takes the way over the loans themselves.
pub fn over_all_loans(filter: &Filter<LoanField>) -> Filter<LoanField> {
    let all = Filter::Field(LoanField::Principal, Test::AtLeast(Scalar::Integer(0)));
    Filter::All(vec![filter.clone(), all])
}

impl Lender {
    pub async fn open(engine: Engine) -> Self {
        let world = World::new(engine).await;
        world.clock.set("2026-01-15T12:00:00Z");
        let top = world.branch("HQ", None).await;
        let below = world.branch("NBO", Some(&top)).await;
        let east = CreateBranch { time_zone: "Asia/Ho_Chi_Minh".to_owned(), ..new_branch("HCM") };
        let east = world.services.create_branch(&admin(), &east).await.unwrap();
        let products = vec![world.product("P1").await, world.product("P2").await];
        Self { world, branches: vec![top, below, east], products, loans: Vec::new() }
    }

    /// Applies for a loan, half of the time with interest that follows the balance.
    pub async fn apply(&mut self, dice: &mut Dice, on: NaiveDate) -> LoanRecord {
        let branch = dice.pick(&self.branches).clone();
        let borrower = self.world.borrower(&branch).await;
        let recalculation = dice.random_bool(0.5).then_some(InterestRecalculation::DailyBalance);
        let conditions = ConditionsInput { recalculation, ..ConditionsInput::default() };
        let input = ApplyForLoan {
            principal: amount(&format!("{}", dice.random_range(1..=40) * 100), "KES"),
            annual_rate: Some("36".to_owned()),
            installments: Some(dice.random_range(1..=8)),
            applied_on: Some(on),
            officer: Some((*dice.pick(&["a", "b"])).to_owned()),
            terms: Some(TermsInput { conditions, ..TermsInput::default() }),
            ..application(&Uuid::now_v7().to_string(), &borrower, dice.pick(&self.products))
        };
        let loan = self.world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
        self.loans.push(loan.clone());
        loan
    }

    /// Loans that were paid out in the months before.
    pub async fn lend(&mut self, dice: &mut Dice, count: usize) {
        for _ in 0..count {
            let loan = self.apply(dice, day("2025-09-01")).await;
            let decision = Decide { on: Some(day("2025-09-01")), ..approve(loan.id) };
            self.world.services.decide(&admin(), &decision).await.unwrap();
            let on = day("2025-09-05").checked_add_days(Days::new(dice.random_range(0..120))).unwrap();
            self.record(loan.id, Some(on), What::Disburse { amount: None }).await.unwrap();
        }
    }

    pub async fn record(
        &self,
        loan: Uuid,
        on: Option<NaiveDate>,
        what: What,
    ) -> Result<Uuid, branch_loan_api::service::ServiceError> {
        let input = Record {
            idempotency_key: Uuid::now_v7().to_string(),
            loan,
            on,
            what,
            external_ref: None,
            expected_version: None,
        };
        Ok(self.world.services.record(&admin(), &input).await?.transaction)
    }

    /// Filters that sums answer, at every level.
    fn filters(&self) -> Vec<Filter<LoanField>> {
        let is = |field, scalar| Filter::Field(field, Test::Is(scalar));
        let text = |text: &str| Scalar::Text(text.to_owned());
        let status = is(LoanField::Status, text("DISBURSED"));
        vec![
            Filter::default(),
            status.clone(),
            Filter::Not(Box::new(status.clone())),
            is(LoanField::Product, Scalar::Id(self.products[0].id)),
            Filter::Any(vec![is(LoanField::Currency, text("KES")), status]),
            Filter::Any(vec![]),
            is(LoanField::Branch, Scalar::Id(self.branches[1].id)),
            Filter::UnderBranches(vec![self.branches[0].id]),
            Filter::InTimeZones(vec!["Asia/Ho_Chi_Minh".to_owned()]),
            is(LoanField::Officer, text("a")),
            Filter::Not(Box::new(is(LoanField::Officer, text("a")))),
        ]
    }

    /// Everything that sums answer is what the loans come to.
    pub async fn assert_exact(&self, when: &str) {
        let everywhere = self.filters().into_iter().map(|filter| (admin(), filter));
        let under = || Filter::UnderBranches(vec![self.branches[0].id]);
        let limited = ["HQ", "HCM"].map(|code| [(auditor_of(code), Filter::default()), (auditor_of(code), under())]);
        for (actor, filter) in everywhere.chain(limited.into_iter().flatten()) {
            let kept = said(&self.world, &actor, &filter).await;
            let counted = said(&self.world, &actor, &over_all_loans(&filter)).await;
            assert_eq!(kept, counted, "{when}, {}, {filter:?}", actor.subject);
        }
    }

    pub async fn sql(&self, statement: &str) {
        let raw = self.world.engine.raw().await;
        raw.execute_unprepared(statement).await.unwrap();
        raw.close().await.unwrap();
    }

    pub async fn found(&self) -> Vec<FindingKind> {
        let verification = self.world.services.verify_books(&admin(), None).await.unwrap();
        verification.findings.iter().map(|found| found.kind).collect()
    }

    pub async fn assert_clean(&self, when: &str) {
        let verification = self.world.services.verify_books(&admin(), None).await.unwrap();
        assert!(verification.is_clean(), "{when}: {:#?}", verification.findings);
    }

    pub async fn refresh(&self) -> u64 {
        self.world.services.refresh_portfolio(Pace::Steady, &CancellationToken::new()).await.unwrap()
    }
}

async fn said(world: &World, actor: &Actor, filter: &Filter<LoanField>) -> Vec<String> {
    let report = Report::new(filter.clone(), None);
    let mut all = Vec::new();
    for group in GroupBy::ALL {
        all.push(format!("{:?}", report.counted(&world.services, actor, group).await.unwrap()));
        all.push(format!("{:?}", report.owed(&world.services, actor, group).await.unwrap()));
        all.push(format!("{:?}", report.late(&world.services, actor, group).await.unwrap()));
        all.push(format!("{:?}", report.aged(&world.services, actor, group).await.unwrap()));
    }
    all
}

fn step(dice: &mut Dice) -> What {
    let some = |dice: &mut Dice| amount(&format!("{}", dice.random_range(1..=900)), "KES");
    match dice.random_range(0..11) {
        0 => What::Charge { amount: some(dice), kind: ChargeKind::Fee, due_on: None },
        1 => What::WaiveInterest { amount: None },
        2 => What::WriteOff,
        3 => What::Reschedule { from: None, first_due_on: None, annual_rate: None, extra_installments: Some(1) },
        4 => What::RefundCredit { amount: None },
        5 => What::ChargeOff,
        6 => What::Pay { amount: amount("9000", "KES"), kind: PaymentKind::Repayment },
        7 => What::Disburse { amount: None },
        _ => What::Pay { amount: some(dice), kind: PaymentKind::Repayment },
    }
}

async fn whatever_is_written_the_sums_are_what_the_loans_come_to(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let mut dice = Dice::new();
    lender.assert_exact("without a loan").await;
    lender.lend(&mut dice, 6).await;
    lender.assert_exact("lent").await;
    let mut today = day("2026-01-15");
    for turn in 0..7 {
        for _ in 0..4 {
            let loan = dice.pick(&lender.loans).clone();
            match dice.random_range(0..8) {
                0 => {
                    let new = lender.apply(&mut dice, today).await;
                    let decision = if dice.random_bool(0.7) { approve(new.id) } else { reject(new.id) };
                    lender.world.services.decide(&admin(), &decision).await.unwrap();
                }
                1 => {
                    let officer = (*dice.pick(&["a", "b", "c"])).to_owned();
                    let input = AssignOfficer { loan: loan.id, officer, expected_version: None };
                    lender.world.services.assign_officer(&admin(), &input).await.unwrap();
                }
                2 => {
                    let done = lender.record(loan.id, None, step(&mut dice)).await;
                    if let Ok(transaction) = done {
                        let _ = lender.record(loan.id, None, What::Reverse { transaction, reason: None }).await;
                    }
                }
                _ => {
                    let _ = lender.record(loan.id, None, step(&mut dice)).await;
                }
            }
        }
        if dice.random_bool(0.3) {
            let input = CloseDay { branch: None, on: Some(today), chunk: 3, idempotency_key: None };
            lender.world.services.close_days(&admin(), &input).await.unwrap();
        }
        if dice.random_bool(0.2) {
            lender.sql("UPDATE loans SET officer = NULL WHERE officer = 'b'").await;
        }
        if dice.random_bool(0.2) {
            let zone = (*dice.pick(&["Asia/Ho_Chi_Minh", "Africa/Nairobi", "America/Lima"])).to_owned();
            let input = UpdateBranch { time_zone: Some(zone), ..branch_change(dice.pick(&lender.branches).id) };
            lender.world.services.update_branch(&admin(), &input).await.unwrap();
        }
        lender.assert_exact(&format!("turn {turn} on {today}")).await;
        match dice.random_range(0..4) {
            0 => assert!(lender.world.services.roll_up_portfolio().await.unwrap() < 2),
            1 => lender.world.services.tidy_portfolio().await.unwrap(),
            2 => assert!(lender.refresh().await < 100),
            _ => {}
        }
        lender.assert_exact(&format!("turn {turn} on {today}, tidied")).await;
        lender.assert_clean(&format!("turn {turn} on {today}")).await;
        today = today.checked_add_days(Days::new(dice.random_range(0..=20))).unwrap();
        // Now and then it is the next day in the east already.
        let hour = *dice.pick(&["12", "18"]);
        lender.world.clock.set(&format!("{today}T{hour}:00:00Z"));
        lender.assert_exact(&format!("turn {turn}, and then it was {today}")).await;
    }
}

/// Eight move loans from officer to officer; whoever looks sees every loan once.
async fn writers_and_roll_ups_at_once_lose_nothing(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let mut dice = Dice::new();
    for _ in 0..16 {
        lender.apply(&mut dice, day("2026-01-15")).await;
    }
    let lender = Arc::new(lender);
    let over = Arc::new(AtomicBool::new(false));
    let tidier = {
        let (lender, over) = (Arc::clone(&lender), Arc::clone(&over));
        tokio::spawn(async move {
            let mut batches = 0;
            while !over.load(Ordering::Relaxed) {
                batches += lender.world.services.roll_up_portfolio().await.unwrap();
                tokio::task::yield_now().await;
            }
            batches
        })
    };
    let looker = {
        let (lender, over) = (Arc::clone(&lender), Arc::clone(&over));
        tokio::spawn(async move {
            let principal: i64 = lender.loans.iter().map(|loan| loan.terms.principal.minor()).sum();
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                for group in [GroupBy::Nothing, GroupBy::Officer] {
                    let report = Report::new(Filter::default(), None);
                    let counted = report.counted(&lender.world.services, &admin(), group).await.unwrap();
                    let seen = counted.values().fold((0, 0), |sum, one| (sum.0 + one.count, sum.1 + one.principal));
                    assert_eq!(seen, (16, principal), "by {group:?}, look {looks}");
                }
                looks += 1;
            }
            looks
        })
    };
    let writers = (0..8_usize).map(|writer| {
        let lender = Arc::clone(&lender);
        tokio::spawn(async move {
            for turn in 0..12_usize {
                let loan = &lender.loans[(writer * 2 + turn % 2) % lender.loans.len()];
                let officer = format!("officer-{}", (writer + turn) % 5);
                let input = AssignOfficer { loan: loan.id, officer, expected_version: None };
                lender.world.services.assign_officer(&admin(), &input).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    assert!(looker.await.unwrap() > 0, "somebody looked meanwhile");
    assert!(tidier.await.unwrap() > 0, "something was rolled up meanwhile");
    lender.assert_exact("after all").await;
    lender.assert_clean("after all").await;
    lender.world.services.tidy_portfolio().await.unwrap();
    lender.assert_exact("tidied").await;
}

async fn a_sum_that_was_tampered_with_is_found(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let mut dice = Dice::new();
    lender.lend(&mut dice, 3).await;
    lender.world.services.tidy_portfolio().await.unwrap();
    lender.lend(&mut dice, 1).await;
    lender.assert_clean("before").await;
    for (change, back) in [
        ("UPDATE portfolio_sums SET loans = loans + 1", "UPDATE portfolio_sums SET loans = loans - 1"),
        (
            "UPDATE portfolio_totals SET outstanding_fees_minor = outstanding_fees_minor + 1",
            "UPDATE portfolio_totals SET outstanding_fees_minor = outstanding_fees_minor - 1",
        ),
        (
            "UPDATE portfolio_changes SET principal_minor = principal_minor - 5",
            "UPDATE portfolio_changes SET principal_minor = principal_minor + 5",
        ),
        (
            "UPDATE arrears_sums SET outstanding_principal_minor = outstanding_principal_minor + 1",
            "UPDATE arrears_sums SET outstanding_principal_minor = outstanding_principal_minor - 1",
        ),
        (
            "UPDATE arrears_totals SET time_zone = 'UTC-' || time_zone",
            "UPDATE arrears_totals SET time_zone = substr(time_zone, 5)",
        ),
        (
            "UPDATE dues_sums SET installments = installments + 1",
            "UPDATE dues_sums SET installments = installments - 1",
        ),
        (
            "UPDATE dues_totals SET outstanding_interest_minor = outstanding_interest_minor + 1",
            "UPDATE dues_totals SET outstanding_interest_minor = outstanding_interest_minor - 1",
        ),
        (
            "UPDATE dues_changes SET outstanding_fees_minor = outstanding_fees_minor + 3",
            "UPDATE dues_changes SET outstanding_fees_minor = outstanding_fees_minor - 3",
        ),
    ] {
        lender.sql(change).await;
        let found = lender.found().await;
        assert!(
            !found.is_empty() && found.iter().all(|kind| *kind == FindingKind::PortfolioSum),
            "{change}: {found:?}"
        );
        lender.sql(back).await;
        lender.assert_clean(back).await;
    }
    lender.world.services.tidy_portfolio().await.unwrap();
    lender.sql("DELETE FROM portfolio_sums").await;
    let verification = lender.world.services.verify_books(&admin(), None).await.unwrap();
    let first = &verification.findings[0];
    assert!(first.subject.starts_with("portfolio_sums "), "{first:?}");
    assert!(first.expected.starts_with("loans ") && first.actual.starts_with("loans 0, principal 0,"), "{first:?}");
}

async fn a_refresh_makes_reports_of_the_day_and_leaves_the_books_alone(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let mut dice = Dice::new();
    while lender.loans.len() < 12 {
        lender.lend(&mut dice, 1).await;
    }
    lender.world.clock.set("2026-03-20T00:05:00Z");
    let all = async |lender: &Lender| {
        let mut all = Vec::new();
        for loan in &lender.loans {
            all.push(lender.world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap().unwrap());
        }
        all
    };
    let before = all(&lender).await;
    let folded = said(&lender.world, &admin(), &Filter::default()).await;
    let late = before.iter().filter(|loan| {
        loan.terms.conditions.recalculation == InterestRecalculation::DailyBalance
            && loan.projection.oldest_unpaid_due_on.is_some_and(|due_on| due_on < day("2026-03-20"))
    });
    let late = u64::try_from(late.count()).unwrap();
    assert_eq!(lender.refresh().await, late);
    assert_eq!(lender.refresh().await, 0, "once a day is enough");
    lender.world.statements.reset();
    assert_eq!(said(&lender.world, &admin(), &Filter::default()).await, folded);
    let statements = lender.world.statements.take();
    assert!(!statements.iter().any(|sql| sql.contains("loan_transactions")), "nothing is folded: {statements:#?}");
    for (before, after) in before.iter().zip(all(&lender).await) {
        assert_eq!((before.version, before.updated_at, &before.state), (after.version, after.updated_at, &after.state));
        let (old, new) = (before.projection, after.projection);
        assert_eq!(
            (old.accrued, old.accrued_through, old.projected_on),
            (new.accrued, new.accrued_through, new.projected_on)
        );
    }
    lender.assert_clean("refreshed").await;
    lender.assert_exact("refreshed").await;
    // The end of a day that is over takes the balances back to it, and they are refreshed again.
    let input = CloseDay { branch: None, on: Some(day("2026-03-18")), chunk: 100, idempotency_key: None };
    lender.world.services.close_days_by_command(&admin(), &input).await.unwrap();
    lender.assert_clean("closed").await;
    assert_eq!(lender.refresh().await, 0);
    assert_eq!(said(&lender.world, &admin(), &Filter::default()).await[2], folded[2]);
    lender.assert_exact("closed").await;
}

async fn a_branch_that_moves_to_another_time_zone_takes_its_totals_along(engine: Engine) {
    let mut lender = Lender::open(engine).await;
    let mut dice = Dice::new();
    lender.lend(&mut dice, 5).await;
    lender.world.services.tidy_portfolio().await.unwrap();
    lender.apply(&mut dice, day("2026-01-15")).await;
    for branch in &lender.branches {
        let input = UpdateBranch { time_zone: Some("Pacific/Auckland".to_owned()), ..branch_change(branch.id) };
        lender.world.services.update_branch(&admin(), &input).await.unwrap();
        lender.assert_exact("moved").await;
        lender.assert_clean("moved").await;
    }
}
