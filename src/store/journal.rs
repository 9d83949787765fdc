//! The journal: entries with their lines, added and never changed. It takes what balances and nothing else: the database
//! refuses the rest, and an entry's lines travel in one statement so that it can.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use lending::ledger::{Account, Entry, Posting, Side};
use lending::loan::TransactionKind;
use lending::money::Currency;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::Serialize;
use uuid::Uuid;

use super::batch::Batch;
use super::convert;
use super::entity::{journal_entry, journal_line};
use super::error::StoreError;
use super::filter::{Field, Filter, LikePattern, Scalar, Test, storable};
use super::insert;
use super::page::{self, Page, PageRequest, SortKey};
use super::scope::Scope;

/// Lines of one entry travel in one statement, and SQLite binds 32,766 values at once, 8 to a line.
pub const MOST_LINES: usize = 4_000;

const ACCRUAL: &str = "ACCRUAL";

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A loan's transaction.
    Transaction(TransactionKind),
    /// Income earned by a day.
    Accrual,
}

impl EntryKind {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction(kind) => kind.as_str(),
            Self::Accrual => ACCRUAL,
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        if name == ACCRUAL {
            return Ok(Self::Accrual);
        }
        let kind = TransactionKind::parse(name).map(Self::Transaction);
        kind.ok_or_else(|| StoreError::Corrupt(format!("journal entry kind {name:?}")))
    }
}

/// The head of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRecord {
    /// The id.
    pub id: Uuid,
    /// The branch that books.
    pub branch_id: Uuid,
    /// The loan it is about; `None` for the accrual of a branch's day.
    pub loan_id: Option<Uuid>,
    /// The loan's transaction it belongs to; always set but for accruals.
    pub transaction_id: Option<Uuid>,
    /// What it is for.
    pub kind: EntryKind,
    /// The business date it counts from.
    pub booked_on: NaiveDate,
    /// When it was booked.
    pub recorded_at: DateTime<Utc>,
    /// The subject of who booked it.
    pub recorded_by: String,
    /// The currency of its lines.
    pub currency: Currency,
    /// The entry it is the mirror of. An entry is mirrored once.
    pub reverses_id: Option<Uuid>,
    /// A remark.
    pub memo: Option<String>,
}

/// One line of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRecord {
    /// The loan it is about.
    pub loan_id: Option<Uuid>,
    /// Account, side and amount.
    pub posting: Posting,
}

/// An entry with its lines in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The head.
    pub entry: EntryRecord,
    /// The lines; at least two.
    pub lines: Vec<LineRecord>,
}

impl Booking {
    /// A booking whose lines are all of the entry's own loan.
    #[must_use]
    pub fn of_loan(entry: EntryRecord, postings: &Entry) -> Self {
        let line = |posting: &Posting| LineRecord { loan_id: entry.loan_id, posting: *posting };
        let lines = postings.postings().iter().map(line).collect();
        Self { entry, lines }
    }

    fn balances(&self) -> bool {
        let postings = self.lines.iter().map(|line| line.posting);
        let entry = Entry::new(postings.map(|posting| (posting.account, posting.side, posting.amount)));
        (1..=MOST_LINES).contains(&self.lines.len()) && entry.is_ok()
    }
}

impl TryFrom<journal_entry::Model> for EntryRecord {
    type Error = StoreError;

    fn try_from(row: journal_entry::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            branch_id: row.branch_id,
            loan_id: row.loan_id,
            transaction_id: row.transaction_id,
            kind: EntryKind::parse(&row.kind)?,
            booked_on: row.booked_on,
            recorded_at: row.recorded_at,
            recorded_by: row.recorded_by,
            currency: convert::currency(&row.currency)?,
            reverses_id: row.reverses_id,
            memo: row.memo,
        })
    }
}

