//! Going back to the version before needs no change of the database: a server works on a schema that a newer one has
//! added to, as every migration may (DEPLOYMENT.md, Migrations).

use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use super::attacks_values::world;
use crate::support::engines::Engine;
use crate::support::server::{Reply, Setup};

both_engines!(a_server_works_on_the_schema_of_the_version_after_it);

/// What the next version may do: columns that may be empty in every table, and a table of its own.
async fn grow(engine: &Engine) {
    let tables = if engine.is_postgres() {
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    };
    let raw = engine.raw().await;
    let rows = raw.query_all_raw(Statement::from_string(engine.backend, tables)).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names.iter().filter(|name| *name != "seaql_migrations") {
        raw.execute_unprepared(&format!("ALTER TABLE {name} ADD COLUMN of_tomorrow text")).await.unwrap();
    }
    raw.execute_unprepared("CREATE TABLE tomorrow (id integer)").await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_of_tomorrow', 0)";
    raw.execute_unprepared(newer).await.unwrap();
}

async fn a_server_works_on_the_schema_of_the_version_after_it(engine: Engine) {
    grow(&engine).await;
    let setup = Setup::development().set("DATABASE_URL", &engine.url).set("MIGRATE_ON_START", "off");
    let server = setup.start().await;
    let ready = Reply::of(server.get("/readyz?verbose")).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let world = world(&server).await;
    let apply =
        "mutation($input: ApplyForLoanInput!) { applyForLoan(input: $input) { loan { id } userErrors { code } } }";
    let input = json!({
        "idempotencyKey": "tomorrow", "borrowerId": world["borrower"], "productId": world["product"],
        "principal": {"amount": "1000.00", "currency": "KES"},
    });
    let applied = server.data(apply, json!({"input": input})).await;
    let id = &applied["applyForLoan"]["loan"]["id"];
    assert!(id.is_string(), "{applied}");
    let approve =
        "mutation($input: ApproveLoanInput!) { approveLoan(input: $input) { loan { status } userErrors { code } } }";
    let approved = server.data(approve, json!({"input": {"loanId": id, "idempotencyKey": "tomorrow-too"}})).await;
    assert_eq!(approved["approveLoan"]["loan"]["status"], "APPROVED", "{approved}");
    let listed =
        server.data("{ loans { totalCount nodes { id borrower { name } product { code } } } }", json!({})).await;
    assert_eq!((&listed["loans"]["totalCount"], &listed["loans"]["nodes"][0]["id"]), (&json!(1), id));
}
