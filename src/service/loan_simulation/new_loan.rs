//! Simulating a loan that does not exist: the terms are read like those of an application, and the loan is paid out in
//! full on a day.

use chrono::{DateTime, NaiveDate, Utc};
use lending::calendar::Calendar;
use lending::loan::{Application, Approval, Lifecycle, Loan, LoanTerms};
use lending::money::Currency;
use uuid::Uuid;

use super::{ImaginedEvent, MOST_EVENTS, Simulation, play};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::service::check::Check;
use crate::service::error::ServiceError;
use crate::service::loan_books::What;
use crate::service::loan_terms;
use crate::service::loan_views::LoanView;
use crate::service::loans::{ApplyForLoan, LoanRecord};
use crate::service::problem::{Problem, ProblemCode};
use crate::service::{Services, business_date};
use crate::store::branches::{self, BranchKey, BranchRecord, BranchStatus};
use crate::store::calendars;
use crate::store::find::Lock;
use crate::store::loan_balances::LoanProjection;
use crate::store::loan_products::{self, LoanProductKey};

/// A loan to imagine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulateLoan {
    /// The terms, as in an application; borrower, officer and the like count for nothing. Without a branch every day is
    /// a working day.
    pub application: ApplyForLoan,
    /// The day it is paid out; the business date when missing. It may lie in the past or in the future.
    pub disbursed_on: Option<NaiveDate>,
    /// What happens afterwards.
    pub events: Vec<ImaginedEvent>,
}

impl Services {
    /// What a loan that does not exist would be. Nothing is written.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the terms; [`ServiceError::Forbidden`].
    pub async fn simulate_loan(&self, actor: &Actor, input: &SimulateLoan) -> Result<Simulation, ServiceError> {
        let scope = self.authorize(actor, Action::ReadProducts)?;
        let (reader, now) = (self.database.reader(), self.now());
        let mut check = Check::default();
        if input.events.len() >= MOST_EVENTS {
            let message = format!("Send fewer than {MOST_EVENTS} events.");
            check.note(Problem::new(ProblemCode::NumberOutOfRange, &["input", "events"], message));
        }
        let key = LoanProductKey::Id(input.application.product);
        let product = loan_products::find(reader, &key, Lock::None).await?;
        if product.is_none() {
            check.note(Problem::not_found(&["input", "productId"], "loan product"));
        }
        let branch = match input.application.branch {
            None => None,
            Some(id) => {
                let branch = branches::find(reader, &scope, &BranchKey::Id(id), Lock::None).await?;
                if branch.is_none() {
                    check.note(Problem::not_found(&["input", "branchId"], "branch"));
                }
                branch
            }
        };
        check.finish()?;
        let product = product.ok_or(ServiceError::BadInput)?;
        let mut branch = branch.unwrap_or_else(|| anywhere(product.limits.currency, now));
        let calendar = calendars::calendar(reader, &branch).await?;
        let on = input.disbursed_on.unwrap_or_else(|| business_date(&branch, now));
        // No day of an imagined loan is closed.
        branch.closed_through = None;
        let mut check = Check::default();
        let terms = loan_terms::read(&mut check, &product, &input.application, on);
        check.finish()?;
        let record = imagined(terms.ok_or(ServiceError::BadInput)?, &branch, product.id, on, now);
        played(record, branch, calendar, on, &input.events)
    }
}

fn played(
    record: LoanRecord,
    branch: BranchRecord,
    calendar: Calendar,
    on: NaiveDate,
    events: &[ImaginedEvent],
) -> Result<Simulation, ServiceError> {
    let state = Loan::fold(&record.terms, &[], &calendar, on)?;
    let view = LoanView { record, branch, history: Vec::new(), calendar, as_of: on, state };
    let disbursement = ImaginedEvent { on, what: What::Disburse { amount: None } };
    let all: Vec<ImaginedEvent> = [disbursement].into_iter().chain(events.iter().cloned()).collect();
    let input = || vec!["input".to_owned()];
    play(&view, &all, |place| match place.checked_sub(1) {
        None => input(),
        Some(place) => input().into_iter().chain(["events".to_owned(), place.to_string()]).collect(),
    })
}

/// A branch without rest days in UTC.
fn anywhere(currency: Currency, now: DateTime<Utc>) -> BranchRecord {
    BranchRecord {
        id: Uuid::nil(),
        code: String::new(),
        name: String::new(),
        parent_id: None,
        currency,
        time_zone: "UTC".to_owned(),
        status: BranchStatus::Open,
        rest_days: Vec::new(),
        closed_through: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn imagined(
    terms: LoanTerms,
    branch: &BranchRecord,
    product_id: Uuid,
    on: NaiveDate,
    now: DateTime<Utc>,
) -> LoanRecord {
    let amount = terms.principal;
    let application = Application { applied_on: on, applied_by: String::new(), amount };
    LoanRecord {
        id: Uuid::nil(),
        number: String::new(),
        external_ref: None,
        branch_id: branch.id,
        borrower_id: Uuid::nil(),
        product_id,
        group_id: None,
        officer: None,
        terms,
        state: Lifecycle::Approved { application, approval: Approval { on, by: String::new(), amount } },
        projection: LoanProjection::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}
