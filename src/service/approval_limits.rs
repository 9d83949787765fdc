//! How much each role may approve. Pure: whoever approves hands in their roles and the amount. The limits come from the
//! configuration as a text, so that it need not know roles and currencies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use lending::money::{Currency, Money};

use super::problem::{Detail, Problem, ProblemCode};
use crate::auth::Role;
use crate::auth::policy::Action;

/// The most each role may approve, in minor units by currency. A role that is not named has no limit; one that is
/// approves in the named currencies only, so that a forgotten currency does not open every amount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalLimits(BTreeMap<Role, HashMap<Currency, Money>>);

/// The text is not one of limits. The message says which part and what to write, and begins after the setting's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("has {part:?}: {problem}. Write ROLE:CURRENCY:AMOUNT, separated by commas, such as MANAGER:KES:50000.")]
pub struct UnreadableLimits {
    part: String,
    problem: String,
}

impl FromStr for ApprovalLimits {
    type Err = UnreadableLimits;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut limits: BTreeMap<Role, HashMap<Currency, Money>> = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let unreadable = |problem: String| UnreadableLimits { part: part.to_owned(), problem };
            let (role, limit) = one(part).map_err(unreadable)?;
            if limits.entry(role).or_default().insert(limit.currency(), limit).is_some() {
                return Err(unreadable("that role has a limit in that currency already".to_owned()));
            }
        }
        Ok(Self(limits))
    }
}

fn one(part: &str) -> Result<(Role, Money), String> {
    let mut fields = part.split(':').map(str::trim);
    let (Some(role), Some(currency), Some(amount), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err("it has not three parts".to_owned());
    };
    let role: Role = role.parse().map_err(|_| format!("there is no role {role}"))?;
    if !Action::ApproveLoan.roles().contains(&role) {
        return Err(format!("{role} may not approve loans at all"));
    }
    let currency = Currency::parse(currency).map_err(|error| error.to_string())?;
    let amount = Money::parse_amount(amount, currency).map_err(|error| error.to_string())?;
    if !amount.is_positive() {
        return Err("the amount is not more than nothing".to_owned());
    }
    Ok((role, amount))
}

impl ApprovalLimits {
    /// Refuses an amount that none of the roles may approve.
    ///
    /// # Errors
    /// [`ProblemCode::ApprovalLimit`], with the most that these roles may approve in the currency.
    pub fn check(&self, roles: &BTreeSet<Role>, amount: Money) -> Result<(), Problem> {
        let mut most: Option<Money> = None;
        for role in Action::ApproveLoan.roles().iter().filter(|role| roles.contains(role)) {
            let Some(limits) = self.0.get(role) else { return Ok(()) };
            let limit = limits.get(&amount.currency()).copied();
            most = most.into_iter().chain(limit).max_by_key(|limit| limit.minor());
        }
        match most {
            Some(most) if amount.minor() <= most.minor() => Ok(()),
            Some(most) => Err(refusal(format!(
                "Your roles may approve up to {most}; approve less, or let someone approve it who may approve more."
            ))
            .with(Detail::Amount { min: Some(Money::smallest(amount.currency())), max: Some(most) })),
            None => Err(refusal(format!(
                "Your roles approve nothing in {}; let someone approve it who does.",
                amount.currency()
            ))),
        }
    }
}

fn refusal(message: String) -> Problem {
    Problem::new(ProblemCode::ApprovalLimit, &["input", "amount"], message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn money(text: &str, code: &str) -> Money {
        Money::parse_amount(text, Currency::parse(code).unwrap()).unwrap()
    }

    fn roles(roles: &[Role]) -> BTreeSet<Role> {
        roles.iter().copied().collect()
    }

    #[test]
    fn a_limit_is_the_most_that_may_be_approved() {
        let limits: ApprovalLimits = " MANAGER:KES:50000 , MANAGER:JPY:900,".parse().unwrap();
        let manager = roles(&[Role::Manager]);
        assert_eq!(limits.check(&manager, money("50000.00", "KES")), Ok(()));
        let refused = limits.check(&manager, money("50000.01", "KES")).unwrap_err();
        let detail = Detail::Amount { min: Some(money("0.01", "KES")), max: Some(money("50000", "KES")) };
        assert_eq!(
            (refused.code, refused.path.join("."), refused.detail),
            (ProblemCode::ApprovalLimit, "input.amount".to_owned(), detail)
        );
        assert_eq!(limits.check(&manager, money("900", "JPY")), Ok(()));
        assert!(limits.check(&manager, money("901", "JPY")).is_err());
    }

    #[test]
    fn a_named_role_approves_in_the_named_currencies_only() {
        let limits: ApprovalLimits = "MANAGER:KES:50000".parse().unwrap();
        let refused = limits.check(&roles(&[Role::Manager]), money("0.01", "USD")).unwrap_err();
        assert_eq!((refused.code, refused.detail), (ProblemCode::ApprovalLimit, Detail::None));
        assert_eq!(limits.check(&roles(&[Role::Admin]), money("999999", "USD")), Ok(()), "a role without limits");
    }

    #[test]
    fn of_several_roles_the_one_that_may_approve_most_counts() {
        let limits: ApprovalLimits = "MANAGER:KES:500,ADMIN:KES:900".parse().unwrap();
        let both = roles(&[Role::Officer, Role::Manager, Role::Admin]);
        assert_eq!(limits.check(&both, money("900", "KES")), Ok(()));
        assert!(limits.check(&both, money("900.01", "KES")).is_err());
        let unlimited: ApprovalLimits = "MANAGER:KES:500".parse().unwrap();
        assert_eq!(unlimited.check(&both, money("900.01", "KES")), Ok(()));
    }

    #[test]
    fn nothing_is_limited_by_default() {
        assert_eq!("".parse(), Ok(ApprovalLimits::default()));
        assert_eq!(ApprovalLimits::default().check(&roles(&[Role::Manager]), money("1", "KES")), Ok(()));
    }

    #[test]
    fn what_is_no_limit_is_refused_with_what_to_write() {
        for text in [
            "MANAGER",
            "MANAGER:KES",
            "MANAGER:KES:1:2",
            "BOSS:KES:1",
            "OFFICER:KES:1",
            "MANAGER:XXQ:1",
            "MANAGER:JPY:1.5",
            "MANAGER:KES:0",
            "MANAGER:KES:-5",
            "MANAGER:KES:many",
            "MANAGER:KES:1,MANAGER:KES:2",
        ] {
            let refused = text.parse::<ApprovalLimits>().unwrap_err().to_string();
            assert!(refused.ends_with("such as MANAGER:KES:50000."), "{text}: {refused}");
        }
    }
}
