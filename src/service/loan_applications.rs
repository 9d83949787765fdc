//! Applying for a loan: what is asked for is read, held against the product, the branch and the borrower, and becomes a
//! pending loan. What a step may do is decided by `lending`; what it may be called with is checked here.

use chrono::NaiveDate;
use lending::loan::{Business, Lifecycle};
use serde::Serialize;
use uuid::Uuid;

use super::audit::{About, Asked, Planned, Request, Shared, Written};
use super::borrowers::refuse_erased;
use super::branches::taken;
use super::check::{AmountInput, Check};
use super::error::ServiceError;
use super::group_members;
use super::idempotency::{self, Opened};
use super::loan_terms::{self, TermsInput};
use super::loans::{OFFICER_LENGTH, step_problem};
use super::problem::{Problem, ProblemCode};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::applications::{self, Wanted};
use crate::store::batch::Batch;
use crate::store::borrowers::{self, BorrowerKey};
use crate::store::branches::{self, BranchKey, BranchRecord, BranchStatus};
use crate::store::database::Transaction;
use crate::store::find::Lock;
use crate::store::loan_balances::LoanProjection;
use crate::store::loan_products::{self, LoanProductKey, LoanProductRecord, LoanProductStatus};
use crate::store::loans::{self as store, LoanKey, LoanRecord};
use crate::store::numbers::{self, Sequence};
use crate::store::scope::Scope;

const REFERENCE_LENGTH: usize = 100;

/// An application for a loan. What is missing comes from the product, the borrower or the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplyForLoan {
    /// The caller's key; the same key with the same input is the same application.
    #[serde(skip)]
    pub idempotency_key: String,
    /// Who borrows.
    pub borrower: Uuid,
    /// Under which product.
    pub product: Uuid,
    /// At which branch, if not the borrower's.
    pub branch: Option<Uuid>,
    /// How much.
    pub principal: AmountInput,
    /// The annual rate in percent.
    pub annual_rate: Option<String>,
    /// The number of installments.
    pub installments: Option<i32>,
    /// The other terms. Left out of the fingerprint where they are missing, like the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermsInput>,
    /// The day of the application.
    pub applied_on: Option<NaiveDate>,
    /// The credit officer who looks after it.
    pub officer: Option<String>,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// The group whose members answer for it. Left out of the fingerprint where it is missing, so that keys from before
    /// there were groups still know their input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
}

/// A loan, and whether the request was a repetition of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The loan as it now is.
    pub loan: LoanRecord,
    /// The application had been taken before, under the same key.
    pub replayed: bool,
}

impl Services {
    /// Takes an application for a loan, once per idempotency key.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the input; [`ServiceError::Forbidden`].
    pub async fn apply_for_loan(&self, actor: &Actor, input: &ApplyForLoan) -> Result<Applied, ServiceError> {
        let about = About::of("applyForLoan", Kind::Borrower, input.borrower);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::ApplyForLoan)?;
            let request = Request::under(&input.idempotency_key, trail, scope, input)?;
            // A reference that is taken already would undo what the others did, and a group is locked before its member.
            if input.external_ref.is_some() || input.group.is_some() {
                return request.alone(request.asked()).await;
            }
            self.together.applications.carry_out(&request).await
        })
        .await
    }

    /// The loan that is applied for, and what is to be written of it.
    async fn application(
        &self,
        scope: &Scope,
        transaction: &Transaction,
        asked: &Asked<ApplyForLoan>,
        parties: Parties,
    ) -> Result<(Applied, Batch), ServiceError> {
        let Asked { actor, input, claim, id, .. } = asked;
        let now = claim.created_at;
        let today = business_date(&parties.branch, now);
        let mut check = Check::default();
        parties.check_open(&mut check);
        if let Some(group) = input.group {
            group_members::check_member(&mut check, transaction, scope, group, input.borrower, &parties.branch).await?;
        }
        match parties.erased {
            Some(true) => check.note(Problem::borrower_erased(&["input", "borrowerId"])),
            Some(false) => {}
            None => still_there(&mut check, transaction, scope, input.borrower).await?,
        }
        let applied_on = input.applied_on.unwrap_or(today);
        let terms = loan_terms::read(&mut check, &parties.product, input, applied_on);
        let officer = check.optional_text(&["input", "officer"], input.officer.as_deref(), OFFICER_LENGTH);
        let external_ref =
            check.optional_text(&["input", "externalRef"], input.external_ref.as_deref(), REFERENCE_LENGTH);
        let business = Business { today, maker_checker: self.rules.maker_checker };
        let state = terms.as_ref().and_then(|terms| {
            Lifecycle::apply(applied_on, actor.subject.clone(), terms.principal, business)
                .map_err(|error| check.note(step_problem(&error, false, "appliedOn", "principal")))
                .ok()
        });
        check.finish()?;
        let (Some(terms), Some(state)) = (terms, state) else { return Err(ServiceError::BadInput) };
        let number = match parties.number {
            Some(number) => number,
            None => numbers::take(&**transaction, Sequence::Loan, 1).await?.into_iter().next().unwrap_or_default(),
        };
        let loan = LoanRecord {
            id: *id,
            number,
            external_ref,
            branch_id: parties.branch.id,
            borrower_id: input.borrower,
            product_id: parties.product.id,
            group_id: input.group,
            officer: officer.or_else(|| Some(actor.subject.clone())),
            terms,
            state,
            projection: LoanProjection::default(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let mut batch = Batch::default();
        store::add(&mut batch, &loan)?;
        Ok((Applied { loan, replayed: false }, batch))
    }
}

impl Shared<ApplyForLoan> for Request<'_, ApplyForLoan> {
    type Outcome = Applied;

    /// Each makes a row of its own.
    fn row(_: &ApplyForLoan) -> Option<Uuid> {
        None
    }

    async fn alone(&self, asked: Asked<ApplyForLoan>) -> Result<Written<Applied>, ServiceError> {
        let Self { services, scope, .. } = self;
        let asked = &asked;
        let Asked { claim, input, .. } = asked;
        self.trail
            .write_together(|transaction| async move {
                let claimed = applications::claim_and_find(&*transaction, claim, scope, input.wanted()).await?;
                let parties = match idempotency::opened(claim, claimed)? {
                    Opened::First(Some(found)) => Parties::found(found, input),
                    Opened::First(None) => Parties::load(&transaction, scope, input).await?,
                    Opened::Repetition(id) => {
                        // The caller's branches may have changed since: what they may not see now is not shown.
                        let loan = store::find(&*transaction, scope, &LoanKey::Id(id), Lock::None)
                            .await?
                            .ok_or_else(|| Problem::not_found(&["input", "idempotencyKey"], "loan"))?;
                        return Ok((Applied { loan, replayed: true }, Batch::default()));
                    }
                };
                services.application(scope, &transaction, asked, parties).await
            })
            .await
            .map_err(|error| taken(error, &["input", "externalRef"]))
    }

    async fn all(
        &self,
        transaction: &Transaction,
        asked: &[&Asked<ApplyForLoan>],
    ) -> Result<Vec<Planned<Applied>>, ServiceError> {
        let wanted: Vec<Wanted> = asked.iter().map(|one| one.input.wanted()).collect();
        let found = applications::find_all(&**transaction, &self.scope, &wanted).await?;
        let mut decided = Vec::with_capacity(asked.len());
        for (one, found) in asked.iter().zip(found) {
            let Some(parties) = found.map(|found| Parties::found(found, &one.input)) else { continue };
            if let Ok((outcome, batch)) = self.services.application(&self.scope, transaction, one, parties).await {
                decided.push(Planned { id: one.id, outcome, batch });
            }
        }
        Ok(decided)
    }
}

