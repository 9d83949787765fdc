//! `backup`: a copy of SQLite's file as it is at one moment, checked and on the disk before it has its name, so that a file
//! with that name is a whole backup. PostgreSQL has better tools of its own, which are named.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use branch_loan_api::config::{Config, Engine};
use branch_loan_api::store::backup::{self, SoundCopy};
use branch_loan_api::store::database::{Endpoint, endpoint};
use branch_loan_api::telemetry;
use clap::Args;
use secrecy::ExposeSecret;

use super::{Failure, block_on, say};

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write. It must not exist; its folder must have room for the whole database.
    #[arg(long)]
    to: PathBuf,
}

/// This database is not ours to copy.
#[derive(Debug, thiserror::Error)]
#[error(
    "PostgreSQL is backed up by its own tools: run `pg_dump --format=custom --file={0} --dbname=\"$DATABASE_URL\"`, and \
     to restore `pg_restore --exit-on-error --no-owner --dbname=\"$NEW_DATABASE_URL\" {0}`; OPERATIONS.md, \"Backups\", \
     tells how to go back to any moment"
)]
pub struct OtherTools(String);

pub fn run(config: &Config, arguments: &BackupArgs) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    if config.database.engine == Engine::Postgres {
        return Err(OtherTools(arguments.to.display().to_string()).into());
    }
    match endpoint(config.database.url.expose_secret())? {
        Endpoint::File(file) if file.is_file() => block_on(copy(config, &arguments.to)),
        Endpoint::File(file) => Err(format!("DATABASE_URL: there is no file {} to back up", file.display()).into()),
        _ => Err("DATABASE_URL: a database in memory cannot be backed up".into()),
    }
}

async fn copy(config: &Config, to: &Path) -> Result<(), Failure> {
    let to = std::path::absolute(to)?;
    let mut name = to.clone().into_os_string();
    name.push(".partial");
    let partial = PathBuf::from(name);
    // Taken first, so that of two backups to one file one is refused.
    make(&to)?;
    let written = match make(&partial) {
        Ok(()) => write(config, &to, &partial).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(SoundCopy { migrations }) => {
            let bytes = fs::metadata(&to)?.len();
            let (file, changes) = (to.display(), migrations.len());
            say(&format!("Wrote {file}: {bytes} bytes, sound, with {changes} changes of the schema."))?;
            say("Keep PII_KEY and PII_KEYS_OLD apart from it: without them nobody can read personal data in it.")
        }
        Err(error) => {
            // Neither may be taken for a backup.
            let _ = fs::remove_file(&partial);
            let _ = fs::remove_file(&to);
            Err(error)
        }
    }
}

async fn write(config: &Config, to: &Path, partial: &Path) -> Result<SoundCopy, Failure> {
    let text = partial.to_str().ok_or("--to must be a path in UTF-8")?;
    let url = config.database.url.expose_secret();
    let told = |error: &dyn std::fmt::Display| format!("the backup was not made ({error}): nothing was kept of it");
    backup::copy(url, text, config.database.lock_timeout).await.map_err(|error| told(&error))?;
    let sound = backup::check(partial).await.map_err(|error| told(&error))?;
    OpenOptions::new().write(true).open(partial)?.sync_all()?;
    fs::rename(partial, to)?;
    synchronize_folder(to)?;
    Ok(sound)
}

/// Makes an empty file that only its owner may read.
fn make(path: &Path) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(format!("{} exists: choose another name, or remove it", path.display()).into())
        }
        Err(error) => Err(format!("{} cannot be written ({error}): check the folder", path.display()).into()),
    }
}

/// A name lasts only once its folder is on the disk.
fn synchronize_folder(of: &Path) -> io::Result<()> {
    match of.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
