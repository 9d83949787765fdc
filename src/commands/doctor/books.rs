//! The books' upkeep: keys that open what is stored, a sealer at work, days that are closed.

use branch_loan_api::config::Config;
use branch_loan_api::service::Services;
use branch_loan_api::service::self_check::{KeyTrial, OpenDays, Unsealed};
use chrono::{DateTime, TimeDelta, Utc};

use super::super::explain;
use super::report::Report;

/// Seal intervals after which nobody seals.
const INTERVALS: i32 = 10;

/// And no sooner than this, since a sealer may have much to do.
const AT_LEAST: TimeDelta = TimeDelta::minutes(5);

/// A day may be closed until the next one ends.
const DAYS: u64 = 1;

/// Branches that are named; the others are counted.
const NAMED: usize = 10;

pub async fn check(config: &Config, services: &Services, report: &mut Report, now: DateTime<Utc>) {
    match services.try_personal_data_keys().await {
        Ok(trial) => keys(trial, report),
        Err(error) => report.fail("personal-data", explain(error), "look into the database's log"),
    }
    match services.unsealed().await {
        Ok(unsealed) => trail(config, unsealed, report, now),
        Err(error) => report.fail("audit-trail", explain(error), "look into the database's log"),
    }
    match services.days_left_open(DAYS).await {
        Ok(open) => days(&open, report),
        Err(error) => report.fail("days", explain(error), "look into the database's log"),
    }
}

fn keys(KeyTrial { tried, unreadable }: KeyTrial, report: &mut Report) {
    match (tried, unreadable) {
        (0, _) => report.ok("personal-data", "PII_KEY is usable; nothing is sealed yet"),
        (_, 0) => report.ok("personal-data", format!("the keys open all of {tried} values that were tried")),
        _ => {
            let text = format!("none of the keys opens {unreadable} of {tried} values that were tried");
            report.fail("personal-data", text, "put the key they were sealed with into PII_KEY or PII_KEYS_OLD");
        }
    }
}

fn trail(config: &Config, Unsealed { count, oldest }: Unsealed, report: &mut Report, now: DateTime<Utc>) {
    let interval = TimeDelta::from_std(config.audit.seal_interval).unwrap_or(AT_LEAST);
    let patience = interval.checked_mul(INTERVALS).unwrap_or(AT_LEAST).max(AT_LEAST);
    let age = oldest.map_or(TimeDelta::zero(), |oldest| now - oldest);
    let text = format!("{count} events are not sealed yet");
    match age > patience {
        false => report.ok("audit-trail", text),
        true => {
            let text = format!("{text}, the oldest for {} minutes", age.num_minutes());
            report.warn("audit-trail", text, "start a server, which seals them, or look for its errors of sealing");
        }
    }
}

fn days(open: &[OpenDays], report: &mut Report) {
    if open.is_empty() {
        return report.ok("days", "no branch with running loans is behind with closing its days");
    }
    let named = open.iter().take(NAMED).map(|OpenDays { branch, closed_through, today }| match closed_through {
        Some(through) => format!("{branch} (closed through {through}, today is {today})"),
        None => format!("{branch} (never closed)"),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match open.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let remedy = "run `branch-loan-api close-day`, and let a schedule run it every night";
    report.warn("days", format!("business days are open: {named}{more}"), remedy);
}
