use std::fmt;

use lending::money::{Currency, CurrencyError};
use proptest::prelude::*;
use serde::Deserialize;
use serde::Serialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;

use crate::{currency, thorough};

#[test]
fn the_table_has_the_right_decimals() {
    for (code, exponent) in [
        ("KES", 2),
        ("INR", 2),
        ("NGN", 2),
        ("PHP", 2),
        ("USD", 2),
        ("EUR", 2),
        ("VND", 0),
        ("UGX", 0),
        ("JPY", 0),
        ("XOF", 0),
        ("BHD", 3),
        ("KWD", 3),
    ] {
        let currency = currency(code);
        assert_eq!((currency.code(), currency.exponent()), (code, exponent));
        assert_eq!(format!("{currency} {currency:?}"), format!("{code} {code}"));
    }
}

#[test]
fn codes_outside_the_standard_are_unknown() {
    for code in ["", "K", "KE", "KESS", "kes", "Kes", "ZZZ", "12A", "KE ", " KES", "ÄÖ", "К\u{415}S"] {
        assert_eq!(Currency::parse(code), Err(CurrencyError::Unknown), "{code:?}");
    }
}

#[test]
fn metals_funds_and_reserved_codes_are_not_money() {
    for code in ["XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XSU", "XUA", "XBA", "XAD"] {
        assert_eq!(Currency::parse(code), Err(CurrencyError::NotMoney), "{code}");
    }
    for code in ["BOV", "CLF", "UYW", "UYI", "USN", "CHE", "CHW", "COU", "MXV"] {
        assert_eq!(Currency::parse(code), Err(CurrencyError::NotMoney), "{code}");
    }
}

#[test]
fn old_books_keep_their_superseded_currency() {
    assert_eq!(currency("HRK").exponent(), 2);
    assert_eq!(currency("VES").exponent(), 2);
}

#[test]
fn refusals_have_codes() {
    assert_eq!(CurrencyError::Unknown.code(), "UNKNOWN_CURRENCY");
    assert_eq!(CurrencyError::NotMoney.code(), "UNSUPPORTED_CURRENCY");
}

#[test]
fn currencies_sort_by_code() {
    // XCG stands between AMD and AOA in the crate's table, and between VND and ZAR in ours.
    let mut codes = ["ZAR", "XCG", "VND", "AOA"].map(currency);
    codes.sort();
    assert_eq!(codes.map(Currency::code), ["AOA", "VND", "XCG", "ZAR"]);
}

#[test]
fn serde_writes_the_code_and_refuses_what_parse_refuses() {
    struct Text(Currency);
    impl fmt::Display for Text {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(formatter)
        }
    }
    assert_eq!(Text(currency("KES")).to_string(), "KES");

    let read = |code: &str| Currency::deserialize(IntoDeserializer::<ValueError>::into_deserializer(code));
    assert_eq!(read("KES"), Ok(currency("KES")));
    assert!(read("kes").is_err());
    assert!(read("XAU").is_err());
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn every_accepted_code_is_its_own_name(code in "[A-Z]{3}") {
        if let Ok(currency) = Currency::parse(&code) {
            prop_assert_eq!(currency.code(), code);
            prop_assert!(currency.exponent() <= 3);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = Currency::parse(&text);
    }
}
