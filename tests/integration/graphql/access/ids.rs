//! Every argument that takes an id, for every role: one's own thing is found, and another's thing cannot be told from one
//! that does not exist, whichever way it is named; nor does asking for it change anything.

use std::collections::BTreeSet;

use branch_loan_api::auth::{Action, Role};
use branch_loan_api::ids::Kind;
use serde_json::{Value as Json, json};

use super::arguments::{finds_nothing, kinds, question, reading};
use super::fields::{Row, matrix};
use super::sides::Side;
use super::things::{Things, Whose, things};
use crate::graphql::world::{World, create, object, with};
use crate::support::api::{Answer, Client};
use crate::support::sdl::{IdArgument, SDL};

/// How a request ended, as far as a caller can see.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Found,
    Nothing,
    Forbidden,
    /// With these codes.
    Refused(Vec<String>),
}

fn codes(errors: &Json, path: &[&str]) -> Vec<String> {
    let code = |error: &Json| path.iter().fold(error, |at, name| &at[name]).as_str().unwrap().to_owned();
    errors.as_array().into_iter().flatten().map(code).collect()
}

fn verdict(answer: &Answer, path: &[&str]) -> Verdict {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = codes(&answer.body["errors"], &["extensions", "code"]);
    let value = path.iter().fold(&answer.body["data"], |at, name| &at[name]);
    if !told.is_empty() {
        assert!(value.is_null(), "an error and an answer: {}", answer.text);
        return if told.iter().all(|code| code == "FORBIDDEN") { Verdict::Forbidden } else { Verdict::Refused(told) };
    }
    let refused = codes(&value["userErrors"], &["code"]);
    if !refused.is_empty() {
        return Verdict::Refused(refused);
    }
    let nothing = value.is_null()
        || *value == json!([null])
        || value["count"] == "0"
        || (value["totalCount"] == 0 && value["nodes"] == json!([]));
    if nothing { Verdict::Nothing } else { Verdict::Found }
}

impl Verdict {
    /// There is no such thing for the caller, or it is no member of what it would have to be in.
    fn is_absence(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Refused(codes) => *codes == ["NOT_FOUND"] || *codes == ["NOT_A_MEMBER"],
            Self::Found | Self::Forbidden => false,
        }
    }

    /// The id is no id of what was asked for.
    fn is_wrong_kind(&self) -> bool {
        matches!(self, Self::Refused(codes) if *codes == ["BAD_USER_INPUT"] || *codes == ["INVALID_ID"])
    }
}

/// Ids of things of this kind that do not exist: one nobody would make, and one like those that are made.
fn missing(kind: Kind) -> Vec<String> {
    ["00000000000000000000000001", "01kjq1v2w3e4f5g6h7j8k9mnpq"].map(|rest| format!("{}_{rest}", kind.prefix())).into()
}

/// Ids of another kind than is asked for: of one's own thing, another's, and none.
fn of_another_kind(name: &str, kind: Kind, own: &Side, foreign: &Side) -> Vec<String> {
    if name.starts_with("Query.node") || name.contains("objectId") {
        return vec!["house_00000000000000000000000001".to_owned(), "house_01kjq1v2w3e4f5g6h7j8k9mnpq".to_owned()];
    }
    let other = if kind == Kind::Branch { Kind::Loan } else { Kind::Branch };
    let there = [own.of(other)[0], foreign.of(other)[0]].map(str::to_owned);
    there.into_iter().chain(missing(other)).collect()
}

/// Ids of things of this kind that are others', and known to exist.
fn others(name: &str, kind: Kind, beyond: &[&Side; 2]) -> Vec<String> {
    // Products are everybody's; what was lent under one is not.
    if kind == Kind::LoanProduct && !name.contains("filter.") {
        return Vec::new();
    }
    let [foreign, above] = beyond;
    let mut ids: Vec<String> = foreign.of(kind).into_iter().map(str::to_owned).collect();
    match kind {
        // The product above is the caller's too, and below it lies the caller's branch.
        Kind::LoanProduct => {}
        Kind::Branch => ids.push(above.branch.clone()),
        _ => ids.extend(above.of(kind).into_iter().map(str::to_owned)),
    }
    ids
}

