//! Reading input: each reader takes a raw value and its path, and either gives the value in the domain's type or notes a
//! problem. A use case reads everything, then asks once whether there were problems, so that callers see all of them.

use chrono::NaiveDate;
use lending::loan::{Field, LimitsField, LimitsViolation, ProductLimits, TermsViolation};
use lending::money::{AmountError, Currency, CurrencyError, Money};
use lending::rate::{Rate, RateError};

use super::error::ServiceError;
use super::problem::{Detail, Problem, ProblemCode};

/// An amount as it comes in: digits and a currency code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AmountInput {
    /// A plain decimal number.
    pub amount: String,
    /// An ISO 4217 code.
    pub currency: String,
}

/// One field of an update.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub enum Change<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Remove the value.
    Clear,
    /// Replace the value.
    Set(T),
}

impl<T: Clone> Change<T> {
    /// Makes the change.
    pub fn apply(&self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new.clone()),
        }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Check {
    problems: Vec<Problem>,
}

impl Check {
    /// Notes a problem.
    pub fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Text with something in it, trimmed, of at most `most` characters.
    pub fn text(&mut self, path: &[&str], raw: &str, most: usize) -> Option<String> {
        let text = raw.trim();
        if text.is_empty() {
            self.note(Problem::new(ProblemCode::Required, path, "Send a value that is not blank."));
            return None;
        }
        self.length(path, text, most)
    }

    /// Text that may be missing; what is blank counts as missing.
    pub fn optional_text(&mut self, path: &[&str], raw: Option<&str>, most: usize) -> Option<String> {
        let text = raw.map(str::trim).filter(|text| !text.is_empty())?;
        self.length(path, text, most)
    }

    fn length(&mut self, path: &[&str], text: &str, most: usize) -> Option<String> {
        if text.chars().count() > most {
            self.note(Problem::new(ProblemCode::TooLong, path, format!("Send at most {most} characters.")));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.note(Problem::new(ProblemCode::InvalidFormat, path, "Send text without control characters."));
            return None;
        }
        Some(text.to_owned())
    }

