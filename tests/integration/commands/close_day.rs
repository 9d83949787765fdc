//! `close-day`: what it prints and refuses; that it may be killed at any moment, again and again, and that two at once
//! do the work of one.

use std::os::unix::process::ExitStatusExt as _;

use chrono::{Days, Utc};
use rand::Rng;

use super::books::{Books, FIRST, LAST, sum};
use super::production;
use crate::support::engines::Engine;
use crate::support::process::Place;
use crate::support::random::Dice;

both_engines!(
    it_prints_what_it_came_to_and_the_second_time_there_is_nothing_to_do,
    a_branch_is_closed_with_those_below_it_and_no_other,
    killed_again_and_again_it_ends_where_one_run_would_have,
    two_at_once_close_every_loan_once,
);

async fn it_prints_what_it_came_to_and_the_second_time_there_is_nothing_to_do(engine: Engine) {
    let books = Books::with(engine, 60).await;
    let running = books.running().await;
    let printed = books.close(FIRST, &[]);
    let branches = books.number("SELECT count(*) FROM branches").await;
    assert_eq!(i64::try_from(printed.len()).unwrap(), branches, "a line each: {printed:?}");
    let codes: Vec<&str> = printed.iter().filter_map(|line| Some(line.split_once(": closed")?.0)).collect();
    assert!(codes.is_sorted(), "by their codes: {printed:?}");
    let starts = |line: &String| line.contains(&format!(": closed through {FIRST}; 1 days, "));
    assert!(printed.iter().all(starts), "{printed:?}");
    assert_eq!((sum(&printed, " loan days"), sum(&printed, " without a projection")), (running, 0), "{printed:?}");
    assert_eq!(books.closed(FIRST).await, running);
    let defaulted = books.number("SELECT count(*) FROM loans WHERE status = 'DEFAULTED'").await;
    assert!(sum(&printed, " defaulted") <= defaulted, "{printed:?}");

    let content = books.content().await;
    let again = books.close(FIRST, &[]);
    assert_eq!((sum(&again, " days,"), sum(&again, " loan days")), (0, 0), "{again:?}");
    assert!(books.content().await == content);
    // The days between are caught up.
    let more = books.close(LAST, &[]);
    assert_eq!((sum(&more, " days,"), sum(&more, " loan days")), (2 * branches, 2 * running), "{more:?}");
    books.assert_hold();
}

async fn a_branch_is_closed_with_those_below_it_and_no_other(engine: Engine) {
    let books = Books::with(engine, 60).await;
    let printed = books.close(FIRST, &["--branch", "NBO"]);
    assert!(printed.len() > 1 && printed.iter().all(|line| line.starts_with("NBO")), "{printed:?}");
    let below = "SELECT count(*) FROM branches WHERE closed_through IS NOT NULL AND code LIKE 'NBO%'";
    let closed = "SELECT count(*) FROM branches WHERE closed_through IS NOT NULL";
    let count = i64::try_from(printed.len()).unwrap();
    assert_eq!((books.number(below).await, books.number(closed).await), (count, count));
    let elsewhere = "SELECT count(*) FROM loans l JOIN branches b ON b.id = l.branch_id
                     WHERE b.code NOT LIKE 'NBO%' AND l.accrued_through = '2026-01-15'";
    assert_eq!(books.number(elsewhere).await, 0);
    books.assert_hold();

    let refusal = books.place.run(&["close-day", "--branch", "NOWHERE"]).refusal();
    assert!(refusal.contains("no such branch"), "{refusal}");
}

