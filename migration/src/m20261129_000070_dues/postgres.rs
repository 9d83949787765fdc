//! The triggers on PostgreSQL. They are of rows and not of statements: what is left of an installment is compared before
//! anything of the language runs, the loan is looked up by its id whatever the planner saw first, and a payment, which is
//! one or two rows, costs one or two rows.

use super::{append, append_moved, append_row, difference, left, move_totals, stored};

/// Whoever moves sums holds this lock until the transaction ends.
const ROLL_UP: &str = "7240115040";

pub(super) fn triggers() -> Vec<String> {
    let mut all = on_installments();
    all.extend(on_loans());
    all.extend(on_branches());
    all
}

fn on_installments() -> Vec<String> {
    let all = |row: &str| format!("ROW({row}.loan_id, {row}.due_on, {})", left(row).join(", "));
    vec![
        format!(
            "CREATE FUNCTION note_dues_change() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF TG_OP = 'UPDATE' THEN
                     IF OLD.loan_id = NEW.loan_id AND OLD.due_on = NEW.due_on THEN
                         {changed};
                         RETURN NULL;
                     END IF;
                 END IF;
                 IF TG_OP <> 'INSERT' THEN
                     {minus};
                 END IF;
                 IF TG_OP <> 'DELETE' THEN
                     {plus};
                 END IF;
                 RETURN NULL;
             END $$",
            changed = append("NEW.due_on", &difference(), "FROM loans l WHERE l.id = NEW.loan_id"),
            minus = append_row("OLD", "-"),
            plus = append_row("NEW", ""),
        ),
        "CREATE TRIGGER loan_installments_dues_inserted AFTER INSERT ON loan_installments FOR EACH ROW
         WHEN (NEW.left_minor > 0) EXECUTE FUNCTION note_dues_change()"
            .to_owned(),
        format!(
            "CREATE TRIGGER loan_installments_dues_updated AFTER UPDATE OF {columns} ON loan_installments FOR EACH ROW
             WHEN ((OLD.left_minor > 0 OR NEW.left_minor > 0) AND {old} IS DISTINCT FROM {new})
             EXECUTE FUNCTION note_dues_change()",
            columns = stored().join(", "),
            old = all("OLD"),
            new = all("NEW"),
        ),
        "CREATE TRIGGER loan_installments_dues_deleted AFTER DELETE ON loan_installments FOR EACH ROW
         WHEN (OLD.left_minor > 0) EXECUTE FUNCTION note_dues_change()"
            .to_owned(),
    ]
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
