//! Use cases around borrowers: looking at them, registering them, changing what is known of them. Telephone number and
//! national id are sealed on the way in, and shown in full only to those who may see them.

use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use super::audit::About;
use super::branches::{branch_of, taken};
use super::check::{Change, Check};
use super::error::ServiceError;
use super::list::COUNT_CAP;
use super::personal_data::{Place, masked};
use super::problem::{PersonalField, Problem, ProblemCode};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::{self, Action};
use crate::ids::Kind;
use crate::store::borrowers as store;
use crate::store::branches::{self, BranchKey, BranchStatus};
use crate::store::find::Lock;
use crate::store::numbers::{self, Sequence};
use crate::store::page;

pub use super::list::{Filter, Page, PageRequest, SortKey};
pub use crate::store::borrowers::{BorrowerField, BorrowerKey, BorrowerRecord, Sealed};

const NAME_LENGTH: usize = 200;
const REFERENCE_LENGTH: usize = 100;
const PERSONAL_LENGTH: usize = 64;

/// A borrower to register.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisterBorrower {
    /// The branch that will look after them.
    pub branch: Uuid,
    /// The name.
    pub name: String,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// National id.
    pub national_id: Option<String>,
    /// Date of birth.
    pub date_of_birth: Option<NaiveDate>,
    /// Register them even if someone else holds their telephone number or national id.
    pub allow_duplicate: bool,
}

