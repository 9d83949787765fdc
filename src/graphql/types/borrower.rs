//! Borrowers in the API.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::branch::Branch;
use super::group::Group;
use super::id::id;
use super::scalars::{Date, DateTime};
use super::selection::{BorrowerPlan, GroupPlan, Related};
use super::written::written;
use crate::graphql::error::Nullable;
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::borrowers::{BorrowerKey, BorrowerRecord};
use crate::service::problem::PersonalField;

/// Someone who borrows.
#[derive(Clone)]
pub struct Borrower {
    record: Arc<BorrowerRecord>,
    branch: Related<Branch>,
    group: Related<Group>,
    unmasking: Arc<Unmasking>,
}

impl From<BorrowerRecord> for Borrower {
    fn from(record: BorrowerRecord) -> Self {
        Self::from(Arc::new(record))
    }
}

impl From<Arc<BorrowerRecord>> for Borrower {
    fn from(record: Arc<BorrowerRecord>) -> Self {
        let unmasking = Unmasking::of(std::slice::from_ref(&record));
        Self { record, branch: Related::Later, group: Related::Later, unmasking }
    }
}

/// The borrowers of a page who have personal values: the first value of the page that is shown in full puts all of them
/// on the audit trail, once.
struct Unmasking {
    borrowers: Vec<(Uuid, Uuid)>,
    recorded: OnceCell<()>,
}

impl Unmasking {
    fn of(records: &[Arc<BorrowerRecord>]) -> Arc<Self> {
        let with_values = records.iter().filter(|record| record.phone.is_some() || record.national_id.is_some());
        let borrowers = with_values.map(|record| (record.id, record.branch_id)).collect();
        Arc::new(Self { borrowers, recorded: OnceCell::new() })
    }

    async fn record(&self, request: Request<'_>) -> Result<()> {
        let record = || request.services.record_unmasking(request.actor, &self.borrowers);
        self.recorded.get_or_try_init(record).await?;
        Ok(())
    }
}

impl Borrower {
    /// Borrowers with the relations a plan asks for, in the order of the records.
    pub fn fetch<'a>(
        request: Request<'a>,
        records: Vec<Arc<BorrowerRecord>>,
        plan: &'a BorrowerPlan,
    ) -> BoxFuture<'a, Result<Vec<Self>>> {
        Box::pin(Self::fetch_all(request, records, plan))
    }

    async fn fetch_all(
        request: Request<'_>,
        records: Vec<Arc<BorrowerRecord>>,
        plan: &BorrowerPlan,
    ) -> Result<Vec<Self>> {
        let branches = match &plan.branch {
            Some(plan) => {
                let ids = records.iter().map(|record| record.branch_id).collect();
                Some(Branch::by_id(request, ids, plan).await?)
            }
            None => None,
        };
        let groups = match &plan.group {
            Some(plan) => {
                let ids: Vec<_> = records.iter().map(|record| (record.id, record.branch_id)).collect();
                Some(Group::of_borrowers(request, &ids, plan).await?)
            }
            None => None,
        };
        let unmasking = Unmasking::of(&records);
        Ok(records
            .into_iter()
            .map(|record| Self {
                branch: Related::of(branches.as_ref(), record.branch_id),
                group: Related::of(groups.as_ref(), record.id),
                unmasking: Arc::clone(&unmasking),
                record,
            })
            .collect())
    }

    /// The borrowers with these ids, by id, with the relations a plan asks for.
    pub async fn by_id(request: Request<'_>, mut ids: Vec<Uuid>, plan: &BorrowerPlan) -> Result<HashMap<Uuid, Self>> {
        ids.sort_unstable();
        ids.dedup();
        let records = request.services.borrowers_by_id(request.actor, &ids).await?;
        let borrowers = Self::fetch(request, records.into_iter().flatten().collect(), plan).await?;
        Ok(borrowers.into_iter().map(|borrower| (borrower.record.id, borrower)).collect())
    }

    /// The one borrower with this id, loaded on its own.
    pub async fn load(context: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let request = request(context)?;
        let record = request.services.borrower(request.actor, &BorrowerKey::Id(id)).await?;
        Ok(record.map(Self::from))
    }
}

/// Someone who borrows.
#[Object]
impl Borrower {
    /// The id, such as "borrower_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::Borrower, self.record.id)
    }

    /// The number people read out, such as "B-000000001".
    fn number(&self) -> &str {
        &self.record.number
    }

    /// The name; "[erased]" once the person was erased.
    fn name(&self) -> &str {
        &self.record.name
    }

    /// The id in another system.
    fn external_ref(&self) -> Option<&str> {
        self.record.external_ref.as_deref()
    }

    /// The branch that looks after them; null where the caller may not see it.
    async fn branch(&self, context: &Context<'_>) -> Nullable<Branch> {
        self.branch.or_load(|| Branch::load(context, self.record.branch_id)).await
    }

    /// The group they belong to now at the branch that looks after them; null when there is none.
    async fn group(&self, context: &Context<'_>) -> Nullable<Group> {
        if let Related::Fetched(group) = &self.group {
            return group.clone().map(Ok);
        }
        let found = async {
            let own = [(self.record.id, self.record.branch_id)];
            let mut groups = Group::of_borrowers(request(context)?, &own, &GroupPlan::default()).await?;
            Ok(groups.remove(&self.record.id))
        };
        Box::pin(found).await.transpose()
    }

    /// The telephone number; all but its last three characters are hidden from those who may not read personal data. Showing it in full is an event of the audit trail.
    async fn phone(&self, context: &Context<'_>) -> Nullable<String> {
        self.personal(context, PersonalField::Phone).await.transpose()
    }

    /// The national id; all but its last three characters are hidden from those who may not read personal data. Showing it in full is an event of the audit trail.
    async fn national_id(&self, context: &Context<'_>) -> Nullable<String> {
        self.personal(context, PersonalField::NationalId).await.transpose()
    }

    /// The date of birth.
    fn date_of_birth(&self) -> Option<Date> {
        self.record.date_of_birth.map(Date)
    }

    /// When everything personal was erased; null for everybody else. What is left are the id, the number and what refers to them.
    fn erased_at(&self) -> Option<DateTime> {
        self.record.erased_at.map(DateTime)
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.record.version
    }

    /// When they were registered.
    fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When the record last changed.
    fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }
}

written!(Borrower {
    "id": value |it, _| id(Kind::Borrower, it.record.id),
    "number": value |it, context| it.number(context),
    "name": value |it, context| it.name(context),
    "externalRef": value |it, context| it.external_ref(context),
    "branch": object |it, _| &it.branch,
    "group": object |it, _| &it.group,
    "dateOfBirth": value |it, context| it.date_of_birth(context),
    "erasedAt": value |it, context| it.erased_at(context),
    "version": value |it, context| it.version(context),
    "createdAt": value |it, context| it.created_at(context),
    "updatedAt": value |it, context| it.updated_at(context),
});

impl Borrower {
    async fn personal(&self, context: &Context<'_>, field: PersonalField) -> Result<Option<String>> {
        let request = request(context)?;
        let value = match field {
            PersonalField::Phone => self.record.phone.as_ref(),
            PersonalField::NationalId => self.record.national_id.as_ref(),
        };
        if value.is_some() {
            Box::pin(self.unmasking.record(request)).await?;
        }
        Ok(request.services.personal_value(request.actor, &self.record, field)?)
    }
}
