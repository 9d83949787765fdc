//! The portfolio: how many loans there are, what is owed on them, how late that is, and what happened in a period; in all
//! and by status, branch, product and officer. Amounts are always per currency.
//!
//! A day has three kinds of loans. Where a branch's business date is the day or before it, projections are right for it,
//! but for late loans whose interest grows day by day and that were not refreshed for the day yet: those are folded, and
//! left out of all other sums by their ids, whatever becomes of them meanwhile. Where the business date is past the day,
//! every loan is folded as of the day, chunk by chunk. All three make the same sums.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | reports, and what each of their measures is put together from |
//! | `days` | business dates by time zone, and filters on days past due |
//! | `fold` | sums of loans folded to a day |
//! | `ratio` | portfolio at risk |
//! | `refresh` | late loans whose balances are worked out anew for a day |
//! | `roll_up` | how what writes add to the sums is put together |

mod days;
mod fold;
mod ratio;
mod refresh;
mod roll_up;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use lending::loan::FoldError;
use tokio::sync::{Mutex, OnceCell};

use super::error::ServiceError;
use super::list::Filter;
use super::loans::LoanField;
use super::{Services, problem};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::StoreError;
use crate::store::portfolio::{self as store, Choice, Part};
use crate::store::scope::Scope;
use days::Slice;
use fold::Folded;

pub use crate::store::portfolio::{AGES, Aged, Counted, Flow, Flows, GroupBy, GroupKey, Late, Owed, Rescheduled, Sums};
pub use ratio::{AtRisk, at_risk};
pub use refresh::Pace;

/// A period: its first and its last day.
pub type Period = (NaiveDate, NaiveDate);

/// A report on the loans that match a filter. What is asked of it is worked out once, when it is first asked for.
#[derive(Default)]
pub struct Report {
    filter: Filter<LoanField>,
    as_of: Option<NaiveDate>,
    slices: OnceCell<Vec<Slice>>,
    folded: OnceCell<Folded>,
    counted: PerGroup<Counted>,
    owed: PerGroup<Owed>,
    late: PerGroup<Late>,
    aged: PerGroup<Aged>,
    rescheduled: PerGroup<Rescheduled>,
    flows: Mutex<KnownFlows>,
}

/// What happened in the periods that were asked for, by the kind of group.
type KnownFlows = HashMap<(GroupBy, Period), Arc<Sums<Flows>>>;

/// One measure by each kind of group.
struct PerGroup<M>([OnceCell<Arc<Sums<M>>>; GroupBy::ALL.len()]);

impl<M> Default for PerGroup<M> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceCell::new()))
    }
}

impl<M> PerGroup<M> {
    fn cell(&self, group: GroupBy) -> &OnceCell<Arc<Sums<M>>> {
        let [nothing, status, branch, product, officer] = &self.0;
        match group {
            GroupBy::Nothing => nothing,
            GroupBy::Status => status,
            GroupBy::Branch => branch,
            GroupBy::Product => product,
            GroupBy::Officer => officer,
        }
    }
}

impl Report {
    /// A report on a day: the business date of each branch when none is named.
    #[must_use]
    pub fn new(filter: Filter<LoanField>, as_of: Option<NaiveDate>) -> Self {
        Self { filter, as_of, ..Self::default() }
    }

    /// The day that was asked for.
    #[must_use]
    pub fn as_of(&self) -> Option<NaiveDate> {
        self.as_of
    }

    /// How many loans there are.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; [`ServiceError::Rejected`] for a day that is not there yet; whatever the database
    /// answers.
    pub async fn counted(
        &self,
        services: &Services,
        actor: &Actor,
        group: GroupBy,
    ) -> Result<Arc<Sums<Counted>>, ServiceError> {
        let load = async || {
            let scope = services.authorize(actor, Action::ReadPortfolio)?;
            let reader = services.database.reader();
            let mut sums = Sums::new();
            if self.as_of.is_none() {
                // The same on every day: there is no need to know which it is.
                let filter = services.dated(&self.filter).await?;
                let everything = Choice { scope: &scope, filter: &filter, part: Part::Everything };
                return Ok(Arc::new(store::counted(reader, everything, group).await?));
            }
            let folded = self.folded(services, &scope).await?;
            for slice in self.projected(services).await? {
                add(&mut sums, store::counted(reader, slice.choice(&scope, folded), group).await?)?;
            }
            add(&mut sums, folded.counted(group))?;
            Ok(Arc::new(sums))
        };
        self.counted.cell(group).get_or_try_init(load).await.cloned()
    }

