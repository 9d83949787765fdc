//! Erasing a borrower's person: what goes, what stays, what refuses it, and that nobody who was erased comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use branch_loan_api::auth::{Action, BranchGrant, Role};
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::borrower_erasure::{EraseBorrower, Erased, ErasureReason};
use branch_loan_api::service::borrowers::{
    BorrowerField, BorrowerKey, BorrowerRecord, Filter, PageRequest, RegisterBorrower, UpdateBorrower,
};
use branch_loan_api::service::branches::BranchRecord;
use branch_loan_api::service::list::{Scalar, Test};
use branch_loan_api::service::loan_books::{Record, Recorded, What};
use branch_loan_api::service::loan_decisions::{Decide, DecisionInput};
use branch_loan_api::service::loan_products::LoanProductRecord;
use branch_loan_api::service::loans::{ApplyForLoan, LoanField, LoanKey, LoanRecord};
use branch_loan_api::service::problem::{Detail, OpenLoan, ProblemCode};
use branch_loan_api::store::loan_projection;
use lending::loan::{ChargeKind, LoanStatus, PaymentKind};
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::races::gate;
use crate::support::engines::Engine;
use crate::support::inputs::{
    amount, application, approve, borrower_change, decide, joining, new_borrower, reject, withdraw,
};
use crate::support::ledger;
use crate::support::services::{World, actor, admin, admin_of, day, moment, officer_of, problem, problems, refusal};

both_engines!(
    the_person_goes_and_the_books_stay,
    an_erased_borrower_is_found_by_nothing_that_was_known_of_them,
    whatever_is_open_refuses,
    a_loan_elsewhere_counts_and_is_not_named,
    only_administrators_of_the_branch_may,
    a_second_time_changes_nothing,
    a_stale_version_erases_nobody,
    nobody_who_was_erased_comes_back,
    nothing_is_recorded_on_the_loans_of_an_erased_borrower,
    the_database_refuses_a_person_where_one_was_erased,
    an_application_on_its_way_and_an_erasure_exclude_each_other,
    a_reversal_on_its_way_and_an_erasure_exclude_each_other,
    a_group_on_the_way_is_left_too,
);

const PHONE: &str = "+254 711 222 333";
const NATIONAL_ID: &str = "ID-7788";

struct Case {
    world: Arc<World>,
    branch: BranchRecord,
    product: LoanProductRecord,
    keys: AtomicU32,
}

impl Case {
    async fn new(engine: Engine) -> Self {
        let world = Arc::new(World::new(engine).await);
        let branch = world.branch("NBO", None).await;
        let product = world.product("P1").await;
        Self { world, branch, product, keys: AtomicU32::new(0) }
    }

    fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// Someone of whom everything is known.
    async fn person(&self) -> BorrowerRecord {
        let input = RegisterBorrower {
            name: "Njeri Odhiambo".to_owned(),
            external_ref: Some(self.key()),
            phone: Some(PHONE.to_owned()),
            national_id: Some(NATIONAL_ID.to_owned()),
            date_of_birth: Some(day("1990-02-28")),
            allow_duplicate: true,
            ..new_borrower(&self.branch)
        };
        self.world.services.register_borrower(&admin(), &input).await.unwrap()
    }

    /// 12,000.00 KES at 12 % in six installments of 2,070.58, applied for on 2025-06-01.
    async fn pending(&self, borrower: &BorrowerRecord) -> LoanRecord {
        let input = ApplyForLoan {
            applied_on: Some(day("2025-06-01")),
            principal: amount("12000.00", "KES"),
            annual_rate: Some("12".to_owned()),
            installments: Some(6),
            ..application(&self.key(), borrower, &self.product)
        };
        self.world.services.apply_for_loan(&admin(), &input).await.unwrap().loan
    }

    async fn decide(&self, loan: Uuid, input: Decide) -> LoanRecord {
        let input = Decide { on: Some(day("2025-06-01")), ..Decide { loan, ..input } };
        self.world.services.decide(&admin(), &input).await.unwrap().loan
    }

