//! A private PostgreSQL cluster: made with `initdb` in a temporary folder, listening on the loopback address only, and
//! gone when the test binary is, however it ends: the shell that watches over it waits on a pipe this process holds.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use branch_loan_api::store::{Database, DatabaseOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

/// The role the harness connects as.
const ROLE: &str = "lender";
/// Starting takes a second; on a machine that is busy with other things it may take many.
const PATIENCE: Duration = Duration::from_secs(90);
/// The watchdog: the server in the background, and its end as soon as the pipe has a word or is closed at the other side.
/// Only after a word is there somebody left to want the files, unless they were to be kept anyway.
const WATCHDOG: &str = r#"
"$1" -D "$2" >>"$2/log" 2>&1 </dev/null & server=$!
read -r word
kill -INT "$server"
wait "$server"
[ "$word" = keep ] || [ "$3" = keep ] || rm -rf "$2"
"#;

/// The settings of a cluster for tests, whose data nobody misses.
const CARELESS: &str = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n\
                        shared_buffers = 64MB\ndeadlock_timeout = 200ms\n";

/// The programs a cluster needs.
#[derive(Debug, Clone)]
pub struct Binaries {
    initdb: PathBuf,
    postgres: PathBuf,
}

impl Binaries {
    /// Another program of the same version.
    #[allow(dead_code, reason = "only tests of backups ask")]
    pub fn tool(&self, name: &str) -> PathBuf {
        // It may be a link out of a folder without the others.
        self.postgres.canonicalize().unwrap_or_else(|_| self.postgres.clone()).with_file_name(name)
    }

    /// Looks in `PG_BIN`, in `PATH` and where Debian puts every version, newest first.
    pub fn find() -> Option<Self> {
        let mut folders: Vec<PathBuf> = std::env::var_os("PG_BIN").map(PathBuf::from).into_iter().collect();
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        versions.sort_by(|one, other| other.cmp(one));
        folders.extend(versions.into_iter().map(|(_, path)| path));
        folders.into_iter().find_map(|folder| {
            let found = Self { initdb: folder.join("initdb"), postgres: folder.join("postgres") };
            (found.initdb.is_file() && found.postgres.is_file()).then_some(found)
        })
    }
}

/// Whoever may run PostgreSQL, which refuses to run as root.
#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// `None` when this process is not root and can do it itself.
    fn unprivileged() -> Option<Self> {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if id(&["-u"]) != Some(0) {
            return None;
        }
        ["postgres", "nobody"].iter().find_map(|name| Some(Self { uid: id(&["-u", name])?, gid: id(&["-g", name])? }))
    }
}

/// A cluster. Its server can be stopped and started again.
pub struct Cluster {
    binaries: Binaries,
    user: Option<User>,
    folder: PathBuf,
    port: u16,
    /// Whether the files stay when the cluster is gone.
    kept: bool,
    running: Mutex<Option<(Child, ChildStdin)>>,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    pub async fn start(binaries: Binaries) -> Result<Self, String> {
        Self::start_with(binaries, CARELESS).await
    }

    /// The same with settings of its own, lines of its configuration file.
    pub async fn start_with(binaries: Binaries, settings: &str) -> Result<Self, String> {
        let folder = empty_folder(User::unprivileged())?;
        Self::start_in(folder, false, binaries, settings).await
    }

    /// The same in a folder that stays, with what an earlier cluster has left there. Whoever runs PostgreSQL must be able
    /// to get to it.
    #[allow(dead_code, reason = "only a bench asks")]
    pub async fn keep_in(folder: &Path, binaries: Binaries, settings: &str) -> Result<Self, String> {
        if let Some(user) = User::unprivileged() {
            chown(folder, Some(user.uid), Some(user.gid)).map_err(told)?;
        }
        Self::start_in(folder.to_owned(), true, binaries, settings).await
    }

