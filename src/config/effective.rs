//! The configuration as the server understood it, one `NAME=value` a line. Secrets are `***`.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

/// Collects effective settings by the name of their variable.
pub(super) struct Effective {
    entries: Vec<(&'static str, String)>,
    reveal: bool,
}

impl Effective {
    /// For people: secrets are hidden.
    pub(super) fn redacted() -> Self {
        Self { entries: Vec::new(), reveal: false }
    }

    /// For tests that ask whether a variable reaches the configuration at all.
    #[cfg(test)]
    pub(super) fn revealed() -> Self {
        Self { entries: Vec::new(), reveal: true }
    }

    pub(super) fn show(&mut self, name: &'static str, value: impl Display) {
        self.entries.push((name, value.to_string()));
    }

    pub(super) fn switch(&mut self, name: &'static str, value: bool) {
        self.show(name, if value { "on" } else { "off" });
    }

    pub(super) fn span(&mut self, name: &'static str, value: Duration) {
        self.show(name, value.as_millis());
    }

    pub(super) fn secret(&mut self, name: &'static str, value: &SecretString) {
        self.masked(name, value, |_| "***".to_owned());
    }

    /// A secret of which `mask` may show a part.
    pub(super) fn masked(&mut self, name: &'static str, value: &SecretString, mask: impl Fn(&str) -> String) {
        let text = value.expose_secret();
        let shown = if self.reveal { text.to_owned() } else { mask(text) };
        self.entries.push((name, shown));
    }

    #[cfg(test)]
    pub(super) fn into_entries(self) -> Vec<(&'static str, String)> {
        self.entries
    }
}

impl Display for Effective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.entries {
            f.write_str(name)?;
            f.write_char('=')?;
            // A line end inside a value must not look like another setting.
            writeln!(f, "{}", value.replace(['\n', '\r'], " "))?;
        }
        Ok(())
    }
}
