//! The triggers on SQLite, whose bodies know no conditions: one for each case.

use super::postgres::moved;
use super::sums::{ARREARS, FAMILIES, Family, PORTFOLIO};

pub(super) fn triggers() -> Vec<String> {
    [on_loans(&PORTFOLIO), on_loans(&ARREARS), vec![on_branches()]].concat()
}

fn values(family: &Family, of: &str, sign: &str) -> String {
    let figures = family.figures.iter().map(|figure| match *figure {
        "loans" => format!("{sign}1"),
        figure => format!("{sign}{of}.{figure}"),
    });
    family.key_of(of).into_iter().chain(figures).collect::<Vec<_>>().join(", ")
}

fn difference(family: &Family) -> String {
    let figures = family.figures.iter().map(|figure| match *figure {
        "loans" => "0".to_owned(),
        figure => format!("NEW.{figure} - OLD.{figure}"),
    });
    family.key_of("NEW").into_iter().chain(figures).collect::<Vec<_>>().join(", ")
}

fn on_loans(family: &Family) -> Vec<String> {
    let name = family.name;
    let insert = format!("INSERT INTO {name}_changes ({})", family.columns());
    let counted = |row: &str| family.counted.map_or_else(|| "1 = 1".to_owned(), |counted| format!("{row}.{counted}"));
    let key = |row: &str| format!("({})", family.key_of(row).join(", "));
    let stored: Vec<&str> = family.figures.iter().copied().filter(|figure| *figure != "loans").collect();
    let all = |row: &str| {
        let figures: Vec<String> = stored.iter().map(|figure| format!("{row}.{figure}")).collect();
        // Of one alone a row would be no row.
        format!("({}, 0)", figures.join(", "))
    };
    vec![
        format!(
            "CREATE TRIGGER loans_{name}_inserted AFTER INSERT ON loans WHEN {}
             BEGIN {insert} VALUES ({}); END",
            counted("NEW"),
            values(family, "NEW", "")
        ),
        format!(
            "CREATE TRIGGER loans_{name}_deleted AFTER DELETE ON loans WHEN {}
             BEGIN {insert} VALUES ({}); END",
            counted("OLD"),
            values(family, "OLD", "-")
        ),
        format!(
            "CREATE TRIGGER loans_{name}_changed AFTER UPDATE OF {columns} ON loans
             WHEN {counted} AND {old_key} IS {new_key} AND {old} IS NOT {new}
             BEGIN {insert} VALUES ({difference}); END",
            columns = stored.join(", "),
            counted = counted("NEW"),
            old_key = key("OLD"),
            new_key = key("NEW"),
            old = all("OLD"),
            new = all("NEW"),
            difference = difference(family),
        ),
        format!(
            "CREATE TRIGGER loans_{name}_moved AFTER UPDATE OF {columns} ON loans WHEN {old_key} IS NOT {new_key}
             BEGIN {insert} SELECT {minus} WHERE {old_counted} UNION ALL SELECT {plus} WHERE {new_counted}; END",
            columns = family.keys.join(", "),
            old_key = key("OLD"),
            new_key = key("NEW"),
            minus = values(family, "OLD", "-"),
            old_counted = counted("OLD"),
            plus = values(family, "NEW", ""),
            new_counted = counted("NEW"),
        ),
    ]
}

fn on_branches() -> String {
    let moves: Vec<String> = FAMILIES.iter().map(|family| family.add_to_totals(&moved(family)) + ";").collect();
    format!(
        "CREATE TRIGGER branches_move_totals AFTER UPDATE OF time_zone ON branches
         WHEN OLD.time_zone IS NOT NEW.time_zone BEGIN {} END",
        moves.join(" ")
    )
}
