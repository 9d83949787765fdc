//! Where the data are: a PostgreSQL cluster of the harness's own or a folder of SQLite files. A filled database is kept
//! and never measured itself where anything writes: each target then has a copy.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::arguments::Engine;
use crate::copies;
use crate::support::engines::postgres_binaries;
use crate::support::postgres::Cluster;
use crate::target::server_command;

/// As a server of a few gigabytes is set up; what is durable by default stays so.
const SETTINGS: &str = "shared_buffers = 2GB\nmax_wal_size = 8GB\neffective_cache_size = 6GB\n\
                        shared_preload_libraries = 'pg_stat_statements'\n";

/// Every report reads these lists, which are empty by now: their pages, after a million changes, would stay for as long as
/// a vacuum finds somebody who might still see the rows.
const FORGET_CHANGES: &str = "DO $$ BEGIN
    LOCK TABLE portfolio_changes, arrears_changes, dues_changes;
    IF NOT EXISTS (SELECT FROM portfolio_changes) AND NOT EXISTS (SELECT FROM arrears_changes)
        AND NOT EXISTS (SELECT FROM dues_changes) THEN
        TRUNCATE portfolio_changes, arrears_changes, dues_changes;
    END IF;
END $$";

pub struct Place {
    pub cluster: Option<Cluster>,
    folder: PathBuf,
    /// The filled database's name.
    name: String,
}

impl Place {
    pub async fn open(engine: Engine, folder: &Path, loans: u32) -> Self {
        let folder = folder.join(engine.name());
        std::fs::create_dir_all(&folder).unwrap();
        let cluster = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let binaries =
                    postgres_binaries().expect("no initdb and postgres in PG_BIN, PATH or /usr/lib/postgresql");
                Some(Cluster::keep_in(&folder, binaries, SETTINGS).await.unwrap())
            }
        };
        let place = Self { cluster, folder, name: format!("loans_{loans}") };
        place.statement("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
        place
    }

    /// The address of a database. Outside development the server refuses one without a password; this cluster asks for none.
    pub fn url(&self, name: &str) -> String {
        match &self.cluster {
            Some(cluster) => cluster.url(name).replacen('@', ":a-password-nobody-asks-for@", 1),
            None => format!("sqlite://{}?mode=rwc", self.file(name).display()),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }

    pub fn filled(&self) -> String {
        self.url(&self.name)
    }

    /// Makes up loans, unless that was done before.
    pub async fn fill(&self, program: &Path, loans: u32, most_made: u32, scratch: &Path) {
        if self.exists(&self.name).await {
            return;
        }
        let since = Instant::now();
        let filling = format!("{}_filling", self.name);
        self.remove(&filling).await;
        self.statement(&format!("CREATE DATABASE {filling} TEMPLATE template0")).await;
        let (made, copied) = copies::plan(loans, most_made);
        let mut command = server_command(program, &self.url(&filling), scratch);
        let status = command.args(["demo", "--loans", &made.to_string()]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "no demonstration data: {status}");
        if copied > 0 {
            println!("{made} loans made in {:.0?}, {copied} copies of each follow", since.elapsed());
        }
        match &self.cluster {
            Some(cluster) => {
                if copied > 0 {
                    copies::in_postgres(&cluster.url(&filling), copied).await;
                }
                self.vacuum(&filling).await;
                self.statement(&format!("ALTER DATABASE {filling} RENAME TO {}", self.name)).await;
            }
            None => {
                if copied > 0 {
                    copies::in_sqlite(&self.url(&filling), copied).await;
                }
                std::fs::rename(self.file(&filling), self.file(&self.name)).unwrap();
            }
        }
        println!("{loans} loans made in {:.0?}", since.elapsed());
    }

    /// After much was written: the planner knows of it, and it is on its disk.
    pub async fn tidy(&self) {
        if let Some(cluster) = &self.cluster {
            let mut connection = PgConnection::connect(&cluster.url(&self.name)).await.unwrap();
            sqlx::raw_sql(FORGET_CHANGES).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        self.vacuum(&self.name).await;
        self.settle().await;
    }

    async fn vacuum(&self, name: &str) {
        if let Some(cluster) = &self.cluster {
            let mut connection = PgConnection::connect(&cluster.url(name)).await.unwrap();
            sqlx::query("VACUUM (ANALYZE)").execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    async fn exists(&self, name: &str) -> bool {
        let Some(cluster) = &self.cluster else { return self.file(name).exists() };
        let mut connection = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
        let sql = "SELECT count(*) FROM pg_database WHERE datname = $1";
        let row = sqlx::query(sql).bind(name).fetch_one(&mut connection).await.unwrap();
        row.get::<i64, _>(0) == 1
    }

    /// A copy of the filled database, while nobody uses it.
    pub async fn copy(&self, name: &str) -> String {
        self.remove(name).await;
        self.statement(&format!("CREATE DATABASE {name} TEMPLATE {} STRATEGY FILE_COPY", self.name)).await;
        if self.cluster.is_none() {
            std::fs::copy(self.file(&self.name), self.file(name)).unwrap();
        }
        self.url(name)
    }

    pub async fn remove(&self, name: &str) {
        self.statement(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        if self.cluster.is_none() {
            for end in ["db", "db-wal", "db-shm"] {
                let _ = std::fs::remove_file(self.folder.join(format!("{name}.{end}")));
            }
        }
    }

    /// What was written is on its disk, so that no target pays for another's.
    pub async fn settle(&self) {
        self.statement("CHECKPOINT").await;
    }

    /// Runs a statement beside the databases; SQLite has no such place.
    async fn statement(&self, sql: &str) {
        if let Some(cluster) = &self.cluster {
            let mut connection = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}
