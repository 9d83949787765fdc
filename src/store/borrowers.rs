//! Borrowers. Telephone number and national id pass through here sealed: the store can find them by their keyed hash
//! and cannot read them.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use uuid::Uuid;

use super::entity::borrower;
use super::error::StoreError;
use super::filter::{Field, LikePattern, storable};
use super::find::{self, Lock};
use super::insert;
use super::scope::Scope;

/// A personal value as stored: encrypted, beside the keyed hash it is found by.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The encrypted value.
    pub sealed: Vec<u8>,
    /// The keyed hash of the normalized value.
    pub hash: Vec<u8>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sealed(…)")
    }
}

/// What stands for the name of everybody whose person was erased. The schema checks it by the letter.
pub const ERASED_NAME: &str = "[erased]";

/// A borrower as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct BorrowerRecord {
    /// The id.
    pub id: Uuid,
    /// The branch that looks after them.
    pub branch_id: Uuid,
    /// The number people read out.
    pub number: String,
    /// The name.
    pub name: String,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// Telephone number, sealed.
    pub phone: Option<Sealed>,
    /// National id, sealed.
    pub national_id: Option<Sealed>,
    /// Which key sealed them, and in which form; of the oldest value where they differ.
    pub key_id: Option<String>,
    /// Date of birth.
    pub date_of_birth: Option<NaiveDate>,
    /// When everything personal was erased; the name is [`ERASED_NAME`] then, and what else is personal is missing.
    pub erased_at: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i64,
    /// When they were registered.
    pub created_at: DateTime<Utc>,
    /// When the record last changed.
    pub updated_at: DateTime<Utc>,
}

impl std::fmt::Debug for BorrowerRecord {
    /// Nothing personal: a debug print ends up in logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("BorrowerRecord")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn sealed(sealed: Option<Vec<u8>>, hash: Option<Vec<u8>>) -> Option<Sealed> {
    sealed.zip(hash).map(|(sealed, hash)| Sealed { sealed, hash })
}

impl TryFrom<borrower::Model> for BorrowerRecord {
    type Error = StoreError;

    fn try_from(row: borrower::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            branch_id: row.branch_id,
            number: row.number,
            name: row.name,
            external_ref: row.external_ref,
            phone: sealed(row.phone_sealed, row.phone_hash),
            national_id: sealed(row.national_id_sealed, row.national_id_hash),
            key_id: row.key_id,
            date_of_birth: row.date_of_birth,
            erased_at: row.erased_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<&BorrowerRecord> for borrower::ActiveModel {
    fn from(record: &BorrowerRecord) -> Self {
        let (phone_sealed, phone_hash) = record.phone.clone().map(|value| (value.sealed, value.hash)).unzip();
        let (national_id_sealed, national_id_hash) =
            record.national_id.clone().map(|value| (value.sealed, value.hash)).unzip();
        Self {
            id: Set(record.id),
            branch_id: Set(record.branch_id),
            number: Set(record.number.clone()),
            name: Set(record.name.clone()),
            name_folded: Set(record.name.to_lowercase()),
            external_ref: Set(record.external_ref.clone()),
            phone_sealed: Set(phone_sealed),
            phone_hash: Set(phone_hash),
            national_id_sealed: Set(national_id_sealed),
            national_id_hash: Set(national_id_hash),
            key_id: Set(record.key_id.clone()),
            date_of_birth: Set(record.date_of_birth),
            erased_at: Set(record.erased_at),
            version: Set(record.version),
            created_at: Set(record.created_at),
            updated_at: Set(record.updated_at),
        }
    }
}

/// What borrowers can be filtered and sorted by. Hashes are kept out of cursors: they cannot be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum BorrowerField {
    /// The branch.
    Branch,
    /// The number.
    Number,
    /// The name, ignoring case.
    Name,
    /// The id in another system.
    ExternalRef,
    /// Date of birth.
    DateOfBirth,
    /// When they were registered.
    CreatedAt,
    /// The telephone number, by its keyed hashes only.
    Phone,
    /// The national id, by its keyed hashes only.
    NationalId,
}

impl Field for BorrowerField {
    type Entity = borrower::Entity;