    async fn start_in(folder: PathBuf, kept: bool, binaries: Binaries, settings: &str) -> Result<Self, String> {
        let user = User::unprivileged();
        let port = free_port()?;
        let cluster = Self { binaries, user, folder, port, kept, running: Mutex::new(None) };
        if !cluster.folder.join("PG_VERSION").exists() {
            cluster.initialize()?;
        }
        cluster.settle(settings)?;
        cluster.run().await?;
        Ok(cluster)
    }

    /// A copy of a running cluster by a base backup, with a port of its own, which has not been started.
    #[allow(dead_code, reason = "only tests of replicas and restores ask")]
    pub fn copy_of(original: &Self, more: &[&str]) -> Result<Self, String> {
        let folder = empty_folder(original.user)?;
        let port = free_port()?;
        let (binaries, user) = (original.binaries.clone(), original.user);
        let copy = Self { binaries, user, folder, port, kept: false, running: Mutex::new(None) };
        let mut backup = copy
            .command(&copy.binaries.tool("pg_basebackup"))
            .args(["--no-password", "--host=127.0.0.1", "--checkpoint=fast", "--wal-method=stream", "--no-sync"])
            .arg(format!("--port={}", original.port))
            .arg(format!("--username={ROLE}"))
            .arg("--pgdata")
            .arg(&copy.folder)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(told)?;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = backup.try_wait().map_err(told)? {
                break status;
            }
            if Instant::now() > deadline {
                let _ = backup.kill();
                return Err(format!("the base backup does not end; the log:\n{}", original.log()));
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut complaint = String::new();
        if let Some(mut stderr) = backup.stderr.take() {
            stderr.read_to_string(&mut complaint).map_err(told)?;
        }
        match status.success() {
            true => copy.configure(&format!("port = {port}\n")).map(|()| copy),
            false => Err(format!("the base backup failed: {complaint}")),
        }
    }

    /// A streaming replica of a running cluster.
    #[allow(dead_code, reason = "only tests of replicas ask")]
    pub async fn standby_of(primary: &Self) -> Result<Self, String> {
        let standby = Self::copy_of(primary, &["--write-recovery-conf"])?;
        standby.run().await?;
        Ok(standby)
    }

    /// Adds lines to its configuration file, for the next start.
    #[allow(dead_code, reason = "only tests of replicas and restores ask")]
    pub fn configure(&self, lines: &str) -> Result<(), String> {
        let mut file =
            std::fs::OpenOptions::new().append(true).open(self.folder.join("postgresql.conf")).map_err(told)?;
        file.write_all(format!("\n{lines}").as_bytes()).map_err(told)
    }

    /// Makes an empty file in its folder.
    #[allow(dead_code, reason = "only tests of restores ask")]
    pub fn touch(&self, name: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        std::fs::write(&path, "").map_err(told)?;
        match self.user {
            Some(user) => chown(&path, Some(user.uid), Some(user.gid)).map_err(told),
            None => Ok(()),
        }
    }

    /// A folder of its user's that is none of its own, for what it archives. Whoever asks removes it.
    #[allow(dead_code, reason = "only tests of restores ask")]
    pub fn folder_beside(&self) -> Result<PathBuf, String> {
        empty_folder(self.user)
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same by way of another port, where something stands in between.
    #[allow(dead_code, reason = "only the crash harness asks")]
    pub fn url_through(&self, port: u16, database: &str) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{port}/{database}")
    }

    /// Where its server listens.
    #[allow(dead_code, reason = "only the crash harness asks")]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database with nothing in it.
    #[allow(dead_code, reason = "only the crash harness asks")]
    pub async fn create_database(&self, name: &str) -> Result<(), String> {
        create_database(self, name, "template0").await
    }

    /// The process id of its server, whose children serve the connections.
    #[allow(dead_code, reason = "only a bench and the crash harness ask")]
    pub fn server(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// What its server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn initialize(&self) -> Result<(), String> {
        // A dictionary's order by default, as most servers have it: what must be ordered by code point has to say so.
        let dictionary: [&str; 2] = ["--locale-provider=icu", "--icu-locale=en-US"];
        let run = |locale: &[&str]| {
            self.command(&self.binaries.initdb)
                .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--username", ROLE, "--locale=C"])
                .args(locale)
                .arg("-D")
                .arg(&self.folder)
                .output()
                .map_err(told)
        };
        let mut output = run(&dictionary)?;
        if !output.status.success() {
            output = run(&[])?;
        }
        if !output.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(())
    }

    /// Writes its configuration file.
    fn settle(&self, settings: &str) -> Result<(), String> {
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nmax_connections = 300\n\
             lc_messages = 'C'\n{settings}",
            self.port
        );
        std::fs::write(self.folder.join("postgresql.conf"), settings).map_err(told)
    }

