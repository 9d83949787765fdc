//! Use cases around branches: looking at them, opening, changing and closing them.

use std::sync::Arc;

use lending::money::Currency;
use uuid::Uuid;

use super::audit::About;
use super::check::{Change, Check};
use super::error::ServiceError;
use super::list::COUNT_CAP;
use super::problem::{Problem, ProblemCode};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::branches::{self as store, StillInUse};
use crate::store::find::Lock;
use crate::store::scope::Scope;
use crate::store::{StoreError, page};

pub use super::list::{Filter, Page, PageRequest, SortKey};
pub use crate::store::branches::{BranchField, BranchKey, BranchRecord, BranchStatus};

const NAME_LENGTH: usize = 200;

/// A branch to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateBranch {
    /// A short, unique code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The branch above it.
    pub parent: Option<Uuid>,
    /// An ISO 4217 code.
    pub currency: String,
    /// An IANA time zone.
    pub time_zone: String,
}

/// Changes to a branch. Code and currency stay: loans and reports refer to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateBranch {
    /// Which branch.
    pub id: Uuid,
    /// A new name.
    pub name: Option<String>,
    /// Another branch above it, or none.
    pub parent: Change<Uuid>,
    /// Another time zone.
    pub time_zone: Option<String>,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// One branch, if it exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn branch(&self, actor: &Actor, key: &BranchKey) -> Result<Option<Arc<BranchRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBranches)?;
        let reader = self.database.reader();
        match key {
            BranchKey::Id(id) => Ok(self.gathered.branches.by_id::<BranchField>(reader, &scope, *id).await?),
            _ => Ok(store::find(reader, &scope, key, Lock::None).await?.map(Arc::new)),
        }
    }

    /// Branches in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn branches_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<BranchRecord>>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBranches)?;
        Ok(self.gathered.branches.by_ids::<BranchField>(self.database.reader(), &scope, ids).await?)
    }

    /// Part of the list of branches.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn branches(
        &self,
        actor: &Actor,
        filter: &Filter<BranchField>,
        order: &[SortKey<BranchField>],
        request: &PageRequest,
    ) -> Result<Page<Arc<BranchRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBranches)?;
        Ok(self.gathered.branches.page(self.database.reader(), &scope, filter, order, request).await?)
    }

    /// How many branches match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_branches(&self, actor: &Actor, filter: &Filter<BranchField>) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBranches)?;
        Ok(page::count(self.database.reader(), &scope, filter, COUNT_CAP).await?)
    }

    /// Opens a branch.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the input; [`ServiceError::Forbidden`].
    pub async fn create_branch(&self, actor: &Actor, input: &CreateBranch) -> Result<BranchRecord, ServiceError> {
        let about = match input.parent {
            Some(parent) => About::of("createBranch", Kind::Branch, parent),
            None => About::lender("createBranch"),
        };
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::CreateBranch)?;
            let record = self.new_branch(input)?;
            let (scope, record) = (&scope, &record);
            let outcome = trail.write(|transaction| async move {
                if let Some(parent) = record.parent_id {
                    require_parent(&transaction, scope, parent).await?;
                } else if *scope != Scope::All {
                    return Err(top_is_not_theirs().into());
                }
                store::insert(&*transaction, record).await?;
                Ok(record.clone())
            });
            outcome.await.map_err(|error| taken(error, &["input", "code"]))
        })
        .await
    }

    fn new_branch(&self, input: &CreateBranch) -> Result<BranchRecord, ServiceError> {
        let now = self.now();
        let mut check = Check::default();
        let code = check.code(&["input", "code"], &input.code);
        let name = check.text(&["input", "name"], &input.name, NAME_LENGTH);
        let currency: Option<Currency> = check.currency(&["input", "currency"], &input.currency);
        let time_zone = check_time_zone(&mut check, &input.time_zone);
        check.finish()?;
        let (Some(code), Some(name), Some(currency), Some(time_zone)) = (code, name, currency, time_zone) else {
            return Err(ServiceError::BadInput);
        };
        Ok(BranchRecord {
            id: self.ids.next(now),
            code,
            name,
            parent_id: input.parent,
            currency,
            time_zone,
            status: BranchStatus::Open,
            rest_days: Vec::new(),
            closed_through: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Changes a branch; what is not named stays.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with the problems of the input; [`ServiceError::Forbidden`].
    pub async fn update_branch(&self, actor: &Actor, input: &UpdateBranch) -> Result<BranchRecord, ServiceError> {
        let about = About::of("updateBranch", Kind::Branch, input.id);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::UpdateBranch)?;
            let mut check = Check::default();
            let name = input.name.as_deref().and_then(|name| check.text(&["input", "name"], name, NAME_LENGTH));
            let time_zone = input.time_zone.as_deref().and_then(|zone| check_time_zone(&mut check, zone));
            check.finish()?;

            let now = self.now();
            let (scope, name, time_zone) = (&scope, &name, &time_zone);
            trail
                .write(|transaction| async move {
                    if matches!(input.parent, Change::Set(_)) {
                        // Before any row is locked, so that two moves wait here and not for each other's rows.
                        store::lock_forest(&*transaction).await?;
                    }
                    let mut record = load(&transaction, scope, input.id, input.expected_version).await?;
                    if let Some(name) = name {
                        record.name.clone_from(name);
                    }
                    if let Some(time_zone) = time_zone {
                        record.time_zone.clone_from(time_zone);
                    }
                    match &input.parent {
                        Change::Keep => {}
                        Change::Clear if record.parent_id.is_some() && *scope != Scope::All => {
                            return Err(top_is_not_theirs().into());
                        }
                        Change::Clear => record.parent_id = None,
                        Change::Set(parent) => {
                            require_parent(&transaction, scope, *parent).await?;
                            if store::is_below(&*transaction, *parent, record.id).await? {
                                return Err(Problem::new(
                                    ProblemCode::BranchCycle,
                                    &["input", "parentId"],
                                    "Choose a branch that does not lie below this one.",
                                )
                                .into());
                            }
                            record.parent_id = Some(*parent);
                        }
                    }
                    record.version += 1;
                    record.updated_at = now;
                    store::update(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
        })
        .await
    }

    /// Closes a branch that has no open branches below it and no loans that have not ended. Closing a closed branch
    /// changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when it is still in use; [`ServiceError::Forbidden`].
    pub async fn close_branch(
        &self,
        actor: &Actor,
        id: Uuid,
        expected_version: Option<i64>,
    ) -> Result<BranchRecord, ServiceError> {
        let about = About::of("closeBranch", Kind::Branch, id);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::CloseBranch)?;
            let now = self.now();
            let scope = &scope;
            trail
                .write(|transaction| async move {
                    let mut record = load(&transaction, scope, id, expected_version).await?;
                    if record.status == BranchStatus::Closed {
                        return Ok(record);
                    }
                    if let Some(reason) = store::still_in_use(&*transaction, id).await? {
                        let message = match reason {
                            StillInUse::OpenChild => "Close the branches below this one first.",
                            StillInUse::LiveLoans => "Wait until all of this branch's loans have ended, or move them.",
                        };
                        return Err(Problem::new(ProblemCode::BranchInUse, &["input", "branchId"], message).into());
                    }
                    record.status = BranchStatus::Closed;
                    record.version += 1;
                    record.updated_at = now;
                    store::update(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
        })
        .await
    }

    /// What day it is at a branch.
    #[must_use]
    pub fn business_date(&self, branch: &BranchRecord) -> chrono::NaiveDate {
        business_date(branch, self.now())
    }
}

/// A branch without one above it belongs to nobody who works for some branches only.
fn top_is_not_theirs() -> Problem {
    Problem::new(
        ProblemCode::Required,
        &["input", "parentId"],
        "Name the branch above it: only someone who works for all branches may have one without.",
    )
}

fn check_time_zone(check: &mut Check, name: &str) -> Option<String> {
    let path = ["input", "timeZone"];
    let name = check.text(&path, name, 64)?;
    if name.parse::<chrono_tz::Tz>().is_ok() {
        return Some(name);
    }
    check.note(Problem::new(ProblemCode::InvalidFormat, &path, "Send an IANA time zone, such as Africa/Nairobi."));
    None
}

async fn load(
    transaction: &crate::store::database::Transaction,
    scope: &Scope,
    id: Uuid,
    expected_version: Option<i64>,
) -> Result<BranchRecord, ServiceError> {
    let record = store::find(&**transaction, scope, &BranchKey::Id(id), Lock::ForUpdate)
        .await?
        .ok_or_else(|| Problem::not_found(&["input", "branchId"], "branch"))?;
    Problem::expect_version(expected_version, record.version)?;
    Ok(record)
}

async fn require_parent(
    transaction: &crate::store::database::Transaction,
    scope: &Scope,
    id: Uuid,
) -> Result<(), ServiceError> {
    let path = ["input", "parentId"];
    let parent = store::find(&**transaction, scope, &BranchKey::Id(id), Lock::ForUpdate)
        .await?
        .ok_or_else(|| Problem::not_found(&path, "branch"))?;
    match parent.status {
        BranchStatus::Open => Ok(()),
        BranchStatus::Closed => Err(Problem::new(ProblemCode::BranchClosed, &path, "Choose an open branch.").into()),
    }
}

/// The branch that a row the caller may see belongs to.
pub(super) async fn branch_of(
    transaction: &crate::store::database::Transaction,
    id: Uuid,
) -> Result<BranchRecord, ServiceError> {
    let branch = store::find(&**transaction, &Scope::All, &BranchKey::Id(id), Lock::None).await?;
    Ok(branch.ok_or_else(|| StoreError::Corrupt("a row without its branch".to_owned()))?)
}

/// A broken unique index, told as a problem of the input that holds the value.
pub(super) fn taken(error: ServiceError, path: &[&str]) -> ServiceError {
    match error {
        ServiceError::Internal(StoreError::Duplicate(_)) => {
            Problem::new(ProblemCode::AlreadyTaken, path, "This value is in use already; choose another.").into()
        }
        other => other,
    }
}
