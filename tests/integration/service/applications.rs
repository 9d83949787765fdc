//! Applying for a loan: what becomes of it, and every way it is refused.

use branch_loan_api::service::check::AmountInput;
use branch_loan_api::service::loan_products::{CreateLoanProduct, LoanProductRecord, ProductTerms};
use branch_loan_api::service::loans::{ApplyForLoan, LoanKey};
use branch_loan_api::service::problem::{Detail, ProblemCode};
use lending::loan::{Application, Lifecycle, PeriodUnit};
use lending::money::{Currency, Money};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, new_product};
use crate::support::services::{World, admin, day, moment, officer_of, problem, problems, refusal, refusals};

both_engines!(
    an_application_takes_the_products_terms,
    an_application_is_what_was_asked_for,
    the_numbers_count_upwards,
    every_party_that_is_missing_is_named,
    a_closed_branch_lends_nothing,
    every_problem_of_the_terms_is_told_at_once,
    amounts_are_exact_and_within_the_limits,
    the_day_is_today_or_before_at_the_branch,
    a_reference_is_taken_once,
    a_key_is_required,
);

async fn product(world: &World) -> LoanProductRecord {
    let terms = ProductTerms {
        principal_min: Some(amount("100", "KES")),
        annual_rate_min: Some("10".to_owned()),
        annual_rate_max: Some("40".to_owned()),
        installments_max: Some(24),
        default_annual_rate: Some("28".to_owned()),
        default_installments: Some(6),
        every: Some(2),
        unit: Some(PeriodUnit::Week),
        ..ProductTerms::default()
    };
    let input = CreateLoanProduct { terms, ..new_product("STD") };
    world.services.create_loan_product(&admin(), &input).await.unwrap()
}

async fn an_application_takes_the_products_terms(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let borrower = world.borrower(&branch).await;
    let product = product(&world).await;
    let officer = officer_of("NBO");
    let applied = world.services.apply_for_loan(&officer, &application("k", &borrower, &product)).await.unwrap();
    assert!(!applied.replayed);
    let loan = applied.loan;
    let kes = Currency::parse("KES").unwrap();
    assert_eq!(loan.terms.principal, Money::new(1_250_000, kes));
    assert_eq!((loan.terms.annual_rate.ppm(), loan.terms.installments), (280_000, 6));
    assert_eq!((loan.terms.every, loan.terms.unit), (2, PeriodUnit::Week));
    assert_eq!((loan.branch_id, loan.borrower_id, loan.product_id), (branch.id, borrower.id, product.id));
    assert_eq!((loan.officer.as_deref(), loan.external_ref.as_deref()), (Some("officer-NBO"), None));
    let application = Application {
        applied_on: day("2026-01-15"),
        applied_by: "officer-NBO".to_owned(),
        amount: Money::new(1_250_000, kes),
    };
    assert_eq!(loan.state, Lifecycle::Pending { application });
    assert_eq!((loan.version, loan.created_at), (1, moment("2026-01-15T12:00:00Z")));
    for key in [LoanKey::Id(loan.id), LoanKey::Number(loan.number.clone())] {
        assert_eq!(world.services.loan(&officer, &key).await.unwrap(), Some(loan.clone().into()), "{key:?}");
    }
}

async fn an_application_is_what_was_asked_for(engine: Engine) {
    let world = World::new(engine).await;
    let home = world.branch("NBO", None).await;
    let other = world.branch("MSA", None).await;
    let borrower = world.borrower(&home).await;
    let product = product(&world).await;
    let input = ApplyForLoan {
        branch: Some(other.id),
        principal: amount("50000", "KES"),
        annual_rate: Some("12.3456".to_owned()),
        installments: Some(24),
        applied_on: Some(day("2025-12-31")),
        officer: Some(" akinyi ".to_owned()),
        external_ref: Some(" EXT-1 ".to_owned()),
        ..application("k", &borrower, &product)
    };
    let made = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    let loan = world.services.loan(&admin(), &LoanKey::ExternalRef("EXT-1".to_owned())).await.unwrap().unwrap();
    assert_eq!(*loan, made);
    assert_eq!((loan.branch_id, loan.terms.principal.minor()), (other.id, 5_000_000));
    assert_eq!((loan.terms.annual_rate.ppm(), loan.terms.installments), (123_456, 24));
    assert_eq!((loan.officer.as_deref(), loan.state.application().applied_on), (Some("akinyi"), day("2025-12-31")));
}

