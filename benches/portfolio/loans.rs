//! Loans by the million, of which only their rows are there: all a portfolio of counts, balances and arrears reads. One
//! is made through the use cases and copied by the database, over branches, officers, statuses and due dates.

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
            raw.execute_unprepared(&copies(&columns, postgres, (self.made + 1, until), self.branches)).await.unwrap();
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
         CROSS JOIN (SELECT * FROM loans WHERE number NOT LIKE 'X-%') o",
        columns = columns.join(", "),
        values = values.join(", "),
    )
}
