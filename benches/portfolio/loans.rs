//! Loans by the million, of which only their rows and what is left of their installments are there: all a portfolio of
//! counts, balances, arrears and dues reads. One is made through the use cases and copied by the database, over branches,
//! officers, statuses and due dates.

use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loans::ApplyForLoan;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::support::inputs::{amount, application, approve};
use crate::support::services::{World, admin, day};

/// What is other than in the original. In a hundred loans 8 have interest that follows the balance, and one in ten of
/// those that run is late, as in the demonstration's portfolio.
const STATUS: &str = "CASE WHEN n.n % 100 < 38 THEN 'DISBURSED' WHEN n.n % 100 < 42 THEN 'DEFAULTED' ELSE 'REPAID' END";

pub struct Loans {
    made: u32,
    branches: u32,
}

impl Loans {
    pub async fn begin(world: &World) -> Self {
        world.clock.set("2026-01-15T09:00:00Z");
        let (_, borrower, product) = world.parties().await;
        let input = ApplyForLoan {
            principal: amount("6000.00", "KES"),
            installments: Some(6),
            applied_on: Some(day("2025-12-20")),
            ..application("one", &borrower, &product)
        };
        let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
        let decision = Decide { on: Some(day("2025-12-20")), ..approve(loan.id) };
        world.services.decide(&admin(), &decision).await.unwrap();
        let disbursement = Record {
            idempotency_key: "one".to_owned(),
            loan: loan.id,
            on: Some(day("2025-12-20")),
            what: What::Disburse { amount: None },
            external_ref: None,
            expected_version: None,
        };
        world.services.record(&admin(), &disbursement).await.unwrap();
        Self { made: 0, branches: 1 }
    }

    /// Adds what is missing of so many loans in so many branches.
    pub async fn grow(&mut self, world: &World, loans: u32, branches: u32) {
        for number in self.branches..branches {
            world.branch(&format!("B{number:05}"), None).await;
        }
        self.branches = branches.max(self.branches);
        let raw = world.engine.raw().await;
        let postgres = world.engine.is_postgres();
        let columns = columns(&raw, postgres).await;
        while self.made < loans {
            let until = loans.min(self.made + 100_000);
            let range = (self.made + 1, until);
            raw.execute_unprepared(&copies(&columns, postgres, range, self.branches)).await.unwrap();
            raw.execute_unprepared(&installments(postgres, range)).await.unwrap();
            self.made = until;
        }
        world.services.tidy_portfolio().await.unwrap();
        raw.execute_unprepared(if postgres { "VACUUM (ANALYZE)" } else { "ANALYZE" }).await.unwrap();
        raw.close().await.unwrap();
    }
}

async fn columns(raw: &DatabaseConnection, postgres: bool) -> Vec<String> {
    let sql = if postgres {
        "SELECT CAST(column_name AS text) AS name FROM information_schema.columns
         WHERE table_name = 'loans' AND table_schema = 'public' AND is_generated = 'NEVER'"
    } else {
        "SELECT name FROM pragma_table_xinfo('loans') WHERE hidden = 0"
    };
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

fn copies(columns: &[String], postgres: bool, (first, last): (u32, u32), branches: u32) -> String {
    let value = |column: &String| match column.as_str() {
        "id" if postgres => "CAST('019b0000-0000-7000-8000-' || lpad(to_hex(n.n), 12, '0') AS uuid)".to_owned(),
        "id" => "unhex('019b000000007000' || '8000' || printf('%012x', n.n))".to_owned(),
        "number" => "'X-' || n.n".to_owned(),
        "external_ref" => "NULL".to_owned(),
        "branch_id" => "b.id".to_owned(),
        "officer" => "'officer-' || (n.n % branches.count) || '-' || (n.n % 3)".to_owned(),
        "status" => STATUS.to_owned(),
        "defaulted_on" => format!("CASE WHEN {STATUS} = 'DEFAULTED' THEN o.disbursed_on END"),
        "closed_on" => format!("CASE WHEN {STATUS} = 'REPAID' THEN o.disbursed_on END"),
        // Late for up to 400 days, or due within the month.
        "oldest_unpaid_due_on" if postgres => {
            "date '2026-01-15' + CASE WHEN n.n % 10 = 0 THEN -(n.n / 10 % 400) ELSE n.n % 30 END".to_owned()
        }
        "oldest_unpaid_due_on" => {
            "date('2026-01-15', (CASE WHEN n.n % 10 = 0 THEN -(n.n / 10 % 400) ELSE n.n % 30 END) || ' days')"
                .to_owned()
        }
        "conditions" => {
            "CASE WHEN n.n / 10 % 100 < 8 THEN '{\"recalculation\":\"DAILY_BALANCE\"}' ELSE o.conditions END".to_owned()
        }
        // Refreshed for the day.
        "projected_on" | "refreshed_on" => "'2026-01-15'".to_owned(),
        column => format!("o.{column}"),
    };
    let values: Vec<String> = columns
        .iter()
        .map(|column| match (column.as_str(), postgres) {
            ("projected_on" | "refreshed_on", true) => "date '2026-01-15'".to_owned(),
            _ => value(column),
        })
        .collect();
    let numbers = match postgres {
        true => format!("SELECT n FROM generate_series({first}, {last}) AS n"),
        false => format!(
            "WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s"
        ),
    };
    format!(
        "INSERT INTO loans ({columns}) SELECT {values} FROM ({numbers}) n
         CROSS JOIN (SELECT {branches} AS count) branches
         JOIN (SELECT id, row_number() OVER (ORDER BY code) - 1 AS place FROM branches) b ON b.place = n.n % {branches}
         CROSS JOIN (SELECT * FROM loans WHERE id = (SELECT id FROM loans WHERE number NOT LIKE 'X-%')) o",
        columns = columns.join(", "),
        values = values.join(", "),
    )
}

/// Six installments of every running copy, a month apart and nothing paid, since its oldest unpaid due date.
fn installments(postgres: bool, (first, last): (u32, u32)) -> String {
    let months = |more: i32| match postgres {
        true => format!("l.oldest_unpaid_due_on + 30 * (k.n - {more})"),
        false => format!("date(l.oldest_unpaid_due_on, (30 * (k.n - {more})) || ' days')"),
    };
    let amounts = ["due", "paid", "waived", "written_off"].map(|part| {
        ["principal", "interest", "fees", "penalties"].map(|portion| {
            let amount = match (part, portion) {
                ("due", "principal") => 100_000,
                ("due", "interest") => 18_000,
                _ => 0,
            };
            (format!("{part}_{portion}_minor"), amount.to_string())
        })
    });
    let (columns, values): (Vec<String>, Vec<String>) = amounts.into_iter().flatten().unzip();
    format!(
        "INSERT INTO loan_installments (loan_id, number, starts_on, due_on, paid_in_advance_minor, paid_late_minor,
             principal_balance_after_minor, {columns})
         SELECT l.id, k.n, {starts_on}, {due_on}, 0, 0, 0, {values}
         FROM loans l CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL
             SELECT 5 UNION ALL SELECT 6) k
         WHERE l.number LIKE 'X-%' AND CAST(substr(l.number, 3) AS bigint) BETWEEN {first} AND {last}
             AND l.status IN ('DISBURSED', 'DEFAULTED')",
        columns = columns.join(", "),
        starts_on = months(2),
        due_on = months(1),
        values = values.join(", "),
    )
}
