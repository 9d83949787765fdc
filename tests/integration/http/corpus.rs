//! The attack corpus: requests that ask for work that grows faster than their text, or that are not what they claim to
//! be, each with the status and code it must be answered with.

use serde_json::json;

pub struct Attack {
    pub name: String,
    pub body: Vec<u8>,
    pub status: u16,
    pub code: &'static str,
}

fn attack(name: &str, query: &str, status: u16, code: &'static str) -> Attack {
    Attack { name: name.to_owned(), body: json!({"query": query}).to_string().into_bytes(), status, code }
}

fn raw(name: &str, body: impl Into<Vec<u8>>, status: u16, code: &'static str) -> Attack {
    Attack { name: name.to_owned(), body: body.into(), status, code }
}

/// A document of about 1 KB that would be expanded to 2³⁰ selections.
pub fn doubling_fragments(root: &str, leaf: &str) -> String {
    let mut query = format!("{root} {{ ...F0 }}");
    let on = if root == "mutation" { "Mutation" } else { "Query" };
    for level in 0..30 {
        let next = level + 1;
        query.push_str(&format!(" fragment F{level} on {on} {{ ...F{next} ...F{next} }}"));
    }
    query + &format!(" fragment F30 on {on} {{ {leaf} }}")
}

fn cycle(length: usize) -> String {
    let fragments: String = (0..length)
        .map(|level| format!(" fragment F{level} on Query {{ __typename ...F{} }}", (level + 1) % length))
        .collect();
    format!("{{ ...F0 }}{fragments}")
}

const CREATE: &str = r#"createBranch(input: { code: "X", name: "X", currency: "KES", timeZone: "Africa/Nairobi" })
    { branch { id } }"#;

/// `ofType`, forty times.
fn type_chain(levels: usize) -> String {
    format!("{}{}", "ofType { ".repeat(levels), "name".to_owned() + &" }".repeat(levels))
}

