//! `erase-borrower`: what it prints and refuses, and that nothing of whom it erased is left where the database keeps its
//! tables, while others are connected to it.

use branch_loan_api::ids::{Kind, NodeId};
use branch_loan_api::service::borrowers::{BorrowerRecord, RegisterBorrower, UpdateBorrower};
use branch_loan_api::service::check::Change;
use branch_loan_api::service::loan_decisions::DecisionInput;
use sea_orm::{ConnectionTrait, Statement};

use super::canary::files_with;
use crate::support::engines::Engine;
use crate::support::inputs::{application, approve, borrower_change, decide, joining, new_borrower, new_group};
use crate::support::process::Place;
use crate::support::services::{World, admin};

both_engines!(no_trace_is_left_in_the_tables, what_cannot_be_erased_is_told_and_the_rest_is_erased);

/// They occur nowhere else: in names, references, a reason.
const CANARIES: [&str; 4] = ["Quillonwen", "Zzyxath", "crm-canary-", "Vorbelqui"];

const CLEARED: &str =
    "Cleared the traces that the database keeps in its tables; see OPERATIONS.md for its logs and backups.\n";

fn place(engine: &Engine) -> Place {
    Place::new()
        .set("DATABASE_URL", &engine.url)
        .set("DATABASE_LOCK_TIMEOUT_MS", 50_000)
        .set("DATABASE_STATEMENT_TIMEOUT_MS", 50_000)
        .set("REQUEST_DEADLINE_MS", 60_000)
        .set("LOG_LEVEL", "warn")
}

/// So many people that pages were split and cells moved about, with copies of names and references left behind: of names of
/// every length, and each changed once. SQLite wipes what it overwrites and not all of those.
async fn people(world: &World) -> Vec<BorrowerRecord> {
    let branch = world.branch("NBO", None).await;
    let name = |name: &str, number: usize| {
        let first = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"][number * 7 % 10];
        format!("{} {name} {number}", first.repeat(1 + number * 37 % 110))
    };
    let mut people = Vec::new();
    for number in 0..60 {
        let input = RegisterBorrower {
            name: name(CANARIES[0], number),
            external_ref: Some(format!("{}{number}", CANARIES[2])),
            phone: Some(format!("+254 700 {number:06}")),
            national_id: Some(format!("ID {number:08}")),
            ..new_borrower(&branch)
        };
        people.push(world.services.register_borrower(&admin(), &input).await.unwrap());
    }
    for (number, person) in people.iter_mut().enumerate() {
        let change = UpdateBorrower {
            name: Some(name(CANARIES[1], number * 3 + 2)),
            phone: Change::Set(format!("+254 733 {number:06}")),
            ..borrower_change(person.id)
        };
        *person = world.services.update_borrower(&admin(), &change).await.unwrap();
    }
    people
}

async fn no_trace_is_left_in_the_tables(engine: Engine) {
    let world = World::new(engine).await;
    let people = people(&world).await;
    let product = world.product("P1").await;
    let loan = world.loan("k", &people[0], &product).await;
    let reason = DecisionInput::Reject { reason: Some(format!("{} has no income.", CANARIES[3])) };
    world.services.decide(&admin(), &decide(loan.id, reason)).await.unwrap();
    world.engine.raw().await.execute_unprepared("ANALYZE").await.unwrap();
    for text in CANARIES {
        assert_ne!(files_with(&world.engine, &[text]).await, "", "the search finds {text} where it is");
    }
    if world.engine.is_postgres() {
        assert!(statistics(&world.engine).await.contains(CANARIES[1]), "statistics do hold names");
    }

    let place = place(&world.engine);
    let mut arguments = vec!["erase-borrower", "--reason", "requested"];
    arguments.extend(people.iter().flat_map(|person| ["--borrower", &person.number]));
    let printed = place.run(&arguments).printed();
    let lines: String = people.iter().map(|person| format!("Erased {}.\n", person.number)).collect();
    assert_eq!(printed, lines + CLEARED);
    if world.engine.is_postgres() {
        nothing_dead_is_left(&world.engine).await;
    } else {
        nothing_in_the_files(&world.engine, &people).await;
    }
    let id = NodeId { kind: Kind::Borrower, uuid: people[0].id }.to_string();
    let again = place.run(&["erase-borrower", "--borrower", &id]).printed();
    assert_eq!(again, format!("{} was erased before; nothing was changed.\n{CLEARED}", people[0].number));
    assert!(place.run(&["verify"]).printed().starts_with("The books hold: "));
}

