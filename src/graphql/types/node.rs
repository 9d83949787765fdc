//! Anything that has an id of its own.

use async_graphql::{ID, Interface};

use super::audit_event::AuditEvent;
use super::borrower::Borrower;
use super::branch::Branch;
use super::group::Group;
use super::journal_entry::JournalEntry;
use super::loan::Loan;
use super::loan::transaction::LoanTransaction;
use super::loan_product::LoanProduct;

/// Anything that has an id of its own and can be fetched by it.
#[allow(clippy::large_enum_variant)] // at most a hundred at a time, and moved once
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id, whose prefix tells the type."))]
pub enum Node {
    /// A branch.
    Branch(Branch),
    /// A borrower.
    Borrower(Borrower),
    /// A loan product.
    LoanProduct(LoanProduct),
    /// A loan.
    Loan(Loan),
    /// A group.
    Group(Group),
    /// A transaction of a loan.
    LoanTransaction(LoanTransaction),
    /// A journal entry.
    JournalEntry(JournalEntry),
    /// An event of the audit trail.
    AuditEvent(AuditEvent),
}
