//! Erasing a borrower's person while the books stay: everything personal goes from their row, memberships end, and what
//! refers to them goes on doing so. It is refused while anything is open between them and the lender. It may not touch
//! transactions and journal, which are append-only.

use lending::loan::{FoldError, Installment, Lifecycle};
use uuid::Uuid;

use super::audit::{About, Evidence, Facts, Leaves};
use super::branches::branch_of;
use super::error::ServiceError;
use super::problem::{Detail, OpenLoan, Problem, ProblemCode};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::{Kind, NodeId};
use crate::store::borrowers::{self, BorrowerKey, BorrowerRecord, ERASED_NAME};
use crate::store::database::Transaction;
use crate::store::find::{self, Lock};
use crate::store::group_members::{self, MemberRecord};
use crate::store::groups::{self, GroupKey, GroupRecord};
use crate::store::loans::{LoanField, LoanRecord};
use crate::store::scope::Scope;
use crate::store::{StoreError, borrower_erasure as store, loan_projection};

/// A refusal names this many loans.
const MOST_LOANS: usize = 20;

/// Why someone's person is erased. It is for the audit trail, which takes no free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureReason {
    /// They asked for it.
    Requested,
    /// The time is over for which the lender has to keep it.
    RetentionEnded,
}

impl ErasureReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Requested, Self::RetentionEnded];

    /// The name on the audit trail and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::RetentionEnded => "RETENTION_ENDED",
        }
    }
}

/// A borrower to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseBorrower {
    /// Who.
    pub id: Uuid,
    /// Why, if it is told.
    pub reason: Option<ErasureReason>,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

/// A borrower without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// What is left of them.
    pub borrower: BorrowerRecord,
    /// Groups they belonged to until now.
    pub left: Vec<Uuid>,
    /// Why, if it was told.
    pub reason: Option<ErasureReason>,
    /// They had been erased before, and nothing was written.
    pub replayed: bool,
}

impl Leaves for Erased {
    fn evidence(&self) -> Evidence {
        let BorrowerRecord { id, branch_id, version, .. } = &self.borrower;
        let mut facts = Facts::default().number("version", *version);
        if let Some(reason) = self.reason {
            facts = facts.name("reason", reason.as_str());
        }
        if !self.left.is_empty() {
            facts = facts.ids("groups", Kind::Group, &self.left);
        }
        let object = Some(NodeId { kind: Kind::Borrower, uuid: *id });
        Evidence { branch: Some(*branch_id), object, facts, replayed: self.replayed }
    }
}

impl Services {
    /// Erases a borrower's person, once: who was erased before is answered as they are.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] while a loan of theirs is open; [`ServiceError::Forbidden`].
    pub async fn erase_borrower(&self, actor: &Actor, input: &EraseBorrower) -> Result<Erased, ServiceError> {
        let about = About::of("eraseBorrower", Kind::Borrower, input.id);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::EraseBorrower)?;
            let scope = &scope;
            trail.write(|transaction| async move { self.erase(&transaction, scope, input).await }).await
        })
        .await
    }

    async fn erase(
        &self,
        transaction: &Transaction,
        scope: &Scope,
        input: &EraseBorrower,
    ) -> Result<Erased, ServiceError> {
        // Groups are locked before borrowers; whoever joins another one meanwhile makes all of this begin again.
        let memberships = active_memberships(transaction, input.id).await?;
        let groups = lock_groups(transaction, &memberships).await?;
        let record = borrowers::find(&**transaction, scope, &BorrowerKey::Id(input.id), Lock::ForUpdate)
            .await?
            .ok_or_else(|| Problem::not_found(&["input", "borrowerId"], "borrower"))?;
        if record.erased_at.is_some() {
            return Ok(Erased { borrower: record, left: Vec::new(), reason: input.reason, replayed: true });
        }
        Problem::expect_version(input.expected_version, record.version)?;
        if active_memberships(transaction, input.id).await? != memberships {
            return Err(StoreError::StaleVersion.into());
        }
        refuse_open(transaction, scope, input.id).await?;

        let now = self.now();
        let left: Vec<Uuid> = groups.iter().map(|group| group.id).collect();
        for member in &memberships {
            let today = business_date(&branch_of(transaction, member.branch_id).await?, now);
            // A branch that has moved to another time zone may be a day behind itself.
            group_members::end(&**transaction, member.id, today.max(member.joined_on)).await?;
        }
        for group in groups {
            self.save_group(transaction, group).await?;
        }
        store::forget_decision_reasons(&**transaction, input.id, now).await?;
        let borrower = BorrowerRecord {
            name: ERASED_NAME.to_owned(),
            external_ref: None,
            phone: None,
            national_id: None,
            key_id: None,
            date_of_birth: None,
            erased_at: Some(now),
            version: record.version + 1,
            updated_at: now,
            ..record
        };
        borrowers::update(&**transaction, &borrower).await?;
        Ok(Erased { borrower, left, reason: input.reason, replayed: false })
    }
}

