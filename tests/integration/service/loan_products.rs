//! Creating, changing and retiring loan products.

use branch_loan_api::service::conditions::ConditionsInput;
use branch_loan_api::service::loan_products::{
    CreateLoanProduct, LoanProductKey, LoanProductStatus, ProductTerms, UpdateLoanProduct,
};
use branch_loan_api::service::problem::ProblemCode;
use lending::loan::PeriodUnit;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, new_product, product_change};
use crate::support::services::{World, admin, problem, refusal, refusals};

both_engines!(
    a_product_takes_the_defaults_for_what_is_not_named,
    a_product_is_what_was_asked_for,
    every_problem_of_a_product_is_told_at_once,
    limits_and_defaults_must_make_sense_together,
    a_code_is_taken_once,
    a_change_touches_what_it_names_and_leaves_loans_alone,
    a_retired_product_is_not_offered,
);

async fn a_product_takes_the_defaults_for_what_is_not_named(engine: Engine) {
    let world = World::new(engine).await;
    let made = world.product("STD").await;
    let limits = made.limits;
    assert_eq!((limits.principal_min, limits.principal_max), (1, 5_000_000));
    assert_eq!((limits.rate_min_ppm, limits.rate_max_ppm), (0, 1_000_000));
    assert_eq!((limits.installments_min, limits.installments_max), (1, 600));
    assert_eq!((made.every, made.unit, made.status), (1, PeriodUnit::Month, LoanProductStatus::Active));
    for key in [LoanProductKey::Id(made.id), LoanProductKey::Code("STD".to_owned())] {
        assert_eq!(world.services.loan_product(&admin(), &key).await.unwrap(), Some(made.clone().into()));
    }
    let by_ids = world.services.loan_products_by_id(&admin(), &[Uuid::from_u128(1), made.id]).await.unwrap();
    assert_eq!(by_ids, [None, Some(made.into())]);
}

fn terms() -> ProductTerms {
    ProductTerms {
        principal_min: Some(amount("1000", "KES")),
        principal_max: Some(amount("20000.50", "KES")),
        annual_rate_min: Some("12.5".to_owned()),
        annual_rate_max: Some("36".to_owned()),
        installments_min: Some(2),
        installments_max: Some(24),
        default_annual_rate: Some("28.25".to_owned()),
        default_installments: Some(6),
        every: Some(2),
        unit: Some(PeriodUnit::Week),
        conditions: ConditionsInput::default(),
    }
}

async fn a_product_is_what_was_asked_for(engine: Engine) {
    let world = World::new(engine).await;
    let input = CreateLoanProduct { terms: terms(), ..new_product("BIZ") };
    let made = world.services.create_loan_product(&admin(), &input).await.unwrap();
    let read = world.services.loan_product(&admin(), &LoanProductKey::Id(made.id)).await.unwrap().unwrap();
    assert_eq!(*read, made);
    let limits = read.limits;
    assert_eq!((limits.principal_min, limits.principal_max), (100_000, 2_000_050));
    assert_eq!((limits.rate_min_ppm, limits.rate_max_ppm), (125_000, 360_000));
    assert_eq!((limits.installments_min, limits.installments_max), (2, 24));
    assert_eq!((read.default_rate.ppm(), read.default_installments), (282_500, 6));
    assert_eq!((read.every, read.unit), (2, PeriodUnit::Week));
}

async fn every_problem_of_a_product_is_told_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let input = CreateLoanProduct {
        code: "a b".to_owned(),
        name: String::new(),
        currency: "KES".to_owned(),
        terms: ProductTerms {
            principal_min: Some(amount("1", "USD")),
            principal_max: Some(amount("1.001", "KES")),
            annual_rate_min: Some("1%".to_owned()),
            annual_rate_max: Some("1.00001".to_owned()),
            installments_min: Some(0),
            installments_max: Some(-1),
            default_annual_rate: Some("1e2".to_owned()),
            default_installments: Some(0),
            every: Some(0),
            unit: None,
            conditions: ConditionsInput::default(),
        },
    };
    let expected = [
        problem(ProblemCode::InvalidFormat, "input.code"),
        problem(ProblemCode::Required, "input.name"),
        problem(ProblemCode::CurrencyMismatch, "input.principalMin.currency"),
        problem(ProblemCode::TooManyDecimals, "input.principalMax.amount"),
        problem(ProblemCode::InvalidFormat, "input.annualRateMin"),
        problem(ProblemCode::TooManyDecimals, "input.annualRateMax"),
        problem(ProblemCode::InvalidFormat, "input.defaultAnnualRate"),
        problem(ProblemCode::NumberOutOfRange, "input.installmentsMin"),
        problem(ProblemCode::NumberOutOfRange, "input.installmentsMax"),
        problem(ProblemCode::NumberOutOfRange, "input.defaultInstallments"),
        problem(ProblemCode::NumberOutOfRange, "input.every"),
    ];
    assert_eq!(refusals(world.services.create_loan_product(&admin(), &input).await), expected);

    let unknown = CreateLoanProduct { currency: "ZZZ".to_owned(), code: String::new(), ..new_product("X") };
    assert_eq!(
        refusals(world.services.create_loan_product(&admin(), &unknown).await),
        [problem(ProblemCode::Required, "input.code"), problem(ProblemCode::UnknownCurrency, "input.currency")]
    );
    assert_eq!(world.services.count_loan_products(&admin(), &Default::default()).await.unwrap(), 0);
}

