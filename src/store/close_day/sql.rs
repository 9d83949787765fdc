//! The parts both engines' statements are made of. A date is given as the name of its parameter; `l` is a loan, `i` an
//! installment, `c` a claimed loan.

use sea_orm::DbBackend;

/// Loans whose days are closed.
pub(super) const RUNNING: &str = "status IN ('DISBURSED', 'DEFAULTED')";

/// A day no loan was made on.
const BEFORE_ALL: &str = "'0001-01-01'";

/// A running loan `l` that is still to be closed on a day.
pub(super) fn open(on: &str) -> String {
    format!("l.{RUNNING} AND l.projected_on IS NOT NULL AND (l.accrued_through IS NULL OR l.accrued_through < {on})")
}

/// Days from one date to another.
fn days(backend: DbBackend, from: &str, until: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("({until} - {from})"),
        _ => format!("((unixepoch({until}) - unixepoch({from})) / 86400)"),
    }
}

/// A number in a JSON text.
fn number(backend: DbBackend, column: &str, path: &[&str]) -> String {
    match backend {
        DbBackend::Postgres => format!("(CAST({column} AS json) #>> '{{{}}}')::bigint", path.join(",")),
        _ => format!("json_extract({column}, '$.{}')", path.join(".")),
    }
}

fn date(backend: DbBackend, text: &str) -> String {
    if backend == DbBackend::Postgres { format!("CAST({text} AS date)") } else { text.to_owned() }
}

/// A loan `l` whose day cannot be told from what is stored of it: its interest follows the balance and principal is
/// unpaid past its period; its status changes; or an installment is to be charged for being late. The texts looked for
/// in the conditions can also stand in a charge's name: then a loan is folded that need not be. `IS TRUE` keeps the
/// engines from an index over all charges, which are few until the day that makes thousands of them.
pub(super) fn must_fold(backend: DbBackend, on: &str) -> String {
    let on = &date(backend, on);
    let late_days = days(backend, "l.oldest_unpaid_due_on", on);
    let default_after = number(backend, "l.conditions", &["defaultAfterDays"]);
    let grace = number(backend, "l.conditions", &["lateCharge", "graceDays"]);
    let past_due = days(backend, "i.due_on", on);
    let late_for = number(backend, "t.event", &["lateFor"]);
    format!(
        "((l.projected_on < {on} AND (
             (l.status = 'DISBURSED' AND l.oldest_unpaid_due_on < {on}
                 AND {late_days} >= COALESCE({default_after}, 90))
             OR (l.status = 'DEFAULTED' AND (l.oldest_unpaid_due_on IS NULL OR l.oldest_unpaid_due_on >= {on}))
             OR (l.conditions LIKE '%\"DAILY_BALANCE\"%' AND EXISTS (
                 SELECT 1 FROM loan_installments i
                 JOIN loan_installments following
                     ON following.loan_id = i.loan_id AND following.number = i.number + 1
                 WHERE i.loan_id = l.id AND i.left_minor > 0 AND following.starts_on < {on}))))
          OR (l.conditions LIKE '%\"lateCharge\"%' AND l.charged_off_on IS NULL AND EXISTS (
                 SELECT 1 FROM loan_installments i
                 WHERE i.loan_id = l.id AND i.due_on < {on} AND {past_due} > {grace}
                 AND (i.left_minor > 0 OR i.settled_on > {on})
                 AND NOT EXISTS (
                     SELECT 1 FROM loan_transactions t
                     WHERE t.loan_id = l.id AND (t.kind = 'CHARGE') IS TRUE AND {late_for} = i.number))))"
    )
}

/// Interest, fees and penalties that a day earned of the installments of a claimed loan `c`: three sums over the rows of
/// [`earning`].
pub(super) fn earned_sums(backend: DbBackend, on: &str) -> String {
    let on = &date(backend, on);
    let before = &last_accrual(backend);
    let sums = ["interest", "fees", "penalties"].map(|portion| {
        let now = earned(backend, portion, on);
        let earlier = earned(backend, portion, before);
        format!("CAST(COALESCE(SUM({now} - {earlier}), 0) AS bigint) AS {portion}")
    });
    sums.join(", ")
}

/// The installments `i` of a claimed loan `c` that can have earned anything since its last accrual: what fell due before
/// has been earned in full, and what has not begun earns nothing. A loan off the books earns nothing more either.
pub(super) fn earning(backend: DbBackend, on: &str) -> String {
    let (on, before) = (date(backend, on), last_accrual(backend));
    format!("i.loan_id = c.id AND c.charged_off_on IS NULL AND i.due_on > {before} AND i.starts_on <= {on}")
}

fn last_accrual(backend: DbBackend) -> String {
    format!("COALESCE(c.accrued_through, {})", date(backend, BEFORE_ALL))
}

/// What an installment `i` has earned of a portion by a day: all of it when it is due, interest by days until then, and
/// never less than what was paid or waived.
fn earned(backend: DbBackend, portion: &str, on: &str) -> String {
    let due = format!("i.due_{portion}_minor");
    let settled = format!("(i.paid_{portion}_minor + i.waived_{portion}_minor)");
    let by_date = match portion {
        "interest" => by_days(backend, &due, on),
        _ => "0".to_owned(),
    };
    let by_date = format!("(CASE WHEN i.due_on <= {on} THEN {due} ELSE {by_date} END)");
    match backend {
        DbBackend::Postgres => format!("GREATEST({by_date}, {settled})"),
        _ => format!("MAX({by_date}, {settled})"),
    }
}

/// An amount by the days of its period that have passed, half to even. The whole days' part and the rest are told apart
/// so that no product exceeds 64 bits.
fn by_days(backend: DbBackend, amount: &str, on: &str) -> String {
    let covered = &days(backend, "i.starts_on", on);
    let length = &days(backend, "i.starts_on", "i.due_on");
    let whole = format!("({amount} / {length} * {covered} + {amount} % {length} * {covered} / {length})");
    let rest = format!("({amount} % {length} * {covered} % {length})");
    format!(
        "(CASE WHEN {on} <= i.starts_on THEN 0 ELSE
             {whole} + CASE WHEN 2 * {rest} > {length} OR (2 * {rest} = {length} AND {whole} % 2 = 1) THEN 1 ELSE 0 END
          END)"
    )
}
