//! The accrual on PostgreSQL: one statement works out, books and writes down, so that nothing travels but the loans' ids.

use sea_orm::{ConnectionTrait, DbBackend, Value};

use super::{AccrualHead, Place, StoreError, count, sql, statement};

const ACCOUNTS: [(&str, &str, &str); 3] = [
    ("interest", "INTEREST_RECEIVABLE", "INTEREST_INCOME"),
    ("fees", "FEES_RECEIVABLE", "FEE_INCOME"),
    ("penalties", "PENALTIES_RECEIVABLE", "PENALTY_INCOME"),
];

pub(super) async fn accrue(
    transaction: &impl ConnectionTrait,
    place: &Place,
    ids: &str,
    head: &AccrualHead,
) -> Result<u64, StoreError> {
    let values: [Value; 7] = [
        place.branch_id.into(),
        place.on.into(),
        place.currency.code().into(),
        ids.into(),
        head.id.into(),
        head.recorded_at.into(),
        head.recorded_by.clone().into(),
    ];
    count(transaction, statement(transaction, text(), values)).await
}

fn text() -> String {
    let backend = DbBackend::Postgres;
    let lines: Vec<String> = ACCOUNTS
        .iter()
        .flat_map(|(portion, receivable, income)| {
            [
                format!(
                    "SELECT id AS loan_id, '{receivable}' AS account, {portion} AS net FROM earned WHERE {portion} <> 0"
                ),
                format!(
                    "SELECT NULL, '{income}', CAST(-SUM({portion}) AS bigint) FROM earned
                     HAVING SUM({portion}) <> 0"
                ),
            ]
        })
        .collect();
    format!(
        "WITH earned AS MATERIALIZED (
             SELECT c.id, e.interest, e.fees, e.penalties
             FROM unnest(CAST(CAST($4 AS text) AS uuid[])) AS claimed (id) JOIN loans c ON c.id = claimed.id
             CROSS JOIN LATERAL (
                 SELECT {sums} FROM loan_installments i WHERE {earning}
             ) e
         ), updated AS (
             UPDATE loans SET
                 accrued_interest_minor = loans.accrued_interest_minor + earned.interest,
                 accrued_fees_minor = loans.accrued_fees_minor + earned.fees,
                 accrued_penalties_minor = loans.accrued_penalties_minor + earned.penalties,
                 accrued_through = $2,
                 projected_on = GREATEST(loans.projected_on, $2),
                 next_due_on = CASE WHEN loans.next_due_on < $2 THEN (
                     SELECT min(i.due_on) FROM loan_installments i
                     WHERE i.loan_id = loans.id AND i.left_minor > 0 AND i.due_on >= $2
                 ) ELSE loans.next_due_on END
             FROM earned WHERE loans.id = earned.id
         ), entry AS (
             INSERT INTO journal_entries (id, branch_id, kind, booked_on, recorded_at, recorded_by, currency)
             SELECT CAST($5 AS uuid), $1, 'ACCRUAL', $2, CAST($6 AS timestamptz), CAST($7 AS text), $3
             WHERE EXISTS (SELECT 1 FROM earned WHERE interest <> 0 OR fees <> 0 OR penalties <> 0)
         ), lines AS (
             INSERT INTO journal_lines
                 (entry_id, number, branch_id, loan_id, account, currency, debit_minor, credit_minor)
             SELECT CAST($5 AS uuid), row_number() OVER (), $1, loan_id, account, $3, GREATEST(net, 0), GREATEST(-net, 0)
             FROM ({lines}) AS line
         )
         SELECT count(*) AS count FROM earned",
        sums = sql::earned_sums(backend, "$2"),
        earning = sql::earning(backend, "$2"),
        lines = lines.join(" UNION ALL "),
    )
}
