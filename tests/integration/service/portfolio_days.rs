//! The portfolio on a day: figures worked out by hand, over branches, currencies and statuses; and that a day in the past
//! has the figures it had when it was the present, whatever happened since.

use branch_loan_api::service::borrowers::BorrowerRecord;
use branch_loan_api::service::branches::{BranchRecord, CreateBranch};
use branch_loan_api::service::conditions::ConditionsInput;
use branch_loan_api::service::list::{Filter, PageRequest, Scalar, SortKey, Test};
use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loan_products::{CreateLoanProduct, LoanProductRecord};
use branch_loan_api::service::loan_terms::TermsInput;
use branch_loan_api::service::loans::{ApplyForLoan, LoanField, LoanRecord};
use branch_loan_api::service::portfolio::{Flows, GroupBy, GroupKey, Late, Owed, Report, Sums, at_risk};
use chrono::{Days, NaiveDate};
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{ChargeKind, LoanStatus, PaymentKind, Portions};
use rand::Rng;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve, new_branch, new_product};
use crate::support::random::Dice;
use crate::support::services::{World, admin, auditor_of, day, problems};

both_engines!(
    figures_of_a_day_are_right_to_the_cent,
    a_day_in_the_past_has_its_own_figures,
    dates_follow_the_time_zone_of_the_branch,
    days_past_due_filter_and_sort_loans,
    a_past_day_has_the_figures_it_had,
    a_day_that_is_not_there_yet_is_refused,
);

struct Lender {
    world: World,
    nbo: BranchRecord,
    hcm: BranchRecord,
    hq: BranchRecord,
    kes: LoanProductRecord,
    vnd: LoanProductRecord,
}

/// A loan without interest, paid out and due month by month.
struct Plain<'a> {
    branch: &'a BranchRecord,
    product: &'a LoanProductRecord,
    principal: &'a str,
    installments: i32,
    applied_on: &'a str,
    disbursed_on: Option<&'a str>,
}

impl Lender {
    async fn open(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let hq = world.branch("HQ", None).await;
        let nbo = world.branch("NBO", Some(&hq)).await;
        let input =
            CreateBranch { currency: "VND".to_owned(), time_zone: "Asia/Ho_Chi_Minh".to_owned(), ..new_branch("HCM") };
        let hcm = world.services.create_branch(&admin(), &input).await.unwrap();
        let kes = world.product("KES").await;
        let vnd = CreateLoanProduct { currency: "VND".to_owned(), ..new_product("VND") };
        let vnd = world.services.create_loan_product(&admin(), &vnd).await.unwrap();
        Self { world, nbo, hcm, hq, kes, vnd }
    }

    /// The lender of the examples. See [`figures_of_a_day_are_right_to_the_cent`].
    async fn lent(engine: Engine) -> Self {
        let lender = Self::open(engine).await;
        let plain = |branch, product, principal, installments, applied_on, disbursed_on| Plain {
            branch,
            product,
            principal,
            installments,
            applied_on,
            disbursed_on: Some(disbursed_on),
        };
        let a = lender.lend(&plain(&lender.nbo, &lender.kes, "1200.00", 6, "2025-09-01", "2025-09-10")).await;
        lender.pay(&a, "2025-10-10", "200.00").await;
        lender.pay(&a, "2025-11-10", "200.00").await;
        lender.lend(&plain(&lender.nbo, &lender.kes, "600.00", 6, "2025-12-01", "2025-12-15")).await;
        let c = lender.lend(&plain(&lender.hq, &lender.kes, "300.00", 3, "2025-08-01", "2025-08-10")).await;
        lender.record(&c, "2025-12-01", What::WriteOff).await;
        lender.record(&c, "2025-12-20", What::Recover { amount: amount("50.00", "KES") }).await;
        let d = lender.lend(&plain(&lender.hcm, &lender.vnd, "8400", 6, "2025-10-01", "2025-10-01")).await;
        let reversed = lender.pay(&d, "2025-11-01", "1400").await;
        lender.record(&d, "2026-01-15", What::Reverse { transaction: reversed, reason: None }).await;
        let agreement =
            What::Reschedule { from: None, first_due_on: None, annual_rate: None, extra_installments: Some(1) };
        lender.record(&d, "2026-01-15", agreement).await;
        let pending = Plain { disbursed_on: None, ..plain(&lender.nbo, &lender.kes, "1000.00", 6, "2026-01-10", "") };
        lender.lend(&pending).await;
        lender
    }

