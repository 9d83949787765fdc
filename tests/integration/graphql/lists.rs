//! Lists: pages in both directions, counts and totals, orders, filters.

use branch_loan_api::auth::Role;
use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::world::{World, borrower, create, each, with};
use crate::support::api::{Client, TestApi};

const PAGE: &str =
    "query($first: Int, $after: String, $last: Int, $before: String, $filter: LoanFilter, $orderBy: [LoanOrder!]) {
    loans(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
        nodes { number } edges { cursor node { number } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
    }
}";

/// A page as `["L-000000001", …]` with its `pageInfo`.
struct Page {
    numbers: Vec<String>,
    info: Json,
    count: Json,
}

async fn page(client: &Client, variables: Json) -> Page {
    let mut loans = client.data(PAGE, variables).await["loans"].take();
    let numbers = each(&loans["nodes"], "number");
    let edges = loans["edges"].as_array().unwrap();
    let of_edges: Vec<&str> = edges.iter().map(|edge| edge["node"]["number"].as_str().unwrap()).collect();
    assert_eq!(numbers, of_edges, "nodes and edges are the same rows");
    let ends = [edges.first(), edges.last()].map(|edge| edge.map_or(Json::Null, |edge| edge["cursor"].clone()));
    assert_eq!([&loans["pageInfo"]["startCursor"], &loans["pageInfo"]["endCursor"]], [&ends[0], &ends[1]]);
    Page { numbers, info: loans["pageInfo"].take(), count: loans["totalCount"].take() }
}

