//! The warning that someone may be known already: another borrower holds the same telephone number or national id. It
//! compares keyed hashes, shows only borrowers of the caller's branches, and repeats no personal value.

use super::Services;
use super::error::ServiceError;
use super::personal_data::Place;
use super::problem::{Detail, DuplicateMatch, PersonalField, Problem, ProblemCode};
use crate::store::borrowers::{self, BorrowerRecord, Sealed};
use crate::store::database::Transaction;
use crate::store::scope::Scope;

/// A warning names this many borrowers: whoever shares a value with more knows enough.
const MOST_MATCHES: u64 = 20;

impl Services {
    /// Refuses a borrower whose telephone number or national id another one holds whom the caller may see. Values that
    /// `before` had already are not looked at again.
    pub(super) async fn refuse_duplicate(
        &self,
        transaction: &Transaction,
        scope: &Scope,
        record: &BorrowerRecord,
        before: Option<&BorrowerRecord>,
    ) -> Result<(), ServiceError> {
        let before = |of: fn(&BorrowerRecord) -> &Option<Sealed>| before.and_then(|record| of(record).as_ref());
        let own = |field| Place { borrower: record.id, field };
        let phone =
            self.new_hashes(own(PersonalField::Phone), record.phone.as_ref(), before(|record| &record.phone))?;
        let national_id = self.new_hashes(
            own(PersonalField::NationalId),
            record.national_id.as_ref(),
            before(|record| &record.national_id),
        )?;
        let holders = borrowers::holders(&**transaction, scope, &phone, &national_id, record.id, MOST_MATCHES).await?;
        let matches: Vec<DuplicateMatch> =
            holders.iter().flat_map(|holder| shared(holder, &phone, &national_id)).collect();
        if matches.is_empty() {
            return Ok(());
        }
        let problem = Problem::new(
            ProblemCode::PossibleDuplicate,
            &["input"],
            "Someone else has this telephone number or national id: look at the matches, and send allowDuplicate: true if it is another person.",
        );
        Err(problem.with(Detail::Duplicates { matches }).into())
    }

    /// The hashes of a value that is there and was not there before, one for each key.
    fn new_hashes(
        &self,
        place: Place,
        value: Option<&Sealed>,
        before: Option<&Sealed>,
    ) -> Result<Vec<Vec<u8>>, ServiceError> {
        let Some(value) = value.filter(|value| Some(*value) != before) else { return Ok(Vec::new()) };
        let hashes = self.personal_data.hashes(&self.personal_data.open(place, value)?);
        let is_new = before.is_none_or(|before| !hashes.contains(&before.hash));
        Ok(if is_new { hashes } else { Vec::new() })
    }
}

fn shared<'a>(
    holder: &'a BorrowerRecord,
    phone: &'a [Vec<u8>],
    national_id: &'a [Vec<u8>],
) -> impl Iterator<Item = DuplicateMatch> {
    let same = |held: Option<&Sealed>, hashes: &[Vec<u8>]| held.is_some_and(|held| hashes.contains(&held.hash));
    [
        (PersonalField::Phone, same(holder.phone.as_ref(), phone)),
        (PersonalField::NationalId, same(holder.national_id.as_ref(), national_id)),
    ]
    .into_iter()
    .filter(|(_, same)| *same)
    .map(|(field, _)| DuplicateMatch { borrower: holder.id, number: holder.number.clone(), field })
}
