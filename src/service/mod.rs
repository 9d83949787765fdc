//! The use cases, one file per group. Each goes the same way: authorise → read the input → begin → load and lock → let
//! `lending` decide everything → write → commit once. Nothing here knows GraphQL or HTTP, and nothing but this layer
//! calls the store.

pub mod approval_limits;
pub mod audit;
pub mod borrower_erasure;
pub mod borrowers;
pub mod branch_calendar;
pub mod branches;
pub mod check;
pub mod close_day;
pub mod collection_sheet;
pub mod conditions;
pub mod demo;
mod duplicates;
pub mod error;
pub mod group_members;
pub mod groups;
pub mod idempotency;
pub mod key_rotation;
pub mod ledger;
pub mod list;
mod loan_applications;
pub mod loan_books;
pub mod loan_decisions;
pub mod loan_disclosure;
pub mod loan_faces;
pub mod loan_officers;
pub mod loan_products;
pub mod loan_simulation;
pub mod loan_terms;
pub mod loan_views;
pub mod loans;
pub mod oversight;
pub mod personal_data;
mod personal_lookup;
pub mod portfolio;
pub mod problem;
pub mod reading;
pub mod self_check;
pub mod tally;
pub mod verify;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::auth::policy::{self, Action};
use crate::auth::{Actor, BranchGrant};
use crate::clock::Clock;
use crate::ids::{IdSource, OrderedIds};
use crate::store::Database;
use crate::store::borrowers::BorrowerRecord;
use crate::store::branches::BranchRecord;
use crate::store::gather::Gather;
use crate::store::groups::GroupRecord;
use crate::store::loan_face::LoanFace;
use crate::store::loan_products::LoanProductRecord;
use crate::store::loans::LoanRecord;
use crate::store::scope::Scope;
use approval_limits::ApprovalLimits;
use audit::Together;
use loan_applications::{Applied, ApplyForLoan};
use loan_books::{Record, Recorded};
use personal_data::PersonalDataKeys;
use reading::Writers;
use tally::Tally;

pub use crate::store::abandonment::stop_when_abandoned;
pub use error::ServiceError;

/// Rules the lender chooses by configuration. The default keeps nobody apart and limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whoever took an application may not approve it.
    pub maker_checker: bool,
    /// Whoever approved a loan may not pay it out.
    pub disbursement_maker_checker: bool,
    /// The most each role may approve.
    pub approval_limits: ApprovalLimits,
}

/// Everything the use cases work with. Shared by all requests.
pub struct Services {
    database: Database,
    gathered: Gathered,
    together: ChangedTogether,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    /// Ids of audit events, whose order is told by them alone.
    event_ids: OrderedIds,
    personal_data: PersonalDataKeys,
    rules: Rules,
    tally: Tally,
    writers: Writers,
}

/// Reads by id that requests at the same time share.
struct Gathered {
    loans: Gather<LoanRecord>,
    loan_faces: Gather<LoanFace>,
    borrowers: Gather<BorrowerRecord>,
    branches: Gather<BranchRecord>,
    groups: Gather<GroupRecord>,
    products: Gather<LoanProductRecord>,
}

/// Changes that requests at the same time make in one transaction.
struct ChangedTogether {
    records: Together<Record, Recorded>,
    applications: Together<ApplyForLoan, Applied>,
}

impl ChangedTogether {
    fn new(has_many_writers: bool) -> Self {
        Self { records: Together::new(has_many_writers), applications: Together::new(has_many_writers) }
    }
}

impl Gathered {
    fn new() -> Self {
        Self {
            loans: Gather::new(|loan| loan.id),
            loan_faces: Gather::new(|loan| loan.id),
            borrowers: Gather::new(|borrower| borrower.id),
            branches: Gather::new(|branch| branch.id),
            groups: Gather::new(|group| group.id),
            products: Gather::new(|product| product.id),
        }
    }
}

impl Services {
    /// Puts the use cases together.
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        personal_data: PersonalDataKeys,
        rules: Rules,
    ) -> Self {
        let together = ChangedTogether::new(database.has_many_writers());
        Self {
            database,
            gathered: Gathered::new(),
            together,
            clock,
            ids,
            event_ids: OrderedIds::default(),
            personal_data,
            rules,
            tally: Tally::default(),
            writers: Writers::default(),
        }
    }

    /// Lets the caller act, or refuses; gives the branches they may act on.
    fn authorize(&self, actor: &Actor, action: Action) -> Result<Scope, ServiceError> {
        if !policy::can(actor, action) {
            return Err(ServiceError::Forbidden(action));
        }
        Ok(match &actor.branches {
            BranchGrant::All => Scope::All,
            BranchGrant::Codes(codes) => Scope::Branches(codes.clone()),
        })
    }

    /// Lets the caller act on what belongs to the lender as a whole, or refuses: someone who works for some branches only
    /// must not change what the others lend by.
    fn authorize_everywhere(&self, actor: &Actor, action: Action) -> Result<(), ServiceError> {
        match self.authorize(actor, action)? {
            Scope::All => Ok(()),
            Scope::Branches(_) => Err(ServiceError::Forbidden(action)),
        }
    }

    /// What was counted since the start.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// The branch's business date: what day it is there.
fn business_date(branch: &BranchRecord, now: DateTime<Utc>) -> NaiveDate {
    date_in(&branch.time_zone, now)
}

/// What day it is in a time zone.
fn date_in(time_zone: &str, now: DateTime<Utc>) -> NaiveDate {
    match time_zone.parse::<chrono_tz::Tz>() {
        Ok(zone) => now.with_timezone(&zone).date_naive(),
        Err(_) => now.date_naive(),
    }
}
