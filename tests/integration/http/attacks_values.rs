//! Values that are well-formed GraphQL and meant to hurt what is behind it: NUL characters, SQL, patterns, texts without
//! an end. Never a 5xx, never INTERNAL, never SQL in an answer.

use serde_json::{Value as Json, json};

use crate::support::server::{Reply, Server, Setup};

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "\0",
        "a\0b",
        "\u{1}\u{1f}\u{7f}",
        "'",
        "''; DROP TABLE loans; --",
        "\" OR 1=1 --",
        "%",
        "_",
        "\\",
        "%%__\\\\",
        "[a-z",
        "*",
        "?",
        "\u{202e}abc",
        "\u{feff}",
        "İıſK",
        "e\u{301}",
        "👩‍👩‍👧‍👦",
        "\u{10ffff}",
        "\n\r\t",
        " ",
        "",
        "null",
        "-1",
        "0x10",
        "1e309",
        "NaN",
        "../../etc/passwd",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "<script>alert(1)</script>",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(100_000));
    texts.push("\0".repeat(10_000));
    texts.push("%".repeat(99));
    texts.push("loan_".to_owned() + &"z".repeat(26));
    texts.push("loan_01k000000000000000000000\0".to_owned());
    texts.push("branch_01k00000000000000000000000".to_owned());
    texts
}

/// Every place a text can be put, as a document over `$t: String` (or another type that is sent as a text).
const PLACES: &[&str] = &[
    "query($t: ID!) { node(id: $t) { id } }",
    "query($t: ID!) { nodes(ids: [$t, $t]) { id } }",
    "query($t: ID!) { loan(by: { id: $t }) { id } }",
    "query($t: String!) { loan(by: { number: $t }) { id } }",
    "query($t: String!) { loan(by: { externalRef: $t }) { id } }",
    "query($t: ID!) { borrower(by: { id: $t }) { id } }",
    "query($t: String!) { borrower(by: { number: $t }) { id } }",
    "query($t: String!) { branch(by: { code: $t }) { id } }",
    "query($t: String!) { loanProduct(by: { code: $t }) { id } }",
    "query($t: String) { loans(after: $t) { totalCount } }",
    "query($t: String) { loans(last: 3, before: $t) { nodes { id } } }",
    "query($t: String) { branches(after: $t) { nodes { id } } }",
    "query($t: String) { loans(filter: { search: $t }) { totalCount nodes { id } totals { count } } }",
    "query($t: String) { borrowers(filter: { search: $t }) { totalCount nodes { id } } }",
    "query($t: String) { branches(filter: { search: $t }) { totalCount nodes { id } } }",
    "query($t: String) { loanProducts(filter: { search: $t }) { totalCount nodes { id } } }",
    "query($t: String) { loans(filter: { externalRef: { eq: $t }, officer: { in: [$t] } }) { totalCount } }",
    "query($t: ID) { loans(filter: { branch: { eq: $t }, borrower: { in: [$t] } }) { totalCount } }",
    "query($t: CurrencyCode) { loans(filter: { currency: { eq: $t } }) { totalCount } }",
    "query($t: Date) { loans(filter: { appliedOn: { gte: $t } }) { totalCount } }",
    "query($t: DateTime) { loans(filter: { createdAt: { gt: $t } }) { totalCount } }",
    "query($t: String) { portfolio(filter: { search: $t }) { count } }",
    "mutation($t: String!) { createBranch(input: { code: $t, name: \"x\", currency: \"KES\", timeZone: \"Africa/Nairobi\" })
        { userErrors { code } } }",
    "mutation($t: String!) { createBranch(input: { code: \"c\", name: $t, currency: \"KES\", timeZone: $t })
        { userErrors { code } } }",
    "mutation($t: CurrencyCode!) { createBranch(input: { code: \"c\", name: \"x\", currency: $t, timeZone: \"UTC!\" })
        { userErrors { code } } }",
    "mutation($t: ID!) { closeBranch(input: { branchId: $t }) { userErrors { code } } }",
    "mutation($t: String!) { registerBorrower(input: { branchId: \"BRANCH\", name: $t, phone: $t, nationalId: $t,
        externalRef: $t }) { userErrors { code } } }",
    "mutation($t: Decimal!) { applyForLoan(input: { idempotencyKey: \"k\", borrowerId: \"BORROWER\", productId: \"PRODUCT\",
        principal: { amount: $t, currency: \"KES\" } }) { userErrors { code } } }",
    "mutation($t: String!) { applyForLoan(input: { idempotencyKey: $t, externalRef: $t, officer: $t, borrowerId: \"BORROWER\",
        productId: \"PRODUCT\", principal: { amount: \"100.00\", currency: \"KES\" } }) { userErrors { code } } }",
];

