//! The tables, and what goes into them of the loans that are there already.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{counting, date, integer, optional_text, reference, text};

/// A family of sums: what they are by, and what is summed.
pub(super) struct Family {
    pub name: &'static str,
    pub keys: &'static [&'static str],
    pub figures: &'static [&'static str],
    /// Which loans count.
    pub counted: Option<&'static str>,
}

/// How many loans there are, and what is owed on them.
pub(super) const PORTFOLIO: Family = Family {
    name: "portfolio",
    keys: &["branch_id", "product_id", "officer", "currency", "status"],
    figures: &[
        "loans",
        "principal_minor",
        "outstanding_principal_minor",
        "outstanding_interest_minor",
        "outstanding_fees_minor",
        "outstanding_penalties_minor",
        "credit_minor",
    ],
    counted: None,
};

/// How much principal of running loans is due since when.
pub(super) const ARREARS: Family = Family {
    name: "arrears",
    keys: &["branch_id", "product_id", "currency", "status", "oldest_unpaid_due_on"],
    figures: &["loans", "outstanding_principal_minor"],
    counted: Some("status IN ('DISBURSED', 'DEFAULTED')"),
};

pub(super) const FAMILIES: [&Family; 2] = [&PORTFOLIO, &ARREARS];

/// What totals over all branches are by beside the time zone: an officer's loans are asked for with all branches of a
/// key anyway.
fn is_of_totals(key: &str) -> bool {
    !matches!(key, "branch_id" | "officer")
}

impl Family {
    /// The key of a loan's row; no due date stands after all others.
    pub fn key_of(&self, row: &str) -> Vec<String> {
        let of = |key: &&str| match *key {
            "oldest_unpaid_due_on" => format!("COALESCE({row}.oldest_unpaid_due_on, '9999-12-31')"),
            key => format!("{row}.{key}"),
        };
        self.keys.iter().map(of).collect()
    }

    pub fn columns(&self) -> String {
        [self.keys, self.figures].concat().join(", ")
    }

    pub fn total_keys(&self) -> Vec<&'static str> {
        std::iter::once("time_zone").chain(self.keys.iter().copied().filter(|key| is_of_totals(key))).collect()
    }

    /// The unique key of the sums, with a missing officer told from every other.
    fn sum_key(&self) -> String {
        let of = |key: &&str| match *key {
            "officer" => "(officer IS NULL), COALESCE(officer, '')".to_owned(),
            key => key.to_owned(),
        };
        self.keys.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    /// Adds to totals what a statement gives, whose columns are those of the totals.
    pub fn add_to_totals(&self, from: &str) -> String {
        let keys = self.total_keys().join(", ");
        let figures = self.figures.join(", ");
        let name = format!("{}_totals", self.name);
        let sums: Vec<String> =
            self.figures.iter().map(|figure| format!("{figure} = {name}.{figure} + excluded.{figure}")).collect();
        format!("INSERT INTO {name} ({keys}, {figures}) {from} ON CONFLICT ({keys}) DO UPDATE SET {}", sums.join(", "))
    }
}

/// Creates all tables.
pub(super) async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for family in FAMILIES {
        let table = |suffix: &str| {
            let mut table = Table::create();
            table.table(Alias::new(format!("{}_{suffix}", family.name)));
            table
        };
        let mut changes = table("changes");
        changes.col(counting(manager));
        let mut sums = table("sums");
        for columns in [&mut changes, &mut sums] {
            family.keys.iter().for_each(|key| {
                columns.col(column(manager, key));
            });
        }
        let mut totals = table("totals");
        family.total_keys().iter().for_each(|key| {
            totals.col(column(manager, key));
        });
        for mut table in [changes, sums, totals] {
            for figure in family.figures {
                table.col(integer(figure));
            }
            manager.create_table(table).await?;
        }
        let (name, sum_key) = (family.name, family.sum_key());
        let total_key = family.total_keys().join(", ");
        let connection = manager.get_connection();
        for sql in [
            format!("CREATE UNIQUE INDEX uq_{name}_sums ON {name}_sums ({sum_key})"),
            format!("CREATE UNIQUE INDEX uq_{name}_totals ON {name}_totals ({total_key})"),
        ] {
            connection.execute_unprepared(&sql).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            keep_small(connection, name).await?;
        }
    }
    Ok(())
}

/// Rows come and go all day in tables that must stay small, and sums are written again and again on their pages.
pub(crate) async fn keep_small(connection: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    let often = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000";
    for (table, settings) in [("changes", ""), ("sums", ", fillfactor = 50"), ("totals", ", fillfactor = 50")] {
        connection.execute_unprepared(&format!("ALTER TABLE {name}_{table} SET ({often}{settings})")).await?;
    }
    Ok(())
}

fn column(manager: &SchemaManager<'_>, key: &'static str) -> ColumnDef {
    match key {
        "branch_id" | "product_id" => reference(key),
        "oldest_unpaid_due_on" => date(key),
        "officer" => optional_text(manager, key),
        _ => text(manager, key),
    }
}

/// The sums and totals of the loans that are there.
pub(super) fn fill() -> Vec<String> {
    let of = |family: &&Family| {
        let (keys, figures) = (family.key_of("l").join(", "), summed(family));
        let counted = family.counted.unwrap_or("1 = 1");
        let sums = format!(
            "INSERT INTO {name}_sums ({columns}) SELECT {keys}, {figures} FROM loans l WHERE {counted} GROUP BY {keys}",
            name = family.name,
            columns = family.columns(),
        );
        let keys = family.total_keys().join(", ");
        let figures: Vec<String> =
            family.figures.iter().map(|figure| format!("CAST(SUM({figure}) AS bigint)")).collect();
        let totals = format!(
            "SELECT {keys}, {figures} FROM {name}_sums JOIN branches b ON b.id = branch_id WHERE 1 = 1 GROUP BY {keys}",
            // Branches have a currency and a status of their own.
            keys = qualified(&keys, family.name),
            figures = figures.join(", "),
            name = family.name,
        );
        [sums, family.add_to_totals(&totals)]
    };
    FAMILIES.iter().flat_map(of).collect()
}

/// `time_zone` is the branch's, everything else the sums'.
pub(super) fn qualified(keys: &str, name: &str) -> String {
    let of = |key: &str| match key {
        "time_zone" => "b.time_zone".to_owned(),
        key => format!("{name}_sums.{key}"),
    };
    keys.split(", ").map(of).collect::<Vec<_>>().join(", ")
}

fn summed(family: &Family) -> String {
    let of = |figure: &&str| match *figure {
        "loans" => "COUNT(*)".to_owned(),
        figure => format!("CAST(SUM(l.{figure}) AS bigint)"),
    };
    family.figures.iter().map(of).collect::<Vec<_>>().join(", ")
}
