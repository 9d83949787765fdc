//! The audit trail that use cases write to. A use case that changes something runs inside [`Services::audited`] and hands
//! its work to [`Trail::write`], which adds one event to the same transaction; a refusal gets an event in a transaction
//! of its own. Neither can be forgotten: the only way to answer from `audited` is a [`Written`], which only `write` makes.
//!
//! Events tell who did what to which thing, and facts that are no personal data. What callers typed never gets here:
//! [`Facts`] takes numbers, ids, days and names from the code, and no text.

mod events;
mod evidence;
mod facts;
mod sealing;
mod together;
mod unmask;

use std::future::Future;

use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::problem::Problem;
use crate::auth::Actor;
use crate::ids::{IdSource as _, Kind, NodeId};
use crate::store::audit::{self as store, EventRecord, ObjectRecord, Outcome, Owned};
use crate::store::batch::Batch;
use crate::store::database::Transaction;

pub use crate::store::audit::{AuditField, EventRecord as AuditEventRecord, LinkRecord, Outcome as AuditOutcome};
pub(super) use evidence::{Evidence, Leaves};
pub(super) use facts::Facts;
pub use sealing::{AuditHead, hex};
pub(super) use together::{Asked, Planned, Request, Shared, Together};

/// What an operation is, and what it is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    operation: &'static str,
    object: Option<NodeId>,
    facts: Facts,
}

impl About {
    /// An operation on a thing, by the name of its mutation or command.
    pub(super) fn of(operation: &'static str, kind: Kind, uuid: Uuid) -> Self {
        Self { operation, object: Some(NodeId { kind, uuid }), facts: Facts::default() }
    }

    /// An operation on the lender as a whole.
    pub(super) fn lender(operation: &'static str) -> Self {
        Self { operation, object: None, facts: Facts::default() }
    }

    /// With something else it is about, whatever comes of it.
    pub(super) fn with(mut self, name: &'static str, kind: Kind, uuid: Uuid) -> Self {
        self.facts = self.facts.id(name, kind, uuid);
        self
    }
}

/// A change and its event, both committed.
pub(super) struct Written<T>(T);

/// The right to write a change with its event. A copy of it is for another attempt, when one has come to nothing.
#[derive(Clone, Copy)]
pub(super) struct Trail<'a> {
    services: &'a Services,
    actor: &'a Actor,
    about: &'a About,
}

impl Trail<'_> {
    /// Runs `work` in a transaction like [`crate::store::Database::write`], and adds the event that its value leaves.
    ///
    /// # Errors
    /// What `work` fails with; whatever the database answers.
    pub(super) async fn write<T, F, W>(self, work: W) -> Result<Written<T>, ServiceError>
    where
        T: Leaves,
        W: Fn(Transaction) -> F,
        F: Future<Output = Result<T, ServiceError>>,
    {
        let work = &work;
        self.write_together(|transaction| async move { Ok((work(transaction).await?, Batch::default())) }).await
    }

    /// Does the same with work whose last writes are sent together with the event.
    ///
    /// # Errors
    /// What `work` fails with; whatever the database answers.
    pub(super) async fn write_together<T, F, W>(self, work: W) -> Result<Written<T>, ServiceError>
    where
        T: Leaves,
        W: Fn(Transaction) -> F,
        F: Future<Output = Result<(T, Batch), ServiceError>>,
    {
        let (trail, work) = (&self, &work);
        let written = trail.services.database.write(|transaction| async move {
            let (value, mut batch) = work(transaction.clone()).await?;
            let evidence = value.evidence();
            let replayed = evidence.replayed;
            store::add(&mut batch, &trail.services.event(trail.actor, trail.about, evidence))?;
            batch.send(&*transaction).await?;
            Ok::<_, ServiceError>((value, replayed))
        });
        let (value, replayed) = written.await?;
        // Counted once it is committed: the transaction may have run several times.
        if replayed {
            self.services.tally.replayed();
        }
        Ok(Written(value))
    }
}

