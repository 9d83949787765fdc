//! A world for a test of the use cases: services over an engine, a clock the test sets, ids that count upwards, and a
//! count of the SQL statements sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::clock::Clock;
use branch_loan_api::service::personal_data::PersonalDataKeys;
use branch_loan_api::service::problem::{Problem, ProblemCode};
use branch_loan_api::service::{Rules, ServiceError, Services};
use branch_loan_api::store::Database;
use chrono::{DateTime, NaiveDate, Utc};

use super::engines::Engine;
use super::seams::{CountingIds, Statements, TestClock};

/// Noon of an ordinary Thursday: the same day in every time zone the tests use.
const START: &str = "2026-01-15T12:00:00Z";

/// Services over one engine.
pub struct World {
    pub services: Arc<Services>,
    pub database: Database,
    pub clock: Arc<TestClock>,
    pub statements: Statements,
    pub engine: Engine,
}

impl World {
    pub async fn new(engine: Engine) -> Self {
        Self::with_rules(engine, Rules::default()).await
    }

    pub async fn with_rules(engine: Engine, rules: Rules) -> Self {
        let statements = Statements::default();
        let database = engine.connect_observed(Some(statements.observer())).await;
        Self::assembled(engine, database, statements, rules)
    }

    /// Over a database that was connected otherwise; its statements are not counted.
    pub fn over(engine: Engine, database: Database) -> Self {
        Self::assembled(engine, database, Statements::default(), Rules::default())
    }

    fn assembled(engine: Engine, database: Database, statements: Statements, rules: Rules) -> Self {
        let clock = Arc::new(TestClock::at(START));
        let services = Services::new(
            database.clone(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(CountingIds::default()),
            PersonalDataKeys::new(&[7; 32]).unwrap(),
            rules,
        );
        Self { services: Arc::new(services), database, clock, statements, engine }
    }
}

/// Someone with these roles in these branches.
pub fn actor(subject: &str, roles: &[Role], branches: BranchGrant) -> Actor {
    Actor {
        subject: subject.to_owned(),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        branches,
        request_id: None,
    }
}

/// May do everything everywhere.
pub fn admin() -> Actor {
    actor("admin", &[Role::Admin], BranchGrant::All)
}

/// Takes applications in a branch and below it.
pub fn officer_of(code: &str) -> Actor {
    actor(&format!("officer-{code}"), &[Role::Officer], granted(code))
}

/// Decides in a branch and below it.
pub fn manager_of(code: &str) -> Actor {
    actor(&format!("manager-{code}"), &[Role::Manager], granted(code))
}

/// May do everything, but only in a branch and below it.
pub fn admin_of(code: &str) -> Actor {
    actor(&format!("admin-{code}"), &[Role::Admin], granted(code))
}

/// Reads in a branch and below it.
pub fn auditor_of(code: &str) -> Actor {
    actor(&format!("auditor-{code}"), &[Role::Auditor], granted(code))
}

pub fn granted(code: &str) -> BranchGrant {
    BranchGrant::Codes(vec![code.to_owned()])
}

/// The problems of a refusal, in their order.
pub fn problems<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> Vec<Problem> {
    match outcome {
        Err(ServiceError::Rejected(problems)) => {
            assert!(problems.iter().all(|problem| problem.message.ends_with('.')), "a sentence each: {problems:?}");
            problems
        }
        other => panic!("a refusal with problems was due, not {other:?}"),
    }
}

/// Code and dotted path of each problem of a refusal.
pub fn refusals<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> Vec<(ProblemCode, String)> {
    problems(outcome).into_iter().map(|problem| (problem.code, problem.path.join("."))).collect()
}

/// The one problem of a refusal.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> (ProblemCode, String) {
    let mut all = refusals(outcome);
    assert_eq!(all.len(), 1, "one problem was due: {all:?}");
    all.remove(0)
}

/// A problem as the tests write it.
pub fn problem(code: ProblemCode, path: &str) -> (ProblemCode, String) {
    (code, path.to_owned())
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
