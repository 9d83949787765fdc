//! The books of a loan as stored: histories that come back as they were, rows that cannot be changed, entries that
//! cannot be unbalanced, and projections of which only what differs is written.

use branch_loan_api::service::list::PageRequest;
use branch_loan_api::service::loans::LoanRecord;
use branch_loan_api::store::StoreError;
use branch_loan_api::store::batch::Batch;
use branch_loan_api::store::branches::{self, BranchKey};
use branch_loan_api::store::calendars::{self, Holiday};
use branch_loan_api::store::database::Reader;
use branch_loan_api::store::find::Lock;
use branch_loan_api::store::journal::{self, Booking, EntryKind, EntryRecord, LineRecord};
use branch_loan_api::store::loan_balances::LoanProjection;
use branch_loan_api::store::loan_books::{self, Foundation};
use branch_loan_api::store::loan_history::{self, Reversal, StoredTransaction};
use branch_loan_api::store::loan_projection::{self, Split};
use branch_loan_api::store::loans;
use branch_loan_api::store::scope::Scope;
use chrono::Weekday;
use lending::ledger::{Account, Entry, Posting, Side};
use lending::loan::{ChargeKind, Event, Installment, PaymentKind, Portions, Reschedule, Transaction, TransactionKind};
use lending::money::Currency;
use lending::rate::Rate;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::services::{World, day, moment};

both_engines!(
    every_event_comes_back_as_it_was,
    many_histories_take_one_statement,
    the_books_know_what_they_knew,
    a_history_refuses_what_makes_no_sense,
    nothing_appended_is_changed_or_deleted,
    installments_are_written_by_difference,
    installments_that_make_no_sense_are_refused,
    splits_are_written_by_difference,
    the_balances_of_a_loan_come_back,
    a_batch_whose_loan_has_changed_leaves_nothing,
    what_books_rest_on_is_what_is_stored,
    entries_come_back_in_pages_with_their_lines,
    entries_that_do_not_balance_are_refused,
    lines_of_nothing_are_refused,
    entries_that_make_no_sense_are_refused,
    the_calendar_of_a_branch_comes_back,
    business_dates_close_forward_only,
);

struct Books {
    world: World,
    loan: LoanRecord,
    other: LoanRecord,
}

async fn books(engine: Engine) -> Books {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let loan = world.loan("a", &borrower, &product).await;
    let other = world.loan("b", &borrower, &product).await;
    world.statements.take();
    Books { world, loan, other }
}

fn id(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) | (0xbeef << 64))
}

fn stored(number: u32, event: Event) -> StoredTransaction {
    StoredTransaction {
        id: id(number),
        transaction: Transaction { sequence: number, on: day("2026-01-05"), event, reversed: false },
        recorded_at: moment("2026-01-05T09:00:00.125Z"),
        recorded_by: "teller".to_owned(),
        external_ref: None,
        reversal: None,
    }
}

fn disbursement(number: u32) -> StoredTransaction {
    stored(number, Event::Disbursement { amount: 1_000 })
}

fn reversal(at: &str) -> Reversal {
    Reversal {
        on: day("2026-01-09"),
        reversed_at: moment(at),
        reversed_by: "manager".to_owned(),
        reason: Some("typed twice".to_owned()),
    }
}

fn one_of_each() -> Vec<Event> {
    let charge = |charge, late_for| Event::Charge { amount: 7, charge, due_on: day("2026-02-01"), late_for };
    vec![
        Event::Disbursement { amount: i64::MAX },
        Event::Payment { amount: 1, payment: PaymentKind::Repayment },
        Event::Payment { amount: 2, payment: PaymentKind::GoodwillCredit },
        Event::CreditRefund { amount: 3 },
        charge(ChargeKind::Fee, None),
        charge(ChargeKind::Penalty, Some(2)),
        Event::ChargeWaiver { charge: 5, amount: 4 },
        Event::InterestWaiver { amount: 5 },
        Event::ChargeOff,
        Event::WriteOff,
        Event::Recovery { amount: 6 },
        Event::Reschedule(Reschedule {
            from: day("2026-03-01"),
            first_due_on: Some(day("2026-03-15")),
            annual_rate: Some(Rate::from_ppm(285_000)),
            extra_installments: 3,
        }),
        Event::Reschedule(Reschedule {
            from: day("2026-03-01"),
            first_due_on: None,
            annual_rate: None,
            extra_installments: 1,
        }),
    ]
}

