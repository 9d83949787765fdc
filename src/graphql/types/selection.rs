//! What a query selects below a field, read before anything is loaded: a page's related rows are then fetched in one
//! statement each, because all their ids are known as soon as the page is. A plan is owned and plain, so that it can be
//! kept across an `await`.

use std::collections::HashMap;

use async_graphql::{Context, Lookahead, Result};
use uuid::Uuid;

use crate::graphql::error::Nullable;

/// The selections below one or several places of the query.
pub struct Selected<'a>(Vec<Lookahead<'a>>);

impl<'a> Selected<'a> {
    /// What is selected below the field being resolved.
    pub fn here(context: &'a Context<'a>) -> Self {
        Self(vec![context.look_ahead()])
    }

    /// What is selected of the nodes of the connection being resolved: `nodes` and `edges { node }` alike.
    pub fn nodes(context: &'a Context<'a>) -> Self {
        let here = context.look_ahead();
        Self(vec![here.field("nodes"), here.field("edges").field("node")])
    }

    /// What is selected below a field.
    pub fn field(&self, name: &str) -> Self {
        Self(self.0.iter().map(|place| place.field(name)).filter(Lookahead::exists).collect())
    }

    /// Whether the field is selected at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|place| place.field(name).exists())
    }
}

/// Which relations of branches to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BranchPlan {
    /// The branches above, and what of them.
    pub parent: Option<Box<BranchPlan>>,
    /// Their holidays.
    pub holidays: bool,
}

impl BranchPlan {
    /// Reads the plan from what is selected of branches.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        Self {
            parent: selected.has("parent").then(|| Box::new(Self::of(&selected.field("parent")))),
            holidays: selected.has("holidays"),
        }
    }
}

/// Which relations of borrowers to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BorrowerPlan {
    /// The branches, and what of them.
    pub branch: Option<BranchPlan>,
    /// The groups they belong to now, and what of them.
    pub group: Option<Box<GroupPlan>>,
}

impl BorrowerPlan {
    /// Reads the plan from what is selected of borrowers.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        Self {
            branch: selected.has("branch").then(|| BranchPlan::of(&selected.field("branch"))),
            group: selected.has("group").then(|| Box::new(GroupPlan::of(&selected.field("group")))),
        }
    }
}

/// Which relations of groups to fetch. Their loans are pages of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupPlan {
    /// The branches, and what of them.
    pub branch: Option<BranchPlan>,
    /// The members, and what of them.
    pub members: Option<MemberPlan>,
}

impl GroupPlan {
    /// Reads the plan from what is selected of groups.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        Self {
            branch: selected.has("branch").then(|| BranchPlan::of(&selected.field("branch"))),
            members: selected.has("members").then(|| MemberPlan::of(&selected.field("members"))),
        }
    }
}

/// Which relations of groups' members to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberPlan {
    /// The borrowers, and what of them.
    pub borrower: Option<BorrowerPlan>,
}

impl MemberPlan {
    /// Reads the plan from what is selected of members.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        Self { borrower: selected.has("borrower").then(|| BorrowerPlan::of(&selected.field("borrower"))) }
    }
}

/// The fields of a loan that are worked out from its history.
const OF_THE_ENGINE: [&str; 18] = [
    "asOf",
    "schedule",
    "interestLines",
    "balances",
    "overdue",
    "creditBalance",
    "recovered",
    "daysPastDue",
    "delinquencyBucket",
    "nextDueOn",
    "maturesOn",
    "chargedOffOn",
    "charges",
    "transactions",
    "history",
    "payoffQuote",
    "disclosure",
    "simulate",
];

/// The fields of a loan that take more of it than its face.
const OF_THE_RECORD: [&str; 9] = [
    "terms",
    "approved",
    "disbursed",
    "appliedBy",
    "approvedOn",
    "approvedBy",
    "defaultedOn",
    "closedOn",
    "decisionReason",
];

