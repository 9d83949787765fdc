//! Applying for loans and deciding on applications.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::graphql::request::{Request, request};
use crate::graphql::types::id::InputIds;
use crate::graphql::types::loan::Loan;
use crate::graphql::types::money::MoneyInput;
use crate::graphql::types::scalars::{Date, Decimal};
use crate::graphql::types::terms_input::LoanTermsInput;
use crate::graphql::types::user_error::{UserError, split};
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::loan_decisions::{Decide, Decided, DecisionInput};
use crate::service::loan_officers::AssignOfficer;
use crate::service::loans::ApplyForLoan;

/// The mutations around loans.
#[derive(Default)]
pub struct LoanMutation;

/// An application for a loan. What is left out comes from the product, the borrower or the day.
#[derive(InputObject)]
pub struct ApplyForLoanInput {
    /// A key of 1 to 64 characters that the caller chooses, new for each application: sending the same input under the same key again takes no second application.
    pub idempotency_key: String,
    /// Who borrows.
    pub borrower_id: ID,
    /// Under which product; it must still be offered.
    pub product_id: ID,
    /// At which branch; the borrower's if omitted. It must be open.
    pub branch_id: Option<ID>,
    /// How much, within the product's limits and in its currency.
    pub principal: MoneyInput,
    /// The nominal annual rate in percent, with at most four decimals; the product's default if omitted.
    pub annual_rate: Option<Decimal>,
    /// The number of installments; the product's default if omitted.
    pub installments: Option<i32>,
    /// The other terms; what is left out comes from the product.
    pub terms: Option<LoanTermsInput>,
    /// The day of the application, not in the future; the branch's business date if omitted.
    pub applied_on: Option<Date>,
    /// The subject of the credit officer who looks after it; the caller if omitted.
    pub officer: Option<String>,
    /// The id in another system, unique; at most 100 characters.
    pub external_ref: Option<String>,
    /// The group whose members answer for it: active, of the same branch, and the borrower one of its members.
    pub group_id: Option<ID>,
}

/// What came of applying for a loan.
#[derive(SimpleObject)]
pub struct ApplyForLoanPayload {
    /// The loan.
    pub loan: Option<Loan>,
    /// The application had been taken before, under the same key: this is that loan as it now is.
    pub replayed: bool,
    /// What to mend; empty when all went well. Nothing was written otherwise.
    pub user_errors: Vec<UserError>,
}

