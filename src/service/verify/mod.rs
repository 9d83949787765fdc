//! Verifying the books and the audit trail: every loan is worked out anew from its transactions and compared with what is stored of it, and
//! every invariant of the ledger is asked of the database, every chain of
//! audit events is hashed anew. What breaks is named and counted; nothing is repaired.

mod audit;
mod loan;

use lending::calendar::Calendar;
use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::problem::Problem;
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::branches::{self, BranchKey, BranchRecord};
use crate::store::database::Snapshot;
use crate::store::find::Lock;
use crate::store::scope::Scope;
use crate::store::verify::{self as store, LedgerRule};
use crate::store::{calendars, journal, loan_history, loan_projection, portfolio};

pub use audit::AuditVerification;

/// So many findings are listed; all are counted.
pub const MOST_LISTED: usize = 100;

/// Loans whose histories are held in memory at once.
const LOANS_AT_ONCE: u64 = 250;

/// What kind of thing does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The history makes no loan.
    UnfoldableHistory,
    /// The transactions of a loan are not numbered 1, 2, 3, …
    SequenceGap,
    /// A row of the schedule differs from the fold.
    Installment,
    /// What a transaction did differs from the fold.
    Split,
    /// A balance or a date of the loan differs from the fold.
    Balance,
    /// The status differs from the fold.
    Status,
    /// The income that is accrued differs from what was earned.
    Accrued,
    /// A transaction's entry is missing, superfluous, or books something else than the fold.
    TransactionEntry,
    /// An account of the loan differs from what the loan owes.
    LoanAccount,
    /// An entry's debits are not its credits.
    EntryBalances,
    /// An entry has no lines.
    EntryHasLines,
    /// An entry and its mirror do not cancel each other.
    MirrorMirrors,
    /// A branch's debits are not its credits.
    TrialBalance,
    /// Loans receivable of a branch are not the principal its loans owe.
    PrincipalControl,
    /// The overpayment liability of a branch is not its loans' credit.
    CreditControl,
    /// Sums that are kept of the portfolio are not what its loans come to.
    PortfolioSum,
    /// A link of the audit chain is missing, or it or its event is not what was sealed; the first of its chain.
    AuditChain,
    /// An audit chain does not end where it says.
    AuditHead,
    /// An audit event is in no chain and does not wait for one, or waits and is gone or sealed.
    AuditQueue,
}

impl FindingKind {
    /// The name in machine-readable output and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnfoldableHistory => "UNFOLDABLE_HISTORY",
            Self::SequenceGap => "SEQUENCE_GAP",
            Self::Installment => "INSTALLMENT",
            Self::Split => "SPLIT",
            Self::Balance => "BALANCE",
            Self::Status => "STATUS",
            Self::Accrued => "ACCRUED",
            Self::TransactionEntry => "TRANSACTION_ENTRY",
            Self::LoanAccount => "LOAN_ACCOUNT",
            Self::EntryBalances => "ENTRY_BALANCES",
            Self::EntryHasLines => "ENTRY_HAS_LINES",
            Self::MirrorMirrors => "MIRROR_MIRRORS",
            Self::TrialBalance => "TRIAL_BALANCE",
            Self::PrincipalControl => "PRINCIPAL_CONTROL",
            Self::CreditControl => "CREDIT_CONTROL",
            Self::PortfolioSum => "PORTFOLIO_SUM",
            Self::AuditChain => "AUDIT_CHAIN",
            Self::AuditHead => "AUDIT_HEAD",
            Self::AuditQueue => "AUDIT_QUEUE",
        }
    }

    const fn of(rule: LedgerRule) -> Self {
        match rule {
            LedgerRule::EntryBalances => Self::EntryBalances,
            LedgerRule::EntryHasLines => Self::EntryHasLines,
            LedgerRule::MirrorMirrors => Self::MirrorMirrors,
            LedgerRule::TrialBalance => Self::TrialBalance,
            LedgerRule::PrincipalControl => Self::PrincipalControl,
            LedgerRule::CreditControl => Self::CreditControl,
        }
    }
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// The loan's number, for what is about one loan.
    pub loan: Option<String>,
    /// What exactly: an installment, an account, an entry, a branch.
    pub subject: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// How many loans were worked out anew.
    pub loans: u64,
    /// How many findings there are.
    pub count: u64,
    /// The first of them, at most [`MOST_LISTED`].
    pub findings: Vec<Finding>,
    /// What the audit trail came to.
    pub audit: AuditVerification,
}