/// How much of loans, and which relations, to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoanPlan {
    /// The branches, and what of them.
    pub branch: Option<BranchPlan>,
    /// The borrowers, and what of them.
    pub borrower: Option<BorrowerPlan>,
    /// The products.
    pub product: bool,
    /// The groups, and what of them.
    pub group: Option<GroupPlan>,
    /// All that was stored of each, not the face alone.
    pub whole: bool,
    /// Their histories, folded. That takes the whole.
    pub engine: bool,
}

impl LoanPlan {
    /// Reads the plan from what is selected of loans.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        let engine = OF_THE_ENGINE.iter().any(|field| selected.has(field));
        Self {
            branch: selected.has("branch").then(|| BranchPlan::of(&selected.field("branch"))),
            borrower: selected.has("borrower").then(|| BorrowerPlan::of(&selected.field("borrower"))),
            product: selected.has("product"),
            group: selected.has("group").then(|| GroupPlan::of(&selected.field("group"))),
            whole: engine || OF_THE_RECORD.iter().any(|field| selected.has(field)),
            engine,
        }
    }

    /// What two places want of the same loans.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            branch: self.branch.or(other.branch),
            borrower: self.borrower.or(other.borrower),
            product: self.product || other.product,
            group: self.group.or(other.group),
            whole: self.whole || other.whole,
            engine: self.engine || other.engine,
        }
    }
}

/// Which relations of journal entries to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPlan {
    /// The branches, and what of them.
    pub branch: Option<BranchPlan>,
    /// The lines.
    pub lines: bool,
    /// The loans, those of lines included, and what of them.
    pub loan: Option<LoanPlan>,
}

impl EntryPlan {
    /// Reads the plan from what is selected of journal entries.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        let lines = selected.field("lines");
        let of_entry = selected.has("loan").then(|| LoanPlan::of(&selected.field("loan")));
        let of_line = lines.has("loan").then(|| LoanPlan::of(&lines.field("loan")));
        Self {
            branch: selected.has("branch").then(|| BranchPlan::of(&selected.field("branch"))),
            lines: selected.has("lines"),
            loan: match (of_entry, of_line) {
                (Some(one), Some(other)) => Some(one.and(other)),
                (one, other) => one.or(other),
            },
        }
    }
}

/// Which relations of audit events to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPlan {
    /// The branches, and what of them.
    pub branch: Option<BranchPlan>,
    /// Their places in their chains.
    pub link: bool,
}

impl AuditPlan {
    /// Reads the plan from what is selected of audit events.
    #[must_use]
    pub fn of(selected: &Selected<'_>) -> Self {
        Self {
            branch: selected.has("branch").then(|| BranchPlan::of(&selected.field("branch"))),
            link: ["position", "hash", "sealed"].iter().any(|field| selected.has(field)),
        }
    }
}

/// A related row that may have been fetched together with its neighbours'.
#[derive(Debug, Clone, Default)]
pub enum Related<T> {
    /// It was not fetched beforehand.
    #[default]
    Later,
    /// It was; `None` when it does not exist for the caller.
    Fetched(Option<T>),
}

impl<T: Clone> Related<T> {
    /// The related row; `load` finds it where it was not fetched.
    pub async fn or_load<L>(&self, load: impl FnOnce() -> L) -> Nullable<T>
    where
        L: Future<Output = Result<Option<T>>> + Send,
    {
        match self {
            Self::Fetched(row) => row.clone().map(Ok),
            // On the heap: the future of every field is as large as that of the largest, and this one is for the few.
            Self::Later => Box::pin(load()).await.transpose(),
        }
    }

    /// What was fetched of a relation for the row with this id; `None` stands for a relation that was not.
    pub fn of(fetched: Option<&HashMap<Uuid, T>>, id: Uuid) -> Self {
        match fetched {
            Some(rows) => Self::Fetched(rows.get(&id).cloned()),
            None => Self::Later,
        }
    }
}