    /// What is owed.
    ///
    /// # Errors
    /// See [`Self::counted`].
    pub async fn owed(
        &self,
        services: &Services,
        actor: &Actor,
        group: GroupBy,
    ) -> Result<Arc<Sums<Owed>>, ServiceError> {
        let load = async || {
            let scope = services.authorize(actor, Action::ReadPortfolio)?;
            let (reader, mut sums) = (services.database.reader(), Sums::new());
            let folded = self.folded(services, &scope).await?;
            for slice in self.projected(services).await? {
                add(&mut sums, store::owed(reader, slice.choice(&scope, folded), group).await?)?;
            }
            add(&mut sums, folded.owed(group))?;
            Ok(Arc::new(sums))
        };
        self.owed.cell(group).get_or_try_init(load).await.cloned()
    }

    /// How late the outstanding principal is.
    ///
    /// # Errors
    /// See [`Self::counted`].
    pub async fn late(
        &self,
        services: &Services,
        actor: &Actor,
        group: GroupBy,
    ) -> Result<Arc<Sums<Late>>, ServiceError> {
        let load = async || {
            let scope = services.authorize(actor, Action::ReadPortfolio)?;
            let (reader, mut sums) = (services.database.reader(), Sums::new());
            let folded = self.folded(services, &scope).await?;
            for slice in self.projected(services).await? {
                add(&mut sums, store::late(reader, slice.choice(&scope, folded), group, slice.day).await?)?;
            }
            add(&mut sums, folded.late(group))?;
            Ok(Arc::new(sums))
        };
        self.late.cell(group).get_or_try_init(load).await.cloned()
    }

    /// What is left of the installments that were due, by their age.
    ///
    /// # Errors
    /// See [`Self::counted`].
    pub async fn aged(
        &self,
        services: &Services,
        actor: &Actor,
        group: GroupBy,
    ) -> Result<Arc<Sums<Aged>>, ServiceError> {
        let load = async || {
            let scope = services.authorize(actor, Action::ReadPortfolio)?;
            let (reader, mut sums) = (services.database.reader(), Sums::new());
            let folded = self.folded(services, &scope).await?;
            for slice in self.projected(services).await? {
                add(&mut sums, store::aged(reader, slice.choice(&scope, folded), group, slice.day).await?)?;
            }
            add(&mut sums, folded.aged(group))?;
            Ok(Arc::new(sums))
        };
        self.aged.cell(group).get_or_try_init(load).await.cloned()
    }

    /// Active loans whose rest was agreed anew.
    ///
    /// # Errors
    /// See [`Self::counted`].
    pub async fn rescheduled(
        &self,
        services: &Services,
        actor: &Actor,
        group: GroupBy,
    ) -> Result<Arc<Sums<Rescheduled>>, ServiceError> {
        let load = async || {
            let scope = services.authorize(actor, Action::ReadPortfolio)?;
            let (reader, mut sums) = (services.database.reader(), Sums::new());
            let folded = self.folded(services, &scope).await?;
            for slice in self.projected(services).await? {
                add(&mut sums, store::rescheduled(reader, slice.choice(&scope, folded), group).await?)?;
            }
            add(&mut sums, folded.rescheduled(group))?;
            Ok(Arc::new(sums))
        };
        self.rescheduled.cell(group).get_or_try_init(load).await.cloned()
    }

    /// What happened in a period.
    ///
    /// # Errors
    /// See [`Self::counted`]; [`ServiceError::Rejected`] for a period that ends before it begins.
    pub async fn flows(
        &self,
        services: &Services,
        actor: &Actor,
        group: GroupBy,
        period: Period,
    ) -> Result<Arc<Sums<Flows>>, ServiceError> {
        let scope = services.authorize(actor, Action::ReadPortfolio)?;
        if period.1 < period.0 {
            return Err(out_of_order());
        }
        // Held across the statements: fields that ask for the same at the same time share one answer.
        let mut known = self.flows.lock().await;
        if let Some(flows) = known.get(&(group, period)) {
            return Ok(Arc::clone(flows));
        }
        let (reader, mut sums) = (services.database.reader(), Sums::new());
        let folded = self.folded(services, &scope).await?;
        for slice in self.projected(services).await? {
            add(&mut sums, store::flows(reader, slice.choice(&scope, folded), group, period).await?)?;
        }
        add(&mut sums, folded.flows(group, period)?)?;
        let sums = Arc::new(sums);
        known.insert((group, period), Arc::clone(&sums));
        Ok(sums)
    }