impl Books {
    fn reader(&self) -> &Reader {
        self.world.database.reader()
    }

    async fn append(&self, loan: &LoanRecord, rows: &[StoredTransaction]) -> Result<(), StoreError> {
        let additions: Vec<_> = rows.iter().map(|row| (loan.id, row.clone())).collect();
        let additions = &additions;
        let write = self
            .world
            .database
            .write(|transaction| async move { loan_history::append(&*transaction, additions).await });
        write.await
    }

    async fn reverse(&self, loan: &LoanRecord, of: Uuid, reversal: &Reversal) -> Result<(), StoreError> {
        let write = self.world.database.write(|transaction| async move {
            let mut batch = Batch::default();
            loan_history::reverse(&mut batch, loan.id, of, reversal)?;
            batch.send(&*transaction).await
        });
        write.await
    }

    async fn foundation(&self) -> Foundation {
        let loan = &self.loan;
        let read = self
            .world
            .database
            .write(|transaction| async move { loan_books::of_locked_loan(&*transaction, loan).await });
        read.await.unwrap()
    }

    async fn history(&self, loan: &LoanRecord) -> Vec<StoredTransaction> {
        loan_history::of_loan(self.reader(), loan.id).await.unwrap()
    }

    async fn book(&self, bookings: &[Booking]) -> Result<(), StoreError> {
        let write =
            self.world.database.write(|transaction| async move { journal::book(&*transaction, bookings).await });
        write.await
    }

    fn booking(&self, number: u32, transaction: Uuid) -> Booking {
        let postings =
            Entry::new([(Account::LoansReceivable, Side::Debit, 1_000), (Account::Cash, Side::Credit, 1_000)]).unwrap();
        Booking::of_loan(self.entry(number, Some(transaction)), &postings)
    }

    fn entry(&self, number: u32, transaction_id: Option<Uuid>) -> EntryRecord {
        let kind = EntryKind::Transaction(TransactionKind::Disbursement);
        EntryRecord {
            id: id(1_000 + number),
            branch_id: self.loan.branch_id,
            loan_id: Some(self.loan.id),
            transaction_id,
            kind: if transaction_id.is_some() { kind } else { EntryKind::Accrual },
            booked_on: day("2026-01-05"),
            recorded_at: moment("2026-01-05T09:00:00Z"),
            recorded_by: "teller".to_owned(),
            currency: Currency::parse("KES").unwrap(),
            reverses_id: None,
            memo: None,
        }
    }

    /// The statement fails, and its error speaks of this.
    async fn assert_refused(&self, sql: &str, because: &[&str]) {
        let raw = self.world.engine.raw().await;
        let outcome = raw.execute_raw(Statement::from_string(self.world.engine.backend, sql)).await;
        let error = outcome.expect_err(sql).to_string().to_lowercase();
        assert!(because.iter().any(|text| error.contains(text)), "{sql}: {error}");
    }
}

async fn every_event_comes_back_as_it_was(engine: Engine) {
    let books = books(engine).await;
    let mut rows: Vec<_> = one_of_each().into_iter().zip(1..).map(|(event, number)| stored(number, event)).collect();
    rows[1].external_ref = Some("M-PESA/1".to_owned());
    books.append(&books.loan, &rows).await.unwrap();
    books.reverse(&books.loan, rows[2].id, &reversal("2026-01-09T10:00:00Z")).await.unwrap();
    rows[2].reversal = Some(reversal("2026-01-09T10:00:00Z"));
    rows[2].transaction.reversed = true;
    assert_eq!(books.history(&books.loan).await, rows);
    assert_eq!(loan_history::next_sequence(&rows), 14);
    assert_eq!(books.history(&books.other).await, []);
    assert_eq!(loan_history::next_sequence(&[]), 1);
}

