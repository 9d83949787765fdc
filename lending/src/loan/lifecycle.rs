//! The lifecycle of a loan. Each state carries exactly the facts it has, so a disbursed loan without an approval
//! cannot be written down. A step consumes a state and yields the next one or a typed refusal; it reads no clock and
//! does not look at balances: whoever calls `repay`, `default_on` or `cure` has worked out that it is due.

use chrono::NaiveDate;

use super::state::{LoanState, Standing};
use super::status::LoanStatus;
use super::transition::{Business, Transition, TransitionError};
use crate::money::Money;

/// Someone applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The day of the application.
    pub applied_on: NaiveDate,
    /// Who took it: the subject of the actor, an opaque identifier.
    pub applied_by: String,
    /// The amount applied for.
    pub amount: Money,
}

/// The lender agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The day of the approval.
    pub on: NaiveDate,
    /// Who approved.
    pub by: String,
    /// The approved amount, at most the amount applied for.
    pub amount: Money,
}

/// A rejection or a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The day of the decision.
    pub on: NaiveDate,
    /// Who recorded it.
    pub by: String,
    /// Why, in the words of whoever recorded it.
    pub reason: Option<String>,
}

/// The money was paid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disbursement {
    /// The day of the payout.
    pub on: NaiveDate,
    /// Who paid it out.
    pub by: String,
    /// The amount paid out, at most the approved amount.
    pub amount: Money,
}

/// A loan in its life. The variants are public so that a stored loan can be read back; new ones begin with
/// [`Lifecycle::apply`] and move by the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after the facts they hold, documented on their types")]
pub enum Lifecycle {
    /// See [`LoanStatus::Pending`].
    Pending { application: Application },
    /// See [`LoanStatus::Approved`].
    Approved { application: Application, approval: Approval },
    /// See [`LoanStatus::Rejected`].
    Rejected { application: Application, rejection: Decision },
    /// See [`LoanStatus::Withdrawn`]; it may have been approved before.
    Withdrawn { application: Application, approval: Option<Approval>, withdrawal: Decision },
    /// See [`LoanStatus::Disbursed`].
    Disbursed { application: Application, approval: Approval, disbursement: Disbursement },
    /// See [`LoanStatus::Defaulted`].
    Defaulted { application: Application, approval: Approval, disbursement: Disbursement, defaulted_on: NaiveDate },
    /// See [`LoanStatus::Repaid`].
    Repaid { application: Application, approval: Approval, disbursement: Disbursement, closed_on: NaiveDate },
    /// See [`LoanStatus::WrittenOff`].
    WrittenOff { application: Application, approval: Approval, disbursement: Disbursement, closed_on: NaiveDate },
}

/// What every step answers.
pub type StepResult = Result<Lifecycle, TransitionError>;

impl Lifecycle {
    /// A new loan: an application of more than nothing, dated no later than today.
    ///
    /// # Errors
    /// `DateOutOfRange`, `AmountNotPositive`. The product's limits are checked on the terms, not here.
    pub fn apply(on: NaiveDate, by: String, amount: Money, business: Business) -> StepResult {
        check_date(None, on, business)?;
        if !amount.is_positive() {
            return Err(TransitionError::AmountNotPositive { min: Money::smallest(amount.currency()) });
        }
        Ok(Self::Pending { application: Application { applied_on: on, applied_by: by, amount } })
    }

    /// PENDING → APPROVED, for `amount` or else for what was applied for.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (applied ≤ on ≤ today), `CurrencyMismatch`, `AmountOutOfRange`
    /// (0 < amount ≤ applied), `SamePerson` under maker-checker.
    pub fn approve(self, on: NaiveDate, by: String, amount: Option<Money>, business: Business) -> StepResult {
        match self {
            Self::Pending { application } => {
                check_date(Some(application.applied_on), on, business)?;
                let amount = amount.unwrap_or(application.amount);
                check_amount(amount, application.amount)?;
                if business.maker_checker && by == application.applied_by {
                    return Err(TransitionError::SamePerson { action: Transition::Approve });
                }
                Ok(Self::Approved { application, approval: Approval { on, by, amount } })
            }
            other => other.refuse(Transition::Approve),
        }
    }

    /// PENDING → REJECTED.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (applied ≤ on ≤ today).
    pub fn reject(self, on: NaiveDate, by: String, reason: Option<String>, business: Business) -> StepResult {
        match self {
            Self::Pending { application } => {
                check_date(Some(application.applied_on), on, business)?;
                Ok(Self::Rejected { application, rejection: Decision { on, by, reason } })
            }
            other => other.refuse(Transition::Reject),
        }
    }