    async fn lend(&self, plain: &Plain<'_>) -> LoanRecord {
        let borrower: BorrowerRecord = self.world.borrower(plain.branch).await;
        let currency = plain.product.limits.currency.code();
        let input = ApplyForLoan {
            principal: amount(plain.principal, currency),
            annual_rate: Some("0".to_owned()),
            installments: Some(plain.installments),
            applied_on: Some(day(plain.applied_on)),
            ..application(&Uuid::now_v7().to_string(), &borrower, plain.product)
        };
        let loan = self.world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
        if let Some(on) = plain.disbursed_on {
            let decision = Decide { on: Some(day(plain.applied_on)), ..approve(loan.id) };
            self.world.services.decide(&admin(), &decision).await.unwrap();
            self.record(&loan, on, What::Disburse { amount: None }).await;
        }
        loan
    }

    async fn record(&self, loan: &LoanRecord, on: &str, what: What) -> Uuid {
        record(&self.world, loan.id, day(on), what).await.unwrap()
    }

    async fn pay(&self, loan: &LoanRecord, on: &str, value: &str) -> Uuid {
        let currency = loan.terms.principal.currency().code();
        self.record(loan, on, What::Pay { amount: amount(value, currency), kind: PaymentKind::Repayment }).await
    }

    fn report(as_of: Option<&str>) -> Report {
        Report::new(Filter::default(), as_of.map(day))
    }

    async fn owed(&self, report: &Report, group: GroupBy) -> Sums<Owed> {
        Sums::clone(&*report.owed(&self.world.services, &admin(), group).await.unwrap())
    }

    /// Outstanding principal by group and currency, nothing left out.
    async fn principal(&self, report: &Report, group: GroupBy) -> Vec<(GroupKey, &'static str, i64)> {
        let owed = self.owed(report, group).await;
        owed.into_iter().map(|((key, currency), owed)| (key, currency, owed.outstanding.principal)).collect()
    }

    /// Amount, ratio and number at risk in a currency.
    async fn at_risk(&self, report: &Report, currency: &'static str, days: u32) -> (i64, String, i64) {
        let late = report.late(&self.world.services, &admin(), GroupBy::Nothing).await.unwrap();
        let late = late.get(&(GroupKey::All, currency)).cloned().unwrap_or_else(Late::default);
        let risk = at_risk(&late, days).unwrap();
        (risk.amount, risk.ratio, risk.count)
    }

    async fn ages(&self, report: &Report, currency: &'static str) -> Vec<i64> {
        let aged = report.aged(&self.world.services, &admin(), GroupBy::Nothing).await.unwrap();
        let aged = aged.get(&(GroupKey::All, currency)).copied().unwrap_or_default();
        aged.ages.iter().map(|part| part.total().unwrap()).collect()
    }

    async fn flows(&self, report: &Report, currency: &'static str, from: &str, to: &str) -> Flows {
        let services = &self.world.services;
        let flows = report.flows(services, &admin(), GroupBy::Nothing, (day(from), day(to))).await.unwrap();
        flows.get(&(GroupKey::All, currency)).copied().unwrap_or_default()
    }
}

async fn record(
    world: &World,
    loan: Uuid,
    on: NaiveDate,
    what: What,
) -> Result<Uuid, branch_loan_api::service::ServiceError> {
    let input = Record {
        idempotency_key: Uuid::now_v7().to_string(),
        loan,
        on: Some(on),
        what,
        external_ref: None,
        expected_version: None,
    };
    Ok(world.services.record(&admin(), &input).await?.transaction)
}