    async fn approved(&self, borrower: &BorrowerRecord) -> LoanRecord {
        let loan = self.pending(borrower).await;
        self.decide(loan.id, approve(loan.id)).await
    }

    async fn running(&self, borrower: &BorrowerRecord, on: &str) -> LoanRecord {
        let loan = self.approved(borrower).await;
        self.record_on(loan.id, What::Disburse { amount: None }, on).await.loan
    }

    async fn repaid(&self, borrower: &BorrowerRecord) -> Recorded {
        let loan = self.running(borrower, "2026-01-15").await;
        let paid = self.record(loan.id, pay("12423.48")).await;
        assert_eq!((paid.loan.state.status(), paid.loan.projection.credit), (LoanStatus::Repaid, 0));
        paid
    }

    fn input(&self, loan: Uuid, what: What, on: &str) -> Record {
        let (idempotency_key, on) = (self.key(), Some(day(on)));
        Record { idempotency_key, loan, on, what, external_ref: None, expected_version: None }
    }

    async fn record_on(&self, loan: Uuid, what: What, on: &str) -> Recorded {
        self.world.services.record(&admin(), &self.input(loan, what, on)).await.unwrap()
    }

    async fn record(&self, loan: Uuid, what: What) -> Recorded {
        self.record_on(loan, what, "2026-01-15").await
    }

    async fn try_erase(&self, borrower: &BorrowerRecord) -> Result<Erased, ServiceError> {
        self.world.services.erase_borrower(&admin(), &erasing(borrower.id)).await
    }

    async fn erase(&self, borrower: &BorrowerRecord) -> BorrowerRecord {
        self.try_erase(borrower).await.unwrap().borrower
    }

    async fn stored(&self, borrower: &BorrowerRecord) -> BorrowerRecord {
        Arc::unwrap_or_clone(
            self.world.services.borrower(&admin(), &BorrowerKey::Id(borrower.id)).await.unwrap().unwrap(),
        )
    }

    async fn loan(&self, id: Uuid) -> LoanRecord {
        Arc::unwrap_or_clone(self.world.services.loan(&admin(), &LoanKey::Id(id)).await.unwrap().unwrap())
    }

    async fn found(&self, filter: &Filter<BorrowerField>) -> Vec<Uuid> {
        let page = self.world.services.borrowers(&officer_of("NBO"), filter, &[], &ALL).await.unwrap();
        page.rows.into_iter().map(|(_, row)| row.id).collect()
    }

    async fn assert_books_hold(&self) {
        let found = self.world.services.verify_books(&admin(), None).await.unwrap();
        assert!(found.is_clean(), "{:#?}", found.findings);
    }
}

const ALL: PageRequest = PageRequest { size: 100, backward: false, cursor: None };

const fn erasing(id: Uuid) -> EraseBorrower {
    EraseBorrower { id, reason: None, expected_version: None }
}

fn pay(value: &str) -> What {
    What::Pay { amount: amount(value, "KES"), kind: PaymentKind::Repayment }
}

