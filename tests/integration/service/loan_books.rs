//! Recording on loans: every kind of transaction, what it makes of loan, projection and journal, replays, repetitions,
//! refusals, and many at once on one loan.

use std::collections::HashMap;
use std::sync::Arc;

use branch_loan_api::service::loan_books::{Record, Recorded, What};
use branch_loan_api::service::loans::{ApplyForLoan, LoanKey, LoanRecord};
use branch_loan_api::service::problem::{Detail, ProblemCode};
use branch_loan_api::store::loan_history::{self, StoredTransaction};
use branch_loan_api::store::{journal, loan_projection};
use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::ledger::Account;
use lending::loan::{ChargeKind, Loan, LoanStatus, PaymentKind, Share};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve};
use crate::support::services::{World, admin, day, officer_of, problem, problems, refusal};

both_engines!(
    a_disbursement_is_booked_and_makes_a_schedule,
    a_payment_settles_installments_and_its_receivables,
    a_backdated_payment_replays_what_came_after_it,
    a_reversal_is_as_if_it_had_never_been_except_in_the_journal,
    a_repetition_records_nothing_and_says_so,
    the_last_payment_repays_and_a_reversal_reopens,
    charges_waivers_and_refunds_move_their_accounts,
    a_loan_is_charged_off_written_off_and_recovered,
    a_disbursement_can_be_undone_while_nothing_rests_on_it,
    what_a_status_does_not_know_is_refused_with_what_it_does,
    dates_and_amounts_out_of_range_are_refused_with_the_range,
    a_transaction_is_reversed_once,
    payments_at_once_all_land_in_order,
    two_disbursements_at_once_pay_out_once,
    an_officer_of_elsewhere_finds_no_such_loan,
);

struct Case {
    world: Arc<World>,
    loan: LoanRecord,
    keys: std::sync::atomic::AtomicU32,
}

impl Case {
    /// 12,000.00 KES at 12 % in six installments, approved on 2025-06-01.
    async fn approved(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let (_, borrower, product) = world.parties().await;
        let input = ApplyForLoan {
            applied_on: Some(day("2025-06-01")),
            principal: amount("12000.00", "KES"),
            annual_rate: Some("12".to_owned()),
            installments: Some(6),
            ..application("apply", &borrower, &product)
        };
        let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
        let decision =
            branch_loan_api::service::loan_decisions::Decide { on: Some(day("2025-06-01")), ..approve(loan.id) };
        let loan = world.services.decide(&admin(), &decision).await.unwrap().loan;
        Self { world: Arc::new(world), loan, keys: std::sync::atomic::AtomicU32::new(0) }
    }

    /// The same, paid out on 2025-06-10: due on the 10th of the next six months.
    async fn running(engine: Engine) -> Self {
        let case = Self::approved(engine).await;
        case.record("2025-06-10", What::Disburse { amount: None }).await;
        case
    }

    fn input(&self, on: &str, what: What) -> Record {
        let key = self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Record {
            idempotency_key: format!("key-{key}"),
            loan: self.loan.id,
            on: Some(day(on)),
            what,
            external_ref: None,
            expected_version: None,
        }
    }

    async fn record(&self, on: &str, what: What) -> Recorded {
        let recorded = self.world.services.record(&admin(), &self.input(on, what)).await.unwrap();
        self.books_hold().await;
        recorded
    }

    async fn refused(&self, on: &str, what: What) -> (ProblemCode, String) {
        refusal(self.world.services.record(&admin(), &self.input(on, what)).await)
    }

    async fn pay(&self, on: &str, amount: &str) -> Recorded {
        self.record(on, repayment(amount)).await
    }

    async fn stored(&self) -> LoanRecord {
        Arc::unwrap_or_clone(self.world.services.loan(&admin(), &LoanKey::Id(self.loan.id)).await.unwrap().unwrap())
    }

    async fn history(&self) -> Vec<StoredTransaction> {
        loan_history::of_loan(self.world.database.reader(), self.loan.id).await.unwrap()
    }

