//! Looking borrowers up by telephone number or national id: the values of a filter become their keyed hashes here, before
//! the store sees them. Whoever may see borrowers may look, masked values or not, because whoever stands at the desk must
//! be found. So that nobody finds hidden values by trying them all, a filter takes one of each, and each look is an event
//! of the audit trail, which does not tell the value.

use super::Services;
use super::audit::About;
use super::error::ServiceError;
use super::list::{Filter, Scalar, Test};
use super::problem::{Problem, ProblemCode};
use crate::auth::Actor;
use crate::store::borrowers::BorrowerField;

impl Services {
    /// The filter with telephone numbers and national ids replaced by their hashes under every known key.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when it names more than one of either.
    pub(super) fn by_hash(&self, filter: &Filter<BorrowerField>) -> Result<Filter<BorrowerField>, ServiceError> {
        for field in [BorrowerField::Phone, BorrowerField::NationalId] {
            if values(filter, field) > 1 {
                let problem = "Look for one telephone number and one national id at a time.";
                return Err(Problem::new(ProblemCode::Contradiction, &["filter"], problem).into());
            }
        }
        Ok(self.hashed(filter))
    }

    fn hashed(&self, filter: &Filter<BorrowerField>) -> Filter<BorrowerField> {
        let all = |parts: &[Filter<BorrowerField>]| parts.iter().map(|part| self.hashed(part)).collect();
        match filter {
            Filter::All(parts) => Filter::All(all(parts)),
            Filter::Any(parts) => Filter::Any(all(parts)),
            Filter::Not(inner) => Filter::Not(Box::new(self.hashed(inner))),
            Filter::Field(field @ (BorrowerField::Phone | BorrowerField::NationalId), Test::Is(Scalar::Text(text))) => {
                let hashes = self.personal_data.hashes(text).into_iter().map(Scalar::Hash);
                Filter::Field(*field, Test::OneOf(hashes.collect()))
            }
            other => other.clone(),
        }
    }

    /// Records that the caller looked for personal values, if the filter has any. What cannot be recorded is not looked for.
    pub(super) async fn record_lookup(
        &self,
        actor: &Actor,
        filter: &Filter<BorrowerField>,
    ) -> Result<(), ServiceError> {
        let looked_for = |field| values(filter, field) > 0;
        if !looked_for(BorrowerField::Phone) && !looked_for(BorrowerField::NationalId) {
            return Ok(());
        }
        self.record_read(actor, &About::lender("look-up")).await
    }
}

/// How many values the filter compares the field with, text or hashed.
fn values(filter: &Filter<BorrowerField>, field: BorrowerField) -> usize {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            parts.iter().fold(0, |sum, part| sum.saturating_add(values(part, field)))
        }
        Filter::Not(inner) => values(inner, field),
        Filter::Field(own, Test::Is(_) | Test::OneOf(_)) if *own == field => 1,
        _ => 0,
    }
}
