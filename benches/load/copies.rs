//! Loans by the million: some are made up one by one and the rest are copies that the database makes of them, with their
//! borrowers, under ids of the same time and numbers that go on. The database's own triggers sum them up. Of what belongs
//! to a loan only that is copied which reports read; there is no journal, no audit trail and nothing personal. Lists and
//! reports cannot tell copies from others, and their books cannot be verified.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};

/// What is copied, each after what it refers to.
const TABLES: [&str; 5] = ["borrowers", "loans", "loan_transactions", "loan_reversals", "loan_installments"];
/// Reports read what is left of running loans' installments.
const RUNNING: &str = "SELECT id FROM loans WHERE status IN ('DISBURSED', 'DEFAULTED')";
/// Running loans whose balance follows the calendar: the server folds their history. That of all others would be many
/// times as many rows, which nothing here reads.
const FOLDED: &str =
    "SELECT id FROM loans WHERE status IN ('DISBURSED', 'DEFAULTED') AND conditions LIKE '%\"DAILY_BALANCE\"%'";
/// What has numbers, and where those are counted.
const NUMBERED: [(&str, &str); 2] = [("loans", "loan_number"), ("borrowers", "borrower_number")];

/// How many loans to make up, of so many at most, and how many copies to make of each.
pub fn plan(loans: u32, most: u32) -> (u32, u32) {
    let times = loans.div_ceil(most).max(1);
    (loans / times, times - 1)
}

pub async fn in_postgres(url: &str, copies: u32) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    for table in TABLES {
        let columns = "SELECT CAST(column_name AS text) FROM information_schema.columns
             WHERE table_name = $1 AND table_schema = 'public' AND is_generated = 'NEVER'";
        let rows = sqlx::query(columns).bind(table).fetch_all(&mut connection).await.unwrap();
        let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let sql = statement(table, &columns, &Dialect::POSTGRES, copies);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    for (table, sequence) in NUMBERED {
        let sql = format!("SELECT setval('{sequence}', {})", largest(table));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

pub async fn in_sqlite(url: &str, copies: u32) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    // A file that is thrown away if this fails; whoever opens it next chooses the journal anew.
    let settings = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1048576;";
    sqlx::raw_sql(settings).execute(&mut connection).await.unwrap();
    for table in TABLES {
        let columns = "SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0";
        let rows = sqlx::query(columns).bind(table).fetch_all(&mut connection).await.unwrap();
        let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let sql = statement(table, &columns, &Dialect::SQLITE, copies);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    for (table, sequence) in NUMBERED {
        let sql = format!("UPDATE number_sequences SET value = {} WHERE name = '{sequence}'", largest(table));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The largest number; before it stand a letter and a hyphen.
fn largest(table: &str) -> String {
    format!("(SELECT max(CAST(substr(number, 3) AS bigint)) FROM {table})")
}

/// What either database calls differently.
struct Dialect {
    /// The numbers of the copies, as `k.n`.
    copies: fn(u32) -> String,
    /// An id of the same time that is the copy's own: the tenth of its bytes is random, and counted on.
    id: fn(&str) -> String,
    /// A number with nine digits.
    padded: fn(&str) -> String,
}

impl Dialect {
    const POSTGRES: Self = Self {
        copies: |copies| format!("generate_series(1, {copies}) AS k (n)"),
        id: |column| {
            let bytes = format!("uuid_send(o.{column})");
            format!("CAST(encode(set_byte({bytes}, 9, (get_byte({bytes}, 9) + k.n) % 256), 'hex') AS uuid)")
        },
        padded: |number| format!("lpad(CAST({number} AS text), 9, '0')"),
    };
    const SQLITE: Self = Self {
        copies: |copies| {
            format!(
                "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {copies}) SELECT n FROM s) k"
            )
        },
        id: |column| {
            let digit = |place: u32| format!("instr('0123456789ABCDEF', substr(hex(o.{column}), {place}, 1)) - 1");
            let byte = format!("(({}) * 16 + {} + k.n) % 256", digit(19), digit(20));
            format!("unhex(substr(hex(o.{column}), 1, 18) || printf('%02X', {byte}) || substr(hex(o.{column}), 21))")
        },
        padded: |number| format!("printf('%09d', {number})"),
    };
}

fn statement(table: &str, columns: &[String], dialect: &Dialect, copies: u32) -> String {
    let is_numbered = NUMBERED.iter().any(|(numbered, _)| *numbered == table);
    let value = |column: &String| match column.as_str() {
        "id" | "loan_id" | "borrower_id" | "transaction_id" => (dialect.id)(column),
        "number" if is_numbered => {
            let number = format!("CAST(substr(o.number, 3) AS bigint) + k.n * {}", largest(table));
            format!("substr(o.number, 1, 2) || {}", (dialect.padded)(&number))
        }
        "external_ref" if is_numbered => "o.external_ref || '-' || k.n".to_owned(),
        // It could not be opened: it is sealed for the borrower it is of.
        "phone_sealed" | "phone_hash" | "national_id_sealed" | "national_id_hash" | "key_id" => "NULL".to_owned(),
        column => format!("o.{column}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let condition = match table {
        "loan_installments" => format!("WHERE o.loan_id IN ({RUNNING})"),
        _ if is_numbered => String::new(),
        _ => format!("WHERE o.loan_id IN ({FOLDED})"),
    };
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {table} o CROSS JOIN {} {condition}",
        columns.join(", "),
        values.join(", "),
        (dialect.copies)(copies)
    )
}
