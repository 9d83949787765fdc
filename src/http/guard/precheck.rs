//! What a parsed document would cost the executor in visits, before any schema sees it. Fragments are measured once
//! each and added up with saturation, so the check is linear in the document however often they are spread. It knows
//! no types: whatever needs the schema is left to `cost`, `variables` and validation.

use std::collections::{HashMap, HashSet};

use async_graphql::{Name, Pos};
use async_graphql_parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};

use super::{fragments::NamedFragment, limits::Limits, refusal::Refusal};

/// What a selection set amounts to with its fragments expanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fields, spreads and inline fragments.
    pub selections: usize,
    /// Selection sets entered on the way to the innermost.
    pub nesting: usize,
    /// Fields inside fields; `__schema` and `__type` end the count.
    pub depth: usize,
    /// Fields inside fields within `__schema` or `__type`, themselves included.
    pub introspection_depth: usize,
    /// Introspection lists inside each other, wherever they stand.
    lists: usize,
    /// Introspection lists inside each other within `__schema` or `__type`.
    pub introspection_lists: usize,
    /// Aliased fields.
    pub aliases: usize,
    /// Fields of this set itself, through fragments.
    pub root_fields: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.nesting = self.nesting.max(other.nesting);
        self.depth = self.depth.max(other.depth);
        self.introspection_depth = self.introspection_depth.max(other.introspection_depth);
        self.lists = self.lists.max(other.lists);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.root_fields = self.root_fields.saturating_add(other.root_fields);
    }
}

/// The counts of every fragment, by name.
pub type Memo<'a> = HashMap<&'a str, Counts>;

/// Refuses a document that exceeds a limit in any of its operations.
///
/// # Errors
/// `NESTED_TOO_DEEP`, `QUERY_TOO_COMPLEX`, `QUERY_TOO_DEEP`, `TOO_MANY_ALIASES`, `TOO_MANY_ROOT_FIELDS`,
/// `DUPLICATE_MUTATION_FIELD`, `INTROSPECTION_DISABLED`.
pub fn check(document: &ExecutableDocument, order: &[NamedFragment<'_>], limits: &Limits) -> Result<(), Refusal> {
    let memo = measure_fragments(order);
    let mut total = 0_usize;
    for (name, fragment) in order {
        let counts = memo.get(name.as_str()).copied().unwrap_or_default();
        // Validation walks it even when nothing spreads it; what it holds is judged where it is spread.
        check_expansion(&counts, fragment.selection_set.pos, limits)?;
        total = total.saturating_add(counts.selections);
    }
    for operation in operations(document) {
        let counts = measure(&operation.selection_set.node, &memo);
        check_expansion(&counts, operation.selection_set.pos, limits)?;
        check_contents(&counts, operation.selection_set.pos, limits)?;
        check_root(operation, &counts, document, &memo, limits)?;
        total = total.saturating_add(counts.selections);
    }
    if total > limits.document_selections {
        let message = format!(
            "The document's operations and fragments come to more than {} selections: send fewer operations at once.",
            limits.document_selections
        );
        return Err(Refusal::guard("QUERY_TOO_COMPLEX", message));
    }
    Ok(())
}

/// The operations in the order they stand in the text, so that the same document is always refused for the same one.
pub fn operations(document: &ExecutableDocument) -> Vec<&OperationDefinition> {
    let mut found: Vec<_> = match &document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(map) => map.values().collect(),
    };
    found.sort_by_key(|operation| operation.pos);
    found.into_iter().map(|operation| &operation.node).collect()
}

/// Measures every fragment, given each after those it spreads.
pub fn measure_fragments<'a>(order: &[NamedFragment<'a>]) -> Memo<'a> {
    let mut memo = Memo::with_capacity(order.len());
    for (name, fragment) in order {
        let counts = measure(&fragment.selection_set.node, &memo);
        memo.insert(name, counts);
    }
    memo
}

/// Measures one selection set, given the counts of the fragments it spreads.
pub fn measure(set: &SelectionSet, memo: &Memo<'_>) -> Counts {
    let mut sum = Counts::default();
    for selection in &set.items {
        let counts = match &selection.node {
            Selection::Field(field) => {
                let inner = measure(&field.node.selection_set.node, memo);
                let mut counts = field_counts(&field.node.name.node, inner);
                counts.nesting = match field.node.selection_set.node.items.is_empty() {
                    true => 0,
                    false => inner.nesting.saturating_add(1),
                };
                counts.aliases = counts.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                counts
            }
            Selection::InlineFragment(inline) => spread_counts(measure(&inline.node.selection_set.node, memo)),
            Selection::FragmentSpread(spread) => {
                spread_counts(memo.get(spread.node.fragment_name.node.as_str()).copied().unwrap_or_default())
            }
        };
        sum.add(&counts);
    }
    sum
}

fn field_counts(name: &str, inner: Counts) -> Counts {
    let mut counts = Counts { selections: inner.selections.saturating_add(1), root_fields: 1, ..inner };
    if matches!(name, "__schema" | "__type") {
        counts.depth = 1;
        counts.introspection_depth = inner.introspection_depth.max(inner.depth.saturating_add(1));
        counts.introspection_lists = inner.introspection_lists.max(inner.lists);
    } else {
        counts.depth = inner.depth.saturating_add(1);
    }
    if matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields") {
        counts.lists = inner.lists.saturating_add(1);
    }
    counts
}

