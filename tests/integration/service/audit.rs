//! Writing to the audit trail: with the change or not at all, refusals in a transaction of their own, and never anything
//! a caller typed.

use branch_loan_api::auth::BranchGrant;
use branch_loan_api::auth::Role;
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::audit::{AuditEventRecord, AuditOutcome};
use branch_loan_api::service::borrowers::RegisterBorrower;
use branch_loan_api::service::branches::{BranchKey, UpdateBranch};
use branch_loan_api::service::list::{Filter, PageRequest};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{application, approve, branch_change, new_borrower, new_branch};
use crate::support::services::{World, actor, admin, auditor_of, manager_of, officer_of};

both_engines!(
    a_change_and_its_event_are_written_together_or_not_at_all,
    a_change_that_is_rolled_back_leaves_only_its_refusal,
    what_is_refused_is_on_the_trail_of_what_it_was_about,
    a_refusal_that_cannot_be_recorded_is_still_a_refusal,
    nothing_personal_and_nothing_typed_gets_on_the_trail,
    events_are_never_changed_nor_taken_away,
);

pub async fn events(world: &World) -> Vec<AuditEventRecord> {
    let request = PageRequest { size: 1_000, backward: false, cursor: None };
    let page = world.services.audit_events(&admin(), &Filter::default(), &[], &request).await.unwrap();
    page.rows.into_iter().map(|(_, event)| event).collect()
}

fn told(events: &[AuditEventRecord]) -> Vec<(&str, AuditOutcome, String)> {
    events.iter().map(|event| (event.operation.as_str(), event.outcome, event.codes.join(","))).collect()
}

async fn a_change_and_its_event_are_written_together_or_not_at_all(engine: Engine) {
    let world = World::new(engine).await;
    let nbo = world.branch("NBO", None).await;
    let raw = world.engine.raw().await;
    // Events cannot be written any more: the queue they go to is gone.
    raw.execute_unprepared("DROP TABLE audit_pending").await.unwrap();
    let change = UpdateBranch { name: Some("Changed".to_owned()), ..branch_change(nbo.id) };
    let outcome = world.services.update_branch(&admin(), &change).await;
    assert!(matches!(outcome, Err(ServiceError::Internal(_))), "{outcome:?}");
    let outcome = world.services.create_branch(&admin(), &new_branch("THIKA")).await;
    assert!(matches!(outcome, Err(ServiceError::Internal(_))), "{outcome:?}");
    let found = world.services.branch(&admin(), &BranchKey::Id(nbo.id)).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.version), (nbo.name.as_str(), 1));
    let thika = BranchKey::Code("THIKA".to_owned());
    assert_eq!(world.services.branch(&admin(), &thika).await.unwrap(), None);
    assert_eq!(events(&world).await.len(), 1);
}

async fn a_change_that_is_rolled_back_leaves_only_its_refusal(engine: Engine) {
    let world = World::new(engine).await;
    world.services.create_branch(&admin(), &new_branch("NBO")).await.unwrap();
    world.services.create_branch(&admin(), &new_branch("NBO")).await.unwrap_err();
    let events = events(&world).await;
    assert_eq!(
        told(&events),
        [
            ("createBranch", AuditOutcome::Done, String::new()),
            ("createBranch", AuditOutcome::Refused, "ALREADY_TAKEN".to_owned()),
        ]
    );
}

