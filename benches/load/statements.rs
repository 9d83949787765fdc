//! Which SQL statements a request comes to, counted by PostgreSQL itself in a turn of its own that is not timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::client::Connection;
use crate::measure::Magazine;
use crate::place::Place;
use crate::target::Target;

const REQUESTS: u32 = 100;
/// Where a request takes seconds, a few must do.
const LONGEST: Duration = Duration::from_secs(4);
/// What comes more seldom than with every fifth request is not the request's.
const SELDOM: f64 = 0.2;

#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    pub per_request: f64,
    /// What PostgreSQL took to plan and to execute one, on the mean; what it took to parse it is not among it.
    pub microseconds: f64,
    pub text: String,
}

/// It costs a little, and so is off while anything is timed.
async fn track_planning(counter: &mut PgConnection, on: bool) {
    let value = if on { "on" } else { "off" };
    for sql in [&format!("ALTER SYSTEM SET pg_stat_statements.track_planning = {value}"), "SELECT pg_reload_conf()"] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *counter).await.unwrap();
    }
}

/// The statements of a workload; `None` where nobody counts.
pub async fn of(place: &Place, target: &Target, magazine: &Arc<Magazine>) -> Option<Vec<Statement>> {
    let database = target.url.as_ref()?.rsplit('/').next()?.to_owned();
    let counter = place.cluster.as_ref()?.url("postgres");
    let mut counter = PgConnection::connect(&counter).await.unwrap();
    track_planning(&mut counter, true).await;
    let mut connection = Connection::open(target.address).await.unwrap();
    let mut bytes = Vec::new();
    let mut sent = 0;
    // Twice, so that neither a new connection to the database nor an empty cache counts.
    for _ in 0..2 {
        sqlx::query("SELECT pg_stat_statements_reset()").execute(&mut counter).await.unwrap();
        let since = Instant::now();
        sent = 0;
        for shot in magazine.shots.iter().cycle().take(REQUESTS as usize) {
            shot.load(&mut bytes);
            connection.ask(&bytes).await.unwrap();
            sent += 1;
            if since.elapsed() > LONGEST {
                break;
            }
        }
    }
    let sql = "SELECT calls, query, (total_plan_time + total_exec_time) / calls, plans FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
               WHERE d.datname = $1 AND calls >= $2 ORDER BY calls DESC, query";
    let rows = sqlx::query(sql).bind(database).bind(SELDOM * f64::from(sent)).fetch_all(&mut counter).await.unwrap();
    track_planning(&mut counter, false).await;
    counter.close().await.unwrap();
    let statement = |row: &sqlx::postgres::PgRow| Statement {
        per_request: row.get::<i64, _>(0) as f64 / f64::from(sent),
        microseconds: 1_000.0 * row.get::<f64, _>(2),
        text: row.get::<String, _>(1).split_whitespace().collect::<Vec<_>>().join(" "),
    };
    Some(rows.iter().map(statement).collect())
}
