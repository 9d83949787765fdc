//! Ids: UUIDv7 in the database, a readable typed id (`loan_…`, the TypeID form) outside. The type is part of the id, so
//! that a branch's id handed in as a loan's is refused by name and not looked up in vain.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::{ContextV7, NoContext, Timestamp, Uuid};

/// Makes ids for new rows. A seam for tests, which want to know ids beforehand.
pub trait IdSource: Send + Sync + 'static {
    /// A new, unique id; ids made later sort later.
    fn next(&self, now: DateTime<Utc>) -> Uuid;
}

/// UUIDv7 with random bits.
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
    }
}

/// UUIDv7 that sort in the order in which they were made, those of one millisecond and those made while the clock was set
/// back included: for rows whose order is told by their ids alone. The order holds within a process.
#[derive(Debug)]
pub struct OrderedIds(Mutex<ContextV7>);

impl Default for OrderedIds {
    fn default() -> Self {
        Self(Mutex::new(ContextV7::new()))
    }
}

impl IdSource for OrderedIds {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(&self.0, seconds, now.timestamp_subsec_nanos()))
    }
}

/// What an id can be the id of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `branch_…`
    Branch,
    /// `borrower_…`
    Borrower,
    /// `product_…`
    LoanProduct,
    /// `loan_…`
    Loan,
    /// `group_…`
    Group,
    /// `loantx_…`
    LoanTransaction,
    /// `entry_…`
    JournalEntry,
    /// `audit_…`
    AuditEvent,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Branch,
        Self::Borrower,
        Self::LoanProduct,
        Self::Loan,
        Self::Group,
        Self::LoanTransaction,
        Self::JournalEntry,
        Self::AuditEvent,
    ];

    /// The part before the underscore.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Borrower => "borrower",
            Self::LoanProduct => "product",
            Self::Loan => "loan",
            Self::Group => "group",
            Self::LoanTransaction => "loantx",
            Self::JournalEntry => "entry",
            Self::AuditEvent => "audit",
        }
    }

    /// What to call it in a sentence.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Borrower => "borrower",
            Self::LoanProduct => "loan product",
            Self::Loan => "loan",
            Self::Group => "group",
            Self::LoanTransaction => "loan transaction",
            Self::JournalEntry => "journal entry",
            Self::AuditEvent => "audit event",
        }
    }
}

/// An id as it is known outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId {
    /// What it is the id of.
    pub kind: Kind,
    /// The id in the database.
    pub uuid: Uuid,
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(kind) = DynamicType::new(self.kind.prefix()) else {
            return Err(fmt::Error);
        };
        write!(formatter, "{}", TypeSafeId::from_type_and_uuid(kind, self.uuid))
    }
}

/// Why a text is not the id that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is no id at all.
    #[error("This is not an id; send one that the API handed out, such as those that start with \"{example}_\".")]
    Malformed {
        /// The prefix that was expected.
        example: &'static str,
    },
    /// It is the id of something else.
    #[error("This is the id of a {given}; send the id of a {expected}, which starts with \"{prefix}_\".", given = given.noun(), expected = expected.noun(), prefix = expected.prefix())]
    WrongKind {
        /// What was asked for.
        expected: Kind,
        /// What the id belongs to.
        given: Kind,
    },
}

impl FromStr for NodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = IdError::Malformed { example: Kind::Loan.prefix() };
        // The library cuts a prefix that is too long off at a byte, and panics when a letter stands across it.
        if !text.is_ascii() {
            return Err(malformed);
        }
        let parsed = TypeSafeId::<DynamicType>::from_str(text).map_err(|_| malformed.clone())?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == parsed.type_prefix()).ok_or(malformed)?;
        Ok(Self { kind, uuid: parsed.uuid() })
    }
}

impl NodeId {
    /// Reads the id of a row of a known kind.
    ///
    /// # Errors
    /// [`IdError::WrongKind`] when it is another kind's id, [`IdError::Malformed`] when it is none.
    pub fn parse(text: &str, expected: Kind) -> Result<Uuid, IdError> {
        let id: Self = text.parse().map_err(|_| IdError::Malformed { example: expected.prefix() })?;
        if id.kind == expected { Ok(id.uuid) } else { Err(IdError::WrongKind { expected, given: id.kind }) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_way_out_and_back() {
        let uuid = Uuid::from_u128(1);
        for kind in Kind::ALL {
            let text = NodeId { kind, uuid }.to_string();
            assert!(text.starts_with(kind.prefix()));
            assert_eq!(NodeId::parse(&text, kind), Ok(uuid));
        }
        assert_eq!(NodeId { kind: Kind::Loan, uuid }.to_string(), "loan_00000000000000000000000001");
    }

    #[test]
    fn another_kinds_id_is_refused_by_name() {
        let branch = NodeId { kind: Kind::Branch, uuid: Uuid::from_u128(7) }.to_string();
        let refusal = NodeId::parse(&branch, Kind::Loan).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "This is the id of a branch; send the id of a loan, which starts with \"loan_\"."
        );
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "loan",
            "loan_",
            "loan_1",
            "house_00000000000000000000000001",
            "00000000-0000-0000-0000-000000000001",
            "loan_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            &format!("{}_00000000000000000000000001", "🦀".repeat(20)),
            &format!("a{}_00000000000000000000000001", "é".repeat(80)),
            &format!("{}_00000000000000000000000001", "a".repeat(80)),
        ] {
            assert!(matches!(NodeId::parse(text, Kind::Loan), Err(IdError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn ordered_ids_sort_in_the_order_they_were_made() {
        let ids = OrderedIds::default();
        let moments = [1_000, 1_000, 1_000, 5_000, 2_000, 5_000, 6_000].map(DateTime::from_timestamp_millis);
        let made: Vec<Uuid> = moments.into_iter().map(|moment| ids.next(moment.unwrap())).collect();
        assert!(made.is_sorted_by(|one, other| one < other), "{made:#?}");
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn later_ids_sort_later() {
        let early = RandomIds.next(DateTime::from_timestamp_millis(1_000).unwrap());
        let late = RandomIds.next(DateTime::from_timestamp_millis(2_000).unwrap());
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
