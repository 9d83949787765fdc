//! Writing to SQLite: the same decisions and the same rows as on PostgreSQL, a statement for each table, because a
//! statement costs no round trip here.

use sqlx::{Row as _, SqlitePool};

use super::Failure;
use super::writes::{Application, Asked, Offer, Payable, Repayment, number, used};

const CLAIM: &str = "INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
const LOAN: &str = "
    SELECT l.branch_id, l.currency, l.status, l.version, l.outstanding_principal_minor, l.accrued_interest_minor,
           i.number, i.due_interest_minor - i.paid_interest_minor - i.waived_interest_minor
               - i.written_off_interest_minor,
           i.paid_interest_minor, l.disbursed_on,
           (SELECT max(t.sequence) + 1 FROM loan_transactions t WHERE t.loan_id = l.id)
    FROM loans l JOIN loan_installments i ON i.loan_id = l.id AND i.left_minor > 0
    WHERE l.id = ? ORDER BY i.number LIMIT 1";
const TRANSACTION: &str = "INSERT INTO loan_transactions (id, loan_id, sequence, kind, value_date, amount_minor, event,
    recorded_at, recorded_by) VALUES (?, ?, ?, 'REPAYMENT', ?, ?, ?, ?, ?)";
const ENTRIES: &str =
    "INSERT INTO journal_entries (id, branch_id, loan_id, transaction_id, kind, booked_on, recorded_at,
    recorded_by, currency)
    VALUES ($1, $2, $3, $4, 'REPAYMENT', $5, $6, $7, $8), ($9, $2, $3, NULL, 'ACCRUAL', $5, $6, $7, $8)";
const LINES: &str = "INSERT INTO journal_lines (entry_id, number, branch_id, loan_id, account, currency, debit_minor,
    credit_minor)
    VALUES ($1, 1, $2, $3, 'CASH', $4, $5, 0), ($1, 2, $2, $3, 'INTEREST_RECEIVABLE', $4, 0, $5),
           ($6, 1, $2, $3, 'INTEREST_RECEIVABLE', $4, $5, 0), ($6, 2, $2, $3, 'INTEREST_INCOME', $4, 0, $5)";
const SPLIT: &str = "INSERT INTO loan_transaction_splits (transaction_id, loan_id, amount_minor, principal_minor,
    interest_minor, fees_minor, penalties_minor, to_credit_minor, balance_after_minor, journal_entry_id)
    VALUES ($1, $2, $3, 0, $3, 0, 0, 0, $4, $5)";
const INSTALLMENT: &str = "UPDATE loan_installments SET paid_interest_minor = paid_interest_minor + $1,
    paid_in_advance_minor = paid_in_advance_minor + $1 WHERE loan_id = $2 AND number = $3";
const CHANGED: &str = "UPDATE loans SET outstanding_interest_minor = outstanding_interest_minor - $1,
    accrued_interest_minor = accrued_interest_minor + $1, projected_on = $2, version = version + 1, updated_at = $3
    WHERE id = $4";
const AUDIT: &str = "INSERT INTO audit_events (id, branch_id, recorded_at, subject, roles, request_id, operation,
    outcome, codes, object_kind, object_id, details)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'DONE', '', 'loan', ?, ?)";

pub async fn repay(pool: &SqlitePool, asked: &Asked, repayment: &Repayment) -> Result<Payable, Failure> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let connection = &mut *transaction;
    claim(connection, asked, "recordRepayment", repayment.transaction.to_string()).await?;
    let row = sqlx::query(LOAN).bind(repayment.loan).fetch_one(&mut *connection).await?;
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
    sqlx::query(TRANSACTION)
        .bind(repayment.transaction)
        .bind(repayment.loan)
        .bind(found.sequence)
        .bind(asked.today)
        .bind(repayment.amount)
        .bind(repayment.event_json())
        .bind(asked.now)
        .bind(&asked.caller.subject)
        .execute(&mut *connection)
        .await?;
    sqlx::query(ENTRIES)
        .bind(repayment.entry)
        .bind(found.branch)
        .bind(repayment.loan)
        .bind(repayment.transaction)
        .bind(asked.today)
        .bind(asked.now)
        .bind(&asked.caller.subject)
        .bind(repayment.currency)
        .bind(repayment.accrual)
        .execute(&mut *connection)
        .await?;
    sqlx::query(LINES)
        .bind(repayment.entry)
        .bind(found.branch)
        .bind(repayment.loan)
        .bind(repayment.currency)
        .bind(repayment.amount)
        .bind(repayment.accrual)
        .execute(&mut *connection)
        .await?;
    sqlx::query(SPLIT)
        .bind(repayment.transaction)
        .bind(repayment.loan)
        .bind(repayment.amount)
        .bind(found.principal_left)
        .bind(repayment.entry)
        .execute(&mut *connection)
        .await?;
    let installment = sqlx::query(INSTALLMENT).bind(repayment.amount).bind(repayment.loan).bind(found.installment);
    installment.execute(&mut *connection).await?;
    sqlx::query(CHANGED)
        .bind(repayment.amount)
        .bind(asked.today)
        .bind(asked.now)
        .bind(repayment.loan)
        .execute(&mut *connection)
        .await?;
    let about =
        About { operation: "recordRepayment", loan: repayment.loan, branch: found.branch, event: repayment.event };
    about.audit(connection, asked, repayment.facts(&found)).await?;
    transaction.commit().await?;
    Ok(found)
}