    /// What stands in each account of the loan: debits less credits, in minor units.
    async fn accounts(&self) -> HashMap<Account, i64> {
        let sums = journal::sums_of_loans(self.world.database.reader(), &[self.loan.id]).await.unwrap();
        let sums = sums.get(&self.loan.id).cloned().unwrap_or_default();
        sums.into_iter().map(|sum| (sum.account, sum.debits - sum.credits)).filter(|(_, net)| *net != 0).collect()
    }

    /// Projection and journal are what a fold of the stored history says.
    async fn books_hold(&self) {
        let (loan, history) = (self.stored().await, self.history().await);
        let reader = self.world.database.reader();
        let as_of = loan.projection.projected_on.unwrap();
        let folded =
            Loan::fold(&loan.terms, &StoredTransaction::history(&history), &Calendar::every_day(), as_of).unwrap();
        let rows = loan_projection::installments(reader, &[loan.id]).await.unwrap().remove(&loan.id);
        assert_eq!(rows.unwrap_or_default(), folded.installments);
        let splits = loan_projection::splits(reader, &[loan.id]).await.unwrap().remove(&loan.id).unwrap_or_default();
        assert_eq!(splits.len(), folded.effects.len());
        assert_eq!(loan.projection.outstanding, folded.outstanding().unwrap());
        assert_eq!(loan.projection.credit, folded.credit);
        let accounts = self.accounts().await;
        assert_eq!(accounts.values().sum::<i64>(), 0, "the loan's books balance: {accounts:?}");
        let net = |account| accounts.get(&account).copied().unwrap_or(0);
        let off = folded.charged_off_on.is_some() || loan.state.status() == LoanStatus::WrittenOff;
        let owed = if off { 0 } else { folded.outstanding().unwrap().principal };
        assert_eq!(net(Account::LoansReceivable), owed);
        assert_eq!(net(Account::OverpaymentLiability), -folded.credit);
        if off {
            assert_eq!(net(Account::InterestReceivable), 0);
        } else {
            let accrued = loan.projection.accrued;
            let settled = folded.installments.iter().map(|row| row.paid.interest + row.waived.interest).sum::<i64>();
            assert_eq!(net(Account::InterestReceivable), accrued.interest - settled);
        }
    }
}

fn repayment(value: &str) -> What {
    What::Pay { amount: amount(value, "KES"), kind: PaymentKind::Repayment }
}

fn date(text: &str) -> NaiveDate {
    day(text)
}

async fn a_disbursement_is_booked_and_makes_a_schedule(engine: Engine) {
    let case = Case::approved(engine).await;
    let recorded = case.record("2025-06-10", What::Disburse { amount: None }).await;
    assert_eq!(recorded.loan, case.stored().await);
    assert!(!recorded.replayed && recorded.replay.is_empty());
    let loan = recorded.loan;
    // It was recorded half a year late, and nothing was paid since.
    assert_eq!(loan.state.status(), LoanStatus::Defaulted);
    assert_eq!(loan.state.disbursement().map(|paid_out| paid_out.on), Some(date("2025-06-10")));
    assert_eq!((loan.version, loan.projection.disbursed), (3, 1_200_000));
    assert_eq!(loan.projection.matures_on, Some(date("2025-12-10")));
    assert_eq!(loan.projection.oldest_unpaid_due_on, Some(date("2025-07-10")));
    let expected = HashMap::from([(Account::LoansReceivable, 1_200_000), (Account::Cash, -1_200_000)]);
    assert_eq!(case.accounts().await, expected);
    let rows = loan_projection::installments(case.world.database.reader(), &[loan.id]).await.unwrap();
    // 12,000 at 1 % a month over six months: 2,070.58 each.
    let totals: Vec<i64> = rows[&loan.id].iter().map(|row| row.due.total().unwrap()).collect();
    assert_eq!(totals, [207_058, 207_058, 207_058, 207_058, 207_058, 207_058]);
}