async fn killed_again_and_again_it_ends_where_one_run_would_have(engine: Engine) {
    const KILLS: i64 = 6;
    let whole = Books::with(engine.another().await, 800).await;
    let books = Books::with(engine, 800).await;
    let running = books.running().await;
    assert_eq!(whole.running().await, running);
    let mut dice = Dice::new();
    let mut cut_off = 0;
    for kill in 0..KILLS {
        // Somewhere in the next part of the way; the rest is left for the run that is not killed.
        let part = running / (KILLS + 2);
        let until = (kill * part + dice.random_range(1..=part)).max(books.closed(FIRST).await + 1);
        let mut child = books.place.start(&["close-day", "--date", FIRST, "--chunk", "2"]);
        while !child.has_ended() {
            if books.closed(FIRST).await >= until {
                child.signal("KILL");
                break;
            }
        }
        let killed = child.finish().status.signal() == Some(9);
        let done = books.closed(FIRST).await;
        assert!(killed || done == running, "it ended with {done} of {running}");
        cut_off += i64::from(killed && done < running);
    }
    assert!(cut_off > KILLS / 2, "it was hardly ever cut off: {cut_off}");
    // Whatever a kill left behind balances, and is nothing but loans that are closed and loans that are not.
    books.assert_hold();

    let left = running - books.closed(FIRST).await;
    let rest = books.close(FIRST, &["--chunk", "2"]);
    assert_eq!(sum(&rest, " loan days"), left, "{rest:?}");
    books.close(LAST, &["--chunk", "3"]);
    whole.close(FIRST, &[]);
    whole.close(LAST, &[]);
    books.assert_hold();
    whole.assert_hold();
    let (ledger, lines) = books.content().await;
    let (whole_ledger, whole_lines) = whole.content().await;
    assert_eq!(ledger, whole_ledger);
    assert_eq!(lines, whole_lines);
}

async fn two_at_once_close_every_loan_once(engine: Engine) {
    let whole = Books::with(engine.another().await, 300).await;
    let books = Books::with(engine, 300).await;
    let running = books.running().await;
    let arguments = ["close-day", "--date", FIRST, "--chunk", "2"];
    let both = [books.place.start(&arguments), books.place.start(&arguments)];
    let printed: Vec<String> = both.map(|one| one.finish().printed()).iter().flat_map(|text| lines(text)).collect();
    assert_eq!(sum(&printed, " loan days"), running, "each loan by one of them: {printed:?}");
    books.assert_hold();
    whole.close(FIRST, &[]);
    assert_eq!(books.content().await, whole.content().await);
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_day_that_has_not_come_is_refused_and_nothing_is_closed() {
    let place = Place::new();
    place.run(&["demo"]).printed();
    // Ahead of every time zone.
    let ahead = Utc::now().date_naive().checked_add_days(Days::new(3)).unwrap().to_string();
    let refusal = place.run(&["close-day", "--date", &ahead]).refusal();
    assert!(refusal.contains("Choose a day from ") && refusal.contains("business date of branch"), "{refusal}");
    let printed = place.run(&["close-day", "--date", FIRST]).printed();
    assert!(printed.lines().all(|line| line.contains(": closed through 2026-01-15; 1 days, ")), "{printed}");
}

#[test]
fn without_a_date_it_is_each_branchs_business_date() {
    let place = Place::new();
    place.run(&["demo"]).printed();
    let before = Utc::now().date_naive();
    let printed = place.run(&["close-day"]).printed();
    let after = Utc::now().date_naive();
    // East of Greenwich it may be tomorrow already.
    let days = [Some(before), Some(after), before.succ_opt(), after.succ_opt()];
    let possible: Vec<String> = days.iter().flatten().map(|day| format!(": closed through {day}; 1 days, ")).collect();
    let is_one = |line: &str| possible.iter().any(|start| line.contains(start.as_str()));
    assert!(!printed.is_empty() && printed.lines().all(is_one), "{printed}");
}

#[test]
fn what_is_no_date_and_no_size_is_a_mistake_of_the_command_line() {
    for arguments in [
        &["close-day", "--date", "2026-02-30"][..],
        &["close-day", "--date", "yesterday"],
        &["close-day", "--chunk", "0"],
        &["close-day", "--chunk", "100001"],
    ] {
        let outcome = Place::new().run(arguments);
        assert_eq!((outcome.status.code(), outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome:?}");
    }
}

/// In production nobody migrates by the way.
#[test]
fn a_database_that_was_not_migrated_is_one_line() {
    let place = production();
    let refusal = place.run(&["close-day"]).refusal();
    assert!(refusal.contains("`branch-loan-api migrate`") && !refusal.contains("no such table"), "{refusal}");
    place.run(&["migrate"]).printed();
    assert_eq!(place.run(&["close-day"]).printed(), "", "no branches, nothing to say");
}
