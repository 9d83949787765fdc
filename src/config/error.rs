//! What can be wrong with the configuration. Every message is one line that names the setting and says what to change;
//! no message may hold the value of a secret.

use std::path::PathBuf;

/// The configuration cannot be used. `Display` is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line was not understood, or asked for help: clap prints it and knows the exit code.
    #[error("{0}")]
    Usage(Box<clap::Error>),
    /// A value that its setting cannot hold.
    #[error("{name}={value:?} ({origin}) is not usable: {problem}")]
    Value {
        /// The variable.
        name: String,
        /// What was given, at most 80 characters of it; `***` for a secret.
        value: String,
        /// Where it was given.
        origin: Origin,
        /// What would be accepted.
        problem: String,
    },
    /// A key in `.env` that nothing reads.
    #[error(".env sets {key}, which no setting reads: {hint}")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The nearest known name, or where to find the list.
        hint: String,
    },
    /// `.env` does not parse, or says something that only the real environment may say.
    #[error(".env: {0}")]
    Dotenv(String),
    /// A secret was given twice.
    #[error("{name} and {name}_FILE are both set: keep one of them")]
    BothSet {
        /// The variable without `_FILE`.
        name: &'static str,
    },
    /// A file named by a setting could not be read.
    #[error("{name}={path:?} cannot be read ({cause}): correct the path or the file's permissions")]
    Unreadable {
        /// The variable.
        name: String,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::ErrorKind,
    },
    /// The settings contradict each other or the environment; the sentence says what to change.
    #[error("{name} {problem}")]
    Refused {
        /// The variable to change.
        name: &'static str,
        /// Why, and what to do.
        problem: String,
    },
}

impl ConfigError {
    pub(super) fn refused(name: &'static str, problem: impl Into<String>) -> Self {
        Self::Refused { name, problem: problem.into() }
    }
}

/// Where a value was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A variable of the process's environment.
    Environment,
    /// A line of `.env`.
    Dotenv,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Environment => "from the environment",
            Self::Dotenv => "from .env",
        })
    }
}
