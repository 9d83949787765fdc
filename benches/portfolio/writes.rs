//! Payments by eight writers at once, each to loans of its own: all in one branch, then spread over fifty, in turns, so
//! that what else the machine does falls on both. Sums are rolled up meanwhile as a server does it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use branch_loan_api::service::list::{Filter, PageRequest, Scalar, SortKey, Test};
use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loans::LoanField;
use branch_loan_api::store::branches;
use branch_loan_api::store::scope::Scope;
use lending::loan::PaymentKind;
use uuid::Uuid;

use crate::fill;
use crate::support::inputs::amount;
use crate::support::services::{World, admin};

const WRITERS: usize = 8;
const BRANCHES: i32 = 50;
const LOANS: i32 = 20_000;
const ROUNDS: usize = 4;

pub async fn compare(world: World, period: Duration) {
    fill::fill(&world, LOANS, BRANCHES).await;
    world.clock.set(&format!("{}T09:00:00Z", fill::first_day()));
    let branches = branches::all(world.database.reader(), &Scope::All).await.unwrap();
    let branches: Vec<Uuid> = branches.iter().map(|branch| branch.id).collect();
    let world = Arc::new(world);
    let mut done = [0_u64; 2];
    for round in 0..ROUNDS {
        for (place, count) in done.iter_mut().enumerate() {
            let mut mine = Vec::new();
            for writer in 0..WRITERS {
                // One for all, or for each some of its own.
                let of = if place == 0 { vec![branches[round]] } else { share(&branches, writer) };
                mine.push(loans(&world, &of, writer).await);
            }
            *count += run(&world, mine, period).await;
        }
    }
    let seconds = period.as_secs() * u64::try_from(ROUNDS).unwrap();
    println!("one branch: {} a second; spread over {BRANCHES}: {} a second", done[0] / seconds, done[1] / seconds);
    println!("one branch has {} % of what is spread", done[0] * 100 / done[1].max(1));
}

fn share(branches: &[Uuid], writer: usize) -> Vec<Uuid> {
    branches.iter().skip(writer).step_by(WRITERS).copied().collect()
}

/// Some forty loans of these branches that no other writer has.
async fn loans(world: &World, branches: &[Uuid], writer: usize) -> Vec<Uuid> {
    let ids = branches.iter().map(|id| Scalar::Id(*id)).collect();
    let filter = Filter::Field(LoanField::Branch, Test::OneOf(ids));
    let request = PageRequest { size: 320, backward: false, cursor: None };
    let order = [SortKey { field: LoanField::CreatedAt, descending: false }];
    let page = world.services.loans(&admin(), &filter, &order, &request).await.unwrap();
    page.rows.iter().skip(writer).step_by(WRITERS).map(|(_, loan)| loan.id).collect()
}

/// Payments recorded within the period.
async fn run(world: &Arc<World>, mine: Vec<Vec<Uuid>>, period: Duration) -> u64 {
    let (over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let tidier = {
        let (world, over) = (Arc::clone(world), Arc::clone(&over));
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                world.services.roll_up_portfolio().await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
    };
    let writers = mine.into_iter().map(|loans| {
        let (world, over, done) = (Arc::clone(world), Arc::clone(&over), Arc::clone(&done));
        tokio::spawn(async move {
            for loan in loans.iter().cycle() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                pay(&world, *loan).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let since = Instant::now();
    tokio::time::sleep(period).await;
    let count = done.load(Ordering::Relaxed);
    assert!(since.elapsed() < period * 2, "the machine had other things to do");
    over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    tidier.await.unwrap();
    count
}

async fn pay(world: &World, loan: Uuid) {
    let payment = Record {
        idempotency_key: Uuid::now_v7().to_string(),
        loan,
        on: None,
        what: What::Pay { amount: amount("1.00", "KES"), kind: PaymentKind::Repayment },
        external_ref: None,
        expected_version: None,
    };
    world.services.record(&admin(), &payment).await.unwrap();
}
