//! How long reports take over 100,000 loans with 600,000 installments and 600,000 journal lines on PostgreSQL.
//! Not part of an ordinary run:
//! `cargo test --test integration report_speed -- --ignored --nocapture`.

use std::io::Write as _;
use std::time::Instant;

use branch_loan_api::service::list::{Filter, PageRequest};
use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loans::ApplyForLoan;
use branch_loan_api::service::portfolio::{GroupBy, Report};
use sea_orm::ConnectionTrait;

use crate::support::engines::{Engine, Schema};
use crate::support::inputs::{amount, application, approve};
use crate::support::services::{World, admin, day};

const COPIES: [&str; 5] = [
    "INSERT INTO loans SELECT (jsonb_populate_record(NULL::loans, to_jsonb(l) || jsonb_build_object('id', gen_random_uuid(), 'number', 'X-' || n,
        'oldest_unpaid_due_on', date '2026-01-15' - (n % 400) + 300, 'officer', 'officer-' || n % 200,
        'branch_id', (SELECT id FROM branches ORDER BY code LIMIT 1 OFFSET n % 50)))).*
     FROM (SELECT * FROM loans LIMIT 1) l, generate_series(1, 100000) n",
    "INSERT INTO loan_installments (loan_id, number, starts_on, due_on, due_principal_minor, due_interest_minor,
        due_fees_minor, due_penalties_minor, paid_principal_minor, paid_interest_minor, paid_fees_minor,
        paid_penalties_minor, waived_principal_minor, waived_interest_minor, waived_fees_minor, waived_penalties_minor,
        written_off_principal_minor, written_off_interest_minor, written_off_fees_minor, written_off_penalties_minor,
        paid_in_advance_minor, paid_late_minor, principal_balance_after_minor)
     SELECT id, k, oldest_unpaid_due_on + 30 * (k - 3) - 30, oldest_unpaid_due_on + 30 * (k - 3), 1000, 100, 0, 0,
        CASE WHEN k < 3 THEN 1000 ELSE 0 END, CASE WHEN k < 3 THEN 100 ELSE 0 END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
     FROM loans, generate_series(1, 6) k WHERE number LIKE 'X-%'",
    "INSERT INTO journal_entries SELECT (jsonb_populate_record(NULL::journal_entries, to_jsonb(e) || jsonb_build_object('id', gen_random_uuid(),
        'branch_id', (SELECT id FROM branches ORDER BY code LIMIT 1 OFFSET n % 50),
        'booked_on', date '2026-01-15' - n % 300))).*
     FROM (SELECT * FROM journal_entries LIMIT 1) e, generate_series(1, 300000) n",
    "INSERT INTO journal_lines SELECT e.id, k, e.branch_id, e.loan_id,
        CASE k WHEN 1 THEN 'LOANS_RECEIVABLE' ELSE 'CASH' END, e.currency,
        CASE k WHEN 1 THEN 1000 ELSE 0 END, CASE k WHEN 1 THEN 0 ELSE 1000 END
     FROM journal_entries e, generate_series(1, 2) k WHERE NOT EXISTS (SELECT 1 FROM journal_lines l WHERE l.entry_id = e.id)",
    "ANALYZE",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes, and a figure that depends on the machine"]
async fn report_speed() {
    let Some(engine) = Engine::postgres(Schema::Migrated).await else { return };
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    for number in 0..49 {
        world.branch(&format!("B{number:02}"), Some(&branch)).await;
    }
    let input = ApplyForLoan {
        principal: amount("6000.00", "KES"),
        installments: Some(6),
        applied_on: Some(day("2025-06-01")),
        ..application("one", &borrower, &product)
    };
    let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    let decision = Decide { on: Some(day("2025-06-01")), ..approve(loan.id) };
    world.services.decide(&admin(), &decision).await.unwrap();
    let disbursement = Record {
        idempotency_key: "one".to_owned(),
        loan: loan.id,
        on: Some(day("2025-06-01")),
        what: What::Disburse { amount: None },
        external_ref: None,
        expected_version: None,
    };
    world.services.record(&admin(), &disbursement).await.unwrap();
    let raw = world.engine.raw().await;
    raw.execute_unprepared("SET statement_timeout = 0").await.unwrap();
    for sql in COPIES {
        raw.execute_unprepared(sql).await.unwrap();
    }

    let (services, actor) = (&world.services, &admin());
    let say = |name: &str, since: Instant| {
        let _ = writeln!(std::io::stderr(), "{name}: {} ms", since.elapsed().as_millis());
    };
    for round in 0..2 {
        for group in [GroupBy::Nothing, GroupBy::Branch, GroupBy::Officer] {
            let report = Report::new(Filter::default(), None);
            let since = Instant::now();
            report.owed(services, actor, group).await.unwrap();
            say(&format!("{round} owed {group:?}, with zones and stale loans"), since);
            let since = Instant::now();
            report.late(services, actor, group).await.unwrap();
            say(&format!("{round} late {group:?}"), since);
            let since = Instant::now();
            report.aged(services, actor, group).await.unwrap();
            say(&format!("{round} aged {group:?}"), since);
            let since = Instant::now();
            report.flows(services, actor, group, (day("2025-12-01"), day("2025-12-31"))).await.unwrap();
            say(&format!("{round} flows {group:?}"), since);
        }
        let since = Instant::now();
        services.trial_balance(actor, Some(branch.id), None).await.unwrap();
        say("trial balance", since);
        let since = Instant::now();
        services.trial_balance(actor, Some(branch.id), Some(day("2025-12-31"))).await.unwrap();
        say("trial balance as of a day", since);
        let sheet = services.collection_sheet(actor, branch.id, day("2026-01-15"), None).await.unwrap().unwrap();
        let request = PageRequest { size: 100, backward: false, cursor: None };
        let since = Instant::now();
        services.collection_rows(actor, &sheet, &request).await.unwrap();
        say("a page of a collection sheet of everything", since);
        let since = Instant::now();
        services.collection_groups(actor, &sheet).await.unwrap();
        say("totals of a collection sheet of everything", since);
    }
}
