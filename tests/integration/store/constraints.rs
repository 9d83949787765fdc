//! Constraints back the code: what the use cases would refuse, the database refuses too.

use sea_orm::{ConnectionTrait, Statement};

use crate::support::engines::Engine;
use crate::support::inputs::approve;
use crate::support::services::{World, admin};

both_engines!(rows_that_make_no_sense_are_refused, references_must_exist, what_is_unique_stays_unique);

/// A branch with a child, a borrower, a product, an approved loan and a pending one, and two groups.
async fn world(engine: Engine) -> World {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    world.branch("CHILD", Some(&branch)).await;
    let other = world.borrower(&branch).await;
    world.group(&branch, &[&borrower]).await;
    world.group(&branch, &[&other]).await;
    world.product("P2").await;
    let approved = world.loan("a", &borrower, &product).await;
    world.loan("b", &borrower, &product).await;
    world.services.decide(&admin(), &approve(approved.id)).await.unwrap();
    world
}

async fn assert_refused(world: &World, sql: &str) {
    let raw = world.engine.raw().await;
    let outcome = raw.execute_raw(Statement::from_string(world.engine.backend, sql)).await;
    let error = outcome.expect_err(sql).to_string().to_lowercase();
    assert!(error.contains("constraint") || error.contains("violates"), "{sql}: {error}");
}

async fn rows_that_make_no_sense_are_refused(engine: Engine) {
    let world = world(engine).await;
    for sql in [
        "UPDATE branches SET status = 'AJAR'",
        "UPDATE branches SET currency = 'KESH'",
        "UPDATE branches SET code = ''",
        "UPDATE branches SET parent_id = id",
        "UPDATE borrowers SET name = ''",
        "UPDATE borrowers SET erased_at = created_at",
        "UPDATE loan_products SET status = 'SOON'",
        "UPDATE loan_products SET repayment_unit = 'YEAR'",
        "UPDATE loan_products SET principal_min_minor = 0",
        "UPDATE loan_products SET principal_max_minor = 0",
        "UPDATE loan_products SET annual_rate_min_ppm = -1",
        "UPDATE loan_products SET installments_min = 0",
        "UPDATE loan_products SET repayment_every = 0",
        "UPDATE loan_products SET conditions = NULL",
        "UPDATE loans SET status = 'LOST'",
        "UPDATE loans SET currency = 'K'",
        "UPDATE loans SET principal_minor = 0 WHERE status = 'PENDING'",
        "UPDATE loans SET annual_rate_ppm = -1",
        "UPDATE loans SET installments = 0",
        "UPDATE loans SET repayment_every = 0",
        "UPDATE loans SET conditions = NULL",
        "UPDATE loans SET approved_minor = principal_minor + 1 WHERE status = 'APPROVED'",
        "UPDATE loans SET approved_minor = 0 WHERE status = 'APPROVED'",
        "UPDATE loans SET status = 'APPROVED' WHERE status = 'PENDING'",
        "UPDATE loans SET status = 'REJECTED' WHERE status = 'PENDING'",
        "UPDATE loans SET status = 'WITHDRAWN'",
        "UPDATE loans SET status = 'DISBURSED' WHERE status = 'APPROVED'",
        "UPDATE loans SET disbursed_minor = approved_minor + 1 WHERE status = 'APPROVED'",
        "UPDATE loans SET status = 'REPAID', disbursed_on = approved_on WHERE status = 'APPROVED'",
        "UPDATE idempotency_keys SET key = ''",
        "UPDATE borrower_groups SET name = ''",
        "UPDATE borrower_groups SET status = 'ASLEEP'",
        "UPDATE borrower_groups SET status = 'CLOSED'",
        "UPDATE borrower_groups SET closed_on = '2026-01-15'",
        "UPDATE borrower_groups SET meeting_weekday = 'SOMEDAY'",
        "UPDATE group_members SET role = 'KING'",
        "UPDATE group_members SET left_on = '2025-01-01'",
    ] {
        assert_refused(&world, sql).await;
    }
}

async fn references_must_exist(engine: Engine) {
    let world = world(engine).await;
    for sql in [
        "UPDATE branches SET parent_id = (SELECT id FROM loans LIMIT 1) WHERE code = 'CHILD'",
        "UPDATE borrowers SET branch_id = (SELECT id FROM loans LIMIT 1)",
        "UPDATE loans SET branch_id = id",
        "UPDATE loans SET borrower_id = id",
        "UPDATE loans SET product_id = id",
        "UPDATE loans SET group_id = id",
        "UPDATE borrower_groups SET branch_id = id",
        "UPDATE group_members SET group_id = id",
        "UPDATE group_members SET borrower_id = id",
        // A membership is of its group's branch.
        "UPDATE group_members SET branch_id = (SELECT id FROM branches WHERE code = 'CHILD')",
        "UPDATE borrower_groups SET branch_id = (SELECT id FROM branches WHERE code = 'CHILD')",
        "DELETE FROM borrower_groups",
        "DELETE FROM branches WHERE code = 'NBO'",
        "DELETE FROM borrowers",
        "DELETE FROM loan_products",
    ] {
        assert_refused(&world, sql).await;
    }
}

async fn what_is_unique_stays_unique(engine: Engine) {
    let world = world(engine).await;
    for sql in [
        "UPDATE branches SET code = 'SAME'",
        "UPDATE borrowers SET number = 'SAME'",
        "UPDATE borrowers SET external_ref = 'SAME'",
        "UPDATE loan_products SET code = 'SAME'",
        "UPDATE loans SET number = 'SAME'",
        "UPDATE loans SET external_ref = 'SAME'",
        "UPDATE idempotency_keys SET key = 'SAME'",
        "UPDATE borrower_groups SET number = 'SAME'",
        "UPDATE borrower_groups SET external_ref = 'SAME'",
        // One group of a branch at a time.
        "UPDATE group_members SET borrower_id = (SELECT id FROM borrowers ORDER BY id LIMIT 1)",
    ] {
        assert_refused(&world, sql).await;
    }
}
