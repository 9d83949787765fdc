use lending::loan::limits::{HIGHEST_RATE, MOST_INSTALLMENTS};
use lending::loan::{Field, LimitsField, LimitsViolation, LoanTerms, PeriodUnit, ProductLimits, TermsViolation};
use lending::money::Money;
use lending::rate::Rate;
use proptest::prelude::*;

use crate::{currency, money, thorough};

/// A product in KES: 1,000 to 20,000, 12 to 36 %, 3 to 24 installments.
fn product() -> ProductLimits {
    ProductLimits {
        currency: currency("KES"),
        principal_min: 100_000,
        principal_max: 2_000_000,
        rate_min_ppm: 120_000,
        rate_max_ppm: 360_000,
        installments_min: 3,
        installments_max: 24,
    }
}

/// 12,500.00 KES at 28 % in six monthly installments.
fn terms() -> LoanTerms {
    LoanTerms {
        principal: money("12500.00", "KES"),
        annual_rate: Rate::parse_percent("28").unwrap(),
        installments: 6,
        every: 1,
        unit: PeriodUnit::Month,
        first_due_on: None,
        conditions: lending::loan::Conditions::default(),
    }
}

#[test]
fn terms_within_the_limits_pass_bounds_included() {
    assert_eq!(product().check(&terms()), []);
    for (principal, percent, installments) in [("1000", "12", 3), ("20000", "36", 24)] {
        let annual_rate = Rate::parse_percent(percent).unwrap();
        let terms = LoanTerms { principal: money(principal, "KES"), annual_rate, installments, ..terms() };
        assert_eq!(product().check(&terms), []);
    }
}

#[test]
fn each_field_just_outside_is_named_with_its_limits() {
    let principal = TermsViolation::PrincipalOutOfRange { min: money("1000", "KES"), max: money("20000", "KES") };
    for amount in ["999.99", "20000.01", "0", "-5000"] {
        assert_eq!(product().check(&LoanTerms { principal: money(amount, "KES"), ..terms() }), [principal]);
    }
    let (min, max) = (Rate::from_ppm(120_000), Rate::from_ppm(360_000));
    for ppm in [119_999, 360_001, -1] {
        let terms = LoanTerms { annual_rate: Rate::from_ppm(ppm), ..terms() };
        assert_eq!(product().check(&terms), [TermsViolation::AnnualRateOutOfRange { min, max }]);
    }
    for installments in [0, 2, 25] {
        let found = product().check(&LoanTerms { installments, ..terms() });
        assert_eq!(found, [TermsViolation::InstallmentsOutOfRange { min: 3, max: 24 }]);
    }
}

#[test]
fn installments_fall_due_at_least_once_a_year() {
    for (unit, longest) in [(PeriodUnit::Day, 366), (PeriodUnit::Week, 53), (PeriodUnit::Month, 12)] {
        for every in [1, longest] {
            assert_eq!(product().check(&LoanTerms { every, unit, ..terms() }), []);
        }
        for every in [0, longest + 1, u32::MAX] {
            let found = product().check(&LoanTerms { every, unit, ..terms() });
            assert_eq!(found, [TermsViolation::EveryOutOfRange { min: 1, max: longest, unit }]);
        }
    }
}

#[test]
fn another_currency_is_named_and_its_amount_not_compared() {
    let found = product().check(&LoanTerms { principal: money("1", "VND"), ..terms() });
    assert_eq!(found, [TermsViolation::CurrencyMismatch { expected: currency("KES"), given: currency("VND") }]);
}

