//! The terms of loans and products: every condition there and back, what a loan takes from its product, and what is
//! refused where.

use std::collections::BTreeSet;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{TypeKind, TypeSystemDefinition};
use branch_loan_api::graphql::schema;
use lending::loan::conditions::{
    AdvanceTo, AllocationMode, Amortization, Component, DayCount, DueState, EarlyPaymentRule, InterestMethod,
    InterestRecalculation, LevelOn, MonthEnd, NonWorkingDays, PayoffInterest, RuleDirection,
};
use lending::loan::{ChargeKind, ChargeTiming, PeriodUnit};
use serde_json::{Value as Json, json};

use super::world::{World, change, refusals, refused, with};

const CONDITIONS: &str =
    "interestMethod amortization dayCount levelOn smoothLast installmentMultiple { amount currency }
    principalGrace interestPaymentGrace interestFreeInstallments recalculation earlyPayment payoffInterest
    earlyClosureFee { amount currency } monthEnd nonWorkingDays interestFollowsMovedDate arrearsGraceDays
    defaultAfterDays delinquencyBuckets { from to }
    allocation { mode order advanceOrder rules { state component } advanceTo direction }
    charges { name kind timing amount { amount currency } share }
    lateCharge { kind amount { amount currency } share graceDays cap { amount currency } }";

const STATES: [&str; 3] = ["PAST_DUE", "DUE", "IN_ADVANCE"];
const USUAL: [&str; 4] = ["PENALTY", "FEE", "INTEREST", "PRINCIPAL"];

fn kes(amount: &str) -> Json {
    json!({"amount": amount, "currency": "KES"})
}

fn rules() -> Vec<Json> {
    let pairs = STATES.iter().flat_map(|state| USUAL.map(|component| json!({"state": state, "component": component})));
    pairs.collect()
}

fn usual() -> Json {
    let buckets = [
        (0, Some(0)),
        (1, Some(3)),
        (4, Some(30)),
        (31, Some(60)),
        (61, Some(90)),
        (91, Some(120)),
        (121, Some(150)),
        (151, Some(180)),
        (181, Some(240)),
        (241, None),
    ];
    json!({
        "interestMethod": "DECLINING_BALANCE", "amortization": "EQUAL_INSTALLMENTS", "dayCount": "PERIODIC",
        "levelOn": "ACTUAL_PERIODS", "smoothLast": false, "installmentMultiple": null, "principalGrace": 0,
        "interestPaymentGrace": 0, "interestFreeInstallments": 0, "recalculation": "FIXED",
        "earlyPayment": "NEXT_INSTALLMENTS", "payoffInterest": "TO_DATE", "earlyClosureFee": kes("0.00"),
        "monthEnd": "CLAMP", "nonWorkingDays": "KEEP", "interestFollowsMovedDate": false, "arrearsGraceDays": 0,
        "defaultAfterDays": 90,
        "delinquencyBuckets": buckets.map(|(from, to)| json!({"from": from, "to": to})),
        "allocation": {
            "mode": "BY_INSTALLMENT", "order": USUAL, "advanceOrder": USUAL, "rules": rules(),
            "advanceTo": "NEXT_INSTALLMENT", "direction": "INSTALLMENT_FIRST",
        },
        "charges": [], "lateCharge": null,
    })
}

/// Every condition as it is sent, and as it is then answered.
fn unusual() -> (Json, Json) {
    let mut backwards = rules();
    backwards.reverse();
    let shared = json!({
        "interestMethod": "DECLINING_BALANCE", "amortization": "EQUAL_PRINCIPAL", "dayCount": "THIRTY_E_360",
        "levelOn": "NOMINAL_PERIODS", "smoothLast": true, "installmentMultiple": kes("10.00"), "principalGrace": 1,
        "interestPaymentGrace": 2, "interestFreeInstallments": 3, "recalculation": "DAILY_BALANCE",
        "earlyPayment": "REDUCE_TERM", "payoffInterest": "TO_PERIOD_END", "earlyClosureFee": kes("150.50"),
        "monthEnd": "NEXT_MONTH", "nonWorkingDays": "PREVIOUS_WORKING_DAY", "interestFollowsMovedDate": true,
        "arrearsGraceDays": 5, "defaultAfterDays": 60,
        "allocation": {
            "mode": "RULES", "order": ["PRINCIPAL", "INTEREST", "FEE", "PENALTY"],
            "advanceOrder": ["INTEREST", "PRINCIPAL", "PENALTY", "FEE"], "rules": backwards,
            "advanceTo": "REAMORTIZE", "direction": "COMPONENT_FIRST",
        },
    });
    let sent = json!({
        "delinquencyBuckets": [0, 7, 30],
        "charges": [
            {"name": "Processing", "timing": "UPFRONT_KEPT", "amount": kes("100.00")},
            {"name": "Insurance", "timing": "PER_INSTALLMENT", "share": "0.25"},
        ],
        "lateCharge": {"share": "2", "graceDays": 3, "cap": kes("500.00")},
    });
    let answered = json!({
        "delinquencyBuckets": [
            {"from": 0, "to": 0}, {"from": 1, "to": 7}, {"from": 8, "to": 30}, {"from": 31, "to": null},
        ],
        "charges": [
            {"name": "Processing", "kind": "FEE", "timing": "UPFRONT_KEPT", "amount": kes("100.00"), "share": null},
            {"name": "Insurance", "kind": "FEE", "timing": "PER_INSTALLMENT", "amount": null, "share": "0.25"},
        ],
        "lateCharge": {"kind": "PENALTY", "amount": null, "share": "2", "graceDays": 3, "cap": kes("500.00")},
    });
    (with(shared.clone(), sent), with(shared, answered))
}