async fn what_is_refused_is_on_the_trail_of_what_it_was_about(engine: Engine) {
    let world = World::new(engine).await;
    let (nbo, borrower, product) = world.parties().await;
    let other = world.branch("HCM", None).await;
    let loan = world.loan("a", &borrower, &product).await;
    let before = events(&world).await.len();
    // A role that may not; a branch that is not theirs; a loan nobody has; an input that cannot be.
    world.services.decide(&officer_of(&nbo.code), &approve(loan.id)).await.unwrap_err();
    world.services.decide(&manager_of("HCM"), &approve(loan.id)).await.unwrap_err();
    world.services.decide(&manager_of("HCM"), &approve(Uuid::from_u128(7))).await.unwrap_err();
    let mut blank = new_borrower(&nbo);
    blank.name = " ".to_owned();
    world.services.register_borrower(&officer_of(&nbo.code), &blank).await.unwrap_err();
    let all = events(&world).await;
    let refused = &all[before..];
    assert_eq!(
        told(refused),
        [
            ("approveLoan", AuditOutcome::Forbidden, "FORBIDDEN".to_owned()),
            ("approveLoan", AuditOutcome::Refused, "NOT_FOUND".to_owned()),
            ("approveLoan", AuditOutcome::Refused, "NOT_FOUND".to_owned()),
            ("registerBorrower", AuditOutcome::Refused, "REQUIRED".to_owned()),
        ]
    );
    let branches: Vec<Option<Uuid>> = refused.iter().map(|event| event.branch_id).collect();
    assert_eq!(branches, [Some(nbo.id), Some(nbo.id), None, Some(nbo.id)]);
    let objects: Vec<Uuid> = refused.iter().map(|event| event.object.as_ref().unwrap().id).collect();
    assert_eq!(objects, [loan.id, loan.id, Uuid::from_u128(7), nbo.id]);
    assert_eq!(refused[0].details, "{\"action\":\"ApproveLoan\"}");
    // The auditor of the branch sees who tried; that of the other branch does not.
    let request = PageRequest { size: 100, backward: false, cursor: None };
    let seen = |code: String| {
        let (world, request) = (&world, &request);
        async move {
            let auditor = auditor_of(&code);
            let page = world.services.audit_events(&auditor, &Filter::default(), &[], request).await.unwrap();
            page.rows.into_iter().map(|(_, event)| event.subject).collect::<Vec<_>>()
        }
    };
    assert!(seen(nbo.code.clone()).await.contains(&"manager-HCM".to_owned()));
    assert_eq!(seen(other.code.clone()).await, ["admin"]);
    let outcome = world.services.audit_events(&officer_of(&nbo.code), &Filter::default(), &[], &request).await;
    assert!(matches!(outcome, Err(ServiceError::Forbidden(_))));
}

async fn a_refusal_that_cannot_be_recorded_is_still_a_refusal(engine: Engine) {
    let world = World::new(engine).await;
    let raw = world.engine.raw().await;
    raw.execute_unprepared("DROP TABLE audit_pending").await.unwrap();
    let outcome = world.services.update_branch(&admin(), &branch_change(Uuid::from_u128(1))).await;
    assert!(matches!(outcome, Err(ServiceError::Rejected(_))), "{outcome:?}");
    let outcome = world.services.update_branch(&officer_of("NBO"), &branch_change(Uuid::from_u128(1))).await;
    assert!(matches!(outcome, Err(ServiceError::Forbidden(_))), "{outcome:?}");
}

async fn nothing_personal_and_nothing_typed_gets_on_the_trail(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let secret = "Sekret";
    let typed = |text: &str| format!("{secret} {text}");
    let registration = RegisterBorrower {
        name: typed("name"),
        external_ref: Some(typed("reference")),
        phone: Some("+254 799 123 456".to_owned()),
        national_id: Some(typed("id")),
        ..new_borrower(&branch)
    };
    world.services.register_borrower(&admin(), &registration).await.unwrap();
    // The same again is a possible duplicate, whose message and matches name the other.
    world.services.register_borrower(&admin(), &registration).await.unwrap_err();
    let mut apply = application(secret, &borrower, &product);
    apply.external_ref = Some(typed("loan"));
    apply.officer = Some(typed("officer"));
    world.services.apply_for_loan(&admin(), &apply).await.unwrap();
    apply.principal.amount = typed("amount");
    world.services.apply_for_loan(&admin(), &apply).await.unwrap_err();
    for event in events(&world).await {
        let text = format!("{event:?}");
        // The number as a whole: three of its digits also stand in ids now and then.
        for told in [secret, "799 123 456", "799123456"] {
            assert!(!text.contains(told), "{told}: {text}");
        }
    }
}

async fn events_are_never_changed_nor_taken_away(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    world.services.seal_audit_trail().await.unwrap();
    let raw = world.engine.raw().await;
    for statement in [
        "UPDATE audit_events SET subject = 'someone else'",
        "DELETE FROM audit_events",
        "UPDATE audit_links SET position = 9",
        "DELETE FROM audit_links",
    ] {
        let refused = raw.execute_unprepared(statement).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
    }
    let nobody = actor("nobody", &[Role::Auditor], BranchGrant::Codes(Vec::new()));
    assert_eq!(world.services.unsealed_audit_events(&nobody).await.unwrap(), 0);
}
