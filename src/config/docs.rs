//! The settings as documentation, read from the very definition that parses them: the README's tables and
//! `.env.example`. Tests hold both files equal to what is generated here.

use std::fmt::Write as _;

use clap::{Arg, CommandFactory};

use super::SettingsOnly;
use super::sources::variable;

/// Names that the Compose files read from `.env`, and the server does not.
pub const COMPOSE_NAMES: [(&str, &str); 4] = [
    ("POSTGRES_USER", "The database user that Compose creates."),
    ("POSTGRES_PASSWORD", "That user's password."),
    ("POSTGRES_DB", "The database that Compose creates."),
    ("DB_PORT", "The port on this machine where Compose publishes the development database."),
];

const WIDTH: usize = 118;

/// One documented setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The variable.
    pub name: String,
    /// The heading it stands under.
    pub group: String,
    /// What it does, in full sentences.
    pub help: String,
    /// The value it has if not set, where that is the same everywhere.
    pub default: Option<String>,
    /// The default in words, where it is not a plain value.
    pub default_in_words: Option<String>,
}

/// Every setting, in the order of the documentation.
#[must_use]
pub fn settings() -> Vec<Setting> {
    SettingsOnly::command().get_arguments().filter_map(setting).collect()
}

fn setting(arg: &Arg) -> Option<Setting> {
    let name = variable(arg)?;
    let text = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let text = text.trim_end_matches('.');
    let (help, words) = match text.rsplit_once(" Default: ") {
        Some((help, words)) => (help.trim_end_matches('.'), Some(words.to_owned())),
        None => (text, None),
    };
    let default = arg.get_default_values().first().and_then(|value| value.to_str()).filter(|value| !value.is_empty());
    Some(Setting {
        name,
        group: arg.get_help_heading().unwrap_or_default().to_owned(),
        help: format!("{help}."),
        default: default.map(str::to_owned),
        default_in_words: words,
    })
}

/// The settings as Markdown tables, one per group.
#[must_use]
pub fn markdown_table() -> String {
    let mut out = String::new();
    let mut group = String::new();
    for setting in settings() {
        if setting.group != group {
            group.clone_from(&setting.group);
            let _ = write!(out, "\n**{group}**\n\n| Variable | Default | What it does |\n| --- | --- | --- |\n");
        }
        let default = match (&setting.default, &setting.default_in_words) {
            (Some(value), _) => format!("`{value}`"),
            (None, Some(words)) => words.clone(),
            (None, None) => "–".to_owned(),
        };
        let _ = writeln!(out, "| `{}` | {} | {} |", setting.name, cell(&default), cell(&setting.help));
    }
    out.trim_start().to_owned()
}

/// What a setting is in development and what it is otherwise, where that differs.
#[must_use]
pub fn by_environment(setting: &Setting) -> Option<(String, String)> {
    let (development, rest) = setting.default_in_words.as_deref()?.split_once(" in development, ")?;
    Some((development.to_owned(), rest.strip_suffix(" otherwise")?.to_owned()))
}

/// The settings that the environment decides, as a Markdown table.
#[must_use]
pub fn environments_table() -> String {
    let mut out = String::from("| Setting | development | staging, production |\n| --- | --- | --- |\n");
    for setting in settings() {
        if let Some((development, otherwise)) = by_environment(&setting) {
            let _ = writeln!(out, "| `{}` | {} | {} |", setting.name, cell(&development), cell(&otherwise));
        }
    }
    let required = settings().into_iter().filter(|setting| setting.help.contains("Required outside development"));
    for setting in required {
        let development = setting.default_in_words.unwrap_or_default();
        let _ = writeln!(out, "| `{}` | {} | must be set |", setting.name, cell(&development));
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The settings as a commented `.env`: without its `#`, every line says what holds anyway.
#[must_use]
pub fn env_example() -> String {
    let mut out = String::new();
    comment(
        &mut out,
        "Every setting of branch-loan-api with its default. Copy this file to .env and uncomment what you change; .env is read \
         in development only, and the real environment wins. Generated: UPDATE_DOCS=1 cargo test --lib config",
    );
    let mut group = String::new();
    for setting in settings() {
        if setting.group != group {
            group.clone_from(&setting.group);
            let _ = write!(out, "\n## {group}\n");
        }
        out.push('\n');
        let words = setting.default_in_words.map(|words| format!(" Default: {words}.")).unwrap_or_default();
        comment(&mut out, &format!("{}{words}", setting.help));
        let _ = writeln!(out, "#{}={}", setting.name, setting.default.unwrap_or_default());
    }
    out.push_str("\n## Compose (read by the Compose files, not by the server)\n");
    for (name, help) in COMPOSE_NAMES {
        let _ = write!(out, "\n# {help}\n#{name}=\n");
    }
    out
}

/// Writes `text` as comment lines of bounded length.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}
