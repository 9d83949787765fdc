use std::cmp::Ordering;

use lending::money::{AmountError, Currency, Money, MoneyError};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::value::{Error as ValueError, MapDeserializer};

use crate::{currency, money, thorough};

fn parse(text: &str, code: &str) -> Result<i64, AmountError> {
    Money::parse_amount(text, currency(code)).map(Money::minor)
}

#[test]
fn plain_decimals_become_minor_units() {
    assert_eq!(parse("12500.00", "KES"), Ok(1_250_000));
    assert_eq!(parse("12500.5", "KES"), Ok(1_250_050));
    assert_eq!(parse("12500", "KES"), Ok(1_250_000));
    assert_eq!(parse("0.01", "KES"), Ok(1));
    assert_eq!(parse("-0.01", "KES"), Ok(-1));
    assert_eq!(parse("-0", "KES"), Ok(0));
    assert_eq!(parse("007", "KES"), Ok(700));
    assert_eq!(parse("8400", "VND"), Ok(8_400));
    assert_eq!(parse("1.234", "BHD"), Ok(1_234));
    assert_eq!(parse("1.2", "BHD"), Ok(1_200));
}

#[test]
fn other_notations_are_malformed() {
    for text in [
        "",
        "-",
        "+1",
        "--1",
        "1-",
        ".5",
        "5.",
        ".",
        "-.5",
        "-5.",
        "1.2.3",
        "1..2",
        "1e3",
        "1E3",
        "1,000",
        "1_000",
        " 1",
        "1 ",
        "1 000",
        "\t1",
        "1\n",
        "0x10",
        "NaN",
        "inf",
        "١٢",
        "１２",
        "1\u{2212}",
        "1.+5",
        "1.-5",
        "KES 1",
    ] {
        assert_eq!(parse(text, "KES"), Err(AmountError::Malformed), "{text:?}");
    }
}

#[test]
fn surplus_decimals_are_refused_never_rounded() {
    for (text, code) in [("1.001", "KES"), ("1.000", "KES"), ("8400.0", "VND"), ("8400.00", "VND"), ("1.2345", "BHD")] {
        let expected = AmountError::TooManyDecimals { currency: currency(code) };
        assert_eq!(parse(text, code), Err(expected), "{text} {code}");
    }
}

#[test]
fn sixty_four_bits_are_the_limit() {
    assert_eq!(parse("92233720368547758.07", "KES"), Ok(i64::MAX));
    assert_eq!(parse("92233720368547758.08", "KES"), Err(AmountError::Overflow));
    assert_eq!(parse("-92233720368547758.08", "KES"), Ok(i64::MIN));
    assert_eq!(parse("-92233720368547758.09", "KES"), Err(AmountError::Overflow));
    assert_eq!(parse("92233720368547759", "KES"), Err(AmountError::Overflow));
    assert_eq!(parse(&"9".repeat(10_000), "KES"), Err(AmountError::Overflow));
    assert_eq!(parse(&"0".repeat(10_000), "KES"), Ok(0));
}

#[test]
fn amounts_print_with_exactly_their_decimals() {
    assert_eq!(money("12500", "KES").to_decimal_string(), "12500.00");
    assert_eq!(money("8400", "VND").to_decimal_string(), "8400");
    assert_eq!(money("1.234", "BHD").to_decimal_string(), "1.234");
    assert_eq!(Money::new(5, currency("KES")).to_decimal_string(), "0.05");
    assert_eq!(Money::new(-5, currency("BHD")).to_decimal_string(), "-0.005");
    assert_eq!(Money::zero(currency("KES")).to_decimal_string(), "0.00");
    assert_eq!(Money::zero(currency("VND")).to_decimal_string(), "0");
    assert_eq!(Money::new(i64::MIN, currency("KES")).to_decimal_string(), "-92233720368547758.08");
    assert_eq!(money("12500", "KES").to_string(), "12500.00 KES");
    assert_eq!(format!("{:?}", money("12500", "KES")), "Money(12500.00 KES)");
}

