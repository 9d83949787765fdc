//! What a link of the audit chain is: SHA-256 over the link before it, its place, and every column of its event. Pure;
//! it may not change for events that are sealed, so another encoding gets another [`DOMAIN`].
//!
//! The encoding, in this order: the domain; the previous link's hash (32 bytes, zeros at the start of a chain); the
//! chain's id (16); the position (8, big-endian); then the twelve columns of the event in the order of the table, each as
//! a zero byte when it is missing, or else a one, the length of the value in bytes (8, big-endian) and the value. Ids are
//! their 16 bytes, text is UTF-8, and the moment is the seconds since 1970 (8, big-endian, two's complement) and the
//! nanoseconds (4, big-endian). No two events have the same encoding.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::store::entity::audit_event::Model as Event;

/// Binds a hash to this use and to this version of the encoding.
const DOMAIN: &[u8] = b"branch-loan-api/audit/1\0";

/// A link's hash.
pub type Hash = [u8; 32];

/// What stands for the link before the first one.
pub const START: Hash = [0; 32];

/// The chain an event belongs to: its branch's, or the lender's.
#[must_use]
pub fn chain_of(branch: Option<Uuid>) -> Uuid {
    branch.unwrap_or_else(Uuid::nil)
}

/// The hash of the link that holds an event at a position of a chain, after the link with the hash `previous`.
#[must_use]
pub fn link(previous: &Hash, chain: Uuid, position: i64, event: &Event) -> Hash {
    let mut encoding = Encoding(Sha256::new());
    encoding.0.update(DOMAIN);
    encoding.0.update(previous);
    encoding.0.update(chain.as_bytes());
    encoding.0.update(position.to_be_bytes());
    let moment = [
        &event.recorded_at.timestamp().to_be_bytes()[..],
        &event.recorded_at.timestamp_subsec_nanos().to_be_bytes()[..],
    ]
    .concat();
    encoding.column(Some(event.id.as_bytes()));
    encoding.column(event.branch_id.as_ref().map(|id| &id.as_bytes()[..]));
    encoding.column(Some(&moment));
    encoding.column(Some(event.subject.as_bytes()));
    encoding.column(Some(event.roles.as_bytes()));
    encoding.column(event.request_id.as_ref().map(String::as_bytes));
    encoding.column(Some(event.operation.as_bytes()));
    encoding.column(Some(event.outcome.as_bytes()));
    encoding.column(Some(event.codes.as_bytes()));
    encoding.column(event.object_kind.as_ref().map(String::as_bytes));
    encoding.column(event.object_id.as_ref().map(|id| &id.as_bytes()[..]));
    encoding.column(Some(event.details.as_bytes()));
    encoding.0.finalize().into()
}

struct Encoding(Sha256);

impl Encoding {
    fn column(&mut self, value: Option<&[u8]>) {
        let Some(value) = value else {
            self.0.update([0]);
            return;
        };
        self.0.update([1]);
        // A length in memory always fits.
        self.0.update(u64::try_from(value.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn event() -> Event {
        Event {
            id: Uuid::from_u128(1),
            branch_id: Some(Uuid::from_u128(2)),
            recorded_at: "2026-03-02T09:00:00.250Z".parse().unwrap(),
            subject: "amina".to_owned(),
            roles: "OFFICER".to_owned(),
            request_id: None,
            operation: "recordRepayment".to_owned(),
            outcome: "DONE".to_owned(),
            codes: String::new(),
            object_kind: Some("loan".to_owned()),
            object_id: Some(Uuid::from_u128(3)),
            details: "{\"version\":2}".to_owned(),
        }
    }

    fn hex(hash: Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Worked out by an independent program from the description above. If this fails, chains that exist no longer hold.
    #[test]
    fn the_encoding_is_the_one_that_is_described() {
        assert_eq!(
            hex(link(&START, Uuid::from_u128(2), 1, &event())),
            "256be13110ea8075f2664f198d9dd4aa28dd40adfb691843be658bdcb78ba594"
        );
    }

    #[test]
    fn every_column_counts_and_so_does_its_place() {
        let chain = Uuid::from_u128(2);
        let mut changed: Vec<Event> = vec![event(); 13];
        changed[1].id = Uuid::from_u128(9);
        changed[2].branch_id = None;
        changed[3].recorded_at = "2026-03-02T09:00:00.251Z".parse().unwrap();
        changed[4].subject = "aminaO".to_owned();
        changed[4].roles = "FFICER".to_owned();
        changed[5].roles = "OFFICER,ADMIN".to_owned();
        changed[6].request_id = Some(String::new());
        changed[7].operation = "recordRecovery".to_owned();
        changed[8].outcome = "REPLAYED".to_owned();
        changed[9].codes = "NOT_FOUND".to_owned();
        changed[10].object_kind = Some("group".to_owned());
        changed[11].object_id = Some(Uuid::from_u128(4));
        changed[12].details = "{\"version\":3}".to_owned();
        let mut hashes: HashSet<Hash> = changed.iter().map(|event| link(&START, chain, 1, event)).collect();
        hashes.insert(link(&[1; 32], chain, 1, &event()));
        hashes.insert(link(&START, Uuid::nil(), 1, &event()));
        hashes.insert(link(&START, chain, 2, &event()));
        assert_eq!(hashes.len(), 16);
    }
}