    /// Starts the server and waits until it answers.
    pub async fn run(&self) -> Result<(), String> {
        let mut watchdog = self
            .command(Path::new("/bin/sh"))
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&self.binaries.postgres)
            .arg(&self.folder)
            .arg(if self.kept { "keep" } else { "" })
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the tests; the server ends when they have.
            .process_group(0)
            .spawn()
            .map_err(told)?;
        let pipe = watchdog.stdin.take().ok_or("the watchdog has no pipe")?;
        *self.running.lock().unwrap() = Some((watchdog, pipe));
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = connect(&self.url("postgres")).await {
            if Instant::now() > deadline {
                return Err(format!("PostgreSQL does not answer ({error}); its log:\n{}", self.log()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Stops the server: connections are cut, and nobody listens any more when this returns.
    pub fn stop(&self) {
        if let Some((mut watchdog, mut pipe)) = self.running.lock().unwrap().take() {
            pipe.write_all(b"keep\n").unwrap();
            watchdog.wait().unwrap();
        }
    }

    /// Sends a signal to the server and every process it has started, by their ids: `STOP` makes it answer nothing while it
    /// holds on to its connections, until `CONT`.
    #[allow(dead_code, reason = "only tests of replicas ask")]
    pub fn signal(&self, name: &str) {
        let server = self.server().expect("a server that runs");
        let mut all = children(server);
        all.insert(0, server);
        let sent = Command::new("kill").args(["-s", name]).args(all.iter().map(u32::to_string)).status().unwrap();
        assert!(sent.success());
    }

    /// Kills the server with every process it has started, by their ids: nothing is written any more, and nothing is
    /// told to anybody. [`run`](Self::run) starts it again.
    #[allow(dead_code, reason = "only the crash harness asks")]
    pub fn kill(&self) {
        let server = self.server().expect("a server that runs");
        let signal = |name: &str, ids: &[u32]| {
            let ids = ids.iter().map(u32::to_string);
            // Some may have gone by themselves.
            let _ = Command::new("kill").args(["-s", name]).args(ids).stderr(Stdio::null()).status();
        };
        // Stopped, it cannot start another child or tell one of the death of the others.
        signal("STOP", &[server]);
        let mut all = children(server);
        all.push(server);
        signal("KILL", &all);
        self.stop();
        let deadline = Instant::now() + PATIENCE;
        while all.iter().any(|id| lives(*id)) {
            assert!(Instant::now() < deadline, "a process of PostgreSQL does not die");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The folder this process runs in may be closed to the other user.
        command.current_dir("/").env_remove("PGDATA").env("LC_ALL", "C");
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A test may have failed between STOP and CONT.
        if let Some(server) = self.server() {
            let ids = children(server).into_iter().chain([server]).map(|id| id.to_string());
            let _ = Command::new("kill").args(["-s", "CONT"]).args(ids).stderr(Stdio::null()).status();
        }
        self.stop();
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// The state and the parent of a process, as Linux tells them.
fn status(process: u32) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may have any character in it.
    let mut words = text.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

fn children(process: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| status(*id).is_some_and(|(_, parent)| parent == process)).collect()
}

fn lives(process: u32) -> bool {
    status(process).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

fn told(error: std::io::Error) -> String {
    error.to_string()
}

fn empty_folder(user: Option<User>) -> Result<PathBuf, String> {
    let folder = tempfile::Builder::new()
        .prefix("branch-loan-postgres-")
        // PostgreSQL refuses a folder that others may read.
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .map_err(told)?
        .keep();
    if let Some(user) = user {
        chown(&folder, Some(user.uid), Some(user.gid)).map_err(told)?;
    }
    Ok(folder)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(told)?;
    Ok(listener.local_addr().map_err(told)?.port())
}

async fn connect(url: &str) -> Result<DatabaseConnection, sea_orm::DbErr> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).connect_timeout(Duration::from_millis(500));
    options.acquire_timeout(Duration::from_secs(30));
    sea_orm::Database::connect(options).await
}

/// The database every test's own is copied from: copying files is quicker than migrating.
const TEMPLATE: &str = "migrated";

/// Holds up whoever writes to a table, and lets them read and lock its rows: a race can be arranged instead of hoped
/// for. It opens when it is dropped or [`open`](Self::open)ed.
pub struct Gate {
    connection: DatabaseConnection,
    /// Outside the gate's transaction, in which the server would show one picture of its activity for ever.
    watch: DatabaseConnection,
}

impl Gate {
    /// Closes the gate.
    pub async fn before_writes_to(table: &str, url: &str) -> Self {
        let connection = connect(url).await.unwrap();
        let sql = format!("BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        connection.execute_unprepared(&sql).await.unwrap();
        Self { connection, watch: connect(url).await.unwrap() }
    }

    /// Waits until so many wait for a lock of any kind in this database, or a task has ended before it had to.
    pub async fn wait_for<T>(&self, waiting: i64, tasks: &[&JoinHandle<T>]) {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let deadline = Instant::now() + PATIENCE;
        loop {
            let row = self.watch.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
            let ended = i64::try_from(tasks.iter().filter(|task| task.is_finished()).count()).unwrap();
            if row.unwrap().try_get_by_index::<i64>(0).unwrap() + ended >= waiting {
                return;
            }
            assert!(Instant::now() < deadline, "{waiting} never came to the gate");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Opens the gate.
    pub async fn open(self) {
        self.connection.execute_unprepared("COMMIT").await.unwrap();
    }
}

static SHARED: OnceCell<Result<Cluster, String>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The address of a new database on the cluster all tests share: migrated, or with nothing in it.
pub async fn new_database(binaries: Binaries, migrated: bool) -> Result<String, String> {
    let cluster = SHARED.get_or_init(|| start_with_template(binaries)).await.as_ref().map_err(String::clone)?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let template = if migrated { TEMPLATE } else { "template0" };
    create_database(cluster, &name, template).await?;
    Ok(cluster.url(&name))
}

async fn start_with_template(binaries: Binaries) -> Result<Cluster, String> {
    let cluster = Cluster::start(binaries).await?;
    create_database(&cluster, TEMPLATE, "template0").await?;
    let options = DatabaseOptions {
        url: cluster.url(TEMPLATE),
        max_connections: 1,
        acquire_timeout: PATIENCE,
        statement_timeout: PATIENCE,
        lock_timeout: PATIENCE,
    };
    let database = Database::connect(&options, None).await.map_err(|error| error.to_string())?;
    database.migrate().await.map_err(|error| error.to_string())?;
    database.close().await;
    Ok(cluster)
}

async fn create_database(cluster: &Cluster, name: &str, template: &str) -> Result<(), String> {
    let connection = connect(&cluster.url("postgres")).await.map_err(|error| error.to_string())?;
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
    let created = connection.execute_unprepared(&sql).await;
    connection.close().await.map_err(|error| error.to_string())?;
    created.map(drop).map_err(|error| error.to_string())
}
