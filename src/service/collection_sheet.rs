//! The collection sheet: who owes what by a day, as the books stand now. It is a list to walk with; recording what was
//! collected is a matter of repayments.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use lending::loan::Portions;
use lending::money::Currency;
use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::list::{Cursor, Filter, Page, PageRequest, Scalar, Test};
use super::loans::LoanField;
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::StoreError;
use crate::store::branches::{self, BranchKey};
use crate::store::collection::{self as store, Place};
use crate::store::find::Lock;
use crate::store::groups::{self, GroupKey};

pub use crate::store::collection::{Due, GroupDue};

/// A collection sheet that exists for the caller.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The branch, with those below it.
    pub branch: Uuid,
    /// The only group on it, if there is one.
    pub group: Option<Uuid>,
    /// The day.
    pub on: NaiveDate,
    sheet: store::Sheet,
}

/// What is to be collected in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyDue {
    /// The currency.
    pub currency: Currency,
    /// How many loans.
    pub loans: i64,
    /// What falls due on the day.
    pub due: Portions,
    /// What fell due before it.
    pub overdue: Portions,
}

impl Services {
    /// The sheet of a branch with those below it, or of one of their groups, for a day. `None` when there is no such
    /// branch or no such group of it for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn collection_sheet(
        &self,
        actor: &Actor,
        branch: Uuid,
        on: NaiveDate,
        group: Option<Uuid>,
    ) -> Result<Option<Sheet>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let reader = self.database.reader();
        if branches::find(reader, &scope, &BranchKey::Id(branch), Lock::None).await?.is_none() {
            return Ok(None);
        }
        let mut filter = vec![Filter::UnderBranches(vec![branch])];
        if let Some(group) = group {
            if groups::find(reader, &scope, &GroupKey::Id(group), Lock::None).await?.is_none() {
                return Ok(None);
            }
            filter.push(Filter::Field(LoanField::Group, Test::Is(Scalar::Id(group))));
        }
        let sheet = store::Sheet { filter: Filter::All(filter), on };
        Ok(Some(Sheet { branch, group, on, sheet }))
    }

    /// Part of a sheet's rows, by center, group, borrower and loan.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn collection_rows(
        &self,
        actor: &Actor,
        sheet: &Sheet,
        request: &PageRequest,
    ) -> Result<Page<Due>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let place = request.cursor.as_deref().map(|text| read(sheet, text)).transpose()?;
        let size = u64::from(request.size);
        let reader = self.database.reader();
        let mut rows =
            store::rows(reader, &scope, &sheet.sheet, place.as_ref(), request.backward, size.saturating_add(1)).await?;
        let most = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        if more && request.backward {
            rows.remove(0);
        }
        rows.truncate(most);
        let (has_previous, has_next) = if request.backward { (more, place.is_some()) } else { (place.is_some(), more) };
        let row = |(place, due): (Place, Due)| Ok((Cursor::Written(write(sheet, &place)?), due));
        Ok(Page { rows: rows.into_iter().map(row).collect::<Result<_, ServiceError>>()?, has_previous, has_next })
    }

    /// What is to be collected from each group in each currency, in the order of the rows.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn collection_groups(&self, actor: &Actor, sheet: &Sheet) -> Result<Vec<GroupDue>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        Ok(store::groups(self.database.reader(), &scope, &sheet.sheet).await?)
    }
}

/// What groups owe together, per currency in the order of the codes.
///
/// # Errors
/// [`ServiceError::Internal`] when a sum does not fit.
pub fn totals(groups: &[GroupDue]) -> Result<Vec<CurrencyDue>, ServiceError> {
    let mut sums = std::collections::BTreeMap::new();
    for group in groups {
        let sum = sums.entry(group.currency.code()).or_insert(CurrencyDue {
            currency: group.currency,
            loans: 0,
            due: Portions::ZERO,
            overdue: Portions::ZERO,
        });
        let too_large = |_| ServiceError::Internal(StoreError::Corrupt("a sum that is too large to keep".to_owned()));
        sum.loans = sum.loans.saturating_add(group.loans);
        sum.due = sum.due.plus(&group.due).map_err(too_large)?;
        sum.overdue = sum.overdue.plus(&group.overdue).map_err(too_large)?;
    }
    Ok(sums.into_values().collect())
}

/// A cursor holds the place of a row, and belongs to one sheet.
fn write(sheet: &Sheet, place: &Place) -> Result<String, ServiceError> {
    let json = serde_json::to_vec(&("collection", sheet.branch, sheet.group, sheet.on, place))
        .map_err(|error| ServiceError::Internal(StoreError::Corrupt(error.to_string())))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn read(sheet: &Sheet, text: &str) -> Result<Place, ServiceError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| ServiceError::InvalidCursor)?;
    let (list, branch, group, on, place): (String, Uuid, Option<Uuid>, NaiveDate, Place) =
        serde_json::from_slice(&json).map_err(|_| ServiceError::InvalidCursor)?;
    let belongs = list == "collection" && (branch, group, on) == (sheet.branch, sheet.group, sheet.on);
    if belongs { Ok(place) } else { Err(ServiceError::InvalidCursor) }
}
