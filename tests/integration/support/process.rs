//! The real binary as a process of its own: an environment with nothing in it, a folder with nothing in it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::server::PATIENCE;

/// A folder to run the binary in, and the variables it sees beside `PATH`.
pub struct Place {
    folder: TempDir,
    program: PathBuf,
    variables: Vec<(String, String)>,
}

impl Default for Place {
    fn default() -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_branch-loan-api"));
        Self { folder: tempfile::tempdir().unwrap(), program, variables: Vec::new() }
    }
}

impl Place {
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more variable.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same with another binary.
    #[allow(dead_code, reason = "only the overload harness asks")]
    pub fn running(self, program: &Path) -> Self {
        // It runs in a folder of its own.
        Self { program: program.canonicalize().unwrap(), ..self }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).finish()
    }

    /// Starts a command.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text).unwrap_or_default()
        });
        Running { child, lines, seen: Vec::new(), stderr: Some(stderr) }
    }

    /// Starts a server on a free port and waits until it says where it listens.
    pub fn serve(&self, arguments: &[&str]) -> (Running, String) {
        let mut running = self.start(&[arguments, &["--api-port", "0"]].concat());
        let line = running.line_with("Listening on ");
        let base = line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
        (running, base)
    }
}

/// A process that has ended.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// It succeeded and had nothing to complain about: what it printed.
    #[track_caller]
    pub fn printed(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.stdout
    }

    /// It failed in the way every failure of an operator's must look: one line that says what to change, and nothing a
    /// program prints about its own insides. The line.
    #[track_caller]
    pub fn refusal(self) -> String {
        let code = self.status.code().unwrap_or_else(|| panic!("killed by a signal: {self:?}"));
        assert!(code == 1 || code == 2, "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "one line: {self:?}");
        assert!(self.stderr.starts_with("branch-loan-api: ") && self.stderr.ends_with('\n'), "{self:?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("src/"), "{self:?}");
        self.stderr.trim_end().trim_start_matches("branch-loan-api: ").to_owned()
    }
}

/// A process that runs; it is killed when dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// The next line on standard output that contains `text`.
    pub fn line_with(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let _ = self.child.kill();
                let stderr = self.stderr.take().map(|reader| reader.join().unwrap()).unwrap_or_default();
                panic!("no line with {text:?}; it printed {:?} and complained {stderr:?}", self.seen);
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Its process id.
    #[allow(dead_code, reason = "only the overload harness asks")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything printed so far that was waited for.
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end; it printed {:?}", self.seen);
            std::thread::sleep(Duration::from_millis(10));
        };
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let mut stdout = std::mem::take(&mut self.seen);
        stdout.extend(self.lines.iter());
        Outcome { status, stdout: stdout.iter().map(|line| format!("{line}\n")).collect(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