async fn the_numbers_count_upwards(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let first = world.loan("a", &borrower, &product).await;
    let second = world.loan("b", &borrower, &product).await;
    assert_eq!((first.number.as_str(), second.number.as_str()), ("L-000000001", "L-000000002"));
}

async fn every_party_that_is_missing_is_named(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let nothing = Uuid::from_u128(1);
    let input = ApplyForLoan {
        borrower: nothing,
        product: nothing,
        branch: Some(nothing),
        ..application("k", &borrower, &product)
    };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &input).await),
        [
            problem(ProblemCode::NotFound, "input.borrowerId"),
            problem(ProblemCode::NotFound, "input.productId"),
            problem(ProblemCode::NotFound, "input.branchId"),
        ]
    );
    let input = ApplyForLoan { borrower: nothing, ..application("k", &borrower, &product) };
    let outcome = world.services.apply_for_loan(&admin(), &input).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.borrowerId"));
}

async fn a_closed_branch_lends_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    world.services.close_branch(&admin(), branch.id, None).await.unwrap();
    world.services.retire_loan_product(&admin(), product.id, None).await.unwrap();
    let input = ApplyForLoan { installments: Some(0), ..application("k", &borrower, &product) };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &input).await),
        [
            problem(ProblemCode::BranchClosed, "input.branchId"),
            problem(ProblemCode::ProductRetired, "input.productId"),
            problem(ProblemCode::NumberOutOfRange, "input.installments"),
        ]
    );
}

async fn every_problem_of_the_terms_is_told_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let borrower = world.borrower(&branch).await;
    let product = product(&world).await;
    let malformed = ApplyForLoan {
        principal: amount("1,000", "KES"),
        annual_rate: Some("28 %".to_owned()),
        installments: Some(0),
        officer: Some("x".repeat(201)),
        external_ref: Some("x\u{7}".to_owned()),
        ..application("k", &borrower, &product)
    };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &malformed).await),
        [
            problem(ProblemCode::InvalidFormat, "input.principal.amount"),
            problem(ProblemCode::InvalidFormat, "input.annualRate"),
            problem(ProblemCode::NumberOutOfRange, "input.installments"),
            problem(ProblemCode::TooLong, "input.officer"),
            problem(ProblemCode::InvalidFormat, "input.externalRef"),
        ]
    );
    let beyond = ApplyForLoan {
        principal: amount("99.99", "KES"),
        annual_rate: Some("40.0001".to_owned()),
        installments: Some(25),
        ..application("k", &borrower, &product)
    };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &beyond).await),
        [
            problem(ProblemCode::AmountOutOfRange, "input.principal.amount"),
            problem(ProblemCode::RateOutOfRange, "input.annualRate"),
            problem(ProblemCode::NumberOutOfRange, "input.installments"),
        ]
    );
    assert_eq!(world.services.count_loans(&admin(), &Default::default()).await.unwrap(), 0);
}

