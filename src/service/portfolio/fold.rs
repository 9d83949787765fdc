//! The sums of loans that are folded to a day: a few hundred at a time, so that memory grows with the number of groups
//! and days and not with the number of loans.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lending::loan::{FoldError, LoanState, LoanStatus, Portions, Standing, TransactionKind};
use uuid::Uuid;

use super::days::Slice;
use super::{Aged, Counted, Flow, Flows, GroupBy, GroupKey, Late, Measure, Owed, Period, Rescheduled, Sums, too_large};
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::service::loan_views::{LoanView, lifecycle_on};
use crate::store::portfolio::{self as store, Choice, Part};
use crate::store::scope::Scope;

/// Loans folded at a time.
const AT_ONCE: u64 = 500;

/// Everything a report can ask of folded loans.
#[derive(Default)]
pub(super) struct Folded {
    figures: BTreeMap<(GroupKey, &'static str), Figures>,
    in_place_of: Vec<Uuid>,
}

#[derive(Default)]
struct Figures {
    counted: Counted,
    owed: Owed,
    late: Late,
    aged: Aged,
    rescheduled: Rescheduled,
    by_day: BTreeMap<NaiveDate, Flows>,
}

impl Folded {
    fn of<'a, M>(
        &'a self,
        group: GroupBy,
        measure: impl Fn(&'a Figures) -> M,
    ) -> impl Iterator<Item = ((GroupKey, &'static str), M)> {
        let of_group = self.figures.iter().filter(move |((key, _), _)| group_of(key) == group);
        of_group.map(move |(place, figures)| (place.clone(), measure(figures)))
    }

    /// The loans that were folded because their projection is not right for the day.
    pub fn in_place_of(&self) -> &[Uuid] {
        &self.in_place_of
    }

    pub fn counted(&self, group: GroupBy) -> impl Iterator<Item = ((GroupKey, &'static str), Counted)> {
        self.of(group, |figures| figures.counted)
    }

    pub fn owed(&self, group: GroupBy) -> impl Iterator<Item = ((GroupKey, &'static str), Owed)> {
        self.of(group, |figures| figures.owed)
    }

    pub fn late(&self, group: GroupBy) -> impl Iterator<Item = ((GroupKey, &'static str), Late)> {
        self.of(group, |figures| figures.late.clone())
    }

    pub fn aged(&self, group: GroupBy) -> impl Iterator<Item = ((GroupKey, &'static str), Aged)> {
        self.of(group, |figures| figures.aged)
    }

    pub fn rescheduled(&self, group: GroupBy) -> impl Iterator<Item = ((GroupKey, &'static str), Rescheduled)> {
        self.of(group, |figures| figures.rescheduled)
    }

    pub fn flows(&self, group: GroupBy, (from, to): Period) -> Result<Sums<Flows>, ServiceError> {
        let of_period = self.of(group, |figures| {
            let mut sum = Flows::default();
            for flows in figures.by_day.range(from..=to).map(|(_, flows)| flows) {
                sum.add(flows)?;
            }
            Ok(sum)
        });
        of_period.map(|(place, flows)| Ok((place, flows.map_err(too_large)?))).collect()
    }

    fn add(&mut self, view: &LoanView, status: LoanStatus) -> Result<(), FoldError> {
        let record = &view.record;
        let currency = record.terms.principal.currency().code();
        let keys = [
            GroupKey::All,
            GroupKey::Status(status),
            GroupKey::Branch(record.branch_id),
            GroupKey::Product(record.product_id),
            GroupKey::Officer(record.officer.clone()),
        ];
        for key in keys {
            self.figures.entry((key, currency)).or_default().add(record.terms.principal.minor(), &view.state)?;
        }
        Ok(())
    }
}

fn group_of(key: &GroupKey) -> GroupBy {
    match key {
        GroupKey::All => GroupBy::Nothing,
        GroupKey::Status(_) => GroupBy::Status,
        GroupKey::Branch(_) => GroupBy::Branch,
        GroupKey::Product(_) => GroupBy::Product,
        GroupKey::Officer(_) => GroupBy::Officer,
    }
}

impl Figures {
    fn add(&mut self, principal: i64, state: &LoanState) -> Result<(), FoldError> {
        self.counted.add(&Counted { count: 1, principal })?;
        let outstanding = state.outstanding()?;
        self.owed.add(&Owed { outstanding, credit: state.credit })?;
        if matches!(state.standing, Standing::Active | Standing::Defaulted { .. }) {
            self.add_active(state, outstanding)?;
        }
        for row in &state.installments {
            let left = row.outstanding()?;
            if row.due_on <= state.as_of && !left.is_zero() {
                let age = Aged::age(lending::loan::arrears::days_past_due(row.due_on, state.as_of));
                if let Some(sum) = self.aged.ages.get_mut(age) {
                    *sum = sum.plus(&left)?;
                }
            }
        }
        self.add_flows(state)
    }

    fn add_active(&mut self, state: &LoanState, outstanding: Portions) -> Result<(), FoldError> {
        let days = state.days_past_due();
        let by_days = (days > 0).then_some((days, (outstanding.principal, 1)));
        self.late.add(&Late { principal: outstanding.principal, by_days: by_days.into_iter().collect() })?;
        if state.effects.iter().any(|effect| effect.kind == TransactionKind::Reschedule) {
            self.rescheduled.add(&Rescheduled { count: 1, outstanding })?;
        }
        Ok(())
    }

    fn add_flows(&mut self, state: &LoanState) -> Result<(), FoldError> {
        let given_up = match state.standing {
            Standing::WrittenOff { on } => Some(on),
            _ => None,
        };
        for row in &state.installments {
            let mut expected = row.due.minus(&row.waived)?;
            if given_up.is_some_and(|on| row.due_on > on) {
                expected = expected.minus(&row.written_off)?;
            }
            self.by_day.entry(row.due_on).or_default().add(&Flows { expected, ..Flows::default() })?;
        }
        for effect in &state.effects {
            let flow = Flow { count: 1, amount: effect.amount, portions: effect.portions, to_credit: effect.to_credit };
            let of_day = self.by_day.entry(effect.on).or_default();
            if let Some(sum) = of_day.of(effect.kind) {
                *sum = sum.plus(&flow)?;
            }
        }
        Ok(())
    }
}

impl Services {
    /// Folds what projections do not tell of a slice: all of it when its day is past, else what is stale.
    pub(super) async fn fold_slice(
        &self,
        scope: &Scope,
        slice: &Slice,
        folded: &mut Folded,
    ) -> Result<(), ServiceError> {
        let part = if slice.past { Part::AppliedBy(slice.day) } else { Part::Stale(slice.day) };
        let choice = Choice { scope, filter: &slice.filter, part };
        let mut after: Option<Uuid> = None;
        loop {
            let records = store::chunk(self.database.reader(), choice, after, AT_ONCE).await?;
            let Some(last) = records.last() else { return Ok(()) };
            after = Some(last.id);
            if !slice.past {
                folded.in_place_of.extend(records.iter().map(|record| record.id));
            }
            for view in self.views(records, Some(slice.day), None).await? {
                let status = match slice.past {
                    true => lifecycle_on(&view).map(|lifecycle| lifecycle.status()),
                    false => Some(view.record.state.status()),
                };
                if let Some(status) = status {
                    folded.add(&view, status).map_err(too_large)?;
                }
            }
        }
    }
}
