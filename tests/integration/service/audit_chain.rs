//! Sealing the audit trail and verifying it: whatever is changed, removed or cut off afterwards is found, and the first
//! broken row is named.

use std::sync::Arc;

use branch_loan_api::service::ServiceError;
use branch_loan_api::service::audit::AuditHead;
use branch_loan_api::service::verify::{Finding, FindingKind, Verification};
use branch_loan_api::store::StoreError;
use branch_loan_api::store::audit::seal;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::audit::events;
use crate::support::engines::Engine;
use crate::support::inputs::{branch_change, new_product};
use crate::support::services::{World, admin, admin_of, auditor_of};

both_engines!(
    what_is_sealed_is_linked_per_branch_and_holds,
    a_sealer_that_is_stopped_leaves_everything_as_it_was,
    sealers_at_once_seal_everything_once,
    what_was_tampered_with_is_found_and_named,
    rows_that_cannot_be_read_are_named_too,
    an_auditor_verifies_the_chains_of_their_branches,
);

async fn verify(world: &World) -> Verification {
    world.services.verify_books(&admin(), None).await.unwrap()
}

/// Two branches, of which the first has three events, and a product of the lender.
async fn trail(engine: Engine) -> (World, Uuid) {
    let world = World::new(engine).await;
    let nbo = world.branch("NBO", None).await;
    world.branch("HCM", None).await;
    for _ in 0..2 {
        world.services.update_branch(&admin(), &branch_change(nbo.id)).await.unwrap();
    }
    world.services.create_loan_product(&admin(), &new_product("P")).await.unwrap();
    (world, nbo.id)
}

async fn what_is_sealed_is_linked_per_branch_and_holds(engine: Engine) {
    let (world, _) = trail(engine).await;
    let before = verify(&world).await;
    assert!(before.is_clean(), "{:?}", before.findings);
    assert_eq!((before.audit.sealed, before.audit.unsealed, before.audit.heads.len()), (0, 5, 0));
    assert_eq!(world.services.seal_audit_trail().await.unwrap(), 5);
    assert_eq!(world.services.seal_audit_trail().await.unwrap(), 0);
    assert_eq!(world.services.count_unsealed().await.unwrap(), 0);
    let after = verify(&world).await;
    assert!(after.is_clean(), "{:?}", after.findings);
    assert_eq!((after.audit.sealed, after.audit.unsealed), (5, 0));
    let length = |head: &AuditHead| (head.branch.clone(), head.length);
    let mut lengths: Vec<_> = after.audit.heads.iter().map(length).collect();
    lengths.sort();
    assert_eq!(lengths, [(None, 1), (Some("HCM".to_owned()), 1), (Some("NBO".to_owned()), 3)]);
    // A chain goes on where it ended.
    world.branch("THIKA", None).await;
    let nbo = after.audit.heads.iter().find(|head| head.branch.as_deref() == Some("NBO"));
    world.services.seal_audit_trail_now().await.unwrap();
    let later = verify(&world).await;
    assert!(later.is_clean(), "{:?}", later.findings);
    assert_eq!(later.audit.heads.iter().find(|head| head.branch.as_deref() == Some("NBO")), nbo);
    assert_eq!(later.audit.heads.len(), 4);
}

async fn a_sealer_that_is_stopped_leaves_everything_as_it_was(engine: Engine) {
    let (world, _) = trail(engine).await;
    let stopped = world.database.write(|transaction| async move {
        assert_eq!(seal::seal(&*transaction, 3).await?, seal::Sealing::Sealed(3));
        Err::<(), _>(StoreError::Corrupt("the power went".to_owned()))
    });
    stopped.await.unwrap_err();
    assert_eq!(world.services.count_unsealed().await.unwrap(), 5);
    // Some of it, then the rest. PostgreSQL hears of a transaction that was dropped a moment later: until then the sealer
    // that was stopped is still at it.
    let some = async || {
        let some = world.database.write(|transaction| async move { seal::seal(&*transaction, 2).await });
        some.await.unwrap()
    };
    let mut sealing = some().await;
    while sealing == seal::Sealing::Busy {
        tokio::task::yield_now().await;
        sealing = some().await;
    }
    assert_eq!(sealing, seal::Sealing::Sealed(2));
    assert_eq!(verify(&world).await.audit.unsealed, 3);
    assert_eq!(world.services.seal_audit_trail().await.unwrap(), 3);
    assert!(verify(&world).await.is_clean());
}

async fn sealers_at_once_seal_everything_once(engine: Engine) {
    let (world, nbo) = trail(engine).await;
    let world = Arc::new(world);
    let other = Arc::new(World::over(Engine::at(world.engine.url.clone()), world.engine.connect().await));
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (world, other) = (Arc::clone(&world), Arc::clone(&other));
        tasks.push(tokio::spawn(async move {
            let mut sealed = 0;
            for _ in 0..5 {
                world.services.update_branch(&admin(), &branch_change(nbo)).await.unwrap();
                let sealer = if number % 2 == 0 { &world } else { &other };
                sealed += sealer.services.seal_audit_trail().await.unwrap();
            }
            sealed
        }));
    }
    let mut sealed = 0;
    for task in tasks {
        sealed += task.await.unwrap();
    }
    sealed += world.services.seal_audit_trail_now().await.unwrap();
    assert_eq!(sealed, 45);
    let found = verify(&world).await;
    assert!(found.is_clean(), "{:?}", found.findings);
    assert_eq!((found.audit.sealed, found.audit.unsealed), (45, 0));
}

