//! The days a branch works, and the last business date it closed. A branch's calendar is its own: neither the branch
//! above nor those below have a part in it.

use std::collections::HashMap;

use chrono::{NaiveDate, Weekday};
use lending::calendar::Calendar;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::branches::BranchRecord;
use super::entity::{branch, branch_holiday};
use super::error::StoreError;
use super::filter::storable;
use super::insert;

/// The days of the week as they are stored and as the API names them.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MON", Weekday::Mon),
    ("TUE", Weekday::Tue),
    ("WED", Weekday::Wed),
    ("THU", Weekday::Thu),
    ("FRI", Weekday::Fri),
    ("SAT", Weekday::Sat),
    ("SUN", Weekday::Sun),
];

/// A day a branch does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// The day.
    pub on: NaiveDate,
    /// What it is called.
    pub name: String,
}

/// Rest days in the order of the week, each once: `SAT,SUN`.
pub(super) fn format_rest_days(days: &[Weekday]) -> String {
    let names = WEEKDAYS.iter().filter(|(_, day)| days.contains(day)).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(",")
}

pub(super) fn parse_rest_days(text: &str) -> Result<Vec<Weekday>, StoreError> {
    let names = text.split(',').filter(|name| !name.is_empty());
    names
        .map(|name| {
            let found = WEEKDAYS.iter().find(|(known, _)| *known == name).map(|(_, day)| *day);
            found.ok_or_else(|| StoreError::Corrupt(format!("rest day {name:?}")))
        })
        .collect()
}

/// The calendar of a branch.
///
/// # Errors
/// Whatever the database answers.
pub async fn calendar(connection: &impl ConnectionTrait, branch: &BranchRecord) -> Result<Calendar, StoreError> {
    let holidays = holidays(connection, branch.id).await?;
    Ok(Calendar::new(branch.rest_days.iter().copied(), holidays.into_iter().map(|holiday| holiday.on)))
}

/// The calendars of branches by id, in one statement; none is sent for no branches.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_branches(
    connection: &impl ConnectionTrait,
    branches: &[BranchRecord],
) -> Result<HashMap<Uuid, Calendar>, StoreError> {
    if branches.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = branch_holiday::Entity::find()
        .filter(branch_holiday::Column::BranchId.is_in(branches.iter().map(|branch| branch.id)))
        .all(connection)
        .await?;
    let mut holidays: HashMap<Uuid, Vec<NaiveDate>> = HashMap::new();
    for row in rows {
        holidays.entry(row.branch_id).or_default().push(row.holiday_on);
    }
    let calendar = |branch: &BranchRecord| {
        let holidays = holidays.remove(&branch.id).unwrap_or_default();
        (branch.id, Calendar::new(branch.rest_days.iter().copied(), holidays))
    };
    Ok(branches.iter().map(calendar).collect())
}

/// The holidays of a branch, first to last.
///
/// # Errors
/// Whatever the database answers.
pub async fn holidays(connection: &impl ConnectionTrait, branch_id: Uuid) -> Result<Vec<Holiday>, StoreError> {
    Ok(holidays_of(connection, &[branch_id]).await?.remove(&branch_id).unwrap_or_default())
}

/// The holidays of each of these branches, first to last, in one statement; branches without any are not in the answer.
///
/// # Errors
/// Whatever the database answers.
pub async fn holidays_of(
    connection: &impl ConnectionTrait,
    branch_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Holiday>>, StoreError> {
    let mut found: HashMap<Uuid, Vec<Holiday>> = HashMap::new();
    if branch_ids.is_empty() {
        return Ok(found);
    }
    let rows = branch_holiday::Entity::find()
        .filter(branch_holiday::Column::BranchId.is_in(branch_ids.iter().copied()))
        .order_by_asc(branch_holiday::Column::BranchId)
        .order_by_asc(branch_holiday::Column::HolidayOn)
        .all(connection)
        .await?;
    for row in rows {
        found.entry(row.branch_id).or_default().push(Holiday { on: row.holiday_on, name: row.name });
    }
    Ok(found)
}

/// Adds holidays; one on a day that is a holiday already gives it its name.
///
/// # Errors
/// [`StoreError::BadText`] for a name the database cannot hold; otherwise whatever the database answers.
pub async fn put_holidays(
    transaction: &impl ConnectionTrait,
    branch_id: Uuid,
    holidays: &[Holiday],
) -> Result<(), StoreError> {
    let rows = holidays
        .iter()
        .map(|holiday| {
            let name = Set(storable(&holiday.name)?.to_owned());
            Ok(branch_holiday::ActiveModel { branch_id: Set(branch_id), holiday_on: Set(holiday.on), name })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let again = OnConflict::columns([branch_holiday::Column::BranchId, branch_holiday::Column::HolidayOn])
        .update_column(branch_holiday::Column::Name)
        .to_owned();
    insert::or_update::<branch_holiday::Entity, _>(transaction, rows, &again).await
}

/// Takes holidays away; answers with how many there were.
///
/// # Errors
/// Whatever the database answers.
pub async fn remove_holidays(
    transaction: &impl ConnectionTrait,
    branch_id: Uuid,
    days: &[NaiveDate],
) -> Result<u64, StoreError> {
    if days.is_empty() {
        return Ok(0);
    }
    let outcome = branch_holiday::Entity::delete_many()
        .filter(branch_holiday::Column::BranchId.eq(branch_id))
        .filter(branch_holiday::Column::HolidayOn.is_in(days.iter().copied()))
        .exec(transaction)
        .await?;
    Ok(outcome.rows_affected)
}

/// Closes a branch's business dates up to a day. It only ever moves forward: `false` when the day was closed before.
///
/// # Errors
/// Whatever the database answers.
pub async fn close_through(
    transaction: &impl ConnectionTrait,
    branch_id: Uuid,
    day: NaiveDate,
) -> Result<bool, StoreError> {
    let earlier =
        Condition::any().add(branch::Column::ClosedThrough.is_null()).add(branch::Column::ClosedThrough.lt(day));
    let outcome = branch::Entity::update_many()
        .set(branch::ActiveModel { closed_through: Set(Some(day)), ..Default::default() })
        .filter(branch::Column::Id.eq(branch_id))
        .filter(earlier)
        .exec(transaction)
        .await?;
    Ok(outcome.rows_affected == 1)
}
