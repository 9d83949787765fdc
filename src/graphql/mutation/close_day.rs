//! Closing business days.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::graphql::request::request;
use crate::graphql::types::branch::Branch;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::scalars::Date;
use crate::graphql::types::user_error::{UserError, split};
use crate::ids::Kind;
use crate::service::branches::BranchKey;
use crate::service::close_day::{self, CloseDay};

/// The mutation that closes business days.
#[derive(Default)]
pub struct CloseDayMutation;

/// Business days to close.
#[derive(InputObject)]
pub struct CloseBusinessDayInput {
    /// The branch at the top: its days and those of the branches below it are closed.
    pub branch_id: ID,
    /// The last day to close, not after the branch's business date; that date if omitted. Every day since the last one closed is closed too.
    pub on: Option<Date>,
    /// A key of 1 to 64 characters: sending it again with another input is refused. Closing a day twice books nothing twice, with or without a key.
    pub idempotency_key: Option<String>,
}

/// What closing business days came to.
#[derive(SimpleObject)]
pub struct CloseBusinessDayPayload {
    /// The branch at the top as it now is.
    pub branch: Option<Branch>,
    /// What was done at it and at each branch below it, in the order of their codes.
    pub closed: Vec<ClosedBranch>,
    /// The same was asked for before, under the same key.
    pub replayed: bool,
    /// What to mend; empty when all went well.
    pub user_errors: Vec<UserError>,
}

/// What closing business days came to at one branch.
#[derive(SimpleObject)]
pub struct ClosedBranch {
    /// The branch.
    pub branch: Option<Branch>,
    /// The last business date that is closed; null when none is.
    pub through: Option<Date>,
    /// How many days were closed.
    pub days: u32,
    /// How many loan days were closed: a loan counts once for each day.
    pub loan_days: u64,
    /// How many late charges were made.
    pub late_charges: u64,
    /// How many loans count as defaulted now.
    pub defaulted: u64,
    /// How many loans no longer do.
    pub cured: u64,
    /// Running loans without books, which were passed over.
    pub passed_over: u64,
}

impl From<close_day::ClosedBranch> for ClosedBranch {
    fn from(closed: close_day::ClosedBranch) -> Self {
        Self {
            through: closed.branch.closed_through.map(Date),
            branch: Some(closed.branch.into()),
            days: closed.days,
            loan_days: closed.work.loans,
            late_charges: closed.work.charged,
            defaulted: closed.work.defaulted,
            cured: closed.work.cured,
            passed_over: closed.passed_over,
        }
    }
}

#[Object]
impl CloseDayMutation {
    /// Closes the business days of a branch and those below it: accrues income, charges lateness, marks and cures defaulted loans, and records the date. What is closed stays closed; a day is never booked twice. Permission: CloseBusinessDay. User errors: REQUIRED, TOO_LONG, INVALID_ID, NOT_FOUND, DATE_OUT_OF_RANGE, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn close_business_day(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The days to close.")] input: CloseBusinessDayInput,
    ) -> Result<CloseBusinessDayPayload> {
        let request = request(context)?;
        let mut ids = InputIds::default();
        let branch = ids.read("branchId", &input.branch_id, Kind::Branch);
        let outcome = match ids.finish() {
            Ok(()) => {
                let input = CloseDay {
                    branch: Some(BranchKey::Id(branch)),
                    on: input.on.map(|date| date.0),
                    chunk: close_day::CHUNK,
                    idempotency_key: input.idempotency_key,
                };
                request.services.close_days(request.actor, &input).await
            }
            Err(refusal) => Err(request.unread("closeBusinessDay", refusal).await),
        };
        let (closed, user_errors) = split(outcome)?;
        let replayed = closed.as_ref().is_some_and(|closed| closed.replayed);
        let branches = closed.map(|closed| closed.branches).unwrap_or_default();
        let top = branches.iter().find(|closed| closed.branch.id == branch).map(|closed| closed.branch.clone());
        Ok(CloseBusinessDayPayload {
            branch: top.map(Branch::from),
            closed: branches.into_iter().map(ClosedBranch::from).collect(),
            replayed,
            user_errors,
        })
    }
}