#[test]
fn major_units_scale_by_currency() {
    assert_eq!(Money::from_major(50_000, currency("KES")), Ok(money("50000.00", "KES")));
    assert_eq!(Money::from_major(50_000, currency("VND")), Ok(money("50000", "VND")));
    assert_eq!(Money::from_major(-2, currency("BHD")), Ok(money("-2.000", "BHD")));
    assert_eq!(Money::from_major(i64::MAX, currency("KES")), Err(MoneyError::Overflow));
    assert_eq!(Money::from_major(i64::MAX, currency("VND")), Ok(Money::new(i64::MAX, currency("VND"))));
}

#[test]
fn arithmetic_is_exact() {
    let (a, b) = (money("0.10", "KES"), money("0.20", "KES"));
    assert_eq!(a.checked_add(b), Ok(money("0.30", "KES")));
    assert_eq!(a.checked_sub(b), Ok(money("-0.10", "KES")));
    assert_eq!(a.checked_neg(), Ok(money("-0.10", "KES")));
    assert_eq!(a.try_cmp(b), Ok(Ordering::Less));
    assert!(a.is_positive() && !a.is_negative() && !a.is_zero());
    assert!(Money::zero(currency("KES")).is_zero() && !Money::zero(currency("KES")).is_positive());
    assert!(money("-1", "KES").is_negative() && !Money::zero(currency("KES")).is_negative());
    assert_eq!(Money::smallest(currency("KES")), money("0.01", "KES"));
}

#[test]
fn overflow_is_an_error() {
    let (max, min) = (Money::new(i64::MAX, currency("KES")), Money::new(i64::MIN, currency("KES")));
    let cent = Money::smallest(currency("KES"));
    assert_eq!(max.checked_add(cent), Err(MoneyError::Overflow));
    assert_eq!(min.checked_sub(cent), Err(MoneyError::Overflow));
    assert_eq!(min.checked_neg(), Err(MoneyError::Overflow));
}

#[test]
fn currencies_never_mix() {
    let (kes, usd) = (money("1", "KES"), money("1", "USD"));
    let mismatch = MoneyError::CurrencyMismatch { expected: currency("KES"), given: currency("USD") };
    assert_eq!(kes.checked_add(usd), Err(mismatch));
    assert_eq!(kes.checked_sub(usd), Err(mismatch));
    assert_eq!(kes.try_cmp(usd), Err(mismatch));
    assert_ne!(kes, usd);
    assert_eq!(mismatch.to_string(), "Use KES here, not USD.");
}

#[test]
fn refusals_have_codes_and_say_what_to_do() {
    assert_eq!(AmountError::Malformed.code(), "INVALID_AMOUNT");
    assert_eq!(AmountError::Overflow.code(), "AMOUNT_OVERFLOW");
    let decimals = AmountError::TooManyDecimals { currency: currency("KES") };
    assert_eq!(decimals.code(), "TOO_MANY_DECIMALS");
    assert_eq!(decimals.to_string(), "Amounts in KES have at most 2 decimals; send the exact amount.");
    assert_eq!(MoneyError::Overflow.code(), "AMOUNT_OVERFLOW");
    let mismatch = MoneyError::CurrencyMismatch { expected: currency("KES"), given: currency("USD") };
    assert_eq!(mismatch.code(), "CURRENCY_MISMATCH");
}

#[test]
fn serde_reads_text_and_refuses_what_parse_refuses() {
    let read = |fields: &[(&'static str, &'static str)]| {
        Money::deserialize(MapDeserializer::<_, ValueError>::new(fields.iter().copied()))
    };
    assert_eq!(read(&[("amount", "12500.00"), ("currency", "KES")]), Ok(money("12500", "KES")));
    assert!(read(&[("amount", "1.001"), ("currency", "KES")]).is_err());
    assert!(read(&[("amount", "1"), ("currency", "XAU")]).is_err());
    assert!(read(&[("amount", "1"), ("currency", "KES"), ("unit", "major")]).is_err());
}

/// One currency of each number of decimals.
fn any_currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just(currency("VND")), Just(currency("KES")), Just(currency("BHD"))]
}

