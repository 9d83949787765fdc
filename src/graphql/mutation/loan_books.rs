//! What is recorded on a loan once it is approved: one mutation for each, all of one shape. Every one takes an
//! idempotency key and answers with the loan as it then is and with what it changed about earlier transactions.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::graphql::request::{Request, request};
use crate::graphql::types::charge_terms::ChargeKind;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::loan::Loan;
use crate::graphql::types::loan::replay::{PaymentKind, ReplayReport};
use crate::graphql::types::loan::transaction::LoanTransaction;
use crate::graphql::types::money::MoneyInput;
use crate::graphql::types::scalars::{Date, Decimal};
use crate::graphql::types::selection::LoanPlan;
use crate::graphql::types::user_error::{UserError, split};
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::loan_books::{Record, What};

/// The mutations that record on loans.
#[derive(Default)]
pub struct LoanBooksMutation;

/// Defines what a mutation that records on a loan answers with.
macro_rules! record_payload {
    ($($(#[$doc:meta])+ $name:ident of $operation:literal;)+) => {
        $(
            $(#[$doc])+
            #[derive(SimpleObject)]
            pub struct $name {
                /// The loan as it now is.
                pub loan: Option<Loan>,
                /// The transaction that was recorded, or that was reversed.
                pub transaction: Option<LoanTransaction>,
                /// What it changed about earlier transactions, when it was backdated, reversed one, or changed the schedule; null when it changed none.
                pub replay: Option<ReplayReport>,
                /// It had been recorded before, under the same key.
                pub replayed: bool,
                /// What to mend; empty when all went well. Nothing was written otherwise.
                pub user_errors: Vec<UserError>,
            }

            impl $name {
                async fn of(request: Request<'_>, record: Result<Record, ServiceError>) -> Result<Self> {
                    let Answer { loan, transaction, replay, replayed, user_errors } =
                        answer(request, $operation, record).await?;
                    Ok(Self { loan, transaction, replay, replayed, user_errors })
                }
            }
        )+
    };
}

record_payload! {
    /// What came of disbursing a loan.
    DisburseLoanPayload of "disburseLoan";
    /// What came of taking a disbursement back.
    UndoDisbursementPayload of "undoDisbursement";
    /// What came of recording a payment.
    RecordRepaymentPayload of "recordRepayment";
    /// What came of reversing a transaction.
    ReverseTransactionPayload of "reverseTransaction";
    /// What came of charging a fee or a penalty.
    AddLoanChargePayload of "addLoanCharge";
    /// What came of waiving a charge.
    WaiveLoanChargePayload of "waiveLoanCharge";
    /// What came of waiving interest.
    WaiveInterestPayload of "waiveInterest";
    /// What came of refunding credit.
    RefundCreditPayload of "refundCredit";
    /// What came of rescheduling a loan.
    RescheduleLoanPayload of "rescheduleLoan";
    /// What came of charging a loan off.
    ChargeOffLoanPayload of "chargeOffLoan";
    /// What came of writing a loan off.
    WriteOffLoanPayload of "writeOffLoan";
    /// What came of recording a recovery.
    RecordRecoveryPayload of "recordRecovery";
}

/// Defines the input of a mutation that records on a loan: the fields all have, and its own.
macro_rules! record_input {
    ($(#[$doc:meta])+ $name:ident { $($(#[$field_doc:meta])+ $field:ident: $type:ty,)* }) => {
        $(#[$doc])+
        #[derive(InputObject)]
        pub struct $name {
            /// A key of 1 to 64 characters that the caller chooses, new for each request: sending the same input under the same key again records nothing twice.
            pub idempotency_key: String,
            /// Which loan.
            pub loan_id: ID,
            /// The value date; the branch's business date if omitted, and never after it.
            pub on: Option<Date>,
            $($(#[$field_doc])+ pub $field: $type,)*
            /// The id in another system, unique for the loan; at most 100 characters.
            pub external_ref: Option<String>,
            /// The version that was read; refused when it is another by now.
            pub expected_version: Option<i64>,
        }

        impl $name {
            /// The fields all have, around what this one records.
            fn record(self, ids: InputIds, what: What) -> Result<Record, ServiceError> {
                let mut ids = ids;
                let loan = ids.read("loanId", &self.loan_id, Kind::Loan);
                ids.finish()?;
                Ok(Record {
                    idempotency_key: self.idempotency_key,
                    loan,
                    on: self.on.map(|date| date.0),
                    what,
                    external_ref: self.external_ref,
                    expected_version: self.expected_version,
                })
            }
        }
    };
}

/// Defines the input of a mutation that takes something back: it happens on the business date, and leaves no
/// transaction that could have an id of its own.
macro_rules! reversal_input {
    ($(#[$doc:meta])+ $name:ident { $($(#[$field_doc:meta])+ $field:ident: $type:ty,)* }) => {
        $(#[$doc])+
        #[derive(InputObject)]
        pub struct $name {
            /// A key of 1 to 64 characters that the caller chooses, new for each request: sending the same input under the same key again records nothing twice.
            pub idempotency_key: String,
            /// Which loan.
            pub loan_id: ID,
            $($(#[$field_doc])+ pub $field: $type,)*
            /// The version that was read; refused when it is another by now.
            pub expected_version: Option<i64>,
        }

        impl $name {
            /// The fields all have, around what this one takes back.
            fn record(self, ids: InputIds, what: What) -> Result<Record, ServiceError> {
                let mut ids = ids;
                let loan = ids.read("loanId", &self.loan_id, Kind::Loan);
                ids.finish()?;
                Ok(Record {
                    idempotency_key: self.idempotency_key,
                    loan,
                    on: None,
                    what,
                    external_ref: None,
                    expected_version: self.expected_version,
                })
            }
        }
    };
}

record_input! {
    /// A disbursement: the first one, or a further tranche.
    DisburseLoanInput {
        /// The gross amount, at most what is approved and not disbursed yet; all of that if omitted.
        amount: Option<MoneyInput>,
    }
}
reversal_input! {
    /// A disbursement to take back.
    UndoDisbursementInput {
        /// Why, at most 500 characters.
        reason: Option<String>,
    }
}
record_input! {
    /// A payment.
    RecordRepaymentInput {
        /// How much came in.
        amount: MoneyInput,
        /// Who paid: REPAYMENT by the borrower, or GOODWILL_CREDIT by the lender.
        #[graphql(default)]
        kind: PaymentKind,
    }
}
reversal_input! {
    /// A transaction to reverse.
    ReverseTransactionInput {
        /// Which transaction of the loan.
        transaction_id: ID,
        /// Why, at most 500 characters.
        reason: Option<String>,
    }
}
record_input! {
    /// A charge.
    AddLoanChargeInput {
        /// How much.
        amount: MoneyInput,
        /// Fee or penalty.
        #[graphql(default)]
        kind: ChargeKind,
        /// When it is due, from the first disbursement to 24 months after the maturity; on the value date if omitted. It belongs to the installment whose period it lies in; after maturity it adds one.
        due_on: Option<Date>,
    }
}
record_input! {
    /// A charge to waive.
    WaiveLoanChargeInput {
        /// The transaction that made the charge.
        charge_id: ID,
        /// How much of it, at most what is left; all of that if omitted.
        amount: Option<MoneyInput>,
    }
}
record_input! {
    /// Interest to waive, oldest installment first.
    WaiveInterestInput {
        /// How much, at most what is left; all of that if omitted.
        amount: Option<MoneyInput>,
    }
}
record_input! {
    /// Credit to pay back.
    RefundCreditInput {
        /// How much, at most the credit that is there from the value date on; all of that if omitted.
        amount: Option<MoneyInput>,
    }
}
record_input! {
    /// A new agreement about the installments that are left. At least one of the last three is needed.
    RescheduleLoanInput {
        /// Installments due on this day or later are concerned, and a new rate applies from it; the value date if omitted.
        from: Option<Date>,
        /// The first of them falls due on this day instead, at most 24 months after `from`; the others follow from there.
        first_due_on: Option<Date>,
        /// The nominal annual rate in percent from then on, 0 to 100.
        annual_rate: Option<Decimal>,
        /// So many installments more; a loan has at most 600.
        extra_installments: Option<i32>,
    }
}
record_input! {
    /// A loan to take off the books.
    ChargeOffLoanInput {}
}
record_input! {
    /// A loan to give up.
    WriteOffLoanInput {}
}
record_input! {
    /// Money that came in after the loan was given up.
    RecordRecoveryInput {
        /// How much, at most what was written off and not recovered yet.
        amount: MoneyInput,
    }
}

/// What every one of the payloads holds.
struct Answer {
    loan: Option<Loan>,
    transaction: Option<LoanTransaction>,
    replay: Option<ReplayReport>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

async fn answer(request: Request<'_>, operation: &'static str, record: Result<Record, ServiceError>) -> Result<Answer> {
    let outcome = match record {
        Ok(record) => request.services.record(request.actor, &record).await,
        Err(refusal) => Err(request.unread(operation, refusal).await),
    };
    let (recorded, user_errors) = split(outcome)?;
    let Some(mut recorded) = recorded else {
        return Ok(Answer { loan: None, transaction: None, replay: None, replayed: false, user_errors });
    };
    let view = request.services.view_of_recorded(request.actor, &mut recorded).await?;
    Ok(Answer {
        transaction: LoanTransaction::find(&view, recorded.transaction),
        replay: ReplayReport::of(&view, &recorded.replay)?,
        loan: Loan::seen(request, view, &LoanPlan::default()).await?,
        replayed: recorded.replayed,
        user_errors,
    })
}

#[Object]
impl LoanBooksMutation {
    /// Pays an approved loan out, or a further tranche of it. Permission: DisburseLoan. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, SAME_PERSON, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, NOTHING_TO_DO, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn disburse_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The disbursement.")] mut input: DisburseLoanInput,
    ) -> Result<DisburseLoanPayload> {
        let what = What::Disburse { amount: input.amount.take().map(Into::into) };
        DisburseLoanPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Takes the disbursement back, as long as nothing else stands on the loan; it is approved then. Permission: UndoDisbursement. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, STILL_NEEDED, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn undo_disbursement(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The disbursement to take back.")] mut input: UndoDisbursementInput,
    ) -> Result<UndoDisbursementPayload> {
        let what = What::UndoDisbursement { reason: input.reason.take() };
        UndoDisbursementPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Records a payment, today's or a backdated one; what exceeds everything owed becomes the borrower's credit. Permission: RecordRepayment; a GOODWILL_CREDIT needs GrantGoodwill. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn record_repayment(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The payment.")] input: RecordRepaymentInput,
    ) -> Result<RecordRepaymentPayload> {
        let what = What::Pay { amount: input.amount.clone().into(), kind: input.kind.into() };
        RecordRepaymentPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Reverses a transaction: the loan is as if it had never been, and the journal has its mirror. Permission: ReverseTransaction. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, ALREADY_REVERSED, STILL_NEEDED, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn reverse_transaction(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The transaction to reverse.")] mut input: ReverseTransactionInput,
    ) -> Result<ReverseTransactionPayload> {
        let mut ids = InputIds::default();
        let transaction = ids.read("transactionId", &input.transaction_id, Kind::LoanTransaction);
        let what = What::Reverse { transaction, reason: input.reason.take() };
        ReverseTransactionPayload::of(request(context)?, input.record(ids, what)).await
    }

    /// Charges a fee or a penalty. Permission: AddLoanCharge. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn add_loan_charge(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The charge.")] input: AddLoanChargeInput,
    ) -> Result<AddLoanChargePayload> {
        let due_on = input.due_on.map(|date| date.0);
        let what = What::Charge { amount: input.amount.clone().into(), kind: input.kind.into(), due_on };
        AddLoanChargePayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Waives a charge, in part or in full: it lowers what is owed and is no payment. Permission: WaiveLoanCharge. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, NOTHING_TO_DO, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn waive_loan_charge(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The charge to waive.")] mut input: WaiveLoanChargeInput,
    ) -> Result<WaiveLoanChargePayload> {
        let mut ids = InputIds::default();
        let charge = ids.read("chargeId", &input.charge_id, Kind::LoanTransaction);
        let what = What::WaiveCharge { charge, amount: input.amount.take().map(Into::into) };
        WaiveLoanChargePayload::of(request(context)?, input.record(ids, what)).await
    }

    /// Waives interest, oldest installment first. Permission: WaiveLoanCharge. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, NOTHING_TO_DO, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn waive_interest(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The interest to waive.")] mut input: WaiveInterestInput,
    ) -> Result<WaiveInterestPayload> {
        let what = What::WaiveInterest { amount: input.amount.take().map(Into::into) };
        WaiveInterestPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Pays the borrower's credit back. Permission: RefundCredit. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, NOTHING_TO_DO, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn refund_credit(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The credit to pay back.")] mut input: RefundCreditInput,
    ) -> Result<RefundCreditPayload> {
        let what = What::RefundCredit { amount: input.amount.take().map(Into::into) };
        RefundCreditPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Agrees the rest of a loan anew: other due dates, another rate, more installments. Permission: RescheduleLoan. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, RATE_OUT_OF_RANGE, NUMBER_OUT_OF_RANGE, NOTHING_TO_DO, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn reschedule_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new agreement.")] mut input: RescheduleLoanInput,
    ) -> Result<RescheduleLoanPayload> {
        let what = What::Reschedule {
            from: input.from.map(|date| date.0),
            first_due_on: input.first_due_on.map(|date| date.0),
            annual_rate: input.annual_rate.take().map(|rate| rate.0),
            extra_installments: input.extra_installments,
        };
        RescheduleLoanPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }

    /// Takes a loan off the books: it accrues no more and stays collectable. Permission: ChargeOffLoan. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn charge_off_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The loan to charge off.")] input: ChargeOffLoanInput,
    ) -> Result<ChargeOffLoanPayload> {
        ChargeOffLoanPayload::of(request(context)?, input.record(InputIds::default(), What::ChargeOff)).await
    }

    /// Gives a loan up: nothing is owed any more, and later money is recovery income. Permission: WriteOffLoan. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn write_off_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The loan to write off.")] input: WriteOffLoanInput,
    ) -> Result<WriteOffLoanPayload> {
        WriteOffLoanPayload::of(request(context)?, input.record(InputIds::default(), What::WriteOff)).await
    }

    /// Records money that came in after the loan was given up. Permission: RecordRecovery. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, INVALID_TRANSITION, BORROWER_ERASED, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH, UNKNOWN_CURRENCY, TOO_MANY_DECIMALS, NOTHING_TO_DO, ALREADY_TAKEN, VERSION_CONFLICT, IDEMPOTENCY_KEY_MISMATCH, IDEMPOTENCY_IN_PROGRESS.
    async fn record_recovery(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The money.")] input: RecordRecoveryInput,
    ) -> Result<RecordRecoveryPayload> {
        let what = What::Recover { amount: input.amount.clone().into() };
        RecordRecoveryPayload::of(request(context)?, input.record(InputIds::default(), what)).await
    }
}