impl Verification {
    /// Nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.count == 0
    }

    fn note(&mut self, finding: Finding) {
        self.count = self.count.saturating_add(1);
        if self.findings.len() < MOST_LISTED {
            self.findings.push(finding);
        }
    }
}

impl Services {
    /// Verifies the books and the audit trail of a branch and those below it, or of all the caller works for.
    /// Everything is seen as of one moment.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] for a branch that does not exist for the caller; [`ServiceError::Forbidden`].
    pub async fn verify_books(&self, actor: &Actor, branch: Option<&BranchKey>) -> Result<Verification, ServiceError> {
        let scope = self.authorize(actor, Action::VerifyBooks)?;
        let snapshot = self.database.snapshot().await?;
        let below = match branch {
            Some(key) => {
                let found = branches::find(&snapshot, &scope, key, Lock::None).await?;
                let top = found.ok_or_else(|| Problem::not_found(&["branch"], "branch"))?;
                Scope::Branches(vec![top.code])
            }
            None => scope,
        };
        let branches = branches::all(&snapshot, &below).await?;
        let ids: Vec<Uuid> = branches.iter().map(|branch| branch.id).collect();
        let only = (below != Scope::All).then_some(ids.as_slice());
        let mut verification = Verification::default();
        verify_loans(&snapshot, &branches, only, &mut verification).await?;
        for rule in LedgerRule::ALL {
            for broken in store::broken(&snapshot, rule, only).await? {
                verification.note(Finding {
                    kind: FindingKind::of(rule),
                    loan: None,
                    subject: broken.subject,
                    expected: broken.expected.to_string(),
                    actual: broken.actual.to_string(),
                });
            }
        }
        for broken in portfolio::broken_sums(&snapshot, only).await? {
            let (subject, expected, actual) = (broken.subject, broken.expected, broken.actual);
            verification.note(Finding { kind: FindingKind::PortfolioSum, loan: None, subject, expected, actual });
        }
        audit::verify(&snapshot, &branches, only, &below, &mut verification).await?;
        Ok(verification)
    }
}

async fn verify_loans(
    snapshot: &Snapshot,
    branches: &[BranchRecord],
    only: Option<&[Uuid]>,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    let calendars = calendars::of_branches(snapshot, branches).await?;
    let every_day = Calendar::default();
    let mut after = Uuid::nil();
    loop {
        let records = store::loans(snapshot, only, after, LOANS_AT_ONCE).await?;
        let Some(last) = records.last() else { return Ok(()) };
        after = last.id;
        let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
        let mut histories = loan_history::of_loans(snapshot, &ids).await?;
        let mut splits = loan_projection::splits(snapshot, &ids).await?;
        let mut rows = loan_projection::installments(snapshot, &ids).await?;
        let mut sums = journal::sums_of_loans(snapshot, &ids).await?;
        let mut entries = store::transaction_entries(snapshot, &ids).await?;
        for record in records {
            verification.loans = verification.loans.saturating_add(1);
            let stored = loan::Stored {
                history: histories.remove(&record.id).unwrap_or_default(),
                splits: splits.remove(&record.id).unwrap_or_default(),
                rows: rows.remove(&record.id).unwrap_or_default(),
                sums: sums.remove(&record.id).unwrap_or_default(),
                entries: entries.remove(&record.id).unwrap_or_default(),
                loan: record,
            };
            let calendar = calendars.get(&stored.loan.branch_id).unwrap_or(&every_day);
            for finding in loan::verify(&stored, calendar) {
                verification.note(finding);
            }
        }
    }
}