#[test]
fn every_violation_is_reported_at_once() {
    let broken =
        LoanTerms { principal: money("0", "KES"), annual_rate: Rate::ZERO, installments: 0, every: 0, ..terms() };
    let found = product().check(&broken);
    let fields: Vec<Field> = found.iter().map(|violation| violation.field()).collect();
    assert_eq!(fields, [Field::Principal, Field::AnnualRate, Field::Installments, Field::Every]);
    let codes: Vec<&str> = found.iter().map(|violation| violation.code()).collect();
    assert_eq!(
        codes,
        ["PRINCIPAL_OUT_OF_RANGE", "ANNUAL_RATE_OUT_OF_RANGE", "INSTALLMENTS_OUT_OF_RANGE", "EVERY_OUT_OF_RANGE"]
    );
    let sentences: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "Choose a principal from 1000.00 KES to 20000.00 KES.",
            "Choose an annual rate from 12 % to 36 %.",
            "Choose a number of installments from 3 to 24.",
            "Let an installment fall due every 1 to 12 months.",
        ]
    );
}

#[test]
fn the_default_product_lends_up_to_fifty_thousand() {
    for (code, largest, too_large) in
        [("KES", "50000.00", "50000.01"), ("VND", "50000", "50001"), ("BHD", "50000", "50000.001")]
    {
        let limits = ProductLimits::default_for(currency(code));
        assert_eq!(limits.validate(), Ok(()));
        let with = |amount: &str| limits.check(&LoanTerms { principal: money(amount, code), ..terms() });
        assert_eq!(with(largest), []);
        assert_eq!(with("1"), []);
        assert_eq!(limits.check(&LoanTerms { principal: Money::smallest(currency(code)), ..terms() }), []);
        assert_eq!(with(too_large).len(), 1);
        assert_eq!(with("0").len(), 1);
    }
    let limits = ProductLimits::default_for(currency("KES"));
    let with_rate = |percent: &str| {
        limits.check(&LoanTerms { annual_rate: Rate::parse_percent(percent).unwrap(), ..terms() }).len()
    };
    assert_eq!([with_rate("0"), with_rate("100"), with_rate("100.0001"), with_rate("-0.0001")], [0, 0, 1, 1]);
    let with_count = |installments| limits.check(&LoanTerms { installments, ..terms() }).len();
    assert_eq!([with_count(0), with_count(1), with_count(MOST_INSTALLMENTS), with_count(601)], [1, 0, 0, 1]);
}

#[test]
fn limits_that_make_sense_pass() {
    assert_eq!(product().validate(), Ok(()));
    let narrow = ProductLimits { principal_max: 100_000, rate_max_ppm: 120_000, installments_max: 3, ..product() };
    assert_eq!(narrow.validate(), Ok(()));
    let short_term = ProductLimits { rate_max_ppm: HIGHEST_RATE.ppm(), ..product() };
    assert_eq!(short_term.validate(), Ok(()));
}

#[test]
fn each_senseless_limit_is_named() {
    let (zero, highest) = (Rate::ZERO, HIGHEST_RATE);
    let rate = |field| LimitsViolation::RateOutOfRange { field, min: zero, max: highest };
    let count = |field| LimitsViolation::InstallmentsOutOfRange { field, min: 1, max: 600 };
    let below = |field| LimitsViolation::MaxBelowMin { field };
    let not_positive = LimitsViolation::PrincipalNotPositive { min: money("0.01", "KES") };
    for (limits, expected) in [
        (ProductLimits { principal_min: 0, ..product() }, not_positive),
        (ProductLimits { principal_min: -1, ..product() }, not_positive),
        (ProductLimits { principal_max: 99_999, ..product() }, below(LimitsField::PrincipalMax)),
        (ProductLimits { rate_min_ppm: -1, ..product() }, rate(LimitsField::RateMin)),
        (ProductLimits { rate_max_ppm: 10_000_001, ..product() }, rate(LimitsField::RateMax)),
        (ProductLimits { rate_max_ppm: 119_999, ..product() }, below(LimitsField::RateMax)),
        (ProductLimits { installments_min: 0, ..product() }, count(LimitsField::InstallmentsMin)),
        (ProductLimits { installments_max: 601, ..product() }, count(LimitsField::InstallmentsMax)),
        (ProductLimits { installments_max: 2, ..product() }, below(LimitsField::InstallmentsMax)),
    ] {
        assert_eq!(limits.validate(), Err(vec![expected]), "{limits:?}");
    }
}