async fn many_histories_take_one_statement(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(2), disbursement(1)]).await.unwrap();
    books
        .append(&books.other, &[stored(1, Event::ChargeOff)].map(|row| StoredTransaction { id: id(9), ..row }))
        .await
        .unwrap();
    books.world.statements.take();
    let ids = [books.loan.id, books.other.id, Uuid::nil()];
    let found = loan_history::of_loans(books.reader(), &ids).await.unwrap();
    assert_eq!(books.world.statements.take().len(), 1);
    let sequences = |loan: &LoanRecord| found[&loan.id].iter().map(|row| row.transaction.sequence).collect::<Vec<_>>();
    assert_eq!((sequences(&books.loan), sequences(&books.other)), (vec![1, 2], vec![1]));
    assert_eq!(found.len(), 2);
    assert!(loan_history::of_loans(books.reader(), &[]).await.unwrap().is_empty());
    assert_eq!(books.world.statements.take().len(), 0);
}

async fn the_books_know_what_they_knew(engine: Engine) {
    let books = books(engine).await;
    let late = StoredTransaction { recorded_at: moment("2026-01-20T09:00:00Z"), ..disbursement(2) };
    books.append(&books.loan, &[disbursement(1), late]).await.unwrap();
    books.reverse(&books.loan, id(1), &reversal("2026-01-15T10:00:00Z")).await.unwrap();
    let history = books.history(&books.loan).await;
    let known = |at: &str| {
        let rows = StoredTransaction::known_at(&history, moment(at));
        rows.iter().map(|row| (row.sequence, row.reversed)).collect::<Vec<_>>()
    };
    assert_eq!(known("2026-01-05T09:00:00.124Z"), []);
    assert_eq!(known("2026-01-05T09:00:00.125Z"), [(1, false)]);
    assert_eq!(known("2026-01-15T10:00:00Z"), [(1, true)]);
    assert_eq!(known("2026-01-20T09:00:00Z"), [(1, true), (2, false)]);
    assert_eq!(StoredTransaction::history(&history).len(), 2);
}

async fn a_history_refuses_what_makes_no_sense(engine: Engine) {
    let books = books(engine).await;
    let named = |number, name: &str| StoredTransaction { external_ref: Some(name.to_owned()), ..disbursement(number) };
    books.append(&books.loan, &[named(1, "X")]).await.unwrap();
    let again = StoredTransaction { id: id(7), ..disbursement(1) };
    assert!(matches!(books.append(&books.loan, &[again]).await, Err(StoreError::Duplicate(_))), "the sequence");
    assert!(
        matches!(books.append(&books.loan, &[named(2, "X")]).await, Err(StoreError::Duplicate(_))),
        "the reference"
    );
    assert!(matches!(books.append(&books.loan, &[named(2, "a\0b")]).await, Err(StoreError::BadText)));
    books.append(&books.other, &[StoredTransaction { id: id(8), ..named(1, "X") }]).await.unwrap();

    books.reverse(&books.loan, id(1), &reversal("2026-01-09T10:00:00Z")).await.unwrap();
    let twice = books.reverse(&books.loan, id(1), &reversal("2026-01-10T10:00:00Z")).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    let of_another = books.reverse(&books.loan, id(8), &reversal("2026-01-10T10:00:00Z")).await;
    assert!(matches!(of_another, Err(StoreError::Database(_))), "{of_another:?}");

    let columns = "id, loan_id, sequence, kind, value_date, amount_minor, event, recorded_at, recorded_by";
    for (sequence, kind, amount) in [
        (0, "REPAYMENT", "1"),
        (2, "GIFT", "1"),
        (2, "REPAYMENT", "0"),
        (2, "REPAYMENT", "NULL"),
        (2, "WRITE_OFF", "1"),
    ] {
        let sql = format!(
            "INSERT INTO loan_transactions ({columns}) SELECT external_id, loan_id, {sequence}, '{kind}', value_date, \
             {amount}, event, recorded_at, recorded_by FROM (SELECT loans.id AS external_id, loan_transactions.* \
             FROM loan_transactions CROSS JOIN loans) AS rows"
        );
        books.assert_refused(&sql, &["check"]).await;
    }
}

