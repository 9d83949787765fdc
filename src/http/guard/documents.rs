//! Documents that have been scanned, parsed and pre-checked, kept by the hash of their text, so that the second sight
//! of a query pays for none of it. Bounded by estimated bytes and by number. It holds no variables and no answers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_graphql::{Name, Value, Variables};
use async_graphql_parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::Cache, sync::DefaultLifecycle};
use sha2::{Digest, Sha256};

use super::{cost_plan::CostPlan, repeats::selects_an_object_again, root_fields::RootFields, surface::NestedVariables};

/// Bytes an entry takes beside its tokens.
const ENTRY_BYTES: u64 = 1024;
/// Bytes a token takes once parsed: a field of the syntax tree, its name, its part of a vector.
const TOKEN_BYTES: u64 = 256;

/// A document that passed every check that does not depend on the request.
#[derive(Debug)]
pub struct CheckedDocument {
    /// The parsed document.
    pub document: ExecutableDocument,
    /// Its text.
    pub text: Box<str>,
    /// Whether it selects an object more than once in one place.
    pub selects_again: bool,
    pub(super) cost: CostPlan,
    operations: Vec<Operation>,
    weight: u64,
}

/// One operation of a checked document.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: Option<Name>,
    pub(super) ty: OperationType,
    /// What it asks for of the schema's root.
    pub(super) root_fields: Vec<Name>,
    /// Declared variables that stand inside a list or object literal. Validation looks into such a literal only when
    /// all of its variables were sent.
    nested: Vec<Name>,
    /// Declared variables whose null may be refused by the place they are used in, not by their own type.
    null_sensitive: Vec<Name>,
    validated: AtomicBool,
}

impl Operation {
    /// Whether strict validation of this operation has passed, with variables that let it look everywhere.
    pub(super) fn is_validated(&self) -> bool {
        self.validated.load(Ordering::Relaxed)
    }

    pub(super) fn mark_validated(&self) {
        self.validated.store(true, Ordering::Relaxed);
    }

    /// Whether passing validation with these variables proves that it passes with all others that fit their types.
    pub(super) fn proves(&self, variables: &Variables) -> bool {
        self.nested.iter().all(|name| variables.get(name).is_some_and(|value| *value != Value::Null))
    }

    /// Whether these variables must be validated in place, however often the operation was seen.
    pub(super) fn needs_validation(&self, variables: &Variables) -> bool {
        self.null_sensitive.iter().any(|name| variables.get(name) == Some(&Value::Null))
    }
}

impl CheckedDocument {
    pub(super) fn new(
        text: &str,
        document: ExecutableDocument,
        cost: CostPlan,
        nested: &NestedVariables,
        tokens: usize,
    ) -> Self {
        let operations = match &document.operations {
            DocumentOperations::Single(single) => vec![operation(None, &single.node, nested)],
            DocumentOperations::Multiple(map) => {
                map.iter().map(|(name, found)| operation(Some(name), &found.node, nested)).collect()
            }
        };
        let tokens = u64::try_from(tokens).unwrap_or(u64::MAX);
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let weight = ENTRY_BYTES.saturating_add(TOKEN_BYTES.saturating_mul(tokens)).saturating_add(length);
        let selects_again = selects_an_object_again(&document);
        Self { document, text: text.into(), selects_again, cost, operations, weight }
    }

    /// The same, where each operation knows what it asks for of the schema's root.
    pub(super) fn with_root_fields(mut self, known: &RootFields) -> Self {
        let asked = |operation: &Operation| self.definition(operation).map(|found| known.of(&self.document, found));
        let all: Vec<_> = self.operations.iter().map(|operation| asked(operation).unwrap_or_default()).collect();
        for (operation, fields) in self.operations.iter_mut().zip(all) {
            operation.root_fields = fields;
        }
        self
    }

