//! The triggers on SQLite, whose bodies know no conditions: one for each case.

use super::{COLUMNS, append_moved, figures, left, move_totals, stored};

pub(super) fn triggers() -> Vec<String> {
    let columns = stored().join(", ");
    let all = |row: &str| format!("({})", left(row).join(", "));
    let [out_of, into] = append_moved();
    vec![
        format!(
            "CREATE TRIGGER loan_installments_dues_inserted AFTER INSERT ON loan_installments
             WHEN NEW.left_minor > 0 BEGIN {}; END",
            append_row("NEW", "")
        ),
        format!(
            "CREATE TRIGGER loan_installments_dues_deleted AFTER DELETE ON loan_installments
             WHEN OLD.left_minor > 0 BEGIN {}; END",
            append_row("OLD", "-")
        ),
        format!(
            "CREATE TRIGGER loan_installments_dues_changed AFTER UPDATE OF {columns} ON loan_installments
             WHEN OLD.loan_id = NEW.loan_id AND OLD.due_on = NEW.due_on AND {old} IS NOT {new}
             BEGIN {changed}; END",
            old = all("OLD"),
            new = all("NEW"),
            changed = append("NEW", &difference(), "1 = 1"),
        ),
        format!(
            "CREATE TRIGGER loan_installments_dues_moved AFTER UPDATE OF loan_id, due_on ON loan_installments
             WHEN OLD.loan_id <> NEW.loan_id OR OLD.due_on <> NEW.due_on
             BEGIN {minus}; {plus}; END",
            minus = append_row("OLD", "-"),
            plus = append_row("NEW", ""),
        ),
        format!(
            "CREATE TRIGGER loans_dues_moved AFTER UPDATE OF branch_id, product_id, currency ON loans
             WHEN (OLD.branch_id, OLD.product_id, OLD.currency) IS NOT (NEW.branch_id, NEW.product_id, NEW.currency)
             BEGIN {out_of}; {into}; END"
        ),
        format!(
            "CREATE TRIGGER branches_move_dues_totals AFTER UPDATE OF time_zone ON branches
             WHEN OLD.time_zone IS NOT NEW.time_zone BEGIN {}; END",
            move_totals()
        ),
    ]
}

/// Appends what is left of an installment to what falls due with its loan, or takes it away.
fn append_row(row: &str, sign: &str) -> String {
    append(row, &figures(row, sign), &format!("{row}.left_minor > 0"))
}

fn append(row: &str, figures: &str, condition: &str) -> String {
    format!(
        "INSERT INTO dues_changes ({COLUMNS})
         SELECT l.branch_id, {row}.due_on, l.product_id, l.currency, {figures}
         FROM loans l WHERE l.id = {row}.loan_id AND {condition}"
    )
}

/// How the figures of an installment that falls due as before changed.
fn difference() -> String {
    let (old, new) = (left("OLD"), left("NEW"));
    let left: Vec<String> = new.iter().zip(&old).map(|(new, old)| format!("{new} - {old}")).collect();
    format!("(NEW.left_minor > 0) - (OLD.left_minor > 0), {}", left.join(", "))
}
