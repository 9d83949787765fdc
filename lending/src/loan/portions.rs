//! The four parts of what a loan owes, always together: principal, interest, fees and penalties in minor units of the
//! loan's currency. Arithmetic is checked.

use serde::{Deserialize, Serialize};

use super::conditions::Component;
use super::error::FoldError;

/// Amounts of principal, interest, fees and penalties in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Portions {
    /// The money lent.
    pub principal: i64,
    /// Interest.
    pub interest: i64,
    /// Charges but for lateness.
    pub fees: i64,
    /// Charges for lateness.
    pub penalties: i64,
}

impl Portions {
    /// Nothing of anything.
    pub const ZERO: Self = Self { principal: 0, interest: 0, fees: 0, penalties: 0 };

    /// So much of one component, nothing of the others.
    pub const fn only(component: Component, amount: i64) -> Self {
        let mut portions = Self::ZERO;
        match component {
            Component::Principal => portions.principal = amount,
            Component::Interest => portions.interest = amount,
            Component::Fee => portions.fees = amount,
            Component::Penalty => portions.penalties = amount,
        }
        portions
    }

    /// The amount of one component.
    pub const fn of(&self, component: Component) -> i64 {
        match component {
            Component::Principal => self.principal,
            Component::Interest => self.interest,
            Component::Fee => self.fees,
            Component::Penalty => self.penalties,
        }
    }

    /// The sum of the four.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn total(&self) -> Result<i64, FoldError> {
        [self.interest, self.fees, self.penalties]
            .into_iter()
            .try_fold(self.principal, i64::checked_add)
            .ok_or(FoldError::Overflow)
    }

    /// The sum, part by part.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn plus(&self, other: &Self) -> Result<Self, FoldError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, part by part; parts may be negative.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn minus(&self, other: &Self) -> Result<Self, FoldError> {
        self.combine(other, i64::checked_sub)
    }

    /// Nothing in every part.
    pub const fn is_zero(&self) -> bool {
        self.principal == 0 && self.interest == 0 && self.fees == 0 && self.penalties == 0
    }

    /// Principal or interest: of a loan that owes charges alone there is nothing to pay off.
    pub(crate) const fn owes_more_than_charges(&self) -> bool {
        self.principal != 0 || self.interest != 0
    }

    /// A part below nothing.
    pub const fn any_negative(&self) -> bool {
        self.principal < 0 || self.interest < 0 || self.fees < 0 || self.penalties < 0
    }

    fn combine(&self, other: &Self, apply: fn(i64, i64) -> Option<i64>) -> Result<Self, FoldError> {
        let part = |left, right| apply(left, right).ok_or(FoldError::Overflow);
        Ok(Self {
            principal: part(self.principal, other.principal)?,
            interest: part(self.interest, other.interest)?,
            fees: part(self.fees, other.fees)?,
            penalties: part(self.penalties, other.penalties)?,
        })
    }
}
