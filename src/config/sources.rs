//! Where settings come from: flags over the environment over `.env` over defaults. The environment is handed in as a
//! map, so that tests never change the process's own. Judging the values is the concerns' work.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Parser};

use super::docs::COMPOSE_NAMES;
use super::environment::Environment;
use super::error::{ConfigError, Origin};

/// Names people bring along from the server this one replaces, or from habit.
const OTHER_NAMES: [(&str, &str); 4] =
    [("FLASK_ENV", "APP_ENV"), ("PORT", "API_PORT"), ("HOST", "API_HOST"), ("RUST_LOG", "LOG_LEVEL")];

/// Two changes make another word out of a shorter name.
const SHORTEST_ALMOST: usize = 7;

/// The environment and the place of `.env`.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    environment: BTreeMap<String, OsString>,
    dotenv: Option<PathBuf>,
}

type Values = BTreeMap<String, (OsString, Origin)>;

impl Sources {
    /// The environment of this process, and `.env` in the current folder.
    #[must_use]
    pub fn process() -> Self {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
        Self { environment, dotenv: Some(PathBuf::from(".env")) }
    }

    /// Exactly these variables and no `.env`.
    #[must_use]
    pub fn of<K: Into<String>, V: Into<OsString>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let environment = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { environment, dotenv: None }
    }

    /// The same with another `.env`; a file that does not exist is no error.
    #[must_use]
    pub fn with_dotenv(mut self, path: impl Into<PathBuf>) -> Self {
        self.dotenv = Some(path.into());
        self
    }

    /// Parses a command line into a parser that flattens [`super::ConfigArgs`]. A setting is accepted as a flag
    /// before and after the name of a command; a variable that is set but empty counts as not set.
    ///
    /// # Errors
    /// [`ConfigError::Usage`] for the command line (and for `--help`), otherwise the first variable or line of `.env`
    /// that cannot be used.
    pub fn parse<P: Parser>(&self, line: impl IntoIterator<Item = impl Into<OsString>>) -> Result<P, ConfigError> {
        let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
        let environment =
            self.environment.iter().map(|(name, value)| (name.clone(), (value.clone(), Origin::Environment)));
        let mut values: Values = environment.collect();
        let mut matches = matches::<P>(&line, &values)?;
        // Flags and the real environment decide first whether this is development at all.
        if chosen_environment(&matches).is_development() && self.merge_dotenv(&P::command(), &mut values)? {
            matches = self::matches::<P>(&line, &values)?;
        }
        refuse_secret_flags(&P::command(), &matches)?;
        P::from_arg_matches_mut(&mut matches).map_err(usage)
    }

    /// Variables of the environment that no setting reads, each with the setting whose name it almost has. Unlike a line of
    /// `.env` such a variable is no error, because the environment is not ours alone.
    #[must_use]
    pub fn almost_settings<P: Parser>(&self) -> Vec<(String, String)> {
        let known: Vec<String> = P::command().get_arguments().filter_map(variable).collect();
        let almost = |name: &String| {
            let near = known.iter().map(|setting| (edits(name, setting), setting)).min()?;
            (name.len() >= SHORTEST_ALMOST && near.0 <= 2).then(|| near.1.clone())
        };
        let of_compose = |name: &str| COMPOSE_NAMES.iter().any(|(own, _)| *own == name);
        let others = self.environment.keys().filter(|name| !known.contains(name) && !of_compose(name));
        others.filter_map(|name| Some((name.clone(), almost(name)?))).collect()
    }

    /// Adds what `.env` says and the environment does not; false if there is no such file.
    fn merge_dotenv(&self, command: &Command, values: &mut Values) -> Result<bool, ConfigError> {
        let Some(path) = &self.dotenv else { return Ok(false) };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                return Err(ConfigError::Dotenv(format!("cannot be read ({}): correct or remove it", error.kind())));
            }
        };
        let known: Vec<String> = command.get_arguments().filter_map(variable).collect();
        let mut seen = Vec::new();
        for pair in dotenvy::from_read_iter(Cursor::new(&text)) {
            let (key, value) = pair.map_err(|error| syntax_error(&text, &error))?;
            if seen.contains(&key) {
                return Err(ConfigError::Dotenv(format!("sets {key} twice: remove one of the lines")));
            }
            refuse_unknown(&key, &known)?;
            if key == "APP_ENV" && !value.is_empty() && value != Environment::Development.as_str() {
                return Err(ConfigError::Dotenv(format!(
                    "sets APP_ENV={value}, but it is read in development only: set APP_ENV in the environment"
                )));
            }
            values.entry(key.clone()).or_insert((value.into(), Origin::Dotenv));
            seen.push(key);
        }
        Ok(true)
    }
}

/// The variable that an argument is documented under, if it is a setting.
pub(super) fn variable(arg: &Arg) -> Option<String> {
    arg.get_env().and_then(OsStr::to_str).map(str::to_owned)
}

/// A setting whose value must not be shown.
fn is_secret(arg: &Arg) -> bool {
    arg.is_hide_env_values_set()
}

fn usage(error: clap::Error) -> ConfigError {
    ConfigError::Usage(Box::new(error))
}