    async fn slices(&self, services: &Services) -> Result<&Vec<Slice>, ServiceError> {
        self.slices.get_or_try_init(|| services.slices(&self.filter, self.as_of)).await
    }

    /// The slices that projections are right for.
    async fn projected(&self, services: &Services) -> Result<impl Iterator<Item = &Slice>, ServiceError> {
        Ok(self.slices(services).await?.iter().filter(|slice| !slice.past))
    }

    /// What has to be folded, all together.
    async fn folded(&self, services: &Services, scope: &Scope) -> Result<&Folded, ServiceError> {
        let load = async || {
            let mut folded = Folded::default();
            for slice in self.slices(services).await? {
                services.fold_slice(scope, slice, &mut folded).await?;
            }
            Ok(folded)
        };
        self.folded.get_or_try_init(load).await
    }
}

fn out_of_order() -> ServiceError {
    let message = "Send a period whose first day is not after its last.";
    problem::Problem::new(problem::ProblemCode::DateOutOfRange, &["from"], message).into()
}

/// A measure that can be added up.
pub trait Measure: Default {
    /// Adds another one.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    fn add(&mut self, other: &Self) -> Result<(), FoldError>;
}

fn add<M: Measure>(
    sums: &mut Sums<M>,
    more: impl IntoIterator<Item = ((GroupKey, &'static str), M)>,
) -> Result<(), ServiceError> {
    for (place, measure) in more {
        sums.entry(place).or_default().add(&measure).map_err(too_large)?;
    }
    Ok(())
}

/// A sum that does not fit into 64 bits of minor units.
fn too_large(error: FoldError) -> ServiceError {
    ServiceError::Internal(StoreError::Corrupt(error.to_string()))
}

fn plus(one: &mut i64, other: i64) -> Result<(), FoldError> {
    *one = one.checked_add(other).ok_or(FoldError::Overflow)?;
    Ok(())
}

impl Measure for Counted {
    fn add(&mut self, other: &Self) -> Result<(), FoldError> {
        plus(&mut self.count, other.count)?;
        plus(&mut self.principal, other.principal)
    }
}

impl Measure for Owed {
    fn add(&mut self, other: &Self) -> Result<(), FoldError> {
        self.outstanding = self.outstanding.plus(&other.outstanding)?;
        plus(&mut self.credit, other.credit)
    }
}

impl Measure for Late {
    fn add(&mut self, other: &Self) -> Result<(), FoldError> {
        plus(&mut self.principal, other.principal)?;
        for (days, (principal, count)) in &other.by_days {
            let of_days = self.by_days.entry(*days).or_default();
            plus(&mut of_days.0, *principal)?;
            plus(&mut of_days.1, *count)?;
        }
        Ok(())
    }
}

impl Measure for Aged {
    fn add(&mut self, other: &Self) -> Result<(), FoldError> {
        for (one, other) in self.ages.iter_mut().zip(&other.ages) {
            *one = one.plus(other)?;
        }
        Ok(())
    }
}

impl Measure for Rescheduled {
    fn add(&mut self, other: &Self) -> Result<(), FoldError> {
        plus(&mut self.count, other.count)?;
        self.outstanding = self.outstanding.plus(&other.outstanding)?;
        Ok(())
    }
}

impl Measure for Flows {
    fn add(&mut self, other: &Self) -> Result<(), FoldError> {
        self.expected = self.expected.plus(&other.expected)?;
        self.disbursements = self.disbursements.plus(&other.disbursements)?;
        self.repayments = self.repayments.plus(&other.repayments)?;
        self.recoveries = self.recoveries.plus(&other.recoveries)?;
        Ok(())
    }
}
