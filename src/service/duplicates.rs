//! The warning that someone may be known already: another borrower holds the same telephone number or national id. It
//! compares keyed hashes, shows only borrowers of the caller's branches, and repeats no personal value.

use super::Services;
use super::error::ServiceError;
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
        let phone = self.new_hash(record.phone.as_ref(), before(|record| &record.phone));
        let national_id = self.new_hash(record.national_id.as_ref(), before(|record| &record.national_id));
        let holders = borrowers::holders(&**transaction, scope, phone, national_id, record.id, MOST_MATCHES).await?;
        let matches: Vec<DuplicateMatch> =
            holders.iter().flat_map(|holder| shared(holder, phone, national_id)).collect();
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

    /// The hash of a value that is there, has a letter or a digit in it, and was not there before.
    fn new_hash<'a>(&self, value: Option<&'a Sealed>, before: Option<&Sealed>) -> Option<&'a [u8]> {
        let hash = &value?.hash;
        let is_new = before.is_none_or(|before| before.hash != *hash) && *hash != self.personal_data.hash("");
        is_new.then_some(hash.as_slice())
    }
}

fn shared<'a>(
    holder: &'a BorrowerRecord,
    phone: Option<&'a [u8]>,
    national_id: Option<&'a [u8]>,
) -> impl Iterator<Item = DuplicateMatch> {
    let same = |held: Option<&Sealed>, hash: Option<&[u8]>| {
        hash.is_some_and(|hash| held.is_some_and(|held| held.hash == hash))
    };
    [
        (PersonalField::Phone, same(holder.phone.as_ref(), phone)),
        (PersonalField::NationalId, same(holder.national_id.as_ref(), national_id)),
    ]
    .into_iter()
    .filter(|(_, same)| *same)
    .map(|(field, _)| DuplicateMatch { borrower: holder.id, number: holder.number.clone(), field })
}
