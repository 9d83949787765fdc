//! Verifying the audit trail: every chain is hashed anew from its start, some links at a time, and must end where it says;
//! every event is in a chain or waits for one. Of each chain the first broken row is named: what comes after it rests on
//! it.

use uuid::Uuid;

use super::{Finding, FindingKind, MOST_LISTED, Verification};
use crate::ids::{Kind, NodeId};
use crate::service::ServiceError;
use crate::service::audit::{AuditHead, hex};
use crate::store::audit::chain::{self, Hash};
use crate::store::audit::check::{self, StoredChain, StoredLink};
use crate::store::audit::unsealed;
use crate::store::branches::BranchRecord;
use crate::store::database::Snapshot;
use crate::store::scope::Scope;

/// Links held in memory at once.
const LINKS_AT_ONCE: u64 = 2_000;

/// What verifying the audit trail came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditVerification {
    /// How many events were found to be what was sealed.
    pub sealed: u64,
    /// How many wait to be sealed.
    pub unsealed: u64,
    /// Where each chain ends, the lender's first.
    pub heads: Vec<AuditHead>,
}

/// Where a chain was found to break.
struct Break {
    subject: String,
    expected: String,
    actual: String,
}

/// A chain as far as it was found to hold.
struct Walk {
    length: i64,
    head: Hash,
}

/// Verifies the chains of these branches; of all and the lender's when none are named.
pub(super) async fn verify(
    snapshot: &Snapshot,
    branches: &[BranchRecord],
    only: Option<&[Uuid]>,
    scope: &Scope,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    let stored = check::chains(snapshot).await?;
    let mut chains = check::linked_chains(snapshot).await?;
    chains.extend(stored.iter().map(|chain| chain.chain));
    chains.sort_unstable();
    chains.dedup();
    for chain in chains.into_iter().filter(|chain| only.is_none_or(|only| only.contains(chain))) {
        let name = name(chain, branches);
        let end = stored.iter().find(|end| end.chain == chain);
        verify_chain(snapshot, chain, &name, end, verification).await?;
        if let Some(end) = end {
            let branch = (!chain.is_nil()).then(|| name.clone());
            verification.audit.heads.push(AuditHead { branch, length: end.length, head: hex(&end.head) });
        }
    }
    strays(snapshot, branches, only, verification).await?;
    verification.audit.unsealed = unsealed(snapshot, scope).await?;
    Ok(())
}

/// What a chain is called: its branch's code, or the lender.
fn name(chain: Uuid, branches: &[BranchRecord]) -> String {
    if chain.is_nil() {
        return "lender".to_owned();
    }
    let branch = branches.iter().find(|branch| branch.id == chain);
    branch.map_or_else(|| NodeId { kind: Kind::Branch, uuid: chain }.to_string(), |branch| branch.code.clone())
}

async fn verify_chain(
    snapshot: &Snapshot,
    chain: Uuid,
    name: &str,
    end: Option<&StoredChain>,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    let mut walk = Walk { length: 0, head: chain::START };
    loop {
        let links = check::links(snapshot, chain, walk.length, LINKS_AT_ONCE).await?;
        for link in &links {
            if let Err(found) = walk.step(chain, link) {
                verification.note(finding(FindingKind::AuditChain, &format!("{name} {}", found.subject), found));
                return Ok(());
            }
            verification.audit.sealed = verification.audit.sealed.saturating_add(1);
        }
        if u64::try_from(links.len()).unwrap_or(u64::MAX) < LINKS_AT_ONCE {
            break;
        }
    }
    let expected = end.map(|end| format!("{} events, the last with hash {}", end.length, hex(&end.head)));
    let actual = format!("{} events, the last with hash {}", walk.length, hex(&walk.head));
    if expected.as_ref() != Some(&actual) {
        let missing = end.filter(|end| end.length > walk.length);
        let subject = match missing {
            Some(_) => format!("position {}", walk.length.saturating_add(1)),
            None => "end".to_owned(),
        };
        let expected = expected.unwrap_or_else(|| "the end of the chain".to_owned());
        let found = Break { subject: String::new(), expected, actual };
        verification.note(finding(FindingKind::AuditHead, &format!("{name} {subject}"), found));
    }
    Ok(())
}

impl Walk {
    /// Goes on by one link, if it is the next one and holds what was sealed.
    fn step(&mut self, chain: Uuid, link: &StoredLink) -> Result<(), Break> {
        let position = self.length.saturating_add(1);
        let event = NodeId { kind: Kind::AuditEvent, uuid: link.event_id };
        let subject = format!("position {position} event {event}");
        if link.position != position {
            let (expected, actual) = (format!("position {position}"), format!("position {}", link.position));
            return Err(Break { subject: format!("position {position}"), expected, actual });
        }
        let stored = match &link.event {
            Some(Ok(stored)) => stored,
            Some(Err(problem)) => {
                return Err(Break { subject, expected: "the event as sealed".to_owned(), actual: problem.clone() });
            }
            None => {
                return Err(Break { subject, expected: "an event".to_owned(), actual: "none".to_owned() });
            }
        };
        let hash = chain::link(&self.head, chain, position, stored);
        if link.hash != hash {
            return Err(Break { subject, expected: hex(&link.hash), actual: hex(&hash) });
        }
        (self.length, self.head) = (position, hash);
        Ok(())
    }
}

async fn strays(
    snapshot: &Snapshot,
    branches: &[BranchRecord],
    only: Option<&[Uuid]>,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    let most = u64::try_from(MOST_LISTED).unwrap_or(u64::MAX);
    for stray in check::strays(snapshot, only, most).await? {
        let name = name(chain::chain_of(stray.branch_id), branches);
        let event = NodeId { kind: Kind::AuditEvent, uuid: stray.event_id };
        let (expected, actual) = match stray.queued {
            true => ("an event that no chain holds", "one that is gone, or held"),
            false => ("a link, or a place in the queue", "neither"),
        };
        let found = Break { subject: String::new(), expected: expected.to_owned(), actual: actual.to_owned() };
        verification.note(finding(FindingKind::AuditQueue, &format!("{name} event {event}"), found));
    }
    Ok(())
}

fn finding(kind: FindingKind, subject: &str, found: Break) -> Finding {
    Finding { kind, loan: None, subject: subject.to_owned(), expected: found.expected, actual: found.actual }
}
