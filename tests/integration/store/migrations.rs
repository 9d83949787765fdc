//! The schema: up from nothing, again, and by many at once.

use branch_loan_api::store::{Database, StoreError};
use migration::MigratorTrait;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::engines::Engine;

both_engines!(without a schema:
    a_new_database_gets_the_whole_schema,
    migrating_twice_changes_nothing,
    eight_migrators_at_once_all_succeed,
    a_failed_migration_leaves_no_trace,
    an_answer_that_is_an_error_is_not_taken_for_a_missing_schema,
    changes_of_a_newer_version_are_told,
);

async fn tables(engine: &Engine) -> Vec<String> {
    let sql = if engine.is_postgres() {
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE \"C\""
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    };
    let raw = engine.raw().await;
    let rows = raw.query_all_raw(Statement::from_string(engine.backend, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

async fn applied(engine: &Engine) -> i64 {
    let raw = engine.raw().await;
    let statement = Statement::from_string(engine.backend, "SELECT count(*) AS n FROM seaql_migrations");
    raw.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

fn known() -> Vec<String> {
    migration::Migrator::migrations().iter().map(|one| one.name().to_owned()).collect()
}

async fn a_new_database_gets_the_whole_schema(engine: Engine) {
    let database = engine.connect().await;
    assert_eq!(database.pending_migrations().await.unwrap(), known());
    database.migrate().await.unwrap();
    assert_eq!(database.pending_migrations().await.unwrap(), Vec::<String>::new());
    let tables = tables(&engine).await;
    for name in
        ["branches", "borrowers", "loan_products", "loans", "idempotency_keys", "borrower_groups", "group_members"]
    {
        assert!(tables.iter().any(|table| table == name), "{name} in {tables:?}");
    }
}

async fn migrating_twice_changes_nothing(engine: Engine) {
    let database = engine.connect().await;
    database.migrate().await.unwrap();
    let before = tables(&engine).await;
    database.migrate().await.unwrap();
    engine.connect().await.migrate().await.unwrap();
    assert_eq!(tables(&engine).await, before);
    assert_eq!(usize::try_from(applied(&engine).await).unwrap(), known().len());
}

async fn eight_migrators_at_once_all_succeed(engine: Engine) {
    let options = engine.options();
    let migrators = (0..8).map(|_| {
        let options = options.clone();
        tokio::spawn(async move {
            let database = Database::connect(&options, None).await?;
            database.migrate().await?;
            database.pending_migrations().await
        })
    });
    for migrator in migrators.collect::<Vec<_>>() {
        assert_eq!(migrator.await.unwrap().unwrap(), Vec::<String>::new());
    }
    assert_eq!(usize::try_from(applied(&engine).await).unwrap(), known().len());
}

/// A table that is in the way makes a late migration fail; the earlier ones must be gone with it.
async fn a_failed_migration_leaves_no_trace(engine: Engine) {
    let raw = engine.raw().await;
    raw.execute_unprepared("CREATE TABLE loans (in_the_way integer)").await.unwrap();
    let database = engine.connect().await;
    database.migrate().await.unwrap_err();
    assert_eq!(tables(&engine).await, ["loans"]);
    raw.execute_unprepared("DROP TABLE loans").await.unwrap();
    database.migrate().await.unwrap();
    assert_eq!(database.pending_migrations().await.unwrap(), Vec::<String>::new());
}

async fn an_answer_that_is_an_error_is_not_taken_for_a_missing_schema(engine: Engine) {
    let database = engine.connect().await;
    database.migrate().await.unwrap();
    let raw = engine.raw().await;
    raw.execute_unprepared("ALTER TABLE seaql_migrations RENAME COLUMN version TO hidden").await.unwrap();
    let pending = database.pending_migrations().await;
    assert!(matches!(pending, Err(StoreError::Database(_))), "{pending:?}");
}

async fn changes_of_a_newer_version_are_told(engine: Engine) {
    let database = engine.connect().await;
    database.migrate().await.unwrap();
    let raw = engine.raw().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_of_tomorrow', 0)";
    raw.execute_unprepared(newer).await.unwrap();
    let migrations = database.migrations().await.unwrap();
    assert_eq!((migrations.pending, migrations.unknown), (vec![], vec!["m29990101_000001_of_tomorrow".to_owned()]));
}
