//! Whether the sums that are kept are what the loans come to, key by key. It reads every loan and every
//! installment with something left, and mends nothing.

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use super::sums::{Family, Grain};
use crate::store::error::StoreError;

/// Sums that are not what the loans come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenSum {
    /// Which: the table, the branch or time zone, the product, the currency, the status, and what else they are by.
    pub subject: String,
    /// What the loans come to.
    pub expected: String,
    /// What is kept.
    pub actual: String,
}

/// The sums of these branches, or all sums and totals, that are wrong.
///
/// # Errors
/// Whatever the database answers.
pub async fn broken_sums(
    connection: &impl ConnectionTrait,
    branches: Option<&[Uuid]>,
) -> Result<Vec<BrokenSum>, StoreError> {
    let mut broken = Vec::new();
    for family in Family::ALL {
        for grain in Grain::ALL {
            // Totals are of all branches.
            if grain == Grain::Sums || branches.is_none() {
                broken.extend(broken_in(connection, branches, family, grain).await?);
            }
        }
    }
    Ok(broken)
}

async fn broken_in(
    connection: &impl ConnectionTrait,
    branches: Option<&[Uuid]>,
    family: Family,
    grain: Grain,
) -> Result<Vec<BrokenSum>, StoreError> {
    let ids = branches.unwrap_or_default();
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let of_branch = match branches {
        None => "1 = 1".to_owned(),
        Some([]) => "1 = 0".to_owned(),
        Some(_) => format!("s.branch_id IN ({})", places.join(", ")),
    };
    let backend = connection.get_database_backend();
    let values: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
    let statement = Statement::from_sql_and_values(backend, text(family, grain, &of_branch), values);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| read(row, family, grain)).collect()
}

/// What a family sums of loans `l`: where it is found, and a figure of it.
fn summed(family: Family) -> (&'static str, fn(&str) -> String) {
    match family {
        Family::Portfolio => ("WHERE 1 = 1", |name| format!("l.{name}")),
        Family::Arrears => ("WHERE l.status IN ('DISBURSED', 'DEFAULTED')", |name| format!("l.{name}")),
        Family::Dues => ("JOIN loan_installments i ON i.loan_id = l.id WHERE i.left_minor > 0", |name| {
            let portion = name.trim_start_matches("outstanding");
            format!("i.due{portion} - i.paid{portion} - i.waived{portion} - i.written_off{portion}")
        }),
    }
}

/// One statement: the loans with their figures as expected, what is kept with its figures as actual.
fn text(family: Family, grain: Grain, of_branch: &str) -> String {
    let (keys, figures) = (family.keys(grain), family.figures());
    let side = |is_expected: bool, figure: &dyn Fn(&str) -> String| -> String {
        let columns = figures.iter().map(|name| {
            let (expected, actual) =
                if is_expected { (figure(name), "0".to_owned()) } else { ("0".to_owned(), figure(name)) };
            format!("{expected} AS expected_{name}, {actual} AS actual_{name}")
        });
        columns.collect::<Vec<_>>().join(", ")
    };
    let key_of = |row: &str| -> String {
        let columns = keys.iter().map(|key| match (*key, row) {
            ("time_zone", "o") => "o.time_zone".to_owned(),
            ("time_zone", _) => "b.time_zone".to_owned(),
            ("oldest_unpaid_due_on", "l") => {
                "COALESCE(l.oldest_unpaid_due_on, '9999-12-31') AS oldest_unpaid_due_on".to_owned()
            }
            ("due_on", "l") => "i.due_on".to_owned(),
            (key, row) => format!("{row}.{key}"),
        });
        columns.collect::<Vec<_>>().join(", ")
    };
    let (found, figure) = summed(family);
    let of_loan = |name: &str| if name == family.count() { "1".to_owned() } else { figure(name) };
    let sums: Vec<String> = ["expected", "actual"]
        .iter()
        .flat_map(|side| figures.iter().map(move |name| (side, name)))
        .map(|(side, name)| format!("CAST(SUM(s.{side}_{name}) AS bigint) AS {side}_{name}"))
        .collect();
    let differ: Vec<String> =
        figures.iter().map(|name| format!("SUM(s.expected_{name}) <> SUM(s.actual_{name})")).collect();
    let (place, place_join) = match grain {
        Grain::Sums => ("COALESCE(p.code, '?')", "LEFT JOIN branches p ON p.id = s.branch_id"),
        Grain::Totals => ("s.time_zone", ""),
    };
    let by: Vec<String> = keys.iter().map(|key| format!("s.{key}")).collect();
    format!(
        "SELECT {place} AS place, COALESCE(r.code, '?') AS product, {by}, {sums} FROM (
             SELECT {loan_key}, {expected} FROM loans l JOIN branches b ON b.id = l.branch_id {found}
             UNION ALL SELECT {sum_key}, {kept} FROM {table} o
             UNION ALL SELECT {change_key}, {changed} FROM {changes} c JOIN branches b ON b.id = c.branch_id
         ) s {place_join} LEFT JOIN loan_products r ON r.id = s.product_id WHERE {of_branch}
         GROUP BY {place}, r.code, {by} HAVING {differ} ORDER BY {place}, r.code, {by}",
        by = by.join(", "),
        sums = sums.join(", "),
        loan_key = key_of("l"),
        expected = side(true, &of_loan),
        sum_key = key_of("o"),
        kept = side(false, &|name| format!("o.{name}")),
        table = family.table(grain),
        change_key = key_of("c"),
        changed = side(false, &|name| format!("c.{name}")),
        changes = family.changes(),
        differ = differ.join(" OR "),
    )
}

fn read(row: &QueryResult, family: Family, grain: Grain) -> Result<BrokenSum, StoreError> {
    let mut subject = vec![family.table(grain), row.try_get("", "place")?, row.try_get("", "product")?];
    for key in family.keys(grain) {
        subject.push(match *key {
            "branch_id" | "product_id" | "time_zone" => continue,
            "officer" => row.try_get::<Option<String>>("", key)?.unwrap_or_else(|| "without an officer".to_owned()),
            "oldest_unpaid_due_on" | "due_on" => row.try_get::<chrono::NaiveDate>("", key)?.to_string(),
            key => row.try_get("", key)?,
        });
    }
    let side = |side: &str| -> Result<String, StoreError> {
        let figures = family.figures().iter().map(|name| {
            let sum: i64 = row.try_get("", &format!("{side}_{name}"))?;
            Ok(format!("{} {sum}", name.trim_end_matches("_minor").replace('_', " ")))
        });
        Ok(figures.collect::<Result<Vec<_>, StoreError>>()?.join(", "))
    };
    Ok(BrokenSum { subject: subject.join(" "), expected: side("expected")?, actual: side("actual")? })
}
