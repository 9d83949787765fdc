//! The conditions of a product, and the terms a loan takes from it, overrides and refuses.

use branch_loan_api::service::ServiceError;
use branch_loan_api::service::check::Change;
use branch_loan_api::service::conditions::{AllocationInput, ChargeInput, ConditionsInput, LateChargeInput};
use branch_loan_api::service::loan_products::{
    CreateLoanProduct, LoanProductKey, LoanProductRecord, ProductTerms, UpdateLoanProduct,
};
use branch_loan_api::service::loan_terms::TermsInput;
use branch_loan_api::service::loans::{ApplyForLoan, LoanKey};
use branch_loan_api::service::problem::{Detail, ProblemCode};
use branch_loan_api::store::StoreError;
use lending::loan::conditions::{
    AdvanceTo, Allocation, AllocationMode, AllocationRule, Amortization, Component, DayCount, EarlyPaymentRule,
    InterestMethod, InterestRecalculation, LevelOn, MonthEnd, NonWorkingDays, PayoffInterest, RuleDirection,
};
use lending::loan::{ChargeAmount, ChargeTerms, ChargeTiming, Conditions, LateCharge, PeriodUnit};
use sea_orm::ConnectionTrait;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve, new_product, product_change};
use crate::support::services::{World, admin, day, problem, problems, refusal, refusals};

both_engines!(
    a_product_without_conditions_has_the_usual_ones,
    a_product_keeps_every_condition,
    a_change_keeps_the_conditions_it_does_not_name_and_leaves_loans_alone,
    a_loan_takes_its_products_conditions,
    a_loan_overrides_what_it_names,
    a_loan_keeps_every_condition_through_its_life,
    rows_from_before_there_were_conditions_have_the_usual_ones,
    conditions_nobody_could_have_written_are_a_defect,
    every_condition_that_cannot_be_read_is_told_with_its_place,
    every_contradiction_is_told_with_its_place,
    a_grace_of_the_product_may_be_too_long_for_a_loan,
    what_stands_in_two_places_must_be_the_same,
    the_first_due_date_lies_after_the_application_and_not_too_far_off,
    charges_leave_something_to_pay_out,
    other_terms_are_another_application,
);

/// Rules in an order that is not the usual one.
fn rules() -> Vec<AllocationRule> {
    let mut rules = Allocation::usual_rules();
    rules.reverse();
    rules
}

