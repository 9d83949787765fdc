//! The order in which payments pay.

use async_graphql::{Enum, InputObject, SimpleObject};
use lending::loan::conditions;

use crate::service::conditions as service;

/// A part of what is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::Component")]
pub enum Component {
    /// A charge for being late.
    Penalty,
    /// A charge that is not for being late.
    Fee,
    /// Interest.
    Interest,
    /// The money lent.
    Principal,
}

/// How a payment finds its installments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::AllocationMode")]
pub enum AllocationMode {
    /// Each installment is settled before the next one sees a cent.
    ByInstallment,
    /// First what is due, in `order`; then what is not due yet, in `advanceOrder`.
    DueThenAdvance,
    /// By a list of rules over due state and component.
    Rules,
}

/// How an installment's due date lies to a payment's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::DueState")]
pub enum DueState {
    /// Due before the day of the payment.
    PastDue,
    /// Due on the day of the payment.
    Due,
    /// Due after the day of the payment.
    InAdvance,
}

/// Which installments receive money that is paid in advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::AdvanceTo")]
pub enum AdvanceTo {
    /// The next ones.
    NextInstallment,
    /// The last ones.
    LastInstallment,
    /// All that are left, in equal parts.
    Reamortize,
}

/// Within one due state, what is finished first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::RuleDirection")]
pub enum RuleDirection {
    /// One installment after the other, each with all its components.
    InstallmentFirst,
    /// One component after the other, each over all installments.
    ComponentFirst,
}

/// The order in which payments pay what is owed.
#[derive(Debug, Clone, SimpleObject)]
pub struct Allocation {
    /// How a payment finds its installments.
    pub mode: AllocationMode,
    /// The components of what is due, first to last; with BY_INSTALLMENT of every installment.
    pub order: Vec<Component>,
    /// The components of what is not due yet, first to last; used with DUE_THEN_ADVANCE.
    pub advance_order: Vec<Component>,
    /// All twelve pairs of due state and component, first to last; used with RULES.
    pub rules: Vec<AllocationRule>,
    /// Where money in advance goes; used with RULES.
    pub advance_to: AdvanceTo,
    /// What is finished first within one due state; used with RULES.
    pub direction: RuleDirection,
}

/// One rule of an allocation with RULES: which part of which installments.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct AllocationRule {
    /// Which installments.
    pub state: DueState,
    /// Which part of them.
    pub component: Component,
}

impl From<&conditions::Allocation> for Allocation {
    fn from(allocation: &conditions::Allocation) -> Self {
        let components = |list: &[conditions::Component]| list.iter().copied().map(Component::from).collect();
        let rule = |rule: &conditions::AllocationRule| AllocationRule {
            state: rule.state.into(),
            component: rule.component.into(),
        };
        Self {
            mode: allocation.mode.into(),
            order: components(&allocation.order),
            advance_order: components(&allocation.advance_order),
            rules: allocation.rules.iter().map(rule).collect(),
            advance_to: allocation.advance_to.into(),
            direction: allocation.direction.into(),
        }
    }
}

/// The order in which payments pay what is owed; what is left out stays as it is in the product, or by default.
#[derive(Debug, Clone, InputObject)]
pub struct AllocationInput {
    /// How a payment finds its installments; BY_INSTALLMENT by default.
    pub mode: Option<AllocationMode>,
    /// The components of what is due, first to last: all four, each once, or INCOMPLETE_LIST. PENALTY, FEE, INTEREST, PRINCIPAL by default.
    pub order: Option<Vec<Component>>,
    /// The components of what is not due yet, first to last, for DUE_THEN_ADVANCE: all four, each once, or INCOMPLETE_LIST. PENALTY, FEE, INTEREST, PRINCIPAL by default.
    pub advance_order: Option<Vec<Component>>,
    /// All twelve pairs of due state and component, each once, first to last, for RULES; fewer are refused with INCOMPLETE_LIST, which names those that lack. By default all that is past due in the usual order, then all due, then all in advance.
    pub rules: Option<Vec<AllocationRuleInput>>,
    /// Where money in advance goes, for RULES; NEXT_INSTALLMENT by default.
    pub advance_to: Option<AdvanceTo>,
    /// What is finished first within one due state, for RULES; INSTALLMENT_FIRST by default.
    pub direction: Option<RuleDirection>,
}

/// One rule of an allocation with RULES: which part of which installments.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct AllocationRuleInput {
    /// Which installments.
    pub state: DueState,
    /// Which part of them.
    pub component: Component,
}

impl From<AllocationInput> for service::AllocationInput {
    fn from(input: AllocationInput) -> Self {
        let components = |list: Vec<Component>| list.into_iter().map(Into::into).collect();
        let rule = |rule: AllocationRuleInput| conditions::AllocationRule {
            state: rule.state.into(),
            component: rule.component.into(),
        };
        Self {
            mode: input.mode.map(Into::into),
            order: input.order.map(components),
            advance_order: input.advance_order.map(components),
            rules: input.rules.map(|rules| rules.into_iter().map(rule).collect()),
            advance_to: input.advance_to.map(Into::into),
            direction: input.direction.map(Into::into),
        }
    }
}
