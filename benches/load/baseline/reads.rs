//! Reading by hand: one statement where one is enough, and of each table the columns that are shown.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::to_string;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::answers::{
    Borrower, Branch, Connection, Data, InCurrency, InStatus, Loan, Loans, Money, Node, OneLoan, OnePortfolio,
    PageInfo, Portfolio, Total, decimal, moment,
};
use super::pools::{Pools, on};
use super::{Failure, Shared, caller, json, typeid};
use crate::arguments::PageForm;

const SIZE: usize = 20;
const STATUSES: [&str; 8] =
    ["PENDING", "APPROVED", "REJECTED", "WITHDRAWN", "DISBURSED", "DEFAULTED", "REPAID", "WRITTEN_OFF"];

pub async fn by_id(State(app): Shared, headers: HeaderMap, Path(id): Path<String>) -> Result<Response, Failure> {
    caller(&app, &headers)?;
    let uuid = typeid::read("loan", &id).ok_or_else(|| Failure::bad_input("no id of a loan"))?;
    let sql = "SELECT number, status, principal_minor, currency, applied_on, disbursed_on, version, updated_at
               FROM loans WHERE id = $1";
    let loan = on!(&app.pools, pool => {
        sqlx::query(sql).bind(uuid).fetch_optional(pool.read()).await?.map(|row| Loan {
            id,
            number: row.get(0),
            status: row.get(1),
            principal: Money::new(row.get(2), row.get(3)),
            applied_on: row.get(4),
            disbursed_on: row.get(5),
            version: row.get(6),
            updated_at: moment(row.get(7)),
        })
    });
    Ok(json(text(&Data { data: OneLoan { loan } })))
}

#[derive(Deserialize)]
pub struct PageQuery {
    /// What binds a cursor to this list.
    f: String,
    after: Option<String>,
    branch: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    v: u8,
    f: String,
    k: Vec<Mark>,
    i: Uuid,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Time(DateTime<Utc>),
}

/// A row of a page, and what it refers to.
struct Found {
    id: Uuid,
    number: String,
    status: String,
    principal: Money,
    applied_on: NaiveDate,
    created_at: DateTime<Utc>,
    branch_id: Uuid,
    borrower_id: Uuid,
    joined: Option<(Branch, Borrower)>,
}

pub async fn page(State(app): Shared, headers: HeaderMap, Query(query): Query<PageQuery>) -> Result<Response, Failure> {
    caller(&app, &headers)?;
    let joined = app.page == PageForm::Join;
    let after = query.after.as_deref().map(|text| cursor(text, &query.f)).transpose()?;
    let branch = match &query.branch {
        None => None,
        Some(id) => Some(typeid::read("branch", id).ok_or_else(|| Failure::bad_input("no id of a branch"))?),
    };
    let sql = page_sql(joined, after.is_some(), branch.is_some());
    let mut found: Vec<Found> = on!(&app.pools, pool => {
        let mut statement = sqlx::query(sql);
        if let Some((time, id)) = after {
            statement = statement.bind(time).bind(id);
        }
        if let Some(branch) = branch {
            statement = statement.bind(branch);
        }
        let rows = statement.fetch_all(pool.read()).await?;
        rows.iter().map(|row| Found {
            id: row.get(0),
            number: row.get(1),
            status: row.get(2),
            principal: Money::new(row.get(3), row.get(4)),
            applied_on: row.get(5),
            created_at: row.get(6),
            branch_id: row.get(7),
            borrower_id: row.get(8),
            joined: joined.then(|| (
                Branch { code: row.get(9), name: row.get(10) },
                Borrower { number: row.get(11), name: row.get(12) },
            )),
        }).collect()
    });
    let has_next_page = found.len() > SIZE;
    found.truncate(SIZE);
    let end_cursor = found.last().map(|last| {
        let cursor = Cursor { v: 1, f: query.f, k: vec![Mark::Time(last.created_at)], i: last.id };
        URL_SAFE_NO_PAD.encode(text(&cursor))
    });
    let borrowers = if joined { HashMap::new() } else { borrowers(&app.pools, &found).await? };
    let node = |one: Found| {
        let related = || Some((app.branches.0.get(&one.branch_id)?.clone(), borrowers.get(&one.borrower_id)?.clone()));
        let (branch, borrower) = one.joined.clone().or_else(related)?;
        Some(Node {
            id: typeid::write("loan", one.id),
            number: one.number,
            status: one.status,
            principal: one.principal,
            applied_on: one.applied_on,
            branch,
            borrower,
        })
    };
    let nodes = found.into_iter().filter_map(node).collect();
    let page_info = PageInfo { has_next_page, end_cursor };
    Ok(json(text(&Data { data: Loans { loans: Connection { nodes, page_info } } })))
}

