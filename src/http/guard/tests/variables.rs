//! Variables against the types the operation declares.

use serde_json::{Value as Json, json};

use super::{guard, unlimited, variables};
use crate::http::guard::{Limits, RefusalKind};

/// The message a value of that type is refused with, or an empty one.
fn problem(ty: &str, values: Json) -> String {
    let query = format!("query($v: {ty}) {{ f(v: $v) }}");
    match guard(unlimited()).admit(&query, None, &variables(values)) {
        Ok(_) => String::new(),
        Err(refusal) => {
            assert_eq!((refusal.code, refusal.kind), ("BAD_VARIABLES", RefusalKind::Request));
            refusal.message
        }
    }
}

#[track_caller]
fn accepts(ty: &str, value: Json) {
    assert_eq!(problem(ty, json!({"v": value.clone()})), "", "{ty} {value}");
}

#[track_caller]
fn refuses(ty: &str, value: Json, path: &str) {
    let message = problem(ty, json!({"v": value.clone()}));
    assert!(message.starts_with(&format!("Variable `{path}` ")), "{ty} {value}: {message}");
}

#[test]
fn built_in_scalars() {
    accepts("Int", json!(-2_147_483_648_i64));
    accepts("Int", json!(2_147_483_647));
    refuses("Int", json!(2_147_483_648_i64), "$v");
    refuses("Int", json!(-2_147_483_649_i64), "$v");
    refuses("Int", json!(u64::MAX), "$v");
    refuses("Int", json!(1.5), "$v");
    refuses("Int", json!("1"), "$v");
    accepts("Float", json!(1));
    accepts("Float", json!(1.5));
    refuses("Float", json!("1.5"), "$v");
    accepts("String", json!("a"));
    refuses("String", json!(1), "$v");
    accepts("Boolean", json!(true));
    refuses("Boolean", json!(1), "$v");
    accepts("ID", json!("a"));
    accepts("ID", json!(7));
    refuses("ID", json!(7.5), "$v");
    refuses("ID", json!({"id": 1}), "$v");
}

#[test]
fn null_and_absence() {
    accepts("Int", json!(null));
    refuses("Int!", json!(null), "$v");
    refuses("Int! = 3", json!(null), "$v");
    assert_eq!(problem("Int", json!({})), "");
    assert_eq!(problem("Int! = 3", json!({})), "");
    assert!(problem("Int!", json!({})).starts_with("Variable `$v` is required"));
    assert_eq!(problem("Int", json!({"undeclared": {"a": 1}})), "", "undeclared variables are ignored");
}

#[test]
fn lists_and_enums() {
    accepts("[Int!]", json!([1, 2]));
    accepts("[Int!]", json!(1));
    accepts("[[Int]]", json!([[1, null], null, 2]));
    refuses("[Int!]", json!([1, null]), "$v[1]");
    refuses("[[Int]]", json!([[1], ["a"]]), "$v[1][0]");
    accepts("Kind", json!("SMALL"));
    refuses("Kind", json!("small"), "$v");
    refuses("Kind", json!(1), "$v");
}

#[test]
fn input_objects() {
    accepts("MoneyInput", json!({"amount": "1.00"}));
    accepts("MoneyInput", json!({"amount": "1.00", "currency": "KES"}));
    refuses("MoneyInput", json!({"currency": "KES"}), "$v.amount");
    refuses("MoneyInput", json!({"amount": null}), "$v.amount");
    refuses("MoneyInput", json!({"amount": "1.00", "currency": null}), "$v.currency");
    refuses("MoneyInput", json!({"amount": "1.00", "bogus": 1}), "$v");
    refuses("MoneyInput", json!("1.00"), "$v");
    refuses("MoneyInput", json!([]), "$v");
    let filter = json!({"required": true, "and": [{"required": true}, {"required": true, "money": {"amount": 5}}]});
    refuses("LoanFilter", filter, "$v.and[1].money.amount");
}

#[test]
fn one_of_takes_exactly_one() {
    accepts("LoanBy", json!({"id": "a"}));
    for value in [json!({}), json!({"id": "a", "number": "b"}), json!({"id": null}), json!({"id": "a", "number": null})]
    {
        refuses("LoanBy", value, "$v");
    }
    refuses("LoanFilter", json!({"required": true, "by": {}}), "$v.by");
}

#[test]
fn errors_repeat_no_value_and_no_strange_key() {
    for value in [json!("Jane Doe"), json!({"amount": ["Jane Doe"]}), json!({"Jane Doe": 1, "amount": "1"})] {
        let message = problem("MoneyInput!", json!({"v": value}));
        assert!(!message.is_empty() && !message.contains("Jane"), "{message}");
    }
    let message = problem("Kind", json!({"v": "Jane"}));
    assert!(!message.contains("Jane"), "{message}");
    assert!(problem("MoneyInput!", json!({"v": {"amount": "1", "curency": "KES"}})).contains("\"curency\""));
}

#[test]
fn size_at_and_beyond_the_limits() {
    let code = |limits: Limits, value: Json| {
        let values = variables(json!({"anything": value}));
        guard(limits)
            .admit("{ mode }", None, &values)
            .map_or_else(|refusal| (refusal.code, refusal.kind), |_| ("ADMITTED", RefusalKind::Guard))
    };
    let long = Limits { list_items: 2, ..unlimited() };
    assert_eq!(code(long.clone(), json!([1, 2])).0, "ADMITTED");
    assert_eq!(code(long.clone(), json!([1, 2, 3])), ("LIST_TOO_LONG", RefusalKind::Guard));
    assert_eq!(code(long, json!({"a": [[1, 2, 3]]})), ("LIST_TOO_LONG", RefusalKind::Guard));
    let deep = Limits { variables_depth: 2, ..unlimited() };
    assert_eq!(code(deep.clone(), json!([{"a": 1}])).0, "ADMITTED");
    assert_eq!(code(deep, json!([{"a": []}])), ("VARIABLES_TOO_DEEP", RefusalKind::Guard));
}

#[test]
fn unknown_types_are_refused_before_the_executor_panics_on_them() {
    for ty in ["Bogus", "[Bogus] = [1]", "[[Bogus!]!]! = [[1]]"] {
        let query = format!("query($v: {ty}) {{ takeInt(v: $v) }}");
        let refusal = super::admit(unlimited(), &query).unwrap_err();
        assert_eq!((refusal.code, refusal.kind), ("GRAPHQL_VALIDATION_FAILED", RefusalKind::Request));
    }
}
