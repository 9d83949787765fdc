//! What an operation asks of the database, in points, before it runs. The schema says which fields are pages and which
//! take a list of ids; the document is compiled once into a small plan, and only the plan is evaluated per request.
//! `@skip` and `@include` are ignored: what might run is charged.

use std::collections::HashMap;

use async_graphql::{Positioned, Value as ConstValue};
use async_graphql_parser::{
    parse_schema,
    types::{
        BaseType, DocumentOperations, ExecutableDocument, Field, FieldDefinition, OperationType, Selection,
        SelectionSet, Type, TypeKind, TypeSystemDefinition,
    },
};
use async_graphql_value::Value;

use super::{
    cost_plan::{Bound, CostPlan, Factor, Pair, Part},
    fragments::NamedFragment,
};

/// Items of a page that says neither `first` nor `last`.
pub const DEFAULT_PAGE: u64 = 20;
/// Items charged for a `first` or `last` that is no count at all; execution refuses it anyway.
pub const LARGEST_PAGE: u64 = 100;
/// Fields that are statements of their own, by how their type's name ends, and what they cost whatever they answer:
/// counting stops at 10,001 rows, a sum reads them all, a group's members are a list of up to 50 that is not paged,
/// its loans are a page that a list of groups reads for each of them; a schedule has a row for every installment, a
/// simulation folds a loan for each of its events, and a rate is solved for; the ledger's sums read all lines, a
/// collection sheet's all that is due, and each figure of a portfolio is a statement for all its rows.
const HEAVY: &[(&str, &str, u64)] = &[
    ("Connection", "totalCount", 10),
    ("Connection", "totals", 100),
    ("Group", "members", 20),
    ("Group", "loans", 20),
    ("Loan", "schedule", 20),
    ("Loan", "interestLines", 20),
    ("Loan", "simulate", 50),
    ("Loan", "journalEntries", 20),
    ("Query", "simulateLoan", 50),
    ("Loan", "disclosure", 10),
    ("LoanSimulation", "disclosure", 10),
    ("Portfolio", "count", 100),
    ("Portfolio", "byCurrency", 100),
    ("Portfolio", "byStatus", 100),
    ("Portfolio", "byBranch", 100),
    ("Portfolio", "byProduct", 100),
    ("Portfolio", "byOfficer", 100),
    ("CurrencyTotals", "outstanding", 20),
    ("CurrencyTotals", "creditBalance", 20),
    ("CurrencyTotals", "overdue", 20),
    ("CurrencyTotals", "overdueBalances", 20),
    ("CurrencyTotals", "portfolioAtRisk", 20),
    ("CurrencyTotals", "ageing", 20),
    ("CurrencyTotals", "rescheduled", 20),
    ("CurrencyTotals", "collections", 40),
    ("CurrencyTotals", "disbursements", 40),
    ("CurrencyTotals", "repayments", 40),
    ("Query", "trialBalance", 100),
    ("Query", "ledgerAccounts", 100),
    ("CollectionSheet", "groups", 100),
    ("CollectionSheet", "totals", 100),
    ("Branch", "holidays", 5),
];

/// Which fields of a schema cost more than themselves.
#[derive(Debug, Clone, Default)]
pub struct CostModel {
    types: HashMap<String, HashMap<String, FieldModel>>,
    query: String,
    mutation: Option<String>,
    subscription: Option<String>,
}

#[derive(Debug, Clone)]
struct FieldModel {
    returns: String,
    kind: FieldKind,
}

#[derive(Debug, Clone)]
enum FieldKind {
    Plain {
        weight: u64,
    },
    /// Returns a connection; the number is the page when none is asked for.
    Page {
        default: u64,
        weight: u64,
    },
    /// Takes ids in this argument and returns as many objects.
    Batch {
        argument: String,
    },
}

impl CostModel {
    /// Reads the model out of the schema's SDL.
    ///
    /// # Errors
    /// The parser's, for text that is not a schema.
    pub fn from_sdl(sdl: &str) -> Result<Self, async_graphql_parser::Error> {
        let mut model = Self { query: "Query".to_owned(), ..Self::default() };
        for definition in parse_schema(sdl)?.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let name = |name: Option<Positioned<_>>| name.map(|name| ToString::to_string(&name.node));
                    model.query = name(schema.node.query).unwrap_or(model.query);
                    model.mutation = name(schema.node.mutation).or(model.mutation);
                    model.subscription = name(schema.node.subscription).or(model.subscription);
                }
                TypeSystemDefinition::Type(definition) => {
                    let fields = match &definition.node.kind {
                        TypeKind::Object(object) => &object.fields,
                        TypeKind::Interface(interface) => &interface.fields,
                        _ => continue,
                    };
                    let parent = definition.node.name.node.as_str();
                    let entry = model.types.entry(parent.to_owned()).or_default();
                    for field in fields {
                        entry.insert(field.node.name.node.to_string(), field_model(parent, &field.node));
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        Ok(model)
    }

    /// Compiles a document whose fragments are in `order`.
    pub fn compile(&self, document: &ExecutableDocument, order: &[NamedFragment<'_>]) -> CostPlan {
        let mut compiler = Compiler { model: self, fragments: HashMap::new(), plan: CostPlan::default() };
        for (name, fragment) in order {
            let pair = compiler.set(&fragment.selection_set.node, Some(&fragment.type_condition.node.on.node));
            compiler.fragments.insert(name, compiler.plan.fragments.len());
            compiler.plan.fragments.push(pair);
        }
        let operations: Vec<_> = match &document.operations {
            DocumentOperations::Single(operation) => vec![(None, operation)],
            DocumentOperations::Multiple(map) => map.iter().map(|(name, operation)| (Some(name), operation)).collect(),
        };
        for (name, operation) in operations {
            let root = match operation.node.ty {
                OperationType::Query => Some(self.query.as_str()),
                OperationType::Mutation => self.mutation.as_deref(),
                OperationType::Subscription => self.subscription.as_deref(),
            };
            let sum = compiler.set(&operation.node.selection_set.node, root).flatten();
            compiler.plan.operations.insert(name.cloned(), sum);
        }
        compiler.plan
    }
}

fn field_model(parent: &str, field: &FieldDefinition) -> FieldModel {
    let returns = base_name(&field.ty.node).to_owned();
    let name = field.name.node.as_str();
    let ids = field.arguments.iter().find(|argument| is_list_of_ids(&argument.node.ty.node));
    let heavy = HEAVY.iter().find(|(of, heavy, _)| *heavy == name && parent.ends_with(of));
    let weight = heavy.map_or(1, |(_, _, weight)| *weight);
    let kind = if is_connection(&returns) {
        let default = field.arguments.iter().find(|argument| argument.node.name.node == "first");
        let default = default.and_then(|argument| argument.node.default_value.as_ref());
        let default = default.and_then(|value| count(&value.node));
        FieldKind::Page { default: default.unwrap_or(DEFAULT_PAGE), weight }
    } else if let Some(ids) = ids.filter(|_| matches!(field.ty.node.base, BaseType::List(_))) {
        FieldKind::Batch { argument: ids.node.name.node.to_string() }
    } else {
        FieldKind::Plain { weight }
    };
    FieldModel { returns, kind }
}

fn is_connection(type_name: &str) -> bool {
    type_name.ends_with("Connection")
}

fn base_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base_name(inner),
    }
}