/// Notes that the borrower was erased. Looked at once more and locked, after branch and group as everywhere: or they could
/// be erased between the first look and the loan's arrival.
async fn still_there(
    check: &mut Check,
    transaction: &Transaction,
    scope: &Scope,
    id: Uuid,
) -> Result<(), ServiceError> {
    match borrowers::find(&**transaction, scope, &BorrowerKey::Id(id), Lock::Shared).await? {
        Some(borrower) => refuse_erased(&borrower).unwrap_or_else(|problem| check.note(problem)),
        None => check.note(Problem::not_found(&["input", "borrowerId"], "borrower")),
    }
    Ok(())
}

impl ApplyForLoan {
    fn wanted(&self) -> Wanted {
        // A group is locked between the two.
        let branch_only = self.group.is_some();
        Wanted { borrower: self.borrower, product: self.product, branch: self.branch, branch_only }
    }
}

/// What an application is about.
struct Parties {
    branch: BranchRecord,
    product: LoanProductRecord,
    /// Whether the borrower was erased, if they are locked already.
    erased: Option<bool>,
    /// The loan's number, if it has one already.
    number: Option<String>,
}

impl Parties {
    fn found(found: applications::Parties, input: &ApplyForLoan) -> Self {
        let applications::Parties { branch, product, erased, number } = found;
        Self { branch, product, erased: (!input.wanted().branch_only).then_some(erased), number: Some(number) }
    }

    /// Looks for each of them, and tells what is missing.
    async fn load(transaction: &Transaction, scope: &Scope, input: &ApplyForLoan) -> Result<Self, ServiceError> {
        let mut check = Check::default();
        let borrower = borrowers::find(&**transaction, scope, &BorrowerKey::Id(input.borrower), Lock::None).await?;
        if borrower.is_none() {
            check.note(Problem::not_found(&["input", "borrowerId"], "borrower"));
        }
        let product = loan_products::find(&**transaction, &LoanProductKey::Id(input.product), Lock::None).await?;
        if product.is_none() {
            check.note(Problem::not_found(&["input", "productId"], "loan product"));
        }
        let branch = match input.branch.or(borrower.as_ref().map(|borrower| borrower.branch_id)) {
            None => None,
            Some(id) => {
                // Or it could be closed between this look and the loan's arrival.
                let branch = branches::find(&**transaction, scope, &BranchKey::Id(id), Lock::Shared).await?;
                if branch.is_none() {
                    check.note(Problem::not_found(&["input", "branchId"], "branch"));
                }
                branch
            }
        };
        check.finish()?;
        match (borrower, branch, product) {
            (Some(_), Some(branch), Some(product)) => Ok(Self { branch, product, erased: None, number: None }),
            _ => Err(ServiceError::BadInput),
        }
    }

    fn check_open(&self, check: &mut Check) {
        if self.branch.status == BranchStatus::Closed {
            check.note(Problem::new(ProblemCode::BranchClosed, &["input", "branchId"], "Choose an open branch."));
        }
        if self.product.status == LoanProductStatus::Retired {
            check.note(Problem::new(
                ProblemCode::ProductRetired,
                &["input", "productId"],
                "Choose a product that is still offered.",
            ));
        }
    }
}