async fn active_memberships(transaction: &Transaction, borrower: Uuid) -> Result<Vec<MemberRecord>, ServiceError> {
    Ok(group_members::active_of_borrowers(&**transaction, &Scope::All, &[borrower]).await?)
}

/// The groups of these memberships, of whatever branch, locked in the order of their ids.
async fn lock_groups(
    transaction: &Transaction,
    memberships: &[MemberRecord],
) -> Result<Vec<GroupRecord>, ServiceError> {
    let mut ids: Vec<Uuid> = memberships.iter().map(|member| member.group_id).collect();
    ids.sort_unstable();
    let mut locked = Vec::with_capacity(ids.len());
    for id in ids {
        let group = groups::find(&**transaction, &Scope::All, &GroupKey::Id(id), Lock::ForUpdate).await?;
        locked.push(group.ok_or_else(|| StoreError::Corrupt("a membership without its group".to_owned()))?);
    }
    Ok(locked)
}

/// Refuses while a loan of the borrower is open, in whatever branch; the caller is told how many, and of their own
/// branches which.
async fn refuse_open(transaction: &Transaction, scope: &Scope, borrower: Uuid) -> Result<(), ServiceError> {
    let loans = store::lock_loans(&**transaction, borrower).await?;
    let written_off: Vec<Uuid> = loans.iter().filter(|loan| is_written_off(loan)).map(|loan| loan.id).collect();
    let installments = loan_projection::installments(&**transaction, &written_off).await?;
    let mut open = Vec::new();
    for loan in &loans {
        let rows = installments.get(&loan.id).map_or(&[][..], Vec::as_slice);
        if is_open(loan, rows)? {
            open.push(loan);
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = open.iter().map(|loan| loan.id).collect();
    let seen = find::present::<LoanField>(&**transaction, scope, &ids).await?;
    let seen = open.iter().filter(|loan| seen.contains(&loan.id)).take(MOST_LOANS);
    let loans =
        seen.map(|loan| OpenLoan { loan: loan.id, number: loan.number.clone(), status: loan.state.status() }).collect();
    Err(has_open_loans(open.len(), loans).into())
}

const fn is_written_off(loan: &LoanRecord) -> bool {
    matches!(loan.state, Lifecycle::WrittenOff { .. })
}

/// Whether a loan leaves something between borrower and lender: it has not ended; the lender owes credit; or what was
/// written off of these installments has not all come in, and whoever pays it later must be known.
fn is_open(loan: &LoanRecord, installments: &[Installment]) -> Result<bool, FoldError> {
    Ok(match &loan.state {
        Lifecycle::Pending { .. }
        | Lifecycle::Approved { .. }
        | Lifecycle::Disbursed { .. }
        | Lifecycle::Defaulted { .. } => true,
        Lifecycle::Rejected { .. } | Lifecycle::Withdrawn { .. } => false,
        Lifecycle::Repaid { .. } => loan.projection.credit > 0,
        Lifecycle::WrittenOff { .. } => {
            let mut given_up: i64 = 0;
            for row in installments {
                given_up = given_up.checked_add(row.written_off.total()?).ok_or(FoldError::Overflow)?;
            }
            loan.projection.credit > 0 || loan.projection.recovered < given_up
        }
    })
}

fn has_open_loans(count: usize, loans: Vec<OpenLoan>) -> Problem {
    let names: Vec<&str> = loans.iter().map(|loan| loan.number.as_str()).collect();
    let named = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let message = format!(
        "Settle every loan of this borrower first, pay back its credit, and recover what was written off: {count} open{named}."
    );
    Problem::new(ProblemCode::BorrowerHasOpenLoans, &["input", "borrowerId"], message)
        .with(Detail::OpenLoans { count, loans })
}
