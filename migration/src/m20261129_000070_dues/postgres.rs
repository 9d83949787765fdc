//! The triggers on PostgreSQL. They are of rows and not of statements: the loan is looked up by its id whatever the planner
//! saw first, and a payment, which changes one row or two, pays for no more. What is left is worked out by the language,
//! at less than half of what it costs in an INSERT or in a condition, which is read anew for each statement.

use super::{COLUMNS, PORTIONS, append_moved, left, move_totals, stored};
use crate::m20261129_000050_portfolio_changes::ROLL_UP;

pub(super) fn triggers() -> Vec<String> {
    [on_installments(), on_loans(), on_branches()].concat()
}

fn on_installments() -> Vec<String> {
    let (old, new) = (left("OLD"), left("NEW"));
    let differences: Vec<String> = new.iter().zip(&old).map(|(new, old)| format!("{new} - {old}")).collect();
    let count = "CAST(NEW.left_minor > 0 AS integer) - CAST(OLD.left_minor > 0 AS integer)";
    vec![
        format!(
            "CREATE FUNCTION note_dues_change() RETURNS trigger LANGUAGE plpgsql AS $$
             DECLARE
                 {variables}
             BEGIN
                 IF TG_OP = 'UPDATE' THEN
                     IF OLD.loan_id = NEW.loan_id AND OLD.due_on = NEW.due_on THEN
                         {difference}
                         IF {is_any} THEN {append_difference}; END IF;
                         RETURN NULL;
                     END IF;
                 END IF;
                 IF TG_OP <> 'INSERT' THEN
                     IF OLD.left_minor > 0 THEN {old} {append_old}; END IF;
                 END IF;
                 IF TG_OP <> 'DELETE' THEN
                     IF NEW.left_minor > 0 THEN {new} {append_new}; END IF;
                 END IF;
                 RETURN NULL;
             END $$",
            variables = PORTIONS.map(|portion| format!("{portion}_left bigint;")).join(" "),
            difference = assign(&differences),
            is_any = PORTIONS.map(|portion| format!("{portion}_left <> 0")).join(" OR "),
            append_difference = append("NEW", count, ""),
            old = assign(&old),
            append_old = append("OLD", "-1", "-"),
            new = assign(&new),
            append_new = append("NEW", "1", ""),
        ),
        "CREATE TRIGGER loan_installments_dues_inserted AFTER INSERT ON loan_installments FOR EACH ROW
         WHEN (NEW.left_minor > 0) EXECUTE FUNCTION note_dues_change()"
            .to_owned(),
        format!(
            "CREATE TRIGGER loan_installments_dues_updated AFTER UPDATE OF {} ON loan_installments FOR EACH ROW
             WHEN (OLD.left_minor > 0 OR NEW.left_minor > 0) EXECUTE FUNCTION note_dues_change()",
            stored().join(", ")
        ),
        "CREATE TRIGGER loan_installments_dues_deleted AFTER DELETE ON loan_installments FOR EACH ROW
         WHEN (OLD.left_minor > 0) EXECUTE FUNCTION note_dues_change()"
            .to_owned(),
    ]
}

fn assign(amounts: &[String]) -> String {
    PORTIONS.iter().zip(amounts).map(|(portion, amount)| format!("{portion}_left := {amount}; ")).collect()
}

/// Appends what was assigned to what falls due with an installment.
fn append(row: &str, count: &str, sign: &str) -> String {
    let left = PORTIONS.map(|portion| format!("{sign}{portion}_left")).join(", ");
    format!(
        "INSERT INTO dues_changes ({COLUMNS})
         SELECT l.branch_id, {row}.due_on, l.product_id, l.currency, {count}, {left}
         FROM loans l WHERE l.id = {row}.loan_id"
    )
}

fn on_loans() -> Vec<String> {
    let [minus, plus] = append_moved();
    vec![
        format!(
            "CREATE FUNCTION move_dues() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 {minus};
                 {plus};
                 RETURN NULL;
             END $$"
        ),
        "CREATE TRIGGER loans_dues_moved AFTER UPDATE OF branch_id, product_id, currency ON loans FOR EACH ROW
         WHEN (ROW(OLD.branch_id, OLD.product_id, OLD.currency)
             IS DISTINCT FROM ROW(NEW.branch_id, NEW.product_id, NEW.currency))
         EXECUTE FUNCTION move_dues()"
            .to_owned(),
    ]
}

fn on_branches() -> Vec<String> {
    vec![
        format!(
            "CREATE FUNCTION move_dues_totals() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 PERFORM pg_advisory_xact_lock({ROLL_UP});
                 {};
                 RETURN NULL;
             END $$",
            move_totals()
        ),
        "CREATE TRIGGER branches_move_dues_totals AFTER UPDATE OF time_zone ON branches FOR EACH ROW
         WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION move_dues_totals()"
            .to_owned(),
    ]
}