async fn new_product(world: &World, code: &str, terms: Json) -> (Json, Json) {
    let input = json!({"code": code, "name": code, "currency": "KES", "terms": terms});
    let selection = format!("id terms {{ {CONDITIONS} }}");
    let mut made = change(&world.api, "createLoanProduct", input, &selection).await;
    (made["id"].take(), made["terms"].take())
}

async fn terms_of_new_loan(world: &World, input: Json) -> Json {
    let selection = format!("terms {{ annualRate installments every unit firstDueOn {CONDITIONS} }}");
    change(&world.api, "applyForLoan", input, &selection).await["terms"].take()
}

#[tokio::test]
async fn a_product_tells_its_conditions() {
    let world = World::start().await;
    let (_, terms) = new_product(&world, "USUAL", json!({})).await;
    assert_eq!(terms, usual());
    let (sent, answered) = unusual();
    let (id, terms) = new_product(&world, "OTHER", sent).await;
    assert_eq!(terms, answered);

    let query = format!("query($by: LoanProductBy!) {{ loanProduct(by: $by) {{ terms {{ {CONDITIONS} }} }} }}");
    let read = world.api.data(&query, json!({"by": {"code": "OTHER"}})).await;
    assert_eq!(read["loanProduct"]["terms"], answered);

    // What a change leaves out stays; null clears what may be missing.
    let input = json!({"loanProductId": id, "terms": {"dayCount": "ACTUAL_360", "lateCharge": null}});
    let changed = change(&world.api, "updateLoanProduct", input, &format!("terms {{ {CONDITIONS} }}")).await;
    assert_eq!(changed["terms"], with(answered.clone(), json!({"dayCount": "ACTUAL_360", "lateCharge": null})));
    let input = json!({"loanProductId": id, "terms": {"installmentMultiple": null, "dayCount": null}});
    let changed = change(&world.api, "updateLoanProduct", input, &format!("terms {{ {CONDITIONS} }}")).await;
    let expected = json!({"dayCount": "ACTUAL_360", "lateCharge": null, "installmentMultiple": null});
    assert_eq!(changed["terms"], with(answered, expected));
}

#[tokio::test]
async fn a_loan_has_its_products_conditions_where_it_names_none() {
    let world = World::start().await;
    let (sent, answered) = unusual();
    let (product, _) = new_product(&world, "OTHER", sent).await;
    let base = with(world.application("a", "12500"), json!({"productId": product}));
    let own = json!({"annualRate": "0", "installments": 12, "every": 1, "unit": "MONTH", "firstDueOn": null});
    assert_eq!(terms_of_new_loan(&world, base.clone()).await, with(answered.clone(), own));

    let given = json!({
        "annualRate": "18.5", "installments": 10, "every": 2, "unit": "WEEK", "firstDueOn": "2026-04-01",
        "recalculation": "FIXED", "lateCharge": null, "allocation": {"mode": "DUE_THEN_ADVANCE"},
    });
    let input = with(base, json!({"idempotencyKey": "b", "terms": given}));
    let mut expected = with(answered, given);
    expected["allocation"] = json!({
        "mode": "DUE_THEN_ADVANCE", "order": ["PRINCIPAL", "INTEREST", "FEE", "PENALTY"],
        "advanceOrder": ["INTEREST", "PRINCIPAL", "PENALTY", "FEE"],
        "rules": rules().into_iter().rev().collect::<Vec<_>>(),
        "advanceTo": "REAMORTIZE", "direction": "COMPONENT_FIRST",
    });
    assert_eq!(terms_of_new_loan(&world, input).await, expected);
}

