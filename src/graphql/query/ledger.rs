//! Asking about the ledger.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use lending::ledger::{Account as LedgerAccountName, AccountKind as KindOfAccount, Side as SideOfAccount};
use lending::money::Currency;
use uuid::Uuid;

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::connection::{JournalEntryConnection, Order, OrderDirection, page_request, sort_keys};
use crate::graphql::types::filters::{self, Conditions, CurrencyFilter, DateFilter, IdFilter, Inner, Nested};
use crate::graphql::types::id;
use crate::graphql::types::journal_entry::journal_page;
use crate::graphql::types::ledger::{Account, AccountKind, JournalEntryKind, Side};
use crate::graphql::types::loan::balances::money;
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::{CurrencyCode, Date};
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::ledger::{self as service, AccountTotal, EntryField, TrialBalance as Books};

/// The queries around the ledger.
#[derive(Default)]
pub struct LedgerQuery;

/// What stands in the accounts at the end of a day. Amounts of different currencies are never added.
pub struct TrialBalance(Books);

/// One account in one currency.
#[derive(Debug, Clone, SimpleObject)]
pub struct TrialBalanceRow {
    /// The account.
    pub account: Account,
    /// What kind of account it is.
    pub kind: AccountKind,
    /// The currency.
    pub currency: CurrencyCode,
    /// All debits.
    pub debit: Money,
    /// All credits.
    pub credit: Money,
    /// What stands in it on its own side: debits less credits of assets and expenses, credits less debits of liabilities and income.
    pub balance: Money,
}

/// All accounts of one currency together.
#[derive(Debug, Clone, SimpleObject)]
pub struct TrialBalanceTotals {
    /// The currency.
    pub currency: CurrencyCode,
    /// All debits.
    pub debit: Money,
    /// All credits.
    pub credit: Money,
}

/// An account of the chart of accounts.
#[derive(Debug, Clone, SimpleObject)]
pub struct LedgerAccount {
    /// The account.
    pub account: Account,
    /// What kind of account it is.
    pub kind: AccountKind,
    /// The side it grows on.
    pub normal_side: Side,
    /// What is booked there.
    pub description: String,
    /// What stands in it on its own side, per currency; empty while nothing was booked.
    pub balances: Vec<Money>,
}

/// Which journal entries to list. All conditions must hold.
#[derive(Default, InputObject)]
pub struct JournalEntryFilter {
    /// All of these must hold too.
    pub and: Option<Vec<JournalEntryFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<JournalEntryFilter>>,
    /// This must not hold.
    pub not: Option<Box<JournalEntryFilter>>,
    /// The branch that books.
    pub branch: Option<IdFilter>,
    /// Whether the branches below count too.
    #[graphql(default = true)]
    pub include_sub_branches: bool,
    /// The business date it counts from.
    pub on: Option<DateFilter>,
    /// The loan.
    pub loan: Option<IdFilter>,
    /// What it is for.
    pub kind: Option<JournalEntryKind>,
    /// An account that one of its lines is of.
    pub account: Option<Account>,
    /// The currency.
    pub currency: Option<CurrencyFilter>,
    /// The loan's transaction.
    pub transaction: Option<IdFilter>,
}

impl Nested for JournalEntryFilter {
    type Field = EntryField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<EntryField>> {
        let mut conditions = Conditions::default();
        conditions.branch(EntryField::Branch, self.branch, self.include_sub_branches)?;
        conditions.date(EntryField::BookedOn, self.on);
        conditions.id(EntryField::Loan, self.loan, Kind::Loan)?;
        conditions.id(EntryField::Transaction, self.transaction, Kind::LoanTransaction)?;
        conditions.name(EntryField::Kind, self.kind.map(JournalEntryKind::name));
        if let Some(account) = self.account.map(LedgerAccountName::from) {
            conditions.name(EntryField::of_account(account), Some(account.as_str()));
        }
        conditions.currency(EntryField::Currency, self.currency)?;
        Ok(conditions)
    }
}

/// One key of the order of journal entries.
#[derive(InputObject)]
pub struct JournalEntryOrder {
    /// What to sort by.
    pub field: JournalEntryOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What journal entries can be sorted by. The order of booking decides between equals.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JournalEntryOrderField {
    /// The business date it counts from.
    On,
}

impl Order for JournalEntryOrder {
    type Key = JournalEntryOrderField;

    fn key(&self) -> (JournalEntryOrderField, OrderDirection) {
        (self.field, self.direction)
    }
}

impl From<JournalEntryOrderField> for EntryField {
    fn from(field: JournalEntryOrderField) -> Self {
        match field {
            JournalEntryOrderField::On => Self::BookedOn,
        }
    }
}

/// What stands in the accounts at the end of a day. Amounts of different currencies are never added.
#[Object]
impl TrialBalance {
    /// The day.
    fn as_of(&self) -> Date {
        Date(self.0.as_of)
    }

    /// Every account that something was booked to, by currency.
    fn rows(&self) -> Result<Vec<TrialBalanceRow>> {
        self.0.rows.iter().map(row).collect()
    }

