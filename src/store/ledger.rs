//! Sums over the journal by account, always per currency: the trial balance. It is asked for by branches, whose entries
//! are the only ones that exist for it.

use chrono::NaiveDate;
use lending::ledger::Account;
use lending::money::Currency;
use sea_orm::sea_query::{Alias, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::convert;
use super::entity::{journal_entry, journal_line};
use super::error::StoreError;
use super::filter::Filter;
use super::journal::EntryField;
use super::scope::Scope;

/// What was booked to one account in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountTotal {
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// All debits.
    pub debits: i64,
    /// All credits.
    pub credits: i64,
}

#[derive(FromQueryResult)]
struct TotalRow {
    account: String,
    currency: String,
    debits: i64,
    credits: i64,
}

/// What was booked to each account by the entries that match, booked by a day if one is named; accounts that nothing was
/// booked to are left out. In the order of the currencies' codes.
///
/// # Errors
/// Whatever the database answers.
pub async fn totals(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter<EntryField>,
    until: Option<NaiveDate>,
) -> Result<Vec<AccountTotal>, StoreError> {
    // PostgreSQL sums bigints into a numeric; the cast fails, and does not wrap, when the sum does not fit.
    let sum = |column: journal_line::Column| column.sum().cast_as(Alias::new("bigint"));
    let mut select = journal_line::Entity::find()
        .select_only()
        .column(journal_line::Column::Account)
        .column(journal_line::Column::Currency)
        .expr_as(sum(journal_line::Column::DebitMinor), "debits")
        .expr_as(sum(journal_line::Column::CreditMinor), "credits")
        .inner_join(journal_entry::Entity)
        .filter(filter.within(scope)?)
        .group_by(journal_line::Column::Account)
        .group_by(journal_line::Column::Currency)
        .order_by_asc(journal_line::Column::Currency)
        .order_by_asc(journal_line::Column::Account);
    if let Some(until) = until {
        select = select.filter(journal_entry::Column::BookedOn.lte(until));
    }
    let rows = select.into_model::<TotalRow>().all(connection).await?;
    rows.iter()
        .map(|row| {
            let account = Account::parse(&row.account);
            Ok(AccountTotal {
                account: account.ok_or_else(|| StoreError::Corrupt(format!("account {:?}", row.account)))?,
                currency: convert::currency(&row.currency)?,
                debits: row.debits,
                credits: row.credits,
            })
        })
        .collect()
}