/// An application to approve.
#[derive(InputObject)]
pub struct ApproveLoanInput {
    /// A key of 1 to 64 characters: sending the same input under the same key again decides nothing twice. Without one, a repetition is refused for the loan's new status.
    pub idempotency_key: Option<String>,
    /// Which loan.
    pub loan_id: ID,
    /// The approved amount, at most what was applied for; all of it if omitted.
    pub amount: Option<MoneyInput>,
    /// The day of the approval, from the application to the business date; the business date if omitted.
    pub on: Option<Date>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// An application to reject.
#[derive(InputObject)]
pub struct RejectLoanInput {
    /// A key of 1 to 64 characters: sending the same input under the same key again decides nothing twice. Without one, a repetition is refused for the loan's new status.
    pub idempotency_key: Option<String>,
    /// Which loan.
    pub loan_id: ID,
    /// Why, at most 500 characters.
    pub reason: Option<String>,
    /// The day of the rejection, from the application to the business date; the business date if omitted.
    pub on: Option<Date>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// An application to withdraw.
#[derive(InputObject)]
pub struct WithdrawLoanInput {
    /// A key of 1 to 64 characters: sending the same input under the same key again decides nothing twice. Without one, a repetition is refused for the loan's new status.
    pub idempotency_key: Option<String>,
    /// Which loan.
    pub loan_id: ID,
    /// Why, at most 500 characters.
    pub reason: Option<String>,
    /// The day of the withdrawal, from the application or approval to the business date; the business date if omitted.
    pub on: Option<Date>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// An approval to take back.
#[derive(InputObject)]
pub struct UndoLoanApprovalInput {
    /// A key of 1 to 64 characters: sending the same input under the same key again decides nothing twice. Without one, a repetition is refused for the loan's new status.
    pub idempotency_key: Option<String>,
    /// Which loan.
    pub loan_id: ID,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A loan for an officer to look after.
#[derive(InputObject)]
pub struct AssignLoanOfficerInput {
    /// Which loan.
    pub loan_id: ID,
    /// The subject of the credit officer, as their tokens carry it; 1 to 200 characters.
    pub officer: String,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// What came of giving a loan to an officer.
#[derive(SimpleObject)]
pub struct AssignLoanOfficerPayload {
    /// The loan as it now is.
    pub loan: Option<Loan>,
    /// What to mend; empty when all went well. Nothing was written otherwise.
    pub user_errors: Vec<UserError>,
}

/// Defines what a decision on an application answers with.
macro_rules! decision_payload {
    ($($(#[$doc:meta])+ $name:ident;)+) => {
        $(
            $(#[$doc])+
            #[derive(SimpleObject)]
            pub struct $name {
                /// The loan as it now is.
                pub loan: Option<Loan>,
                /// The decision had been taken before, under the same key.
                pub replayed: bool,
                /// What to mend; empty when all went well. Nothing was written otherwise.
                pub user_errors: Vec<UserError>,
            }

            impl $name {
                fn of(outcome: Result<Decided, ServiceError>) -> Result<Self> {
                    let (decided, user_errors) = split(outcome)?;
                    let replayed = decided.as_ref().is_some_and(|decided| decided.replayed);
                    Ok(Self { loan: decided.map(|decided| decided.loan.into()), replayed, user_errors })
                }
            }
        )+
    };
}

decision_payload! {
    /// What came of approving a loan.
    ApproveLoanPayload;
    /// What came of rejecting a loan.
    RejectLoanPayload;
    /// What came of withdrawing a loan.
    WithdrawLoanPayload;
    /// What came of taking an approval back.
    UndoLoanApprovalPayload;
}

impl ApplyForLoanInput {
    fn read(self) -> Result<ApplyForLoan, ServiceError> {
        let mut ids = InputIds::default();
        let borrower = ids.read("borrowerId", &self.borrower_id, Kind::Borrower);
        let product = ids.read("productId", &self.product_id, Kind::LoanProduct);
        let branch = self.branch_id.map(|id| ids.read("branchId", &id, Kind::Branch));
        let group = self.group_id.map(|id| ids.read("groupId", &id, Kind::Group));
        ids.finish()?;
        Ok(ApplyForLoan {
            idempotency_key: self.idempotency_key,
            borrower,
            product,
            branch,
            principal: self.principal.into(),
            annual_rate: self.annual_rate.map(|rate| rate.0),
            installments: self.installments,
            terms: self.terms.map(Into::into),
            applied_on: self.applied_on.map(|date| date.0),
            officer: self.officer,
            external_ref: self.external_ref,
            group,
        })
    }
}

async fn decide(
    request: Request<'_>,
    loan_id: &ID,
    idempotency_key: Option<String>,
    on: Option<Date>,
    decision: DecisionInput,
    expected_version: Option<i64>,
) -> Result<Decided, ServiceError> {
    let mut ids = InputIds::default();
    let loan = ids.read("loanId", loan_id, Kind::Loan);
    if let Err(refusal) = ids.finish() {
        return Err(request.unread(decision.operation(), refusal).await);
    }
    let input = Decide { idempotency_key, loan, on: on.map(|date| date.0), decision, expected_version };
    request.services.decide(request.actor, &input).await
}

#[Object]
impl LoanMutation {
    /// Takes an application for a loan, once per idempotency key. Permission: ApplyForLoan. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, BORROWER_ERASED, BRANCH_CLOSED, PRODUCT_RETIRED, GROUP_CLOSED, NOT_A_MEMBER, BRANCH_MISMATCH, UNKNOWN_CURRENCY, CURRENCY_MISMATCH, TOO_MANY_DECIMALS, AMOUNT_OUT_OF_RANGE, RATE_OUT_OF_RANGE, NUMBER_OUT_OF_RANGE, DATE_OUT_OF_RANGE, INCOMPLETE_LIST, CONTRADICTION, ALREADY_TAKEN, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn apply_for_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The application.")] input: ApplyForLoanInput,
    ) -> Result<ApplyForLoanPayload> {
        let request = request(context)?;
        let (applied, user_errors) = split(match input.read() {
            Ok(input) => request.services.apply_for_loan(request.actor, &input).await,
            Err(refusal) => Err(request.unread("applyForLoan", refusal).await),
        })?;
        Ok(ApplyForLoanPayload {
            replayed: applied.as_ref().is_some_and(|applied| applied.replayed),
            loan: applied.map(|applied| applied.loan.into()),
            user_errors,
        })
    }

    /// Approves a pending loan. Permission: ApproveLoan. User errors: INVALID_ID, NOT_FOUND, INVALID_TRANSITION, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, TOO_MANY_DECIMALS, SAME_PERSON, APPROVAL_LIMIT, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn approve_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The approval.")] input: ApproveLoanInput,
    ) -> Result<ApproveLoanPayload> {
        let decision = DecisionInput::Approve { amount: input.amount.map(Into::into) };
        let outcome = decide(
            request(context)?,
            &input.loan_id,
            input.idempotency_key,
            input.on,
            decision,
            input.expected_version,
        )
        .await;
        ApproveLoanPayload::of(outcome)
    }

    /// Rejects a pending loan. Permission: RejectLoan. User errors: TOO_LONG, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, DATE_OUT_OF_RANGE, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn reject_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The rejection.")] input: RejectLoanInput,
    ) -> Result<RejectLoanPayload> {
        let decision = DecisionInput::Reject { reason: input.reason };
        let outcome = decide(
            request(context)?,
            &input.loan_id,
            input.idempotency_key,
            input.on,
            decision,
            input.expected_version,
        )
        .await;
        RejectLoanPayload::of(outcome)
    }

    /// Withdraws a pending or approved loan. Permission: WithdrawLoan. User errors: TOO_LONG, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, DATE_OUT_OF_RANGE, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn withdraw_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The withdrawal.")] input: WithdrawLoanInput,
    ) -> Result<WithdrawLoanPayload> {
        let decision = DecisionInput::Withdraw { reason: input.reason };
        let outcome = decide(
            request(context)?,
            &input.loan_id,
            input.idempotency_key,
            input.on,
            decision,
            input.expected_version,
        )
        .await;
        WithdrawLoanPayload::of(outcome)
    }

