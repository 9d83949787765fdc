//! What a doctor says: findings, one a line, for people or as JSON. No finding may hold a secret.

use serde_json::{Value as Json, json};

use super::super::{Failure, say};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and somebody should see to it.
    Warning,
    /// It does not work, or not safely.
    Failed,
    /// It could not be looked at, or there is nothing to look at.
    Skipped,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

struct Finding {
    check: &'static str,
    status: Status,
    text: String,
    remedy: Option<String>,
}

/// Findings in the order they were made.
#[derive(Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Status::Ok, text.into(), None);
    }

    pub fn skip(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Status::Skipped, text.into(), None);
    }

    /// Something to see to, and how.
    pub fn warn(&mut self, check: &'static str, text: impl Into<String>, remedy: impl Into<String>) {
        self.add(check, Status::Warning, text.into(), Some(remedy.into()));
    }

    /// Something that must be mended, and how.
    pub fn fail(&mut self, check: &'static str, text: impl Into<String>, remedy: impl Into<String>) {
        self.add(check, Status::Failed, text.into(), Some(remedy.into()));
    }

    /// A failure whose text says already what to do.
    pub fn fail_as_told(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Status::Failed, text.into(), None);
    }

    fn add(&mut self, check: &'static str, status: Status, text: String, remedy: Option<String>) {
        self.findings.push(Finding {
            check,
            status,
            text: one_line(&text),
            remedy: remedy.map(|text| one_line(&text)),
        });
    }

    /// How many findings ended so.
    pub fn count(&self, status: Status) -> usize {
        self.findings.iter().filter(|finding| finding.status == status).count()
    }

    /// Prints the findings and their count; as JSON an object a line, the last one with the settings.
    pub fn print(&self, as_json: bool, settings: Option<&str>) -> Result<(), Failure> {
        for Finding { check, status, text, remedy } in &self.findings {
            let status = status.as_str();
            if as_json {
                say(&json!({"check": check, "status": status, "finding": text, "remedy": remedy}).to_string())?;
            } else {
                let remedy = remedy.as_ref().map(|remedy| format!(": {remedy}")).unwrap_or_default();
                say(&format!("{status:<8} {check:<20} {text}{remedy}"))?;
            }
        }
        let [ok, warnings, failed, skipped] =
            [Status::Ok, Status::Warning, Status::Failed, Status::Skipped].map(|status| self.count(status));
        if as_json {
            let pairs = settings.unwrap_or_default().lines().filter_map(|line| line.split_once('='));
            let settings: serde_json::Map<String, Json> =
                pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect();
            let summary =
                json!({"ok": ok, "warnings": warnings, "failed": failed, "skipped": skipped, "settings": settings});
            return say(&summary.to_string());
        }
        if let Some(settings) = settings {
            say(settings.trim_end())?;
        }
        say(&format!("{ok} ok, {warnings} to see to, {failed} failed, {skipped} skipped"))
    }
}

/// What others wrote may have line ends in it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
