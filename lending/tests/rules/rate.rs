use std::fmt;

use lending::rate::{Rate, RateError};
use proptest::prelude::*;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Serialize};

use crate::thorough;

fn parse(text: &str) -> Result<i64, RateError> {
    Rate::parse_percent(text).map(Rate::ppm)
}

#[test]
fn percentages_become_parts_per_million() {
    assert_eq!(parse("28"), Ok(280_000));
    assert_eq!(parse("28.5"), Ok(285_000));
    assert_eq!(parse("28.5000"), Ok(285_000));
    assert_eq!(parse("0.0001"), Ok(1));
    assert_eq!(parse("0"), Ok(0));
    assert_eq!(parse("100"), Ok(Rate::HUNDRED_PERCENT.ppm()));
    assert_eq!(parse("-1.5"), Ok(-15_000));
}

#[test]
fn other_notations_are_refused() {
    for text in ["", "28%", "28.5 %", "+28", ".5", "28.", "2.8e1", "0,5", "twenty"] {
        assert_eq!(parse(text), Err(RateError::Malformed), "{text:?}");
    }
    assert_eq!(parse("28.12345"), Err(RateError::TooManyDecimals));
    assert_eq!(parse("28.00000"), Err(RateError::TooManyDecimals));
    assert_eq!(parse("922337203685477.5807"), Ok(i64::MAX));
    assert_eq!(parse("922337203685477.5808"), Err(RateError::Overflow));
}

#[test]
fn rates_print_as_briefly_as_they_can() {
    for (ppm, text) in [
        (280_000, "28"),
        (285_000, "28.5"),
        (1, "0.0001"),
        (0, "0"),
        (1_000_000, "100"),
        (100_000, "10"),
        (-15_000, "-1.5"),
    ] {
        assert_eq!(Rate::from_ppm(ppm).to_percent_string(), text);
    }
    assert_eq!(Rate::from_ppm(285_000).to_string(), "28.5 %");
    assert_eq!(Rate::ZERO.to_percent_string(), "0");
}

#[test]
fn refusals_have_codes() {
    assert_eq!(RateError::Malformed.code(), "INVALID_RATE");
    assert_eq!(RateError::TooManyDecimals.code(), "TOO_MANY_DECIMALS");
    assert_eq!(RateError::Overflow.code(), "RATE_OVERFLOW");
}

#[test]
fn serde_writes_the_percentage() {
    struct Text(Rate);
    impl fmt::Display for Text {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(formatter)
        }
    }
    assert_eq!(Text(Rate::from_ppm(285_000)).to_string(), "28.5");

    let read = |text: &str| Rate::deserialize(IntoDeserializer::<ValueError>::into_deserializer(text));
    assert_eq!(read("28.5"), Ok(Rate::from_ppm(285_000)));
    assert!(read("28.5%").is_err());
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn printing_and_parsing_round_trip(ppm in any::<i64>()) {
        let rate = Rate::from_ppm(ppm);
        prop_assert_eq!(Rate::parse_percent(&rate.to_percent_string()), Ok(rate));
    }

    #[test]
    fn printed_rates_carry_no_idle_zeros(percent in -1_000_i64..1_000, rest in 0_i64..10_000) {
        let text = Rate::from_ppm(percent * 10_000 + rest).to_percent_string();
        prop_assert!(!text.ends_with('.'));
        prop_assert!(!text.contains('.') || !text.ends_with('0'), "{}", text);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = Rate::parse_percent(&text);
    }
}
