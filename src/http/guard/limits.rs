//! The numbers that bound one GraphQL document. Each default carries its reason; the configuration may move it, and
//! nothing else in the guard holds a number of its own.

/// What one document may be. Counts are inclusive: a document that reaches a limit passes, one more is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of query text. The standard introspection query is 2 KiB and a very large hand-written query 8 KiB.
    pub query_bytes: usize,
    /// Lexical tokens. Bounds what the parser allocates (about 256 bytes a token) and every later walk.
    pub tokens: usize,
    /// Brackets of any kind open at once. The parser recurses per bracket and overflows the stack at a few thousand.
    pub nesting: usize,
    /// Bytes of one name. No name in the schema reaches 64; the text is repeated in errors and in log lines.
    pub name_length: usize,
    /// Fields inside fields, introspection apart. The longest useful path (a page with its edges, a nested list and
    /// an amount of money) is eight deep.
    pub depth: usize,
    /// Fields inside `__schema` or `__type`. The standard introspection query needs all 15: nine wrappers of
    /// a type and its name at the end of `types { fields { args { type`.
    pub introspection_depth: usize,
    /// Lists of types nested in introspection (`fields`, `interfaces`, `possibleTypes`, `inputFields`). Each further
    /// one multiplies the answer by the size of the schema; the standard query nests one.
    pub introspection_lists: usize,
    /// Whether `__schema` and `__type` are answered at all. Off in production: the schema is published as a file.
    pub introspection: bool,
    /// Selection sets entered through fields, fragments and inline fragments together. The executor's own limit is
    /// 32, and it recurses that deep per request.
    pub expanded_nesting: usize,
    /// Selections of one operation with its fragments expanded. Stops the 1 KB of doubling fragments that costs
    /// 2³⁰ visits.
    pub expanded_selections: usize,
    /// The same, summed over all operations and all fragment definitions: validation walks each of them expanded,
    /// used or not.
    pub document_selections: usize,
    /// Aliases of one operation with its fragments expanded. An alias is how one request asks the same thing many
    /// times.
    pub aliases: usize,
    /// Directives on one field, fragment, operation or variable. `@skip` and `@include` are all there are.
    pub directives_per_field: usize,
    /// Directives in the whole document.
    pub directives_per_document: usize,
    /// Whether what the library's validation passes over is refused here: directives that are unknown, repeated or wrong
    /// where it does not look, and anything on `__typename`. Off in tests of the other limits only.
    pub strict_surface: bool,
    /// Fields at the root of a query. Each may be a statement of its own on the database.
    pub root_query_fields: usize,
    /// Fields at the root of a mutation. Each is a transaction of its own.
    pub root_mutation_fields: usize,
    /// Items of one list, in a literal or in the variables. Bounds the bind parameters of one statement.
    pub list_items: usize,
    /// Lists and objects inside each other, in a literal or in the variables. The deepest input is a filter of
    /// `and`/`or`/`not` nested three times, about ten.
    pub variables_depth: usize,
    /// Cost of one operation (see [`super::cost`]). A page of 100 with fifty fields a row.
    pub cost: u64,
    /// Bytes the cache of checked documents may hold, as estimated.
    pub cache_bytes: u64,
    /// Documents the cache may hold. A frontend ships a few hundred operations.
    pub cache_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_bytes: 16 * 1024,
            tokens: 2_000,
            nesting: 40,
            name_length: 256,
            depth: 10,
            introspection_depth: 15,
            introspection_lists: 2,
            introspection: true,
            expanded_nesting: 32,
            expanded_selections: 2_000,
            document_selections: 10_000,
            aliases: 30,
            directives_per_field: 10,
            directives_per_document: 50,
            strict_surface: true,
            root_query_fields: 20,
            root_mutation_fields: 5,
            list_items: 250,
            variables_depth: 40,
            cost: 5_000,
            cache_bytes: 8 * 1024 * 1024,
            cache_entries: 2_000,
        }
    }
}