#[tokio::test]
async fn a_loan_may_choose_every_condition_itself() {
    let world = World::start().await;
    let (sent, answered) = unusual();
    let input = with(world.application("a", "12500"), json!({"terms": sent}));
    let own = json!({"annualRate": "0", "installments": 12, "every": 1, "unit": "MONTH", "firstDueOn": null});
    assert_eq!(terms_of_new_loan(&world, input).await, with(answered, own));
    let (_, plain) = (world.loan("b", "5").await, usual());
    let query = format!(
        "{{ loans(orderBy: [{{field: CREATED_AT, direction: DESC}}]) {{ nodes {{ terms {{ {CONDITIONS} }} }} }} }}"
    );
    let listed = world.api.data(&query, json!({})).await["loans"]["nodes"].take();
    assert!(listed.as_array().unwrap().iter().any(|loan| loan["terms"] == plain), "{listed}");
}

#[tokio::test]
async fn rows_from_before_there_were_conditions_answer_with_the_usual_ones() {
    let world = World::start().await;
    let (sent, _) = unusual();
    let input = with(world.application("a", "12500"), json!({"terms": sent}));
    terms_of_new_loan(&world, input).await;
    world.api.sql("UPDATE loans SET conditions = '{}'").await;
    let query = format!("{{ loans {{ nodes {{ terms {{ firstDueOn {CONDITIONS} }} }} }} }}");
    let listed = world.api.data(&query, json!({})).await["loans"]["nodes"].take();
    assert_eq!(listed, json!([{"terms": with(usual(), json!({"firstDueOn": null}))}]));
}

#[tokio::test]
async fn what_cannot_be_accepted_is_told_with_its_place() {
    let world = World::start().await;
    let eleven: Vec<Json> = rules().into_iter().skip(1).collect();
    let cases = [
        (json!({"installmentMultiple": kes("0")}), "AMOUNT_OUT_OF_RANGE input.terms.installmentMultiple.amount"),
        (
            json!({"installmentMultiple": {"amount": "1", "currency": "VND"}}),
            "CURRENCY_MISMATCH input.terms.installmentMultiple.currency",
        ),
        (json!({"earlyClosureFee": kes("-1")}), "AMOUNT_OUT_OF_RANGE input.terms.earlyClosureFee.amount"),
        (json!({"earlyClosureFee": kes("1.001")}), "TOO_MANY_DECIMALS input.terms.earlyClosureFee.amount"),
        (json!({"principalGrace": 12}), "NUMBER_OUT_OF_RANGE input.terms.principalGrace"),
        (json!({"interestPaymentGrace": 12}), "NUMBER_OUT_OF_RANGE input.terms.interestPaymentGrace"),
        (json!({"interestFreeInstallments": 13}), "NUMBER_OUT_OF_RANGE input.terms.interestFreeInstallments"),
        (json!({"arrearsGraceDays": -1}), "NUMBER_OUT_OF_RANGE input.terms.arrearsGraceDays"),
        (json!({"defaultAfterDays": 0}), "NUMBER_OUT_OF_RANGE input.terms.defaultAfterDays"),
        (json!({"delinquencyBuckets": [3, 3]}), "INVALID_FORMAT input.terms.delinquencyBuckets"),
        (json!({"allocation": {"order": ["FEE"]}}), "INCOMPLETE_LIST input.terms.allocation.order"),
        (json!({"allocation": {"advanceOrder": []}}), "INCOMPLETE_LIST input.terms.allocation.advanceOrder"),
        (json!({"allocation": {"mode": "RULES", "rules": eleven}}), "INCOMPLETE_LIST input.terms.allocation.rules"),
        (
            json!({"interestMethod": "FLAT", "recalculation": "DAILY_BALANCE"}),
            "CONTRADICTION input.terms.recalculation",
        ),
        (json!({"charges": [{"name": "x", "timing": "UPFRONT_KEPT"}]}), "REQUIRED input.terms.charges.0.amount"),
        (
            json!({"charges": [{"name": "", "timing": "UPFRONT_KEPT", "share": "1"}]}),
            "REQUIRED input.terms.charges.0.name",
        ),
        (
            json!({"charges": [{"name": "x", "timing": "UPFRONT_KEPT", "share": "100"}]}),
            "AMOUNT_OUT_OF_RANGE input.terms.charges",
        ),
        (json!({"lateCharge": {"share": "1", "amount": kes("1")}}), "CONTRADICTION input.terms.lateCharge.share"),
        (json!({"firstDueOn": "2026-03-02"}), "DATE_OUT_OF_RANGE input.terms.firstDueOn"),
        (json!({"annualRate": "101"}), "RATE_OUT_OF_RANGE input.terms.annualRate"),
        (json!({"installments": 0}), "NUMBER_OUT_OF_RANGE input.terms.installments"),
        (json!({"every": 13}), "NUMBER_OUT_OF_RANGE input.terms.every"),
        (
            json!({"every": 12, "unit": "MONTH", "installments": 5, "annualRate": "1.00001"}),
            "TOO_MANY_DECIMALS input.terms.annualRate",
        ),
    ];
    for (terms, expected) in cases {
        let input = with(world.application("a", "12500"), json!({"terms": terms}));
        assert_eq!(refused(&world.api, "applyForLoan", input).await, [expected]);
    }
    // What only shows beside a principal or a day is for loans; the rest is refused of a product alike.
    let wrong = json!({"defaultAfterDays": 0, "allocation": {"order": ["FEE"]}});
    let expected = ["INCOMPLETE_LIST input.terms.allocation.order", "NUMBER_OUT_OF_RANGE input.terms.defaultAfterDays"];
    let input = json!({"code": "X", "name": "X", "currency": "KES", "terms": wrong});
    assert_eq!(refused(&world.api, "createLoanProduct", input).await, expected);
    let input = json!({"loanProductId": world.kes, "terms": wrong});
    assert_eq!(refused(&world.api, "updateLoanProduct", input).await, expected);
}

