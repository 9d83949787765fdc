//! How many SQL statements a use case sends: a constant, whatever the number of rows.

use branch_loan_api::service::list::{Filter, PageRequest, SortKey};
use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loans::LoanField;
use branch_loan_api::service::portfolio::{GroupBy, Report};
use lending::loan::PaymentKind;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::fill;
use crate::support::inputs::{amount, application, approve};
use crate::support::random::Dice;
use crate::support::services::{World, admin, day, officer_of};

both_engines!(
    reading_takes_one_statement_whatever_the_number_of_rows,
    nothing_is_asked_for_nothing,
    a_write_takes_a_handful,
);

async fn reading_takes_one_statement_whatever_the_number_of_rows(engine: Engine) {
    let world = World::new(engine).await;
    let filled = fill(&world.database, &mut Dice::new(), 300).await;
    let order = [SortKey { field: LoanField::CreatedAt, descending: true }];
    let all = Filter::default();
    for actor in [admin(), officer_of("EAST")] {
        for size in [1, 10, 100] {
            let request = PageRequest { size, backward: false, cursor: None };
            world.statements.take();
            let page = world.services.loans(&actor, &all, &order, &request).await.unwrap();
            assert_eq!(world.statements.take().len(), 1, "a page of {size}");

            let loans: Vec<_> = page.rows.into_iter().map(|(_, loan)| loan).collect();
            let ids = |id: fn(&_) -> Uuid| loans.iter().map(id).collect::<Vec<Uuid>>();
            world.services.branches_by_id(&actor, &ids(|loan| loan.branch_id)).await.unwrap();
            world.services.borrowers_by_id(&actor, &ids(|loan| loan.borrower_id)).await.unwrap();
            world.services.loan_products_by_id(&actor, &ids(|loan| loan.product_id)).await.unwrap();
            world.services.loans_by_id(&actor, &ids(|loan| loan.id)).await.unwrap();
            assert_eq!(world.statements.take().len(), 4, "what hangs on a page of {size}");
        }
        world.services.count_loans(&actor, &all).await.unwrap();
        assert_eq!(world.statements.take().len(), 1, "a count");
        let (services, report) = (&world.services, Report::new(all.clone(), None));
        for group in GroupBy::ALL {
            report.counted(services, &actor, group).await.unwrap();
        }
        assert_eq!(world.statements.take().len(), 5, "one for each kind of group");
        for again in [false, true] {
            report.owed(services, &actor, GroupBy::Branch).await.unwrap();
            report.late(services, &actor, GroupBy::Branch).await.unwrap();
            report.aged(services, &actor, GroupBy::Branch).await.unwrap();
            report.rescheduled(services, &actor, GroupBy::Branch).await.unwrap();
            let period = (day("2025-01-01"), day("2025-12-31"));
            report.flows(services, &actor, GroupBy::Branch, period).await.unwrap();
            // The time zones, a look for what is stale, one for each figure, and two for what happened.
            let expected = if again { 0 } else { 8 };
            assert_eq!(world.statements.take().len(), expected, "asked again: {again}");
        }
    }
    assert_eq!(filled.loans.len(), 300);
}

async fn nothing_is_asked_for_nothing(engine: Engine) {
    let world = World::new(engine).await;
    world.services.loans_by_id(&admin(), &[]).await.unwrap();
    world.services.branches_by_id(&admin(), &[]).await.unwrap();
    world.services.borrowers_by_id(&admin(), &[]).await.unwrap();
    world.services.loan_products_by_id(&admin(), &[]).await.unwrap();
    assert_eq!(world.statements.take(), Vec::<String>::new());
}

async fn a_write_takes_a_handful(engine: Engine) {
    let world = World::new(engine).await;
    let of = |postgres: usize, sqlite: usize| if world.engine.is_postgres() { postgres } else { sqlite };
    let (_, borrower, product) = world.parties().await;
    world.statements.take();
    let loan = world.loan("k", &borrower, &product).await;
    let sent = world.statements.take();
    // The key, three parties, the borrower's lock, a number; the loan, the event.
    assert_eq!(sent.len(), of(2, 8), "{sent:#?}");
    world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await.unwrap();
    let sent = world.statements.take();
    assert_eq!(sent.len(), 4, "the key, the earlier claim, the loan, the audit event: {sent:#?}");
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
    let sent = world.statements.take();
    assert_eq!(sent.len(), 4, "the loan, its branch, the change, the audit event: {sent:#?}");
    let record = |what, key: &str| Record {
        idempotency_key: key.to_owned(),
        loan: loan.id,
        on: None,
        what,
        external_ref: None,
        expected_version: None,
    };
    world.services.record(&admin(), &record(What::Disburse { amount: None }, "d")).await.unwrap();
    world.statements.take();
    let repayment = What::Pay { amount: amount("10.00", "KES"), kind: PaymentKind::Repayment };
    world.services.record(&admin(), &record(repayment, "r")).await.unwrap();
    let sent = world.statements.take();
    // The key, the loan; its branch with its transactions, its installments; two entries with their lines, the
    // transaction, what it did, an installment, the loan, the event.
    assert_eq!(sent.len(), of(4, 11), "{sent:#?}");
}