async fn nothing_appended_is_changed_or_deleted(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(1)]).await.unwrap();
    books.reverse(&books.loan, id(1), &reversal("2026-01-09T10:00:00Z")).await.unwrap();
    books.book(&[books.booking(1, id(1))]).await.unwrap();
    for (table, column) in [
        ("loan_transactions", "recorded_by"),
        ("loan_reversals", "reason"),
        ("journal_entries", "memo"),
        ("journal_lines", "account"),
    ] {
        books.assert_refused(&format!("UPDATE {table} SET {column} = 'CASH'"), &["append-only"]).await;
        books.assert_refused(&format!("DELETE FROM {table}"), &["append-only"]).await;
        if books.world.engine.is_postgres() {
            books.assert_refused(&format!("TRUNCATE {table} CASCADE"), &["append-only"]).await;
        }
    }
}

fn installment(number: u32) -> Installment {
    let part =
        |times: i64| Portions { principal: 400 * times, interest: 40 * times, fees: 8 * times, penalties: 4 * times };
    Installment {
        number,
        starts_on: day("2026-01-05"),
        due_on: day("2026-02-05"),
        due: part(6),
        paid: part(3),
        waived: part(2),
        written_off: part(1),
        paid_in_advance: 1,
        paid_late: 2,
        principal_balance_after: 5_000 - i64::from(number),
        settled_on: Some(day("2026-02-01")),
    }
}

async fn installments_are_written_by_difference(engine: Engine) {
    let books = books(engine).await;
    let write = async |before: &[Installment], now: &[Installment]| {
        books.world.statements.take();
        let loan = books.loan.id;
        let write = books.world.database.write(|transaction| async move {
            let mut batch = Batch::default();
            loan_projection::change_installments(&mut batch, loan, before, now);
            batch.send(&*transaction).await
        });
        write.await.unwrap();
        let sent = books.world.statements.take();
        let found = loan_projection::installments(books.reader(), &[loan, books.other.id]).await.unwrap();
        assert_eq!(found.get(&loan).cloned().unwrap_or_default(), now);
        assert!(!found.contains_key(&books.other.id));
        sent.into_iter().filter(|sql| sql.contains("loan_installments")).collect::<Vec<_>>()
    };
    let first: Vec<_> = (1..=36).map(installment).collect();
    assert_eq!(write(&[], &first).await.len(), 1);
    assert_eq!(write(&first, &first).await.len(), 0, "nothing differs");
    let mut second = first[..34].to_vec();
    second[11] = Installment { settled_on: None, written_off: Portions::ZERO, ..installment(12) };
    let sent = write(&first, &second).await;
    let together = books.world.engine.is_postgres();
    assert_eq!(sent.len(), if together { 1 } else { 2 }, "one takes away, one changes: {sent:#?}");
    assert_eq!(write(&second, &[]).await.len(), 1);
}

async fn installments_that_make_no_sense_are_refused(engine: Engine) {
    let books = books(engine).await;
    let rows = [installment(1)];
    let (loan, rows) = (books.loan.id, &rows);
    let write = books.world.database.write(|transaction| async move {
        let mut batch = Batch::default();
        loan_projection::change_installments(&mut batch, loan, &[], rows);
        batch.send(&*transaction).await
    });
    write.await.unwrap();
    for change in [
        "number = 0",
        "due_on = '2026-01-04'",
        "paid_principal_minor = 2401",
        "waived_interest_minor = -1",
        "due_fees_minor = 0",
        "written_off_penalties_minor = 5",
        "loan_id = (SELECT id FROM branches)",
    ] {
        books.assert_refused(&format!("UPDATE loan_installments SET {change}"), &["constraint", "violates"]).await;
    }
}

fn split(number: u32) -> Split {
    Split {
        transaction_id: id(number),
        amount: 10,
        portions: Portions { principal: 1, interest: 2, fees: 3, penalties: 4 },
        to_credit: -5,
        balance_after: 6,
        journal_entry_id: None,
    }
}

