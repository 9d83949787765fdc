//! The portfolio: how many loans there are and how much was lent, in all and by status, branch and product. Amounts are
//! always per currency; an average is rounded half to even to the minor unit.

use lending::loan::LoanStatus;
use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::list::Filter;
use super::loans::LoanField;
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::portfolio::{self as store, GroupBy};

pub use crate::store::portfolio::Totals;

/// The totals of one group of loans, one per currency in the order of the currencies' codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<K> {
    /// What the loans have in common.
    pub key: K,
    /// Their totals.
    pub totals: Vec<Totals>,
}

impl Services {
    /// Totals per currency of the loans that match.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn portfolio_totals(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
    ) -> Result<Vec<Totals>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadPortfolio)?;
        Ok(store::by_currency(self.database.reader(), &scope, filter).await?)
    }

    /// Totals per status, for the statuses that occur, in the order of a loan's life.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn portfolio_by_status(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
    ) -> Result<Vec<Group<LoanStatus>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadPortfolio)?;
        let rows = store::by_status(self.database.reader(), &scope, filter).await?;
        let mut groups = grouped(rows);
        groups.sort_by_key(|group| LoanStatus::ALL.iter().position(|status| *status == group.key));
        Ok(groups)
    }

    /// Totals per branch, for the branches that have loans, in the order of the branches' ids.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn portfolio_by_branch(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
    ) -> Result<Vec<Group<Uuid>>, ServiceError> {
        self.portfolio_by(actor, filter, GroupBy::Branch).await
    }

    /// Totals per product, for the products that have loans, in the order of the products' ids.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn portfolio_by_product(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
    ) -> Result<Vec<Group<Uuid>>, ServiceError> {
        self.portfolio_by(actor, filter, GroupBy::Product).await
    }

    async fn portfolio_by(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
        group: GroupBy,
    ) -> Result<Vec<Group<Uuid>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadPortfolio)?;
        let rows = store::by_group(self.database.reader(), &scope, filter, group).await?;
        let mut groups = grouped(rows);
        groups.sort_by_key(|group| group.key);
        Ok(groups)
    }
}

fn grouped<K: Copy + PartialEq>(rows: Vec<(K, Totals)>) -> Vec<Group<K>> {
    let mut groups: Vec<Group<K>> = Vec::new();
    for (key, totals) in rows {
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.totals.push(totals),
            None => groups.push(Group { key, totals: vec![totals] }),
        }
    }
    groups
}