/// What the default settings refuse.
pub fn under_default_settings() -> Vec<Attack> {
    let mut attacks = vec![
        attack("doubling fragments", &doubling_fragments("query", "__typename"), 400, "QUERY_TOO_COMPLEX"),
        attack(
            "doubling fragments nobody spreads",
            &doubling_fragments("query", "__typename").replacen("{ ...F0 }", "{ __typename }", 1),
            400,
            "QUERY_TOO_COMPLEX",
        ),
        attack("doubling fragments in a mutation", &doubling_fragments("mutation", CREATE), 400, "QUERY_TOO_COMPLEX"),
        attack("200,000 open braces", &"{".repeat(200_000), 413, "QUERY_TOO_LARGE"),
        attack("200,000 open brackets", &"[".repeat(200_000), 413, "QUERY_TOO_LARGE"),
        attack("as many open brackets as fit", &"{a".repeat(8_000), 400, "NESTED_TOO_DEEP"),
        attack(
            "10,000 aliases",
            &format!("{{ {} }}", (0..10_000).map(|at| format!("a{at}:__typename ")).collect::<String>()),
            413,
            "QUERY_TOO_LARGE",
        ),
        attack(
            "31 aliases",
            &format!("{{ {} }}", (0..31).map(|at| format!("a{at}: viewer {{ subject }} ")).collect::<String>()),
            400,
            "TOO_MANY_ALIASES",
        ),
        attack(
            "500 directives on a field",
            &format!("{{ __typename {} }}", "@skip(if:false) ".repeat(500)),
            400,
            "TOO_MANY_TOKENS",
        ),
        attack(
            "500 unknown directives on a field",
            &format!("{{ __typename {} }}", "@a ".repeat(500)),
            400,
            "TOO_MANY_DIRECTIVES",
        ),
        attack(
            "directives on many fields",
            &format!("{{ {} }}", "__typename @skip(if:false) ".repeat(51)),
            400,
            "TOO_MANY_DIRECTIVES",
        ),
        attack(
            "a deep list literal",
            &format!("{{ nodes(ids: {}\"x\"{}) {{ id }} }}", "[".repeat(2_000), "]".repeat(2_000)),
            400,
            "NESTED_TOO_DEEP",
        ),
        attack(
            "a list literal of 60 levels",
            &format!("{{ nodes(ids: {}\"x\"{}) {{ id }} }}", "[".repeat(60), "]".repeat(60)),
            400,
            "NESTED_TOO_DEEP",
        ),
        attack(
            "a deep filter",
            &format!("{{ loans(filter: {}{}) {{ totalCount }} }}", "{not:".repeat(300), "}".repeat(300)),
            400,
            "NESTED_TOO_DEEP",
        ),
        attack(
            "a long list literal",
            &format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(1_000)),
            400,
            "LIST_TOO_LONG",
        ),
        attack("one mutation twice", &format!("mutation {{ {CREATE} {CREATE} }}"), 400, "DUPLICATE_MUTATION_FIELD"),
        attack(
            "one mutation twice through a fragment",
            &format!("mutation {{ {CREATE} ...F }} fragment F on Mutation {{ {CREATE} }}"),
            400,
            "DUPLICATE_MUTATION_FIELD",
        ),
        attack(
            "one mutation twice through one fragment spread twice",
            &format!("mutation {{ ...F ...F }} fragment F on Mutation {{ {CREATE} }}"),
            400,
            "DUPLICATE_MUTATION_FIELD",
        ),
        attack(
            "one mutation twice through inline fragments",
            &format!("mutation {{ ... {{ {CREATE} }} ... on Mutation {{ {CREATE} }} }}"),
            400,
            "DUPLICATE_MUTATION_FIELD",
        ),
        attack(
            "one mutation twice, one of them skipped",
            &format!("mutation {{ {CREATE} {} }}", CREATE.replacen("{ branch", "@skip(if: true) { branch", 1)),
            400,
            "DUPLICATE_MUTATION_FIELD",
        ),
        attack(
            "six mutations",
            &format!("mutation {{ {} }}", (0..6).map(|at| format!("a{at}: {CREATE} ")).collect::<String>()),
            400,
            "TOO_MANY_ROOT_FIELDS",
        ),
        attack("21 fields at the root", &format!("{{ {} }}", "viewer { subject } ".repeat(21)), 400, "TOO_MANY_ROOT_FIELDS"),
        attack("a huge name", &format!("{{ {} }}", "a".repeat(10_000)), 400, "NAME_TOO_LONG"),
        attack("a huge alias", &format!("{{ {}: __typename }}", "a".repeat(10_000)), 400, "NAME_TOO_LONG"),
        attack(
            "a huge variable name",
            &format!("query(${}: Int) {{ __typename }}", "a".repeat(10_000)),
            400,
            "NAME_TOO_LONG",
        ),
        attack("too many tokens", &format!("{{ {} }}", "a ".repeat(2_100)), 400, "TOO_MANY_TOKENS"),
        attack("an unterminated string", "{ loan(by: { number: \"L-1", 400, "GRAPHQL_PARSE_FAILED"),
        attack(
            "a long unterminated string",
            &format!("{{ loan(by: {{ number: \"{}", "x".repeat(10_000)),
            400,
            "GRAPHQL_PARSE_FAILED",
        ),
        attack(
            "an unterminated block string",
            &format!("{{ loan(by: {{ number: \"\"\"{}\"\"", "\\\"\"\"".repeat(2_000)),
            400,
            "GRAPHQL_PARSE_FAILED",
        ),
        attack("an unterminated document", "{ viewer { subject ", 400, "GRAPHQL_PARSE_FAILED"),
        attack("nothing", "", 400, "GRAPHQL_PARSE_FAILED"),
        attack("nothing but commas", &",".repeat(10_000), 400, "GRAPHQL_PARSE_FAILED"),
        attack("nothing but a comment", &format!("#{}", "x".repeat(10_000)), 400, "GRAPHQL_PARSE_FAILED"),
        attack("a NUL in the document", "{ viewer\u{0} { subject } }", 400, "GRAPHQL_PARSE_FAILED"),
        attack("a bad escape", r#"{ loan(by: { number: "\uD800" }) { id } }"#, 400, "GRAPHQL_PARSE_FAILED"),
        attack(
            "a huge integer literal",
            &format!("{{ loans(first: {}) {{ totalCount }} }}", "9".repeat(10_000)),
            400,
            "GRAPHQL_PARSE_FAILED",
        ),
        attack(
            "a huge decimal literal",
            &format!("{{ loans(first: 1.{}) {{ totalCount }} }}", "9".repeat(10_000)),
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        attack("a huge exponent", "{ loans(first: 1e999999999) { totalCount } }", 400, "GRAPHQL_PARSE_FAILED"),
        attack("a fragment of itself", "{ ...F } fragment F on Query { ...F }", 400, "FRAGMENT_CYCLE"),
        attack("a cycle of two fragments", &cycle(2), 400, "FRAGMENT_CYCLE"),
        attack("a cycle of 100 fragments", &cycle(100), 400, "FRAGMENT_CYCLE"),
        attack(
            "a cycle nobody spreads",
            "{ __typename } fragment A on Query { ...B } fragment B on Query { ...A }",
            400,
            "FRAGMENT_CYCLE",
        ),
        attack(
            "introspection, deep",
            &format!("{{ __schema {{ types {{ fields {{ type {{ {} }} }} }} }} }}", type_chain(20)),
            400,
            "QUERY_TOO_DEEP",
        ),
        attack(
            "introspection, lists inside lists",
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            400,
            "QUERY_TOO_DEEP",
        ),
        attack(
            "introspection through fragments",
            "{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } }
             fragment B on __Type { fields { type { ...C } } } fragment C on __Type { fields { name } }",
            400,
            "QUERY_TOO_DEEP",
        ),
        attack(
            "a deep query",
            "{ loans { nodes { branch { parent { parent { parent { parent { parent { parent { parent { id } } } } } } } } } } }",
            400,
            "QUERY_TOO_DEEP",
        ),
        attack(
            "an expensive page",
            "{ a: loans(first: 100) { nodes { id borrower { id name number branch { id code name } } branch { id code name
             parent { id code name } } product { id code name } principal { amount currency } status number } }
             b: loans(first: 100) { nodes { id borrower { id name number branch { id code name } } branch { id code name
             parent { id code name } } product { id code name } principal { amount currency } status number } } }",
            400,
            "QUERY_TOO_COMPLEX",
        ),
        attack("a million rows", "{ loans(first: 1000000) { nodes { id } } }", 400, "QUERY_TOO_COMPLEX"),
        attack("many operations", &"query A{} { __typename } ".repeat(2).replace("{}", ""), 400, "GRAPHQL_PARSE_FAILED"),
        attack("a schema instead of a query", "type Query { a: Int }", 400, "GRAPHQL_PARSE_FAILED"),
        attack("a subscription", "subscription { __typename }", 400, "SUBSCRIPTION_NOT_SUPPORTED"),
    ];
    attacks.extend(bodies());
    attacks.extend(variables());
    attacks
}