    /// PENDING or APPROVED → WITHDRAWN.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (applied, or approved, ≤ on ≤ today).
    pub fn withdraw(self, on: NaiveDate, by: String, reason: Option<String>, business: Business) -> StepResult {
        let (application, approval) = match self {
            Self::Pending { application } => (application, None),
            Self::Approved { application, approval } => (application, Some(approval)),
            other => return other.refuse(Transition::Withdraw),
        };
        let earliest = approval.as_ref().map_or(application.applied_on, |approval| approval.on);
        check_date(Some(earliest), on, business)?;
        Ok(Self::Withdrawn { application, approval, withdrawal: Decision { on, by, reason } })
    }

    /// Maker-checker: whoever approved a loan may not pay it out, not even a part of it. A loan without an approval has
    /// nobody to keep apart; its status refuses the step.
    ///
    /// # Errors
    /// `SamePerson`.
    pub fn check_disburser(&self, by: &str) -> Result<(), TransitionError> {
        match self.approval() {
            Some(approval) if approval.by == by => Err(TransitionError::SamePerson { action: Transition::Disburse }),
            _ => Ok(()),
        }
    }

    /// APPROVED → PENDING.
    ///
    /// # Errors
    /// `InvalidTransition`.
    pub fn undo_approval(self) -> StepResult {
        match self {
            Self::Approved { application, approval: _ } => Ok(Self::Pending { application }),
            other => other.refuse(Transition::UndoApproval),
        }
    }

    /// APPROVED → DISBURSED.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (approved ≤ on ≤ today), `CurrencyMismatch`, `AmountOutOfRange`
    /// (0 < amount ≤ approved).
    pub fn disburse(self, on: NaiveDate, by: String, amount: Money, business: Business) -> StepResult {
        match self {
            Self::Approved { application, approval } => {
                check_date(Some(approval.on), on, business)?;
                check_amount(amount, approval.amount)?;
                Ok(Self::Disbursed { application, approval, disbursement: Disbursement { on, by, amount } })
            }
            other => other.refuse(Transition::Disburse),
        }
    }

    /// DISBURSED or DEFAULTED → APPROVED: a disbursement that was recorded late, and by mistake, can be taken back too.
    /// The caller makes sure that nothing was booked since.
    ///
    /// # Errors
    /// `InvalidTransition`.
    pub fn undo_disbursement(self) -> StepResult {
        match self {
            Self::Disbursed { application, approval, disbursement: _ }
            | Self::Defaulted { application, approval, disbursement: _, defaulted_on: _ } => {
                Ok(Self::Approved { application, approval })
            }
            other => other.refuse(Transition::UndoDisbursement),
        }
    }

    /// DISBURSED → DEFAULTED.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (disbursed ≤ on ≤ today).
    pub fn default_on(self, on: NaiveDate, business: Business) -> StepResult {
        match self {
            Self::Disbursed { application, approval, disbursement } => {
                check_date(Some(disbursement.on), on, business)?;
                Ok(Self::Defaulted { application, approval, disbursement, defaulted_on: on })
            }
            other => other.refuse(Transition::Default),
        }
    }

    /// DEFAULTED → DISBURSED. A defaulted loan that is paid in full is cured first and repaid then.
    ///
    /// # Errors
    /// `InvalidTransition`.
    pub fn cure(self) -> StepResult {
        match self {
            Self::Defaulted { application, approval, disbursement, defaulted_on: _ } => {
                Ok(Self::Disbursed { application, approval, disbursement })
            }
            other => other.refuse(Transition::Cure),
        }
    }

    /// DISBURSED → REPAID.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (disbursed ≤ on ≤ today).
    pub fn repay(self, on: NaiveDate, business: Business) -> StepResult {
        match self {
            Self::Disbursed { application, approval, disbursement } => {
                check_date(Some(disbursement.on), on, business)?;
                Ok(Self::Repaid { application, approval, disbursement, closed_on: on })
            }
            other => other.refuse(Transition::Repay),
        }
    }

    /// REPAID → DISBURSED, when a reversal leaves something outstanding.
    ///
    /// # Errors
    /// `InvalidTransition`.
    pub fn reopen(self) -> StepResult {
        match self {
            Self::Repaid { application, approval, disbursement, closed_on: _ } => {
                Ok(Self::Disbursed { application, approval, disbursement })
            }
            other => other.refuse(Transition::Reopen),
        }
    }