fn spread_counts(inner: Counts) -> Counts {
    Counts { selections: inner.selections.saturating_add(1), nesting: inner.nesting.saturating_add(1), ..inner }
}

fn check_expansion(counts: &Counts, pos: Pos, limits: &Limits) -> Result<(), Refusal> {
    if counts.selections > limits.expanded_selections {
        let message = format!(
            "The query selects more than {} fields with its fragments expanded: select less, or split it.",
            limits.expanded_selections
        );
        return Err(Refusal::guard("QUERY_TOO_COMPLEX", message).at(pos));
    }
    if counts.nesting > limits.expanded_nesting {
        let message = format!(
            "The query nests more than {} selection sets with its fragments expanded: flatten it.",
            limits.expanded_nesting
        );
        return Err(Refusal::guard("NESTED_TOO_DEEP", message).at(pos));
    }
    Ok(())
}

fn check_contents(counts: &Counts, pos: Pos, limits: &Limits) -> Result<(), Refusal> {
    let refuse = |code, message: String| Err(Refusal::guard(code, message).at(pos));
    if counts.introspection_depth > 0 && !limits.introspection {
        let message = "Introspection is off on this server: read the published schema.graphql instead.";
        return refuse("INTROSPECTION_DISABLED", message.to_owned());
    }
    if counts.depth > limits.depth {
        let message = format!("The query nests fields more than {} deep: split it into several.", limits.depth);
        return refuse("QUERY_TOO_DEEP", message);
    }
    if counts.introspection_depth > limits.introspection_depth {
        let message = format!(
            "The introspection query nests fields more than {} deep: use the standard introspection query.",
            limits.introspection_depth
        );
        return refuse("QUERY_TOO_DEEP", message);
    }
    if counts.introspection_lists > limits.introspection_lists {
        let message = format!(
            "The introspection query nests more than {} lists of types: use the standard introspection query.",
            limits.introspection_lists
        );
        return refuse("QUERY_TOO_DEEP", message);
    }
    if counts.aliases > limits.aliases {
        let message = format!("The query uses more than {} aliases: split it into several.", limits.aliases);
        return refuse("TOO_MANY_ALIASES", message);
    }
    Ok(())
}

fn check_root(
    operation: &OperationDefinition,
    counts: &Counts,
    document: &ExecutableDocument,
    memo: &Memo<'_>,
    limits: &Limits,
) -> Result<(), Refusal> {
    let pos = operation.selection_set.pos;
    let refuse = |message: String| Err(Refusal::guard("TOO_MANY_ROOT_FIELDS", message).at(pos));
    match operation.ty {
        OperationType::Query if counts.root_fields > limits.root_query_fields => refuse(format!(
            "The query selects more than {} fields at its root: split it into several.",
            limits.root_query_fields
        )),
        OperationType::Mutation if counts.root_fields > limits.root_mutation_fields => refuse(format!(
            "The mutation selects more than {} fields at its root: send several requests.",
            limits.root_mutation_fields
        )),
        OperationType::Subscription if counts.root_fields > 1 => {
            refuse("A subscription selects exactly one field at its root: start one for each.".to_owned())
        }
        OperationType::Mutation => {
            let mut keys = ResponseKeys { document, memo, keys: HashSet::new(), fragments: HashSet::new() };
            keys.collect(&operation.selection_set.node)
        }
        OperationType::Query | OperationType::Subscription => Ok(()),
    }
}

/// The response keys at the root of a mutation. The executor runs a mutation once for every selection, not once for
/// every key, so the same key twice would move money twice. `@skip` and `@include` do not excuse it.
struct ResponseKeys<'a> {
    document: &'a ExecutableDocument,
    memo: &'a Memo<'a>,
    keys: HashSet<&'a Name>,
    fragments: HashSet<&'a Name>,
}

impl<'a> ResponseKeys<'a> {
    fn collect(&mut self, set: &'a SelectionSet) -> Result<(), Refusal> {
        for selection in &set.items {
            match &selection.node {
                // It runs nothing, so twice does no harm.
                Selection::Field(field) if field.node.name.node == "__typename" => {}
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    if !self.keys.insert(key) {
                        return Err(duplicate(key, selection.pos));
                    }
                }
                Selection::InlineFragment(inline) => self.collect(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    if self.fragments.insert(name) {
                        self.collect(&fragment.node.selection_set.node)?;
                    } else if self.memo.get(name.as_str()).is_some_and(|counts| counts.root_fields > 0) {
                        return Err(duplicate(name, selection.pos));
                    }
                }
            }
        }
        Ok(())
    }
}

fn duplicate(name: &Name, pos: Pos) -> Refusal {
    let message = format!("The mutation selects \"{name}\" more than once: remove one, or give it an alias.");
    Refusal::guard("DUPLICATE_MUTATION_FIELD", message).at(pos)
}
