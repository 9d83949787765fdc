//! What the records that use cases answer with leave on the trail.

use uuid::Uuid;

use super::Facts;
use crate::ids::{Kind, NodeId};
use crate::service::loan_books::Recorded;
use crate::service::loan_decisions::Decided;
use crate::service::loans::Applied;
use crate::store::borrowers::BorrowerRecord;
use crate::store::branches::BranchRecord;
use crate::store::groups::GroupRecord;
use crate::store::loan_products::LoanProductRecord;
use crate::store::loans::LoanRecord;

/// What is to be told of something that was done.
#[derive(Debug, Clone)]
pub(in crate::service) struct Evidence {
    /// The branch whose chain it belongs to; `None` for the lender as a whole.
    pub branch: Option<Uuid>,
    /// The thing that was changed.
    pub object: Option<NodeId>,
    /// Facts that are no personal data.
    pub facts: Facts,
    /// It had been done before, under the same idempotency key.
    pub replayed: bool,
}

/// What a use case may answer with once something was written.
pub(in crate::service) trait Leaves {
    /// What it leaves on the trail.
    fn evidence(&self) -> Evidence;
}

fn version(branch: Option<Uuid>, kind: Kind, uuid: Uuid, version: i64) -> Evidence {
    let facts = Facts::default().number("version", version);
    Evidence { branch, object: Some(NodeId { kind, uuid }), facts, replayed: false }
}

fn loan(record: &LoanRecord, facts: Facts, replayed: bool) -> Evidence {
    let own = version(Some(record.branch_id), Kind::Loan, record.id, record.version);
    let facts = own.facts.name("status", record.state.status().as_str()).and(facts);
    Evidence { facts, replayed, ..own }
}

impl Leaves for BranchRecord {
    fn evidence(&self) -> Evidence {
        version(Some(self.id), Kind::Branch, self.id, self.version)
    }
}

impl Leaves for BorrowerRecord {
    fn evidence(&self) -> Evidence {
        version(Some(self.branch_id), Kind::Borrower, self.id, self.version)
    }
}

impl Leaves for GroupRecord {
    fn evidence(&self) -> Evidence {
        version(Some(self.branch_id), Kind::Group, self.id, self.version)
    }
}

impl Leaves for LoanProductRecord {
    fn evidence(&self) -> Evidence {
        version(None, Kind::LoanProduct, self.id, self.version)
    }
}

impl Leaves for LoanRecord {
    fn evidence(&self) -> Evidence {
        loan(self, Facts::default(), false)
    }
}

impl Leaves for Applied {
    fn evidence(&self) -> Evidence {
        loan(&self.loan, Facts::default().money(self.loan.terms.principal), self.replayed)
    }
}

impl Leaves for Decided {
    fn evidence(&self) -> Evidence {
        let approved = self.loan.state.approval().map(|approval| approval.amount);
        loan(&self.loan, approved.map(|amount| Facts::default().money(amount)).unwrap_or_default(), self.replayed)
    }
}

impl Leaves for Recorded {
    fn evidence(&self) -> Evidence {
        let facts = Facts::default().id("transaction", Kind::LoanTransaction, self.transaction);
        let facts = self.amount.map_or(facts.clone(), |amount| facts.money(amount));
        loan(&self.loan, facts, self.replayed)
    }
}
