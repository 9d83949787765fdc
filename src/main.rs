//! The commands of the `branch-loan-api` binary. Without a command it serves. Every failure ends with one line on
//! standard error that says what to change, and an exit code other than 0.

mod commands;

use std::io::Write as _;
use std::process::ExitCode;

use branch_loan_api::config::{ConfigArgs, ConfigError, Sources};
use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A GraphQL microloan engine for lenders with branches.
#[derive(Debug, Parser)]
#[command(name = "branch-loan-api", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API; what happens without a command, too.
    Serve,
    /// Bring the database's schema up to date, and exit.
    Migrate,
    /// Fill the database with demonstration data. Running it twice changes nothing; refused in production.
    Demo(commands::demo::DemoArgs),
    /// Close business days: accrue income, charge what is late, mark what is in default. Running it again changes nothing.
    CloseDay(commands::close_day::CloseDayArgs),
    /// Work the books out anew and print what breaks; the exit code is 1 if anything does.
    Verify(commands::verify::VerifyArgs),
    /// Forget the idempotency keys of requests that nobody sends again any more. Running it again changes nothing.
    PurgeIdempotencyKeys(commands::purge_idempotency_keys::PurgeArgs),
    /// Erase everything personal about borrowers whose loans have all ended; the books stay. Running it again changes nothing.
    EraseBorrower(commands::erase_borrower::EraseBorrowerArgs),
    /// Seal personal data anew under PII_KEY, so that a key can be taken out of PII_KEYS_OLD. Servers may run meanwhile.
    RotateKeys(commands::rotate_keys::RotateKeysArgs),
    /// Write a copy of a SQLite database into a new file, while servers run, and check the copy.
    Backup(commands::backup::BackupArgs),
    /// Check settings, database, certificate, keys and clock, a line each; what fails says what to do.
    Doctor(commands::doctor::DoctorArgs),
    /// Print the GraphQL schema, as committed in schema.graphql.
    Schema,
    /// Print which role may do what, as a table.
    Policy,
    /// Mint a token for AUTH_MODE=dev that stands for someone with the given roles and branches.
    Token(commands::token::TokenArgs),
    /// Ask a running server whether it lives; for container health checks.
    Healthcheck,
}

fn main() -> ExitCode {
    let sources = Sources::process();
    let cli = match sources.parse::<Cli>(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => match doctor_asked() {
            // For a doctor settings that cannot be read are a finding.
            Some(arguments) if !matches!(error, ConfigError::Usage(_)) => {
                return end(commands::doctor::run(Err(error), &[], &arguments));
            }
            _ => return refuse_settings(error),
        },
    };
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Doctor(arguments) => {
            commands::doctor::run(cli.config.resolve(), &sources.almost_settings::<Cli>(), &arguments)
        }
        Command::Schema => commands::schema::run(),
        Command::Policy => commands::policy::run(),
        Command::Healthcheck => match commands::healthcheck::Target::of(cli.config) {
            Ok(target) => commands::healthcheck::run(&target),
            Err(error) => return refuse_settings(error),
        },
        command => match cli.config.resolve() {
            Ok(config) => match command {
                Command::Token(arguments) => commands::token::run(&config, &arguments),
                Command::Demo(arguments) => commands::demo::run(&config, &arguments),
                Command::CloseDay(arguments) => commands::close_day::run(&config, &arguments),
                Command::Verify(arguments) => commands::verify::run(&config, &arguments),
                Command::PurgeIdempotencyKeys(arguments) => commands::purge_idempotency_keys::run(&config, &arguments),
                Command::EraseBorrower(arguments) => commands::erase_borrower::run(&config, &arguments),
                Command::RotateKeys(arguments) => commands::rotate_keys::run(&config, &arguments),
                Command::Backup(arguments) => commands::backup::run(&config, &arguments),
                Command::Migrate => commands::migrate::run(&config),
                _ => commands::serve::run(&config),
            },
            Err(error) => return refuse_settings(error),
        },
    };
    end(done)
}

fn end(done: Result<(), commands::Failure>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    complain(&error.to_string());
    if error.is::<commands::backup::OtherTools>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}

/// The arguments of `doctor`, if that is the command, whatever the settings are.
fn doctor_asked() -> Option<commands::doctor::DoctorArgs> {
    match Sources::default().parse::<Cli>(std::env::args_os()).ok()?.command {
        Some(Command::Doctor(arguments)) => Some(arguments),
        _ => None,
    }
}

/// Command-line mistakes are clap's to explain; `--help` and `--version` come this way too.
fn refuse_settings(error: ConfigError) -> ExitCode {
    match error {
        ConfigError::Usage(usage) => usage.exit(),
        other => {
            complain(&other.to_string());
            ExitCode::FAILURE
        }
    }
}

fn complain(line: &str) {
    // Standard error is all there is to complain to.
    let _ = writeln!(std::io::stderr(), "branch-loan-api: {line}");
}