async fn limits_and_defaults_must_make_sense_together(engine: Engine) {
    let world = World::new(engine).await;
    let made = world.product("STD").await;
    let cases = [
        (
            ProductTerms { principal_min: Some(amount("0", "KES")), ..terms() },
            vec![problem(ProblemCode::AmountOutOfRange, "input.principalMin")],
        ),
        (
            ProductTerms { principal_max: Some(amount("999", "KES")), ..terms() },
            vec![problem(ProblemCode::MaximumBelowMinimum, "input.principalMax")],
        ),
        (
            ProductTerms {
                annual_rate_min: Some("-1".to_owned()),
                annual_rate_max: Some("1001".to_owned()),
                ..terms()
            },
            vec![
                problem(ProblemCode::RateOutOfRange, "input.annualRateMin"),
                problem(ProblemCode::RateOutOfRange, "input.annualRateMax"),
            ],
        ),
        (
            ProductTerms { annual_rate_max: Some("12".to_owned()), installments_max: Some(1), ..terms() },
            vec![
                problem(ProblemCode::MaximumBelowMinimum, "input.annualRateMax"),
                problem(ProblemCode::MaximumBelowMinimum, "input.installmentsMax"),
            ],
        ),
        (
            ProductTerms { installments_max: Some(601), ..terms() },
            vec![problem(ProblemCode::NumberOutOfRange, "input.installmentsMax")],
        ),
        (
            ProductTerms { default_annual_rate: Some("40".to_owned()), default_installments: Some(25), ..terms() },
            vec![
                problem(ProblemCode::RateOutOfRange, "input.defaultAnnualRate"),
                problem(ProblemCode::NumberOutOfRange, "input.defaultInstallments"),
            ],
        ),
        (ProductTerms { every: Some(54), ..terms() }, vec![problem(ProblemCode::NumberOutOfRange, "input.every")]),
    ];
    for (terms, expected) in cases {
        let create = CreateLoanProduct { terms: terms.clone(), ..new_product("X") };
        assert_eq!(refusals(world.services.create_loan_product(&admin(), &create).await), expected, "{terms:?}");
        let change = UpdateLoanProduct { terms, ..product_change(made.id) };
        assert_eq!(refusals(world.services.update_loan_product(&admin(), &change).await), expected);
    }
    let read = world.services.loan_product(&admin(), &LoanProductKey::Id(made.id)).await.unwrap();
    assert_eq!(read, Some(made.into()));
}

async fn a_code_is_taken_once(engine: Engine) {
    let world = World::new(engine).await;
    world.product("STD").await;
    let again = world.services.create_loan_product(&admin(), &new_product("STD")).await;
    assert_eq!(refusal(again), problem(ProblemCode::AlreadyTaken, "input.code"));
}

async fn a_change_touches_what_it_names_and_leaves_loans_alone(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let loan = world.loan("k", &borrower, &product).await;
    let input = UpdateLoanProduct {
        name: Some("Renamed".to_owned()),
        terms: ProductTerms { principal_max: Some(amount("100", "KES")), ..ProductTerms::default() },
        expected_version: Some(1),
        ..product_change(product.id)
    };
    let changed = world.services.update_loan_product(&admin(), &input).await.unwrap();
    let mut expected = product.clone();
    expected.name = "Renamed".to_owned();
    expected.limits.principal_max = 10_000;
    expected.version = 2;
    assert_eq!(changed, expected);
    assert_eq!(world.services.loans_by_id(&admin(), &[loan.id]).await.unwrap(), [Some(loan.into())]);

    let outcome = world.services.update_loan_product(&admin(), &input).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::VersionConflict, "input.expectedVersion"));
    let blank = UpdateLoanProduct { name: Some(" ".to_owned()), ..product_change(product.id) };
    let outcome = world.services.update_loan_product(&admin(), &blank).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::Required, "input.name"));
    let outcome = world.services.update_loan_product(&admin(), &product_change(Uuid::from_u128(1))).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.loanProductId"));
}

async fn a_retired_product_is_not_offered(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let outcome = world.services.retire_loan_product(&admin(), product.id, Some(9)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::VersionConflict, "input.expectedVersion"));
    let outcome = world.services.retire_loan_product(&admin(), Uuid::from_u128(1), None).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.loanProductId"));
    let retired = world.services.retire_loan_product(&admin(), product.id, Some(1)).await.unwrap();
    assert_eq!((retired.status, retired.version), (LoanProductStatus::Retired, 2));
    assert_eq!(world.services.retire_loan_product(&admin(), product.id, None).await.unwrap(), retired);
    let outcome = world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::ProductRetired, "input.productId"));
}
