//! What an event tells beside who, what and when: a small JSON object. It takes no text from outside, so that neither
//! personal data nor anything a caller typed can get into a row that is never deleted.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use lending::money::Money;
use serde_json::Value;
use uuid::Uuid;

use crate::ids::{Kind, NodeId};

/// Facts by their names; the same facts make the same text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::service) struct Facts(BTreeMap<&'static str, Value>);

impl Facts {
    fn set(mut self, name: &'static str, value: Value) -> Self {
        self.0.insert(name, value);
        self
    }

    /// A number.
    pub(in crate::service) fn number(self, name: &'static str, number: i64) -> Self {
        self.set(name, number.into())
    }

    /// A count.
    pub(in crate::service) fn count(self, name: &'static str, count: u64) -> Self {
        self.set(name, count.into())
    }

    /// A name that the code gives.
    pub(in crate::service) fn name(self, name: &'static str, value: &'static str) -> Self {
        self.set(name, value.into())
    }

    /// A business date.
    pub(in crate::service) fn day(self, name: &'static str, day: NaiveDate) -> Self {
        self.set(name, day.to_string().into())
    }

    /// The id of something.
    pub(in crate::service) fn id(self, name: &'static str, kind: Kind, uuid: Uuid) -> Self {
        self.set(name, NodeId { kind, uuid }.to_string().into())
    }

    /// The ids of several things.
    pub(in crate::service) fn ids(self, name: &'static str, kind: Kind, uuids: &[Uuid]) -> Self {
        let ids: Vec<Value> = uuids.iter().map(|uuid| NodeId { kind, uuid: *uuid }.to_string().into()).collect();
        self.set(name, ids.into())
    }

    /// An amount in minor units, and its currency.
    pub(in crate::service) fn money(self, money: Money) -> Self {
        self.number("amountMinor", money.minor()).set("currency", money.currency().code().into())
    }

    /// With other facts too, which win.
    pub(in crate::service) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Numbers and text always have a form in JSON.
        formatter.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_in_the_order_of_their_names_and_later_ones_win() {
        let facts = Facts::default().number("version", 2).id("group", Kind::Group, Uuid::nil());
        let facts = facts.and(Facts::default().number("version", 3).day("day", "2026-03-02".parse().unwrap()));
        assert_eq!(
            facts.to_string(),
            "{\"day\":\"2026-03-02\",\"group\":\"group_00000000000000000000000000\",\"version\":3}"
        );
        assert_eq!(Facts::default().to_string(), "{}");
    }
}