/// What PostgreSQL's planner knows of the values in the tables that people are in.
async fn statistics(engine: &Engine) -> String {
    let sql = "SELECT concat(most_common_vals::text, histogram_bounds::text) FROM pg_stats
               WHERE tablename IN ('borrowers', 'loans')";
    let statement = Statement::from_string(engine.backend, sql);
    let rows = engine.raw().await.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
}

/// Every row version that the tables still hold is one that transactions see, and the planner knows nobody's name.
async fn nothing_dead_is_left(engine: &Engine) {
    let sql = "SELECT count(*) FROM pg_class WHERE relname IN ('borrowers', 'loans') AND relpages > 0
               AND relallvisible = relpages";
    let statement = Statement::from_string(engine.backend, sql);
    let row = engine.raw().await.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 2, "both were vacuumed");
    let statistics = statistics(engine).await.to_lowercase();
    for text in CANARIES {
        assert!(!statistics.contains(&text.to_lowercase()), "{text} in the statistics");
    }
}

/// Neither in the file nor in its write-ahead log: names and references, and what stood sealed and hashed at the end.
async fn nothing_in_the_files(engine: &Engine, people: &[BorrowerRecord]) {
    assert_eq!(files_with(engine, &CANARIES).await, "");
    let path = engine.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
    let bytes = |end: &str| std::fs::read(format!("{path}{end}")).unwrap_or_default();
    let (file, log) = (bytes(""), bytes("-wal"));
    assert!(file.len() > 100_000 && log.is_empty(), "{} and {} bytes", file.len(), log.len());
    for value in people.iter().step_by(6).flat_map(|person| [&person.phone, &person.national_id]).flatten() {
        for part in [&value.sealed, &value.hash] {
            assert!(!file.windows(part.len()).any(|window| window == part.as_slice()));
        }
    }
}

async fn what_cannot_be_erased_is_told_and_the_rest_is_erased(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let free = world.borrower(&branch).await;
    let group = world.services.create_group(&admin(), &new_group(&branch)).await.unwrap();
    world.services.add_group_member(&admin(), &joining(group.id, free.id)).await.unwrap();
    let loan = world.loan("k", &borrower, &product).await;
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
    world.services.apply_for_loan(&admin(), &application("k2", &borrower, &product)).await.unwrap();
    let place = place(&world.engine);
    let erase = |who: &[&str]| {
        let arguments: Vec<&str> = who.iter().flat_map(|who| ["--borrower", who]).collect();
        place.run(&[&["erase-borrower"], arguments.as_slice()].concat())
    };

    let refusal = erase(&[&borrower.number]).refusal();
    assert_eq!(
        refusal,
        "B-000000001: Settle every loan of this borrower first, pay back its credit, and recover what was written off: 2 open (L-000000001, L-000000002)."
    );
    for nobody in ["B-000000099", "borrower_00000000000000000000000001", "loan_00000000000000000000000001"] {
        let refusal = erase(&[nobody]).refusal();
        assert!(refusal.starts_with(&format!("{nobody}: There is no such borrower")), "{refusal}");
    }
    let outcome = erase(&[&borrower.number, &free.number]);
    assert_eq!(outcome.stdout, format!("Erased B-000000002, who left a group.\n{CLEARED}"));
    assert!(outcome.refusal().starts_with("B-000000001: Settle every loan"));
    let raw = world.engine.raw().await;
    let sql = "SELECT name FROM borrowers ORDER BY number";
    let rows = raw.query_all_raw(Statement::from_string(world.engine.backend, sql)).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(names, ["Wanjiru Kamau", "[erased]"]);
}

#[test]
fn whom_and_why_are_asked_for_and_the_database_is_current() {
    for arguments in [&["erase-borrower"][..], &["erase-borrower", "--borrower", "B-1", "--reason", "whim"]] {
        let outcome = Place::new().run(arguments);
        assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    }
    let refusal = super::production().run(&["erase-borrower", "--borrower", "B-000000001"]).refusal();
    assert!(refusal.contains("`branch-loan-api migrate`"), "{refusal}");
}