async fn refused(client: &Client, variables: Json) -> (String, String) {
    let error = client.error(PAGE, variables).await;
    assert_eq!(error["path"], json!(["loans"]));
    (error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

/// So many loans, a minute apart: the amounts go 100, 200, … 700 and start again.
async fn lend(world: &World, count: usize) {
    for number in 0..count {
        world.loan(&format!("key-{number}"), &format!("{}", 100 * (number % 7 + 1))).await;
        world.api.clock.advance(TimeDelta::minutes(1));
    }
}

fn numbers(range: impl IntoIterator<Item = usize>) -> Vec<String> {
    range.into_iter().map(|number| format!("L-{number:09}")).collect()
}

#[tokio::test]
async fn an_empty_list_is_a_list() {
    let api = TestApi::start().await;
    let query = "{ loans { edges { cursor } nodes { id } totalCount totals { count } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    assert_eq!(
        api.data(query, json!({})).await["loans"],
        json!({
            "edges": [], "nodes": [], "totalCount": 0, "totals": [],
            "pageInfo": {"hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null},
        })
    );
    for variables in [json!({"first": 1}), json!({"last": 1})] {
        assert_eq!(page(&api, variables).await.numbers, numbers([]));
    }
}

#[tokio::test]
async fn a_list_is_paged_forward() {
    let world = World::start().await;
    lend(&world, 23).await;
    let first = page(&world.api, json!({})).await;
    assert_eq!(first.numbers, numbers(1..=20), "20 by default, the oldest first");
    assert_eq!((&first.info["hasNextPage"], &first.info["hasPreviousPage"]), (&json!(true), &json!(false)));
    assert_eq!(first.count, 23, "on all pages together");
    let second = page(&world.api, json!({"after": first.info["endCursor"]})).await;
    assert_eq!(second.numbers, numbers(21..=23));
    assert_eq!((&second.info["hasNextPage"], &second.info["hasPreviousPage"]), (&json!(false), &json!(true)));
    assert_eq!(second.count, 23);
    let past = page(&world.api, json!({"after": second.info["endCursor"]})).await;
    assert_eq!(past.numbers, numbers([]));
    assert_eq!((&past.info["hasNextPage"], &past.info["hasPreviousPage"]), (&json!(false), &json!(true)));
    let exact = page(&world.api, json!({"first": 23})).await;
    assert_eq!((exact.numbers, &exact.info["hasNextPage"]), (numbers(1..=23), &json!(false)));
    assert_eq!(page(&world.api, json!({"first": 1})).await.numbers, numbers([1]));
    assert_eq!(page(&world.api, json!({"first": 100})).await.numbers.len(), 23);
}

#[tokio::test]
async fn a_list_is_paged_backward() {
    let world = World::start().await;
    lend(&world, 12).await;
    let last = page(&world.api, json!({"last": 5})).await;
    assert_eq!(last.numbers, numbers(8..=12), "in the order of the list");
    assert_eq!((&last.info["hasNextPage"], &last.info["hasPreviousPage"]), (&json!(false), &json!(true)));
    let middle = page(&world.api, json!({"last": 5, "before": last.info["startCursor"]})).await;
    assert_eq!(middle.numbers, numbers(3..=7));
    assert_eq!((&middle.info["hasNextPage"], &middle.info["hasPreviousPage"]), (&json!(true), &json!(true)));
    let start = page(&world.api, json!({"before": middle.info["startCursor"]})).await;
    assert_eq!(start.numbers, numbers(1..=2));
    assert_eq!((&start.info["hasNextPage"], &start.info["hasPreviousPage"]), (&json!(true), &json!(false)));
    // A cursor serves both directions.
    let on = page(&world.api, json!({"first": 2, "after": middle.info["startCursor"]})).await;
    assert_eq!(on.numbers, numbers(4..=5));
}

#[tokio::test]
async fn walking_the_pages_visits_every_row_once_in_every_order() {
    let world = World::start().await;
    lend(&world, 17).await;
    let orders = [
        json!([]),
        json!([{"field": "PRINCIPAL"}]),
        json!([{"field": "PRINCIPAL", "direction": "DESC"}]),
        json!([{"field": "PRINCIPAL", "direction": "DESC"}, {"field": "NUMBER", "direction": "ASC"}]),
        json!([{"field": "APPLIED_ON"}, {"field": "PRINCIPAL", "direction": "DESC"}, {"field": "CREATED_AT", "direction": "DESC"}]),
    ];
    for order in orders {
        let whole = page(&world.api, json!({"first": 100, "orderBy": order})).await.numbers;
        assert_eq!(whole.len(), 17);
        for size in [1, 4, 16] {
            let mut forward = Vec::new();
            let mut cursor = Json::Null;
            loop {
                let next = page(&world.api, json!({"first": size, "after": cursor, "orderBy": order})).await;
                forward.extend(next.numbers);
                cursor = next.info["endCursor"].clone();
                if next.info["hasNextPage"] == false {
                    break;
                }
            }
            assert_eq!(forward, whole, "{order} by {size}");
            let mut backward = Vec::new();
            let mut cursor = Json::Null;
            loop {
                let next = page(&world.api, json!({"last": size, "before": cursor, "orderBy": order})).await;
                backward.splice(0..0, next.numbers);
                cursor = next.info["startCursor"].clone();
                if next.info["hasPreviousPage"] == false {
                    break;
                }
            }
            assert_eq!(backward, whole, "{order} backward by {size}");
        }
    }
}

#[tokio::test]
async fn a_page_has_one_direction_and_one_to_a_hundred_rows() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let cursor = page(&world.api, json!({})).await.info["endCursor"].clone();
    let both = ("BAD_USER_INPUT".to_owned(), "Send either first and after, or last and before, not both.".to_owned());
    for variables in [
        json!({"first": 1, "last": 1}),
        json!({"after": cursor, "before": cursor}),
        json!({"first": 1, "before": cursor}),
        json!({"last": 1, "after": cursor}),
    ] {
        assert_eq!(refused(&world.api, variables.clone()).await, both, "{variables}");
    }
    for name in ["first", "last"] {
        for size in [0, 101, -1, i32::MIN] {
            let mut variables = json!({});
            variables[name] = json!(size);
            let message = format!("Send a number from 1 to 100 for {name}.");
            assert_eq!(refused(&world.api, variables).await, ("BAD_USER_INPUT".to_owned(), message), "{name}: {size}");
        }
    }
    // What could never be afforded is refused before it runs.
    let huge = world.api.refused(PAGE, json!({"first": i32::MAX})).await;
    assert_eq!(huge["code"], "QUERY_TOO_COMPLEX");
    for name in ["branches", "borrowers", "loanProducts"] {
        let error = world.api.error(&format!("{{ {name}(first: 101) {{ nodes {{ id }} }} }}"), json!({})).await;
        assert_eq!(error["code"], "BAD_USER_INPUT", "{name}");
    }
}

#[tokio::test]
async fn orders_have_at_most_three_different_keys() {
    let world = World::start().await;
    lend(&world, 8).await;
    let by =
        |fields: &[&str]| json!({"orderBy": fields.iter().map(|field| json!({"field": field})).collect::<Vec<_>>()});
    let descending = json!({"orderBy": [{"field": "NUMBER", "direction": "DESC"}]});
    assert_eq!(page(&world.api, descending).await.numbers, numbers((1..=8).rev()));
    assert_eq!(
        page(&world.api, by(&["APPLIED_ON", "PRINCIPAL", "NUMBER"])).await.numbers,
        numbers([1, 8, 2, 3, 4, 5, 6, 7])
    );
    let four = by(&["APPLIED_ON", "PRINCIPAL", "NUMBER", "CREATED_AT"]);
    assert_eq!(refused(&world.api, four).await.1, "Order by at most 3 fields.");
    let twice = json!({"orderBy": [{"field": "NUMBER"}, {"field": "NUMBER", "direction": "DESC"}]});
    assert_eq!(refused(&world.api, twice).await.1, "Name each field of orderBy only once.");
    assert_eq!(world.api.refused(PAGE, by(&["STATUS"])).await["code"], "BAD_VARIABLES");
}

#[tokio::test]
async fn branches_borrowers_and_products_are_ordered_and_found() {
    let world = World::start().await;
    borrower(&world.api, &world.nbo, "abdi").await;
    let names = async |list: &str, arguments: &str, field: &str| {
        let data = world.api.data(&format!("{{ {list}{arguments} {{ nodes {{ {field} }} }} }}"), json!({})).await;
        each(&data[list]["nodes"], field)
    };
    assert_eq!(names("branches", "", "code").await, ["HQ", "NBO", "THIKA", "HCM"]);
    assert_eq!(
        names("branches", "(orderBy: [{field: CODE, direction: DESC}])", "code").await,
        ["THIKA", "NBO", "HQ", "HCM"]
    );
    assert_eq!(names("branches", "(orderBy: [{field: NAME}])", "code").await, ["HCM", "HQ", "NBO", "THIKA"]);
    assert_eq!(names("branches", "(filter: {currency: {eq: \"VND\"}})", "code").await, ["HCM"]);
    assert_eq!(names("branches", "(filter: {status: CLOSED})", "code").await, [""; 0]);
    assert_eq!(names("branches", "(filter: {search: \"chi m\"})", "code").await, ["HCM"]);
    let under = format!("(filter: {{under: {{eq: \"{}\"}}}})", world.nbo);
    assert_eq!(names("branches", &under, "code").await, ["NBO", "THIKA"]);
    let parent = format!("(filter: {{parent: {{in: [\"{}\", \"{}\"]}}}})", world.hq, world.nbo);
    assert_eq!(names("branches", &parent, "code").await, ["NBO", "THIKA"]);

    assert_eq!(
        names("borrowers", "(orderBy: [{field: NAME}])", "name").await,
        ["abdi", "Trần Thị Mai", "Wanjiru Kamau"]
    );
    assert_eq!(names("borrowers", "(orderBy: [{field: NUMBER, direction: DESC}], first: 1)", "name").await, ["abdi"]);
    assert_eq!(names("borrowers", "(filter: {search: \"TRẦN\"})", "name").await, ["Trần Thị Mai"]);
    assert_eq!(
        names("borrowers", "(filter: {number: {in: [\"B-000000001\", \"B-000000003\"]}})", "name").await,
        ["Wanjiru Kamau", "abdi"]
    );
    assert_eq!(names("borrowers", "(filter: {dateOfBirth: {isNull: false}})", "name").await, [""; 0]);

    assert_eq!(
        names("loanProducts", "(orderBy: [{field: CODE, direction: DESC}])", "code").await,
        ["STANDARD-VND", "STANDARD-KES"]
    );
    assert_eq!(names("loanProducts", "(filter: {currency: {in: [\"KES\"]}})", "code").await, ["STANDARD-KES"]);
    assert_eq!(names("loanProducts", "(filter: {status: RETIRED})", "code").await, [""; 0]);
    for list in ["branches", "borrowers", "loanProducts"] {
        let query = format!("{{ {list}(first: 1) {{ totalCount pageInfo {{ hasNextPage hasPreviousPage }} }} }}");
        let data = world.api.data(&query, json!({})).await;
        assert_eq!(data[list]["pageInfo"], json!({"hasNextPage": true, "hasPreviousPage": false}), "{list}");
        assert!(data[list]["totalCount"].as_i64().unwrap() > 1);
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_order_and_filter() {
    let world = World::start().await;
    lend(&world, 3).await;
    let cursor = page(&world.api, json!({"first": 1})).await.info["endCursor"].clone();
    assert_eq!(page(&world.api, json!({"after": cursor})).await.numbers, numbers(2..=3));
    let sentence = "This cursor belongs to another list, order or filter; start again without a cursor.";
    let invalid = ("INVALID_CURSOR".to_owned(), sentence.to_owned());
    for change in [
        json!({"orderBy": [{"field": "NUMBER"}]}),
        json!({"orderBy": [{"field": "CREATED_AT", "direction": "DESC"}]}),
        json!({"filter": {"status": {"eq": "PENDING"}}}),
        json!({"filter": {"search": "a"}}),
    ] {
        for name in ["after", "before"] {
            let mut variables = change.clone();
            variables[name] = cursor.clone();
            assert_eq!(refused(&world.api, variables.clone()).await, invalid, "{variables}");
        }
    }
    for nonsense in ["", "x", "ÿ", "eyJ2IjoxfQ", &"A".repeat(5_000), "bnVsbA"] {
        assert_eq!(refused(&world.api, json!({"after": nonsense})).await, invalid, "{nonsense}");
    }
    for list in ["branches", "borrowers", "loanProducts"] {
        let query = format!("query($after: String) {{ {list}(after: $after) {{ nodes {{ id }} }} }}");
        assert_eq!(world.api.error(&query, json!({"after": cursor})).await["code"], "INVALID_CURSOR", "{list}");
    }
    // The default order written out is the same order.
    let same = json!({"after": cursor, "orderBy": [{"field": "CREATED_AT", "direction": "ASC"}]});
    assert_eq!(page(&world.api, same).await.numbers, numbers(2..=3));
}

/// Three loans in shillings (one approved, one with a reference), one in dong.
async fn mixed() -> World {
    let world = World::start().await;
    let first = world.loan("a", "100").await;
    create(&world.api, "approveLoan", json!({"loanId": first})).await;
    world.api.clock.set("2026-03-03T09:00:00Z");
    let second = with(world.application("b", "200.50"), json!({"externalRef": "core-2", "officer": "otieno"}));
    create(&world.api, "applyForLoan", second).await;
    let third = with(world.application("c", "300"), json!({"branchId": world.thika, "appliedOn": "2026-03-01"}));
    create(&world.api, "applyForLoan", third).await;
    world.foreign_loan("d", "20000").await;
    world
}

#[tokio::test]
async fn loans_are_filtered() {
    let world = mixed().await;
    let shillings = |amount: &str| json!({"amount": amount, "currency": "KES"});
    let cases = [
        (json!({}), vec![1, 2, 3, 4]),
        (json!({"status": {"eq": "APPROVED"}}), vec![1]),
        (json!({"status": {"in": ["PENDING", "REPAID"]}}), vec![2, 3, 4]),
        (json!({"status": {"in": []}}), vec![]),
        (json!({"status": {"notIn": ["PENDING"]}}), vec![1]),
        (json!({"status": {"notIn": []}}), vec![1, 2, 3, 4]),
        (json!({"status": {"in": ["PENDING", "APPROVED"], "notIn": ["PENDING"]}}), vec![1]),
        (json!({"branch": {"eq": world.nbo}}), vec![1, 2, 3]),
        (json!({"branch": {"eq": world.nbo}, "includeSubBranches": false}), vec![1, 2]),
        (json!({"branch": {"in": [world.thika, world.hcm]}}), vec![3, 4]),
        (json!({"branch": {"eq": world.hq}, "includeSubBranches": false}), vec![]),
        (json!({"borrower": {"eq": world.wanjiru}}), vec![1, 2, 3]),
        (json!({"borrower": {"in": [world.tran]}}), vec![4]),
        (json!({"product": {"eq": world.vnd}}), vec![4]),
        (json!({"officer": {"eq": "otieno"}}), vec![2]),
        (json!({"officer": {"in": ["otieno", "dev-admin"]}}), vec![1, 2, 3, 4]),
        (json!({"externalRef": {"isNull": true}}), vec![1, 3, 4]),
        (json!({"externalRef": {"isNull": false}}), vec![2]),
        (json!({"externalRef": {"eq": "core-2"}}), vec![2]),
        (json!({"not": {"externalRef": {"eq": "core-2"}}}), vec![1, 3, 4]),
        (json!({"currency": {"eq": "KES"}}), vec![1, 2, 3]),
        (json!({"currency": {"in": ["VND", "KES"]}}), vec![1, 2, 3, 4]),
        (json!({"principal": {"eq": shillings("200.5")}}), vec![2]),
        (json!({"principal": {"gt": shillings("100")}}), vec![2, 3]),
        (json!({"principal": {"gte": shillings("100"), "lt": shillings("300")}}), vec![1, 2]),
        (json!({"principal": {"lte": shillings("50000")}}), vec![1, 2, 3]),
        (json!({"principal": {"gt": {"amount": "100", "currency": "VND"}}}), vec![4]),
        (json!({"principal": {"gt": shillings("1"), "lt": {"amount": "99999", "currency": "VND"}}}), vec![]),
        (json!({"appliedOn": {"eq": "2026-03-02"}}), vec![1]),
        (json!({"appliedOn": {"lt": "2026-03-02"}}), vec![3]),
        (json!({"appliedOn": {"lte": "2026-03-02"}}), vec![1, 3]),
        (json!({"appliedOn": {"gt": "2026-03-02"}}), vec![2, 4]),
        (json!({"appliedOn": {"gte": "2026-03-02"}}), vec![1, 2, 4]),
        (json!({"disbursedOn": {"isNull": true}}), vec![1, 2, 3, 4]),
        (json!({"disbursedOn": {"lt": "2030-01-01"}}), vec![]),
        (json!({"not": {"disbursedOn": {"lt": "2030-01-01"}}}), vec![1, 2, 3, 4]),
        (json!({"createdAt": {"gte": "2026-03-03T09:00:00Z"}}), vec![2, 3, 4]),
        (json!({"createdAt": {"lt": "2026-03-03T09:00:00Z"}}), vec![1]),
        (json!({"search": "CORE"}), vec![2]),
        (json!({"search": "l-000000003"}), vec![3]),
        (json!({"search": "kamau"}), vec![1, 2, 3]),
        (json!({"search": " trần "}), vec![4]),
        (json!({"search": "B-000000002"}), vec![4]),
        (json!({"search": "%"}), vec![]),
        (json!({"search": "_"}), vec![]),
        (json!({"search": "  "}), vec![1, 2, 3, 4]),
        (json!({"and": []}), vec![1, 2, 3, 4]),
        (json!({"or": []}), vec![]),
        (json!({"not": {}}), vec![]),
        (json!({"or": [{"status": {"eq": "APPROVED"}}, {"currency": {"eq": "VND"}}]}), vec![1, 4]),
        (json!({"and": [{"currency": {"eq": "KES"}}, {"not": {"status": {"eq": "APPROVED"}}}]}), vec![2, 3]),
        (
            json!({"currency": {"eq": "KES"}, "or": [{"externalRef": {"isNull": false}}, {"branch": {"eq": world.thika}}]}),
            vec![2, 3],
        ),
    ];
    for (filter, expected) in cases {
        let found = page(&world.api, json!({"filter": filter, "orderBy": [{"field": "NUMBER"}]})).await;
        assert_eq!(found.count, expected.len(), "{filter}");
        assert_eq!(found.numbers, numbers(expected), "{filter}");
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused() {
    let world = World::start().await;
    let cases = [
        (
            json!({"branch": {"eq": world.kes}}),
            "This is the id of a loan product; send the id of a branch, which starts with \"branch_\".",
        ),
        (
            json!({"borrower": {"in": [world.tran, world.nbo]}}),
            "This is the id of a branch; send the id of a borrower, which starts with \"borrower_\".",
        ),
        (
            json!({"product": {"eq": "1"}}),
            "This is not an id; send one that the API handed out, such as those that start with \"product_\".",
        ),
        (json!({"currency": {"eq": "KSH"}}), "Use a three-letter upper-case ISO 4217 currency code, such as KES."),
        (
            json!({"principal": {"gt": {"amount": "1.001", "currency": "KES"}}}),
            "Amounts in KES have at most 2 decimals; send the exact amount.",
        ),
        (json!({"search": "s".repeat(101)}), "Search for at most 100 characters."),
    ];
    for (filter, sentence) in cases {
        let expected = ("BAD_USER_INPUT".to_owned(), sentence.to_owned());
        assert_eq!(refused(&world.api, json!({"filter": filter})).await, expected, "{filter}");
        let deep = json!({"filter": {"or": [{"not": filter}]}});
        assert_eq!(refused(&world.api, deep).await, expected, "{filter}");
    }
    page(&world.api, json!({"filter": {"search": "ü".repeat(100)}})).await;
    for list in ["branches", "borrowers", "loanProducts"] {
        let query = format!("query($search: String) {{ {list}(filter: {{search: $search}}) {{ nodes {{ id }} }} }}");
        let error = world.api.error(&query, json!({"search": "s".repeat(101)})).await;
        assert_eq!(error["message"], "Search for at most 100 characters.", "{list}");
    }
}

#[tokio::test]
async fn filters_nest_three_deep() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let leaf = json!({"status": {"eq": "PENDING"}});
    let ways: [fn(Json) -> Json; 3] =
        [|inner| json!({"and": [inner]}), |inner| json!({"or": [inner]}), |inner| json!({"not": {"not": inner}})];
    for way in &ways[..2] {
        let three = way(way(way(leaf.clone())));
        assert_eq!(page(&world.api, json!({"filter": three})).await.count, 1);
        let four = way(three);
        assert_eq!(refused(&world.api, json!({"filter": four})).await.1, "Nest and, or and not at most 3 deep.");
    }
    let two = ways[2](leaf.clone());
    assert_eq!(page(&world.api, json!({"filter": two})).await.count, 1);
    assert_eq!(page(&world.api, json!({"filter": {"not": two}})).await.count, 0);
    let four = ways[2](ways[2](leaf));
    assert_eq!(refused(&world.api, json!({"filter": four})).await.1, "Nest and, or and not at most 3 deep.");
}

#[tokio::test]
async fn totals_are_those_of_the_filter_and_not_of_the_page() {
    let world = mixed().await;
    let query = "query($filter: LoanFilter) { loans(first: 1, filter: $filter) { nodes { number } totals { currency count principal { amount currency } averagePrincipal { amount } } } }";
    let totals = async |filter: Json| world.api.data(query, json!({"filter": filter})).await["loans"]["totals"].take();
    let dong = json!({"currency": "VND", "count": "1", "principal": {"amount": "20000", "currency": "VND"}, "averagePrincipal": {"amount": "20000"}});
    assert_eq!(
        totals(Json::Null).await,
        json!([
            {"currency": "KES", "count": "3", "principal": {"amount": "600.50", "currency": "KES"}, "averagePrincipal": {"amount": "200.17"}},
            dong,
        ])
    );
    assert_eq!(totals(json!({"branch": {"eq": world.hcm}})).await, json!([dong]));
    assert_eq!(totals(json!({"status": {"eq": "REPAID"}})).await, json!([]));
}

#[tokio::test]
async fn a_list_holds_the_callers_own_branches_only() {
    let world = mixed().await;
    let of = |branches: &[&str]| world.api.as_role(&[Role::Officer], branches);
    for (branches, expected) in [
        (&["NBO"][..], vec![1, 2, 3]),
        (&["THIKA"], vec![3]),
        (&["HCM", "THIKA"], vec![3, 4]),
        (&["HQ"], vec![1, 2, 3]),
        (&["NONE"], vec![]),
    ] {
        let found = page(&of(branches), json!({"orderBy": [{"field": "NUMBER"}]})).await;
        assert_eq!(found.count, expected.len(), "{branches:?}");
        assert_eq!(found.numbers, numbers(expected), "{branches:?}");
    }
    // A filter cannot reach further than the caller.
    let foreign = json!({"filter": {"or": [{"branch": {"eq": world.hcm}}, {"currency": {"eq": "VND"}}]}});
    assert_eq!(page(&of(&["NBO"]), foreign).await.numbers, numbers([]));
}
