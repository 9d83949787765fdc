//! Every request eight times at once: as many effects as keys, on both engines.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::json;

use super::checks::{self, Violation};
use super::client;
use super::figures::Figures;
use super::requests::{Answer, Operation, Request, Sent};
use super::world::{Data, World};
use crate::support::postgres::Cluster;

/// How often each key is sent at the same time.
const TIMES: usize = 8;
/// Keys at work at the same time.
const AT_ONCE: usize = 4;
/// Payments of one loan: a loan is worked out from all of them every time.
const PAYMENTS_A_LOAN: u32 = 25;

/// Sends payments under so many keys.
pub async fn run(keys: u32, cluster: Option<Arc<Cluster>>) -> Figures {
    let data = match cluster {
        None => Data::Sqlite,
        Some(cluster) => Data::Postgres { cluster, database: "keys".to_owned() },
    };
    let mut world = World::start("keys".to_owned(), data, None, &[]).await;
    let mut requests = Vec::new();
    for number in 0..keys.div_ceil(PAYMENTS_A_LOAN) {
        let loan = world.running_loan(&format!("loan-{number}"), 1_000_000).await;
        let payments = (number * PAYMENTS_A_LOAN..keys).take(PAYMENTS_A_LOAN as usize);
        requests.extend(payments.map(|payment| {
            let amount = i64::from(100 + payment % 1_000);
            Request::new(&format!("payment-{payment}"), Operation::Pay, Some(amount), json!({"loanId": loan}))
        }));
    }
    let mut figures = Figures { cycles: 1, ..Figures::default() };
    let (http, url) = (client::http(), world.url());
    let mut sending = futures_util::stream::iter(requests)
        .map(|request| {
            let (http, url) = (&http, &url);
            async move {
                let answers = join_all((0..TIMES).map(|_| client::insist(http, url, &request))).await;
                (request, answers)
            }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((request, answers)) = sending.next().await {
        figures.sent += TIMES as u64;
        figures.acknowledged += answers.iter().filter(|answer| matches!(answer, Answer::Done(_))).count() as u64;
        judge(&request, &answers, &mut figures.violations);
        let answer = answers.into_iter().next().unwrap();
        world.record.push(Sent { request, answer });
    }
    drop(sending);
    figures.breaks = vec![(u64::from(keys), "keys")];
    figures.violations.extend(checks::check(&world).await);
    figures.log = world.stop();
    figures.violations.extend(checks::check_log(&figures.log));
    figures
}

/// All senders of a key were told of the same transaction, and one of them at most that it was the first. (It is none
/// when the first one was answered with a database too busy to tell.)
fn judge(request: &Request, answers: &[Answer], violations: &mut Vec<Violation>) {
    let mut told = answers.iter().map(|answer| match answer {
        Answer::Done(done) => Ok((&done.loan, &done.transaction)),
        other => Err(other),
    });
    let first = told.next().unwrap();
    let agree = first.is_ok() && told.all(|other| other == first);
    let firsts = answers.iter().filter(|answer| matches!(answer, Answer::Done(done) if !done.replayed)).count();
    if !agree || firsts > 1 {
        let text = format!("{}: {firsts} of {TIMES} senders were the first: {answers:?}", request.key);
        violations.push(if firsts > 1 { Violation::Doubled(text) } else { Violation::Other(text) });
    }
}