/// Every condition, and none of them as usual.
fn unusual() -> (ConditionsInput, Conditions) {
    use Component::{Fee, Interest, Penalty, Principal};
    let given = ConditionsInput {
        interest_method: Some(InterestMethod::DecliningBalance),
        amortization: Some(Amortization::EqualPrincipal),
        day_count: Some(DayCount::ThirtyE360),
        level_on: Some(LevelOn::NominalPeriods),
        smooth_last: Some(true),
        installment_multiple: Change::Set(amount("10.00", "KES")),
        principal_grace: Some(1),
        interest_payment_grace: Some(2),
        interest_free_installments: Some(3),
        recalculation: Some(InterestRecalculation::DailyBalance),
        early_payment: Some(EarlyPaymentRule::ReduceTerm),
        payoff_interest: Some(PayoffInterest::ToPeriodEnd),
        early_closure_fee: Some(amount("150.50", "KES")),
        allocation: Some(AllocationInput {
            mode: Some(AllocationMode::Rules),
            order: Some(vec![Principal, Interest, Fee, Penalty]),
            advance_order: Some(vec![Interest, Principal, Penalty, Fee]),
            rules: Some(rules()),
            advance_to: Some(AdvanceTo::Reamortize),
            direction: Some(RuleDirection::ComponentFirst),
        }),
        month_end: Some(MonthEnd::NextMonth),
        non_working_days: Some(NonWorkingDays::Previous),
        interest_follows_moved_date: Some(true),
        arrears_grace_days: Some(5),
        default_after_days: Some(60),
        delinquency_buckets: Some(vec![0, 7, 30]),
        charges: Some(vec![
            ChargeInput {
                name: " Processing ".to_owned(),
                timing: ChargeTiming::UpfrontKept,
                amount: Some(amount("100.00", "KES")),
                share: None,
            },
            ChargeInput {
                name: "Insurance".to_owned(),
                timing: ChargeTiming::PerInstallment,
                amount: None,
                share: Some("0.25".to_owned()),
            },
        ]),
        late_charge: Change::Set(LateChargeInput {
            amount: None,
            share: Some("2".to_owned()),
            grace_days: Some(3),
            cap: Some(amount("500.00", "KES")),
        }),
    };
    let charge = |name: &str, timing, amount| ChargeTerms { name: name.to_owned(), timing, amount };
    let expected = Conditions {
        interest_method: InterestMethod::DecliningBalance,
        amortization: Amortization::EqualPrincipal,
        day_count: DayCount::ThirtyE360,
        level_on: LevelOn::NominalPeriods,
        smooth_last: true,
        installment_multiple: Some(1_000),
        principal_grace: 1,
        interest_payment_grace: 2,
        interest_free_installments: 3,
        recalculation: InterestRecalculation::DailyBalance,
        early_payment: EarlyPaymentRule::ReduceTerm,
        payoff_interest: PayoffInterest::ToPeriodEnd,
        early_closure_fee: 15_050,
        allocation: Allocation {
            mode: AllocationMode::Rules,
            order: vec![Principal, Interest, Fee, Penalty],
            advance_order: vec![Interest, Principal, Penalty, Fee],
            rules: rules(),
            advance_to: AdvanceTo::Reamortize,
            direction: RuleDirection::ComponentFirst,
        },
        month_end: MonthEnd::NextMonth,
        non_working_days: NonWorkingDays::Previous,
        interest_follows_moved_date: true,
        arrears_grace_days: 5,
        default_after_days: 60,
        delinquency_buckets: vec![0, 7, 30],
        charges: vec![
            charge("Processing", ChargeTiming::UpfrontKept, ChargeAmount::Flat(10_000)),
            charge("Insurance", ChargeTiming::PerInstallment, ChargeAmount::Share(2_500)),
        ],
        late_charge: Some(LateCharge { amount: ChargeAmount::Share(20_000), grace_days: 3, cap: Some(50_000) }),
    };
    (given, expected)
}

async fn product(world: &World, code: &str, conditions: ConditionsInput) -> LoanProductRecord {
    let terms = ProductTerms { conditions, ..ProductTerms::default() };
    let input = CreateLoanProduct { terms, ..new_product(code) };
    world.services.create_loan_product(&admin(), &input).await.unwrap()
}

fn terms(conditions: ConditionsInput) -> Option<TermsInput> {
    Some(TermsInput { conditions, ..TermsInput::default() })
}

async fn a_product_without_conditions_has_the_usual_ones(engine: Engine) {
    let world = World::new(engine).await;
    let made = world.product("STD").await;
    assert_eq!(made.conditions, Conditions::default());
    let read = world.services.loan_product(&admin(), &LoanProductKey::Id(made.id)).await.unwrap();
    assert_eq!(read, Some(made.into()));
}

async fn a_product_keeps_every_condition(engine: Engine) {
    let world = World::new(engine).await;
    let (given, expected) = unusual();
    let made = product(&world, "STD", given).await;
    assert_eq!(made.conditions, expected);
    let read = world.services.loan_product(&admin(), &LoanProductKey::Id(made.id)).await.unwrap();
    assert_eq!(read, Some(made.into()));
}