fn own_id<'a>(name: &str, kind: Kind, own: &'a Side) -> &'a str {
    if name.contains("chargeId") { &own.charge } else { own.of(kind)[0] }
}

/// What a caller sees, with the id in question left out.
async fn seen(client: &Client, body: &Json, id: &str, path: &[&str]) -> (Verdict, String) {
    let answer = client.post(body).await;
    (verdict(&answer, path), answer.text.replace(id, "ID"))
}

#[test]
fn the_matrix_knows_every_argument_that_takes_an_id() {
    let arguments = SDL.id_arguments();
    let rows: BTreeSet<String> = matrix().iter().map(|row| format!("Mutation.{}", row.field)).collect();
    let side = Side::nothing();
    let unknown: Vec<&str> = arguments
        .iter()
        .filter(|argument| {
            let can_be_asked = rows.contains(&argument.of) || question(&argument.name, &side).is_some();
            kinds(&argument.name).is_empty() || !can_be_asked
        })
        .map(|argument| argument.name.as_str())
        .collect();
    assert!(unknown.is_empty(), "tests/integration/graphql/access/arguments.rs: say what these take: {unknown:#?}");
    assert!(arguments.len() > 100, "the walk has lost its way: {}", arguments.len());
    for known in ["Group.loans(filter.group.in)", "Loan.simulate(events.reversal.transactionId)", "Query.nodes(ids)"] {
        assert!(arguments.iter().any(|argument| argument.name == known), "{known}");
    }
}

/// A question of one role, through one argument.
struct Cell<'a> {
    argument: &'a IdArgument,
    kind: Kind,
    client: Client,
    allowed: bool,
    own: &'a Side,
    beyond: [&'a Side; 2],
}

impl Cell<'_> {
    async fn ask(&self, arguments: &Json, id: &str) -> (Verdict, String) {
        let (of, name) = (&self.argument.of, &self.argument.name);
        let question = question(name, self.own).unwrap();
        let path = match of.split_once('.').unwrap() {
            ("Group", field) => vec!["group", field],
            ("Loan", field) => vec!["loan", field],
            (_, field) => vec![field],
        };
        seen(&self.client, &question.request(of, arguments), id, &path).await
    }

    /// Asks for each of these ids; all answers must be the same.
    async fn alike(&self, ids: &[String], arguments: impl Fn(&str) -> Json) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut texts = BTreeSet::new();
        for id in ids {
            let (found, text) = self.ask(&arguments(id), id).await;
            verdicts.push(found);
            texts.insert(text);
        }
        assert!(texts.len() <= 1, "{} tells {ids:?} apart: {texts:#?}", self.argument.name);
        verdicts
    }

    async fn check(&self) {
        let (argument, name) = (self.argument, self.argument.name.as_str());
        let asked = question(name, self.own).unwrap().arguments;
        let ours = own_id(name, self.kind, self.own);
        let (found, text) = self.ask(&argument.place(&asked, &[ours]), ours).await;
        match (self.allowed, finds_nothing(name)) {
            (false, _) => assert_eq!(found, Verdict::Forbidden, "{name}: {text}"),
            (true, false) => assert_eq!(found, Verdict::Found, "{name}: {text}"),
            (true, true) => assert!(found.is_absence(), "{name}: {text}"),
        }

        let mut absent = others(name, self.kind, &self.beyond);
        absent.extend(missing(self.kind));
        for found in self.alike(&absent, |id| argument.place(&asked, &[id])).await {
            match self.allowed {
                true => assert!(found.is_absence(), "{name}, another's: {found:?}"),
                false => assert_eq!(found, Verdict::Forbidden, "{name}, another's"),
            }
        }
        if argument.is_list() {
            self.alike(&absent, |id| argument.place(&asked, &[ours, id])).await;
        }
        if let Some(filter) = argument.place(&asked, &[ours]).get("filter").cloned() {
            assert!(filter.is_object());
            self.alike(&absent, |id| {
                let filter = argument.place(&asked, &[id])["filter"].take();
                with(asked.clone(), json!({"filter": {"not": filter}}))
            })
            .await;
        }
        let wrong = of_another_kind(name, self.kind, self.own, self.beyond[0]);
        for found in self.alike(&wrong, |id| argument.place(&asked, &[id])).await {
            let fits = found.is_wrong_kind() || (!self.allowed && found == Verdict::Forbidden);
            assert!(fits, "{name}, the id of something else: {found:?}");
        }
    }
}

