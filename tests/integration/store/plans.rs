//! How the engines go about what must not cost more the more loans there are: the portfolio without a filter reads no
//! loan but those that are folded, and pages of loans are found along an index, without sorting all that match. Plans are
//! the engines' own, for the statements that are sent.

use std::sync::{Arc, Mutex};

use branch_loan_api::service::list::{Cursor, Filter, PageRequest, Scalar, SortKey, Test};
use branch_loan_api::service::loans::{LoanField, LoanKey, LoanRecord};
use branch_loan_api::service::portfolio::{GroupBy, Report};
use branch_loan_api::store::database::StatementObserver;
use branch_loan_api::store::find::Lock;
use branch_loan_api::store::scope::Scope;
use branch_loan_api::store::{Database, loans, page};
use lending::loan::LoanStatus;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::{Filled, fill};
use crate::support::random::Dice;
use crate::support::services::{World, admin, day};

both_engines!(the_portfolio_reads_no_loan, pages_of_loans_are_found_along_an_index);

/// Enough that an engine that could use an index would rather not read all of them.
const LOANS: u32 = 6_000;

/// The statements sent, with their values.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<Statement>>>);

impl Sent {
    fn observer(&self) -> StatementObserver {
        let seen = Arc::clone(&self.0);
        Arc::new(move |info| seen.lock().unwrap().push(info.statement.clone()))
    }