/// Changes to a borrower; what is kept stays.
#[derive(Clone, PartialEq, Eq)]
pub struct UpdateBorrower {
    /// Which borrower.
    pub id: Uuid,
    /// A new name.
    pub name: Option<String>,
    /// The id in another system.
    pub external_ref: Change<String>,
    /// Telephone number.
    pub phone: Change<String>,
    /// National id.
    pub national_id: Change<String>,
    /// Date of birth.
    pub date_of_birth: Change<NaiveDate>,
    /// Make the change even if someone else holds the telephone number or national id.
    pub allow_duplicate: bool,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// One borrower, if they exist for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn borrower(
        &self,
        actor: &Actor,
        key: &BorrowerKey,
    ) -> Result<Option<Arc<BorrowerRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBorrowers)?;
        let reader = self.database.reader();
        match key {
            BorrowerKey::Id(id) => Ok(self.gathered.borrowers.by_id::<BorrowerField>(reader, &scope, *id).await?),
            _ => Ok(store::find(reader, &scope, key, Lock::None).await?.map(Arc::new)),
        }
    }

    /// Borrowers in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn borrowers_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<BorrowerRecord>>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBorrowers)?;
        Ok(self.gathered.borrowers.by_ids::<BorrowerField>(self.database.reader(), &scope, ids).await?)
    }

    /// Part of the list of borrowers. A telephone number or national id in the filter is found by its keyed hash, and
    /// that someone looked for it is on the audit trail.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; [`ServiceError::Rejected`] when the filter names more
    /// than one telephone number or national id; whatever the database answers.
    pub async fn borrowers(
        &self,
        actor: &Actor,
        filter: &Filter<BorrowerField>,
        order: &[SortKey<BorrowerField>],
        request: &PageRequest,
    ) -> Result<Page<Arc<BorrowerRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBorrowers)?;
        let filter = self.by_hash(filter)?;
        self.record_lookup(actor, &filter).await?;
        Ok(self.gathered.borrowers.page(self.database.reader(), &scope, &filter, order, request).await?)
    }

    /// How many borrowers match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_borrowers(&self, actor: &Actor, filter: &Filter<BorrowerField>) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadBorrowers)?;
        Ok(page::count(self.database.reader(), &scope, &self.by_hash(filter)?, COUNT_CAP).await?)
    }

    /// A borrower's telephone number or national id: in full for those who may see it, otherwise masked.
    ///
    /// # Errors
    /// [`ServiceError::Unreadable`] when none of the configured keys opens it.
    pub fn personal_value(
        &self,
        actor: &Actor,
        record: &BorrowerRecord,
        field: PersonalField,
    ) -> Result<Option<String>, ServiceError> {
        let value = match field {
            PersonalField::Phone => record.phone.as_ref(),
            PersonalField::NationalId => record.national_id.as_ref(),
        };
        let Some(value) = value else { return Ok(None) };
        let plain = self.personal_data.open(Place { borrower: record.id, field }, value).inspect_err(|_| {
            tracing::error!(borrower = %record.id, ?field, key_id = ?record.key_id, "no key opens a personal value");
        })?;
        Ok(Some(if policy::can(actor, Action::ReadPersonalData) { plain } else { masked(&plain) }))
    }

    /// Registers a borrower at an open branch.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the input; [`ServiceError::Forbidden`].
    pub async fn register_borrower(
        &self,
        actor: &Actor,
        input: &RegisterBorrower,
    ) -> Result<BorrowerRecord, ServiceError> {
        let about = About::of("registerBorrower", Kind::Branch, input.branch);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::RegisterBorrower)?;
            let record = self.new_borrower(input)?;
            let now = self.now();
            let (scope, record) = (&scope, &record);
            trail
                .write(|transaction| async move {
                    let path = ["input", "branchId"];
                    let branch = branches::find(&*transaction, scope, &BranchKey::Id(record.branch_id), Lock::None)
                        .await?
                        .ok_or_else(|| Problem::not_found(&path, "branch"))?;
                    if branch.status == BranchStatus::Closed {
                        return Err(Problem::new(ProblemCode::BranchClosed, &path, "Choose an open branch.").into());
                    }
                    let mut check = Check::default();
                    if let Some(born) = record.date_of_birth {
                        check.not_after(&["input", "dateOfBirth"], born, business_date(&branch, now));
                    }
                    check.finish()?;
                    if !input.allow_duplicate {
                        self.refuse_duplicate(&transaction, scope, record, None).await?;
                    }
                    let numbers = numbers::take(&*transaction, Sequence::Borrower, 1).await?;
                    let number = numbers.into_iter().next().unwrap_or_default();
                    let record = BorrowerRecord { number, ..record.clone() };
                    store::insert(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
                .map_err(|error| taken(error, &["input", "externalRef"]))
        })
        .await
    }

    fn new_borrower(&self, input: &RegisterBorrower) -> Result<BorrowerRecord, ServiceError> {
        let now = self.now();
        let mut check = Check::default();
        let name = check.text(&["input", "name"], &input.name, NAME_LENGTH);
        let external_ref =
            check.optional_text(&["input", "externalRef"], input.external_ref.as_deref(), REFERENCE_LENGTH);
        let phone = check_phone(&mut check, input.phone.as_deref());
        let national_id = check.optional_text(&["input", "nationalId"], input.national_id.as_deref(), PERSONAL_LENGTH);
        check.finish()?;
        let id = self.ids.next(now);
        let seal = |field, value: Option<String>| {
            value.map(|value| self.personal_data.seal(Place { borrower: id, field }, &value)).transpose()
        };
        Ok(BorrowerRecord {
            id,
            branch_id: input.branch,
            number: String::new(),
            name: name.ok_or(ServiceError::BadInput)?,
            external_ref,
            phone: seal(PersonalField::Phone, phone)?,
            national_id: seal(PersonalField::NationalId, national_id)?,
            key_id: Some(self.personal_data.id().to_owned()),
            date_of_birth: input.date_of_birth,
            erased_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Changes what is known of a borrower; what is not named stays.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with the problems of the input; [`ServiceError::Forbidden`].
    pub async fn update_borrower(&self, actor: &Actor, input: &UpdateBorrower) -> Result<BorrowerRecord, ServiceError> {
        let about = About::of("updateBorrower", Kind::Borrower, input.id);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::UpdateBorrower)?;
            let changes = self.borrower_changes(input)?;
            let now = self.now();
            let (scope, changes) = (&scope, &changes);
            trail
                .write(|transaction| async move {
                    let mut record = store::find(&*transaction, scope, &BorrowerKey::Id(input.id), Lock::ForUpdate)
                        .await?
                        .ok_or_else(|| Problem::not_found(&["input", "borrowerId"], "borrower"))?;
                    refuse_erased(&record)?;
                    Problem::expect_version(input.expected_version, record.version)?;
                    if let Change::Set(born) = input.date_of_birth {
                        let branch = branch_of(&transaction, record.branch_id).await?;
                        let mut check = Check::default();
                        check.not_after(&["input", "dateOfBirth"], born, business_date(&branch, now));
                        check.finish()?;
                    }
                    let before = record.clone();
                    changes.apply(&mut record);
                    if !input.allow_duplicate {
                        self.refuse_duplicate(&transaction, scope, &record, Some(&before)).await?;
                    }
                    // Under one key altogether, as `key_id` says. What no key opens stays as it is, and so does `key_id`.
                    self.personal_data.renew(&mut record)?;
                    record.version += 1;
                    record.updated_at = now;
                    store::update(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
                .map_err(|error| taken(error, &["input", "externalRef"]))
        })
        .await
    }

    fn borrower_changes(&self, input: &UpdateBorrower) -> Result<BorrowerChanges, ServiceError> {
        let mut check = Check::default();
        let name = input.name.as_deref().map(|name| check.text(&["input", "name"], name, NAME_LENGTH));
        let external_ref = check.text_change(&["input", "externalRef"], &input.external_ref, REFERENCE_LENGTH);
        let phone = match &input.phone {
            Change::Set(value) => check_phone(&mut check, Some(value)).map_or(Change::Clear, Change::Set),
            other => other.clone(),
        };
        let national_id = check.text_change(&["input", "nationalId"], &input.national_id, PERSONAL_LENGTH);
        check.finish()?;
        let seal = |field, change: Change<String>| -> Result<Change<Sealed>, ServiceError> {
            Ok(match change {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::Set(value) => {
                    Change::Set(self.personal_data.seal(Place { borrower: input.id, field }, &value)?)
                }
            })
        };
        Ok(BorrowerChanges {
            name: name.flatten(),
            external_ref,
            phone: seal(PersonalField::Phone, phone)?,
            national_id: seal(PersonalField::NationalId, national_id)?,
            date_of_birth: input.date_of_birth.clone(),
        })
    }
}

struct BorrowerChanges {
    name: Option<String>,
    external_ref: Change<String>,
    phone: Change<Sealed>,
    national_id: Change<Sealed>,
    date_of_birth: Change<NaiveDate>,
}

impl BorrowerChanges {
    fn apply(&self, record: &mut BorrowerRecord) {
        if let Some(name) = &self.name {
            record.name.clone_from(name);
        }
        self.external_ref.apply(&mut record.external_ref);
        self.phone.apply(&mut record.phone);
        self.national_id.apply(&mut record.national_id);
        self.date_of_birth.apply(&mut record.date_of_birth);
    }
}

/// Refuses a borrower whose person was erased.
pub(super) fn refuse_erased(record: &BorrowerRecord) -> Result<(), Problem> {
    match record.erased_at {
        Some(_) => Err(Problem::borrower_erased(&["input", "borrowerId"])),
        None => Ok(()),
    }
}

fn check_phone(check: &mut Check, raw: Option<&str>) -> Option<String> {
    let path = ["input", "phone"];
    let phone = check.optional_text(&path, raw, PERSONAL_LENGTH)?;
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let clean =
        phone.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '+' | '-' | ' ' | '(' | ')' | '.'));
    if clean && (4..=15).contains(&digits) {
        return Some(phone);
    }
    check.note(Problem::new(
        ProblemCode::InvalidFormat,
        &path,
        "Send a telephone number of 4 to 15 digits, such as +254 700 000 001.",
    ));
    None
}
