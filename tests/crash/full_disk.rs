//! SQLite on a disk that fills up: whoever writes is told to try again, whoever reads is served, nothing is written by
//! half, and everything goes on when there is room. The disk is a small tmpfs, which only root may mount.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::checks::{self, Violation};
use super::client;
use super::figures::Figures;
use super::requests::{Answer, Sent};
use super::world::{Data, World};

/// How much room the first writes have: enough for some, soon too little.
const ROOM: u64 = 512 * 1024;
/// Far more writes than fit.
const MOST_WRITES: u32 = 5_000;
/// Writes that find the disk full.
const REFUSED_WRITES: u32 = 20;

/// A disk of 16 MiB; unmounted when dropped.
struct Disk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    /// `None` where this process may not mount one.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        match mount {
            Ok(status) if status.success() => Some(Self { path, _folder: folder }),
            _ => None,
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).status();
    }
}

/// `None` where no disk can be mounted.
pub async fn run() -> Option<Figures> {
    let disk = Disk::mount()?;
    let url = format!("sqlite://{}?mode=rwc", disk.path.join("loans.db").display());
    let mut world = World::start("full-disk".to_owned(), Data::Sqlite, None, &[("DATABASE_URL", &url)]).await;
    world.database_url = url;
    let mut figures = Figures { cycles: 1, ..Figures::default() };
    let loan = world.running_loan("loan", 1_000_000).await;
    let ballast = disk.path.join("ballast");
    fill(&ballast);

    let http = client::http();
    let (mut number, mut refused) = (0, 0);
    while refused < REFUSED_WRITES && number < MOST_WRITES {
        number += 1;
        let request = world.parties.application(&format!("written-{number}"), 100_000);
        let answer = client::attempt(&http, &world.url(), &request).await;
        match &answer {
            Answer::Done(_) => {}
            Answer::Unknown(code) if code == "UNAVAILABLE" => refused += 1,
            other => figures.violations.push(Violation::Other(format!("on a full disk: {other:?}"))),
        }
        world.record.push(Sent { request, answer });
        if !figures.violations.is_empty() {
            break;
        }
    }
    if refused < REFUSED_WRITES {
        figures.violations.push(Violation::Other("the disk was never full".to_owned()));
    }
    let seen = world.ask("query($id: ID!) { loan(by: { id: $id }) { id } }", json!({"id": loan})).await;
    assert_eq!(seen["loan"]["id"], loan, "readers go on");

    std::fs::remove_file(&ballast).unwrap();
    figures.in_doubt = world.settle().await;
    figures.violations.extend(checks::check(&world).await);
    figures.log = world.stop();
    figures.violations.extend(checks::check_log(&figures.log));
    figures.breaks = vec![(u64::from(refused), "writes on a full disk")];
    figures.sent = world.record.len() as u64;
    figures.acknowledged = world.record.iter().filter(|sent| matches!(sent.answer, Answer::Done(_))).count() as u64;
    Some(figures)
}

/// Takes all the room there is but a little.
fn fill(ballast: &Path) {
    let mut file = std::fs::File::create(ballast).unwrap();
    let block = vec![0; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(ROOM)).unwrap();
}
