//! Changes that are wanted at the same time go together on PostgreSQL, and nobody can tell but by the number of statements:
//! each is carried out once, or refused by itself, whoever it was together with.

use std::collections::BTreeSet;
use std::time::Duration;

use branch_loan_api::auth::Actor;
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::audit::AuditOutcome;
use branch_loan_api::service::list::{Filter, PageRequest};
use branch_loan_api::service::loan_books::{Record, Recorded, What};
use branch_loan_api::service::loans::{ApplyForLoan, LoanKey, LoanRecord};
use branch_loan_api::service::problem::ProblemCode;
use futures_util::future::join_all;
use lending::loan::{ChargeKind, PaymentKind};
use sea_orm::ConnectionTrait;
use tokio::time::timeout;
use uuid::Uuid;

use super::desk::Desk;
use crate::support::engines::Engine;
use crate::support::inputs::{amount, application};
use crate::support::seams::cut_off;
use crate::support::services::{World, admin, officer_of, problem, refusal};

both_engines!(
    payments_at_the_same_time_are_each_recorded_once,
    who_is_refused_is_refused_alone,
    payments_of_one_loan_at_the_same_time_all_count,
    a_key_that_is_sent_many_times_at_once_is_used_once,
    applications_at_the_same_time_each_make_a_loan,
    whoever_leaves_in_the_middle_leaves_the_others_theirs,
    changes_of_every_kind_go_together,
);

postgres_only!(
    many_go_in_few_statements,
    a_loan_that_is_locked_holds_up_nobody_else,
    a_key_in_flight_holds_up_nobody_else,
    what_fails_for_one_is_carried_out_for_the_others,
    callers_of_different_branches_do_not_go_together,
);

fn payment(key: &str, loan: Uuid, value: &str) -> Record {
    Record {
        idempotency_key: key.to_owned(),
        loan,
        on: None,
        what: What::Pay { amount: amount(value, "KES"), kind: PaymentKind::Repayment },
        external_ref: None,
        expected_version: None,
    }
}

/// Everything at once, in one task: whoever comes first lets the others come too.
async fn record_all(desk: &Desk, inputs: &[Record]) -> Vec<Result<Recorded, ServiceError>> {
    let actor = admin();
    join_all(inputs.iter().map(|input| desk.world.services.record(&actor, input))).await
}

fn a_payment_each(desk: &Desk) -> Vec<Record> {
    let numbered = desk.loans.iter().enumerate();
    numbered.map(|(number, loan)| payment(&format!("pay-{number}"), loan.id, &format!("{}.07", 100 + number))).collect()
}

/// How many events of an operation ended like this.
async fn events(desk: &Desk, operation: &str, outcome: AuditOutcome) -> usize {
    let request = PageRequest { size: 500, backward: false, cursor: None };
    let page = desk.world.services.audit_events(&admin(), &Filter::default(), &[], &request).await.unwrap();
    page.rows.iter().filter(|(_, event)| event.operation == operation && event.outcome == outcome).count()
}

async fn payments_at_the_same_time_are_each_recorded_once(engine: Engine) {
    let desk = Desk::running(engine, 3).await;
    let mut before = Vec::new();
    for loan in &desk.loans {
        before.push(desk.loan(loan.id).await);
    }
    let inputs = a_payment_each(&desk);
    let outcomes = record_all(&desk, &inputs).await;
    let mut transactions = BTreeSet::new();
    for ((outcome, input), before) in outcomes.into_iter().zip(&inputs).zip(&before) {
        let recorded = outcome.unwrap();
        let What::Pay { amount, .. } = &input.what else { unreachable!() };
        assert_eq!((recorded.loan.id, recorded.replayed), (input.loan, false));
        assert_eq!(recorded.amount.unwrap().to_string(), format!("{} KES", amount.amount));
        assert_eq!(recorded.loan.version, before.version + 1);
        assert_eq!(recorded.loan, desk.loan(input.loan).await);
        let view = recorded.view.unwrap();
        assert_eq!(view.history.last().unwrap().id, recorded.transaction);
        assert!(transactions.insert(recorded.transaction));
    }
    assert_eq!(events(&desk, "recordRepayment", AuditOutcome::Done).await, inputs.len());
    desk.assert_clean("after payments at the same time").await;
    for (outcome, first) in record_all(&desk, &inputs).await.into_iter().zip(&inputs) {
        let again = outcome.unwrap();
        assert!(again.replayed && transactions.contains(&again.transaction), "{}", first.idempotency_key);
    }
    assert_eq!(events(&desk, "recordRepayment", AuditOutcome::Replayed).await, inputs.len());
}

