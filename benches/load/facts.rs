//! What requests need to know of the filled database: ids, cursors, and what binds a cursor to its list.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branch_loan_api::ids::{Kind, NodeId};
use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value as Json, json};
use sqlx::Row as _;
use uuid::Uuid;

use crate::baseline::pools::{Pools, on};
use crate::payable::{self, Set};
use crate::target::Target;
use crate::workload::{PAGE, Workload};

/// So many loans are asked for by their ids.
const LOANS: i64 = 5_000;
const CURSORS: i64 = 200;

#[derive(Debug, Default)]
pub struct Facts {
    pub loans: Vec<String>,
    /// Places in the middle of the list of all loans.
    pub cursors: Vec<String>,
    /// What binds a cursor to the list of all loans.
    pub all: String,
    /// Pages of that list: which was wanted, which it is, and the cursor before it.
    pub pages: Vec<(i64, i64, String)>,
    /// Branches with running loans, and what binds a cursor to the list of those.
    pub branches: Vec<(String, String)>,
    payable: Vec<(Set, Vec<String>)>,
    pub borrowers: Vec<String>,
    pub product: String,
}

impl Facts {
    /// Reads them from the database, and asks a server for the bindings of cursors.
    pub async fn read(pools: &Pools, server: &Target, sets: &[Set]) -> Self {
        let mut facts = Self::default();
        let mut dice = StdRng::seed_from_u64(1);
        let count = one(pools, "SELECT count(*) FROM loans").await;
        let every = (count / LOANS).max(1);
        facts.loans = ids(
            pools,
            Kind::Loan,
            &format!(
                "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM loans) l WHERE n % {every} = 0"
            ),
        )
        .await;
        facts.loans.shuffle(&mut dice);
        facts.all = binding(server, None).await;
        facts.cursors = cursors(pools, &spread(count), &facts.all).await;
        facts.cursors.shuffle(&mut dice);
        for wanted in [1_000, 10_000] {
            let page = wanted.min(count / PAGE).max(2);
            let before = format!(
                "SELECT created_at, id FROM loans ORDER BY created_at, id LIMIT 1 OFFSET {}",
                (page - 1) * PAGE - 1
            );
            facts.pages.push((wanted, page, cursors(pools, &before, &facts.all).await.remove(0)));
        }
        let running = "SELECT DISTINCT branch_id FROM loans WHERE status = 'DISBURSED' ORDER BY branch_id LIMIT 16";
        for branch in ids(pools, Kind::Branch, running).await {
            let f = binding(server, Some(&branch)).await;
            facts.branches.push((branch, f));
        }
        for set in sets {
            let mut loans: Vec<String> = payable::loans(pools, *set).await.into_iter().map(|(loan, _)| loan).collect();
            loans.shuffle(&mut dice);
            facts.payable.push((*set, loans));
        }
        let borrowers = format!("SELECT id FROM borrowers WHERE {} ORDER BY id", Set::Any.condition("borrower"));
        facts.borrowers = ids(pools, Kind::Borrower, &borrowers).await;
        let product = format!("SELECT id FROM loan_products WHERE code = '{}'", Set::Any.code());
        facts.product = ids(pools, Kind::LoanProduct, &product).await.remove(0);
        let distinct: BTreeSet<&String> = facts.loans.iter().collect();
        assert_eq!(distinct.len(), facts.loans.len());
        facts
    }

    /// The loans of a set, in no order.
    pub fn payable(&self, set: Set) -> &[String] {
        self.payable.iter().find(|(of, _)| *of == set).map_or(&[], |(_, loans)| loans)
    }
}

async fn one(pools: &Pools, sql: &str) -> i64 {
    on!(pools, pool => sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(pool.read()).await.unwrap().get(0))
}

async fn ids(pools: &Pools, kind: Kind, sql: &str) -> Vec<String> {
    let ids: Vec<Uuid> = on!(pools, pool => {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(pool.read()).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    });
    ids.into_iter().map(|uuid| NodeId { kind, uuid }.to_string()).collect()
}

/// Places all over the list.
fn spread(count: i64) -> String {
    let every = (count / CURSORS).max(1);
    format!(
        "SELECT created_at, id FROM (SELECT created_at, id, row_number() OVER (ORDER BY created_at, id) AS n FROM loans) l
         WHERE n % {every} = 0 AND n < {}", count - PAGE
    )
}

async fn cursors(pools: &Pools, sql: &str, f: &str) -> Vec<String> {
    let places: Vec<(DateTime<Utc>, Uuid)> = on!(pools, pool => {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(pool.read()).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    });
    let cursor =
        |(time, id): &(DateTime<Utc>, Uuid)| json!({"v": 1, "f": f, "k": [{"time": time}], "i": id}).to_string();
    places.iter().map(|place| URL_SAFE_NO_PAD.encode(cursor(place))).collect()
}

async fn binding(server: &Target, branch: Option<&str>) -> String {
    let answer = server.ask(&Workload::first_page(branch, &server.path, &server.token)).await;
    let cursor = answer["data"]["loans"]["pageInfo"]["endCursor"].as_str().expect("a cursor");
    let cursor: Json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    cursor["f"].as_str().unwrap().to_owned()
}