async fn splits_are_written_by_difference(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(1), disbursement(2)]).await.unwrap();
    books.book(&[books.booking(1, id(1))]).await.unwrap();
    let split = |number: u32, journal_entry_id| Split { journal_entry_id, ..split(number) };
    let write = async |before: &[Split], now: &[Split]| {
        books.world.statements.take();
        let loan = books.loan.id;
        let write = books.world.database.write(|transaction| async move {
            let mut batch = Batch::default();
            loan_projection::change_splits(&mut batch, loan, before, now);
            batch.send(&*transaction).await
        });
        write.await.unwrap();
        let sent = books.world.statements.take();
        let found = loan_projection::splits(books.reader(), &[loan, books.other.id]).await.unwrap();
        let mut found = found.get(&loan).cloned().unwrap_or_default();
        found.sort_by_key(|row| row.transaction_id);
        assert_eq!(found, now);
        sent.into_iter().filter(|sql| sql.contains("loan_transaction_splits")).count()
    };
    let first = [split(1, Some(id(1_001))), split(2, None)];
    assert_eq!(write(&[], &first).await, 1);
    assert_eq!(write(&first, &first).await, 0);
    let second = [Split { amount: 11, ..split(1, None) }];
    assert_eq!(write(&first, &second).await, if books.world.engine.is_postgres() { 1 } else { 2 });
}

async fn the_balances_of_a_loan_come_back(engine: Engine) {
    let books = books(engine).await;
    assert_eq!(books.loan.projection, LoanProjection::default());
    let projection = LoanProjection {
        disbursed: 1,
        outstanding: Portions { principal: 2, interest: 3, fees: 4, penalties: 5 },
        credit: 6,
        recovered: 7,
        accrued: Portions { principal: 0, interest: 8, fees: 9, penalties: 10 },
        oldest_unpaid_due_on: Some(day("2026-01-01")),
        next_due_on: Some(day("2026-01-02")),
        matures_on: Some(day("2026-01-03")),
        charged_off_on: Some(day("2026-01-04")),
        accrued_through: Some(day("2026-01-05")),
        projected_on: Some(day("2026-01-06")),
        refreshed_on: Some(day("2026-01-07")),
    };
    let record = LoanRecord { projection, version: books.loan.version + 1, ..books.loan.clone() };
    let written = &record;
    books.world.database.write(|transaction| async move { loans::update(&*transaction, written).await }).await.unwrap();
    let key = loans::LoanKey::Id(record.id);
    let found = loans::find(books.reader(), &Scope::All, &key, Lock::None).await.unwrap().unwrap();
    assert_eq!(found, record);
    books.assert_refused("UPDATE loans SET outstanding_principal_minor = -1", &["check"]).await;
    books.assert_refused("UPDATE loans SET accrued_interest_minor = NULL", &["null"]).await;
}

async fn a_batch_whose_loan_has_changed_leaves_nothing(engine: Engine) {
    let books = books(engine).await;
    let write = async |version: i64, transaction: StoredTransaction| {
        let changed = LoanRecord { version, ..books.loan.clone() };
        let (changed, transaction) = (&changed, &transaction);
        let write = books.world.database.write(|sent| async move {
            let mut batch = Batch::default();
            loan_history::add(&mut batch, changed.id, transaction)?;
            loans::settle(&mut batch, changed)?;
            batch.send(&*sent).await
        });
        write.await
    };
    let version = books.loan.version;
    for stale in [version, version + 2] {
        let refused = write(stale, disbursement(1)).await;
        assert!(matches!(refused, Err(StoreError::StaleVersion)), "{refused:?}");
        assert_eq!(books.history(&books.loan).await, []);
    }
    write(version + 1, disbursement(1)).await.unwrap();
    assert_eq!(books.history(&books.loan).await, [disbursement(1)]);
}