    /// The sums of each currency.
    fn totals(&self) -> Result<Vec<TrialBalanceTotals>> {
        let total = |total: service::LedgerTotal| TrialBalanceTotals {
            currency: code(total.currency),
            debit: money(total.debits, total.currency),
            credit: money(total.credits, total.currency),
        };
        Ok(self.0.totals()?.into_iter().map(total).collect())
    }

    /// Whether debits are credits in every currency. If not, the books are damaged.
    fn balanced(&self) -> Result<bool> {
        Ok(self.0.totals()?.iter().all(|total| total.debits == total.credits))
    }
}

fn code(currency: Currency) -> CurrencyCode {
    CurrencyCode(currency.code().to_owned())
}

fn row(total: &AccountTotal) -> Result<TrialBalanceRow> {
    Ok(TrialBalanceRow {
        account: total.account.into(),
        kind: total.account.kind().into(),
        currency: code(total.currency),
        debit: money(total.debits, total.currency),
        credit: money(total.credits, total.currency),
        balance: money(service::balance(total)?, total.currency),
    })
}

fn account(name: LedgerAccountName, rows: &[AccountTotal]) -> Result<LedgerAccount> {
    let own = rows.iter().filter(|row| row.account == name);
    let balances =
        own.map(|row| Ok(money(service::balance(row)?, row.currency))).collect::<Result<_, ServiceError>>()?;
    let kind = name.kind();
    let side = match kind {
        KindOfAccount::Asset | KindOfAccount::Expense => SideOfAccount::Debit,
        KindOfAccount::Liability | KindOfAccount::Income => SideOfAccount::Credit,
    };
    Ok(LedgerAccount {
        account: name.into(),
        kind: kind.into(),
        normal_side: side.into(),
        description: described(name).to_owned(),
        balances,
    })
}

const fn described(account: LedgerAccountName) -> &'static str {
    match account {
        LedgerAccountName::Cash => "Money in hand and at the bank.",
        LedgerAccountName::LoansReceivable => "Principal lent out and not repaid yet.",
        LedgerAccountName::InterestReceivable => "Interest earned and not received yet.",
        LedgerAccountName::FeesReceivable => "Fees charged and not received yet.",
        LedgerAccountName::PenaltiesReceivable => "Penalties charged and not received yet.",
        LedgerAccountName::OverpaymentLiability => "What borrowers paid too much and may have back.",
        LedgerAccountName::InterestIncome => "Interest earned.",
        LedgerAccountName::FeeIncome => "Fees earned.",
        LedgerAccountName::PenaltyIncome => "Penalties earned.",
        LedgerAccountName::RecoveryIncome => "Money received on loans that were given up.",
        LedgerAccountName::GoodwillExpense => "Payments the lender made in borrowers' place.",
        LedgerAccountName::CreditLoss => "Principal of loans that were charged off.",
        LedgerAccountName::IncomeChargedOff => "Interest, fees and penalties of loans that were charged off.",
        LedgerAccountName::LossesWrittenOff => "What was owed on loans when they were given up.",
    }
}

async fn books(context: &Context<'_>, branch: Option<ID>, as_of: Option<Date>) -> Result<Option<Books>> {
    let branch: Option<Uuid> = branch.map(|branch| id::read(&branch, Kind::Branch)).transpose()?;
    let request = request(context)?;
    Ok(Box::pin(request.services.trial_balance(request.actor, branch, as_of.map(|day| day.0))).await?)
}

#[Object]
impl LedgerQuery {
    /// What was booked to each account by the end of a day, at a branch with those below it; null when there is no such branch for the caller. Permission: ReadLedger.
    async fn trial_balance(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The branch, with those below it; all of the caller's branches if omitted.")] branch: Option<
            ID,
        >,
        #[graphql(desc = "The last business date to count; everything booked if omitted.")] as_of: Option<Date>,
    ) -> Nullable<TrialBalance> {
        Some(books(context, branch, as_of).await.transpose()?.map(TrialBalance))
    }

    /// The chart of accounts with what stands in each, at a branch with those below it; null when there is no such branch for the caller. Permission: ReadLedger.
    async fn ledger_accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The branch, with those below it; all of the caller's branches if omitted.")] branch: Option<
            ID,
        >,
        #[graphql(desc = "The last business date to count; everything booked if omitted.")] as_of: Option<Date>,
    ) -> Nullable<Vec<LedgerAccount>> {
        let books = match books(context, branch, as_of).await.transpose()? {
            Ok(books) => books,
            Err(error) => return Some(Err(error)),
        };
        Some(LedgerAccountName::ALL.iter().map(|name| account(*name, &books.rows)).collect())
    }

    /// The journal of the caller's branches, in the order of booking unless ordered otherwise. Permission: ReadLedger.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn journal_entries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries.")] filter: Option<JournalEntryFilter>,
        #[graphql(desc = "In which order; the order of booking decides between equals.")] order_by: Option<
            Vec<JournalEntryOrder>,
        >,
    ) -> Result<JournalEntryConnection> {
        let asked = page_request(request(context)?.limits, first, after, last, before)?;
        let order = match order_by.filter(|order| !order.is_empty()) {
            Some(order) => sort_keys(order, EntryField::BookedOn)?,
            None => Vec::new(),
        };
        let filter = filters::read(filter)?;
        Box::pin(journal_page(context, filter, &order, &asked)).await
    }
}