impl Services {
    /// Runs a use case that changes something: what it does and what it refuses is on the trail.
    ///
    /// # Errors
    /// What `work` fails with.
    pub(super) async fn audited<'a, T, F>(
        &'a self,
        actor: &'a Actor,
        about: &'a About,
        work: impl FnOnce(Trail<'a>) -> F,
    ) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<Written<T>, ServiceError>>,
    {
        match work(Trail { services: self, actor, about }).await {
            Ok(Written(value)) => Ok(value),
            Err(error) => Err(self.refused(actor, about, error).await),
        }
    }

    /// Puts a mutation's refusal on the trail that came before any use case saw it, such as an id that is none. Gives
    /// it back.
    pub async fn refused_unread(&self, actor: &Actor, operation: &'static str, error: ServiceError) -> ServiceError {
        self.refused(actor, &About::lender(operation), error).await
    }

    /// Puts a refusal on the trail, and gives it back. What is neither a refusal nor forbidden is no decision on what
    /// was asked, and goes to the log by another way. A refusal that cannot be recorded is still one.
    pub(super) async fn refused(&self, actor: &Actor, about: &About, error: ServiceError) -> ServiceError {
        let (outcome, codes, action) = match &error {
            ServiceError::Rejected(problems) => {
                self.tally.rejected(problems);
                (Outcome::Refused, codes(problems), None)
            }
            ServiceError::BadInput => (Outcome::Refused, vec!["BAD_USER_INPUT".to_owned()], None),
            ServiceError::Forbidden(action) => (Outcome::Forbidden, vec!["FORBIDDEN".to_owned()], Some(*action)),
            _ => return error,
        };
        let noted = async {
            let branch = self.branch_of_object(about.object).await?;
            let facts = match action {
                Some(action) => Facts::default().name("action", action.as_str()),
                None => Facts::default(),
            };
            let evidence = Evidence { branch, object: about.object, facts, replayed: false };
            let event = EventRecord { outcome, codes, ..self.event(actor, about, evidence) };
            let event = &event;
            self.database
                .write(|transaction| async move {
                    store::append(&*transaction, std::slice::from_ref(event)).await?;
                    Ok::<_, ServiceError>(())
                })
                .await
        };
        if let Err(cause) = noted.await {
            tracing::error!(
                operation = about.operation,
                outcome = outcome.as_str(),
                ?cause,
                "a refusal is not audited"
            );
        }
        error
    }

    /// The branch of what an operation is about, whoever asks: its auditor sees those who look for what is not theirs.
    async fn branch_of_object(&self, object: Option<NodeId>) -> Result<Option<Uuid>, ServiceError> {
        let Some(NodeId { kind, uuid }) = object else { return Ok(None) };
        let owned = match kind {
            Kind::Branch => Owned::Branch,
            Kind::Borrower => Owned::Borrower,
            Kind::Group => Owned::Group,
            Kind::Loan => Owned::Loan,
            Kind::LoanProduct | Kind::LoanTransaction | Kind::JournalEntry | Kind::AuditEvent => return Ok(None),
        };
        Ok(store::branch_of(self.database.reader(), owned, uuid).await?)
    }

    /// The event of something that was done, or done before.
    pub(super) fn event(&self, actor: &Actor, about: &About, evidence: Evidence) -> EventRecord {
        let now = self.now();
        EventRecord {
            id: self.event_ids.next(now),
            branch_id: evidence.branch,
            recorded_at: now,
            subject: actor.subject.clone(),
            roles: actor.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            request_id: actor.request_id.clone(),
            operation: about.operation.to_owned(),
            outcome: if evidence.replayed { Outcome::Replayed } else { Outcome::Done },
            codes: Vec::new(),
            object: evidence
                .object
                .map(|object| ObjectRecord { kind: object.kind.prefix().to_owned(), id: object.uuid }),
            details: about.facts.clone().and(evidence.facts).to_string(),
        }
    }
}

/// The codes of problems as callers know them, each once.
fn codes(problems: &[Problem]) -> Vec<String> {
    let mut codes: Vec<String> = problems.iter().map(|problem| problem.code.name()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}