/// Bodies that are not what they should be.
fn bodies() -> Vec<Attack> {
    let megabyte = format!(r#"{{"query":"{{ __typename }}","padding":"{}"}}"#, "x".repeat(1_000_000));
    vec![
        raw("a body of 1 MB", megabyte, 413, "PAYLOAD_TOO_LARGE"),
        raw("a body of 5 MB", vec![b' '; 5_000_000], 413, "PAYLOAD_TOO_LARGE"),
        raw("200,000 open brackets as JSON", "[".repeat(200_000), 400, "BAD_REQUEST"),
        raw("200,000 open braces as JSON", "{\"a\":".repeat(40_000), 400, "BAD_REQUEST"),
        raw("not UTF-8", b"{\"query\":\"{ viewer { subject } } #\xff\xfe\"}".to_vec(), 400, "BAD_REQUEST"),
        raw(
            "not UTF-8 in a value",
            b"{\"query\":\"{ __typename }\",\"variables\":{\"a\":\"\xc3\x28\"}}".to_vec(),
            400,
            "BAD_REQUEST",
        ),
        raw("UTF-16", b"{\0\"\0q\0u\0e\0r\0y\0\"\0:\0\"\0{\0a\0}\0\"\0}\0".to_vec(), 400, "BAD_REQUEST"),
        raw("nothing at all", "", 400, "BAD_REQUEST"),
        raw("NUL bytes", vec![0; 10_000], 400, "BAD_REQUEST"),
        raw("a number", "7", 400, "BAD_REQUEST"),
        raw(
            "a batch",
            format!("[{}]", vec![r#"{"query":"{ __typename }"}"#; 1_000].join(",")),
            400,
            "BATCH_NOT_SUPPORTED",
        ),
        raw(
            "a huge number as variables",
            format!(r#"{{"query":"{{ __typename }}","variables":{}}}"#, "9".repeat(10_000)),
            400,
            "BAD_REQUEST",
        ),
        raw(
            "a huge operation name",
            json!({"query": "query A { __typename }", "operationName": "A".repeat(100_000)}).to_string(),
            400,
            "OPERATION_NOT_FOUND",
        ),
        raw("a lone surrogate", r#"{"query":"{ __typename }","operationName":"\ud800"}"#, 400, "BAD_REQUEST"),
    ]
}

/// Variables nested and long.
fn variables() -> Vec<Attack> {
    let nested = |open: &str, close: &str, levels: usize| {
        let value = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        format!(
            r#"{{"query":"query($v: LoanFilter) {{ loans(filter: $v) {{ totalCount }} }}","variables":{{"v":{value}}}}}"#
        )
    };
    let with = |query: &str, value: serde_json::Value| json!({"query": query, "variables": {"v": value}}).to_string();
    let ids = "query($v: [ID!]!) { nodes(ids: $v) { id } }";
    let first = "query($v: Int) { loans(first: $v) { totalCount } }";
    vec![
        raw("variables 100 levels deep", nested("{\"not\":", "}", 100), 400, "VARIABLES_TOO_DEEP"),
        raw("lists 100 levels deep", nested("[", "]", 100), 400, "VARIABLES_TOO_DEEP"),
        raw("variables 20,000 levels deep", nested("{\"not\":", "}", 20_000), 400, "BAD_REQUEST"),
        raw("lists 100,000 levels deep", nested("[", "]", 100_000), 400, "BAD_REQUEST"),
        raw("a list of 50,000 items", with(ids, vec!["x"; 50_000].into()), 400, "LIST_TOO_LONG"),
        raw("a list nobody declared", with("{ __typename }", vec!["x"; 50_000].into()), 400, "LIST_TOO_LONG"),
        raw(
            "a number beyond 64 bits",
            nested("", "", 0).replace(":1}", ":99999999999999999999999999}"),
            400,
            "BAD_VARIABLES",
        ),
        raw("a number beyond 32 bits", with(first, 3_000_000_000_u32.into()), 400, "BAD_VARIABLES"),
        raw(
            "a number beyond any",
            format!(r#"{{"query":"{{ __typename }}","variables":{{"v":1e{}}}}}"#, "9".repeat(1_000)),
            400,
            "BAD_REQUEST",
        ),
        raw("a fraction for a whole number", with(first, 1.5.into()), 400, "BAD_VARIABLES"),
    ]
}

/// What is left to refuse when the text's own limits are out of the way: the deeper layers hold by themselves.
pub fn under_lifted_settings() -> Vec<Attack> {
    let aliases: String = (0..10_000).map(|at| format!("a{at}:__typename ")).collect();
    vec![
        attack("200,000 open braces", &"{".repeat(200_000), 400, "NESTED_TOO_DEEP"),
        attack("200,000 open brackets", &"[".repeat(200_000), 400, "NESTED_TOO_DEEP"),
        attack("100,000 open arguments", &"{a(b:".repeat(40_000), 400, "NESTED_TOO_DEEP"),
        attack("10,000 aliases", &format!("{{ {aliases} }}"), 400, "TOO_MANY_ALIASES"),
        attack("10,000 directives", &format!("{{ __typename {} }}", "@a ".repeat(10_000)), 400, "TOO_MANY_DIRECTIVES"),
        attack(
            "50,000 fields at the root",
            &format!("{{ {} }}", "viewer{subject} ".repeat(10_000)),
            400,
            "TOO_MANY_ROOT_FIELDS",
        ),
        attack("doubling fragments", &doubling_fragments("query", "__typename"), 400, "TOO_MANY_ROOT_FIELDS"),
        attack("doubling fragments in a mutation", &doubling_fragments("mutation", CREATE), 400, "QUERY_TOO_COMPLEX"),
        attack("a cycle of 2,000 fragments", &cycle(2_000), 400, "FRAGMENT_CYCLE"),
        attack(
            "a long list literal",
            &format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(50_000)),
            400,
            "LIST_TOO_LONG",
        ),
        attack("an unterminated string", &format!("{{ a(b: \"{}", "x".repeat(200_000)), 400, "GRAPHQL_PARSE_FAILED"),
        attack("a huge name", &"a".repeat(200_000), 400, "NAME_TOO_LONG"),
        attack(
            "a number without an end",
            &format!("{{ loans(first: {}) {{ totalCount }} }}", "9".repeat(200_000)),
            400,
            "GRAPHQL_PARSE_FAILED",
        ),
    ]
}
