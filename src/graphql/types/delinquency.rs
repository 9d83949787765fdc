//! Ranges of days past due that loans are sorted into.

use async_graphql::SimpleObject;
use lending::loan::arrears::Bucket;

use super::written::written;

/// A range of days past due; the last one of a product is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
pub struct DelinquencyBucket {
    /// The fewest days past due.
    pub from: u32,
    /// The most days past due; null when there is no upper end.
    pub to: Option<u32>,
}

impl From<Bucket> for DelinquencyBucket {
    fn from(bucket: Bucket) -> Self {
        Self { from: bucket.from, to: bucket.to }
    }
}

written!(DelinquencyBucket {
    "from": value |it, _| it.from,
    "to": value |it, _| it.to,
});

impl DelinquencyBucket {
    /// All buckets with these ascending upper bounds, and the open one after them.
    pub fn all(upper_bounds: &[u32]) -> Vec<Self> {
        let beyond = upper_bounds.last().map(|last| last.saturating_add(1));
        let days = upper_bounds.iter().copied().chain([beyond.unwrap_or(0)]);
        days.map(|days| Bucket::of(days, upper_bounds).into()).collect()
    }
}
