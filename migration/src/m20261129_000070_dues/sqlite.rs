//! The triggers on SQLite, whose bodies know no conditions: one for each case.

use super::{append, append_moved, append_row, difference, left, move_totals, stored};

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
            changed = append("NEW.due_on", &difference(), "FROM loans l WHERE l.id = NEW.loan_id"),
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