async fn the_person_goes_and_the_books_stay(engine: Engine) {
    let case = Case::new(engine).await;
    let services = &case.world.services;
    let before = case.person().await;
    let repaid = case.repaid(&before).await.loan;
    let rejected = case.pending(&before).await;
    let because = DecisionInput::Reject { reason: Some("Njeri has no income.".to_owned()) };
    let rejected = case.decide(rejected.id, decide(rejected.id, because)).await;
    let other = case.world.borrower(&case.branch).await;
    let group = case.world.group(&case.branch, &[&before, &other]).await;
    let journal = ledger::booked(case.world.database.reader()).await;
    case.world.clock.set("2026-01-16T09:00:00Z");

    let input = EraseBorrower { reason: Some(ErasureReason::Requested), ..erasing(before.id) };
    let erased = services.erase_borrower(&admin_of("NBO"), &input).await.unwrap();
    let expected = BorrowerRecord {
        name: "[erased]".to_owned(),
        external_ref: None,
        phone: None,
        national_id: None,
        key_id: None,
        date_of_birth: None,
        erased_at: Some(moment("2026-01-16T09:00:00Z")),
        version: 2,
        updated_at: moment("2026-01-16T09:00:00Z"),
        ..before.clone()
    };
    assert!(erased.borrower == expected && case.stored(&before).await == expected);
    assert_eq!((erased.replayed, erased.left.as_slice()), (false, &[group.id][..]));

    // The row has nothing else, and neither has anybody's row who was not meant.
    let sql = "SELECT name_folded, phone_sealed, phone_hash, national_id_sealed, national_id_hash FROM borrowers
               WHERE number = 'B-000000001'";
    let raw = case.world.engine.raw().await;
    let row = raw.query_one_raw(Statement::from_string(case.world.engine.backend, sql)).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "[erased]");
    for column in 1..5 {
        assert_eq!(row.try_get_by_index::<Option<Vec<u8>>>(column).unwrap(), None, "column {column}");
    }
    assert!(case.stored(&other).await == other);

    // The loans are what they were, but for somebody's words about a person.
    assert_eq!(case.loan(repaid.id).await, repaid);
    let words_gone = case.loan(rejected.id).await;
    assert_eq!((words_gone.state.status(), words_gone.version), (LoanStatus::Rejected, rejected.version + 1));
    assert!(
        format!("{:?}", rejected.state).contains("income") && !format!("{:?}", words_gone.state).contains("income")
    );
    assert_eq!(ledger::booked(case.world.database.reader()).await, journal);
    let members = services.members_of_groups(&admin(), &[group.id]).await.unwrap();
    let left: Vec<_> = members.iter().map(|member| (member.borrower_id, member.left_on)).collect();
    assert_eq!(left, [(before.id, Some(day("2026-01-16"))), (other.id, None)]);
    let now = services.groups_by_id(&admin(), &[group.id]).await.unwrap().remove(0).unwrap();
    assert_eq!(now.version, group.version + 1);

    let events = services.audit_events(&admin(), &Filter::default(), &[], &ALL).await.unwrap().rows;
    let event = events.into_iter().map(|(_, event)| event).find(|event| event.operation == "eraseBorrower").unwrap();
    let group_id = branch_loan_api::ids::NodeId { kind: branch_loan_api::ids::Kind::Group, uuid: group.id };
    assert_eq!(event.details, format!("{{\"groups\":[\"{group_id}\"],\"reason\":\"REQUESTED\",\"version\":2}}"));
    assert_eq!((event.branch_id, event.object.map(|object| object.id)), (Some(case.branch.id), Some(before.id)));
    case.assert_books_hold().await;
}

async fn an_erased_borrower_is_found_by_nothing_that_was_known_of_them(engine: Engine) {
    let case = Case::new(engine).await;
    let person = case.person().await;
    let namesake = case.person().await;
    let loan = case.repaid(&person).await.loan;
    let reference = person.external_ref.clone().unwrap();
    let by = |field, text: &str| Filter::Field(field, Test::Is(Scalar::Text(text.to_owned())));
    let known = [
        by(BorrowerField::Phone, PHONE),
        by(BorrowerField::NationalId, NATIONAL_ID),
        Filter::Search("njeri".to_owned()),
    ];
    for filter in &known {
        assert_eq!(case.found(filter).await, [person.id, namesake.id], "before");
    }
    case.erase(&person).await;
    for filter in &known {
        assert_eq!(case.found(filter).await, [namesake.id]);
    }
    assert_eq!(case.found(&Filter::Search(reference.clone())).await, Vec::<Uuid>::new());
    let services = &case.world.services;
    assert!(services.borrower(&admin(), &BorrowerKey::ExternalRef(reference.clone())).await.unwrap().is_none());
    let loans = async |text: &str| {
        let filter = Filter::<LoanField>::Search(text.to_owned());
        services.count_loans(&admin(), &filter).await.unwrap()
    };
    assert_eq!(loans("njeri").await, 0);
    // By what is no person they are: number, id, the list, the number of a loan.
    assert_eq!(case.found(&Filter::default()).await, [person.id, namesake.id]);
    assert_eq!(case.found(&Filter::Search(person.number.clone())).await, [person.id]);
    assert_eq!(loans(&loan.number).await, 1);
    // Their reference is free again.
    let anew = RegisterBorrower { external_ref: Some(reference), ..new_borrower(&case.branch) };
    services.register_borrower(&admin(), &anew).await.unwrap();
}

