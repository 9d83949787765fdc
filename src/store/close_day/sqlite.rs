//! The accrual on SQLite, which has one writer and no statement that writes several tables: what was earned goes to a
//! temporary table, and from there into the journal and the loans.

use lending::ledger::Account;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Value};
use uuid::Uuid;

use super::super::entity::journal_entry;
use super::{AccrualHead, Place, StoreError, sql, statement};

const PORTIONS: [(&str, Account, Account); 3] = [
    ("interest", Account::InterestReceivable, Account::InterestIncome),
    ("fees", Account::FeesReceivable, Account::FeeIncome),
    ("penalties", Account::PenaltiesReceivable, Account::PenaltyIncome),
];

#[derive(FromQueryResult)]
struct Sums {
    count: i64,
    lines: i64,
    interest: i64,
    fees: i64,
    penalties: i64,
}

pub(super) async fn accrue(
    transaction: &impl ConnectionTrait,
    place: &Place,
    last: Uuid,
    head: &AccrualHead,
) -> Result<u64, StoreError> {
    work_out(transaction, place, last).await?;
    let sums = "SELECT COUNT(*) AS count,
                    COALESCE(SUM((interest <> 0) + (fees <> 0) + (penalties <> 0)), 0) AS lines,
                    COALESCE(SUM(interest), 0) AS interest, COALESCE(SUM(fees), 0) AS fees,
                    COALESCE(SUM(penalties), 0) AS penalties
                FROM temp.earned";
    let sums = Sums::find_by_statement(statement(transaction, sums.to_owned(), [])).one(transaction).await?;
    let Some(sums) = sums else { return Ok(0) };
    if sums.lines > 0 {
        book(transaction, place, head, &sums).await?;
    }
    write_down(transaction, place).await?;
    Ok(u64::try_from(sums.count).unwrap_or_default())
}

async fn work_out(transaction: &impl ConnectionTrait, place: &Place, last: Uuid) -> Result<(), StoreError> {
    let backend = DbBackend::Sqlite;
    transaction
        .execute_unprepared(
            "CREATE TEMP TABLE IF NOT EXISTS earned
                 (id blob PRIMARY KEY, interest integer, fees integer, penalties integer);
             DELETE FROM temp.earned",
        )
        .await?;
    let text = format!(
        "INSERT INTO temp.earned (id, interest, fees, penalties)
         SELECT c.id, {sums} FROM (
             SELECT l.id, l.accrued_through, l.charged_off_on FROM loans l
             WHERE l.branch_id = $1 AND {open} AND l.currency = $3 AND l.id > $4 AND l.id <= $5 AND NOT {fold}
         ) c LEFT JOIN loan_installments i ON {earning} GROUP BY c.id",
        open = sql::open("$2"),
        fold = sql::must_fold(backend, "$2"),
        sums = sql::earned_sums(backend, "$2"),
        earning = sql::earning(backend, "$2"),
    );
    let values: [Value; 5] =
        [place.branch_id.into(), place.on.into(), place.currency.code().into(), place.after.into(), last.into()];
    transaction.execute_raw(statement(transaction, text, values)).await?;
    Ok(())
}

async fn book(
    transaction: &impl ConnectionTrait,
    place: &Place,
    head: &AccrualHead,
    sums: &Sums,
) -> Result<(), StoreError> {
    let entry = journal_entry::ActiveModel {
        id: Set(head.id),
        branch_id: Set(place.branch_id),
        loan_id: Set(None),
        transaction_id: Set(None),
        kind: Set("ACCRUAL".to_owned()),
        booked_on: Set(place.on),
        recorded_at: Set(head.recorded_at),
        recorded_by: Set(head.recorded_by.clone()),
        currency: Set(place.currency.code().to_owned()),
        reverses_id: Set(None),
        memo: Set(None),
    };
    journal_entry::Entity::insert(entry).exec_without_returning(transaction).await?;
    let mut lines = Vec::new();
    for ((portion, receivable, income), sum) in PORTIONS.iter().zip([sums.interest, sums.fees, sums.penalties]) {
        let (receivable, income) = (receivable.as_str(), income.as_str());
        lines.push(format!(
            "SELECT id AS loan_id, '{receivable}' AS account, {portion} AS net FROM temp.earned WHERE {portion} <> 0"
        ));
        if sum != 0 {
            lines.push(format!(
                "SELECT NULL, '{income}', -{portion} FROM (SELECT SUM({portion}) AS {portion} FROM temp.earned)"
            ));
        }
    }
    let text = format!(
        "INSERT INTO journal_lines (entry_id, number, branch_id, loan_id, account, currency, debit_minor, credit_minor)
         SELECT $1, row_number() OVER (), $2, loan_id, account, $3, MAX(net, 0), MAX(-net, 0) FROM ({lines})",
        lines = lines.join(" UNION ALL ")
    );
    let values: [Value; 3] = [head.id.into(), place.branch_id.into(), place.currency.code().into()];
    transaction.execute_raw(statement(transaction, text, values)).await?;
    Ok(())
}

async fn write_down(transaction: &impl ConnectionTrait, place: &Place) -> Result<(), StoreError> {
    let text = "UPDATE loans SET
             accrued_interest_minor = accrued_interest_minor + earned.interest,
             accrued_fees_minor = accrued_fees_minor + earned.fees,
             accrued_penalties_minor = accrued_penalties_minor + earned.penalties,
             accrued_through = $1,
             projected_on = MAX(projected_on, $1),
             next_due_on = CASE WHEN next_due_on < $1 THEN (
                 SELECT min(i.due_on) FROM loan_installments i
                 WHERE i.loan_id = loans.id AND i.left_minor > 0 AND i.due_on >= $1
             ) ELSE next_due_on END
         FROM temp.earned AS earned WHERE loans.id = earned.id";
    let values: [Value; 1] = [place.on.into()];
    transaction.execute_raw(statement(transaction, text.to_owned(), values)).await?;
    Ok(())
}