/// With none of either, with a transaction that did nothing and one that was taken back, and with holidays.
async fn what_books_rest_on_is_what_is_stored(engine: Engine) {
    let books = books(engine).await;
    let (loan, database) = (&books.loan, &books.world.database);
    let holidays = ["2026-05-01", "2026-12-25"].map(|on| Holiday { on: day(on), name: "Holiday, with a comma".into() });
    for (rows, transactions) in [(0, 0), (2, 0), (2, 3), (7, 3)] {
        let had = books.foundation().await;
        let rows: Vec<Installment> = (1..=rows).map(installment).collect();
        let new: Vec<_> = (1..=transactions).skip(had.history.len()).map(disbursement).collect();
        let splits: Vec<Split> = (1..=transactions).filter(|number| *number != 2).map(split).collect();
        books.append(loan, &new).await.unwrap();
        if transactions > 0 && had.history.is_empty() {
            books.reverse(loan, id(2), &reversal("2026-01-09T10:00:00Z")).await.unwrap();
        }
        let (had, rows, splits, holidays) = (&had, &rows, &splits, &holidays);
        let write = database.write(|transaction| async move {
            let mut batch = Batch::default();
            loan_projection::change_installments(&mut batch, loan.id, &had.installments, rows);
            loan_projection::change_splits(&mut batch, loan.id, &had.splits, splits);
            batch.send(&*transaction).await?;
            calendars::put_holidays(&*transaction, loan.branch_id, holidays).await
        });
        write.await.unwrap();
        let found = books.foundation().await;
        assert_eq!(&found.installments, rows);
        assert_eq!(&found.splits, splits);
        assert_eq!(found.history, books.history(loan).await);
        assert_eq!(found.history.len(), usize::try_from(transactions).unwrap());
        let key = BranchKey::Id(loan.branch_id);
        let branch = branches::find(books.reader(), &Scope::All, &key, Lock::None).await.unwrap();
        assert_eq!(Some(&found.branch), branch.as_ref());
        assert_eq!(found.calendar, calendars::calendar(books.reader(), &found.branch).await.unwrap());
    }
}

async fn entries_come_back_in_pages_with_their_lines(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(1)]).await.unwrap();
    let first = books.booking(1, id(1));
    let mut mirror = books.booking(2, id(1));
    mirror.entry.reverses_id = Some(first.entry.id);
    mirror.entry.memo = Some("replayed".to_owned());
    for line in &mut mirror.lines {
        line.posting.side = line.posting.side.other();
    }
    let third = books.booking(3, id(1));
    let all = [first, mirror, third];
    books.world.statements.take();
    books.book(&all).await.unwrap();
    let sent = books.world.statements.take();
    assert_eq!(sent.iter().filter(|sql| sql.contains("INSERT")).count(), 2, "{sent:#?}");

    let request = |cursor| PageRequest { size: 2, backward: false, cursor };
    let page = journal::of_loan(books.reader(), &Scope::All, books.loan.id, &request(None)).await.unwrap();
    assert!(page.has_next);
    let next = Some(page.rows[1].0.to_string());
    let rest = journal::of_loan(books.reader(), &Scope::All, books.loan.id, &request(next)).await.unwrap();
    let heads: Vec<_> = page.rows.into_iter().chain(rest.rows).map(|(_, row)| row).collect();
    assert_eq!(heads, all.iter().map(|booking| booking.entry.clone()).collect::<Vec<_>>());
    let elsewhere = Scope::Branches(vec!["ELSEWHERE".to_owned()]);
    let hidden = journal::of_loan(books.reader(), &elsewhere, books.loan.id, &request(None)).await.unwrap();
    assert!(hidden.rows.is_empty());

    let ids: Vec<_> = all.iter().map(|booking| booking.entry.id).collect();
    let lines = journal::lines(books.reader(), &ids).await.unwrap();
    for booking in &all {
        assert_eq!(lines[&booking.entry.id], booking.lines);
    }
    let sums = journal::sums_of_loans(books.reader(), &[books.loan.id, books.other.id]).await.unwrap();
    let sums: Vec<_> = sums[&books.loan.id].iter().map(|sum| (sum.account, sum.debits, sum.credits)).collect();
    assert_eq!(sums, [(Account::Cash, 1_000, 2_000), (Account::LoansReceivable, 2_000, 1_000)]);

    let again = Booking { entry: EntryRecord { id: id(77), ..all[1].entry.clone() }, ..all[1].clone() };
    assert!(matches!(books.book(&[again]).await, Err(StoreError::Duplicate(_))), "an entry is mirrored once");
}