async fn a_payment_settles_installments_and_its_receivables(engine: Engine) {
    let case = Case::running(engine).await;
    let recorded = case.pay("2025-07-10", "2070.58").await;
    assert_eq!(recorded.loan.projection.oldest_unpaid_due_on, Some(date("2025-08-10")));
    let accounts = case.accounts().await;
    assert_eq!(accounts[&Account::Cash], -1_200_000 + 207_058);
    assert_eq!(accounts[&Account::LoansReceivable], 1_200_000 - 195_058);
    // What was paid has been earned, although no day was closed.
    assert_eq!(accounts[&Account::InterestIncome], -12_000);
    assert!(!accounts.contains_key(&Account::InterestReceivable));
}

async fn a_backdated_payment_replays_what_came_after_it(engine: Engine) {
    let case = Case::running(engine).await;
    let later = case.pay("2025-08-10", "2070.58").await;
    let earlier = case.pay("2025-07-10", "70.58").await;
    assert_eq!(earlier.replay.len(), 1, "{:?}", earlier.replay);
    let replayed = &earlier.replay[0];
    assert_eq!(replayed.transaction, later.transaction);
    // The first installment's interest was paid in part before, so that 70.58 went on to the second one's.
    let to = |shares: &[Share]| shares.iter().map(|share| (share.installment, share.amount)).collect::<Vec<_>>();
    assert_eq!(to(&replayed.change.shares_before), [(1, 12_000), (1, 195_058)]);
    assert_eq!(to(&replayed.change.shares_after), [(1, 4_942), (1, 195_058), (2, 7_058)]);
}

async fn a_reversal_is_as_if_it_had_never_been_except_in_the_journal(engine: Engine) {
    let case = Case::running(engine).await;
    let before = case.stored().await;
    let accounts = case.accounts().await;
    let paid = case.pay("2025-07-10", "500.00").await;
    let reversal = What::Reverse { transaction: paid.transaction, reason: Some("Bounced.".to_owned()) };
    let reversed = case.record("2025-07-11", reversal).await;
    assert_eq!(reversed.transaction, paid.transaction);
    assert_eq!(reversed.loan.projection, before.projection);
    assert_eq!(case.accounts().await, accounts);
    let history = case.history().await;
    let reversal = history[1].reversal.as_ref().unwrap();
    assert_eq!((reversal.on, reversal.reason.as_deref()), (date("2026-01-15"), Some("Bounced.")));
}

