//! The order in which payments pay, as callers send it, laid over what there is. Nothing is judged here: an order or a
//! list of rules that lacks something is found with the other violations.

use lending::loan::conditions::{AdvanceTo, Allocation, AllocationMode, AllocationRule, Component, RuleDirection};
use serde::Serialize;

/// The order in which a payment pays; what is missing stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AllocationInput {
    /// How installments are found.
    pub mode: Option<AllocationMode>,
    /// The components of what is due.
    pub order: Option<Vec<Component>>,
    /// The components of what is not due yet.
    pub advance_order: Option<Vec<Component>>,
    /// All twelve pairs of due state and component.
    pub rules: Option<Vec<AllocationRule>>,
    /// Where money in advance goes.
    pub advance_to: Option<AdvanceTo>,
    /// What is finished first within a due state.
    pub direction: Option<RuleDirection>,
}

impl AllocationInput {
    pub(super) fn lay_over(&self, base: &Allocation) -> Allocation {
        Allocation {
            mode: self.mode.unwrap_or(base.mode),
            order: self.order.clone().unwrap_or_else(|| base.order.clone()),
            advance_order: self.advance_order.clone().unwrap_or_else(|| base.advance_order.clone()),
            rules: self.rules.clone().unwrap_or_else(|| base.rules.clone()),
            advance_to: self.advance_to.unwrap_or(base.advance_to),
            direction: self.direction.unwrap_or(base.direction),
        }
    }
}

/// What a list lacks and what it names more than once, in words; empty when it names each once.
pub(super) fn lacks<T: PartialEq + Copy>(given: &[T], all: &[T], name: impl Fn(T) -> String) -> String {
    let times = |item: T| given.iter().filter(|one| **one == item).count();
    let named = |wanted: fn(usize) -> bool| {
        all.iter().copied().filter(|item| wanted(times(*item))).map(&name).collect::<Vec<_>>().join(", ")
    };
    let (missing, repeated) = (named(|times| times == 0), named(|times| times > 1));
    match (missing.is_empty(), repeated.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("Missing: {missing}."),
        (true, false) => format!("More than once: {repeated}."),
        (false, false) => format!("Missing: {missing}. More than once: {repeated}."),
    }
}