async fn a_change_keeps_the_conditions_it_does_not_name_and_leaves_loans_alone(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, _) = world.parties().await;
    let (given, expected) = unusual();
    let made = product(&world, "STD", given).await;
    let loan = world.loan("k", &borrower, &made).await;

    let renamed = UpdateLoanProduct { name: Some("New".to_owned()), ..product_change(made.id) };
    let renamed = world.services.update_loan_product(&admin(), &renamed).await.unwrap();
    assert_eq!(renamed.conditions, expected);

    let conditions = ConditionsInput {
        day_count: Some(DayCount::Actual365),
        allocation: Some(AllocationInput { mode: Some(AllocationMode::ByInstallment), ..AllocationInput::default() }),
        installment_multiple: Change::Clear,
        late_charge: Change::Clear,
        charges: Some(vec![]),
        ..ConditionsInput::default()
    };
    let change =
        UpdateLoanProduct { terms: ProductTerms { conditions, ..ProductTerms::default() }, ..product_change(made.id) };
    let changed = world.services.update_loan_product(&admin(), &change).await.unwrap();
    let mut different = expected.clone();
    different.day_count = DayCount::Actual365;
    different.allocation.mode = AllocationMode::ByInstallment;
    different.installment_multiple = None;
    different.late_charge = None;
    different.charges = vec![];
    assert_eq!(changed.conditions, different);
    let read = world.services.loan_product(&admin(), &LoanProductKey::Id(made.id)).await.unwrap();
    assert_eq!(read, Some(changed.into()));
    let untouched = world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap().unwrap();
    assert_eq!(untouched.terms.conditions, expected);
}

async fn a_loan_takes_its_products_conditions(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, _) = world.parties().await;
    let (given, expected) = unusual();
    let product = product(&world, "STD", given).await;
    let loan = world.loan("k", &borrower, &product).await;
    assert_eq!((&loan.terms.conditions, loan.terms.first_due_on), (&expected, None));
    let read = world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap();
    assert_eq!(read, Some(loan.into()));
}

async fn a_loan_overrides_what_it_names(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, _) = world.parties().await;
    let (given, expected) = unusual();
    let product = product(&world, "STD", given).await;
    let given = TermsInput {
        annual_rate: Some("18.5".to_owned()),
        installments: Some(10),
        every: Some(2),
        unit: Some(PeriodUnit::Week),
        first_due_on: Some(day("2026-02-20")),
        conditions: ConditionsInput {
            amortization: Some(Amortization::EqualInstallments),
            installment_multiple: Change::Clear,
            principal_grace: Some(0),
            allocation: Some(AllocationInput { order: Some(Allocation::USUAL.to_vec()), ..AllocationInput::default() }),
            late_charge: Change::Clear,
            ..ConditionsInput::default()
        },
    };
    let input = ApplyForLoan { terms: Some(given), ..application("k", &borrower, &product) };
    let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    let terms = &loan.terms;
    assert_eq!((terms.annual_rate.ppm(), terms.installments), (185_000, 10));
    assert_eq!((terms.every, terms.unit, terms.first_due_on), (2, PeriodUnit::Week, Some(day("2026-02-20"))));
    let mut different = expected;
    different.amortization = Amortization::EqualInstallments;
    different.installment_multiple = None;
    different.principal_grace = 0;
    different.allocation.order = Allocation::USUAL.to_vec();
    different.late_charge = None;
    assert_eq!(terms.conditions, different);
    let read = world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap();
    assert_eq!(read, Some(loan.into()));
}

async fn a_loan_keeps_every_condition_through_its_life(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let (given, expected) = unusual();
    let given = TermsInput { first_due_on: Some(day("2026-03-01")), conditions: given, ..TermsInput::default() };
    let input = ApplyForLoan { terms: Some(given), ..application("k", &borrower, &product) };
    let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    assert_eq!(loan.terms.conditions, expected);
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
    let read = world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap().unwrap();
    assert_eq!(read.terms, loan.terms);
}

