//! The books of the demonstration: every loan is what its transactions say, and the journal agrees.

use std::collections::{BTreeMap, HashMap};

use lending::calendar::Calendar;
use lending::ledger::Account;
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{Lifecycle, Loan, LoanStatus, TransactionKind};
use uuid::Uuid;

use super::World;
use crate::auth::{Actor, BranchGrant, Role};
use crate::service::demo::countries::countries;
use crate::service::demo::life::LAST_DAY;
use crate::service::demo::portfolio::Portfolio;
use crate::service::demo::{DemoOptions, five};
use crate::service::loan_books::bulk::tests::made_twice;
use crate::store::loan_balances::LoanProjection;
use crate::store::loan_history::{self, StoredTransaction};
use crate::store::loan_projection::{self, Split};
use crate::store::loans::LoanRecord;
use crate::store::{Database, journal};

async fn loans(world: &World) -> Vec<LoanRecord> {
    world.rows().await.loans.into_iter().map(|row| LoanRecord::try_from(row).unwrap()).collect()
}

fn ids(loans: &[LoanRecord]) -> Vec<Uuid> {
    loans.iter().map(|loan| loan.id).collect()
}

async fn histories(database: &Database, loans: &[LoanRecord]) -> HashMap<Uuid, Vec<StoredTransaction>> {
    loan_history::of_loans(database.reader(), &ids(loans)).await.unwrap()
}

