//! What all lists have in common: pages, filters, counts. The types are the store's; the API layer gets them from here.

use uuid::Uuid;

pub use crate::store::filter::{Filter, Scalar, Test};
pub use crate::store::page::{Cursor, Page, PageRequest, SortKey};

/// Counting stops here: past it a caller wants "many", and an exact count would read the whole table.
pub const COUNT_CAP: u64 = 10_001;

/// Free text of at most this many characters is searched for.
pub const SEARCH_LENGTH: usize = 100;

/// Rows in the order of the ids they were asked for by; `None` where there is none.
pub(super) fn in_order<R: Clone>(ids: &[Uuid], rows: Vec<R>, id: impl Fn(&R) -> Uuid) -> Vec<Option<R>> {
    let by_id: std::collections::HashMap<Uuid, R> = rows.into_iter().map(|row| (id(&row), row)).collect();
    ids.iter().map(|id| by_id.get(id).cloned()).collect()
}