async fn entries_that_do_not_balance_are_refused(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(1)]).await.unwrap();
    let line = |account, side, amount| LineRecord { loan_id: None, posting: Posting { account, side, amount } };
    let (left, right) = (line(Account::Cash, Side::Debit, 5), line(Account::FeeIncome, Side::Credit, 5));
    for lines in [vec![], vec![left], vec![left, right, right], vec![left, line(Account::FeeIncome, Side::Credit, 4)]] {
        let outcome = books.book(&[Booking { entry: books.entry(1, Some(id(1))), lines }]).await;
        assert!(matches!(outcome, Err(StoreError::Unbalanced)), "{outcome:?}");
    }
    books.book(&[books.booking(1, id(1))]).await.unwrap();
    // Past the code that would not send it, one line more; or two that balance only across currencies.
    let more = |number: u32, currency: &str, side: &str| {
        format!(
            "SELECT entry_id, number + {number}, branch_id, loan_id, account, '{currency}', {side} FROM journal_lines \
             WHERE number = 1"
        )
    };
    let into = "INSERT INTO journal_lines (entry_id, number, branch_id, loan_id, account, currency, debit_minor, \
                credit_minor) ";
    let because = ["balance", "foreign key"];
    books.assert_refused(&format!("{into}{}", more(10, "KES", "5, 0")), &because).await;
    let across = format!("{into}{} UNION ALL {}", more(10, "KES", "5, 0"), more(11, "USD", "0, 5"));
    books.assert_refused(&across, &because).await;
    for sides in ["5, 5", "0, 0", "-5, 0"] {
        let balanced = format!("{into}{} UNION ALL {}", more(10, "KES", sides), more(11, "KES", sides));
        books.assert_refused(&balanced, &["check"]).await;
    }
    let raw = books.world.engine.raw().await;
    let even = format!("{into}{} UNION ALL {}", more(10, "KES", "5, 0"), more(11, "KES", "0, 5"));
    raw.execute_unprepared(&even).await.unwrap();
}

async fn lines_of_nothing_are_refused(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(1)]).await.unwrap();
    books.book(&[books.booking(1, id(1))]).await.unwrap();
    let literal = |id: Uuid| {
        if books.world.engine.is_postgres() { format!("'{id}'::uuid") } else { format!("x'{}'", id.simple()) }
    };
    let nobody = literal(Uuid::from_u128(404));
    // Two lines that balance, of the entry that is there but for what is said here.
    let lines = |entry: &str, branch: &str, loan: &str| {
        format!(
            "INSERT INTO journal_lines (entry_id, number, branch_id, loan_id, account, currency, debit_minor, credit_minor)
             SELECT {entry}, number + 10, {branch}, {loan}, account, currency, 5, 0 FROM journal_lines WHERE number = 1
             UNION ALL
             SELECT {entry}, number + 11, {branch}, {loan}, account, currency, 0, 5 FROM journal_lines WHERE number = 1"
        )
    };
    let no_entry = ["no entry in its branch", "foreign key"];
    books.assert_refused(&lines(&nobody, "branch_id", "loan_id"), &no_entry).await;
    books.assert_refused(&lines("entry_id", &nobody, "loan_id"), &no_entry).await;
    books.assert_refused(&lines("entry_id", "branch_id", &nobody), &["no loan", "foreign key"]).await;
    let raw = books.world.engine.raw().await;
    raw.execute_unprepared(&lines("entry_id", "branch_id", "loan_id")).await.unwrap();
}

async fn entries_that_make_no_sense_are_refused(engine: Engine) {
    let books = books(engine).await;
    books.append(&books.loan, &[disbursement(1)]).await.unwrap();
    books.append(&books.other, &[StoredTransaction { id: id(2), ..disbursement(1) }]).await.unwrap();
    let of_another = books.book(&[books.booking(1, id(2))]).await;
    assert!(matches!(of_another, Err(StoreError::Database(_))), "{of_another:?}");
    let orphan = Booking {
        entry: EntryRecord { transaction_id: None, ..books.booking(1, id(1)).entry },
        ..books.booking(1, id(1))
    };
    assert!(matches!(books.book(&[orphan]).await, Err(StoreError::Database(_))), "only accruals have no transaction");
    let accrual = Booking { entry: books.entry(2, None), ..books.booking(2, id(1)) };
    let of_day = Booking { entry: EntryRecord { loan_id: None, ..books.entry(3, None) }, ..books.booking(3, id(1)) };
    books.book(&[accrual, of_day]).await.unwrap();
}