/// SQL past the store, with the guards of the tables gone.
struct Tamper<'a>(&'a World);

impl Tamper<'_> {
    async fn unlock(&self) {
        for table in ["audit_events", "audit_links"] {
            if self.0.engine.is_postgres() {
                self.run(&format!("DROP TRIGGER {table}_append_only ON {table}")).await;
            } else {
                self.run(&format!("DROP TRIGGER {table}_no_update")).await;
                self.run(&format!("DROP TRIGGER {table}_no_delete")).await;
            }
        }
    }

    async fn run(&self, sql: &str) {
        let raw = self.0.engine.raw().await;
        raw.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        raw.close().await.unwrap();
    }

    fn id(&self, id: Uuid) -> String {
        if self.0.engine.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }

    /// 32 bytes, with another first one than a hash has by chance.
    fn hash(&self) -> String {
        let hex = "ab".repeat(32);
        if self.0.engine.is_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") }
    }
}

fn only(found: &Verification) -> &Finding {
    assert_eq!(found.findings.len(), 1, "{:#?}", found.findings);
    &found.findings[0]
}

async fn what_was_tampered_with_is_found_and_named(engine: Engine) {
    let (world, nbo) = trail(engine).await;
    world.services.seal_audit_trail().await.unwrap();
    let tamper = Tamper(&world);
    tamper.unlock().await;
    let own: Vec<Uuid> = events(&world).await.iter().filter(|e| e.branch_id == Some(nbo)).map(|e| e.id).collect();
    let [first, second, third] = own[..] else { panic!("{own:?}") };
    let audit = |id: Uuid| branch_loan_api::ids::NodeId { kind: branch_loan_api::ids::Kind::AuditEvent, uuid: id };
    let (chain, sql) = (tamper.id(nbo), |id: Uuid| tamper.id(id));

    // Every column of an event: changed, found, put back.
    let at = |change: &str| format!("UPDATE audit_events SET {change} WHERE id = {}", sql(second));
    let other = sql(Uuid::from_u128(5));
    let moment = if world.engine.is_postgres() {
        ("recorded_at = recorded_at + interval '1 millisecond'", "recorded_at = recorded_at - interval '1 millisecond'")
    } else {
        // A text of the same moment is not what was written either.
        ("recorded_at = replace(recorded_at, 'T', ' ')", "recorded_at = replace(recorded_at, ' ', 'T')")
    };
    let kind = "object_kind = 'branch'";
    let back_object = format!("object_id = {chain}");
    let object = format!("object_id = {other}");
    for (change, back) in [
        ("subject = 'admim'", "subject = 'admin'"),
        ("roles = 'OFFICER'", "roles = 'ADMIN'"),
        ("request_id = ''", "request_id = NULL"),
        ("operation = 'closeBranch'", "operation = 'updateBranch'"),
        ("outcome = 'REPLAYED'", "outcome = 'DONE'"),
        ("codes = 'X'", "codes = ''"),
        ("object_kind = 'loan'", kind),
        (&object, &back_object),
        ("details = replace(details, '2', '3')", "details = replace(details, '3', '2')"),
        moment,
    ] {
        tamper.run(&at(change)).await;
        let found = verify(&world).await;
        let finding = only(&found);
        assert_eq!(finding.kind, FindingKind::AuditChain, "{change}");
        assert_eq!(finding.subject, format!("NBO position 2 event {}", audit(second)), "{change}");
        tamper.run(&at(back)).await;
        assert!(verify(&world).await.is_clean(), "{back}");
    }

    // One link's hash: it is named, and not those that rest on it.
    let links = |change: &str, position: i64| {
        format!("UPDATE audit_links SET {change} WHERE chain = {chain} AND position = {position}")
    };
    tamper.run("CREATE TABLE kept_links AS SELECT * FROM audit_links").await;
    tamper.run("CREATE TABLE kept_events AS SELECT * FROM audit_events").await;
    let restore = async || {
        tamper.run("DELETE FROM audit_links").await;
        tamper.run("INSERT INTO audit_links SELECT * FROM kept_links").await;
        tamper.run("DELETE FROM audit_events").await;
        tamper.run("INSERT INTO audit_events SELECT * FROM kept_events").await;
        tamper.run("DELETE FROM audit_pending").await;
        assert!(verify(&world).await.is_clean());
    };
    tamper.run(&links(&format!("hash = {}", tamper.hash()), 1)).await;
    assert_eq!(only(&verify(&world).await).subject, format!("NBO position 1 event {}", audit(first)));
    restore().await;

    // An event is gone: the link knows which.
    tamper.run(&format!("DELETE FROM audit_events WHERE id = {}", sql(second))).await;
    let found = verify(&world).await;
    assert_eq!(only(&found).subject, format!("NBO position 2 event {}", audit(second)));
    assert_eq!(only(&found).actual, "none");
    restore().await;

    // A link is gone: the gap, and the event that no chain holds any more.
    tamper.run(&format!("DELETE FROM audit_links WHERE event_id = {}", sql(second))).await;
    let found = verify(&world).await;
    let told: Vec<(FindingKind, &str)> = found.findings.iter().map(|one| (one.kind, one.subject.as_str())).collect();
    let stray = format!("NBO event {}", audit(second));
    assert_eq!(told, [(FindingKind::AuditChain, "NBO position 2"), (FindingKind::AuditQueue, stray.as_str())]);
    restore().await;

    // The end was cut off, events and all.
    tamper.run(&format!("DELETE FROM audit_links WHERE event_id = {}", sql(third))).await;
    tamper.run(&format!("DELETE FROM audit_events WHERE id = {}", sql(third))).await;
    let found = verify(&world).await;
    assert_eq!((only(&found).kind, only(&found).subject.as_str()), (FindingKind::AuditHead, "NBO position 3"));
    restore().await;

    // The chain's end says something else.
    tamper.run("CREATE TABLE kept_chains AS SELECT * FROM audit_chains").await;
    tamper.run(&format!("UPDATE audit_chains SET head = {} WHERE chain = {chain}", tamper.hash())).await;
    let found = verify(&world).await;
    assert_eq!((only(&found).kind, only(&found).subject.as_str()), (FindingKind::AuditHead, "NBO end"));
    tamper.run(&format!("DELETE FROM audit_chains WHERE chain = {chain}")).await;
    assert_eq!(only(&verify(&world).await).kind, FindingKind::AuditHead);
    tamper.run("DELETE FROM audit_chains").await;
    tamper.run("INSERT INTO audit_chains SELECT * FROM kept_chains").await;
    restore().await;

    // The queue: a sealed event in it again, and one that there is not. Neither stops the sealer.
    for id in [second, Uuid::from_u128(9)] {
        tamper.run(&format!("INSERT INTO audit_pending (event_id, branch_id) VALUES ({}, {chain})", sql(id))).await;
    }
    world.services.update_branch(&admin(), &branch_change(nbo)).await.unwrap();
    assert_eq!(world.services.seal_audit_trail().await.unwrap(), 1);
    let found = verify(&world).await;
    let kinds: Vec<FindingKind> = found.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::AuditQueue, FindingKind::AuditQueue], "{:#?}", found.findings);
}