/// On 2026-01-15:
///
/// | loan | lent | due | so far |
/// |---|---|---|---|
/// | A, NBO | 1,200 KES | 200 on the 10th, October to March | 400 paid; 36 days past due with 200, 5 days with 200 |
/// | B, NBO | 600 KES | 100 on the 15th, January to June | the first falls due today |
/// | C, HQ | 300 KES | 100 on the 10th, September to November | written off on 1 December, 50 recovered |
/// | D, HCM | 8,400 VND | 1,400 on the 1st, November to April | a payment was reversed: 75, 45, 14 days past due; agreed anew |
/// | E, NBO | 1,000 KES | | pending |
async fn figures_of_a_day_are_right_to_the_cent(engine: Engine) {
    let lender = Lender::lent(engine).await;
    let now = Lender::report(None);
    let counted = now.counted(&lender.world.services, &admin(), GroupBy::Nothing).await.unwrap();
    let count = |currency| counted.get(&(GroupKey::All, currency)).map(|sum| (sum.count, sum.principal));
    assert_eq!((count("KES"), count("VND")), (Some((4, 310_000)), Some((1, 8_400))));

    let all = [(GroupKey::All, "KES", 140_000), (GroupKey::All, "VND", 8_400)];
    assert_eq!(lender.principal(&now, GroupBy::Nothing).await, all);
    let status = GroupKey::Status;
    let by_status = [
        (status(LoanStatus::Pending), "KES", 0),
        (status(LoanStatus::Disbursed), "KES", 140_000),
        (status(LoanStatus::Disbursed), "VND", 8_400),
        (status(LoanStatus::WrittenOff), "KES", 0),
    ];
    assert_eq!(lender.principal(&now, GroupBy::Status).await, by_status);
    let mut by_branch = vec![
        (GroupKey::Branch(lender.hq.id), "KES", 0),
        (GroupKey::Branch(lender.nbo.id), "KES", 140_000),
        (GroupKey::Branch(lender.hcm.id), "VND", 8_400),
    ];
    by_branch.sort();
    assert_eq!(lender.principal(&now, GroupBy::Branch).await, by_branch);
    let officer = GroupKey::Officer(Some("admin".to_owned()));
    let by_officer = [(officer.clone(), "KES", 140_000), (officer, "VND", 8_400)];
    assert_eq!(lender.principal(&now, GroupBy::Officer).await, by_officer);

    // The whole 800 of A counts, over the 1,400 of A and B; the loan that was written off is on neither side.
    let part = |amount, ratio: &str, count| (amount, ratio.to_owned(), count);
    for days in [1, 30, 35] {
        assert_eq!(lender.at_risk(&now, "KES", days).await, part(80_000, "0.5714", 1), "PAR {days}");
    }
    for days in [36, 60, 90] {
        assert_eq!(lender.at_risk(&now, "KES", days).await, part(0, "0.0000", 0), "PAR {days}");
    }
    assert_eq!(lender.at_risk(&now, "VND", 60).await, part(8_400, "1.0000", 1));
    assert_eq!(lender.at_risk(&now, "VND", 75).await, part(0, "0.0000", 0));
    assert_eq!(lender.at_risk(&now, "USD", 30).await, part(0, "0.0000", 0), "nothing of nothing");

    // 0, 1–3, 4–30, 31–60, 61–90, …
    assert_eq!(lender.ages(&now, "KES").await, [10_000, 0, 20_000, 20_000, 0, 0, 0, 0, 0, 0]);
    assert_eq!(lender.ages(&now, "VND").await, [0, 0, 1_400, 1_400, 1_400, 0, 0, 0, 0, 0]);

    let rescheduled = now.rescheduled(&lender.world.services, &admin(), GroupBy::Nothing).await.unwrap();
    let vnd = rescheduled.get(&(GroupKey::All, "VND")).map(|sum| (sum.count, sum.outstanding.principal));
    assert_eq!((vnd, rescheduled.len()), (Some((1, 8_400)), 1));

    let expected = |flows: Flows| (flows.expected.total().unwrap(), flows.repayments.amount);
    assert_eq!(expected(lender.flows(&now, "KES", "2025-11-01", "2025-11-30").await), (30_000, 20_000), "A, C");
    let december = lender.flows(&now, "KES", "2025-12-01", "2025-12-31").await;
    assert_eq!(expected(december), (20_000, 0));
    assert_eq!((december.disbursements.count, december.disbursements.amount), (1, 60_000));
    assert_eq!((december.recoveries.count, december.recoveries.amount), (1, 5_000));
    assert_eq!(expected(lender.flows(&now, "KES", "2026-01-15", "2026-01-15").await), (10_000, 0), "one day");
    let november = lender.flows(&now, "VND", "2025-11-01", "2025-11-30").await;
    assert_eq!(expected(november), (1_400, 0), "the payment was reversed");
    assert_eq!(lender.flows(&now, "KES", "2024-01-01", "2024-12-31").await, Flows::default());

    // A branch has what lies below it; an auditor of one branch sees that branch.
    let below = Report::new(Filter::UnderBranches(vec![lender.hq.id]), None);
    assert_eq!(lender.principal(&below, GroupBy::Nothing).await, [(GroupKey::All, "KES", 140_000)]);
    let owed = Lender::report(None);
    let owed = owed.owed(&lender.world.services, &auditor_of("HCM"), GroupBy::Nothing).await.unwrap();
    let vnd = Owed { outstanding: Portions { principal: 8_400, ..Portions::ZERO }, credit: 0 };
    assert_eq!(*owed, Sums::from([((GroupKey::All, "VND"), vnd)]));
}