/// Brings a loan to where it is open, then to where it is not; each step from where the last one left it.
async fn whatever_is_open_refuses(engine: Engine) {
    let case = Case::new(engine).await;
    let assert_open = async |borrower: &BorrowerRecord, loan: Uuid, status: LoanStatus| {
        let found = problems(case.try_erase(borrower).await);
        let number = case.loan(loan).await.number;
        assert_eq!((found.len(), found[0].code), (1, ProblemCode::BorrowerHasOpenLoans), "{status}");
        assert!(found[0].message.contains(&number) && !found[0].message.contains("Njeri"), "{}", found[0].message);
        let expected = Detail::OpenLoans { count: 1, loans: vec![OpenLoan { loan, number, status }] };
        assert_eq!(found[0].detail, expected);
        assert!(case.stored(borrower).await == *borrower, "nothing was erased");
    };

    let borrower = case.person().await;
    let loan = case.pending(&borrower).await.id;
    assert_open(&borrower, loan, LoanStatus::Pending).await;
    case.decide(loan, withdraw(loan)).await;

    let loan = case.approved(&borrower).await.id;
    assert_open(&borrower, loan, LoanStatus::Approved).await;
    case.decide(loan, withdraw(loan)).await;

    let loan = case.running(&borrower, "2026-01-15").await.id;
    assert_open(&borrower, loan, LoanStatus::Disbursed).await;
    case.record(loan, What::ChargeOff).await;
    assert_open(&borrower, loan, LoanStatus::Disbursed).await;
    case.record(loan, pay("12423.48")).await;

    // Half a year late.
    let loan = case.running(&borrower, "2025-06-10").await.id;
    assert_open(&borrower, loan, LoanStatus::Defaulted).await;
    case.record(loan, pay("12423.48")).await;

    let loan = case.running(&borrower, "2026-01-15").await.id;
    case.record(loan, pay("12423.49")).await;
    assert_open(&borrower, loan, LoanStatus::Repaid).await;
    case.record(loan, What::RefundCredit { amount: None }).await;

    let loan = case.running(&borrower, "2026-01-15").await.id;
    case.record(loan, What::WriteOff).await;
    assert_open(&borrower, loan, LoanStatus::WrittenOff).await;
    let rows = loan_projection::installments(case.world.database.reader(), &[loan]).await.unwrap();
    let given_up: i64 = rows[&loan].iter().map(|row| row.written_off.total().unwrap()).sum();
    assert!(given_up >= 1_200_000);
    let all_but_a_cent = format!("{}.{:02}", (given_up - 1) / 100, (given_up - 1) % 100);
    case.record(loan, What::Recover { amount: amount(&all_but_a_cent, "KES") }).await;
    assert_open(&borrower, loan, LoanStatus::WrittenOff).await;
    case.record(loan, What::Recover { amount: amount("0.01", "KES") }).await;

    let loan = case.pending(&borrower).await.id;
    case.decide(loan, reject(loan)).await;
    case.erase(&borrower).await;
    case.assert_books_hold().await;
}

