//! What `lending` finds wrong with conditions as a whole, as problems at the input that can mend them.

use lending::loan::Conditions;
use lending::loan::conditions::{Allocation, Component, ConditionsViolation};
use lending::money::{Currency, Money};

use super::ConditionsInput;
use super::allocation::lacks;
use crate::service::check::Check;
use crate::service::problem::{Detail, Problem, ProblemCode};

/// Notes every way `conditions` make no sense for a loan of `installments`. `path` is where `given` stands in the input,
/// and `installments_path` where their number does: a grace that was not sent is too long for that number.
pub fn check(
    check: &mut Check,
    path: &[&str],
    installments_path: &[&str],
    given: &ConditionsInput,
    (conditions, installments, currency): (&Conditions, u32, Currency),
) {
    for violation in conditions.violations(installments) {
        let (code, message) = said(&violation, conditions, currency);
        let path = match (&violation, below(violation.field())) {
            (ConditionsViolation::GraceTooLong { field, .. }, _) if !is_given(given, field) => {
                installments_path.to_vec()
            }
            (ConditionsViolation::Contradiction { field: "recalculation", .. }, _)
                if given.recalculation.is_none() && given.interest_method.is_some() =>
            {
                [path, &["interestMethod"]].concat()
            }
            (_, below) => [path, below].concat(),
        };
        let problem = Problem::new(code, &path, message);
        check.note(match (code, &violation) {
            (ProblemCode::AmountOutOfRange, ConditionsViolation::TooSmall { min, .. }) => {
                problem.with(Detail::Amount { min: Some(Money::new(*min, currency)), max: None })
            }
            _ => problem,
        });
    }
}

/// The input's name of a field of [`Conditions`], from the conditions inwards.
fn below(field: &str) -> &'static [&'static str] {
    match field {
        "order" => &["allocation", "order"],
        "advance_order" => &["allocation", "advanceOrder"],
        "rules" => &["allocation", "rules"],
        "principal_grace" => &["principalGrace"],
        "interest_payment_grace" => &["interestPaymentGrace"],
        "interest_free_installments" => &["interestFreeInstallments"],
        "installment_multiple" => &["installmentMultiple", "amount"],
        "early_closure_fee" => &["earlyClosureFee", "amount"],
        "default_after_days" => &["defaultAfterDays"],
        "delinquency_buckets" => &["delinquencyBuckets"],
        "recalculation" => &["recalculation"],
        "charges" => &["charges"],
        _ => &[],
    }
}

fn is_given(given: &ConditionsInput, field: &str) -> bool {
    match field {
        "principal_grace" => given.principal_grace.is_some(),
        "interest_payment_grace" => given.interest_payment_grace.is_some(),
        "interest_free_installments" => given.interest_free_installments.is_some(),
        _ => true,
    }
}

fn said(violation: &ConditionsViolation, conditions: &Conditions, currency: Currency) -> (ProblemCode, String) {
    let allocation = &conditions.allocation;
    let component = |component: Component| component.as_str().to_owned();
    let order = |order: &[Component]| format!("{violation} {}", lacks(order, Component::ALL, component));
    match violation {
        ConditionsViolation::IncompleteOrder { field: "advance_order" } => {
            (ProblemCode::IncompleteList, order(&allocation.advance_order))
        }
        ConditionsViolation::IncompleteOrder { .. } => (ProblemCode::IncompleteList, order(&allocation.order)),
        ConditionsViolation::IncompleteRules => {
            let lacking = lacks(&allocation.rules, &Allocation::usual_rules(), |rule| {
                format!("{} {}", rule.state.as_str(), rule.component.as_str())
            });
            (ProblemCode::IncompleteList, format!("{violation} {lacking}"))
        }
        ConditionsViolation::GraceTooLong { .. } => (ProblemCode::NumberOutOfRange, violation.to_string()),
        ConditionsViolation::TooSmall { field: "default_after_days", .. } => {
            (ProblemCode::NumberOutOfRange, violation.to_string())
        }
        ConditionsViolation::TooSmall { min, .. } => {
            (ProblemCode::AmountOutOfRange, format!("Choose {} or more.", Money::new(*min, currency)))
        }
        ConditionsViolation::BucketsNotAscending => (ProblemCode::InvalidFormat, violation.to_string()),
        ConditionsViolation::Contradiction { .. } => (ProblemCode::Contradiction, violation.to_string()),
    }
}