/// Books entries with their lines, in few statements. No statement is sent for no entries.
///
/// # Errors
/// [`StoreError::Unbalanced`] for an entry whose debits are not its credits, without lines or with more than
/// [`MOST_LINES`]; [`StoreError::Duplicate`] when an entry was mirrored before; otherwise whatever the database answers.
pub async fn book(transaction: &impl ConnectionTrait, bookings: &[Booking]) -> Result<(), StoreError> {
    insert::many::<journal_entry::Entity, _>(transaction, entry_rows(bookings)?).await?;
    for lines in line_rows(bookings) {
        journal_line::Entity::insert_many(lines).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Books entries with their lines, with what else is in the batch.
///
/// # Errors
/// [`StoreError::Unbalanced`] for an entry whose debits are not its credits, without lines or with more than
/// [`MOST_LINES`]; [`StoreError::BadText`].
pub fn add(batch: &mut Batch, bookings: &[Booking]) -> Result<(), StoreError> {
    batch.insert::<journal_entry::Entity, _>(entry_rows(bookings)?);
    line_rows(bookings).into_iter().for_each(|lines| batch.insert::<journal_line::Entity, _>(lines));
    Ok(())
}

fn entry_rows(bookings: &[Booking]) -> Result<Vec<journal_entry::ActiveModel>, StoreError> {
    if !bookings.iter().all(Booking::balances) {
        return Err(StoreError::Unbalanced);
    }
    bookings.iter().map(|booking| entry_row(&booking.entry)).collect()
}

/// The lines of bookings that balance, in parts of which each is for one statement.
fn line_rows(bookings: &[Booking]) -> Vec<Vec<journal_line::ActiveModel>> {
    let mut parts: Vec<Vec<journal_line::ActiveModel>> = Vec::new();
    for booking in bookings {
        match parts.last_mut() {
            Some(part) if part.len() + booking.lines.len() <= MOST_LINES => part.extend(lines_of(booking)),
            _ => parts.push(lines_of(booking).collect()),
        }
    }
    parts
}

fn entry_row(entry: &EntryRecord) -> Result<journal_entry::ActiveModel, StoreError> {
    Ok(journal_entry::ActiveModel {
        id: Set(entry.id),
        branch_id: Set(entry.branch_id),
        loan_id: Set(entry.loan_id),
        transaction_id: Set(entry.transaction_id),
        kind: Set(entry.kind.as_str().to_owned()),
        booked_on: Set(entry.booked_on),
        recorded_at: Set(entry.recorded_at),
        recorded_by: Set(storable(&entry.recorded_by)?.to_owned()),
        currency: Set(entry.currency.code().to_owned()),
        reverses_id: Set(entry.reverses_id),
        memo: Set(entry.memo.as_deref().map(storable).transpose()?.map(str::to_owned)),
    })
}

fn lines_of(booking: &Booking) -> impl Iterator<Item = journal_line::ActiveModel> {
    let entry = &booking.entry;
    booking.lines.iter().zip(1_i64..).map(move |(line, number)| {
        let (debit, credit) = match line.posting.side {
            Side::Debit => (line.posting.amount, 0),
            Side::Credit => (0, line.posting.amount),
        };
        journal_line::ActiveModel {
            entry_id: Set(entry.id),
            number: Set(number),
            branch_id: Set(entry.branch_id),
            loan_id: Set(line.loan_id),
            account: Set(line.posting.account.as_str().to_owned()),
            currency: Set(entry.currency.code().to_owned()),
            debit_minor: Set(debit),
            credit_minor: Set(credit),
        }
    })
}

/// What journal entries can be filtered and sorted by. The id, which ends every order, is the order of booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EntryField {
    /// The loan.
    Loan,
    /// The loan's transaction.
    Transaction,
    /// The business date.
    BookedOn,
    /// The branch that books.
    Branch,
    /// What it is for, by its name.
    Kind,
    /// The currency.
    Currency,
    /// An account that one of its lines is of, other than [`Self::IncomeReceivable`]'s: see [`Self::of_account`].
    Account,
    /// A receivable of income that one of its lines is of: every day's accrual has thousands of such lines.
    IncomeReceivable,
}

/// Lines that the index over accounts has; the predicate is the index's own.
const OF_RARE_ACCOUNT: &str =
    "journal_lines.account NOT IN ('INTEREST_RECEIVABLE', 'FEES_RECEIVABLE', 'PENALTIES_RECEIVABLE')";

impl EntryField {
    /// What entries with a line of an account are found by.
    #[must_use]
    pub const fn of_account(account: Account) -> Self {
        match account {
            Account::InterestReceivable | Account::FeesReceivable | Account::PenaltiesReceivable => {
                Self::IncomeReceivable
            }
            _ => Self::Account,
        }
    }
}

impl Field for EntryField {
    type Entity = journal_entry::Entity;

    const LIST: &'static str = "journal_entries";

    fn column(self) -> journal_entry::Column {
        match self {
            Self::Loan => journal_entry::Column::LoanId,
            Self::Transaction => journal_entry::Column::TransactionId,
            Self::BookedOn => journal_entry::Column::BookedOn,
            Self::Branch => journal_entry::Column::BranchId,
            Self::Kind => journal_entry::Column::Kind,
            Self::Currency => journal_entry::Column::Currency,
            Self::Account | Self::IncomeReceivable => journal_entry::Column::Id,
        }
    }

    fn nullable(self) -> bool {
        matches!(self, Self::Loan | Self::Transaction)
    }

    fn operand(self) -> SimpleExpr {
        match self {
            Self::Account | Self::IncomeReceivable => Expr::col((journal_line::Entity, journal_line::Column::Account)),
            _ => Expr::col((journal_entry::Entity, self.column())),
        }
    }

    fn lift(self, test: SimpleExpr) -> SimpleExpr {
        let mut with_line = Query::select();
        with_line
            .column((journal_line::Entity, journal_line::Column::EntryId))
            .from(journal_line::Entity)
            .and_where(test.clone());
        match self {
            Self::Account => with_line.and_where(Expr::cust(OF_RARE_ACCOUNT)),
            Self::IncomeReceivable => &mut with_line,
            _ => return test,
        };
        journal_entry::Column::Id.in_subquery(with_line)
    }

    /// The remark.
    fn search(pattern: &LikePattern) -> Condition {
        Condition::any().add(pattern.in_optional_code(journal_entry::Column::Memo))
    }

    fn branch_column() -> Option<journal_entry::Column> {
        Some(journal_entry::Column::BranchId)
    }

    fn id_column() -> journal_entry::Column {
        journal_entry::Column::Id
    }
}

/// A page of a loan's entries in the order of booking, without lines.
///
/// # Errors
/// [`StoreError::InvalidCursor`]; otherwise whatever the database answers.
pub async fn of_loan(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    loan_id: Uuid,
    request: &PageRequest,
) -> Result<Page<EntryRecord>, StoreError> {
    let filter = Filter::Field(EntryField::Loan, Test::Is(Scalar::Id(loan_id)));
    let order: [SortKey<EntryField>; 0] = [];
    page::page(connection, scope, &filter, &order, request).await
}

/// The lines of each of these entries in their order, in one statement.
///
/// # Errors
/// Whatever the database answers.
pub async fn lines(
    connection: &impl ConnectionTrait,
    entry_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<LineRecord>>, StoreError> {
    let mut found: HashMap<Uuid, Vec<LineRecord>> = HashMap::new();
    if entry_ids.is_empty() {
        return Ok(found);
    }
    let rows = journal_line::Entity::find()
        .filter(journal_line::Column::EntryId.is_in(entry_ids.iter().copied()))
        .order_by_asc(journal_line::Column::EntryId)
        .order_by_asc(journal_line::Column::Number)
        .all(connection)
        .await?;
    for row in rows {
        found.entry(row.entry_id).or_default().push(line(&row)?);
    }
    Ok(found)
}

fn line(row: &journal_line::Model) -> Result<LineRecord, StoreError> {
    let account = account(&row.account)?;
    let (side, amount) =
        if row.debit_minor > 0 { (Side::Debit, row.debit_minor) } else { (Side::Credit, row.credit_minor) };
    Ok(LineRecord { loan_id: row.loan_id, posting: Posting { account, side, amount } })
}

fn account(name: &str) -> Result<Account, StoreError> {
    Account::parse(name).ok_or_else(|| StoreError::Corrupt(format!("account {name:?}")))
}

/// What stands in one account of a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountSum {
    /// The account.
    pub account: Account,
    /// All debits in minor units of the loan's currency.
    pub debits: i64,
    /// All credits.
    pub credits: i64,
}

#[derive(FromQueryResult)]
struct SumRow {
    loan_id: Uuid,
    account: String,
    debits: i64,
    credits: i64,
}

/// The sums per account of each of these loans, in one statement; accounts and loans nothing was booked to are left out.
///
/// # Errors
/// Whatever the database answers.
pub async fn sums_of_loans(
    connection: &impl ConnectionTrait,
    loan_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<AccountSum>>, StoreError> {
    let mut found: HashMap<Uuid, Vec<AccountSum>> = HashMap::new();
    if loan_ids.is_empty() {
        return Ok(found);
    }
    // PostgreSQL sums bigints into a numeric; the cast fails, and does not wrap, when the sum does not fit.
    let sum = |column: journal_line::Column| column.sum().cast_as(Alias::new("bigint"));
    let rows = journal_line::Entity::find()
        .select_only()
        .column(journal_line::Column::LoanId)
        .column(journal_line::Column::Account)
        .expr_as(sum(journal_line::Column::DebitMinor), "debits")
        .expr_as(sum(journal_line::Column::CreditMinor), "credits")
        .filter(journal_line::Column::LoanId.is_in(loan_ids.iter().copied()))
        .group_by(journal_line::Column::LoanId)
        .group_by(journal_line::Column::Account)
        .order_by_asc(journal_line::Column::Account)
        .into_model::<SumRow>()
        .all(connection)
        .await?;
    for row in rows {
        let sum = AccountSum { account: account(&row.account)?, debits: row.debits, credits: row.credits };
        found.entry(row.loan_id).or_default().push(sum);
    }
    Ok(found)
}