#[test]
fn every_senseless_limit_is_reported_at_once() {
    let limits = ProductLimits {
        principal_min: 0,
        principal_max: -1,
        rate_min_ppm: 20_000_000,
        rate_max_ppm: -1,
        installments_min: 700,
        installments_max: 0,
        ..product()
    };
    let found = limits.validate().unwrap_err();
    let named: Vec<_> = found.iter().map(|violation| (violation.field(), violation.code())).collect();
    assert_eq!(
        named,
        [
            (LimitsField::PrincipalMin, "PRINCIPAL_NOT_POSITIVE"),
            (LimitsField::PrincipalMax, "MAX_BELOW_MIN"),
            (LimitsField::RateMin, "ANNUAL_RATE_OUT_OF_RANGE"),
            (LimitsField::RateMax, "ANNUAL_RATE_OUT_OF_RANGE"),
            (LimitsField::RateMax, "MAX_BELOW_MIN"),
            (LimitsField::InstallmentsMin, "INSTALLMENTS_OUT_OF_RANGE"),
            (LimitsField::InstallmentsMax, "INSTALLMENTS_OUT_OF_RANGE"),
            (LimitsField::InstallmentsMax, "MAX_BELOW_MIN"),
        ]
    );
}

#[test]
fn units_read_back_by_name() {
    for unit in PeriodUnit::ALL {
        assert_eq!(PeriodUnit::parse(unit.as_str()), Some(unit));
    }
    assert_eq!(PeriodUnit::parse("month"), None);
    assert_eq!(PeriodUnit::parse("YEAR"), None);
}

fn any_limits() -> impl Strategy<Value = ProductLimits> {
    (1..100_i64, 0..100_i64, 0..50_i64, 0..50_i64, 1..30_u32, 0..30_u32).prop_map(|(a, b, c, d, e, f)| ProductLimits {
        currency: currency("KES"),
        principal_min: a,
        principal_max: a + b,
        rate_min_ppm: c,
        rate_max_ppm: c + d,
        installments_min: e,
        installments_max: e + f,
    })
}

fn any_terms() -> impl Strategy<Value = LoanTerms> {
    let unit = prop_oneof![Just(PeriodUnit::Day), Just(PeriodUnit::Week), Just(PeriodUnit::Month)];
    let code = prop_oneof![4 => Just("KES"), 1 => Just("VND")];
    (-10..220_i64, code, -10..120_i64, 0..70_u32, 0..400_u32, unit).prop_map(
        |(minor, code, ppm, installments, every, unit)| LoanTerms {
            principal: Money::new(minor, currency(code)),
            annual_rate: Rate::from_ppm(ppm),
            installments,
            every,
            unit,
            first_due_on: None,
            conditions: lending::loan::Conditions::default(),
        },
    )
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_field_is_reported_exactly_when_it_is_out_of_its_limits(limits in any_limits(), terms in any_terms()) {
        prop_assert_eq!(limits.validate(), Ok(()));
        let same_currency = terms.principal.currency() == limits.currency;
        let minor = terms.principal.minor();
        let ppm = terms.annual_rate.ppm();
        let year = match terms.unit { PeriodUnit::Day => 366, PeriodUnit::Week => 53, PeriodUnit::Month => 12 };
        let expected: Vec<Field> = [
            (!same_currency, Field::Currency),
            (same_currency && (minor < limits.principal_min || minor > limits.principal_max), Field::Principal),
            (ppm < limits.rate_min_ppm || ppm > limits.rate_max_ppm, Field::AnnualRate),
            (
                terms.installments < limits.installments_min || terms.installments > limits.installments_max,
                Field::Installments,
            ),
            (terms.every == 0 || terms.every > year, Field::Every),
        ].into_iter().filter_map(|(broken, field)| broken.then_some(field)).collect();
        let found: Vec<Field> = limits.check(&terms).iter().map(|violation| violation.field()).collect();
        prop_assert_eq!(found, expected);
    }
}
