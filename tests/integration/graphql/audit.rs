//! The audit trail over HTTP: every mutation leaves exactly one event however it ends, and auditors see those of their
//! branches, page by page.

use std::collections::BTreeSet;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{TypeKind, TypeSystemDefinition};
use branch_loan_api::auth::Role;
use branch_loan_api::graphql::schema;
use branch_loan_api::ids::{Kind, NodeId};
use serde_json::{Value as Json, json};

use super::access::{Row, Scoped, Things, Whose, matrix, things};
use super::world::{World, branch, create, each, mutation, refusals, with};
use crate::support::api::{Client, REQUEST_ID};

fn mutations() -> BTreeSet<String> {
    let document = parse_schema(schema::sdl()).unwrap();
    let mut names = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        if let ("Mutation", TypeKind::Object(object)) = (definition.node.name.node.as_str(), definition.node.kind) {
            names.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
        }
    }
    assert!(names.len() > 30, "{names:?}");
    names
}

/// The matrix's row of every mutation of the schema; a mutation without one fails.
fn rows() -> Vec<Row> {
    let mut rows = matrix();
    let known: BTreeSet<String> = rows.iter().map(|row| row.field.to_owned()).collect();
    let mutations = mutations();
    assert!(mutations.is_subset(&known), "no row for {:?}", mutations.difference(&known));
    rows.retain(|row| mutations.contains(row.field));
    assert_eq!(rows.len(), mutations.len());
    rows
}

const EVENT: &str = "operation outcome codes roles requestId objectId sealed branch { id }";

/// What stands on the trail of a subject.
async fn trail(world: &World, subject: &str) -> Vec<Json> {
    let query = format!(
        "query($subject: String!) {{ auditEvents(filter: {{subject: {{eq: $subject}}}}) {{ nodes {{ {EVENT} }} }} }}"
    );
    let data = world.api.data(&query, json!({"subject": subject})).await;
    data["auditEvents"]["nodes"].as_array().unwrap().clone()
}

struct Call<'a> {
    world: &'a World,
    row: &'a Row,
    cell: usize,
    role: Role,
}

impl Call<'_> {
    fn subject(&self) -> String {
        format!("subject-{}", self.cell)
    }

    /// Someone who works at NBO; for products, everywhere.
    fn client(&self) -> Client {
        let branches: &[&str] = if self.row.is_for_all_branches() { &[] } else { &["NBO"] };
        self.world.api.as_someone(&self.subject(), &[self.role], branches)
    }

    /// Asks, and gives the one event that must have come of it.
    async fn event(&self, of: &Things) -> Json {
        let before = trail(self.world, &self.subject()).await.len();
        let (text, variables) = (self.row.ask)(self.world, of);
        let answer = self.client().post(&json!({"query": text, "variables": variables})).await;
        let events = trail(self.world, &self.subject()).await;
        assert_eq!(events.len(), before + 1, "{} leaves one event: {}\n{events:#?}", self.row.field, answer.text);
        let event = events.into_iter().next_back().unwrap();
        assert_eq!(event["operation"], self.row.field);
        assert_eq!(event["requestId"], REQUEST_ID);
        assert_eq!(event["roles"], json!([self.role.as_str()]));
        let errors = &answer.body["data"][self.row.field]["userErrors"];
        let mut told: Vec<Json> = errors.as_array().into_iter().flatten().map(|error| error["code"].clone()).collect();
        told.dedup();
        if event["outcome"] == "REFUSED" {
            assert_eq!(event["codes"], json!(told), "{}: the codes the caller was told", self.row.field);
        }
        event
    }
}

fn nonsense(of: &mut Things) {
    for id in [
        &mut of.branch,
        &mut of.borrower,
        &mut of.loan,
        &mut of.product,
        &mut of.group,
        &mut of.joiner,
        &mut of.member,
        &mut of.transaction,
    ] {
        *id = "nonsense".to_owned();
    }
}

