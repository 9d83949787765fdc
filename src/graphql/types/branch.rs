//! Branches in the API.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use uuid::Uuid;

use super::group::Weekday;
use super::id::id;
use super::scalars::{CurrencyCode, Date, DateTime};
use super::selection::{BranchPlan, Related};
use super::written::written;
use crate::graphql::error::Nullable;
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::branches::{BranchKey, BranchRecord};

/// A place that lends. Branches form a tree: whoever works for a branch also works for the branches below it.
#[derive(Clone)]
pub struct Branch {
    record: Arc<BranchRecord>,
    parent: Related<Box<Branch>>,
    holidays: Related<Arc<Vec<Holiday>>>,
}

/// A day a branch does not work.
#[derive(Debug, Clone, SimpleObject)]
pub struct Holiday {
    /// The day.
    pub on: Date,
    /// What it is called.
    pub name: String,
}

impl From<&crate::service::branch_calendar::Holiday> for Holiday {
    fn from(holiday: &crate::service::branch_calendar::Holiday) -> Self {
        Self { on: Date(holiday.on), name: holiday.name.clone() }
    }
}

/// Whether a branch does business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::branches::BranchStatus")]
pub enum BranchStatus {
    /// It takes applications.
    Open,
    /// It takes no more applications; its loans stay visible.
    Closed,
}

impl From<BranchRecord> for Branch {
    fn from(record: BranchRecord) -> Self {
        Self::from(Arc::new(record))
    }
}

impl From<Arc<BranchRecord>> for Branch {
    fn from(record: Arc<BranchRecord>) -> Self {
        Self { record, parent: Related::Later, holidays: Related::Later }
    }
}

impl Branch {
    /// Branches with the relations a plan asks for, in the order of the records.
    pub fn fetch<'a>(
        request: Request<'a>,
        records: Vec<Arc<BranchRecord>>,
        plan: &'a BranchPlan,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Self>>> + Send + 'a>> {
        Box::pin(async move {
            let parents = match &plan.parent {
                Some(plan) => {
                    let ids: Vec<Uuid> = records.iter().filter_map(|record| record.parent_id).collect();
                    Some(Self::by_id(request, ids, plan).await?)
                }
                None => None,
            };
            let holidays = match plan.holidays {
                true => Some(holidays(request, &records.iter().map(|record| record.id).collect::<Vec<_>>()).await?),
                false => None,
            };
            Ok(records
                .into_iter()
                .map(|record| Self {
                    parent: match &parents {
                        Some(parents) => {
                            let parent = record.parent_id.and_then(|id| parents.get(&id).cloned());
                            Related::Fetched(parent.map(Box::new))
                        }
                        None => Related::Later,
                    },
                    holidays: Related::of(holidays.as_ref(), record.id),
                    record,
                })
                .collect())
        })
    }

    /// The branches with these ids, by id, with the relations a plan asks for.
    pub async fn by_id(request: Request<'_>, mut ids: Vec<Uuid>, plan: &BranchPlan) -> Result<HashMap<Uuid, Self>> {
        ids.sort_unstable();
        ids.dedup();
        let records = request.services.branches_by_id(request.actor, &ids).await?;
        let branches = Self::fetch(request, records.into_iter().flatten().collect(), plan).await?;
        Ok(branches.into_iter().map(|branch| (branch.record.id, branch)).collect())
    }

    /// The one branch with this id, loaded on its own.
    pub async fn load(context: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let request = request(context)?;
        let record = request.services.branch(request.actor, &BranchKey::Id(id)).await?;
        Ok(record.map(Self::from))
    }
}

written!(Branch {
    "id": value |it, _| id(Kind::Branch, it.record.id),
    "code": value |it, context| it.code(context),
    "name": value |it, context| it.name(context),
    "currency": value |it, context| it.currency(context),
    "timeZone": value |it, context| it.time_zone(context),
    "closedThrough": value |it, context| it.closed_through(context),
    "restDays": value |it, context| it.rest_days(context),
    "status": value |it, context| it.status(context),
    "version": value |it, context| it.version(context),
    "createdAt": value |it, context| it.created_at(context),
    "updatedAt": value |it, context| it.updated_at(context),
});

async fn holidays(request: Request<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Arc<Vec<Holiday>>>> {
    let found = request.services.holidays(request.actor, ids).await?;
    let list = |days: &Vec<_>| Arc::new(days.iter().map(Holiday::from).collect());
    Ok(found.iter().map(|(id, days)| (*id, list(days))).collect())
}

/// A place that lends. Branches form a tree: whoever works for a branch also works for the branches below it.
#[Object]
impl Branch {
    /// The id, such as "branch_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::Branch, self.record.id)
    }

    /// The short, unique code people know it by, such as "NBO".
    fn code(&self) -> &str {
        &self.record.code
    }

    /// The name.
    fn name(&self) -> &str {
        &self.record.name
    }

    /// The branch above it; null at the top, and where the caller may not see it.
    async fn parent(&self, context: &Context<'_>) -> Nullable<Branch> {
        match (&self.parent, self.record.parent_id) {
            (Related::Fetched(parent), _) => parent.as_deref().cloned().map(Ok),
            (Related::Later, None) => None,
            (Related::Later, Some(id)) => Box::pin(Branch::load(context, id)).await.transpose(),
        }
    }

    /// The currency it works in.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.record.currency.code().to_owned())
    }

    /// Its IANA time zone, such as "Africa/Nairobi", which decides its business date.
    fn time_zone(&self) -> &str {
        &self.record.time_zone
    }

    /// What day it is at the branch.
    fn business_date(&self, context: &Context<'_>) -> Result<Date> {
        Ok(Date(request(context)?.services.business_date(&self.record)))
    }

    /// The last business date that was closed; null before the first.
    fn closed_through(&self) -> Option<Date> {
        self.record.closed_through.map(Date)
    }

    /// The days of the week it does not work, in the order of the week.
    fn rest_days(&self) -> Vec<Weekday> {
        self.record.rest_days.iter().copied().map(Weekday::from).collect()
    }

    /// The holidays of a period, first to last. The branches above and below have holidays of their own.
    async fn holidays(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first day; from the first holiday on if omitted.")] from: Option<Date>,
        #[graphql(desc = "The last day; up to the last holiday if omitted.")] to: Option<Date>,
    ) -> Result<Vec<Holiday>> {
        let all = match &self.holidays {
            Related::Fetched(holidays) => holidays.clone().unwrap_or_default(),
            Related::Later => {
                let mut found = Box::pin(holidays(request(context)?, &[self.record.id])).await?;
                found.remove(&self.record.id).unwrap_or_default()
            }
        };
        let within = |day: &Holiday| {
            from.as_ref().is_none_or(|from| from.0 <= day.on.0) && to.as_ref().is_none_or(|to| day.on.0 <= to.0)
        };
        Ok(all.iter().filter(|day| within(day)).cloned().collect())
    }

    /// Whether it does business.
    fn status(&self) -> BranchStatus {
        self.record.status.into()
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.record.version
    }

    /// When it was created.
    fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }
}