async fn rows_from_before_there_were_conditions_have_the_usual_ones(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, _) = world.parties().await;
    let (given, _) = unusual();
    let product = product(&world, "STD", given).await;
    let loan = world.loan("k", &borrower, &product).await;
    let raw = world.engine.raw().await;
    for table in ["loan_products", "loans"] {
        raw.execute_unprepared(&format!("UPDATE {table} SET conditions = '{{}}'")).await.unwrap();
    }
    let read = world.services.loan_product(&admin(), &LoanProductKey::Id(product.id)).await.unwrap().unwrap();
    assert_eq!(read.conditions, Conditions::default());
    let read = world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap().unwrap();
    assert_eq!((read.terms.conditions.clone(), read.terms.first_due_on), (Conditions::default(), None));
}

async fn conditions_nobody_could_have_written_are_a_defect(engine: Engine) {
    let world = World::new(engine).await;
    let product = world.product("STD").await;
    let raw = world.engine.raw().await;
    raw.execute_unprepared("UPDATE loan_products SET conditions = '{\"dayCount\":\"LUNAR\"}'").await.unwrap();
    let error = world.services.loan_product(&admin(), &LoanProductKey::Id(product.id)).await.unwrap_err();
    assert!(matches!(error, ServiceError::Internal(StoreError::Corrupt(_))), "{error:?}");
}

fn charge(amount: Option<(&str, &str)>, share: Option<&str>) -> ChargeInput {
    ChargeInput {
        name: "Fee".to_owned(),
        timing: ChargeTiming::UpfrontPaid,
        amount: amount.map(|(digits, currency)| crate::support::inputs::amount(digits, currency)),
        share: share.map(str::to_owned),
    }
}

async fn every_condition_that_cannot_be_read_is_told_with_its_place(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let conditions = ConditionsInput {
        installment_multiple: Change::Set(amount("0.001", "KES")),
        principal_grace: Some(-1),
        interest_payment_grace: Some(601),
        interest_free_installments: Some(i32::MIN),
        early_closure_fee: Some(amount("1", "USD")),
        arrears_grace_days: Some(3_651),
        default_after_days: Some(-90),
        delinquency_buckets: Some(vec![0, -1, 30]),
        charges: Some(vec![
            charge(Some(("0", "KES")), None),
            charge(Some(("5", "USD")), None),
            charge(None, Some("0")),
            charge(None, Some("100.0001")),
            charge(None, None),
            charge(Some(("1", "KES")), Some("1")),
            ChargeInput { name: " ".to_owned(), ..charge(None, Some("1")) },
        ]),
        late_charge: Change::Set(LateChargeInput {
            amount: None,
            share: Some("1%".to_owned()),
            grace_days: Some(-1),
            cap: Some(amount("0", "KES")),
        }),
        ..ConditionsInput::default()
    };
    use ProblemCode::{
        AmountOutOfRange, Contradiction, CurrencyMismatch, InvalidFormat, NumberOutOfRange, RateOutOfRange, Required,
        TooManyDecimals,
    };
    let expected = [
        (TooManyDecimals, "installmentMultiple.amount"),
        (NumberOutOfRange, "principalGrace"),
        (NumberOutOfRange, "interestPaymentGrace"),
        (NumberOutOfRange, "interestFreeInstallments"),
        (CurrencyMismatch, "earlyClosureFee.currency"),
        (NumberOutOfRange, "arrearsGraceDays"),
        (NumberOutOfRange, "defaultAfterDays"),
        (NumberOutOfRange, "delinquencyBuckets.1"),
        (AmountOutOfRange, "charges.0.amount.amount"),
        (CurrencyMismatch, "charges.1.amount.currency"),
        (RateOutOfRange, "charges.2.share"),
        (RateOutOfRange, "charges.3.share"),
        (Required, "charges.4.amount"),
        (Contradiction, "charges.5.share"),
        (Required, "charges.6.name"),
        (InvalidFormat, "lateCharge.share"),
        (NumberOutOfRange, "lateCharge.graceDays"),
        (AmountOutOfRange, "lateCharge.cap.amount"),
    ]
    .map(|(code, path)| problem(code, &format!("input.terms.{path}")));
    let input = ApplyForLoan { terms: terms(conditions.clone()), ..application("k", &borrower, &product) };
    assert_eq!(refusals(world.services.apply_for_loan(&admin(), &input).await), expected);
    let terms = ProductTerms { conditions, ..ProductTerms::default() };
    let input = CreateLoanProduct { terms, ..new_product("P2") };
    assert_eq!(refusals(world.services.create_loan_product(&admin(), &input).await), expected);
    assert_eq!(world.services.count_loans(&admin(), &Default::default()).await.unwrap(), 0);

    let many = ConditionsInput {
        delinquency_buckets: Some((0..21).collect()),
        charges: Some(vec![charge(None, Some("1")); 21]),
        ..ConditionsInput::default()
    };
    let input = ApplyForLoan { terms: self::terms(many), ..application("k", &borrower, &product) };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &input).await),
        ["delinquencyBuckets", "charges"].map(|path| problem(ProblemCode::TooLong, &format!("input.terms.{path}")))
    );
}

