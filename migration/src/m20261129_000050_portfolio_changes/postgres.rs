//! The triggers on PostgreSQL. One that is of columns costs an UPDATE of other columns nothing.

use super::sums::{ARREARS, FAMILIES, Family, PORTFOLIO, qualified};

/// Whoever moves sums holds this lock until the transaction ends.
pub(crate) const ROLL_UP: &str = "7240115040";

pub(super) fn triggers() -> Vec<String> {
    [on_loans(&PORTFOLIO), on_loans(&ARREARS), on_branches()].concat()
}

/// A row with its sign: `plus` is an empty string or a minus.
fn row(family: &Family, of: &str, sign: &str) -> String {
    let figures = family.figures.iter().map(|figure| match *figure {
        "loans" => format!("{sign}1"),
        figure => format!("{sign}{of}.{figure}"),
    });
    let values: Vec<String> = family.key_of(of).into_iter().chain(figures).collect();
    format!("({})", values.join(", "))
}

/// What changed of a loan that stays where it is.
fn difference(family: &Family) -> String {
    let figures = family.figures.iter().map(|figure| match *figure {
        "loans" => "0".to_owned(),
        figure => format!("NEW.{figure} - OLD.{figure}"),
    });
    let values: Vec<String> = family.key_of("NEW").into_iter().chain(figures).collect();
    format!("({})", values.join(", "))
}

fn on_loans(family: &Family) -> Vec<String> {
    let name = family.name;
    let insert = format!("INSERT INTO {name}_changes ({}) VALUES", family.columns());
    let counted = |row: &str| family.counted.map_or_else(|| "true".to_owned(), |counted| format!("{row}.{counted}"));
    let key = |row: &str| format!("ROW({})", family.key_of(row).join(", "));
    let stored: Vec<&str> =
        family.keys.iter().chain(family.figures).copied().filter(|column| *column != "loans").collect();
    let all = |row: &str| stored.iter().map(|column| format!("{row}.{column}")).collect::<Vec<_>>().join(", ");
    vec![
        format!(
            "CREATE FUNCTION note_{name}_change() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF TG_OP = 'UPDATE' THEN
                     IF {old_key} IS NOT DISTINCT FROM {new_key} THEN
                         {insert} {difference};
                         RETURN NULL;
                     END IF;
                 END IF;
                 IF TG_OP <> 'INSERT' THEN
                     IF {old_counted} THEN {insert} {minus}; END IF;
                 END IF;
                 IF TG_OP <> 'DELETE' THEN
                     IF {new_counted} THEN {insert} {plus}; END IF;
                 END IF;
                 RETURN NULL;
             END $$",
            old_key = key("OLD"),
            new_key = key("NEW"),
            difference = difference(family),
            old_counted = counted("OLD"),
            new_counted = counted("NEW"),
            minus = row(family, "OLD", "-"),
            plus = row(family, "NEW", ""),
        ),
        format!(
            "CREATE TRIGGER loans_{name}_inserted AFTER INSERT ON loans FOR EACH ROW WHEN ({})
             EXECUTE FUNCTION note_{name}_change()",
            counted("NEW")
        ),
        format!(
            "CREATE TRIGGER loans_{name}_updated AFTER UPDATE OF {columns} ON loans FOR EACH ROW
             WHEN (ROW({old}) IS DISTINCT FROM ROW({new}) AND ({old_counted} OR {new_counted}))
             EXECUTE FUNCTION note_{name}_change()",
            columns = stored.join(", "),
            old = all("OLD"),
            new = all("NEW"),
            old_counted = counted("OLD"),
            new_counted = counted("NEW"),
        ),
        format!(
            "CREATE TRIGGER loans_{name}_deleted AFTER DELETE ON loans FOR EACH ROW WHEN ({})
             EXECUTE FUNCTION note_{name}_change()",
            counted("OLD")
        ),
    ]
}

/// A branch that moves to another time zone takes its part of the totals along.
fn on_branches() -> Vec<String> {
    let moves: Vec<String> = FAMILIES.iter().map(|family| family.add_to_totals(&moved(family)) + ";").collect();
    vec![
        format!(
            "CREATE FUNCTION move_totals() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 PERFORM pg_advisory_xact_lock({ROLL_UP});
                 {}
                 RETURN NULL;
             END $$",
            moves.join("\n")
        ),
        "CREATE TRIGGER branches_move_totals AFTER UPDATE OF time_zone ON branches FOR EACH ROW
         WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION move_totals()"
            .to_owned(),
    ]
}

/// The sums of the branch, out of the old time zone and into the new one.
pub(super) fn moved(family: &Family) -> String {
    let others = family.total_keys().into_iter().filter(|key| *key != "time_zone").collect::<Vec<_>>().join(", ");
    let others = qualified(&others, family.name);
    let part = |row: &str, sign: &str| {
        let figures: Vec<String> =
            family.figures.iter().map(|figure| format!("CAST({sign}SUM({figure}) AS bigint)")).collect();
        format!(
            "SELECT {row}.time_zone, {others}, {figures} FROM {name}_sums WHERE branch_id = NEW.id GROUP BY {others}",
            figures = figures.join(", "),
            name = family.name
        )
    };
    // What follows a condition cannot be taken for one of a join.
    format!("SELECT * FROM ({} UNION ALL {}) AS moved WHERE 1 = 1", part("OLD", "-"), part("NEW", ""))
}
