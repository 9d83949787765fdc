//! Verifying the books.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use crate::graphql::error::{Nullable, bad_input};
use crate::graphql::request::request;
use crate::graphql::types::id;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::audit::AuditHead;
use crate::service::branches::BranchKey;
use crate::service::verify;

/// The query that verifies the books.
#[derive(Default)]
pub struct VerifyQuery;

/// What verifying the books came to: every loan is worked out anew from its transactions and compared with what is stored, every rule of the ledger is checked, and every audit chain is hashed anew.
#[derive(SimpleObject)]
pub struct Verification {
    /// Nothing is wrong.
    pub clean: bool,
    /// How many loans were worked out anew.
    pub loans: u64,
    /// How many findings there are.
    pub count: u64,
    /// The first of them, at most 100.
    pub findings: Vec<Finding>,
    /// How many sealed audit events are what they were when they were sealed.
    pub sealed_audit_events: u64,
    /// How many audit events are not sealed yet.
    pub unsealed_audit_events: u64,
    /// Where each audit chain ends. Noted outside, it shows later whether a chain was rewritten.
    pub audit_chains: Vec<AuditChain>,
}

/// The chain of hashes over the audit events of a branch, or of the lender as a whole.
#[derive(SimpleObject)]
pub struct AuditChain {
    /// The branch's code; null for the lender as a whole.
    pub branch_code: Option<String>,
    /// How many events it holds.
    pub length: i64,
    /// The hash of its last link, in hexadecimal.
    pub head: String,
}

/// Something in the books that does not hold.
#[derive(SimpleObject)]
pub struct Finding {
    /// What kind of thing, such as INSTALLMENT, BALANCE, LOAN_ACCOUNT, TRIAL_BALANCE or AUDIT_CHAIN.
    pub kind: String,
    /// The loan's number; null for what is about no single loan.
    pub loan_number: Option<String>,
    /// What exactly: an installment, an account, an entry, a branch, a row of an audit chain.
    pub subject: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

impl From<verify::Verification> for Verification {
    fn from(found: verify::Verification) -> Self {
        let finding = |finding: verify::Finding| Finding {
            kind: finding.kind.as_str().to_owned(),
            loan_number: finding.loan,
            subject: finding.subject,
            expected: finding.expected,
            actual: finding.actual,
        };
        let chain = |head: AuditHead| AuditChain { branch_code: head.branch, length: head.length, head: head.head };
        Self {
            sealed_audit_events: found.audit.sealed,
            unsealed_audit_events: found.audit.unsealed,
            clean: found.is_clean(),
            loans: found.loans,
            count: found.count,
            findings: found.findings.into_iter().map(finding).collect(),
            audit_chains: found.audit.heads.into_iter().map(chain).collect(),
        }
    }
}

#[Object]
impl VerifyQuery {
    /// Verifies the books and the audit trail of a branch and those below it, or of all branches of the caller; null for a branch that does not exist for the caller. It reads everything: for the back office, not for a page. Permission: VerifyBooks.
    async fn verify_books(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The branch at the top; all of the caller's if omitted.")] branch: Option<ID>,
    ) -> Nullable<Verification> {
        match verified(context, branch).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}

async fn verified(context: &Context<'_>, branch: Option<ID>) -> Result<Option<Verification>> {
    let request = request(context)?;
    let key = branch.map(|branch| id::read(&branch, Kind::Branch)).transpose()?.map(BranchKey::Id);
    match request.services.verify_books(request.actor, key.as_ref()).await {
        Ok(found) => Ok(Some(found.into())),
        Err(ServiceError::Rejected(problems)) => {
            let missing = problems.iter().any(|problem| problem.code == crate::service::problem::ProblemCode::NotFound);
            if missing { Ok(None) } else { Err(bad_input("The books of this branch cannot be verified.")) }
        }
        Err(other) => Err(other.into()),
    }
}