#[tokio::test]
async fn queries_tell_nobody_whether_anothers_thing_exists() {
    let world = World::start().await;
    let (own, foreign, above) = (Side::own(&world).await, Side::foreign(&world).await, Side::above(&world).await);
    // A loan of the caller's branch whose borrower is looked after by another.
    let across = json!({"borrowerId": above.borrower, "branchId": own.branch});
    create(&world.api, "applyForLoan", with(world.application("across", "1"), across)).await;
    let rows = matrix();
    for argument in SDL.id_arguments().iter().filter(|argument| !argument.of.starts_with("Mutation.")) {
        for kind in kinds(&argument.name) {
            let action = match argument.of.split_once('.').unwrap() {
                (_, "node" | "nodes") => reading(*kind),
                ("Query", field) => rows.iter().find(|row| row.field == field).unwrap().action.unwrap(),
                _ => Action::ReadLoans,
            };
            for role in Role::ALL {
                let cell = Cell {
                    argument,
                    kind: *kind,
                    client: world.api.as_role(&[role], &["NBO"]),
                    allowed: action.roles().contains(&role),
                    own: &own,
                    beyond: [&foreign, &above],
                };
                cell.check().await;
            }
        }
    }
}

/// How many rows there are of everything, what was done, and the versions of the things at hand.
async fn books(world: &World, of: &[&str]) -> Json {
    let text = "query Books($ids: [ID!]!) {
        branches(first: 1) { totalCount } borrowers(first: 1) { totalCount } groups(first: 1) { totalCount }
        loanProducts(first: 1) { totalCount } loans(first: 1) { totalCount } journalEntries(first: 1) { totalCount }
        auditEvents(first: 1, filter: {or: [{outcome: DONE}, {outcome: REPLAYED}]}) { totalCount }
        nodes(ids: $ids) {
            ... on Branch { version updatedAt } ... on Borrower { version updatedAt } ... on Group { version updatedAt }
            ... on LoanProduct { version updatedAt } ... on Loan { version updatedAt transactions(first: 1) { totalCount } }
        }
    }";
    world.api.data(text, json!({"ids": of})).await
}

/// What an id that a mutation takes beside its main one can be, of one's own.
fn beside(world: &World, name: &str, of: &Things) -> Json {
    match name {
        "Mutation.applyForLoan(input.branchId)" => json!({"branchId": world.nbo}),
        "Mutation.applyForLoan(input.groupId)" => json!({"groupId": of.group, "borrowerId": of.member}),
        "Mutation.updateBranch(input.parentId)" => json!({"parentId": world.thika}),
        other => panic!("tests/integration/graphql/access/ids.rs: say what {other} can be"),
    }
}

/// A mutation by one role, about things of its own but for one id.
struct Change<'a> {
    world: &'a World,
    row: &'a Row,
    client: Client,
    role: Role,
    own: &'a Side,
    beyond: [&'a Side; 2],
}