async fn every_contradiction_is_told_with_its_place(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let none = ConditionsInput::default;
    let allocation = |allocation| ConditionsInput { allocation: Some(allocation), ..none() };
    let order = || Some(vec![Component::Fee, Component::Fee, Component::Interest]);
    let eleven = Allocation::usual_rules().into_iter().skip(1).collect();
    use ProblemCode::{AmountOutOfRange, Contradiction, IncompleteList, InvalidFormat, NumberOutOfRange};
    let cases = [
        (
            allocation(AllocationInput { order: order(), ..Default::default() }),
            (IncompleteList, "allocation.order"),
            Some("Missing: PENALTY, PRINCIPAL. More than once: FEE."),
        ),
        (
            allocation(AllocationInput { advance_order: order(), ..Default::default() }),
            (IncompleteList, "allocation.advanceOrder"),
            Some("Missing: PENALTY, PRINCIPAL. More than once: FEE."),
        ),
        (
            allocation(AllocationInput {
                mode: Some(AllocationMode::Rules),
                rules: Some(eleven),
                ..Default::default()
            }),
            (IncompleteList, "allocation.rules"),
            Some("Missing: PAST_DUE PENALTY."),
        ),
        (ConditionsInput { principal_grace: Some(12), ..none() }, (NumberOutOfRange, "principalGrace"), None),
        (
            ConditionsInput { interest_payment_grace: Some(12), ..none() },
            (NumberOutOfRange, "interestPaymentGrace"),
            None,
        ),
        (
            ConditionsInput { interest_free_installments: Some(13), ..none() },
            (NumberOutOfRange, "interestFreeInstallments"),
            None,
        ),
        (
            ConditionsInput { installment_multiple: Change::Set(amount("0", "KES")), ..none() },
            (AmountOutOfRange, "installmentMultiple.amount"),
            Some("0.01"),
        ),
        (
            ConditionsInput { installment_multiple: Change::Set(amount("50000.01", "KES")), ..none() },
            (AmountOutOfRange, "installmentMultiple.amount"),
            None,
        ),
        (
            ConditionsInput { early_closure_fee: Some(amount("-0.01", "KES")), ..none() },
            (AmountOutOfRange, "earlyClosureFee.amount"),
            Some("0.00"),
        ),
        (ConditionsInput { default_after_days: Some(0), ..none() }, (NumberOutOfRange, "defaultAfterDays"), None),
        (
            ConditionsInput { delinquency_buckets: Some(vec![0, 30, 30]), ..none() },
            (InvalidFormat, "delinquencyBuckets"),
            None,
        ),
        (
            ConditionsInput {
                interest_method: Some(InterestMethod::Flat),
                recalculation: Some(InterestRecalculation::DailyBalance),
                ..none()
            },
            (Contradiction, "recalculation"),
            None,
        ),
    ];
    for (conditions, (code, path), said) in cases {
        let expected = [problem(code, &format!("input.terms.{path}"))];
        let input = ApplyForLoan { terms: terms(conditions.clone()), ..application("k", &borrower, &product) };
        let found = problems(world.services.apply_for_loan(&admin(), &input).await);
        assert!(said.is_none_or(|said| found[0].message.contains(said)), "{found:?}");
        assert_eq!(refusals(world.services.apply_for_loan(&admin(), &input).await), expected);
        let terms = ProductTerms { conditions, ..ProductTerms::default() };
        let input = CreateLoanProduct { terms: terms.clone(), ..new_product("P2") };
        assert_eq!(refusals(world.services.create_loan_product(&admin(), &input).await), expected);
        let input = UpdateLoanProduct { terms, ..product_change(product.id) };
        assert_eq!(refusals(world.services.update_loan_product(&admin(), &input).await), expected);
    }
    // All of the interest may be free, and any number of buckets may do, none included.
    let fine = ConditionsInput {
        interest_free_installments: Some(12),
        principal_grace: Some(11),
        delinquency_buckets: Some(vec![]),
        ..none()
    };
    let input = ApplyForLoan { terms: terms(fine), ..application("k", &borrower, &product) };
    world.services.apply_for_loan(&admin(), &input).await.unwrap();
}