async fn a_day_in_the_past_has_its_own_figures(engine: Engine) {
    let lender = Lender::lent(engine).await;
    let then = Lender::report(Some("2025-11-30"));
    // A has 800 left and nothing late; C, 81 days past due, was not written off yet; B and E did not exist.
    let counted = then.counted(&lender.world.services, &admin(), GroupBy::Status).await.unwrap();
    let counts: Vec<_> = counted.iter().map(|((key, currency), sum)| (key.clone(), *currency, sum.count)).collect();
    let disbursed = GroupKey::Status(LoanStatus::Disbursed);
    assert_eq!(counts, [(disbursed.clone(), "KES", 2), (disbursed.clone(), "VND", 1)]);
    let principal = [(disbursed.clone(), "KES", 110_000), (disbursed, "VND", 8_400)];
    assert_eq!(lender.principal(&then, GroupBy::Status).await, principal);
    assert_eq!(lender.at_risk(&then, "KES", 30).await, (30_000, "0.2727".to_owned(), 1));
    assert_eq!(lender.at_risk(&then, "KES", 81).await, (0, "0.0000".to_owned(), 0));
    // C: 81, 51, 20 days.
    assert_eq!(lender.ages(&then, "KES").await, [0, 0, 10_000, 10_000, 10_000, 0, 0, 0, 0, 0]);
    let flows = lender.flows(&then, "KES", "2025-11-01", "2025-12-31").await;
    // A's December is expected too, as it was known then; nothing of December had happened.
    assert_eq!((flows.expected.total().unwrap(), flows.repayments.amount), (50_000, 20_000));
    assert_eq!((flows.disbursements.count, flows.recoveries.count), (0, 0));
    // The agreement of January is not known in November.
    let rescheduled = then.rescheduled(&lender.world.services, &admin(), GroupBy::Nothing).await.unwrap();
    assert!(rescheduled.values().all(|sum| sum.count == 0));
    // Before everything.
    let counted = Lender::report(Some("2025-07-31"));
    assert!(counted.counted(&lender.world.services, &admin(), GroupBy::Nothing).await.unwrap().is_empty());
}

/// At eight in the evening in Nairobi it is midnight in Ho Chi Minh City.
async fn dates_follow_the_time_zone_of_the_branch(engine: Engine) {
    let lender = Lender::lent(engine).await;
    lender.world.clock.set("2026-01-15T17:30:00Z");
    let now = Lender::report(None);
    // Still the day in Nairobi: B's first installment is due today. D is 76 days past due by now.
    assert_eq!(lender.ages(&now, "KES").await, [10_000, 0, 20_000, 20_000, 0, 0, 0, 0, 0, 0]);
    assert_eq!(lender.at_risk(&now, "VND", 75).await, (8_400, "1.0000".to_owned(), 1));
    // The day of Nairobi is past in Ho Chi Minh City, and is worked out as it was.
    let nairobi = Lender::report(Some("2026-01-15"));
    assert_eq!(lender.ages(&nairobi, "KES").await, lender.ages(&now, "KES").await);
    assert_eq!(lender.at_risk(&nairobi, "VND", 75).await, (0, "0.0000".to_owned(), 0));
    let (all, then) = (lender.owed(&now, GroupBy::Branch).await, lender.owed(&nairobi, GroupBy::Branch).await);
    assert_eq!(all, then);
    let late = |days| Filter::Field(LoanField::DaysPastDue, Test::AtLeast(Scalar::Integer(days)));
    assert_eq!(lender.world.services.count_loans(&admin(), &late(76)).await.unwrap(), 1);
    assert_eq!(lender.world.services.count_loans(&admin(), &late(77)).await.unwrap(), 0);
    assert_eq!(lender.world.services.count_loans(&admin(), &late(36)).await.unwrap(), 2, "A by Nairobi's date");
}