    fn take(&self) -> Vec<Statement> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Many loans, and an engine that knows how many.
async fn filled(engine: &Engine, sent: &Sent) -> (Database, Filled) {
    let database = engine.connect_observed(Some(sent.observer())).await;
    let filled = fill(&database, &mut Dice::new(), LOANS).await;
    (database, filled)
}

async fn count(engine: &Engine) {
    let raw = engine.raw().await;
    raw.execute_unprepared("ANALYZE").await.unwrap();
    raw.close().await.unwrap();
}

/// The steps of the plans of what was sent, each statement's text first.
async fn plans(engine: &Engine, statements: Vec<Statement>) -> Vec<(String, Vec<String>)> {
    let raw = engine.raw().await;
    let mut plans = Vec::new();
    for statement in statements.into_iter().filter(|one| one.sql.starts_with("SELECT")) {
        let (explain, column) =
            if engine.is_postgres() { ("EXPLAIN", "QUERY PLAN") } else { ("EXPLAIN QUERY PLAN", "detail") };
        let asked = Statement { sql: format!("{explain} {}", statement.sql), ..statement.clone() };
        let rows = raw.query_all_raw(asked).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
        plans.push((statement.sql, of_tables(steps)));
    }
    plans
}

/// Without the steps over what a statement calls `loans` and is none: the sums in their place.
fn of_tables(steps: Vec<String>) -> Vec<String> {
    let trimmed = steps.iter().map(|step| step.trim_start_matches([' ', '-', '>']).to_owned());
    let is_made = steps.iter().any(|step| step.contains("CO-ROUTINE loans") || step.contains("MATERIALIZE loans"));
    let reads_sums = |step: &str| step.starts_with("Subquery Scan on loans") || (is_made && step == "SCAN loans");
    trimmed.filter(|step| !reads_sums(step)).collect()
}

fn reads_loans(step: &str) -> bool {
    step.contains(" on loans") || step.starts_with("SCAN loans") || step.starts_with("SEARCH loans")
}

/// Reads a table of loans row by row.
fn reads_all_loans(step: &str) -> bool {
    let scans = step.starts_with("Seq Scan on loans") || step.starts_with("Parallel Seq Scan on loans");
    scans || (step.starts_with("SCAN loans") && !step.contains("INDEX"))
}

/// Sorts more than a small part of the loans: PostgreSQL sorts a hundred rather than walk along an index for them.
fn sorts(step: &str) -> bool {
    let rows = step.split(" rows=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    let sorts = step.starts_with("Sort  (cost=") && rows.is_none_or(|rows| rows > LOANS / 20);
    sorts || step.starts_with("USE TEMP B-TREE FOR ORDER BY")
}

async fn the_portfolio_reads_no_loan(engine: Engine) {
    let sent = Sent::default();
    let (database, _) = filled(&engine, &sent).await;
    let world = World::over(engine, database);
    world.services.tidy_portfolio().await.unwrap();
    count(&world.engine).await;
    sent.take();
    for group in GroupBy::ALL {
        let report = Report::new(Filter::default(), None);
        report.counted(&world.services, &admin(), group).await.unwrap();
        report.owed(&world.services, &admin(), group).await.unwrap();
        if group != GroupBy::Officer {
            report.late(&world.services, &admin(), group).await.unwrap();
        }
        if !matches!(group, GroupBy::Status | GroupBy::Officer) {
            report.aged(&world.services, &admin(), group).await.unwrap();
        }
    }
    let plans = plans(&world.engine, sent.take()).await;
    assert!(plans.len() > 17, "{plans:#?}");
    for (sql, steps) in &plans {
        assert!(!steps.iter().any(|step| reads_all_loans(step)), "{sql}\n{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("loan_installments")), "{sql}\n{steps:#?}");
        // Only what is stale is looked for among the loans.
        let allowed = [
            "ix_loans_refreshed_while_late",
            "ix_loans_late_since_refreshed",
            "ix_loans_branch_refreshed_while_late",
            "ix_loans_branch_late_since_refreshed",
            "loans_pkey",
            "autoindex_loans_1",
        ];
        let others = steps
            .iter()
            .filter(|step| reads_loans(step))
            .filter(|step| !(sql.contains("refreshed_on") && allowed.iter().any(|index| step.contains(index))));
        assert_eq!(others.count(), 0, "{sql}\n{steps:#?}");
    }
    // What sums cannot answer is read from the loans: the same look sees the difference.
    let over = Filter::Field(LoanField::Principal, Test::AtLeast(Scalar::Integer(0)));
    Report::new(over, None).owed(&world.services, &admin(), GroupBy::Nothing).await.unwrap();
    let plans = self::plans(&world.engine, sent.take()).await;
    let over_loans = plans.iter().filter(|(sql, _)| !sql.contains("refreshed_on"));
    assert!(over_loans.flat_map(|(_, steps)| steps).any(|step| reads_loans(step)), "{plans:#?}");
}

async fn pages_of_loans_are_found_along_an_index(engine: Engine) {
    let sent = Sent::default();
    let (database, filled) = filled(&engine, &sent).await;
    count(&engine).await;
    let is = |field, scalar| Filter::Field(field, Test::Is(scalar));
    let text = |text: &str| Scalar::Text(text.to_owned());
    let status = || is(LoanField::Status, text("DISBURSED"));
    let branch = || is(LoanField::Branch, Scalar::Id(filled.branch("NBO").id));
    let late = Filter::Field(LoanField::OldestUnpaidDueOn, Test::AtMost(Scalar::Date(day("2025-02-03"))));
    let applied = vec![SortKey { field: LoanField::CreatedAt, descending: false }];
    let newest = vec![SortKey { field: LoanField::CreatedAt, descending: true }];
    let by_days = vec![SortKey { field: LoanField::OldestUnpaidDueOn, descending: false }];
    let by_next = vec![SortKey { field: LoanField::NextDueOn, descending: false }];
    for (filter, order) in [
        (Filter::default(), &applied),
        (status(), &applied),
        (branch(), &newest),
        (Filter::All(vec![status(), branch()]), &applied),
        (is(LoanField::Officer, text("z")), &applied),
        (is(LoanField::Officer, text("z")), &newest),
        (is(LoanField::Product, Scalar::Id(filled.products[0].id)), &newest),
        (Filter::default(), &by_days),
        (late, &by_days),
        (status(), &by_days),
        (Filter::default(), &by_next),
    ] {
        let request = PageRequest { size: 20, backward: false, cursor: None };
        sent.take();
        let first: page::Page<LoanRecord> =
            page::page(database.reader(), &Scope::All, &filter, order, &request).await.unwrap();
        let request = PageRequest { cursor: first.rows.last().map(|(cursor, _)| cursor.to_string()), ..request };
        page::page::<_, LoanRecord>(database.reader(), &Scope::All, &filter, order, &request).await.unwrap();
        if engine.is_postgres() {
            pages_from_each(&database, &filter, order, &first).await;
        }
        for (sql, steps) in plans(&engine, sent.take()).await {
            let slow = steps.iter().any(|step| reads_all_loans(step) || sorts(step));
            assert!(!slow, "{filter:?} by {order:?}\n{sql}\n{steps:#?}");
        }
    }
    // Where there is no more than a page, it may as well be sorted.
    let running = |branch: Uuid| filled.loans.iter().filter(|loan| runs_at(loan, branch)).count();
    let busiest = filled.branches.iter().map(|branch| branch.id).max_by_key(|id| running(*id)).unwrap();
    assert!(running(busiest) > 40, "{}", running(busiest));
    let at_busiest = is(LoanField::Branch, Scalar::Id(busiest));
    the_working_list_is_an_index(&engine, &database, &sent, &[status(), at_busiest]).await;
    sent.take();
    let key = LoanKey::Number("L-000000017".to_owned());
    loans::find(database.reader(), &Scope::All, &key, Lock::None).await.unwrap().unwrap();
    for (sql, steps) in plans(&engine, sent.take()).await {
        assert!(!steps.iter().any(|step| reads_all_loans(step)), "{sql}\n{steps:#?}");
    }
}

fn runs_at(loan: &LoanRecord, branch: Uuid) -> bool {
    loan.branch_id == branch && loan.state.status() == LoanStatus::Disbursed
}

/// The pages from several rows of a page, read together.
async fn pages_from_each(
    database: &Database,
    filter: &Filter<LoanField>,
    order: &[SortKey<LoanField>],
    first: &page::Page<LoanRecord>,
) {
    let list = page::List::of(filter, order).unwrap();
    let from = |cursor: String| PageRequest { size: 20, backward: false, cursor: Some(cursor) };
    let start = |(cursor, _): &(Cursor, LoanRecord)| list.start(&from(cursor.to_string())).unwrap();
    let starts: Vec<_> = first.rows.iter().step_by(4).filter_map(start).collect();
    let shape = page::Shape { size: 20, backward: false };
    let pages = list.read_each::<LoanRecord>(database.reader(), &Scope::All, shape, &starts).await.unwrap();
    assert_eq!(pages.len(), starts.len());
}

/// The loans of one status at one branch: nothing is read that is not on the page, and nothing is sorted.
async fn the_working_list_is_an_index(engine: &Engine, database: &Database, sent: &Sent, both: &[Filter<LoanField>]) {
    let request = PageRequest { size: 20, backward: false, cursor: None };
    let applied = [SortKey { field: LoanField::CreatedAt, descending: false }];
    sent.take();
    page::page::<_, LoanRecord>(database.reader(), &Scope::All, &Filter::All(both.to_vec()), &applied, &request)
        .await
        .unwrap();
    let plans = plans(engine, sent.take()).await;
    assert!(!plans.is_empty());
    for (sql, steps) in plans {
        let along = steps.iter().any(|step| step.contains("ix_loans_branch_id_status_created_at_id"));
        let more = steps
            .iter()
            .any(|step| step.starts_with("Sort") || step.contains("TEMP B-TREE") || step.starts_with("Filter"));
        assert!(along && !more, "{sql}\n{steps:#?}");
    }
}