fn is_list_of_ids(ty: &Type) -> bool {
    matches!(&ty.base, BaseType::List(inner) if matches!(&inner.base, BaseType::Named(name) if name == "ID"))
}

/// How many items a `first` or `last` asks for; nothing for null, the largest page for what is no count.
pub(super) fn count(value: &ConstValue) -> Option<u64> {
    match value {
        ConstValue::Null => None,
        ConstValue::Number(number) => Some(number.as_u64().unwrap_or(LARGEST_PAGE)),
        _ => Some(LARGEST_PAGE),
    }
}

struct Compiler<'a> {
    model: &'a CostModel,
    fragments: HashMap<&'a str, usize>,
    plan: CostPlan,
}

impl<'a> Compiler<'a> {
    fn set(&self, set: &SelectionSet, parent: Option<&str>) -> Pair {
        let mut pair = Pair::default();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, parent, &mut pair),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref().map(|on| on.node.on.node.as_str());
                    let inner = self.set(&inline.node.selection_set.node, condition.or(parent));
                    pair.once.add(inner.once);
                    pair.item.add(inner.item);
                }
                Selection::FragmentSpread(spread) => {
                    let index = self.fragments.get(spread.node.fragment_name.node.as_str()).copied();
                    if let Some((index, fragment)) = index.and_then(|at| Some((at, self.plan.fragments.get(at)?))) {
                        pair.once.add_fragment(index, Part::Once, &fragment.once);
                        pair.item.add_fragment(index, Part::Item, &fragment.item);
                    }
                }
            }
        }
        pair
    }

    fn field(&self, field: &Field, parent: Option<&str>, pair: &mut Pair) {
        let name = field.name.node.as_str();
        let model = parent.and_then(|parent| self.model.types.get(parent)).and_then(|fields| fields.get(name));
        let inner = self.set(&field.selection_set.node, model.map(|model| model.returns.as_str()));
        match model.map(|model| &model.kind) {
            Some(FieldKind::Page { default, weight }) => {
                pair.once.add_constant(*weight);
                pair.once.add(inner.once);
                pair.once.add_product(page(field, *default), inner.item);
            }
            Some(FieldKind::Batch { argument }) => {
                pair.once.add_constant(1);
                pair.once.add_product(length(field, argument), inner.flatten());
            }
            Some(FieldKind::Plain { weight }) => self.plain(*weight, parent, name, inner, pair),
            None => self.plain(1, parent, name, inner, pair),
        }
    }

    fn plain(&self, weight: u64, parent: Option<&str>, name: &str, inner: Pair, pair: &mut Pair) {
        pair.once.add_constant(weight);
        // The rows of a page: the connection field that encloses them multiplies.
        if matches!(name, "edges" | "nodes") && parent.is_some_and(is_connection) {
            pair.item.add(inner.flatten());
        } else {
            pair.once.add(inner.flatten());
        }
    }
}

fn page(field: &Field, default: u64) -> Factor {
    Factor::Page { first: bound(field, "first"), last: bound(field, "last"), default }.folded()
}

fn bound(field: &Field, argument: &str) -> Option<Bound> {
    match &field.get_argument(argument)?.node {
        Value::Variable(name) => Some(Bound::Variable(name.clone())),
        Value::Null => None,
        Value::Number(number) => Some(Bound::Fixed(number.as_u64().unwrap_or(LARGEST_PAGE))),
        _ => Some(Bound::Fixed(LARGEST_PAGE)),
    }
}

fn length(field: &Field, argument: &str) -> Factor {
    match field.get_argument(argument).map(|value| &value.node) {
        Some(Value::Variable(name)) => Factor::Length(name.clone()),
        Some(Value::List(items)) => Factor::Fixed(u64::try_from(items.len()).unwrap_or(u64::MAX)),
        // One value stands for a list of one.
        _ => Factor::Fixed(1),
    }
}

/// The definitions a plan's variables take their defaults from.
pub(super) type Definitions = [Positioned<async_graphql_parser::types::VariableDefinition>];
