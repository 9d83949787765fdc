//! `doctor`: looks at everything a server needs before it can serve, one line a finding, and says what to do about what
//! fails. It looks and changes nothing: no database is made, no schema brought up to date. The exit code is 1 when
//! something fails.

mod books;
mod certificate;
mod clock;
mod database;
mod disk;
mod issuer;
mod replica;
mod report;

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::config::{Config, ConfigError};
use clap::Args;

use super::{Failure, block_on};
use report::{Report, Status};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print a JSON object a line; the last one has the counts and the effective settings.
    #[arg(long)]
    json: bool,
    /// Print the effective settings, too, with secrets as ***.
    #[arg(long)]
    settings: bool,
}

/// Looks, whether or not the settings can be used. `almost` are variables that look like a setting and are none.
pub fn run(
    config: Result<Config, ConfigError>,
    almost: &[(String, String)],
    arguments: &DoctorArgs,
) -> Result<(), Failure> {
    let mut report = Report::default();
    let config = match config {
        Ok(config) => Some(config),
        Err(error) => {
            report.fail_as_told("settings", error.to_string());
            report.skip("everything else", "it depends on the settings");
            None
        }
    };
    let mut settings = None;
    if let Some(config) = &config {
        let redacted = config.redacted();
        report.ok("settings", format!("{} settings for {}", redacted.lines().count(), config.environment));
        for (name, setting) in almost {
            report.warn(
                "settings",
                format!("{name} is read by no setting"),
                format!("if {setting} is meant, rename it"),
            );
        }
        settings = (arguments.json || arguments.settings).then_some(redacted);
        report = block_on(async { Ok(look(config, report).await) })?;
    }
    report.print(arguments.json, settings.as_deref())?;
    match report.count(Status::Failed) {
        0 => Ok(()),
        1 => Err("1 check failed: do what its line says, and run doctor again".into()),
        count => Err(format!("{count} checks failed: do what their lines say, and run doctor again").into()),
    }
}

async fn look(config: &Config, mut report: Report) -> Report {
    let around = Surroundings::real();
    let now = || around.clock.now();
    match database::check(config, &mut report, &now).await {
        Some(database) => {
            match database::migrations(config, &database, &mut report).await {
                true => match app::services(config, database.clone(), &around) {
                    Ok(services) => books::check(config, &services, &mut report, now()).await,
                    Err(error) => report.fail_as_told("personal-data", error.to_string()),
                },
                false => report.skip("books", "the schema must be up to date first"),
            }
            replica::check(config, &database, &mut report).await;
            database.close().await;
        }
        None => report.skip("migrations, books", "the database must be there first"),
    }
    certificate::check(config, &mut report, now());
    issuer::check(config, &mut report, &now).await;
    report
}