async fn amounts_are_exact_and_within_the_limits(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let (the_amount, the_currency) = ("input.principal.amount", "input.principal.currency");
    for (principal, expected) in [
        (amount("0", "KES"), problem(ProblemCode::AmountOutOfRange, the_amount)),
        (amount("-1", "KES"), problem(ProblemCode::AmountOutOfRange, the_amount)),
        (amount("50000.01", "KES"), problem(ProblemCode::AmountOutOfRange, the_amount)),
        (amount("92233720368547758.07", "KES"), problem(ProblemCode::AmountOutOfRange, the_amount)),
        (amount("92233720368547758.08", "KES"), problem(ProblemCode::AmountOutOfRange, the_amount)),
        (amount("1.001", "KES"), problem(ProblemCode::TooManyDecimals, the_amount)),
        (amount("", "KES"), problem(ProblemCode::InvalidFormat, the_amount)),
        (amount("1e3", "KES"), problem(ProblemCode::InvalidFormat, the_amount)),
        (amount(" 1", "KES"), problem(ProblemCode::InvalidFormat, the_amount)),
        (amount("NaN", "KES"), problem(ProblemCode::InvalidFormat, the_amount)),
        (amount("1\u{0}", "KES"), problem(ProblemCode::InvalidFormat, the_amount)),
        (amount("100", "USD"), problem(ProblemCode::CurrencyMismatch, the_currency)),
        (amount("100", "kes"), problem(ProblemCode::UnknownCurrency, the_currency)),
        (amount("100", ""), problem(ProblemCode::UnknownCurrency, the_currency)),
    ] {
        let input = ApplyForLoan { principal: principal.clone(), ..application("k", &borrower, &product) };
        let outcome = world.services.apply_for_loan(&admin(), &input).await;
        assert_eq!(refusal(outcome), expected, "{principal:?}");
    }
    let too_much = AmountInput { amount: "50000.01".to_owned(), currency: "KES".to_owned() };
    let input = ApplyForLoan { principal: too_much, ..application("k", &borrower, &product) };
    let found = problems(world.services.apply_for_loan(&admin(), &input).await);
    let kes = |minor| Some(Money::new(minor, Currency::parse("KES").unwrap()));
    assert_eq!(found[0].detail, Detail::Amount { min: kes(1), max: kes(5_000_000) });
    for (key, exact) in [("least", "0.01"), ("most", "50000.00")] {
        let input = ApplyForLoan { principal: amount(exact, "KES"), ..application(key, &borrower, &product) };
        world.services.apply_for_loan(&admin(), &input).await.unwrap();
    }
}

/// It is the 16th in Nairobi already when it is the 15th in Greenwich.
async fn the_day_is_today_or_before_at_the_branch(engine: Engine) {
    let world = World::new(engine).await;
    world.clock.set("2026-01-15T22:30:00Z");
    let (_, borrower, product) = world.parties().await;
    let on =
        |key: &str, date: &str| ApplyForLoan { applied_on: Some(day(date)), ..application(key, &borrower, &product) };
    let today = world.loan("a", &borrower, &product).await;
    assert_eq!(today.state.application().applied_on, day("2026-01-16"));
    world.services.apply_for_loan(&admin(), &on("b", "2026-01-16")).await.unwrap();
    world.services.apply_for_loan(&admin(), &on("c", "0001-01-01")).await.unwrap();
    let found = problems(world.services.apply_for_loan(&admin(), &on("d", "2026-01-17")).await);
    assert_eq!((found[0].code, found[0].path.join(".")), problem(ProblemCode::DateOutOfRange, "input.appliedOn"));
    assert_eq!(found[0].detail, Detail::Date { earliest: None, latest: Some(day("2026-01-16")) });
}

async fn a_reference_is_taken_once(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let with =
        |key: &str| ApplyForLoan { external_ref: Some("EXT-1".to_owned()), ..application(key, &borrower, &product) };
    world.services.apply_for_loan(&admin(), &with("a")).await.unwrap();
    let outcome = world.services.apply_for_loan(&admin(), &with("b")).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::AlreadyTaken, "input.externalRef"));
    assert_eq!(world.services.count_loans(&admin(), &Default::default()).await.unwrap(), 1);
}

async fn a_key_is_required(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    for (key, code) in [
        ("".to_owned(), ProblemCode::Required),
        (" \n".to_owned(), ProblemCode::Required),
        ("k".repeat(65), ProblemCode::TooLong),
        ("a\u{0}".to_owned(), ProblemCode::InvalidFormat),
    ] {
        let outcome = world.services.apply_for_loan(&admin(), &application(&key, &borrower, &product)).await;
        assert_eq!(refusal(outcome), problem(code, "input.idempotencyKey"));
    }
    let longest = "🦀".repeat(64);
    world.services.apply_for_loan(&admin(), &application(&longest, &borrower, &product)).await.unwrap();
}
