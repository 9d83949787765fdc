//! Asking about the audit trail.

use async_graphql::{Context, Enum, InputObject, Object, Result};

use crate::graphql::error::bad_input;
use crate::graphql::request::request;
use crate::graphql::types::audit_event::{AuditOutcome, audit_page};
use crate::graphql::types::connection::{AuditEventConnection, Order, OrderDirection, page_request, sort_keys};
use crate::graphql::types::filters::{self, Conditions, DateTimeFilter, IdFilter, Inner, Nested, StringFilter};
use crate::ids::NodeId;
use crate::service::audit::{AuditField, AuditOutcome as Outcome};
use crate::service::list::{Filter, Scalar, Test};

/// The queries around the audit trail.
#[derive(Default)]
pub struct AuditQuery;

/// Which events of the audit trail to list. All conditions must hold.
#[derive(Default, InputObject)]
pub struct AuditEventFilter {
    /// All of these must hold too.
    pub and: Option<Vec<AuditEventFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<AuditEventFilter>>,
    /// This must not hold.
    pub not: Option<Box<AuditEventFilter>>,
    /// The branch it belongs to.
    pub branch: Option<IdFilter>,
    /// Whether the branches below count too.
    #[graphql(default = true)]
    pub include_sub_branches: bool,
    /// The subject of whoever acted.
    pub subject: Option<StringFilter>,
    /// The field of the mutation, or the command.
    pub operation: Option<StringFilter>,
    /// How it ended.
    pub outcome: Option<AuditOutcome>,
    /// The id of what it was about.
    pub object_id: Option<IdFilter>,
    /// When it was recorded.
    pub recorded_at: Option<DateTimeFilter>,
}

impl Nested for AuditEventFilter {
    type Field = AuditField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<AuditField>> {
        let mut conditions = Conditions::default();
        conditions.branch(AuditField::Branch, self.branch, self.include_sub_branches)?;
        conditions.text(AuditField::Subject, self.subject);
        conditions.text(AuditField::Operation, self.operation);
        conditions.name(AuditField::Outcome, self.outcome.map(|outcome| Outcome::from(outcome).as_str()));
        if let Some(IdFilter { eq, one_of }) = self.object_id {
            for ids in [eq.map(|id| vec![id]), one_of].into_iter().flatten() {
                let ids = ids.iter().map(object).collect::<Result<_>>()?;
                conditions.add(Filter::Any(ids));
            }
        }
        conditions.time(AuditField::RecordedAt, self.recorded_at);
        Ok(conditions)
    }
}

/// One key of the order of audit events.
#[derive(InputObject)]
pub struct AuditEventOrder {
    /// What to sort by.
    pub field: AuditEventOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What audit events can be sorted by. The order of recording decides between equals.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditEventOrderField {
    /// When it was recorded.
    RecordedAt,
}

impl Order for AuditEventOrder {
    type Key = AuditEventOrderField;

    fn key(&self) -> (AuditEventOrderField, OrderDirection) {
        (self.field, self.direction)
    }
}

impl From<AuditEventOrderField> for AuditField {
    fn from(field: AuditEventOrderField) -> Self {
        match field {
            AuditEventOrderField::RecordedAt => Self::RecordedAt,
        }
    }
}

/// The events about the thing with this id, of whatever kind it is.
fn object(text: &async_graphql::ID) -> Result<Filter<AuditField>> {
    let id: NodeId = text.parse().map_err(|error: crate::ids::IdError| bad_input(error.to_string()))?;
    Ok(Filter::All(vec![
        Filter::Field(AuditField::Object, Test::Is(Scalar::Id(id.uuid))),
        Filter::Field(AuditField::ObjectKind, Test::Is(Scalar::Text(id.kind.prefix().to_owned()))),
    ]))
}

#[Object]
impl AuditQuery {
    /// The audit trail of the caller's branches, in the order of recording unless ordered otherwise; what belongs to the lender as a whole is for those who work for all branches. Permission: ReadAudit.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn audit_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events.")] filter: Option<AuditEventFilter>,
        #[graphql(desc = "In which order; the order of recording decides between equals.")] order_by: Option<
            Vec<AuditEventOrder>,
        >,
    ) -> Result<AuditEventConnection> {
        let asked = page_request(request(context)?.limits, first, after, last, before)?;
        let order = match order_by.filter(|order| !order.is_empty()) {
            Some(order) => sort_keys(order, AuditField::RecordedAt)?,
            None => Vec::new(),
        };
        audit_page(context, filters::read(filter)?, &order, &asked).await
    }
}