async fn claim(
    connection: &mut sqlx::SqliteConnection,
    asked: &Asked,
    operation: &str,
    outcome: String,
) -> Result<(), Failure> {
    let claimed = sqlx::query(CLAIM)
        .bind(&asked.caller.subject)
        .bind(operation)
        .bind(&asked.key)
        .bind(&asked.fingerprint)
        .bind(outcome)
        .bind(asked.now)
        .execute(connection)
        .await?;
    if claimed.rows_affected() == 1 { Ok(()) } else { Err(used()) }
}

/// What an audit event is about.
struct About {
    operation: &'static str,
    loan: uuid::Uuid,
    branch: uuid::Uuid,
    event: uuid::Uuid,
}

impl About {
    async fn audit(
        &self,
        connection: &mut sqlx::SqliteConnection,
        asked: &Asked,
        facts: String,
    ) -> Result<(), Failure> {
        sqlx::query(AUDIT)
            .bind(self.event)
            .bind(self.branch)
            .bind(asked.now)
            .bind(&asked.caller.subject)
            .bind(&asked.caller.roles)
            .bind(asked.request.to_string())
            .bind(self.operation)
            .bind(self.loan)
            .bind(facts)
            .execute(connection)
            .await?;
        Ok(())
    }
}

const PARTIES: &str = "
    SELECT b.id, b.status, p.status, p.currency, p.principal_min_minor, p.principal_max_minor, p.installments_min,
           p.installments_max, p.default_annual_rate_ppm, p.repayment_every, p.repayment_unit, p.conditions,
           w.erased_at IS NOT NULL
    FROM borrowers w JOIN branches b ON b.id = w.branch_id, loan_products p WHERE w.id = ? AND p.id = ?";
const NUMBER: &str = "UPDATE number_sequences SET value = value + 1 WHERE name = 'loan_number' RETURNING value";
const APPLICATION: &str = "
    INSERT INTO loans (id, number, branch_id, borrower_id, product_id, officer, currency, principal_minor,
        annual_rate_ppm, installments, repayment_every, repayment_unit, conditions, status, applied_on, applied_by,
        version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'PENDING', $14, $6, 1, $15, $15)";

pub async fn apply(pool: &SqlitePool, asked: &Asked, application: &Application) -> Result<String, Failure> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let connection = &mut *transaction;
    claim(connection, asked, "applyForLoan", application.loan.to_string()).await?;
    let row =
        sqlx::query(PARTIES).bind(application.borrower).bind(application.product).fetch_one(&mut *connection).await?;
    let next = sqlx::query(NUMBER).fetch_one(&mut *connection).await?;
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
        number: number(next.get(0)),
    };
    application.decide(&offer)?;
    sqlx::query(APPLICATION)
        .bind(application.loan)
        .bind(&offer.number)
        .bind(offer.branch)
        .bind(application.borrower)
        .bind(application.product)
        .bind(&asked.caller.subject)
        .bind(application.currency)
        .bind(application.principal)
        .bind(offer.rate)
        .bind(application.installments)
        .bind(offer.every)
        .bind(&offer.unit)
        .bind(&offer.conditions)
        .bind(asked.today)
        .bind(asked.now)
        .execute(&mut *connection)
        .await?;
    let about =
        About { operation: "applyForLoan", loan: application.loan, branch: offer.branch, event: application.event };
    about.audit(connection, asked, application.facts()).await?;
    transaction.commit().await?;
    Ok(offer.number)
}
