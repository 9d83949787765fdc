//! Days past due depend on what day it is, and that depends on the branch. There are few time zones and at most three
//! dates at a time, so loans are told apart by the zones that share a date; nothing here is asked for loan by loan.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::fold::Folded;
use crate::service::error::ServiceError;
use crate::service::list::{Filter, Scalar, Test};
use crate::service::loans::LoanField;
use crate::service::problem::{Detail, Problem, ProblemCode};
use crate::service::{Services, date_in};
use crate::store::portfolio::{self as store, Choice, Part};
use crate::store::scope::Scope;

/// The loans of the time zones that share a relation to a report's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    /// Which loans.
    pub filter: Filter<LoanField>,
    /// The day.
    pub day: NaiveDate,
    /// The business date is past it.
    pub past: bool,
}

impl Slice {
    /// The loans whose projection is right for the day: those that were not folded.
    pub fn choice<'a>(&'a self, scope: &'a Scope, folded: &'a Folded) -> Choice<'a> {
        Choice { scope, filter: &self.filter, part: Part::Except(folded.in_place_of()) }
    }
}

/// The time zones in which it is a date, by date.
type Zones = BTreeMap<NaiveDate, Vec<String>>;

impl Services {
    pub(super) async fn zones(&self) -> Result<Zones, ServiceError> {
        let now: DateTime<Utc> = self.now();
        let mut zones = Zones::new();
        for zone in store::time_zones(self.database.reader()).await? {
            zones.entry(date_in(&zone, now)).or_default().push(zone);
        }
        Ok(zones)
    }

    /// What day it is in the part of the world that is furthest ahead, among the branches.
    pub(in crate::service) async fn latest_date(&self) -> Result<NaiveDate, ServiceError> {
        Ok(self.zones().await?.into_keys().next_back().unwrap_or_else(|| self.now().date_naive()))
    }

    /// The slices of a report.
    pub(super) async fn slices(
        &self,
        filter: &Filter<LoanField>,
        as_of: Option<NaiveDate>,
    ) -> Result<Vec<Slice>, ServiceError> {
        let zones = self.zones().await?;
        let filter = in_dates(filter, &zones);
        let latest = zones.keys().next_back().copied();
        if let (Some(day), Some(latest)) = (as_of, latest)
            && day > latest
        {
            let message = format!("Send a day until {latest}; what comes after it is not known yet.");
            let problem = Problem::new(ProblemCode::DateOutOfRange, &["asOf"], message);
            return Err(problem.with(Detail::Date { earliest: None, latest: Some(latest) }).into());
        }
        let mut parts: BTreeMap<(NaiveDate, bool), Vec<String>> = BTreeMap::new();
        for (date, names) in zones {
            let day = as_of.unwrap_or(date);
            parts.entry((day, date > day)).or_default().extend(names);
        }
        let single = parts.len() == 1;
        let slice = |((day, past), names): ((NaiveDate, bool), Vec<String>)| {
            let filter = match single {
                true => filter.clone(),
                false => Filter::All(vec![Filter::InTimeZones(names), filter.clone()]),
            };
            Slice { filter, day, past }
        };
        Ok(parts.into_iter().map(slice).collect())
    }

    /// A filter in which days past due have become due dates.
    pub(in crate::service) async fn dated(
        &self,
        filter: &Filter<LoanField>,
    ) -> Result<Filter<LoanField>, ServiceError> {
        if asks_for_days(filter) { Ok(in_dates(filter, &self.zones().await?)) } else { Ok(filter.clone()) }
    }
}

fn asks_for_days(filter: &Filter<LoanField>) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(asks_for_days),
        Filter::Not(inner) => asks_for_days(inner),
        Filter::Field(field, _) => *field == LoanField::DaysPastDue,
        Filter::Search(_) | Filter::UnderBranches(_) | Filter::InTimeZones(_) => false,
    }
}

fn in_dates(filter: &Filter<LoanField>, zones: &Zones) -> Filter<LoanField> {
    match filter {
        Filter::All(parts) => Filter::All(parts.iter().map(|part| in_dates(part, zones)).collect()),
        Filter::Any(parts) => Filter::Any(parts.iter().map(|part| in_dates(part, zones)).collect()),
        Filter::Not(inner) => Filter::Not(Box::new(in_dates(inner, zones))),
        Filter::Field(LoanField::DaysPastDue, test) => {
            let mut dates = zones.iter().map(|(today, names)| (names, due_dates(test, *today)));
            match (dates.next(), zones.len()) {
                (Some((_, only)), 1) => only,
                (first, _) => Filter::Any(
                    first
                        .into_iter()
                        .chain(dates)
                        .map(|(names, filter)| Filter::All(vec![Filter::InTimeZones(names.clone()), filter]))
                        .collect(),
                ),
            }
        }
        other => other.clone(),
    }
}

/// A test of the days past due on a day, as one of the oldest unpaid due date. No due date stands after all others, so
/// that it is 0 days past due like one that is still to come.
fn due_dates(test: &Test, today: NaiveDate) -> Filter<LoanField> {
    let number = |scalar: &Scalar| if let Scalar::Integer(days) = scalar { *days } else { -1 };
    let due = |test: Test| Filter::Field(LoanField::OldestUnpaidDueOn, test);
    let ago = |days: i64| today.checked_sub_days(Days::new(u64::try_from(days).unwrap_or(0)));
    let at_least = |days: i64| match days {
        ..=0 => Filter::All(Vec::new()),
        // Longer ago than days can be told.
        _ => ago(days).map_or(Filter::Any(Vec::new()), |day| due(Test::AtMost(Scalar::Date(day)))),
    };
    let below = |days: i64| Filter::Not(Box::new(at_least(days)));
    match test {
        Test::AtLeast(scalar) => at_least(number(scalar)),
        Test::Above(scalar) => at_least(number(scalar).saturating_add(1)),
        Test::Below(scalar) => below(number(scalar)),
        Test::AtMost(scalar) => below(number(scalar).saturating_add(1)),
        Test::Is(scalar) if number(scalar) < 0 => Filter::Any(Vec::new()),
        Test::Is(scalar) => Filter::All(vec![at_least(number(scalar)), below(number(scalar).saturating_add(1))]),
        Test::OneOf(list) => Filter::Any(list.iter().map(|one| due_dates(&Test::Is(one.clone()), today)).collect()),
        Test::IsMissing => Filter::Any(Vec::new()),
    }
}