    /// A code: 1 to 32 letters, digits, `-` or `_`.
    pub fn code(&mut self, path: &[&str], raw: &str) -> Option<String> {
        let text = self.text(path, raw, 32)?;
        if text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')) {
            return Some(text);
        }
        self.note(Problem::new(ProblemCode::InvalidFormat, path, "Use letters, digits, - and _ only."));
        None
    }

    /// A key chosen by the caller: 1 to 64 characters.
    pub fn idempotency_key(&mut self, path: &[&str], raw: &str) -> Option<String> {
        self.text(path, raw, 64)
    }

    /// A currency.
    pub fn currency(&mut self, path: &[&str], code: &str) -> Option<Currency> {
        Currency::parse(code)
            .map_err(|error: CurrencyError| {
                self.note(Problem::new(ProblemCode::UnknownCurrency, path, error.to_string()));
            })
            .ok()
    }

    /// An amount in its own currency. `path` is the path of the pair.
    pub fn money(&mut self, path: &[&str], input: &AmountInput) -> Option<Money> {
        let currency = self.currency(&[path, &["currency"]].concat(), &input.currency)?;
        self.amount(&[path, &["amount"]].concat(), &input.amount, currency)
    }

    /// An amount that must be in this currency. `path` is the path of the pair.
    pub fn money_in(&mut self, path: &[&str], input: &AmountInput, currency: Currency) -> Option<Money> {
        let money = self.money(path, input)?;
        if money.currency() == currency {
            return Some(money);
        }
        self.note(Problem::new(
            ProblemCode::CurrencyMismatch,
            &[path, &["currency"]].concat(),
            format!("Send the amount in {currency}, not in {}.", money.currency()),
        ));
        None
    }

    fn amount(&mut self, path: &[&str], amount: &str, currency: Currency) -> Option<Money> {
        let largest = Money::largest(currency);
        let problem = match Money::parse_amount(amount, currency) {
            Ok(money) if money.minor() <= largest.minor() => return Some(money),
            Ok(_) | Err(AmountError::Overflow) => {
                let message = format!("Send an amount of at most {largest}.");
                Problem::new(ProblemCode::AmountOutOfRange, path, message)
                    .with(Detail::Amount { min: None, max: Some(largest) })
            }
            Err(error @ AmountError::Malformed) => Problem::new(ProblemCode::InvalidFormat, path, error.to_string()),
            Err(error @ AmountError::TooManyDecimals { .. }) => {
                Problem::new(ProblemCode::TooManyDecimals, path, error.to_string())
            }
        };
        self.note(problem);
        None
    }

    /// An annual rate in percent.
    pub fn rate(&mut self, path: &[&str], percent: &str) -> Option<Rate> {
        Rate::parse_percent(percent)
            .map_err(|error| {
                let code = match error {
                    RateError::Malformed => ProblemCode::InvalidFormat,
                    RateError::TooManyDecimals => ProblemCode::TooManyDecimals,
                    RateError::Overflow => ProblemCode::RateOutOfRange,
                };
                self.note(Problem::new(code, path, error.to_string()));
            })
            .ok()
    }

    /// A count of at least one.
    pub fn positive(&mut self, path: &[&str], number: i32) -> Option<u32> {
        match u32::try_from(number) {
            Ok(count) if count > 0 => Some(count),
            _ => {
                self.note(Problem::new(ProblemCode::NumberOutOfRange, path, "Send a whole number of at least 1."));
                None
            }
        }
    }

    /// A count within these bounds, both inclusive.
    pub fn count(&mut self, path: &[&str], number: i32, least: u32, most: u32) -> Option<u32> {
        match u32::try_from(number) {
            Ok(count) if (least..=most).contains(&count) => Some(count),
            _ => {
                let message = format!("Send a whole number from {least} to {most}.");
                self.note(Problem::new(ProblemCode::NumberOutOfRange, path, message));
                None
            }
        }
    }

    /// Whether a list has at most so many entries.
    pub fn at_most(&mut self, path: &[&str], entries: usize, most: usize) -> bool {
        if entries > most {
            self.note(Problem::new(ProblemCode::TooLong, path, format!("Send at most {most} entries.")));
        }
        entries <= most
    }

    /// The terms against their product's limits. `path` tells each field's input.
    pub fn terms(&mut self, violations: Vec<TermsViolation>, path: impl Fn(Field) -> Vec<&'static str>) {
        for violation in violations {
            let path = path(violation.field());
            let message = violation.to_string();
            let problem = match violation {
                TermsViolation::CurrencyMismatch { .. } => Problem::new(ProblemCode::CurrencyMismatch, &path, message),
                TermsViolation::PrincipalOutOfRange { min, max, .. } => {
                    Problem::new(ProblemCode::AmountOutOfRange, &path, message)
                        .with(Detail::Amount { min: Some(min), max: Some(max) })
                }
                TermsViolation::AnnualRateOutOfRange { .. } => {
                    Problem::new(ProblemCode::RateOutOfRange, &path, message)
                }
                TermsViolation::InstallmentsOutOfRange { .. } | TermsViolation::EveryOutOfRange { .. } => {
                    Problem::new(ProblemCode::NumberOutOfRange, &path, message)
                }
            };
            self.note(problem);
        }
    }

    /// A product's limits against reason. `path` tells each field's input.
    pub fn limits(&mut self, limits: &ProductLimits, path: impl Fn(LimitsField) -> Vec<&'static str>) {
        for violation in limits.validate().err().unwrap_or_default() {
            let code = match violation {
                LimitsViolation::PrincipalNotPositive { .. } => ProblemCode::AmountOutOfRange,
                LimitsViolation::RateOutOfRange { .. } => ProblemCode::RateOutOfRange,
                LimitsViolation::InstallmentsOutOfRange { .. } => ProblemCode::NumberOutOfRange,
                LimitsViolation::MaxBelowMin { .. } => ProblemCode::MaximumBelowMinimum,
            };
            self.note(Problem::new(code, &path(violation.field()), violation.to_string()));
        }
    }

    /// Changed text that may be missing; what is blank is removed.
    pub fn text_change(&mut self, path: &[&str], change: &Change<String>, most: usize) -> Change<String> {
        match change {
            Change::Set(value) => self.optional_text(path, Some(value), most).map_or(Change::Clear, Change::Set),
            other => other.clone(),
        }
    }

    /// A date no later than `today`.
    pub fn not_after(&mut self, path: &[&str], date: NaiveDate, today: NaiveDate) {
        self.within(path, date, None, today);
    }

    /// A date from `earliest`, if there is one, to `latest`.
    pub fn within(&mut self, path: &[&str], date: NaiveDate, earliest: Option<NaiveDate>, latest: NaiveDate) {
        if date <= latest && earliest.is_none_or(|earliest| date >= earliest) {
            return;
        }
        let message = match earliest {
            Some(earliest) => format!("Send a date from {earliest} to {latest}."),
            None => format!("Send a date no later than {latest}."),
        };
        self.note(
            Problem::new(ProblemCode::DateOutOfRange, path, message)
                .with(Detail::Date { earliest, latest: Some(latest) }),
        );
    }

    /// Refuses with everything noted so far, if anything was.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with the problems.
    pub fn finish(self) -> Result<(), ServiceError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ServiceError::Rejected(self.problems)) }
    }
}