/// A branch, a product and a borrower, as their ids.
pub async fn world(server: &Server) -> Json {
    let branch = server
        .data(
            r#"mutation { createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
                timeZone: "Africa/Nairobi" }) { branch { id } userErrors { message } } }"#,
            json!({}),
        )
        .await["createBranch"]["branch"]["id"]
        .take();
    let product = server
        .data(
            r#"mutation { createLoanProduct(input: { code: "MICRO", name: "Micro", currency: "KES" })
                { loanProduct { id } userErrors { message } } }"#,
            json!({}),
        )
        .await["createLoanProduct"]["loanProduct"]["id"]
        .take();
    let borrower = server
        .data(
            "mutation($branch: ID!) { registerBorrower(input: { branchId: $branch, name: \"Amina\" })
                { borrower { id } userErrors { message } } }",
            json!({"branch": branch}),
        )
        .await["registerBorrower"]["borrower"]["id"]
        .take();
    json!({"branch": branch, "product": product, "borrower": borrower})
}

fn check(reply: &Reply, document: &str, text: &str) -> Option<String> {
    let shown: String = text.chars().take(40).collect();
    let codes = reply.codes();
    let leaks = ["SELECT", "INSERT", "sqlite", "SQLITE", "no such", "syntax error near", "panicked", "src/"];
    let harmless = reply.status < 500
        && !codes.iter().any(|code| code == "INTERNAL" || code == "UNAVAILABLE")
        && !leaks.iter().any(|leak| reply.text.contains(leak));
    (!harmless).then(|| format!("{document} with {shown:?}: {} {}", reply.status, reply.text))
}

#[tokio::test]
async fn no_text_does_harm_in_any_place() {
    let server = Setup::development().start().await;
    let world = world(&server).await;
    let mut wrong = Vec::new();
    for place in PLACES {
        let document = ["branch", "product", "borrower"].iter().fold((*place).to_owned(), |document, kind| {
            document.replace(&kind.to_uppercase(), world[kind].as_str().unwrap())
        });
        for text in texts() {
            let reply = server.ask_with(&document, json!({"t": text})).await;
            wrong.extend(check(&reply, place, &text));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    server.assert_alive("texts").await;
    server.data("{ loans { nodes { id externalRef officer } } borrowers { nodes { name phone } } }", json!({})).await;
}

/// The same as literals, which go another way to the resolvers than variables do.
#[tokio::test]
async fn no_literal_does_harm() {
    let server = Setup::development().start().await;
    let mut wrong = Vec::new();
    for text in texts().into_iter().filter(|text| text.len() < 200) {
        // JSON escapes what GraphQL escapes, in the same way.
        let literal = json!(text).to_string().replace('\u{7f}', "\\u007f");
        for place in [
            "{ node(id: TEXT) { id } }",
            "{ nodes(ids: [TEXT]) { id } }",
            "{ loan(by: { number: TEXT }) { id } }",
            "{ branch(by: { code: TEXT }) { id } }",
            "{ loans(after: TEXT) { totalCount } }",
            "{ loans(filter: { search: TEXT }) { totalCount } }",
            "{ borrowers(filter: { externalRef: { eq: TEXT } }) { totalCount } }",
            "{ loans(filter: { appliedOn: { eq: TEXT } }) { totalCount } }",
            "{ loans(filter: { principal: { currency: TEXT, gte: TEXT } }) { totalCount } }",
        ] {
            let reply = server.ask(&place.replace("TEXT", &literal)).await;
            wrong.extend(check(&reply, place, &text));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// In the name of a header or a parameter there is nothing to find either.
#[tokio::test]
async fn no_header_and_no_path_does_harm() {
    let server = Setup::development().start().await;
    for path in [
        "/%00",
        "/graphql%00",
        "/graphql/../health",
        "/graphql?query=%00",
        "/graphql?query=%ff",
        "/graphql?%",
        "/graphiql/%2e%2e%2fCargo.toml",
        "/readyz?verbose=%00",
    ] {
        let reply = Reply::of(server.get(path)).await;
        assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.text);
    }
    for value in
        ["Bearer", "Bearer  ", "Bearer a.b.c", "Basic eDp5", &format!("Bearer {}", "x".repeat(20_000)), "Bearer \u{e9}"]
    {
        let request = server.post(r#"{"query":"{ __typename }"}"#).header("authorization", value.as_bytes());
        assert_eq!(Reply::of(request).await.verdict(), (401, "UNAUTHENTICATED".to_owned()), "{value:?}");
    }
    server.assert_alive("headers").await;
}