async fn a_grace_of_the_product_may_be_too_long_for_a_loan(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, _) = world.parties().await;
    let graceful = ConditionsInput {
        principal_grace: Some(6),
        recalculation: Some(InterestRecalculation::DailyBalance),
        ..ConditionsInput::default()
    };
    let product = product(&world, "GRACE", graceful).await;
    let base = application("k", &borrower, &product);
    let short = ApplyForLoan { installments: Some(6), ..base.clone() };
    let expected = problem(ProblemCode::NumberOutOfRange, "input.installments");
    assert_eq!(refusal(world.services.apply_for_loan(&admin(), &short).await), expected);
    let within = TermsInput { installments: Some(6), ..TermsInput::default() };
    let short = ApplyForLoan { terms: Some(within), ..base.clone() };
    let expected = problem(ProblemCode::NumberOutOfRange, "input.terms.installments");
    assert_eq!(refusal(world.services.apply_for_loan(&admin(), &short).await), expected);
    // What the loan chose itself is what it must mend.
    let flat = ConditionsInput { interest_method: Some(InterestMethod::Flat), ..ConditionsInput::default() };
    let flat = ApplyForLoan { terms: terms(flat), ..base };
    let expected = problem(ProblemCode::Contradiction, "input.terms.interestMethod");
    assert_eq!(refusal(world.services.apply_for_loan(&admin(), &flat).await), expected);
    // And a product must leave room for a loan of its default installments.
    let fewer = ProductTerms { default_installments: Some(6), ..ProductTerms::default() };
    let fewer = UpdateLoanProduct { terms: fewer, ..product_change(product.id) };
    let expected = problem(ProblemCode::NumberOutOfRange, "input.defaultInstallments");
    assert_eq!(refusal(world.services.update_loan_product(&admin(), &fewer).await), expected);
}

