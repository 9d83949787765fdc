//! Sums over loans, each in one statement and always per currency: amounts of different currencies are never added.

use lending::loan::LoanStatus;
use lending::money::{Currency, Money};
use sea_orm::sea_query::{Alias, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::convert;
use super::entity::loan;
use super::error::StoreError;
use super::filter::Filter;
use super::loans::LoanField;
use super::scope::Scope;

/// How many loans there are in one currency, and what was lent (or applied for) in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The number of loans.
    pub count: i64,
    /// The sum of their principals.
    pub principal: Money,
}

#[derive(FromQueryResult)]
struct SumRow {
    currency: String,
    loans: i64,
    principal: i64,
}

impl SumRow {
    fn totals(&self) -> Result<Totals, StoreError> {
        let currency: Currency = convert::currency(&self.currency)?;
        Ok(Totals { count: self.loans, principal: Money::new(self.principal, currency) })
    }
}

#[derive(FromQueryResult)]
struct StatusRow {
    status: String,
    #[sea_orm(nested)]
    sum: SumRow,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
    #[sea_orm(nested)]
    sum: SumRow,
}

/// What the loans of a portfolio can be grouped by, beside their currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The branch that lends.
    Branch,
    /// The product.
    Product,
}

fn sums(scope: &Scope, filter: &Filter<LoanField>) -> Result<Select<loan::Entity>, StoreError> {
    // PostgreSQL sums bigints into a numeric; the cast fails, and does not wrap, when the sum does not fit.
    let principal = loan::Column::PrincipalMinor.sum().cast_as(Alias::new("bigint"));
    Ok(loan::Entity::find()
        .select_only()
        .column(loan::Column::Currency)
        .expr_as(Expr::col((loan::Entity, loan::Column::Id)).count(), "loans")
        .expr_as(principal, "principal")
        .filter(filter.within(scope)?)
        .group_by(loan::Column::Currency)
        .order_by_asc(loan::Column::Currency))
}

/// Totals per currency, in the order of the currencies' codes.
///
/// # Errors
/// Whatever the database answers.
pub async fn by_currency(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter<LoanField>,
) -> Result<Vec<Totals>, StoreError> {
    let rows = sums(scope, filter)?.into_model::<SumRow>().all(connection).await?;
    rows.iter().map(SumRow::totals).collect()
}

/// Totals per status and currency.
///
/// # Errors
/// Whatever the database answers.
pub async fn by_status(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter<LoanField>,
) -> Result<Vec<(LoanStatus, Totals)>, StoreError> {
    let rows = sums(scope, filter)?
        .column(loan::Column::Status)
        .group_by(loan::Column::Status)
        .into_model::<StatusRow>()
        .all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let status = LoanStatus::parse(&row.status)
                .ok_or_else(|| StoreError::Corrupt(format!("loan status {:?}", row.status)))?;
            Ok((status, row.sum.totals()?))
        })
        .collect()
}

/// Totals per branch or product and currency.
///
/// # Errors
/// Whatever the database answers.
pub async fn by_group(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter<LoanField>,
    group: GroupBy,
) -> Result<Vec<(Uuid, Totals)>, StoreError> {
    let column = match group {
        GroupBy::Branch => loan::Column::BranchId,
        GroupBy::Product => loan::Column::ProductId,
    };
    let rows =
        sums(scope, filter)?.column_as(column, "id").group_by(column).into_model::<IdRow>().all(connection).await?;
    rows.iter().map(|row| Ok((row.id, row.sum.totals()?))).collect()
}