async fn a_loan_elsewhere_counts_and_is_not_named(engine: Engine) {
    let case = Case::new(engine).await;
    let elsewhere = case.world.branch("LOS", None).await;
    let borrower = case.person().await;
    let input = ApplyForLoan { branch: Some(elsewhere.id), ..application("x", &borrower, &case.product) };
    let foreign = case.world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    let own = case.pending(&borrower).await;
    let erase = |actor| {
        let (world, input) = (Arc::clone(&case.world), erasing(borrower.id));
        async move { problems(world.services.erase_borrower(&actor, &input).await).remove(0) }
    };
    let told = |loan: &LoanRecord| OpenLoan { loan: loan.id, number: loan.number.clone(), status: LoanStatus::Pending };
    let local = erase(admin_of("NBO")).await;
    assert_eq!(local.detail, Detail::OpenLoans { count: 2, loans: vec![told(&own)] });
    assert!(!local.message.contains(&foreign.number), "{}", local.message);
    let everywhere = erase(admin()).await;
    assert_eq!(everywhere.detail, Detail::OpenLoans { count: 2, loans: vec![told(&foreign), told(&own)] });
    case.decide(own.id, reject(own.id)).await;
    assert_eq!(erase(admin_of("NBO")).await.detail, Detail::OpenLoans { count: 1, loans: vec![] });
}

async fn only_administrators_of_the_branch_may(engine: Engine) {
    let case = Case::new(engine).await;
    let services = &case.world.services;
    case.world.branch("LOS", None).await;
    let borrower = case.person().await;
    for role in [Role::Officer, Role::Manager, Role::Auditor, Role::Service] {
        let someone = actor("someone", &[role], BranchGrant::All);
        let outcome = services.erase_borrower(&someone, &erasing(borrower.id)).await;
        assert!(matches!(outcome, Err(ServiceError::Forbidden(Action::EraseBorrower))), "{role}");
    }
    let foreign = problems(services.erase_borrower(&admin_of("LOS"), &erasing(borrower.id)).await);
    let missing = problems(services.erase_borrower(&admin_of("LOS"), &erasing(Uuid::from_u128(7))).await);
    assert_eq!(foreign, missing);
    assert_eq!((foreign[0].code, foreign.len()), (ProblemCode::NotFound, 1));
    assert!(case.stored(&borrower).await == borrower);
}

async fn a_second_time_changes_nothing(engine: Engine) {
    let case = Case::new(engine).await;
    let borrower = case.person().await;
    let group = case.world.group(&case.branch, &[&borrower]).await;
    let first = case.try_erase(&borrower).await.unwrap();
    case.world.clock.set("2026-02-01T09:00:00Z");
    // The same request once more names a version that is gone by now.
    let again = EraseBorrower { expected_version: Some(1), ..erasing(borrower.id) };
    let again = case.world.services.erase_borrower(&admin(), &again).await.unwrap();
    assert!(again.replayed && !first.replayed && again.left.is_empty());
    assert!(again.borrower == first.borrower && case.stored(&borrower).await == first.borrower);
    let now = case.world.services.groups_by_id(&admin(), &[group.id]).await.unwrap().remove(0).unwrap();
    assert_eq!(now.version, group.version + 1, "left once");
    let events = case.world.services.audit_events(&admin(), &Filter::default(), &[], &ALL).await.unwrap().rows;
    let outcomes: Vec<&str> = events
        .iter()
        .filter(|(_, event)| event.operation == "eraseBorrower")
        .map(|(_, event)| event.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["DONE", "REPLAYED"]);
}

async fn a_stale_version_erases_nobody(engine: Engine) {
    let case = Case::new(engine).await;
    let borrower = case.person().await;
    let stale = EraseBorrower { expected_version: Some(2), ..erasing(borrower.id) };
    let outcome = case.world.services.erase_borrower(&admin(), &stale).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::VersionConflict, "input.expectedVersion"));
    assert!(case.stored(&borrower).await == borrower);
}

