//! Decisions on applications: approving, rejecting, withdrawing, and taking an approval back. `lending` judges the step;
//! nothing here touches the books of a loan, because before its disbursement it has none.

use chrono::NaiveDate;
use lending::loan::{Business, Lifecycle};
use serde::Serialize;
use uuid::Uuid;

use super::audit::About;
use super::check::{AmountInput, Check};
use super::error::ServiceError;
use super::idempotency::{self, Turn};
use super::loans::step_problem;
use super::problem::Problem;
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::StoreError;
use crate::store::branches::{self, BranchKey};
use crate::store::database::Transaction;
use crate::store::find::Lock;
use crate::store::loans::{self as store, LoanKey, LoanRecord};
use crate::store::scope::Scope;

const REASON_LENGTH: usize = 500;

/// A decision on an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decide {
    /// The caller's key, if the decision is to be taken once however often it is sent.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
    /// Which loan.
    pub loan: Uuid,
    /// The day of the decision; the branch's business date when missing.
    pub on: Option<NaiveDate>,
    /// What was decided.
    pub decision: DecisionInput,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

/// What can be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DecisionInput {
    /// The lender agrees, to less than was applied for if an amount is named.
    Approve {
        /// The approved amount.
        amount: Option<AmountInput>,
    },
    /// The lender refuses.
    Reject {
        /// Why.
        reason: Option<String>,
    },
    /// The borrower gives up.
    Withdraw {
        /// Why.
        reason: Option<String>,
    },
    /// The approval is taken back.
    UndoApproval,
}

/// A loan, and whether the decision was a repetition of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The loan as it now is.
    pub loan: LoanRecord,
    /// The decision had been taken before, under the same key.
    pub replayed: bool,
}

impl DecisionInput {
    const fn action(&self) -> Action {
        match self {
            Self::Approve { .. } => Action::ApproveLoan,
            Self::Reject { .. } => Action::RejectLoan,
            Self::Withdraw { .. } => Action::WithdrawLoan,
            Self::UndoApproval => Action::UndoApproval,
        }
    }

    /// The mutation's name, which is part of the idempotency key and stands on the audit trail.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approveLoan",
            Self::Reject { .. } => "rejectLoan",
            Self::Withdraw { .. } => "withdrawLoan",
            Self::UndoApproval => "undoLoanApproval",
        }
    }
}

impl Services {
    /// Approves, rejects or withdraws an application, or takes an approval back; once per idempotency key if it has one.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when the loan's status, the date, the amount or the person does not allow it;
    /// [`ServiceError::Forbidden`].
    pub async fn decide(&self, actor: &Actor, input: &Decide) -> Result<Decided, ServiceError> {
        let about = About::of(input.decision.operation(), Kind::Loan, input.loan);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, input.decision.action())?;
            let mut check = Check::default();
            let key =
                input.idempotency_key.as_ref().and_then(|key| check.idempotency_key(&["input", "idempotencyKey"], key));
            check.finish()?;
            let fingerprint = idempotency::fingerprint(input);
            let now = self.now();
            let (scope, key, fingerprint) = (&scope, key.as_deref(), &fingerprint);
            trail
                .write(|transaction| async move {
                    if let Some(key) = key {
                        let operation = input.decision.operation();
                        let turn =
                            idempotency::claim(&transaction, actor, operation, key, fingerprint, input.loan, now)
                                .await?;
                        if let Turn::Repetition(id) = turn {
                            return Ok(Decided {
                                loan: found(&transaction, scope, id, Lock::None).await?,
                                replayed: true,
                            });
                        }
                    }
                    let mut loan = found(&transaction, scope, input.loan, Lock::ForUpdate).await?;
                    Problem::expect_version(input.expected_version, loan.version)?;
                    let branch = branches::find(&*transaction, &Scope::All, &BranchKey::Id(loan.branch_id), Lock::None)
                        .await?
                        .ok_or_else(|| StoreError::Corrupt("a loan without a branch".to_owned()))?;
                    let business =
                        Business { today: business_date(&branch, now), maker_checker: self.rules.maker_checker };
                    let charged_off = loan.projection.charged_off_on.is_some();
                    loan.state = next_state(actor, loan.state, charged_off, input, business)?;
                    if let (DecisionInput::Approve { .. }, Some(approval)) = (&input.decision, loan.state.approval()) {
                        self.rules.approval_limits.check(&actor.roles, approval.amount)?;
                    }
                    loan.version += 1;
                    loan.updated_at = now;
                    store::update(&*transaction, &loan).await?;
                    Ok(Decided { loan, replayed: false })
                })
                .await
        })
        .await
    }
}

async fn found(transaction: &Transaction, scope: &Scope, id: Uuid, lock: Lock) -> Result<LoanRecord, ServiceError> {
    let loan = store::find(&**transaction, scope, &LoanKey::Id(id), lock).await?;
    loan.ok_or_else(|| Problem::not_found(&["input", "loanId"], "loan").into())
}

fn next_state(
    actor: &Actor,
    state: Lifecycle,
    charged_off: bool,
    input: &Decide,
    business: Business,
) -> Result<Lifecycle, ServiceError> {
    let on = input.on.unwrap_or(business.today);
    let by = actor.subject.clone();
    let mut check = Check::default();
    let step = match &input.decision {
        DecisionInput::Approve { amount } => {
            let amount = amount.as_ref().map(|amount| check.money(&["input", "amount"], amount));
            check.finish()?;
            state.approve(on, by, amount.flatten(), business)
        }
        DecisionInput::Reject { reason } => {
            let reason = check.optional_text(&["input", "reason"], reason.as_deref(), REASON_LENGTH);
            check.finish()?;
            state.reject(on, by, reason, business)
        }
        DecisionInput::Withdraw { reason } => {
            let reason = check.optional_text(&["input", "reason"], reason.as_deref(), REASON_LENGTH);
            check.finish()?;
            state.withdraw(on, by, reason, business)
        }
        DecisionInput::UndoApproval => {
            check.finish()?;
            state.undo_approval()
        }
    };
    step.map_err(|error| step_problem(&error, charged_off, "on", "amount").into())
}
