//! The key set in a file. It is looked at again at most every few seconds; a file that has become unusable leaves the
//! last good keys in place and says so in the log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};

use super::set::KeySet;
use crate::auth::error::AuthSetupError;

/// The shortest time between two looks at the file: one `stat` per request would be waste.
pub(in crate::auth) const RELOAD_FLOOR: TimeDelta = TimeDelta::seconds(5);

/// What tells one version of the file from the next.
type Version = (Option<SystemTime>, u64);

struct LastLook {
    at: Option<DateTime<Utc>>,
    version: Version,
}

/// A key set that follows its file.
pub(in crate::auth) struct KeyFile {
    path: PathBuf,
    keys: ArcSwap<KeySet>,
    last_look: Mutex<LastLook>,
}

impl KeyFile {
    /// Reads the file for the first time; here an unusable one is an error.
    pub(in crate::auth) fn open(path: &Path) -> Result<Self, AuthSetupError> {
        // The version is taken before the content: a change in between is then seen as a change.
        let version = version(path)?;
        let keys = read(path)?;
        Ok(Self {
            path: path.to_owned(),
            keys: ArcSwap::from_pointee(keys),
            last_look: Mutex::new(LastLook { at: None, version }),
        })
    }

    /// How many keys it holds.
    pub(in crate::auth) fn count(&self) -> usize {
        self.keys.load().count()
    }

    /// The keys as of now.
    pub(in crate::auth) fn current(&self, now: DateTime<Utc>) -> Arc<KeySet> {
        // Whoever finds somebody else looking goes on with the keys there are.
        if let Ok(mut last) = self.last_look.try_lock() {
            let due = last.at.is_none_or(|at| now < at || now - at >= RELOAD_FLOOR);
            if due {
                last.at = Some(now);
                self.follow(&mut last.version);
            }
        }
        self.keys.load_full()
    }

    fn follow(&self, known: &mut Version) {
        let outcome = version(&self.path).and_then(|found| {
            if found != *known {
                self.keys.store(Arc::new(read(&self.path)?));
                *known = found;
                tracing::info!("AUTH_JWKS_FILE has changed and was read again");
            }
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "the last good keys stay in use");
        }
    }
}

fn version(path: &Path) -> Result<Version, AuthSetupError> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    Ok((metadata.modified().ok(), metadata.len()))
}

fn read(path: &Path) -> Result<KeySet, AuthSetupError> {
    let text = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    KeySet::parse(&text).map_err(|problem| AuthSetupError::Unusable { path: path.to_owned(), problem })
}

fn unreadable(path: &Path, error: &std::io::Error) -> AuthSetupError {
    AuthSetupError::Unreadable { path: path.to_owned(), cause: error.kind() }
}