async fn nobody_who_was_erased_comes_back(engine: Engine) {
    let case = Case::new(engine).await;
    let services = &case.world.services;
    let borrower = case.person().await;
    let group = case.world.group(&case.branch, &[]).await;
    let erased = case.erase(&borrower).await;
    let gone = problem(ProblemCode::BorrowerErased, "input.borrowerId");
    let renamed = UpdateBorrower { name: Some("Njeri".to_owned()), ..borrower_change(borrower.id) };
    assert_eq!(refusal(services.update_borrower(&admin(), &renamed).await), gone);
    assert_eq!(refusal(services.update_borrower(&admin(), &borrower_change(borrower.id)).await), gone);
    let apply = application(&case.key(), &borrower, &case.product);
    assert_eq!(refusal(services.apply_for_loan(&admin(), &apply).await), gone);
    assert_eq!(refusal(services.add_group_member(&admin(), &joining(group.id, borrower.id)).await), gone);
    assert!(case.stored(&borrower).await == erased);
}

async fn nothing_is_recorded_on_the_loans_of_an_erased_borrower(engine: Engine) {
    let case = Case::new(engine).await;
    let borrower = case.person().await;
    let paid = case.repaid(&borrower).await;
    let written_off = case.running(&borrower, "2026-01-15").await.id;
    case.record(written_off, pay("12423.00")).await;
    let given_up = case.record(written_off, What::WriteOff).await;
    case.record(written_off, What::Recover { amount: amount("0.48", "KES") }).await;
    case.erase(&borrower).await;
    let loan = paid.loan.id;
    let charge = What::Charge { amount: amount("1.00", "KES"), kind: ChargeKind::Fee, due_on: None };
    for (loan, what) in [
        (loan, pay("1.00")),
        (loan, What::Reverse { transaction: paid.transaction, reason: None }),
        (loan, What::Disburse { amount: None }),
        (loan, charge),
        (written_off, What::Recover { amount: amount("0.01", "KES") }),
        (written_off, What::Reverse { transaction: given_up.transaction, reason: None }),
    ] {
        let input = case.input(loan, what, "2026-01-15");
        let outcome = case.world.services.record(&admin(), &input).await;
        assert_eq!(refusal(outcome), problem(ProblemCode::BorrowerErased, "input.loanId"), "{:?}", input.what);
    }
    assert_eq!(case.loan(loan).await, paid.loan);
    case.assert_books_hold().await;
}

/// Also by a server of the version before, which knows nothing of erasing.
async fn the_database_refuses_a_person_where_one_was_erased(engine: Engine) {
    let case = Case::new(engine).await;
    let erased = case.person().await;
    case.person().await;
    case.erase(&erased).await;
    let raw = case.world.engine.raw().await;
    for change in [
        "name = 'Njeri'",
        "name_folded = 'njeri'",
        "external_ref = 'crm-1'",
        "date_of_birth = '1990-01-01'",
        "key_id = '2:00000000'",
        "phone_hash = (SELECT max(b.phone_hash::text)::bytea FROM borrowers b)",
        "national_id_sealed = (SELECT max(b.national_id_sealed::text)::bytea FROM borrowers b)",
    ] {
        let change = if case.world.engine.is_postgres() {
            change.to_owned()
        } else {
            change.replace("::text", "").replace("::bytea", "")
        };
        let sql = format!("UPDATE borrowers SET {change} WHERE number = '{}'", erased.number);
        let error = raw.execute_unprepared(&sql).await.expect_err(&sql).to_string().to_lowercase();
        assert!(error.contains("check constraint") || error.contains("check"), "{sql}: {error}");
    }
}

type Outcome = Result<(), ServiceError>;

