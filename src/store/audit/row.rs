//! Reading an event as it stands in the database, whatever was done to it there: a value that cannot be read is an answer
//! and no error, so that one spoilt row neither stops the sealer nor hides the rows after it from an auditor.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbBackend, QueryResult, TryGetable};
use uuid::Uuid;

use crate::store::entity::audit_event::Model as Event;

/// The columns of an event, named so that they can stand beside those of other tables.
pub(super) const COLUMNS: &str = "e.id AS id, e.branch_id AS branch_id, e.recorded_at AS recorded_at, \
     e.subject AS subject, e.roles AS roles, e.request_id AS request_id, e.operation AS operation, \
     e.outcome AS outcome, e.codes AS codes, e.object_kind AS object_kind, e.object_id AS object_id, \
     e.details AS details";

/// A value, or what is wrong with it.
pub(super) fn value<T: TryGetable>(row: &QueryResult, column: &str) -> Result<T, String> {
    row.try_get("", column).map_err(|_| format!("{column} is not readable"))
}

/// The event of a row, or what is wrong with it; `None` when the outer join found none.
pub(super) fn event(row: &QueryResult, backend: DbBackend) -> Option<Result<Event, String>> {
    match value::<Option<Uuid>>(row, "id") {
        Ok(None) => None,
        Ok(Some(id)) => Some(read(row, id, backend)),
        Err(problem) => Some(Err(problem)),
    }
}

fn read(row: &QueryResult, id: Uuid, backend: DbBackend) -> Result<Event, String> {
    Ok(Event {
        id,
        branch_id: value(row, "branch_id")?,
        recorded_at: moment(row, backend)?,
        subject: value(row, "subject")?,
        roles: value(row, "roles")?,
        request_id: value(row, "request_id")?,
        operation: value(row, "operation")?,
        outcome: value(row, "outcome")?,
        codes: value(row, "codes")?,
        object_kind: value(row, "object_kind")?,
        object_id: value(row, "object_id")?,
        details: value(row, "details")?,
    })
}

/// SQLite keeps moments as text, and many texts mean the same moment: only the one that is written here passes, so that
/// no byte of it can be changed unseen.
fn moment(row: &QueryResult, backend: DbBackend) -> Result<DateTime<Utc>, String> {
    if backend == DbBackend::Postgres {
        return value(row, "recorded_at");
    }
    let text: String = value(row, "recorded_at")?;
    let moment = DateTime::parse_from_rfc3339(&text).map(|moment| moment.with_timezone(&Utc));
    match moment {
        Ok(moment) if moment.to_rfc3339_opts(SecondsFormat::AutoSi, false) == text => Ok(moment),
        _ => Err("recorded_at is not as it was written".to_owned()),
    }
}
