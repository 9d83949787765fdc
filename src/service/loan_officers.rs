//! Who looks after a loan. The officer is a subject, which nothing here can check: the lender's people are known to the
//! token issuer alone. Portfolios are cut by it; it grants nothing.

use uuid::Uuid;

use super::Services;
use super::audit::About;
use super::check::Check;
use super::error::ServiceError;
use super::loans::OFFICER_LENGTH;
use super::problem::Problem;
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::find::Lock;
use crate::store::loans::{self as store, LoanKey, LoanRecord};

/// A loan for an officer to look after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignOfficer {
    /// Which loan.
    pub loan: Uuid,
    /// The officer's subject, as their tokens carry it.
    pub officer: String,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// Gives a loan, whatever its status, to an officer. One who has it already keeps it, and nothing is written.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] for a loan that does not exist for the caller, a blank or overlong subject, a stale
    /// version; [`ServiceError::Forbidden`].
    pub async fn assign_officer(&self, actor: &Actor, input: &AssignOfficer) -> Result<LoanRecord, ServiceError> {
        let about = About::of("assignLoanOfficer", Kind::Loan, input.loan);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::AssignOfficer)?;
            let mut check = Check::default();
            let officer = check.text(&["input", "officer"], &input.officer, OFFICER_LENGTH);
            check.finish()?;
            let now = self.now();
            let (scope, officer) = (&scope, &officer.ok_or(ServiceError::BadInput)?);
            trail
                .write(|transaction| async move {
                    let loan = store::find(&*transaction, scope, &LoanKey::Id(input.loan), Lock::ForUpdate).await?;
                    let mut loan = loan.ok_or_else(|| Problem::not_found(&["input", "loanId"], "loan"))?;
                    Problem::expect_version(input.expected_version, loan.version)?;
                    if loan.officer.as_ref() != Some(officer) {
                        loan.officer = Some(officer.clone());
                        loan.version += 1;
                        loan.updated_at = now;
                        store::update(&*transaction, &loan).await?;
                    }
                    Ok(loan)
                })
                .await
        })
        .await
    }
}