    /// Takes the approval of a loan back that was not paid out; it is pending then. Permission: UndoApproval. User errors: REQUIRED, TOO_LONG, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn undo_loan_approval(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The approval to take back.")] input: UndoLoanApprovalInput,
    ) -> Result<UndoLoanApprovalPayload> {
        let (decision, version) = (DecisionInput::UndoApproval, input.expected_version);
        let outcome = decide(request(context)?, &input.loan_id, input.idempotency_key, None, decision, version).await;
        UndoLoanApprovalPayload::of(outcome)
    }

    /// Gives a loan, whatever its status, to another credit officer, whose portfolio it then counts in. Permission: AssignOfficer. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, VERSION_CONFLICT.
    async fn assign_loan_officer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The loan and its officer.")] input: AssignLoanOfficerInput,
    ) -> Result<AssignLoanOfficerPayload> {
        let request = request(context)?;
        let mut ids = InputIds::default();
        let loan = ids.read("loanId", &input.loan_id, Kind::Loan);
        let outcome = match ids.finish() {
            Ok(()) => {
                let input = AssignOfficer { loan, officer: input.officer, expected_version: input.expected_version };
                request.services.assign_officer(request.actor, &input).await
            }
            Err(refusal) => Err(request.unread("assignLoanOfficer", refusal).await),
        };
        let (loan, user_errors) = split(outcome)?;
        Ok(AssignLoanOfficerPayload { loan: loan.map(Into::into), user_errors })
    }
}