#[tokio::test]
async fn every_mutation_leaves_exactly_one_event_however_it_ends() {
    let world = World::start().await;
    let mut cell = 0;
    for row in &rows() {
        let field = row.field;
        let mut call = |role| {
            cell += 1;
            Call { world: &world, row, cell, role }
        };

        let done = call(Role::Admin);
        let own = things(&world, field, Whose::Own, done.cell, true).await;
        let event = done.event(&own).await;
        assert_eq!((&event["outcome"], &event["codes"]), (&json!("DONE"), &json!([])), "{field}");
        assert!(event["objectId"].is_string(), "{field}: {event}");
        assert_eq!(event["branch"].is_null(), row.is_for_all_branches(), "{field}: {event}");

        // The same again by someone whose role does not allow it.
        let forbidden = call(Role::Auditor);
        let event = forbidden.event(&own).await;
        assert_eq!((&event["outcome"], &event["codes"]), (&json!("FORBIDDEN"), &json!(["FORBIDDEN"])), "{field}");

        // What is another's, whose auditor is to know; what does not exist; a code that is taken.
        let refused = call(Role::Admin);
        let event = match row.scoped {
            Scoped::ByBranch => {
                let foreign = things(&world, field, Whose::Foreign, refused.cell, true).await;
                let event = refused.event(&foreign).await;
                assert_eq!(event["branch"]["id"], world.hcm, "{field}: {event}");
                event
            }
            Scoped::ByExistence => {
                let missing = things(&world, field, Whose::Missing, refused.cell, true).await;
                let event = refused.event(&missing).await;
                assert_eq!(event["branch"], Json::Null, "{field}: {event}");
                event
            }
            Scoped::Not => refused.event(&own).await,
        };
        assert_eq!(event["outcome"], "REFUSED", "{field}: {event}");

        // Ids that are none: no use case ever sees them.
        if row.scoped != Scoped::Not {
            let unread = call(Role::Admin);
            let mut of = things(&world, field, Whose::Missing, unread.cell, true).await;
            nonsense(&mut of);
            let event = unread.event(&of).await;
            assert_eq!((&event["outcome"], &event["codes"]), (&json!("REFUSED"), &json!(["INVALID_ID"])), "{field}");
            assert_eq!((&event["branch"], &event["objectId"]), (&Json::Null, &Json::Null), "{field}");
        }
    }
    // All of it can be sealed, and holds.
    let services = world.api.services();
    services.seal_audit_trail_now().await.unwrap();
    let text = "{ verifyBooks { clean count unsealedAuditEvents findings { kind subject expected actual } } }";
    let found = world.api.data(text, json!({})).await;
    assert_eq!(found["verifyBooks"], json!({"clean": true, "count": 0, "unsealedAuditEvents": 0, "findings": []}));
}

#[tokio::test]
async fn a_repetition_is_replayed_and_says_so() {
    let world = World::start().await;
    let amina = world.api.as_someone("amina", &[Role::Officer], &["NBO"]);
    for _ in 0..2 {
        create(&amina, "applyForLoan", world.application("key", "100.00")).await;
    }
    refusals(&amina, "applyForLoan", world.application("key", "200.00")).await;
    let events = trail(&world, "amina").await;
    let outcomes: Vec<(&Json, &Json)> = events.iter().map(|event| (&event["outcome"], &event["codes"])).collect();
    assert_eq!(
        outcomes,
        [
            (&json!("DONE"), &json!([])),
            (&json!("REPLAYED"), &json!([])),
            (&json!("REFUSED"), &json!(["IDEMPOTENCY_KEY_MISMATCH"])),
        ]
    );
}

#[tokio::test]
async fn an_event_tells_who_did_what_and_where_it_stands() {
    let world = World::start().await;
    let amina = world.api.as_someone("amina", &[Role::Officer], &["NBO"]);
    let loan = create(&amina, "applyForLoan", world.application("key", "100.50")).await;
    let text = "query($id: ID!) { auditEvents(last: 1, filter: {objectId: {eq: $id}}) { unsealed totalCount nodes {
        id recordedAt subject operation outcome objectId details position hash sealed branch { code }
    } } }";
    let mut seen = world.api.data(text, json!({"id": loan})).await["auditEvents"].take();
    let id = seen["nodes"][0]["id"].take();
    assert!(seen["unsealed"].as_i64().unwrap() > 1, "what the world was made of waits too");
    assert_eq!(
        seen["nodes"][0],
        json!({
            "id": null, "recordedAt": "2026-03-02T09:00:00.000Z", "subject": "amina", "operation": "applyForLoan",
            "outcome": "DONE", "objectId": loan, "position": null, "hash": null, "sealed": false,
            "branch": {"code": "NBO"},
            "details": "{\"amountMinor\":10050,\"currency\":\"KES\",\"status\":\"PENDING\",\"version\":1}",
        })
    );
    world.api.services().seal_audit_trail().await.unwrap();
    let node = "query($id: ID!) { node(id: $id) { id ... on AuditEvent { operation position hash sealed } } }";
    let node = world.api.data(node, json!({"id": id})).await["node"].take();
    assert_eq!((&node["id"], &node["operation"], &node["sealed"]), (&id, &json!("applyForLoan"), &json!(true)));
    // NBO was opened, Wanjiru was registered there, and the loan came.
    assert_eq!(node["position"], 3);
    let hash = node["hash"].as_str().unwrap();
    assert!(hash.len() == 64 && hash.chars().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    let heads = "{ verifyBooks { auditChains { branchCode length head } } auditEvents { unsealed } }";
    let heads = world.api.data(heads, json!({})).await;
    let chains = heads["verifyBooks"]["auditChains"].as_array().unwrap();
    assert!(chains.contains(&json!({"branchCode": "NBO", "length": 3, "head": hash})), "{chains:#?}");
    assert!(chains.iter().any(|chain| chain["branchCode"].is_null()), "products are the lender's: {chains:#?}");
    assert_eq!(heads["auditEvents"]["unsealed"], 0);
}