async fn days_past_due_filter_and_sort_loans(engine: Engine) {
    let lender = Lender::lent(engine).await;
    let services = &lender.world.services;
    // A 36, D 75; B, C and E 0.
    let number = Scalar::Integer;
    for (test, expected) in [
        (Test::Is(number(36)), 1),
        (Test::Is(number(0)), 3),
        (Test::Is(number(-1)), 0),
        (Test::OneOf(vec![number(75), number(36)]), 2),
        (Test::OneOf(vec![]), 0),
        (Test::Above(number(36)), 1),
        (Test::AtLeast(number(36)), 2),
        (Test::AtLeast(number(0)), 5),
        (Test::Above(number(-5)), 5),
        (Test::Below(number(36)), 3),
        (Test::Below(number(0)), 0),
        (Test::AtMost(number(36)), 4),
        (Test::AtMost(number(i64::from(i32::MAX))), 5),
        (Test::AtLeast(number(i64::from(i32::MAX))), 0),
        (Test::IsMissing, 0),
    ] {
        let filter = Filter::Field(LoanField::DaysPastDue, test.clone());
        assert_eq!(services.count_loans(&admin(), &filter).await.unwrap(), expected, "{test:?}");
        let complement = Filter::Not(Box::new(filter));
        assert_eq!(services.count_loans(&admin(), &complement).await.unwrap(), 5 - expected, "not {test:?}");
    }
    for (field, order) in [(LoanField::OldestUnpaidDueOn, "DABCE"), (LoanField::NextDueOn, "BDACE")] {
        for descending in [false, true] {
            let mut seen = String::new();
            let mut request = PageRequest { size: 2, backward: false, cursor: None };
            loop {
                let key = SortKey { field, descending };
                let page = services.loans(&admin(), &Filter::default(), &[key], &request).await.unwrap();
                for (_, loan) in &page.rows {
                    let letter = match loan.terms.principal.minor() {
                        120_000 => 'A',
                        60_000 => 'B',
                        30_000 => 'C',
                        8_400 => 'D',
                        _ => 'E',
                    };
                    seen.push(letter);
                }
                request.cursor = page.rows.last().map(|(cursor, _)| cursor.to_string());
                if !page.has_next {
                    break;
                }
            }
            let order: String = if descending { order.chars().rev().collect() } else { order.to_owned() };
            assert_eq!(seen, order, "{field:?}, descending: {descending}");
        }
    }
}

async fn a_day_that_is_not_there_yet_is_refused(engine: Engine) {
    let lender = Lender::lent(engine).await;
    let tomorrow = Lender::report(Some("2026-01-16"));
    let found = problems(tomorrow.owed(&lender.world.services, &admin(), GroupBy::Nothing).await);
    assert_eq!(found[0].message, "Send a day until 2026-01-15; what comes after it is not known yet.");
    let backwards = (day("2026-01-02"), day("2026-01-01"));
    let flows = Lender::report(None);
    let found = problems(flows.flows(&lender.world.services, &admin(), GroupBy::Nothing, backwards).await);
    assert_eq!(found[0].path, ["from"]);
}

/// Everything a report says, but for statuses: a loan is counted as defaulted once its day has been closed, and as of a
/// day it is so as soon as it should be.
#[derive(Debug, PartialEq)]
struct Everything(Vec<String>);

async fn everything(world: &World, as_of: Option<NaiveDate>) -> Everything {
    let report = Report::new(Filter::default(), as_of);
    let (services, actor) = (&world.services, &admin());
    let mut all = Vec::new();
    for group in [GroupBy::Nothing, GroupBy::Branch, GroupBy::Product, GroupBy::Officer] {
        all.push(format!("{:?}", report.counted(services, actor, group).await.unwrap()));
        all.push(format!("{:?}", report.owed(services, actor, group).await.unwrap()));
        let late = report.late(services, actor, group).await.unwrap();
        let late: Vec<_> = late.iter().filter(|(_, late)| **late != Late::default()).collect();
        all.push(format!("{late:?}"));
        let aged = report.aged(services, actor, group).await.unwrap();
        let aged: Vec<_> = aged.iter().filter(|(_, aged)| **aged != Default::default()).collect();
        all.push(format!("{aged:?}"));
        let rescheduled = report.rescheduled(services, actor, group).await.unwrap();
        let rescheduled: Vec<_> = rescheduled.iter().filter(|(_, sum)| sum.count > 0).collect();
        all.push(format!("{rescheduled:?}"));
        for period in [("2026-01-01", "2026-01-31"), ("2026-01-20", "2026-03-20"), ("2025-01-01", "2027-12-31")] {
            let flows = report.flows(services, actor, group, (day(period.0), day(period.1))).await.unwrap();
            let flows: Vec<_> = flows.iter().filter(|(_, flows)| **flows != Flows::default()).collect();
            all.push(format!("{period:?} {flows:?}"));
        }
    }
    Everything(all)
}