async fn an_application_on_its_way_and_an_erasure_exclude_each_other(engine: Engine) {
    let case = Case::new(engine).await;
    let borrower = case.person().await;
    let gate = gate(&case.world, "loans").await;
    let (world, input) = (Arc::clone(&case.world), application("k", &borrower, &case.product));
    let apply = tokio::spawn(async move { world.services.apply_for_loan(&admin(), &input).await.map(drop) });
    if let Some(gate) = &gate {
        gate.wait_for(1, &[&apply]).await;
    }
    let (world, input) = (Arc::clone(&case.world), erasing(borrower.id));
    let erase = tokio::spawn(async move { world.services.erase_borrower(&admin(), &input).await.map(drop) });
    if let Some(gate) = gate {
        gate.wait_for(2, &[&apply, &erase]).await;
        gate.open().await;
    }
    let (applied, erased): (Outcome, Outcome) = (apply.await.unwrap(), erase.await.unwrap());
    let is_erased = case.stored(&borrower).await.erased_at.is_some();
    if applied.is_ok() {
        assert!(!is_erased, "a loan of nobody");
        assert_eq!(refusal(erased), problem(ProblemCode::BorrowerHasOpenLoans, "input.borrowerId"));
    } else {
        assert!(is_erased);
        assert_eq!(refusal(applied), problem(ProblemCode::BorrowerErased, "input.borrowerId"));
    }
}

async fn a_reversal_on_its_way_and_an_erasure_exclude_each_other(engine: Engine) {
    let case = Case::new(engine).await;
    let borrower = case.person().await;
    let paid = case.repaid(&borrower).await;
    // Whoever comes first waits with the loan locked; the other one waits for that.
    let gate = gate(&case.world, "borrowers").await;
    let (world, input) = (Arc::clone(&case.world), erasing(borrower.id));
    let erase = tokio::spawn(async move { world.services.erase_borrower(&admin(), &input).await.map(drop) });
    if let Some(gate) = &gate {
        gate.wait_for(1, &[&erase]).await;
    }
    let reversal = What::Reverse { transaction: paid.transaction, reason: None };
    let (world, input) = (Arc::clone(&case.world), case.input(paid.loan.id, reversal, "2026-01-15"));
    let reverse = tokio::spawn(async move { world.services.record(&admin(), &input).await.map(drop) });
    if let Some(gate) = gate {
        gate.wait_for(2, &[&erase, &reverse]).await;
        gate.open().await;
    }
    let (erased, reversed): (Outcome, Outcome) = (erase.await.unwrap(), reverse.await.unwrap());
    let is_erased = case.stored(&borrower).await.erased_at.is_some();
    if reversed.is_ok() {
        assert!(!is_erased, "a debt of nobody");
        assert_eq!(refusal(erased), problem(ProblemCode::BorrowerHasOpenLoans, "input.borrowerId"));
    } else {
        assert!(is_erased);
        assert_eq!(refusal(reversed), problem(ProblemCode::BorrowerErased, "input.loanId"));
    }
    case.assert_books_hold().await;
}

/// Someone joins a group after the erasure has looked for groups, and before it has the borrower to itself.
async fn a_group_on_the_way_is_left_too(engine: Engine) {
    let case = Case::new(engine).await;
    let borrower = case.person().await;
    let group = case.world.group(&case.branch, &[]).await;
    let gate = gate(&case.world, "group_members").await;
    let (world, input) = (Arc::clone(&case.world), joining(group.id, borrower.id));
    let join = tokio::spawn(async move { world.services.add_group_member(&admin(), &input).await.map(drop) });
    if let Some(gate) = &gate {
        gate.wait_for(1, &[&join]).await;
    }
    let (world, input) = (Arc::clone(&case.world), erasing(borrower.id));
    let erase = tokio::spawn(async move { world.services.erase_borrower(&admin(), &input).await.map(drop) });
    if let Some(gate) = gate {
        gate.wait_for(2, &[&join, &erase]).await;
        gate.open().await;
    }
    let (joined, erased): (Outcome, Outcome) = (join.await.unwrap(), erase.await.unwrap());
    erased.unwrap();
    if joined.is_err() {
        assert_eq!(refusal(joined), problem(ProblemCode::BorrowerErased, "input.borrowerId"));
    }
    let members = case.world.services.members_of_groups(&admin(), &[group.id]).await.unwrap();
    assert!(members.iter().all(|member| member.left_on.is_some()), "{members:?}");
}