async fn who_is_refused_is_refused_alone(engine: Engine) {
    let desk = Desk::running(engine, 3).await;
    let mut inputs = a_payment_each(&desk);
    let own = inputs.len();
    record_all(&desk, &inputs[..1]).await.remove(0).unwrap();
    let What::Pay { amount: dollars, .. } = &mut inputs[3].what else { unreachable!() };
    *dollars = amount("5.00", "USD");
    inputs[4].expected_version = Some(77);
    inputs[5].on = Some("2031-01-01".parse().unwrap());
    inputs.push(payment("unknown", Uuid::from_u128(7), "5.00"));
    inputs.push(payment("pay-2", inputs[2].loan, "9.99"));
    let expected = [
        (3, problem(ProblemCode::CurrencyMismatch, "input.amount.currency")),
        (4, problem(ProblemCode::VersionConflict, "input.expectedVersion")),
        (5, problem(ProblemCode::DateOutOfRange, "input.on")),
        (own, problem(ProblemCode::NotFound, "input.loanId")),
        (own + 1, problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey")),
    ];
    let refused: BTreeSet<usize> = expected.iter().map(|(number, _)| *number).collect();
    for (number, outcome) in record_all(&desk, &inputs).await.into_iter().enumerate() {
        match expected.iter().find(|(refused, _)| *refused == number) {
            Some((_, problem)) => assert_eq!(&refusal(outcome), problem),
            None => assert_eq!(outcome.unwrap().replayed, number == 0),
        }
    }
    assert_eq!(events(&desk, "recordRepayment", AuditOutcome::Refused).await, refused.len());
    assert_eq!(events(&desk, "recordRepayment", AuditOutcome::Done).await, own - 3);
    // A key whose use came to nothing is free.
    let mended: Vec<Record> =
        [3, 4, 5].map(|number| payment(&format!("pay-{number}"), inputs[number].loan, "5.00")).into();
    for outcome in record_all(&desk, &mended).await {
        assert!(!outcome.unwrap().replayed);
    }
    desk.assert_clean("after refusals among payments").await;
}

async fn changes_of_every_kind_go_together(engine: Engine) {
    let desk = Desk::running(engine, 3).await;
    let undone = desk.pay(desk.loans[0].id, "250.00").await.transaction;
    let charge = What::Charge { amount: amount("30.00", "KES"), kind: ChargeKind::Fee, due_on: None };
    let waived = desk.record(desk.loans[1].id, charge.clone()).await.transaction;
    let longer = What::Reschedule { from: None, first_due_on: None, annual_rate: None, extra_installments: Some(2) };
    let goodwill = What::Pay { amount: amount("12.34", "KES"), kind: PaymentKind::GoodwillCredit };
    let more_than_all = What::Pay { amount: amount("99999.99", "KES"), kind: PaymentKind::Repayment };
    let reason = Some("\"Bounced\", \\ she said. Über 2 €".to_owned());
    let kinds = [
        What::Reverse { transaction: undone, reason },
        What::WaiveCharge { charge: waived, amount: None },
        charge,
        What::WaiveInterest { amount: Some(amount("1.00", "KES")) },
        longer,
        goodwill,
        more_than_all,
        What::ChargeOff,
        What::WriteOff,
        What::UndoDisbursement { reason: None },
    ];
    let record =
        |(loan, what): (&LoanRecord, &What)| Record { what: what.clone(), ..payment(&loan.number, loan.id, "1.00") };
    let inputs: Vec<Record> = desk.loans.iter().zip(&kinds).map(record).collect();
    let mut before = Vec::new();
    for input in &inputs {
        before.push(desk.loan(input.loan).await.version);
    }
    desk.world.statements.reset();
    let outcomes = record_all(&desk, &inputs).await;
    if desk.world.engine.is_postgres() {
        let texts = desk.world.statements.take();
        let alone = texts.iter().filter(|text| text.starts_with("WITH \"claimed\"")).count();
        assert_eq!(alone, 0, "{texts:#?}");
    }
    for ((outcome, input), before) in outcomes.into_iter().zip(&inputs).zip(before) {
        let recorded = outcome.unwrap_or_else(|error| panic!("{:?}: {error:?}", input.what));
        assert_eq!((recorded.loan.version, recorded.replayed), (before + 1, false), "{:?}", input.what);
        let read = desk.world.services.loan_view(&admin(), &LoanKey::Id(input.loan), None, None).await.unwrap();
        assert_eq!(recorded.view.as_deref(), read.as_ref(), "{:?}", input.what);
    }
    desk.assert_clean("after changes of every kind").await;
}

async fn payments_of_one_loan_at_the_same_time_all_count(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let loan = desk.loan(desk.loans[0].id).await;
    let inputs: Vec<Record> = (0..6).map(|number| payment(&format!("k{number}"), loan.id, "10.00")).collect();
    let versions: BTreeSet<i64> =
        record_all(&desk, &inputs).await.into_iter().map(|outcome| outcome.unwrap().loan.version).collect();
    assert_eq!(versions, (loan.version + 1..=loan.version + 6).collect());
    desk.assert_clean("after six payments of one loan").await;
}

async fn a_key_that_is_sent_many_times_at_once_is_used_once(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let mut inputs = a_payment_each(&desk);
    let (loan, others) = (inputs[0].loan, inputs.len() - 1);
    inputs.extend(vec![inputs[0].clone(); 5]);
    let recorded: Vec<Recorded> = record_all(&desk, &inputs).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(recorded.iter().filter(|recorded| !recorded.replayed).count(), others + 1);
    let of_key: Vec<&Recorded> = recorded.iter().filter(|recorded| recorded.loan.id == loan).collect();
    assert_eq!(of_key.len(), 6);
    assert!(of_key.iter().all(|recorded| recorded.transaction == of_key[0].transaction));
    desk.assert_clean("after one key many times").await;
}

async fn applications_at_the_same_time_each_make_a_loan(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let mut inputs: Vec<ApplyForLoan> =
        (0..10).map(|number| application(&format!("k{number}"), &borrower, &product)).collect();
    inputs[2].principal = amount("60000", "KES");
    inputs[5].product = Uuid::from_u128(5);
    inputs.push(inputs[0].clone());
    world.statements.reset();
    let actor = admin();
    let outcomes = join_all(inputs.iter().map(|input| world.services.apply_for_loan(&actor, input))).await;
    if world.engine.is_postgres() {
        let began = world.statements.texts().iter().filter(|text| text.contains("INSERT INTO loans ")).count();
        assert!(began < 5, "{:#?}", world.statements.texts());
    }
    let (mut loans, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match number {
            2 => assert_eq!(refusal(outcome), problem(ProblemCode::AmountOutOfRange, "input.principal.amount")),
            5 => assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.productId")),
            _ => {
                let applied = outcome.unwrap();
                loans.insert(applied.loan.id);
                numbers.insert(applied.loan.number);
            }
        }
    }
    assert_eq!((loans.len(), numbers.len()), (8, 8), "the same key twice is one loan");
    assert_eq!(world.services.count_loans(&admin(), &Filter::default()).await.unwrap(), 8);
}

/// The first one carries out all, and is cut off at every point of it.
async fn whoever_leaves_in_the_middle_leaves_the_others_theirs(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let (actor, services) = (admin(), &desk.world.services);
    let mut cut = 0;
    for polls in 1..POLLS {
        let named = |loan: &LoanRecord| payment(&format!("{polls}-{}", loan.number), loan.id, "1.00");
        let inputs: Vec<Record> = desk.loans.iter().map(named).collect();
        let mut before = Vec::new();
        for input in &inputs {
            before.push(desk.loan(input.loan).await.version);
        }
        let others = join_all(inputs[1..].iter().map(|input| services.record(&actor, input)));
        let (first, others) = tokio::join!(cut_off(services.record(&actor, &inputs[0]), polls), others);
        cut += usize::from(first.is_none());
        for outcome in others {
            outcome.unwrap();
        }
        // The first one is told by a repetition whether it was carried out.
        services.record(&actor, &inputs[0]).await.unwrap();
        for (input, before) in inputs.iter().zip(before) {
            assert_eq!(desk.loan(input.loan).await.version, before + 1, "cut off at {polls}");
        }
    }
    assert!(cut > 0, "it was never cut off");
    desk.assert_clean("after being left in the middle").await;
}

/// More polls than a change takes.
const POLLS: u32 = 40;

async fn many_go_in_few_statements(engine: Engine) {
    let desk = Desk::running(engine, 4).await;
    let inputs = a_payment_each(&desk);
    desk.world.statements.reset();
    for outcome in record_all(&desk, &inputs).await {
        outcome.unwrap();
    }
    let texts = desk.world.statements.take();
    let locks = texts.iter().filter(|text| text.contains("SKIP LOCKED")).count();
    let writes = texts.iter().filter(|text| text.contains("json_populate_recordset")).count();
    assert_eq!((locks, writes), (1, 1), "{texts:#?}");
    assert!(texts.len() < inputs.len(), "{} statements for {} payments", texts.len(), inputs.len());
}

async fn a_loan_that_is_locked_holds_up_nobody_else(engine: Engine) {
    let desk = Desk::running(engine, 2).await;
    let inputs = a_payment_each(&desk);
    let lock = format!("SELECT FROM loans WHERE id = '{}' FOR UPDATE", inputs[0].loan);
    the_first_alone_waits(&desk, &inputs, &lock).await;
}

async fn a_key_in_flight_holds_up_nobody_else(engine: Engine) {
    let desk = Desk::running(engine, 2).await;
    let claim = "INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at)
                 VALUES ('admin', 'recordRepayment', 'pay-0', '\\x00', 'nothing', now())";
    the_first_alone_waits(&desk, &a_payment_each(&desk), claim).await;
}

/// While somebody else has done something and goes back on it later.
async fn the_first_alone_waits(desk: &Desk, inputs: &[Record], done: &str) {
    let raw = desk.world.engine.raw().await;
    raw.execute_unprepared(&format!("BEGIN; {done}")).await.unwrap();
    let actor = admin();
    let mut first = std::pin::pin!(desk.world.services.record(&actor, &inputs[0]));
    let others = join_all(inputs[1..].iter().map(|input| desk.world.services.record(&actor, input)));
    tokio::select! {
        outcome = &mut first => panic!("it did not wait: {outcome:?}"),
        others = timeout(PATIENCE, others) => for outcome in others.unwrap() {
            outcome.unwrap();
        },
    }
    raw.execute_unprepared("ROLLBACK").await.unwrap();
    assert!(!timeout(PATIENCE, first).await.unwrap().unwrap().replayed);
    raw.close().await.unwrap();
    desk.assert_clean("after somebody else was in the way").await;
}

/// Longer than anything takes that waits for nobody, and less than a lock or a statement may take.
const PATIENCE: Duration = Duration::from_secs(30);

async fn what_fails_for_one_is_carried_out_for_the_others(engine: Engine) {
    let desk = Desk::running(engine, 2).await;
    let inputs = a_payment_each(&desk);
    let refuse = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.loan_id = '{}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON loan_transactions FOR EACH ROW EXECUTE FUNCTION refuse()",
        inputs[1].loan
    );
    desk.sql(&[&refuse]).await;
    let before = desk.loan(inputs[1].loan).await;
    for (number, outcome) in record_all(&desk, &inputs).await.into_iter().enumerate() {
        match number {
            1 => assert!(matches!(outcome, Err(ServiceError::Internal(_))), "{outcome:?}"),
            _ => assert!(!outcome.unwrap().replayed),
        }
    }
    assert_eq!(desk.loan(inputs[1].loan).await, before);
    desk.sql(&["DROP TRIGGER refuse ON loan_transactions"]).await;
    assert!(!record_all(&desk, &inputs[1..2]).await.remove(0).unwrap().replayed, "its key was not used up");
    desk.assert_clean("after a failure among payments").await;
}

async fn callers_of_different_branches_do_not_go_together(engine: Engine) {
    let desk = Desk::running(engine, 2).await;
    desk.world.branch("MSA", None).await;
    let inputs = a_payment_each(&desk);
    let (mine, theirs): (Actor, Actor) = (officer_of(&desk.branch.code), officer_of("MSA"));
    let of = |number: usize| if number.is_multiple_of(3) { &theirs } else { &mine };
    let all = inputs.iter().enumerate().map(|(number, input)| desk.world.services.record(of(number), input));
    for (number, outcome) in join_all(all).await.into_iter().enumerate() {
        match number % 3 {
            0 => assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.loanId")),
            _ => assert!(!outcome.unwrap().replayed),
        }
    }
    desk.assert_clean("after callers of two branches").await;
}
