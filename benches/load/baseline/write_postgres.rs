//! Writing to PostgreSQL in four round trips: BEGIN, one statement that claims the key, locks and reads, one that writes
//! every table, COMMIT.

use sqlx::{PgPool, Row as _};

use super::Failure;
use super::writes::{Application, Asked, Offer, Payable, Repayment, number, used};

const CLAIM_LOAN: &str = "
    WITH claimed AS (
        INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at)
        VALUES ($1, 'recordRepayment', $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT l.branch_id, l.currency, l.status, l.version, l.outstanding_principal_minor, l.accrued_interest_minor,
           i.number, i.due_interest_minor - i.paid_interest_minor - i.waived_interest_minor
               - i.written_off_interest_minor,
           i.paid_interest_minor, l.disbursed_on, s.next, EXISTS (SELECT FROM claimed)
    FROM loans l
    CROSS JOIN LATERAL (SELECT * FROM loan_installments i WHERE i.loan_id = l.id AND i.left_minor > 0
                        ORDER BY i.number LIMIT 1) i
    CROSS JOIN LATERAL (SELECT max(t.sequence) + 1 AS next FROM loan_transactions t WHERE t.loan_id = l.id) s
    WHERE l.id = $6 FOR UPDATE OF l";

const WRITE_REPAYMENT: &str = "
    WITH t AS (
        INSERT INTO loan_transactions (id, loan_id, sequence, kind, value_date, amount_minor, event, recorded_at, recorded_by)
        VALUES ($1, $2, $3, 'REPAYMENT', $4, $5, $6, $7, $8)
    ), e AS (
        INSERT INTO journal_entries (id, branch_id, loan_id, transaction_id, kind, booked_on, recorded_at, recorded_by, currency)
        VALUES ($9, $10, $2, $1, 'REPAYMENT', $4, $7, $8, $11), ($12, $10, $2, NULL, 'ACCRUAL', $4, $7, $8, $11)
    ), n AS (
        INSERT INTO journal_lines (entry_id, number, branch_id, loan_id, account, currency, debit_minor, credit_minor)
        VALUES ($9, 1, $10, $2, 'CASH', $11, $5, 0), ($9, 2, $10, $2, 'INTEREST_RECEIVABLE', $11, 0, $5),
               ($12, 1, $10, $2, 'INTEREST_RECEIVABLE', $11, $5, 0), ($12, 2, $10, $2, 'INTEREST_INCOME', $11, 0, $5)
    ), s AS (
        INSERT INTO loan_transaction_splits (transaction_id, loan_id, amount_minor, principal_minor, interest_minor,
            fees_minor, penalties_minor, to_credit_minor, balance_after_minor, journal_entry_id)
        VALUES ($1, $2, $5, 0, $5, 0, 0, 0, $13, $9)
    ), i AS (
        UPDATE loan_installments SET paid_interest_minor = paid_interest_minor + $5,
            paid_in_advance_minor = paid_in_advance_minor + $5
        WHERE loan_id = $2 AND number = $14
    ), a AS (
        INSERT INTO audit_events (id, branch_id, recorded_at, subject, roles, request_id, operation, outcome, codes,
            object_kind, object_id, details)
        VALUES ($15, $10, $7, $8, $16, $17, 'recordRepayment', 'DONE', '', 'loan', $2, $18)
    )
    UPDATE loans SET outstanding_interest_minor = outstanding_interest_minor - $5,
        accrued_interest_minor = accrued_interest_minor + $5, projected_on = $4, version = version + 1, updated_at = $7
    WHERE id = $2 AND version = $19";

/// Who waited for another repayment of the same loan is shown the loan as it now is beside the installment as it was, and
/// asks again.
pub async fn repay(pool: &PgPool, asked: &Asked, repayment: &Repayment) -> Result<Payable, Failure> {
    for _ in 0..ATTEMPTS {
        if let Ok(found) = attempt(pool, asked, repayment).await {
            return Ok(found);
        }
    }
    attempt(pool, asked, repayment).await
}

/// With few loans and many connections the same one is waited for again and again.
const ATTEMPTS: u32 = 3;

async fn attempt(pool: &PgPool, asked: &Asked, repayment: &Repayment) -> Result<Payable, Failure> {
    let mut transaction = pool.begin().await?;
    let row = sqlx::query(CLAIM_LOAN)
        .bind(&asked.caller.subject)
        .bind(&asked.key)
        .bind(&asked.fingerprint)
        .bind(repayment.transaction.to_string())
        .bind(asked.now)
        .bind(repayment.loan)
        .fetch_one(&mut *transaction)
        .await?;
    if !row.get::<bool, _>(11) {
        return Err(used());
    }
    let found = Payable {
        branch: row.get(0),
        currency: row.get(1),
        status: row.get(2),
        version: row.get(3),
        principal_left: row.get(4),
        accrued_interest: row.get(5),
        installment: row.get(6),
        interest_left: row.get(7),
        interest_paid: row.get(8),
        disbursed_on: row.get(9),
        sequence: row.get(10),
    };
    repayment.decide(asked, &found)?;
    let written = sqlx::query(WRITE_REPAYMENT)
        .bind(repayment.transaction)
        .bind(repayment.loan)
        .bind(found.sequence)
        .bind(asked.today)
        .bind(repayment.amount)
        .bind(repayment.event_json())
        .bind(asked.now)
        .bind(&asked.caller.subject)
        .bind(repayment.entry)
        .bind(found.branch)
        .bind(repayment.currency)
        .bind(repayment.accrual)
        .bind(found.principal_left)
        .bind(found.installment)
        .bind(repayment.event)
        .bind(&asked.caller.roles)
        .bind(asked.request.to_string())
        .bind(repayment.facts(&found))
        .bind(found.version)
        .execute(&mut *transaction)
        .await?;
    if written.rows_affected() != 1 {
        return Err(Failure::bad_input("the loan has changed meanwhile"));
    }
    transaction.commit().await?;
    Ok(found)
}

const CLAIM_PARTIES: &str = "
    WITH claimed AS (
        INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at)
        VALUES ($1, 'applyForLoan', $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT b.id, b.status, p.status, p.currency, p.principal_min_minor, p.principal_max_minor, p.installments_min,
           p.installments_max, p.default_annual_rate_ppm, p.repayment_every, p.repayment_unit, p.conditions,
           w.erased_at IS NOT NULL, nextval('loan_number'), EXISTS (SELECT FROM claimed)
    FROM borrowers w JOIN branches b ON b.id = w.branch_id, loan_products p
    WHERE w.id = $6 AND p.id = $7 FOR KEY SHARE OF w, b";

const WRITE_APPLICATION: &str = "
    WITH a AS (
        INSERT INTO audit_events (id, branch_id, recorded_at, subject, roles, request_id, operation, outcome, codes,
            object_kind, object_id, details)
        VALUES ($1, $2, $3, $4, $5, $6, 'applyForLoan', 'DONE', '', 'loan', $7, $8)
    )
    INSERT INTO loans (id, number, branch_id, borrower_id, product_id, officer, currency, principal_minor,
        annual_rate_ppm, installments, repayment_every, repayment_unit, conditions, status, applied_on, applied_by,
        version, created_at, updated_at)
    VALUES ($7, $9, $2, $10, $11, $4, $12, $13, $14, $15, $16, $17, $18, 'PENDING', $19, $4, 1, $3, $3)";

pub async fn apply(pool: &PgPool, asked: &Asked, application: &Application) -> Result<String, Failure> {
    let mut transaction = pool.begin().await?;
    let row = sqlx::query(CLAIM_PARTIES)
        .bind(&asked.caller.subject)
        .bind(&asked.key)
        .bind(&asked.fingerprint)
        .bind(application.loan.to_string())
        .bind(asked.now)
        .bind(application.borrower)
        .bind(application.product)
        .fetch_one(&mut *transaction)
        .await?;
    if !row.get::<bool, _>(14) {
        return Err(used());
    }
    let offer = Offer {
        branch: row.get(0),
        branch_status: row.get(1),
        product_status: row.get(2),
        currency: row.get(3),
        principal: (row.get(4), row.get(5)),
        installments: (row.get(6), row.get(7)),
        rate: row.get(8),
        every: row.get(9),
        unit: row.get(10),
        conditions: row.get(11),
        erased: row.get(12),
        number: number(row.get(13)),
    };
    application.decide(&offer)?;
    sqlx::query(WRITE_APPLICATION)
        .bind(application.event)
        .bind(offer.branch)
        .bind(asked.now)
        .bind(&asked.caller.subject)
        .bind(&asked.caller.roles)
        .bind(asked.request.to_string())
        .bind(application.loan)
        .bind(application.facts())
        .bind(&offer.number)
        .bind(application.borrower)
        .bind(application.product)
        .bind(application.currency)
        .bind(application.principal)
        .bind(offer.rate)
        .bind(application.installments)
        .bind(offer.every)
        .bind(offer.unit)
        .bind(offer.conditions)
        .bind(asked.today)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(offer.number)
}