    /// The operation of that name, or the only one when no name is given.
    pub(super) fn find(&self, name: Option<&str>) -> Option<(usize, &Operation)> {
        let mut found = self.operations.iter().enumerate();
        match name {
            Some(name) => found.find(|(_, operation)| operation.name.as_ref().is_some_and(|own| own == name)),
            None => found.next().filter(|_| self.operations.len() == 1),
        }
    }

    pub(super) fn operation(&self, index: usize) -> Option<&Operation> {
        self.operations.get(index)
    }

    pub(super) fn definition(&self, operation: &Operation) -> Option<&OperationDefinition> {
        match (&self.document.operations, &operation.name) {
            (DocumentOperations::Single(single), None) => Some(&single.node),
            (DocumentOperations::Multiple(map), Some(name)) => map.get(name).map(|found| &found.node),
            _ => None,
        }
    }
}

fn operation(name: Option<&Name>, definition: &OperationDefinition, nested: &NestedVariables) -> Operation {
    let mut facts = Operation {
        name: name.cloned(),
        ty: definition.ty,
        root_fields: Vec::new(),
        nested: Vec::new(),
        null_sensitive: Vec::new(),
        validated: AtomicBool::new(false),
    };
    for variable in &definition.variable_definitions {
        let name = &variable.node.name.node;
        let is_nested = nested.contains(name);
        if is_nested {
            facts.nested.push(name.clone());
        }
        // A default lets a nullable variable stand where null may not.
        if is_nested || (variable.node.var_type.node.nullable && variable.node.default_value.is_some()) {
            facts.null_sensitive.push(name.clone());
        }
    }
    facts
}

/// What a document is kept under: the SHA-256 of its text.
pub type DocumentKey = [u8; 32];

#[derive(Debug, Clone)]
struct ByBytes {
    least: u64,
}

impl Weighter<DocumentKey, Arc<CheckedDocument>> for ByBytes {
    fn weight(&self, _: &DocumentKey, document: &Arc<CheckedDocument>) -> u64 {
        document.weight.max(self.least)
    }
}

type DocumentCache = Cache<DocumentKey, Arc<CheckedDocument>, ByBytes>;

/// The bounded cache of checked documents.
pub struct Documents {
    cache: Option<DocumentCache>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Documents {
    /// A cache of at most `bytes`, as estimated, and `entries` documents; either being 0 turns it off.
    pub fn new(bytes: u64, entries: usize) -> Self {
        let count = u64::try_from(entries).unwrap_or(u64::MAX);
        // Few shards, so that the heaviest document the limits allow still fits into one.
        let options = OptionsBuilder::new().shards(4).estimated_items_capacity(entries).weight_capacity(bytes).build();
        // An entry weighs at least its share, which is what bounds their number.
        let cache = match (options, bytes.checked_div(count)) {
            (Ok(options), Some(least)) if bytes > 0 => {
                let weighter = ByBytes { least: least.max(1) };
                let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
                Some(Cache::with_options(options, weighter, hasher, lifecycle))
            }
            _ => None,
        };
        Self { cache, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The key of a text.
    pub fn key(query: &str) -> DocumentKey {
        Sha256::digest(query.as_bytes()).into()
    }

    /// The document of that key, counted as a hit or a miss.
    pub fn get(&self, key: &DocumentKey) -> Option<Arc<CheckedDocument>> {
        let found = self.cache.as_ref().and_then(|cache| cache.get(key));
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps a document, perhaps in place of others.
    pub fn insert(&self, key: DocumentKey, document: Arc<CheckedDocument>) {
        if let Some(cache) = &self.cache {
            cache.insert(key, document);
        }
    }

    /// How often a document was found, since the start.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// How often a document had to be parsed, since the start.
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    /// Documents held now.
    pub fn len(&self) -> usize {
        self.cache.as_ref().map_or(0, Cache::len)
    }

    /// Whether no document is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held now, as estimated.
    pub fn bytes(&self) -> u64 {
        self.cache.as_ref().map_or(0, Cache::weight)
    }
}