async fn what_stands_in_two_places_must_be_the_same(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let input = |rate: &str, installments| ApplyForLoan {
        annual_rate: Some("28.5".to_owned()),
        installments: Some(6),
        terms: Some(TermsInput {
            annual_rate: Some(rate.to_owned()),
            installments: Some(installments),
            ..TermsInput::default()
        }),
        ..application("k", &borrower, &product)
    };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &input("28.4", 7)).await),
        [
            problem(ProblemCode::Contradiction, "input.terms.annualRate"),
            problem(ProblemCode::Contradiction, "input.terms.installments"),
        ]
    );
    let loan = world.services.apply_for_loan(&admin(), &input("28.50", 6)).await.unwrap().loan;
    assert_eq!((loan.terms.annual_rate.ppm(), loan.terms.installments), (285_000, 6));

    let beyond = TermsInput {
        annual_rate: Some("100.0001".to_owned()),
        installments: Some(601),
        every: Some(13),
        ..TermsInput::default()
    };
    let beyond = ApplyForLoan { terms: Some(beyond), ..application("k2", &borrower, &product) };
    assert_eq!(
        refusals(world.services.apply_for_loan(&admin(), &beyond).await),
        [
            problem(ProblemCode::RateOutOfRange, "input.terms.annualRate"),
            problem(ProblemCode::NumberOutOfRange, "input.terms.installments"),
            problem(ProblemCode::NumberOutOfRange, "input.terms.every"),
        ]
    );
}

async fn the_first_due_date_lies_after_the_application_and_not_too_far_off(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let input = |key: &str, date: &str| ApplyForLoan {
        applied_on: Some(day("2026-01-10")),
        terms: Some(TermsInput { first_due_on: Some(day(date)), ..TermsInput::default() }),
        ..application(key, &borrower, &product)
    };
    for (key, date) in [("a", "2026-01-11"), ("b", "2028-01-10")] {
        let loan = world.services.apply_for_loan(&admin(), &input(key, date)).await.unwrap().loan;
        assert_eq!(loan.terms.first_due_on, Some(day(date)));
    }
    for date in ["2026-01-10", "2025-12-31", "2028-01-11", "9999-12-31"] {
        let found = problems(world.services.apply_for_loan(&admin(), &input("c", date)).await);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].code, found[0].path.join(".")),
            problem(ProblemCode::DateOutOfRange, "input.terms.firstDueOn")
        );
        let limits = Detail::Date { earliest: Some(day("2026-01-11")), latest: Some(day("2028-01-10")) };
        assert_eq!(found[0].detail, limits);
    }
}

async fn charges_leave_something_to_pay_out(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, plain) = world.parties().await;
    let kept = |digits: &str, share: &str| {
        let kept = |charge| ChargeInput { timing: ChargeTiming::UpfrontKept, ..charge };
        ConditionsInput {
            charges: Some(vec![kept(charge(Some((digits, "KES")), None)), kept(charge(None, Some(share)))]),
            ..ConditionsInput::default()
        }
    };
    // Of 12,500.00 half is kept, and nearly as much again.
    let input =
        |key: &str, digits| ApplyForLoan { terms: terms(kept(digits, "50")), ..application(key, &borrower, &plain) };
    let expected = problem(ProblemCode::AmountOutOfRange, "input.terms.charges");
    assert_eq!(refusal(world.services.apply_for_loan(&admin(), &input("k", "6250.00")).await), expected);
    world.services.apply_for_loan(&admin(), &input("k", "6249.99")).await.unwrap();

    let product = product(&world, "KEEPS", kept("100", "50")).await;
    let small = ApplyForLoan { principal: amount("200", "KES"), ..application("s", &borrower, &product) };
    let expected = problem(ProblemCode::AmountOutOfRange, "input.principal.amount");
    assert_eq!(refusal(world.services.apply_for_loan(&admin(), &small).await), expected);
}

async fn other_terms_are_another_application(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let input = |given: ConditionsInput| ApplyForLoan { terms: terms(given), ..application("k", &borrower, &product) };
    let (given, _) = unusual();
    let first = world.services.apply_for_loan(&admin(), &input(given.clone())).await.unwrap();
    let again = world.services.apply_for_loan(&admin(), &input(given.clone())).await.unwrap();
    assert_eq!((again.loan, again.replayed), (first.loan, true));
    let other = input(ConditionsInput { smooth_last: Some(false), ..given });
    let expected = problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey");
    assert_eq!(refusal(world.services.apply_for_loan(&admin(), &other).await), expected);
}