/// SQLite takes anything into any column; PostgreSQL cannot hold such a row.
async fn rows_that_cannot_be_read_are_named_too(engine: Engine) {
    if engine.is_postgres() {
        return;
    }
    let (world, nbo) = trail(engine).await;
    world.services.seal_audit_trail().await.unwrap();
    let tamper = Tamper(&world);
    tamper.unlock().await;
    let own: Vec<Uuid> = events(&world).await.iter().filter(|e| e.branch_id == Some(nbo)).map(|e| e.id).collect();
    for change in ["subject = x'ff'", "recorded_at = 'yesterday'", "branch_id = x'00'", "details = x'ff'"] {
        tamper.run(&format!("UPDATE audit_events SET {change} WHERE id = {}", tamper.id(own[1]))).await;
        let found = verify(&world).await;
        assert_eq!(only(&found).kind, FindingKind::AuditChain, "{change}");
        assert!(only(&found).subject.starts_with("NBO position 2 event audit_"), "{change}: {found:#?}");
    }
}

async fn an_auditor_verifies_the_chains_of_their_branches(engine: Engine) {
    let (world, nbo) = trail(engine).await;
    world.services.seal_audit_trail().await.unwrap();
    world.services.update_branch(&admin(), &branch_change(nbo)).await.unwrap();
    let found = world.services.verify_books(&auditor_of("HCM"), None).await.unwrap();
    let codes: Vec<Option<String>> = found.audit.heads.iter().map(|head| head.branch.clone()).collect();
    assert_eq!((codes, found.audit.sealed, found.audit.unsealed), (vec![Some("HCM".to_owned())], 1, 0));
    let tamper = Tamper(&world);
    tamper.unlock().await;
    tamper.run(&format!("UPDATE audit_events SET codes = 'X' WHERE branch_id = {}", tamper.id(nbo))).await;
    assert!(world.services.verify_books(&admin_of("HCM"), None).await.unwrap().is_clean());
    assert_eq!(only(&world.services.verify_books(&admin_of("NBO"), None).await.unwrap()).kind, FindingKind::AuditChain);
    let outcome = world.services.unsealed_audit_events(&admin_of("NBO")).await;
    assert_eq!(outcome.map_err(|error: ServiceError| format!("{error:?}")), Ok(1));
}