/// Random histories, day by day. The projection of each day, taken when it was the present, is what the fold says of it
/// once it is past. The last day has backdated payments and reversals too: it is compared on the day after.
async fn a_past_day_has_the_figures_it_had(engine: Engine) {
    let lender = Lender::open(engine).await;
    let mut dice = Dice::new();
    let mut loans = Vec::new();
    for number in 0..14 {
        let daily = dice.random_bool(0.5);
        let (branch, product) =
            if dice.random_bool(0.3) { (&lender.hcm, &lender.vnd) } else { (&lender.nbo, &lender.kes) };
        let borrower = lender.world.borrower(branch).await;
        let recalculation = daily.then_some(InterestRecalculation::DailyBalance);
        let conditions = ConditionsInput { recalculation, ..ConditionsInput::default() };
        let input = ApplyForLoan {
            principal: amount(&format!("{}", dice.random_range(1..=40) * 100), product.limits.currency.code()),
            annual_rate: Some("36".to_owned()),
            installments: Some(dice.random_range(1..=8)),
            applied_on: Some(day("2025-09-01")),
            officer: Some((*dice.pick(&["a", "b"])).to_owned()),
            terms: Some(TermsInput { conditions, ..TermsInput::default() }),
            ..application(&format!("loan-{number}"), &borrower, product)
        };
        let loan = lender.world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
        let decision = Decide { on: Some(day("2025-09-01")), ..approve(loan.id) };
        lender.world.services.decide(&admin(), &decision).await.unwrap();
        let on = day("2025-09-05").checked_add_days(Days::new(dice.random_range(0..120))).unwrap();
        record(&lender.world, loan.id, on, What::Disburse { amount: None }).await.unwrap();
        loans.push(loan);
    }
    let mut remembered = Vec::new();
    let mut today = day("2026-01-15");
    for _ in 0..6 {
        for _ in 0..5 {
            let loan = dice.pick(&loans).clone();
            let what = random_step(&mut dice, &loan);
            let _ = record(&lender.world, loan.id, today, what).await;
        }
        remembered.push((today, everything(&lender.world, None).await));
        assert_eq!(everything(&lender.world, Some(today)).await, remembered.last().unwrap().1, "today by its name");
        today = today.checked_add_days(Days::new(dice.random_range(1..=25))).unwrap();
        lender.world.clock.set(&format!("{today}T12:00:00Z"));
    }
    for (then, figures) in &remembered {
        assert_eq!(everything(&lender.world, Some(*then)).await, *figures, "{then} as of {today}");
    }
    for _ in 0..15 {
        let loan = dice.pick(&loans).clone();
        let on = today.checked_sub_days(Days::new(dice.random_range(0..60))).unwrap();
        let what = random_step(&mut dice, &loan);
        if let Ok(transaction) = record(&lender.world, loan.id, on, what).await
            && dice.random_bool(0.3)
        {
            let _ = record(&lender.world, loan.id, today, What::Reverse { transaction, reason: None }).await;
        }
    }
    let figures = everything(&lender.world, None).await;
    lender.world.clock.set(&format!("{}T12:00:00Z", today.succ_opt().unwrap()));
    assert_eq!(everything(&lender.world, Some(today)).await, figures);
}

fn random_step(dice: &mut Dice, loan: &LoanRecord) -> What {
    let currency = loan.terms.principal.currency().code();
    let some = |dice: &mut Dice| amount(&format!("{}", dice.random_range(1..=900)), currency);
    match dice.random_range(0..12) {
        0 => What::Charge { amount: some(dice), kind: ChargeKind::Fee, due_on: None },
        1 => What::WaiveInterest { amount: None },
        2 if dice.random_bool(0.4) => What::WriteOff,
        3 => What::Reschedule { from: None, first_due_on: None, annual_rate: None, extra_installments: Some(1) },
        4 => What::RefundCredit { amount: None },
        5 => What::Recover { amount: some(dice) },
        6 => What::Pay { amount: some(dice), kind: PaymentKind::GoodwillCredit },
        7 if dice.random_bool(0.3) => What::ChargeOff,
        8 => What::Pay { amount: amount("9000", currency), kind: PaymentKind::Repayment },
        _ => What::Pay { amount: some(dice), kind: PaymentKind::Repayment },
    }
}