#[tokio::test]
async fn auditors_see_the_events_of_their_branches_and_no_others() {
    let world = World::start().await;
    world.loan("a", "100").await;
    world.foreign_loan("b", "100").await;
    let text = "{ auditEvents { totalCount unsealed nodes { operation branch { code } } } }";
    let everywhere = world.api.as_role(&[Role::Auditor], &[]).data(text, json!({})).await["auditEvents"].take();
    let lenders = |events: &Json| {
        let nodes = events["nodes"].as_array().unwrap();
        nodes.iter().filter(|event| event["branch"].is_null()).count()
    };
    assert_eq!((everywhere["totalCount"].as_i64(), lenders(&everywhere)), (Some(10), 2));
    let local = world.api.as_role(&[Role::Auditor], &["NBO"]).data(text, json!({})).await["auditEvents"].take();
    let event = |operation: &str, code: &str| json!({"operation": operation, "branch": {"code": code}});
    assert_eq!(
        local,
        json!({
            "totalCount": 4, "unsealed": 4,
            "nodes": [
                event("createBranch", "NBO"), event("createBranch", "THIKA"),
                event("registerBorrower", "NBO"), event("applyForLoan", "NBO"),
            ],
        })
    );
    // What is no branch's is in the complement of every branch.
    let count = |filter: &str| {
        let (api, text) = (&world.api, format!("{{ auditEvents(filter: {filter}) {{ totalCount }} }}"));
        async move { api.data(&text, json!({})).await["auditEvents"]["totalCount"].as_i64().unwrap() }
    };
    let hq = &world.hq;
    assert_eq!(count(&format!("{{branch: {{eq: \"{hq}\"}}}}")).await, 5);
    assert_eq!(count(&format!("{{not: {{branch: {{eq: \"{hq}\"}}}}}}")).await, 5);
    assert_eq!(count(&format!("{{branch: {{eq: \"{hq}\"}}, includeSubBranches: false}}")).await, 1);
    assert_eq!(count("{operation: {in: [\"applyForLoan\", \"createLoanProduct\"]}}").await, 4);
    assert_eq!(count("{outcome: REFUSED}").await, 0);
    assert_eq!(count("{outcome: DONE, recordedAt: {lte: \"2026-03-02T09:00:00.000Z\"}}").await, 10);
    assert_eq!(count("{recordedAt: {gt: \"2026-03-02T09:00:00.000Z\"}}").await, 0);
    assert_eq!(count(&format!("{{objectId: {{in: [\"{}\", \"{}\"]}}}}", world.wanjiru, world.hcm)).await, 2);
    // The same number as another kind's id is another thing.
    let uuid = world.wanjiru.parse::<NodeId>().unwrap().uuid;
    let other = NodeId { kind: Kind::Loan, uuid };
    assert_eq!(count(&format!("{{objectId: {{eq: \"{other}\"}}}}")).await, 0);
}

#[tokio::test]
async fn the_trail_is_paged_both_ways() {
    let world = World::start().await;
    for place in 0..7 {
        branch(&world.api, &format!("B{place}"), Some(&world.nbo)).await;
    }
    let all = world.api.data("{ auditEvents(first: 100) { nodes { id } } }", json!({})).await;
    let all = each(&all["auditEvents"]["nodes"], "id");
    let page = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id }";
    let order = "orderBy: [{field: RECORDED_AT, direction: ASC}]";
    for (forward, more) in [(true, ""), (false, ""), (true, order), (false, order)] {
        let mut seen: Vec<String> = Vec::new();
        let mut cursor = Json::Null;
        loop {
            let (size, from) = if forward { ("first", "after") } else { ("last", "before") };
            let text = format!("query($c: String) {{ auditEvents({size}: 4, {from}: $c, {more}) {{ {page} }} }}");
            let part = world.api.data(&text, json!({"c": cursor})).await["auditEvents"].take();
            let ids = each(&part["nodes"], "id");
            let (next, end) = if forward { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
            seen = if forward { [seen, ids].concat() } else { [ids, seen].concat() };
            cursor = part["pageInfo"][end].clone();
            if part["pageInfo"][next] == false {
                break;
            }
        }
        assert_eq!(seen, all, "forward: {forward} {more}");
    }
}

