//! The compiled cost of a document: sums and products in which only page sizes and list lengths taken from variables
//! are still open. Evaluating it touches each fragment once and saturates, so it can neither take long nor wrap.

use std::collections::HashMap;

use async_graphql::{Name, Value as ConstValue, Variables};

use super::cost::{Definitions, count};

/// A document's cost, open only in its variables.
#[derive(Debug, Clone, Default)]
pub struct CostPlan {
    pub(super) fragments: Vec<Pair>,
    pub(super) operations: HashMap<Option<Name>, Sum>,
}

/// What a selection set costs once, and what it costs for each row of the page it may stand in.
#[derive(Debug, Clone, Default)]
pub(super) struct Pair {
    pub(super) once: Sum,
    pub(super) item: Sum,
}

impl Pair {
    pub(super) fn flatten(mut self) -> Sum {
        self.once.add(self.item);
        self.once
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Once,
    Item,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    constant: u64,
    fragments: Vec<(usize, Part)>,
    products: Vec<(Factor, Sum)>,
}

impl Sum {
    fn is_constant(&self) -> bool {
        self.fragments.is_empty() && self.products.is_empty()
    }

    pub(super) fn add_constant(&mut self, points: u64) {
        self.constant = self.constant.saturating_add(points);
    }

    pub(super) fn add(&mut self, other: Sum) {
        self.add_constant(other.constant);
        self.fragments.extend(other.fragments);
        self.products.extend(other.products);
    }

    pub(super) fn add_fragment(&mut self, index: usize, part: Part, sum: &Sum) {
        match sum.is_constant() {
            true => self.add_constant(sum.constant),
            false => self.fragments.push((index, part)),
        }
    }

    pub(super) fn add_product(&mut self, factor: Factor, sum: Sum) {
        match factor {
            Factor::Fixed(times) if sum.is_constant() => self.add_constant(times.saturating_mul(sum.constant)),
            _ => self.products.push((factor, sum)),
        }
    }

    fn evaluate(&self, inputs: &Inputs<'_>, fragments: &[(u64, u64)]) -> u64 {
        let mut points = self.constant;
        for (index, part) in &self.fragments {
            let (once, item) = fragments.get(*index).copied().unwrap_or_default();
            points = points.saturating_add(match part {
                Part::Once => once,
                Part::Item => item,
            });
        }
        for (factor, sum) in &self.products {
            let product = factor.evaluate(inputs).saturating_mul(sum.evaluate(inputs, fragments));
            points = points.saturating_add(product);
        }
        points
    }
}

#[derive(Debug, Clone)]
pub(super) enum Factor {
    Fixed(u64),
    Page { first: Option<Bound>, last: Option<Bound>, default: u64 },
    Length(Name),
}

#[derive(Debug, Clone)]
pub(super) enum Bound {
    Fixed(u64),
    Variable(Name),
}

impl Factor {
    /// The same factor, as a number when no variable can change it.
    pub(super) fn folded(self) -> Self {
        match self {
            Self::Page { first: Some(Bound::Fixed(first)), last: Some(Bound::Fixed(last)), .. } => {
                Self::Fixed(first.max(last))
            }
            Self::Page { first: Some(Bound::Fixed(only)), last: None, .. }
            | Self::Page { first: None, last: Some(Bound::Fixed(only)), .. } => Self::Fixed(only),
            Self::Page { first: None, last: None, default } => Self::Fixed(default),
            open => open,
        }
    }

    fn evaluate(&self, inputs: &Inputs<'_>) -> u64 {
        match self {
            Self::Fixed(times) => *times,
            Self::Page { first, last, default } => {
                let asked = [first, last].into_iter().flatten().filter_map(|bound| match bound {
                    Bound::Fixed(items) => Some(*items),
                    Bound::Variable(name) => inputs.get(name).and_then(count),
                });
                // Both at once is an error later; until then the larger counts.
                asked.max().unwrap_or(*default)
            }
            Self::Length(name) => match inputs.get(name) {
                Some(ConstValue::List(items)) => u64::try_from(items.len()).unwrap_or(u64::MAX),
                _ => 1,
            },
        }
    }
}

/// Where a variable's value comes from: the request, else the operation's default.
struct Inputs<'a> {
    definitions: &'a Definitions,
    variables: &'a Variables,
}

impl<'a> Inputs<'a> {
    fn get(&self, name: &Name) -> Option<&'a ConstValue> {
        self.variables.get(name).or_else(|| {
            let definition = self.definitions.iter().find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| &value.node)
        })
    }
}

impl CostPlan {
    /// The cost of one operation in points, at least 1. An operation the plan does not know costs everything rather
    /// than nothing; the caller has looked the operation up before.
    pub fn evaluate(&self, operation: Option<&Name>, definitions: &Definitions, variables: &Variables) -> u64 {
        let Some(sum) = self.operations.get(&operation.cloned()) else { return u64::MAX };
        if sum.is_constant() {
            return sum.constant.max(1);
        }
        let inputs = Inputs { definitions, variables };
        let mut fragments: Vec<(u64, u64)> = Vec::with_capacity(self.fragments.len());
        for pair in &self.fragments {
            let points = (pair.once.evaluate(&inputs, &fragments), pair.item.evaluate(&inputs, &fragments));
            fragments.push(points);
        }
        sum.evaluate(&inputs, &fragments).max(1)
    }
}