    /// DISBURSED or DEFAULTED → WRITTEN_OFF.
    ///
    /// # Errors
    /// `InvalidTransition`, `DateOutOfRange` (disbursed, or defaulted, ≤ on ≤ today).
    pub fn write_off(self, on: NaiveDate, business: Business) -> StepResult {
        let (application, approval, disbursement, earliest) = match self {
            Self::Disbursed { application, approval, disbursement } => {
                let earliest = disbursement.on;
                (application, approval, disbursement, earliest)
            }
            Self::Defaulted { application, approval, disbursement, defaulted_on } => {
                (application, approval, disbursement, defaulted_on)
            }
            other => return other.refuse(Transition::WriteOff),
        };
        check_date(Some(earliest), on, business)?;
        Ok(Self::WrittenOff { application, approval, disbursement, closed_on: on })
    }

    /// The lifecycle that a folded loan has come to: what was paid out, and where it stands. `by` is who paid out, if
    /// that was not known before. An undisbursed loan falls back to its approval; a loan without one stays as it is.
    #[must_use]
    pub fn settled(self, state: &LoanState, by: &str) -> Self {
        let application = self.application().clone();
        let Some(approval) = self.approval().cloned() else { return self };
        let Some(on) = state.first_disbursed_on else { return Self::Approved { application, approval } };
        let by = self.disbursement().map_or_else(|| by.to_owned(), |known| known.by.clone());
        let disbursement = Disbursement { on, by, amount: Money::new(state.disbursed, state.currency) };
        match state.standing {
            Standing::NotDisbursed => Self::Approved { application, approval },
            Standing::Active => Self::Disbursed { application, approval, disbursement },
            Standing::Defaulted { on } => Self::Defaulted { application, approval, disbursement, defaulted_on: on },
            Standing::Repaid { on } => Self::Repaid { application, approval, disbursement, closed_on: on },
            Standing::WrittenOff { on } => Self::WrittenOff { application, approval, disbursement, closed_on: on },
        }
    }

    /// The status that names this state.
    pub const fn status(&self) -> LoanStatus {
        match self {
            Self::Pending { .. } => LoanStatus::Pending,
            Self::Approved { .. } => LoanStatus::Approved,
            Self::Rejected { .. } => LoanStatus::Rejected,
            Self::Withdrawn { .. } => LoanStatus::Withdrawn,
            Self::Disbursed { .. } => LoanStatus::Disbursed,
            Self::Defaulted { .. } => LoanStatus::Defaulted,
            Self::Repaid { .. } => LoanStatus::Repaid,
            Self::WrittenOff { .. } => LoanStatus::WrittenOff,
        }
    }

    /// The application, which every loan has.
    pub const fn application(&self) -> &Application {
        match self {
            Self::Pending { application }
            | Self::Approved { application, .. }
            | Self::Rejected { application, .. }
            | Self::Withdrawn { application, .. }
            | Self::Disbursed { application, .. }
            | Self::Defaulted { application, .. }
            | Self::Repaid { application, .. }
            | Self::WrittenOff { application, .. } => application,
        }
    }

    /// The approval that stands.
    pub const fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Pending { .. } | Self::Rejected { .. } => None,
            Self::Withdrawn { approval, .. } => approval.as_ref(),
            Self::Approved { approval, .. }
            | Self::Disbursed { approval, .. }
            | Self::Defaulted { approval, .. }
            | Self::Repaid { approval, .. }
            | Self::WrittenOff { approval, .. } => Some(approval),
        }
    }

    /// The disbursement that stands.
    pub const fn disbursement(&self) -> Option<&Disbursement> {
        match self {
            Self::Pending { .. } | Self::Approved { .. } | Self::Rejected { .. } | Self::Withdrawn { .. } => None,
            Self::Disbursed { disbursement, .. }
            | Self::Defaulted { disbursement, .. }
            | Self::Repaid { disbursement, .. }
            | Self::WrittenOff { disbursement, .. } => Some(disbursement),
        }
    }

    fn refuse(&self, attempted: Transition) -> StepResult {
        let from = self.status();
        Err(TransitionError::InvalidTransition { from, attempted, allowed: from.allowed().to_vec() })
    }
}

fn check_date(earliest: Option<NaiveDate>, given: NaiveDate, business: Business) -> Result<(), TransitionError> {
    let latest = business.today;
    let too_early = earliest.is_some_and(|earliest| given < earliest);
    if too_early || given > latest {
        return Err(TransitionError::DateOutOfRange { earliest, latest, given });
    }
    Ok(())
}

fn check_amount(given: Money, max: Money) -> Result<(), TransitionError> {
    if given.currency() != max.currency() {
        return Err(TransitionError::CurrencyMismatch { expected: max.currency(), given: given.currency() });
    }
    if given.minor() < 1 || given.minor() > max.minor() {
        return Err(TransitionError::AmountOutOfRange { min: Money::smallest(max.currency()), max });
    }
    Ok(())
}