#[tokio::test]
async fn the_projection_of_every_loan_is_the_fold_of_its_transactions() {
    let world = World::new().await;
    world.fill(200, 1).await;
    let database = &world.services.database;
    let loans = loans(&world).await;
    let mut histories = histories(database, &loans).await;
    let mut installments = loan_projection::installments(database.reader(), &ids(&loans)).await.unwrap();
    let mut splits = loan_projection::splits(database.reader(), &ids(&loans)).await.unwrap();
    let mut checked = 0;
    for loan in &loans {
        let history = histories.remove(&loan.id).unwrap_or_default();
        let installments = installments.remove(&loan.id).unwrap_or_default();
        let mut splits = splits.remove(&loan.id).unwrap_or_default();
        if loan.state.disbursement().is_none() {
            assert!(history.is_empty() && installments.is_empty() && splits.is_empty(), "{}", loan.number);
            assert_eq!(loan.projection, LoanProjection::default());
            continue;
        }
        let transactions = StoredTransaction::history(&history);
        let state = Loan::fold(&loan.terms, &transactions, &Calendar::every_day(), LAST_DAY).unwrap();
        let accrued = loan.projection.accrued;
        assert_eq!(loan.projection, LoanProjection::of(&state, accrued, None).unwrap(), "{}", loan.number);
        assert_eq!(accrued, state.earned(chrono::NaiveDate::MIN).unwrap());
        assert_eq!(loan.state, loan.state.clone().settled(&state, ""));
        assert_eq!(installments, state.installments, "{}", loan.number);
        let sequence = |split: &Split| {
            history.iter().find(|stored| stored.id == split.transaction_id).unwrap().transaction.sequence
        };
        splits.sort_by_key(sequence);
        let expected = state.effects.iter().zip(&history).zip(&splits);
        let expected: Vec<_> =
            expected.map(|((effect, stored), split)| Split::of(effect, stored.id, split.journal_entry_id)).collect();
        assert_eq!((splits.len(), &splits), (history.len(), &expected), "{}", loan.number);
        assert!(splits.iter().all(|split| split.journal_entry_id.is_some()));
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

#[tokio::test]
async fn the_journal_balances_and_agrees_with_every_loan() {
    let world = World::new().await;
    world.fill(200, 1).await;
    let loans = loans(&world).await;
    let sums = journal::sums_of_loans(world.services.database.reader(), &ids(&loans)).await.unwrap();
    for loan in &loans {
        let sums = sums.get(&loan.id).cloned().unwrap_or_default();
        let (debits, credits) =
            sums.iter().fold((0, 0), |(debits, credits), sum| (debits + sum.debits, credits + sum.credits));
        assert_eq!(debits, credits, "{}", loan.number);
        let net = |account| {
            let found = sums.iter().find(|sum| sum.account == account);
            found.map_or(0, |sum| sum.debits - sum.credits)
        };
        assert_eq!(net(Account::LoansReceivable), loan.projection.outstanding.principal, "{}", loan.number);
        assert_eq!(net(Account::OverpaymentLiability), -loan.projection.credit);
        // Only what was paid or given up has been accrued: nobody has closed a day.
        for account in [Account::InterestReceivable, Account::FeesReceivable, Account::PenaltiesReceivable] {
            assert_eq!(net(account), 0, "{} {account:?}", loan.number);
        }
    }
}

/// And every transaction would have been admitted on its day.
#[test]
fn every_loan_is_what_recording_its_transactions_one_by_one_would_have_made() {
    let portfolio = Portfolio::new(countries().unwrap(), DemoOptions { loans: 400, seed: 7 });
    let mut made: Vec<_> = (0..400).map(|number| portfolio.loan(number).unwrap()).collect();
    made.extend(five::loans(&countries().unwrap()).unwrap());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for one in made.iter().filter(|one| !one.history.is_empty()) {
        let mut before = one.loan.clone();
        let application = before.state.application().clone();
        before.state = Lifecycle::Approved { application, approval: before.state.approval().unwrap().clone() };
        before.projection = LoanProjection::default();
        let [at_once, one_by_one] = made_twice(&before, &one.history, LAST_DAY);
        assert_eq!(at_once, one_by_one);
        for stored in &one.history {
            *kinds.entry(stored.transaction.event.kind().as_str()).or_default() += 1;
        }
        let in_order = one.history.is_sorted_by(|left, right| left.recorded_at < right.recorded_at);
        assert!(in_order && one.bookings.is_sorted_by_key(|booking| booking.entry.id));
    }
    for kind in [TransactionKind::Disbursement, TransactionKind::Repayment, TransactionKind::WriteOff] {
        assert!(kinds.get(kind.as_str()).is_some_and(|count| *count > 5), "{kinds:?}");
    }
}

#[tokio::test]
async fn loans_are_paid_in_time_and_late_and_come_to_every_end() {
    let world = World::new().await;
    world.fill(200, 1).await;
    let loans = loans(&world).await;
    let rows = loan_projection::installments(world.services.database.reader(), &ids(&loans)).await.unwrap();
    let count = |status| loans.iter().filter(|loan| loan.state.status() == status).count();
    for status in [LoanStatus::Disbursed, LoanStatus::Defaulted, LoanStatus::Repaid, LoanStatus::WrittenOff] {
        assert!(count(status) >= 3, "{} {status}", count(status));
    }
    let rows: Vec<_> = rows.into_values().flatten().collect();
    assert!(rows.iter().any(|row| row.paid_late > 0));
    assert!(rows.iter().any(|row| row.paid_in_advance > 0));
    assert!(rows.iter().any(|row| row.settled_on == Some(row.due_on)));
    let overdue = loans.iter().filter(|loan| loan.state.status() == LoanStatus::Disbursed);
    let overdue = overdue.filter(|loan| loan.projection.oldest_unpaid_due_on.is_some_and(|due_on| due_on < LAST_DAY));
    assert!(overdue.count() > 0, "loans in arrears that have not defaulted");
}

#[test]
fn some_loans_depart_from_the_usual_conditions_and_can_be_paid_off_all_the_same() {
    let portfolio = Portfolio::new(countries().unwrap(), DemoOptions { loans: 1_000, seed: 2 });
    let made: Vec<_> = (0..1_000).map(|number| portfolio.loan(number).unwrap().loan).collect();
    let repaid = |wanted: &dyn Fn(&LoanRecord) -> bool| {
        made.iter().filter(|loan| wanted(loan) && loan.state.status() == LoanStatus::Repaid).count()
    };
    let daily = |loan: &LoanRecord| loan.terms.conditions.recalculation == InterestRecalculation::DailyBalance;
    let flat =
        |loan: &LoanRecord| loan.terms.conditions.interest_method == lending::loan::conditions::InterestMethod::Flat;
    let weekly = |loan: &LoanRecord| loan.terms.unit == lending::loan::PeriodUnit::Week;
    let charged = |loan: &LoanRecord| !loan.terms.conditions.charges.is_empty();
    let kinds: [&dyn Fn(&LoanRecord) -> bool; 4] = [&daily, &flat, &weekly, &charged];
    for wanted in kinds {
        assert!(repaid(wanted) >= 5, "{}", repaid(wanted));
    }
    assert!(made.iter().all(|loan| loan.terms.conditions.violations(loan.terms.installments).is_empty()));
}

#[tokio::test]
async fn of_the_five_one_has_paid_its_first_installment_and_one_all() {
    let world = World::new().await;
    world.fill(0, 1).await;
    let [fourth, fifth] = [4, 5].map(Uuid::from_u128);
    let rows = loan_projection::installments(world.services.database.reader(), &[fourth, fifth]).await.unwrap();
    let settled: Vec<bool> = rows[&fourth].iter().map(|row| row.settled_on.is_some()).collect();
    assert_eq!(settled, [true, false, false, false]);
    assert_eq!(rows[&fifth].len(), 6);
    assert!(rows[&fifth].iter().all(|row| row.settled_on.is_some()));
    let histories = loan_history::of_loans(world.services.database.reader(), &[fourth, fifth]).await.unwrap();
    assert_eq!((histories[&fourth].len(), histories[&fifth].len()), (2, 7));
}

#[tokio::test]
async fn the_books_hold() {
    let world = World::new().await;
    world.fill(1_000, 3).await;
    let auditor = Actor {
        subject: "auditor".to_owned(),
        roles: [Role::Auditor].into_iter().collect(),
        branches: BranchGrant::All,
        request_id: None,
    };
    let verification = world.services.verify_books(&auditor, None).await.unwrap();
    assert!(verification.is_clean(), "{:?}", verification.findings);
    // Loans that were never paid out have no books.
    let with_books = world.rows().await.loans.into_iter().filter(|loan| loan.projected_on.is_some()).count();
    assert!(with_books > 500, "{with_books}");
    assert_eq!(verification.loans, u64::try_from(with_books).unwrap());
}