async fn the_calendar_of_a_branch_comes_back(engine: Engine) {
    let books = books(engine).await;
    let branch_id = books.loan.branch_id;
    let find = async || {
        let key = BranchKey::Id(branch_id);
        branches::find(books.reader(), &Scope::All, &key, Lock::None).await.unwrap().unwrap()
    };
    let mut branch = find().await;
    let every_day = calendars::calendar(books.reader(), &branch).await.unwrap();
    assert!(every_day.is_working_day(day("2026-01-04")));

    branch.rest_days = vec![Weekday::Sun, Weekday::Sat];
    branch.version += 1;
    let holiday = |on: &str, name: &str| Holiday { on: day(on), name: name.to_owned() };
    let holidays = [holiday("2026-12-25", "Christmas"), holiday("2026-05-01", "Labour Day")];
    let renamed = [holiday("2026-12-25", "Christmas Day")];
    let (branch, holidays, renamed) = (&branch, &holidays, &renamed);
    let write = books.world.database.write(|transaction| async move {
        branches::update(&*transaction, branch).await?;
        calendars::put_holidays(&*transaction, branch_id, holidays).await?;
        calendars::put_holidays(&*transaction, branch_id, renamed).await?;
        let removed = calendars::remove_holidays(&*transaction, branch_id, &[day("2026-05-02")]).await?;
        Ok::<_, StoreError>(removed)
    });
    assert_eq!(write.await.unwrap(), 0);
    assert_eq!(
        calendars::holidays(books.reader(), branch_id).await.unwrap(),
        [holiday("2026-05-01", "Labour Day"), holiday("2026-12-25", "Christmas Day")]
    );
    let stored = find().await;
    assert_eq!(stored.rest_days, [Weekday::Sat, Weekday::Sun]);
    let calendar = calendars::calendar(books.reader(), &stored).await.unwrap();
    let works = |on: &str| calendar.is_working_day(day(on));
    assert_eq!(
        (works("2026-01-03"), works("2026-01-04"), works("2026-01-05"), works("2026-12-25")),
        (false, false, true, false)
    );
    let remove = books.world.database.write(|transaction| async move {
        calendars::remove_holidays(&*transaction, branch_id, &[day("2026-05-01"), day("2026-12-25")]).await
    });
    assert_eq!(remove.await.unwrap(), 2);
    assert_eq!(calendars::holidays(books.reader(), branch_id).await.unwrap(), []);
}

async fn business_dates_close_forward_only(engine: Engine) {
    let books = books(engine).await;
    let branch_id = books.loan.branch_id;
    let close = async |on: &str| {
        let write = books
            .world
            .database
            .write(|transaction| async move { calendars::close_through(&*transaction, branch_id, day(on)).await });
        write.await.unwrap()
    };
    assert!(close("2026-01-10").await);
    assert!(!close("2026-01-10").await, "closed before");
    assert!(!close("2026-01-09").await, "closed before");
    assert!(close("2026-01-11").await);
    let key = BranchKey::Id(branch_id);
    let branch = branches::find(books.reader(), &Scope::All, &key, Lock::None).await.unwrap().unwrap();
    assert_eq!(branch.closed_through, Some(day("2026-01-11")));
    // Someone who edits the branch with what they read before does not open the day again.
    let stale = branches::BranchRecord { closed_through: None, version: branch.version + 1, ..branch };
    let stale = &stale;
    books
        .world
        .database
        .write(|transaction| async move { branches::update(&*transaction, stale).await })
        .await
        .unwrap();
    let branch = branches::find(books.reader(), &Scope::All, &key, Lock::None).await.unwrap().unwrap();
    assert_eq!(branch.closed_through, Some(day("2026-01-11")));
}