/// Telephone numbers of a page are one event for each branch, however many they are; masked ones are none.
#[tokio::test]
async fn personal_data_shown_in_full_is_on_the_trail() {
    let world = World::start().await;
    let person = |branch: &str, name: &str, phone: &str| json!({"branchId": branch, "name": name, "phone": phone});
    let one = create(&world.api, "registerBorrower", person(&world.nbo, "One", "0700 000 001")).await;
    let two = create(&world.api, "registerBorrower", person(&world.nbo, "Two", "0700 000 002")).await;
    let three = create(&world.api, "registerBorrower", person(&world.hcm, "Three", "0700 000 003")).await;
    let text = "{ borrowers { nodes { phone nationalId again: phone } } }";
    let officer = world.api.as_someone("officer", &[Role::Officer], &[]);
    officer.data(text, json!({})).await;
    assert_eq!(trail(&world, "officer").await, Vec::<Json>::new());

    let manager = world.api.as_someone("manager", &[Role::Manager], &[]);
    manager.data("{ borrowers { nodes { name } } }", json!({})).await;
    assert_eq!(trail(&world, "manager").await, Vec::<Json>::new());
    world.api.statements().reset();
    manager.data(text, json!({})).await;
    assert_eq!(world.api.statements().count(), 2, "{:#?}", world.api.statements().texts());
    let query = "{ auditEvents(filter: {subject: {eq: \"manager\"}}) { nodes { operation outcome objectId details branch { code } } } }";
    let events = world.api.data(query, json!({})).await["auditEvents"]["nodes"].take();
    let mut both = vec![one.clone(), two];
    both.sort();
    let mut events = events.as_array().unwrap().clone();
    events.sort_by_key(|event| event["branch"]["code"].to_string());
    assert_eq!(
        events,
        [
            json!({
                "operation": "unmask", "outcome": "DONE", "objectId": three, "branch": {"code": "HCM"},
                "details": json!({"borrowers": [three]}).to_string(),
            }),
            json!({
                "operation": "unmask", "outcome": "DONE", "objectId": null, "branch": {"code": "NBO"},
                "details": json!({"borrowers": both}).to_string(),
            }),
        ]
    );
    let single = world.api.as_someone("single", &[Role::Manager], &["NBO"]);
    single.data("query($id: ID!) { borrower(by: {id: $id}) { phone nationalId } }", json!({"id": one})).await;
    let events = trail(&world, "single").await;
    assert_eq!((events.len(), &events[0]["objectId"]), (1, &json!(one)));
}

#[tokio::test]
async fn closing_days_leaves_an_event_for_each_day_of_each_branch() {
    let world = World::start().await;
    let manager = world.api.as_someone("manager", &[Role::Manager], &["NBO"]);
    let input = json!({"branchId": world.nbo, "on": "2026-02-26"});
    let text = mutation("closeBusinessDay", "closed { days } userErrors { code }");
    for on in ["2026-02-26", "2026-02-28", "2026-02-28"] {
        let answer = manager.data(&text, json!({"input": with(input.clone(), json!({"on": on}))})).await;
        assert_eq!(answer["closeBusinessDay"]["userErrors"], json!([]));
    }
    let query =
        "{ auditEvents(filter: {subject: {eq: \"manager\"}}) { nodes { operation details sealed branch { code } } } }";
    let events = world.api.data(query, json!({})).await["auditEvents"]["nodes"].take();
    let told: Vec<(String, Option<String>, i64)> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            assert_eq!((&event["operation"], &event["sealed"]), (&json!("closeBusinessDay"), &json!(true)), "{event}");
            let details: Json = serde_json::from_str(event["details"].as_str().unwrap()).unwrap();
            let day = details["day"].as_str().map(str::to_owned);
            (event["branch"]["code"].as_str().unwrap().to_owned(), day, details["days"].as_i64().unwrap())
        })
        .collect();
    let day = |code: &str, day: &str| (code.to_owned(), Some(day.to_owned()), 1);
    let nothing = |code: &str| (code.to_owned(), None, 0);
    assert_eq!(
        told,
        [
            day("NBO", "2026-02-26"),
            day("THIKA", "2026-02-26"),
            day("NBO", "2026-02-27"),
            day("NBO", "2026-02-28"),
            day("THIKA", "2026-02-27"),
            day("THIKA", "2026-02-28"),
            nothing("NBO"),
            nothing("THIKA"),
        ]
    );
}