/// Text that is an amount or nearly one; a wholly arbitrary string seldom reaches past the first check.
fn nearly_an_amount() -> impl Strategy<Value = String> {
    prop_oneof!["[-+]?[0-9]{0,22}[.,]?[0-9]{0,5}", "[-+.,0-9eE \u{0660}-\u{0669}]{0,30}", any::<String>()]
}

#[test]
fn averages_are_rounded_half_to_even() {
    let average = |sum: i64, count: i64| Money::new(sum, currency("KES")).average(count).map(Money::minor);
    assert_eq!(average(9, 3), Ok(3));
    assert_eq!(average(10, 3), Ok(3));
    assert_eq!(average(11, 3), Ok(4));
    // Halves: 2.5, 3.5, -2.5, -3.5.
    assert_eq!((average(10, 4), average(14, 4)), (Ok(2), Ok(4)));
    assert_eq!((average(-10, 4), average(-14, 4)), (Ok(-2), Ok(-4)));
    assert_eq!(average(0, 7), Ok(0));
    assert_eq!(average(i64::MAX, 1), Ok(i64::MAX));
    assert_eq!((average(1, 0), average(1, -1)), (Err(MoneyError::Overflow), Err(MoneyError::Overflow)));
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn an_average_is_the_nearest_amount(sum in any::<i64>(), count in 1..=i64::MAX, currency in any_currency()) {
        let average = Money::new(sum, currency).average(count).unwrap();
        // Twice the distance is at most the count; at exactly the count, the average is even.
        let off = 2 * (i128::from(average.minor()) * i128::from(count) - i128::from(sum)).abs();
        prop_assert!(off <= i128::from(count));
        prop_assert!(off < i128::from(count) || average.minor() % 2 == 0);
    }

    #[test]
    fn printing_and_parsing_round_trip(minor in any::<i64>(), currency in any_currency()) {
        let money = Money::new(minor, currency);
        prop_assert_eq!(Money::parse_amount(&money.to_decimal_string(), currency), Ok(money));
    }

    #[test]
    fn printed_amounts_have_exactly_the_decimals(minor in any::<i64>(), currency in any_currency()) {
        let text = Money::new(minor, currency).to_decimal_string();
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        prop_assert_eq!(u32::try_from(decimals).unwrap(), currency.exponent());
    }

    #[test]
    fn arbitrary_text_never_panics_and_only_plain_decimals_pass(
        text in nearly_an_amount(),
        currency in any_currency(),
    ) {
        let plain = {
            let unsigned = text.strip_prefix('-').unwrap_or(&text);
            let parts: Vec<&str> = unsigned.split('.').collect();
            parts.len() <= 2 && parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
        };
        let parsed = Money::parse_amount(&text, currency);
        prop_assert_eq!(plain, parsed != Err(AmountError::Malformed));
    }

    #[test]
    fn parsing_agrees_with_wide_arithmetic(
        whole in 0..=200_000_000_000_000_000_i128,
        cents in 0..100_i128,
        negative: bool,
    ) {
        let sign = if negative { "-" } else { "" };
        let exact = (whole * 100 + cents) * if negative { -1 } else { 1 };
        let parsed = Money::parse_amount(&format!("{sign}{whole}.{cents:02}"), currency("KES"));
        match i64::try_from(exact) {
            Ok(minor) => prop_assert_eq!(parsed, Ok(Money::new(minor, currency("KES")))),
            Err(_) => prop_assert_eq!(parsed, Err(AmountError::Overflow)),
        }
    }

    #[test]
    fn sums_are_exact_or_refused(a in any::<i64>(), b in any::<i64>(), currency in any_currency()) {
        let (left, right) = (Money::new(a, currency), Money::new(b, currency));
        let expected = |exact: i128| match i64::try_from(exact) {
            Ok(minor) => Ok(Money::new(minor, currency)),
            Err(_) => Err(MoneyError::Overflow),
        };
        prop_assert_eq!(left.checked_add(right), expected(i128::from(a) + i128::from(b)));
        prop_assert_eq!(left.checked_sub(right), expected(i128::from(a) - i128::from(b)));
        prop_assert_eq!(left.checked_neg(), expected(-i128::from(a)));
        prop_assert_eq!(left.try_cmp(right), Ok(a.cmp(&b)));
    }
}