#[tokio::test]
async fn a_refusal_names_what_lacks_and_the_limits() {
    let world = World::start().await;
    let rules: Vec<Json> = rules().into_iter().skip(1).chain([json!({"state": "DUE", "component": "FEE"})]).collect();
    let terms = json!({"allocation": {"mode": "RULES", "rules": rules}, "firstDueOn": "2028-03-03"});
    let input = with(world.application("a", "12500"), json!({"terms": terms}));
    let errors = refusals(&world.api, "applyForLoan", input).await;
    assert_eq!(
        errors,
        json!([
            {
                "__typename": "DateOutOfRange", "code": "DATE_OUT_OF_RANGE",
                "message": "Let the first installment fall due from 2026-03-03 to 2028-03-02.",
                "path": ["input", "terms", "firstDueOn"], "earliest": "2026-03-03", "latest": "2028-03-02",
            },
            {
                "__typename": "InvalidInput", "code": "INCOMPLETE_LIST",
                "message": "Name every pair of due state and component, each once: twelve rules. Missing: PAST_DUE PENALTY. More than once: DUE FEE.",
                "path": ["input", "terms", "allocation", "rules"],
            },
        ])
    );
    let terms = json!({"installmentMultiple": kes("0")});
    let input = with(world.application("a", "12500"), json!({"terms": terms}));
    let errors = refusals(&world.api, "applyForLoan", input).await;
    assert_eq!((&errors[0]["__typename"], &errors[0]["min"]), (&json!("AmountOutOfRange"), &kes("0.01")));
}

#[tokio::test]
async fn rate_and_installments_stand_in_one_place_or_agree() {
    let world = World::start().await;
    let input = with(
        world.application("a", "12500"),
        json!({"annualRate": "20", "installments": 6, "terms": {"annualRate": "21", "installments": 7}}),
    );
    assert_eq!(
        refused(&world.api, "applyForLoan", input.clone()).await,
        ["CONTRADICTION input.terms.annualRate", "CONTRADICTION input.terms.installments"]
    );
    let agreeing = with(input, json!({"terms": {"annualRate": "20.0", "installments": 6}}));
    let terms = terms_of_new_loan(&world, agreeing).await;
    assert_eq!((&terms["annualRate"], &terms["installments"]), (&json!("20"), &json!(6)));
}

/// The API says what the engine says: a value that is called otherwise would be stored under another name than shown.
#[test]
fn the_choices_are_called_as_the_engine_calls_them() {
    macro_rules! names {
        ($($choice:ident),+ $(,)?) => {
            vec![$((stringify!($choice), $choice::ALL.iter().map(|value| value.as_str()).collect::<BTreeSet<_>>())),+]
        };
    }
    let schema = parse_schema(schema::sdl()).unwrap();
    for (name, expected) in names!(
        PeriodUnit,
        InterestMethod,
        Amortization,
        DayCount,
        LevelOn,
        InterestRecalculation,
        EarlyPaymentRule,
        PayoffInterest,
        MonthEnd,
        NonWorkingDays,
        Component,
        AllocationMode,
        DueState,
        AdvanceTo,
        RuleDirection,
        ChargeKind,
        ChargeTiming,
    ) {
        let values = schema.definitions.iter().find_map(|definition| match definition {
            TypeSystemDefinition::Type(one) if one.node.name.node == name => match &one.node.kind {
                TypeKind::Enum(values) => Some(&values.values),
                _ => None,
            },
            _ => None,
        });
        let values = values.unwrap_or_else(|| panic!("no enum {name}"));
        let values: BTreeSet<&str> = values.iter().map(|value| value.node.value.node.as_str()).collect();
        assert_eq!(values, expected, "{name}");
    }
}
