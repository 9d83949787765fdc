//! The API's own scalars. They are strict: one spelling per value, strings only where a JSON number could lose digits.

use async_graphql::{Description, InputValueError, InputValueResult, Pos, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};

/// A decimal number as a string, such as "12500.00": an optional minus sign, digits, optionally a point and more digits. No exponent, no plus sign, no spaces. A JSON number is refused, because it could lose digits on the way.
#[derive(Debug, Clone, PartialEq, Eq, Description)]
pub struct Decimal(pub String);

#[Scalar(use_type_description = true, specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_decimal(&text) => Ok(Self(text)),
            Value::String(_) => Err(InputValueError::custom("Send digits such as \"12500.00\", without exponent.")),
            _ => Err(InputValueError::custom("Send the number as a string, such as \"12500.00\".")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    };
    parts && text.len() <= 40
}

/// A day of the calendar, such as "2026-01-31". Business dates are dates at the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Description)]
pub struct Date(pub NaiveDate);

#[Scalar(use_type_description = true, specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_date_form(&text) => NaiveDate::parse_from_str(&text, "%Y-%m-%d")
                .map(Self)
                .map_err(|_| InputValueError::custom("Send a day that exists, such as \"2026-01-31\".")),
            _ => Err(InputValueError::custom("Send a date such as \"2026-01-31\".")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Four digits, two, two: chrono alone would take years of five digits and days of one.
fn is_date_form(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && !text.starts_with("0000")
}

/// A moment in RFC 3339 form. Answers are in UTC with milliseconds, such as "2026-01-31T09:30:00.000Z"; any offset is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Description)]
pub struct DateTime(pub chrono::DateTime<Utc>);

#[Scalar(use_type_description = true, specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.is_ascii() && text.get(..10).is_some_and(is_date_form) => {
                chrono::DateTime::parse_from_rfc3339(&text)
                    .map(|moment| Self(moment.to_utc()))
                    .map_err(|_| InputValueError::custom("Send a moment such as \"2026-01-31T09:30:00.000Z\"."))
            }
            _ => Err(InputValueError::custom("Send a moment such as \"2026-01-31T09:30:00.000Z\".")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.as_text())
    }
}

impl DateTime {
    /// As answers have it.
    pub fn as_text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// An ISO 4217 currency code, such as "KES": three capital letters.
#[derive(Debug, Clone, PartialEq, Eq, Description)]
pub struct CurrencyCode(pub String);

#[Scalar(use_type_description = true, specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    /// Only the type is checked here: whether the currency exists is a matter for the use cases, which can tell where in
    /// the input it stands.
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.len() <= 16 => Ok(Self(text)),
            _ => Err(InputValueError::custom("Send an ISO 4217 code such as \"KES\".")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A 64-bit whole number as a string, such as "9007199254740993": as a JSON number it could lose digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Description)]
pub struct Int64(pub i64);

#[Scalar(use_type_description = true, specified_by_url = "https://www.w3.org/TR/xmlschema-2/#long")]
impl ScalarType for Int64 {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => text
                .parse()
                .map(Self)
                .map_err(|_| InputValueError::custom("Send a whole number as a string, such as \"42\".")),
            _ => Err(InputValueError::custom("Send a whole number as a string, such as \"42\".")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Says whether a value is one of a scalar's, and if not what to send.
pub type ScalarCheck = fn(&Value) -> Result<(), String>;

/// The API's scalars by name, each with its check, for whoever judges variables before anything is executed.
pub const CHECKS: [(&str, ScalarCheck); 5] = [
    ("Decimal", check::<Decimal>),
    ("Date", check::<Date>),
    ("DateTime", check::<DateTime>),
    ("CurrencyCode", check::<CurrencyCode>),
    ("Int64", check::<Int64>),
];

fn check<S: ScalarType + async_graphql::InputType>(value: &Value) -> Result<(), String> {
    <S as ScalarType>::parse(value.clone()).map(|_| ()).map_err(|error| {
        // The library puts the type's name before what the scalar says.
        let message = error.into_server_error(Pos::default()).message;
        message.split_once(": ").map_or(message.clone(), |(_, said)| said.to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::Number;

    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn decimals_are_plain_strings() {
        for good in ["0", "12500.00", "-1.5", "007"] {
            assert_eq!(Decimal::parse(text(good)).unwrap().to_value(), text(good));
        }
        for bad in ["", "-", ".5", "5.", "1e3", "+1", " 1", "1,000", "NaN", "١٢", &"9".repeat(41)] {
            assert!(Decimal::parse(text(bad)).is_err(), "{bad}");
        }
        assert!(Decimal::parse(Value::Number(Number::from(5))).is_err());
    }

    #[test]
    fn dates_have_one_spelling() {
        assert_eq!(Date::parse(text("2028-02-29")).unwrap().to_value(), text("2028-02-29"));
        for bad in ["2026-02-29", "2026-2-01", "20260201", "12026-01-01", "0000-01-01", "2026-01-31T00:00:00Z", ""] {
            assert!(Date::parse(text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_come_back_in_utc_with_milliseconds() {
        let moment = DateTime::parse(text("2026-01-31T12:30:00+03:00")).unwrap();
        assert_eq!(moment.to_value(), text("2026-01-31T09:30:00.000Z"));
        for bad in ["2026-01-31", "2026-01-31T09:30:00", "99999-01-31T09:30:00Z", "éééééééééé"] {
            assert!(DateTime::parse(text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn long_integers_are_strings() {
        assert_eq!(Int64::parse(text("9223372036854775807")).unwrap().to_value(), text("9223372036854775807"));
        assert!(Int64::parse(text("9223372036854775808")).is_err());
        assert!(Int64::parse(Value::Number(Number::from(5))).is_err());
    }
}