    const LIST: &'static str = "borrowers";

    fn column(self) -> borrower::Column {
        match self {
            Self::Branch => borrower::Column::BranchId,
            Self::Number => borrower::Column::Number,
            Self::Name => borrower::Column::NameFolded,
            Self::ExternalRef => borrower::Column::ExternalRef,
            Self::DateOfBirth => borrower::Column::DateOfBirth,
            Self::CreatedAt => borrower::Column::CreatedAt,
            Self::Phone => borrower::Column::PhoneHash,
            Self::NationalId => borrower::Column::NationalIdHash,
        }
    }

    fn nullable(self) -> bool {
        matches!(self, Self::ExternalRef | Self::DateOfBirth | Self::Phone | Self::NationalId)
    }

    fn search(pattern: &LikePattern) -> Condition {
        search(pattern)
    }

    fn branch_column() -> Option<borrower::Column> {
        Some(borrower::Column::BranchId)
    }

    fn id_column() -> borrower::Column {
        borrower::Column::Id
    }
}

/// Free text over borrowers: name, number, external reference.
pub(super) fn search(pattern: &LikePattern) -> Condition {
    Condition::any()
        .add(pattern.in_folded(borrower::Column::NameFolded))
        .add(pattern.in_code(borrower::Column::Number))
        .add(pattern.in_optional_code(borrower::Column::ExternalRef))
}

/// How a single borrower is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BorrowerKey {
    /// By id.
    Id(Uuid),
    /// By number.
    Number(String),
    /// By the id in another system.
    ExternalRef(String),
}

/// The borrower, if they exist for this scope.
///
/// # Errors
/// Whatever the database answers.
pub async fn find(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    key: &BorrowerKey,
    lock: Lock,
) -> Result<Option<BorrowerRecord>, StoreError> {
    let condition = match key {
        BorrowerKey::Id(id) => borrower::Column::Id.eq(*id),
        BorrowerKey::Number(number) => borrower::Column::Number.eq(storable(number)?),
        BorrowerKey::ExternalRef(reference) => borrower::Column::ExternalRef.eq(storable(reference)?),
    };
    find::one::<BorrowerField, _>(connection, scope, Condition::all().add(condition), lock).await
}

/// Borrowers other than `except` who hold one of these values by one of its keyed hashes, oldest registration first, at most
/// `most` of them. No statement is sent for no hashes.
///
/// # Errors
/// Whatever the database answers.
pub async fn holders(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    phone: &[Vec<u8>],
    national_id: &[Vec<u8>],
    except: Uuid,
    most: u64,
) -> Result<Vec<BorrowerRecord>, StoreError> {
    if phone.is_empty() && national_id.is_empty() {
        return Ok(Vec::new());
    }
    let any_of = |column: borrower::Column, hashes: &[Vec<u8>]| {
        (!hashes.is_empty()).then(|| column.is_in(hashes.iter().cloned()))
    };
    let either = Condition::any()
        .add_option(any_of(borrower::Column::PhoneHash, phone))
        .add_option(any_of(borrower::Column::NationalIdHash, national_id));
    borrower::Entity::find()
        .filter(either)
        .filter(borrower::Column::Id.ne(except))
        .filter(scope.condition::<BorrowerField>())
        .order_by_asc(borrower::Column::Id)
        .limit(most)
        .all(connection)
        .await?
        .into_iter()
        .map(BorrowerRecord::try_from)
        .collect()
}

/// Adds a borrower.
///
/// # Errors
/// [`StoreError::Duplicate`] when the external reference is taken; otherwise whatever the database answers.
pub async fn insert(transaction: &impl ConnectionTrait, record: &BorrowerRecord) -> Result<(), StoreError> {
    borrower::Entity::insert(borrower::ActiveModel::from(record)).exec_without_returning(transaction).await?;
    Ok(())
}

