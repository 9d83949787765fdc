//! A loan's conditions as JSON text: only what differs from the usual ones is written, so that most rows hold `{}` and a
//! list of loans stays light. The usual conditions are thereby part of the stored data; a test holds them.

use std::sync::LazyLock;

use lending::loan::Conditions;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use super::error::StoreError;

/// What texts say that were read before. There are about as many as products, and every loan that is read has one of
/// them: reading its JSON would be a tenth of a page of loans.
static KNOWN: LazyLock<Cache<Box<str>, Conditions>> = LazyLock::new(|| Cache::new(1_000));

/// Reads what [`write`] wrote; what is not named is as usual.
pub(super) fn read(text: &str) -> Result<Conditions, StoreError> {
    if let Some(known) = KNOWN.get(text) {
        return Ok(known);
    }
    let conditions: Conditions =
        serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("conditions: {error}")))?;
    KNOWN.insert(text.into(), conditions.clone());
    Ok(conditions)
}

/// The text of a column `conditions`.
pub(super) fn write(conditions: &Conditions) -> Result<String, StoreError> {
    let usual = Conditions::default();
    if *conditions == usual {
        return Ok("{}".to_owned());
    }
    let usual = fields(&usual)?;
    let differing: Map<String, Value> =
        fields(conditions)?.into_iter().filter(|(name, value)| usual.get(name) != Some(value)).collect();
    Ok(Value::Object(differing).to_string())
}

fn fields(conditions: &Conditions) -> Result<Map<String, Value>, StoreError> {
    match serde_json::to_value(conditions) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) | Err(_) => Err(StoreError::Corrupt("conditions that are no JSON object".to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lending::loan::conditions::{Amortization, InterestMethod};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_from_the_usual_conditions_is_written() {
        assert_eq!(write(&Conditions::default()).unwrap(), "{}");
        let flat = Conditions {
            interest_method: InterestMethod::Flat,
            amortization: Amortization::EqualPrincipal,
            installment_multiple: Some(100),
            ..Conditions::default()
        };
        let text = write(&flat).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"interestMethod": "FLAT", "amortization": "EQUAL_PRINCIPAL", "installmentMultiple": 100})
        );
        assert_eq!(read(&text).unwrap(), flat);
    }

    #[test]
    fn text_that_is_not_ours_is_corrupt() {
        for text in ["", "null", "{\"interestMethod\":\"COMPOUND\"}", "{\"unknown\":1}"] {
            assert!(matches!(read(text), Err(StoreError::Corrupt(_))), "{text}");
        }
    }

    /// Rows hold only what differs from these: whoever changes a default changes loans that exist.
    #[test]
    fn the_usual_conditions_are_what_rows_rely_on() {
        assert_eq!(
            Value::Object(fields(&Conditions::default()).unwrap()),
            json!({
                "interestMethod": "DECLINING_BALANCE", "amortization": "EQUAL_INSTALLMENTS", "dayCount": "PERIODIC",
                "levelOn": "ACTUAL_PERIODS", "smoothLast": false, "installmentMultiple": null,
                "principalGrace": 0, "interestPaymentGrace": 0, "interestFreeInstallments": 0,
                "recalculation": "FIXED", "earlyPayment": "NEXT_INSTALLMENTS", "payoffInterest": "TO_DATE",
                "earlyClosureFee": 0,
                "allocation": {
                    "mode": "BY_INSTALLMENT",
                    "order": ["PENALTY", "FEE", "INTEREST", "PRINCIPAL"],
                    "advanceOrder": ["PENALTY", "FEE", "INTEREST", "PRINCIPAL"],
                    "rules": [
                        {"state": "PAST_DUE", "component": "PENALTY"}, {"state": "PAST_DUE", "component": "FEE"},
                        {"state": "PAST_DUE", "component": "INTEREST"}, {"state": "PAST_DUE", "component": "PRINCIPAL"},
                        {"state": "DUE", "component": "PENALTY"}, {"state": "DUE", "component": "FEE"},
                        {"state": "DUE", "component": "INTEREST"}, {"state": "DUE", "component": "PRINCIPAL"},
                        {"state": "IN_ADVANCE", "component": "PENALTY"}, {"state": "IN_ADVANCE", "component": "FEE"},
                        {"state": "IN_ADVANCE", "component": "INTEREST"},
                        {"state": "IN_ADVANCE", "component": "PRINCIPAL"},
                    ],
                    "advanceTo": "NEXT_INSTALLMENT", "direction": "INSTALLMENT_FIRST",
                },
                "monthEnd": "CLAMP", "nonWorkingDays": "KEEP", "interestFollowsMovedDate": false,
                "arrearsGraceDays": 0, "defaultAfterDays": 90,
                "delinquencyBuckets": [0, 3, 30, 60, 90, 120, 150, 180, 240],
                "charges": [], "lateCharge": null,
            })
        );
    }
}