async fn a_repetition_records_nothing_and_says_so(engine: Engine) {
    let case = Case::running(engine).await;
    let input = case.input("2025-07-10", repayment("500.00"));
    let first = case.world.services.record(&admin(), &input).await.unwrap();
    let again = case.world.services.record(&admin(), &input).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!((again.transaction, &again.loan), (first.transaction, &first.loan));
    assert_eq!(case.history().await.len(), 2);
    let other = Record { what: repayment("501.00"), ..input };
    let refused = refusal(case.world.services.record(&admin(), &other).await);
    assert_eq!(refused, problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey"));
}

async fn the_last_payment_repays_and_a_reversal_reopens(engine: Engine) {
    let case = Case::running(engine).await;
    let paid = case.pay("2025-07-20", "13000.00").await;
    assert_eq!(paid.loan.state.status(), LoanStatus::Repaid);
    assert_eq!(paid.loan.projection.credit, 1_300_000 - 6 * 207_058);
    assert_eq!(paid.loan.projection.oldest_unpaid_due_on, None);
    let reversal = What::Reverse { transaction: paid.transaction, reason: None };
    let reversed = case.record("2025-07-21", reversal).await;
    // Half a year has gone by unpaid since.
    assert_eq!(reversed.loan.state.status(), LoanStatus::Defaulted);
    assert_eq!(reversed.loan.projection.credit, 0);
}

async fn charges_waivers_and_refunds_move_their_accounts(engine: Engine) {
    let case = Case::running(engine).await;
    let charge = What::Charge { amount: amount("100.00", "KES"), kind: ChargeKind::Penalty, due_on: None };
    let charged = case.record("2025-07-15", charge).await;
    assert_eq!(charged.loan.projection.outstanding.penalties, 10_000);
    let waiver = What::WaiveCharge { charge: charged.transaction, amount: Some(amount("40.00", "KES")) };
    let waived = case.record("2025-07-16", waiver).await;
    assert_eq!(waived.loan.projection.outstanding.penalties, 6_000);
    let interest = What::WaiveInterest { amount: Some(amount("20.00", "KES")) };
    let waived = case.record("2025-07-16", interest).await;
    assert_eq!(waived.loan.projection.outstanding.interest, 6 * 207_058 - 1_200_000 - 2_000);
    let goodwill = What::Pay { amount: amount("60.00", "KES"), kind: PaymentKind::GoodwillCredit };
    case.record("2025-07-16", goodwill).await;
    assert_eq!(case.accounts().await[&Account::GoodwillExpense], 6_000);
    let paid = case.pay("2025-07-17", "20000.00").await;
    let credit = paid.loan.projection.credit;
    assert!(credit > 0);
    let refunded = case.record("2025-07-18", What::RefundCredit { amount: None }).await;
    assert_eq!(refunded.loan.projection.credit, 0);
    let refused = case.refused("2025-07-18", What::RefundCredit { amount: None }).await;
    assert_eq!(refused, problem(ProblemCode::NothingToDo, "input"));
}

async fn a_loan_is_charged_off_written_off_and_recovered(engine: Engine) {
    let case = Case::running(engine).await;
    case.pay("2025-07-10", "2070.58").await;
    let charged_off = case.record("2025-12-01", What::ChargeOff).await;
    assert_eq!(charged_off.loan.projection.charged_off_on, Some(date("2025-12-01")));
    let accounts = case.accounts().await;
    assert_eq!(accounts[&Account::CreditLoss], 1_200_000 - 195_058);
    // It stays collectable: what comes in is recovery.
    case.pay("2025-12-02", "1000.00").await;
    assert_eq!(case.accounts().await[&Account::RecoveryIncome], -100_000);
    let written_off = case.record("2025-12-05", What::WriteOff).await;
    assert_eq!(written_off.loan.state.status(), LoanStatus::WrittenOff);
    assert!(written_off.loan.projection.outstanding.is_zero());
    let refused = case.refused("2025-12-06", repayment("1.00")).await;
    assert_eq!(refused, problem(ProblemCode::InvalidTransition, "input.loanId"));
    let recovered = case.record("2025-12-07", What::Recover { amount: amount("250.00", "KES") }).await;
    assert_eq!(recovered.loan.projection.recovered, 25_000);
    let too_much = case.refused("2025-12-07", What::Recover { amount: amount("99999.00", "KES") }).await;
    assert_eq!(too_much, problem(ProblemCode::AmountOutOfRange, "input.amount"));
}

async fn a_disbursement_can_be_undone_while_nothing_rests_on_it(engine: Engine) {
    let case = Case::running(engine).await;
    let paid = case.pay("2025-07-10", "100.00").await;
    let undo = What::UndoDisbursement { reason: None };
    assert_eq!(case.refused("2025-07-11", undo.clone()).await, problem(ProblemCode::StillNeeded, "input.loanId"));
    case.record("2025-07-11", What::Reverse { transaction: paid.transaction, reason: None }).await;
    let undone = case.record("2025-07-12", undo.clone()).await;
    assert_eq!(undone.loan.state.status(), LoanStatus::Approved);
    assert_eq!(case.accounts().await, HashMap::new());
    assert_eq!(
        case.refused("2025-07-12", undo).await,
        problem(ProblemCode::InvalidTransition, "input.loanId"),
        "there is nothing left to undo"
    );
    let again = case.record("2026-01-10", What::Disburse { amount: Some(amount("9000.00", "KES")) }).await;
    assert_eq!((again.loan.state.status(), again.loan.projection.disbursed), (LoanStatus::Disbursed, 900_000));
}

async fn what_a_status_does_not_know_is_refused_with_what_it_does(engine: Engine) {
    let case = Case::approved(engine).await;
    let input = case.input("2025-07-01", repayment("1.00"));
    let found = problems(case.world.services.record(&admin(), &input).await);
    let allowed = vec!["WITHDRAW", "UNDO_APPROVAL", "DISBURSE"];
    let expected = Detail::Step { from: LoanStatus::Approved, attempted: "RECORD_REPAYMENT", allowed };
    assert_eq!((found[0].code, &found[0].detail), (ProblemCode::InvalidTransition, &expected));
}

async fn dates_and_amounts_out_of_range_are_refused_with_the_range(engine: Engine) {
    let case = Case::running(engine).await;
    for (on, earliest, latest) in
        [("2025-06-09", "2025-06-10", "2026-01-15"), ("2026-01-16", "2025-06-10", "2026-01-15")]
    {
        let found = problems(case.world.services.record(&admin(), &case.input(on, repayment("1.00"))).await);
        let expected = Detail::Date { earliest: Some(day(earliest)), latest: Some(day(latest)) };
        assert_eq!((found[0].code, &found[0].detail), (ProblemCode::DateOutOfRange, &expected), "{on}");
    }
    for (value, code) in [
        ("0.00", ProblemCode::AmountOutOfRange),
        ("-1.00", ProblemCode::AmountOutOfRange),
        ("1.001", ProblemCode::TooManyDecimals),
    ] {
        let path = "input.amount";
        let found = case.refused("2025-07-01", repayment(value)).await;
        assert_eq!(found.0, code, "{value}");
        assert!(found.1.starts_with(path), "{found:?}");
    }
    let dollars = What::Pay { amount: amount("1.00", "USD"), kind: PaymentKind::Repayment };
    assert_eq!(case.refused("2025-07-01", dollars).await.0, ProblemCode::CurrencyMismatch);
    // All of it is paid out already.
    let more = What::Disburse { amount: Some(amount("1.00", "KES")) };
    assert_eq!(case.refused("2025-07-01", more).await, problem(ProblemCode::NothingToDo, "input"));
}

async fn a_transaction_is_reversed_once(engine: Engine) {
    let case = Case::running(engine).await;
    let paid = case.pay("2025-07-10", "100.00").await;
    let reversal = What::Reverse { transaction: paid.transaction, reason: None };
    case.record("2025-07-11", reversal.clone()).await;
    let again = case.refused("2025-07-11", reversal).await;
    assert_eq!(again, problem(ProblemCode::AlreadyReversed, "input.transactionId"));
    let unknown = What::Reverse { transaction: Uuid::from_u128(9), reason: None };
    assert_eq!(case.refused("2025-07-11", unknown).await, problem(ProblemCode::NotFound, "input.transactionId"));
}

async fn payments_at_once_all_land_in_order(engine: Engine) {
    let case = Arc::new(Case::running(engine).await);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let case = Arc::clone(&case);
            tokio::spawn(async move {
                let input = case.input("2025-07-10", repayment("100.00"));
                case.world.services.record(&admin(), &input).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    case.books_hold().await;
    let history = case.history().await;
    let sequences: Vec<u32> = history.iter().map(|stored| stored.transaction.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(case.accounts().await[&Account::Cash], -1_200_000 + 80_000);
    assert_eq!(case.stored().await.version, 3 + 8);
}

async fn two_disbursements_at_once_pay_out_once(engine: Engine) {
    let case = Arc::new(Case::approved(engine).await);
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let case = Arc::clone(&case);
            tokio::spawn(async move {
                let input = case.input("2025-06-10", What::Disburse { amount: None });
                case.world.services.record(&admin(), &input).await
            })
        })
        .collect();
    let mut refused = Vec::new();
    for task in tasks {
        if let Err(error) = task.await.unwrap() {
            refused.push(refusal::<()>(Err(error)));
        }
    }
    assert_eq!(refused, [problem(ProblemCode::NothingToDo, "input")]);
    assert_eq!(case.accounts().await[&Account::Cash], -1_200_000);
    case.books_hold().await;
}

async fn an_officer_of_elsewhere_finds_no_such_loan(engine: Engine) {
    let case = Case::running(engine).await;
    let input = case.input("2025-07-10", repayment("1.00"));
    let outcome = case.world.services.record(&officer_of("NOWHERE"), &input).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.loanId"));
}