/// Settings follow the commands' own options only in `--help`; `-h` stays short.
fn documented<P: Parser>() -> Command {
    P::command().mut_args(|arg| match variable(&arg) {
        Some(_) => arg.global(true).hide_short_help(true).hide_env_values(true),
        None => arg,
    })
}

fn matches<P: Parser>(line: &[OsString], values: &Values) -> Result<ArgMatches, ConfigError> {
    let documented = documented::<P>();
    for arg in documented.get_arguments() {
        if let Some((value, origin)) = given(arg, values) {
            check_value(
                P::command().get_arguments().find(|own| own.get_id() == arg.get_id()).unwrap_or(arg),
                value,
                *origin,
            )?;
        }
    }
    // Variables enter as defaults, below flags. clap's own reading of the process's environment is switched off.
    let command = documented.clone().mut_args(|arg| {
        let value = given(&arg, values).map(|(value, _)| value.clone());
        match value {
            _ if variable(&arg).is_none() => arg,
            Some(value) => arg.env(Resettable::Reset).default_value(value),
            None => arg.env(Resettable::Reset),
        }
    });
    command.try_get_matches_from(line).map_err(|error| match error.kind() {
        // Help shows the documented defaults and variables, not this machine's values.
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            usage(documented.try_get_matches_from(line).err().unwrap_or(error))
        }
        _ => usage(error),
    })
}

fn given<'a>(arg: &Arg, values: &'a Values) -> Option<&'a (OsString, Origin)> {
    values.get(&variable(arg)?).filter(|(value, _)| !value.is_empty())
}

fn chosen_environment(matches: &ArgMatches) -> Environment {
    // A parser without the setting cannot be a developer's machine by accident.
    matches.try_get_one("app_env").ok().flatten().copied().unwrap_or(Environment::Production)
}

/// Parses one value on its own, because clap's message about a default would not name the variable.
fn check_value(arg: &Arg, value: &OsStr, origin: Origin) -> Result<(), ConfigError> {
    let (Some(name), Some(flag)) = (variable(arg), arg.get_long()) else { return Ok(()) };
    let mut word = OsString::from(format!("--{flag}="));
    word.push(value);
    let alone = arg.clone().env(Resettable::Reset).default_value(Resettable::Reset);
    let Err(error) = Command::new("setting").no_binary_name(true).arg(alone).try_get_matches_from([word]) else {
        return Ok(());
    };
    let problem = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(cause), _) => cause.to_string(),
        (None, Some(ContextValue::Strings(choices))) => format!("{} is needed", choices.join(", ")),
        (None, _) => "text in UTF-8 is needed".to_owned(),
    };
    let value = if is_secret(arg) { "***".to_owned() } else { value.to_string_lossy().chars().take(80).collect() };
    Err(ConfigError::Value { name, value, origin, problem })
}

/// Other users of a machine can read the command line of every process.
fn refuse_secret_flags(command: &Command, matches: &ArgMatches) -> Result<(), ConfigError> {
    if chosen_environment(matches).is_development() {
        return Ok(());
    }
    for arg in command.get_arguments().filter(|arg| is_secret(arg)) {
        if let (Some(name), Some(ValueSource::CommandLine)) =
            (variable(arg), matches.value_source(arg.get_id().as_str()))
        {
            let flag = arg.get_long().unwrap_or_default();
            let message = format!(
                "--{flag} would show a secret to every user of this machine: set {name} or {name}_FILE instead"
            );
            return Err(usage(clap::Error::raw(ErrorKind::ArgumentConflict, message + "\n")));
        }
    }
    Ok(())
}

fn refuse_unknown(key: &str, known: &[String]) -> Result<(), ConfigError> {
    // Compose reads the same file for its own interpolation.
    let of_compose = key.starts_with("COMPOSE_") || COMPOSE_NAMES.iter().any(|(name, _)| *name == key);
    if of_compose || known.iter().any(|name| name == key) {
        return Ok(());
    }
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == key).map(|(_, name)| (*name).to_owned());
    let hint = match other.or_else(|| nearest(key, known)) {
        Some(name) => format!("did you mean {name}?"),
        None => "remove it (.env.example lists the settings)".to_owned(),
    };
    Err(ConfigError::UnknownKey { key: key.to_owned(), hint })
}

/// The known name that needs the fewest changes, if it is near enough to be meant.
fn nearest(key: &str, known: &[String]) -> Option<String> {
    let (distance, name) = known.iter().map(|name| (edits(key, name), name)).min()?;
    (distance <= 1 + key.len() / 4).then(|| name.clone())
}

/// Insertions, deletions and replacements that turn one name into the other.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Names the line without showing it: it may hold a secret.
fn syntax_error(text: &str, error: &dotenvy::Error) -> ConfigError {
    let place = match error {
        dotenvy::Error::LineParse(bad, _) => {
            text.lines().position(|line| line.contains(bad.trim())).map(|index| index + 1)
        }
        _ => None,
    };
    let place = place.map_or_else(|| "one line".to_owned(), |number| format!("line {number}"));
    ConfigError::Dotenv(format!("{place} is not NAME=value: correct it, and quote values that hold spaces or #"))
}
