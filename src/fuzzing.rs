//! The fuzz targets: one function for each place where text from outside is read, callable without a server or a database.
//! `tests/fuzz` runs them on every change, `fuzz/` under libFuzzer. They are no interface of the library, and may read
//! nothing but their input.

use std::str::from_utf8;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lending::money::{Currency, Money};
use lending::rate::Rate;
use serde_json::{Value, json};

use crate::auth;
use crate::graphql::schema;
use crate::graphql::types::scalars::CHECKS;
use crate::http::guard::documents::Documents;
use crate::http::guard::manifest::{hexadecimal, parse_id};
use crate::http::guard::{Guard, Limits, Manifest, lexical};
use crate::http::request::{Document, GraphqlRequest};
use crate::ids::{Kind, NodeId};
use crate::store::loans::LoanField;
use crate::store::page::{self, SortKey};

/// Takes any bytes. Whatever they are, it must come back, and what it asserts must hold.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder of seeds.
pub const TARGETS: [(&str, Target); 9] = [
    ("amounts", amounts),
    ("cursors", cursors),
    ("documents", documents),
    ("ids", ids),
    ("lexical", lexical),
    ("manifests", manifests),
    ("requests", requests),
    ("scalars", scalars),
    ("tokens", tokens),
];

/// The API's guard, where introspection is on and where it is off.
static GUARDS: LazyLock<Vec<Guard>> = LazyLock::new(|| {
    let guard = |introspection| Guard::from_sdl(Limits { introspection, ..Limits::default() }, &schema::sdl());
    let guards: Vec<Guard> = [true, false].into_iter().filter_map(|on| guard(on).ok()).collect();
    assert_eq!(guards.len(), 2, "the schema's own text is a schema");
    guards.into_iter().map(|guard| guard.checking(&CHECKS)).collect()
});

/// Amounts of currencies with two, no and three decimals, and rates: what was read is written, and read again, alike.
pub fn amounts(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    for code in ["KES", "VND", "BHD"] {
        let Ok(currency) = Currency::parse(code) else { continue };
        if let Ok(money) = Money::parse_amount(text, currency) {
            assert_eq!(Money::parse_amount(&money.to_decimal_string(), currency), Ok(money));
        }
    }
    if let Ok(rate) = Rate::parse_percent(text) {
        assert_eq!(Rate::parse_percent(&rate.to_percent_string()), Ok(rate));
    }
    let _ = Currency::parse(text);
}

/// Cursors: the text as it came, and its JSON as the keys of a cursor that is otherwise in order.
pub fn cursors(data: &[u8]) {
    let key = |field| SortKey { field, descending: false };
    let orders = [
        vec![key(LoanField::Number)],
        vec![key(LoanField::Principal), key(LoanField::AppliedOn)],
        vec![key(LoanField::CreatedAt), key(LoanField::NextDueOn), key(LoanField::Number)],
    ];
    for order in &orders {
        if let Ok(text) = from_utf8(data) {
            page::is_cursor(text, order);
        }
        page::is_cursor(&URL_SAFE_NO_PAD.encode(data), order);
        if let Ok(keys) = serde_json::from_slice::<Value>(data) {
            let id = "01912345-6789-7abc-8def-0123456789ab";
            let cursor = json!({"v": 1, "f": page::binding(order), "k": keys, "i": id});
            page::is_cursor(&URL_SAFE_NO_PAD.encode(cursor.to_string()), order);
        }
    }
}

/// Documents: judged alike at the first sight and at the second, from the cache.
pub fn documents(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    for guard in GUARDS.iter() {
        let judge = || guard.admit(text, None, &Default::default()).map(|admitted| admitted.cost);
        let first = judge();
        assert_eq!(judge(), first);
        assert!(first.is_err() || first.is_ok_and(|cost| cost > 0));
    }
}

/// Ids: what was read is written, and read again, alike, and is the id of one kind.
pub fn ids(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let read = text.parse::<NodeId>();
    if let Ok(id) = &read {
        assert_eq!(id.to_string().parse::<NodeId>().as_ref(), Ok(id));
    }
    for kind in Kind::ALL {
        let is_of_kind = read.as_ref().is_ok_and(|id| id.kind == kind);
        assert_eq!(NodeId::parse(text, kind).is_ok(), is_of_kind);
    }
}

/// The scan before the parser.
pub fn lexical(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let limits = Limits::default();
    if let Ok(scan) = lexical::scan(text, &limits) {
        assert!((1..=limits.tokens).contains(&scan.tokens) && scan.tokens <= text.len());
    }
}

/// Manifests of trusted documents, and the ids that name them.
pub fn manifests(data: &[u8]) {
    let _ = Manifest::parse(data);
    let Ok(text) = from_utf8(data) else { return };
    if let Some(key) = parse_id(text) {
        assert!(text.ends_with(&hexadecimal(&key)));
    }
    let id = hexadecimal(&Documents::key(text));
    let apollo = json!({
        "format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": id, "body": text}],
    });
    for manifest in [json!({id.as_str(): text}), apollo] {
        let read = Manifest::parse(manifest.to_string().as_bytes());
        assert!(read.is_ok_and(|manifest| manifest.len() == 1));
    }
}

/// Whole requests: the JSON of a body, or a query string; then the document and the variables.
pub fn requests(data: &[u8]) {
    let mut read = vec![GraphqlRequest::from_json(data)];
    if let Some(uri) = from_utf8(data).ok().and_then(|text| format!("/graphql?{text}").parse().ok()) {
        read.push(GraphqlRequest::from_uri(&uri));
    }
    for request in read.into_iter().flatten() {
        for guard in GUARDS.iter() {
            let name = request.operation_name.as_deref();
            let _ = match &request.document {
                Document::Text(text) => guard.admit(text, name, &request.variables),
                Document::Id(id) => guard.admit_by_id(id, name, &request.variables),
            };
        }
    }
}

/// The API's scalars, given the input as text and as JSON.
pub fn scalars(data: &[u8]) {
    for (_, check) in CHECKS {
        if let Ok(value) = serde_json::from_slice(data) {
            let _ = check(&value);
        }
        if let Ok(text) = from_utf8(data) {
            let _ = check(&text.into());
        }
    }
}

/// The `Authorization` header, as far as it is read before a key is needed; or, in braces, a token's claims.
pub fn tokens(data: &[u8]) {
    if data.starts_with(b"{") {
        auth::fuzzing::claims(data);
    } else if let Ok(text) = from_utf8(data) {
        auth::fuzzing::header(text);
    }
}