/// Adds borrowers, any number of them.
///
/// # Errors
/// [`StoreError::Duplicate`] when an external reference is taken; otherwise whatever the database answers.
pub async fn insert_many(transaction: &impl ConnectionTrait, records: &[BorrowerRecord]) -> Result<(), StoreError> {
    insert::many::<borrower::Entity, _>(transaction, records.iter().map(borrower::ActiveModel::from).collect()).await
}

/// Writes a changed borrower whose row must still be of the version before the record's.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it is not; [`StoreError::Duplicate`] when the external reference is taken;
/// otherwise whatever the database answers.
pub async fn update(transaction: &impl ConnectionTrait, record: &BorrowerRecord) -> Result<(), StoreError> {
    let row = borrower::ActiveModel::from(record);
    find::change_one(transaction, row, borrower::Column::Id, borrower::Column::Version).await
}

/// The borrowers with personal values that were registered first and last, to try keys on.
///
/// # Errors
/// Whatever the database answers.
pub async fn first_and_last_sealed(connection: &impl ConnectionTrait) -> Result<Vec<BorrowerRecord>, StoreError> {
    let mut found = Vec::with_capacity(2);
    for order in [Order::Asc, Order::Desc] {
        let sealed = borrower::Entity::find().filter(has_values()).order_by(borrower::Column::Id, order);
        found.extend(sealed.one(connection).await?.map(BorrowerRecord::try_from).transpose()?);
    }
    Ok(found)
}

/// Borrowers with personal values that are not all sealed as `key_id` says: at most `most` ids above `after`, ascending.
///
/// # Errors
/// Whatever the database answers.
pub async fn sealed_otherwise(
    connection: &impl ConnectionTrait,
    key_id: &str,
    after: Uuid,
    most: u64,
) -> Result<Vec<Uuid>, StoreError> {
    let ids = borrower::Entity::find()
        .select_only()
        .column(borrower::Column::Id)
        .filter(otherwise(key_id))
        .filter(borrower::Column::Id.gt(after))
        .order_by_asc(borrower::Column::Id)
        .limit(most)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids)
}

/// Those of these borrowers that are still not sealed as `key_id` says, locked in the order of their ids.
///
/// # Errors
/// Whatever the database answers.
pub async fn lock_sealed_otherwise(
    transaction: &impl ConnectionTrait,
    key_id: &str,
    ids: &[Uuid],
) -> Result<Vec<BorrowerRecord>, StoreError> {
    borrower::Entity::find()
        .filter(borrower::Column::Id.is_in(ids.iter().copied()))
        .filter(otherwise(key_id))
        .order_by_asc(borrower::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?
        .into_iter()
        .map(BorrowerRecord::try_from)
        .collect()
}

fn has_values() -> Condition {
    Condition::any()
        .add(borrower::Column::PhoneSealed.is_not_null())
        .add(borrower::Column::NationalIdSealed.is_not_null())
}

fn otherwise(key_id: &str) -> Condition {
    let differs = Condition::any().add(borrower::Column::KeyId.is_null()).add(borrower::Column::KeyId.ne(key_id));
    Condition::all().add(has_values()).add(differs)
}

/// Writes how the values of a locked borrower are sealed now. Nothing that anyone is shown changes by that, so the version
/// stays: who is about to change the borrower locks the row and reads it again.
///
/// # Errors
/// Whatever the database answers.
pub async fn reseal(transaction: &impl ConnectionTrait, record: &BorrowerRecord) -> Result<(), StoreError> {
    let (phone, phone_hash) = record.phone.clone().map(|value| (value.sealed, value.hash)).unzip();
    let (national_id, national_id_hash) = record.national_id.clone().map(|value| (value.sealed, value.hash)).unzip();
    let row = borrower::ActiveModel {
        phone_sealed: Set(phone),
        phone_hash: Set(phone_hash),
        national_id_sealed: Set(national_id),
        national_id_hash: Set(national_id_hash),
        key_id: Set(record.key_id.clone()),
        ..Default::default()
    };
    borrower::Entity::update_many().set(row).filter(borrower::Column::Id.eq(record.id)).exec(transaction).await?;
    Ok(())
}