impl Change<'_> {
    fn is_allowed(&self) -> bool {
        self.row.action.unwrap().roles().contains(&self.role)
    }

    /// Nothing is found and nothing is changed by an id that is another's, nobody's, or something else's.
    async fn refuse(&self, argument: &IdArgument, kind: Kind, of: &Things) {
        let (text, variables) = (self.row.ask)(self.world, of);
        let mut absent = others(&argument.name, kind, &self.beyond);
        absent.extend(missing(kind));
        let wrong = of_another_kind(&argument.name, kind, self.own, self.beyond[0]);
        let mut watched: Vec<&str> = vec![&of.branch, &of.borrower, &of.loan, &of.product, &of.group, &of.member];
        watched.extend(
            self.beyond
                .iter()
                .flat_map(|side| [&side.branch, &side.borrower, &side.loan, &side.group])
                .map(String::as_str),
        );
        let before = books(self.world, &watched).await;
        for (ids, is_wrong) in [(&absent, false), (&wrong, true)] {
            let mut texts = BTreeSet::new();
            for id in ids {
                let body = json!({"query": text, "variables": argument.place(&variables, &[id])});
                let (found, shown) = seen(&self.client, &body, id, &[self.row.field]).await;
                let fits = match (self.is_allowed(), is_wrong) {
                    (true, true) => found.is_wrong_kind(),
                    (true, false) => found.is_absence(),
                    (false, true) => found == Verdict::Forbidden || found.is_wrong_kind(),
                    (false, false) => found == Verdict::Forbidden,
                };
                assert!(fits, "{} by {} with {id}: {shown}", argument.name, self.role);
                texts.insert(shown);
            }
            assert!(texts.len() <= 1, "{} tells {} apart: {texts:#?}", argument.name, self.role);
        }
        assert_eq!(books(self.world, &watched).await, before, "{} by {} changed something", argument.name, self.role);
    }

    /// With ids of one's own it is done, or forbidden.
    async fn carry_out(&self, of: &Things, more: Json) {
        let (text, variables) = (self.row.ask)(self.world, of);
        let variables = json!({"input": with(variables["input"].clone(), more)});
        let body = json!({"query": text, "variables": variables});
        let (found, shown) = seen(&self.client, &body, "-", &[self.row.field]).await;
        let expected = if self.is_allowed() { Verdict::Found } else { Verdict::Forbidden };
        assert_eq!(found, expected, "{} by {}: {shown}", self.row.field, self.role);
        let done = self.is_allowed() && !shown.contains(&format!("\"{}\":null", object(self.row.field)));
        assert_eq!(done, self.is_allowed(), "{shown}");
    }
}

#[tokio::test]
async fn mutations_find_and_change_nothing_that_is_anothers() {
    let world = World::start().await;
    let (own, foreign, above) = (Side::own(&world).await, Side::foreign(&world).await, Side::above(&world).await);
    let arguments = SDL.id_arguments();
    let mut cell = 0;
    for row in matrix() {
        let of_row = format!("Mutation.{}", row.field);
        let arguments: Vec<&IdArgument> = arguments.iter().filter(|argument| argument.of == of_row).collect();
        if arguments.is_empty() {
            continue;
        }
        // What nobody was allowed to touch, serves the next role, too.
        let mut untouched = None;
        for role in Role::ALL {
            let branches: &[&str] = if row.is_for_all_branches() { &[] } else { &["NBO"] };
            let client = world.api.as_role(&[role], branches);
            let change = Change { world: &world, row: &row, client, role, own: &own, beyond: [&foreign, &above] };
            let of = match untouched.take() {
                Some(of) => of,
                None => {
                    cell += 1;
                    things(&world, row.field, Whose::Own, cell, true).await
                }
            };
            let mut beside_it = Vec::new();
            for argument in &arguments {
                let [kind] = kinds(&argument.name) else { panic!("{}: one kind", argument.name) };
                change.refuse(argument, *kind, &of).await;
                if !argument.is_given(&(row.ask)(&world, &of).1) {
                    beside_it.push(argument.name.as_str());
                }
            }
            change.carry_out(&of, json!({})).await;
            if !change.is_allowed() {
                for name in beside_it {
                    change.carry_out(&of, beside(&world, name, &of)).await;
                }
                untouched = Some(of);
                continue;
            }
            for name in beside_it {
                cell += 1;
                let of = things(&world, row.field, Whose::Own, cell, true).await;
                change.carry_out(&of, beside(&world, name, &of)).await;
            }
        }
    }
}
