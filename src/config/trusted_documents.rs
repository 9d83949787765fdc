//! Which documents run: any, or those of a manifest that is made when the frontends are built. Reading and checking the
//! manifest is `crate::http::guard`'s work.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::effective::Effective;
use super::error::ConfigError;

/// What becomes of documents that are not in the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TrustedDocumentsMode {
    /// They run.
    #[default]
    Off,
    /// They run, and the log tells of them.
    Log,
    /// They are refused.
    Enforce,
}

/// Settings of trusted documents, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "GraphQL")]
pub struct TrustedDocumentsArgs {
    /// What becomes of documents that are not in `TRUSTED_DOCUMENTS_FILE`: `off` runs them, `log` runs them and logs the
    /// hash of each, `enforce` refuses them.
    #[arg(long, env = "TRUSTED_DOCUMENTS", default_value = "off", hide_possible_values = true)]
    pub trusted_documents: TrustedDocumentsMode,
    /// A file with the manifest of persisted documents that the build of a frontend makes (Relay's or Apollo's), with
    /// SHA-256 ids: those documents can be asked for by `documentId`. Read and checked at start.
    #[arg(long, env = "TRUSTED_DOCUMENTS_FILE")]
    pub trusted_documents_file: Option<PathBuf>,
}

/// The configuration of trusted documents.
#[derive(Debug, Clone)]
pub struct TrustedDocumentsConfig {
    /// What becomes of the others.
    pub mode: TrustedDocumentsMode,
    /// Where the manifest is.
    pub file: Option<PathBuf>,
}

impl TrustedDocumentsArgs {
    /// Demands a manifest where one is needed.
    ///
    /// # Errors
    /// `log` or `enforce` without one: everything would be a stranger.
    pub fn resolve(self) -> Result<TrustedDocumentsConfig, ConfigError> {
        let (mode, file) = (self.trusted_documents, self.trusted_documents_file);
        if mode != TrustedDocumentsMode::Off && file.is_none() {
            let remedy = format!("must be set with TRUSTED_DOCUMENTS={}: name the manifest", word(mode));
            return Err(ConfigError::refused("TRUSTED_DOCUMENTS_FILE", remedy));
        }
        Ok(TrustedDocumentsConfig { mode, file })
    }
}

impl TrustedDocumentsConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.show("TRUSTED_DOCUMENTS", word(self.mode));
        if let Some(file) = &self.file {
            out.show("TRUSTED_DOCUMENTS_FILE", file.display());
        }
    }
}

fn word(mode: TrustedDocumentsMode) -> &'static str {
    match mode {
        TrustedDocumentsMode::Off => "off",
        TrustedDocumentsMode::Log => "log",
        TrustedDocumentsMode::Enforce => "enforce",
    }
}