fn page_sql(joined: bool, after: bool, of_branch: bool) -> &'static str {
    macro_rules! page {
        ($columns:literal, $joins:literal, $condition:literal) => {
            concat!(
                "SELECT l.id, l.number, l.status, l.principal_minor, l.currency, l.applied_on, l.created_at, \
                 l.branch_id, l.borrower_id",
                $columns,
                " FROM loans l",
                $joins,
                $condition,
                " ORDER BY l.created_at, l.id LIMIT 21"
            )
        };
        ($condition:literal) => {
            if joined {
                page!(
                    ", b.code, b.name, p.number, p.name",
                    " JOIN branches b ON b.id = l.branch_id JOIN borrowers p ON p.id = l.borrower_id",
                    $condition
                )
            } else {
                page!("", "", $condition)
            }
        };
    }
    match (after, of_branch) {
        (false, false) => page!(""),
        (true, false) => page!(" WHERE (l.created_at, l.id) > ($1, $2)"),
        (false, true) => page!(" WHERE l.status = 'DISBURSED' AND l.branch_id = $1"),
        (true, true) => {
            page!(" WHERE (l.created_at, l.id) > ($1, $2) AND l.status = 'DISBURSED' AND l.branch_id = $3")
        }
    }
}

fn cursor(text: &str, f: &str) -> Result<(DateTime<Utc>, Uuid), Failure> {
    let read = || {
        let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        match cursor.k.as_slice() {
            [Mark::Time(time)] if cursor.v == 1 && cursor.f == f => Some((*time, cursor.i)),
            _ => None,
        }
    };
    read().ok_or_else(|| Failure::bad_input("no cursor of this list"))
}

/// The borrowers of a page, in one statement.
async fn borrowers(pools: &Pools, found: &[Found]) -> Result<HashMap<Uuid, Borrower>, Failure> {
    let mut ids: Vec<Uuid> = found.iter().map(|one| one.borrower_id).collect();
    ids.sort_unstable();
    ids.dedup();
    match pools {
        Pools::Postgres(pool) => {
            let statement = sqlx::query("SELECT id, number, name FROM borrowers WHERE id = ANY($1)").bind(ids);
            let rows = statement.fetch_all(pool.read()).await?;
            Ok(rows.iter().map(|row| (row.get(0), Borrower { number: row.get(1), name: row.get(2) })).collect())
        }
        Pools::Sqlite(pool) => {
            let places = vec!["?"; ids.len()].join(",");
            let sql = format!("SELECT id, number, name FROM borrowers WHERE id IN ({places})");
            let mut statement = sqlx::query(AssertSqlSafe(sql));
            for id in ids {
                statement = statement.bind(id);
            }
            let rows = statement.fetch_all(pool.read()).await?;
            Ok(rows.iter().map(|row| (row.get(0), Borrower { number: row.get(1), name: row.get(2) })).collect())
        }
    }
}

/// Few rows that hardly ever change.
pub struct Branches(HashMap<Uuid, Branch>);

impl Branches {
    pub async fn read(pools: &Pools) -> Self {
        Self(on!(pools, pool => {
            let rows = sqlx::query("SELECT id, code, name FROM branches").fetch_all(pool.read()).await.unwrap();
            rows.iter().map(|row| (row.get(0), Branch { code: row.get(1), name: row.get(2) })).collect()
        }))
    }
}

pub async fn portfolio(State(app): Shared, headers: HeaderMap) -> Result<Response, Failure> {
    caller(&app, &headers)?;
    let sql = "SELECT currency, status, count(*), CAST(sum(principal_minor) AS bigint) FROM loans GROUP BY 1, 2";
    let groups: Vec<(String, String, i64, i64)> = on!(&app.pools, pool => {
        let rows = sqlx::query(sql).fetch_all(pool.read()).await?;
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    });
    let (mut all, mut currencies, mut statuses) = (0, BTreeMap::<String, (i64, i64)>::new(), HashMap::new());
    for (currency, status, count, principal) in groups {
        all += count;
        let of_currency = currencies.entry(currency).or_default();
        (of_currency.0, of_currency.1) = (of_currency.0 + count, of_currency.1 + principal);
        *statuses.entry(status).or_insert(0) += count;
    }
    let by_currency = currencies.into_iter().map(|(currency, (count, principal))| InCurrency {
        principal: Total { amount: decimal(principal, &currency) },
        currency,
        count: count.to_string(),
    });
    let by_status = STATUSES.iter().filter_map(|status| {
        let count = statuses.get(*status)?;
        Some(InStatus { status: (*status).to_owned(), count: count.to_string() })
    });
    let portfolio =
        Portfolio { count: all.to_string(), by_currency: by_currency.collect(), by_status: by_status.collect() };
    Ok(json(text(&Data { data: OnePortfolio { portfolio } })))
}

pub(super) fn text(value: &impl Serialize) -> String {
    to_string(value).unwrap()
}
