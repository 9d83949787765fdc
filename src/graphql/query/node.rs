//! Fetching anything by its id.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, Result};
use uuid::Uuid;

use crate::graphql::error::{Nullable, bad_input};
use crate::graphql::request::{Request, request};
use crate::graphql::types::audit_event::AuditEvent;
use crate::graphql::types::borrower::Borrower;
use crate::graphql::types::branch::Branch;
use crate::graphql::types::group::Group;
use crate::graphql::types::journal_entry::JournalEntry;
use crate::graphql::types::loan::Loan;
use crate::graphql::types::loan::transaction::LoanTransaction;
use crate::graphql::types::loan_product::LoanProduct;
use crate::graphql::types::node::Node;
use crate::graphql::types::selection::{AuditPlan, BorrowerPlan, BranchPlan, EntryPlan, GroupPlan, LoanPlan, Selected};
use crate::ids::{Kind, NodeId};

/// The most ids in one `nodes`.
const MOST_IDS: usize = 100;

/// The queries around ids.
#[derive(Default)]
pub struct NodeQuery;

/// Which relations to fetch, whatever the nodes turn out to be.
struct Plans {
    branch: BranchPlan,
    borrower: BorrowerPlan,
    loan: LoanPlan,
    group: GroupPlan,
    entry: EntryPlan,
    audit: AuditPlan,
}

#[Object]
impl NodeQuery {
    /// Anything by its id; null when there is no such thing for the caller.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "The id of a branch, borrower, loan product, loan, group, loan transaction, journal entry or audit event."
        )]
        id: ID,
    ) -> Nullable<Node> {
        let plans = plans(context);
        match Box::pin(fetch(context, vec![id], plans)).await {
            Ok(mut nodes) => nodes.pop().flatten().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// Several things by their ids, in the same order; null where there is no such thing for the caller.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At most 100 ids, of any mixture of types.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST_IDS {
            return Err(bad_input(format!("Send at most {MOST_IDS} ids.")));
        }
        let plans = plans(context);
        Box::pin(fetch(context, ids, plans)).await
    }
}

fn plans(context: &Context<'_>) -> Plans {
    let selected = Selected::here(context);
    Plans {
        branch: BranchPlan::of(&selected),
        borrower: BorrowerPlan::of(&selected),
        loan: LoanPlan::of(&selected),
        group: GroupPlan::of(&selected),
        entry: EntryPlan::of(&selected),
        audit: AuditPlan::of(&selected),
    }
}

async fn fetch(context: &Context<'_>, ids: Vec<ID>, plans: Plans) -> Result<Vec<Option<Node>>> {
    let request = request(context)?;
    let ids = ids
        .iter()
        .map(|id| id.parse::<NodeId>().map_err(|error| bad_input(error.to_string())))
        .collect::<Result<Vec<_>>>()?;
    let mut found: HashMap<NodeId, Node> = HashMap::new();
    for kind in Kind::ALL {
        let wanted: Vec<Uuid> = ids.iter().filter(|id| id.kind == kind).map(|id| id.uuid).collect();
        if !wanted.is_empty() {
            let nodes = of_kind(request, kind, wanted, &plans).await?;
            found.extend(nodes.into_iter().map(|(uuid, node)| (NodeId { kind, uuid }, node)));
        }
    }
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

async fn of_kind(request: Request<'_>, kind: Kind, ids: Vec<Uuid>, plans: &Plans) -> Result<Vec<(Uuid, Node)>> {
    Ok(match kind {
        Kind::Branch => {
            let rows = Branch::by_id(request, ids, &plans.branch).await?;
            rows.into_iter().map(|(id, row)| (id, Node::Branch(row))).collect()
        }
        Kind::Borrower => {
            let rows = Borrower::by_id(request, ids, &plans.borrower).await?;
            rows.into_iter().map(|(id, row)| (id, Node::Borrower(row))).collect()
        }
        Kind::LoanProduct => {
            let rows = LoanProduct::by_id(request, ids).await?;
            rows.into_iter().map(|(id, row)| (id, Node::LoanProduct(row))).collect()
        }
        Kind::Group => {
            let rows = Group::by_id(request, ids, &plans.group).await?;
            rows.into_iter().map(|(id, row)| (id, Node::Group(row))).collect()
        }
        Kind::JournalEntry => {
            let records: Vec<_> =
                request.services.journal_entries_by_id(request.actor, &ids).await?.into_iter().flatten().collect();
            let uuids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
            let rows = JournalEntry::fetch(request, records, &plans.entry).await?;
            uuids.into_iter().zip(rows).map(|(id, row)| (id, Node::JournalEntry(row))).collect()
        }
        Kind::AuditEvent => {
            let records: Vec<_> =
                request.services.audit_events_by_id(request.actor, &ids).await?.into_iter().flatten().collect();
            let uuids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
            let rows = AuditEvent::fetch(request, records, &plans.audit).await?;
            uuids.into_iter().zip(rows).map(|(id, row)| (id, Node::AuditEvent(row))).collect()
        }
        Kind::LoanTransaction => {
            let views = request.services.loan_views_of_transactions(request.actor, &ids).await?;
            let find = |id: &Uuid| {
                let found = views.iter().find_map(|view| LoanTransaction::find(view, *id));
                found.map(|transaction| (*id, Node::LoanTransaction(transaction)))
            };
            ids.iter().filter_map(find).collect()
        }
        Kind::Loan => {
            let loans = Loan::by_id(request, ids, &plans.loan).await?;
            loans.into_iter().map(|(id, loan)| (id, Node::Loan(loan))).collect()
        }
    })
}
