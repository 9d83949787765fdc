//! Changing the days a branch works.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::payload;
use crate::graphql::request::request;
use crate::graphql::types::branch::Branch;
use crate::graphql::types::group::Weekday;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::scalars::Date;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::branch_calendar::{CalendarChange, ChangeCalendar, Holiday};
use crate::service::branches::BranchRecord;

/// The mutations around calendars.
#[derive(Default)]
pub struct BranchCalendarMutation;

/// A branch's weekly rest days.
#[derive(InputObject)]
pub struct SetBranchRestDaysInput {
    /// Which branch.
    pub branch_id: ID,
    /// All its rest days, at most six; none when empty.
    pub rest_days: Vec<Weekday>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A day a branch does not work.
#[derive(InputObject)]
pub struct HolidayInput {
    /// The day.
    pub on: Date,
    /// What it is called; at most 200 characters.
    pub name: String,
}

/// Holidays to add to a branch's calendar.
#[derive(InputObject)]
pub struct AddBranchHolidaysInput {
    /// Which branch.
    pub branch_id: ID,
    /// The holidays, 1 to 250. A day that is a holiday already gets its new name; of two for one day the later counts.
    pub holidays: Vec<HolidayInput>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// Holidays to take from a branch's calendar.
#[derive(InputObject)]
pub struct RemoveBranchHolidaysInput {
    /// Which branch.
    pub branch_id: ID,
    /// The days, 1 to 250. Those that are no holidays stay as they are.
    pub days: Vec<Date>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

payload! {
    /// What came of setting rest days.
    SetBranchRestDaysPayload {
        /// The branch as it now is.
        branch: Branch
    }
}
payload! {
    /// What came of adding holidays.
    AddBranchHolidaysPayload {
        /// The branch as it now is.
        branch: Branch
    }
}
payload! {
    /// What came of removing holidays.
    RemoveBranchHolidaysPayload {
        /// The branch as it now is.
        branch: Branch
    }
}

async fn change(
    context: &Context<'_>,
    branch: &ID,
    change: CalendarChange,
    expected_version: Option<i64>,
) -> Result<Result<BranchRecord, ServiceError>> {
    let request = request(context)?;
    let mut ids = InputIds::default();
    let branch = ids.read("branchId", branch, Kind::Branch);
    Ok(match ids.finish() {
        Ok(()) => {
            let input = ChangeCalendar { branch, change, expected_version };
            request.services.change_calendar(request.actor, &input).await
        }
        Err(refusal) => Err(request.unread(change.operation(), refusal).await),
    })
}

#[Object]
impl BranchCalendarMutation {
    /// Sets the days of the week a branch does not work. Due dates of running loans are not moved by the change itself, only when something is next recorded on the loan. Permission: ChangeCalendar. User errors: INVALID_FORMAT, INVALID_ID, NOT_FOUND, VERSION_CONFLICT.
    async fn set_branch_rest_days(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The rest days.")] input: SetBranchRestDaysInput,
    ) -> Result<SetBranchRestDaysPayload> {
        let days = CalendarChange::RestDays(input.rest_days.into_iter().map(Into::into).collect());
        SetBranchRestDaysPayload::of(change(context, &input.branch_id, days, input.expected_version).await?)
    }

    /// Adds holidays to a branch's calendar. Due dates of running loans are not moved by the change itself, only when something is next recorded on the loan. Permission: ChangeCalendar. User errors: REQUIRED, TOO_LONG, INVALID_ID, NOT_FOUND, VERSION_CONFLICT.
    async fn add_branch_holidays(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The holidays.")] input: AddBranchHolidaysInput,
    ) -> Result<AddBranchHolidaysPayload> {
        let holiday = |holiday: HolidayInput| Holiday { on: holiday.on.0, name: holiday.name };
        let days = CalendarChange::AddHolidays(input.holidays.into_iter().map(holiday).collect());
        AddBranchHolidaysPayload::of(change(context, &input.branch_id, days, input.expected_version).await?)
    }

    /// Removes holidays from a branch's calendar. Due dates of running loans are not moved by the change itself, only when something is next recorded on the loan. Permission: ChangeCalendar. User errors: REQUIRED, INVALID_ID, NOT_FOUND, VERSION_CONFLICT.
    async fn remove_branch_holidays(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The days.")] input: RemoveBranchHolidaysInput,
    ) -> Result<RemoveBranchHolidaysPayload> {
        let days = CalendarChange::RemoveHolidays(input.days.into_iter().map(|day| day.0).collect());
        RemoveBranchHolidaysPayload::of(change(context, &input.branch_id, days, input.expected_version).await?)
    }
}
