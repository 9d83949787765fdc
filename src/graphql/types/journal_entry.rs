//! The journal in the API: entries with their lines. An entry is never changed; what takes it back is an entry of its
//! own.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use uuid::Uuid;

use super::branch::Branch;
use super::connection::{JournalEntryConnection, JournalEntryConnectionFields, apart, connection};
use super::id::id;
use super::ledger::{Account, JournalEntryKind, Side};
use super::loan::Loan;
use super::loan::balances::money;
use super::money::Money;
use super::scalars::{CurrencyCode, Date, DateTime};
use super::selection::{EntryPlan, Related, Selected};
use crate::graphql::error::Nullable;
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::ledger::{EntryField, EntryKind, EntryRecord, LineRecord};
use crate::service::list::{Filter, PageRequest, SortKey};

/// A journal entry: what was booked at once. Its debits are its credits.
#[derive(Clone)]
pub struct JournalEntry {
    record: EntryRecord,
    branch: Related<Branch>,
    loan: Related<Loan>,
    lines: Related<Vec<JournalEntryLine>>,
}

/// One line of a journal entry that was booked.
#[derive(Clone)]
pub struct JournalEntryLine {
    record: LineRecord,
    currency: lending::money::Currency,
    loan: Related<Loan>,
}

impl JournalEntry {
    /// Entries with the relations a plan asks for, in the order of the records: one statement per relation.
    pub async fn fetch(request: Request<'_>, records: Vec<EntryRecord>, plan: &EntryPlan) -> Result<Vec<Self>> {
        let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
        let branches = match &plan.branch {
            Some(plan) => {
                Some(Branch::by_id(request, records.iter().map(|record| record.branch_id).collect(), plan).await?)
            }
            None => None,
        };
        let lines = match plan.lines {
            true => Some(request.services.journal_lines(request.actor, &ids).await?),
            false => None,
        };
        let loans = match &plan.loan {
            Some(plan) => {
                let of_lines = lines.iter().flat_map(|lines| lines.values().flatten()).filter_map(|line| line.loan_id);
                let ids = records.iter().filter_map(|record| record.loan_id).chain(of_lines).collect();
                Some(Loan::by_id(request, ids, plan).await?)
            }
            None => None,
        };
        Ok(records
            .into_iter()
            .map(|record| Self {
                branch: Related::of(branches.as_ref(), record.branch_id),
                loan: loan_of(loans.as_ref(), record.loan_id),
                lines: match &lines {
                    Some(lines) => {
                        let own = lines.get(&record.id).into_iter().flatten();
                        let line = |line: &LineRecord| JournalEntryLine {
                            record: *line,
                            currency: record.currency,
                            loan: loan_of(loans.as_ref(), line.loan_id),
                        };
                        Related::Fetched(Some(own.map(line).collect()))
                    }
                    None => Related::Later,
                },
                record,
            })
            .collect())
    }
}

fn loan_of(loans: Option<&HashMap<Uuid, Loan>>, id: Option<Uuid>) -> Related<Loan> {
    id.map_or(Related::Fetched(None), |id| Related::of(loans, id))
}

async fn loan(context: &Context<'_>, related: &Related<Loan>, id: Option<Uuid>) -> Nullable<Loan> {
    let id = id?;
    related.or_load(|| Loan::load(context, id)).await
}

/// A journal entry: what was booked at once. Its debits are its credits.
#[Object]
impl JournalEntry {
    /// The id, such as "entry_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::JournalEntry, self.record.id)
    }

    /// What it is for.
    fn kind(&self) -> JournalEntryKind {
        match self.record.kind {
            EntryKind::Transaction(kind) => Some(kind).into(),
            EntryKind::Accrual => JournalEntryKind::Accrual,
        }
    }

    /// The branch that books; null where the caller may not see it.
    async fn branch(&self, context: &Context<'_>) -> Nullable<Branch> {
        self.branch.or_load(|| Branch::load(context, self.record.branch_id)).await
    }

    /// The loan it is about; null for what is booked for a branch's day as a whole, and where the caller may not see it.
    #[graphql(name = "loan")]
    async fn loan_link(&self, context: &Context<'_>) -> Nullable<Loan> {
        loan(context, &self.loan, self.record.loan_id).await
    }

    /// The id of the loan's transaction it belongs to; null for accruals.
    fn transaction_id(&self) -> Option<ID> {
        self.record.transaction_id.map(|transaction| id(Kind::LoanTransaction, transaction))
    }

    /// The business date it counts from.
    fn on(&self) -> Date {
        Date(self.record.booked_on)
    }

    /// When it was booked.
    fn recorded_at(&self) -> DateTime {
        DateTime(self.record.recorded_at)
    }

    /// The subject of whoever caused it.
    fn recorded_by(&self) -> &str {
        &self.record.recorded_by
    }

    /// The currency of its lines.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.record.currency.code().to_owned())
    }

    /// The id of the entry it takes back, line for line.
    fn reverses(&self) -> Option<ID> {
        self.record.reverses_id.map(|entry| id(Kind::JournalEntry, entry))
    }

    /// A remark.
    fn memo(&self) -> Option<&str> {
        self.record.memo.as_deref()
    }

    /// Its lines; at least two.
    async fn lines(&self, context: &Context<'_>) -> Result<Vec<JournalEntryLine>> {
        if let Related::Fetched(lines) = &self.lines {
            return Ok(lines.clone().unwrap_or_default());
        }
        let request = request(context)?;
        let mut found = request.services.journal_lines(request.actor, &[self.record.id]).await?;
        let line = |record| JournalEntryLine { record, currency: self.record.currency, loan: Related::Later };
        Ok(found.remove(&self.record.id).unwrap_or_default().into_iter().map(line).collect())
    }
}

/// One line of a journal entry that was booked.
#[Object]
impl JournalEntryLine {
    /// The account.
    fn account(&self) -> Account {
        self.record.posting.account.into()
    }

    /// The side of the account.
    fn side(&self) -> Side {
        self.record.posting.side.into()
    }

    /// How much; always more than nothing.
    fn amount(&self) -> Money {
        money(self.record.posting.amount, self.currency)
    }

    /// The loan it is about; null where the caller may not see it.
    #[graphql(name = "loan")]
    async fn loan_link(&self, context: &Context<'_>) -> Nullable<Loan> {
        loan(context, &self.loan, self.record.loan_id).await
    }
}

/// A page of the journal with what its plan asks for.
///
/// # Errors
/// INVALID_CURSOR, FORBIDDEN; whatever the database answers.
pub async fn journal_page(
    context: &Context<'_>,
    filter: Filter<EntryField>,
    order: &[SortKey<EntryField>],
    asked: &PageRequest,
) -> Result<JournalEntryConnection> {
    let plan = EntryPlan::of(&Selected::nodes(context));
    let request = request(context)?;
    let page = request.services.journal_entries(request.actor, &filter, order, asked).await?;
    let (page, records) = apart(page);
    let nodes = JournalEntry::fetch(request, records, &plan).await?;
    Ok(connection(page, nodes, JournalEntryConnectionFields::new(Arc::new(filter))))
}
