//! What an application for a loan refers to, found and locked with the claim on the request's key in one statement. It
//! answers for the usual case, in which all of it is there: who is told nothing looks for each of them, to tell what is
//! missing.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, LockType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Iterable, Value};
use uuid::Uuid;

use super::borrowers::{BorrowerField, BorrowerRecord};
use super::branches::{BranchField, BranchRecord};
use super::entity::{borrower, branch, loan_product};
use super::error::StoreError;
use super::filter::Field;
use super::find;
use super::idempotency::{self, Claim, Claimed, Sought};
use super::loan_books::{OF_BRANCH, branch_columns};
use super::loan_products::{LoanProductField, LoanProductRecord};
use super::numbers::{self, Sequence};
use super::rows::Record;
use super::scope::Scope;
use super::text::Text;

/// What an application refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Who borrows.
    pub borrower: Uuid,
    /// Under which product.
    pub product: Uuid,
    /// At which branch, if not the borrower's.
    pub branch: Option<Uuid>,
    /// Whether something else is to be locked between the branch and the borrower, who is left alone then.
    pub branch_only: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// The branch, locked so that nobody closes it.
    pub branch: BranchRecord,
    /// The product.
    pub product: LoanProductRecord,
    /// Whether the borrower's person was erased; it is not while the borrower is locked.
    pub erased: bool,
    /// The loan's number, if it is an application that is taken.
    pub number: String,
}

/// Claims a key, and finds what an application refers to, if all of it exists for this scope: the branch is locked first,
/// then the borrower. On SQLite nothing is looked for: a statement costs little there.
///
/// # Errors
/// Whatever the database answers.
pub async fn claim_and_find(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
    scope: &Scope,
    wanted: Wanted,
) -> Result<Claimed<Parties>, StoreError> {
    if transaction.get_database_backend() != DbBackend::Postgres {
        let earlier = idempotency::claim(transaction, claim).await?;
        return Ok(earlier.map_or(Claimed::First(None), Claimed::Earlier));
    }
    // By whether a branch is asked for, and whether it alone is locked.
    static FOUND: [[Text; 2]; 2] = [const { [const { Text::new() }; 2] }; 2];
    let [either, or] = if wanted.branch.is_some() { &FOUND[1] } else { &FOUND[0] };
    let text = if wanted.branch_only { or } else { either };
    let ids = wanted.branch.into_iter().chain([wanted.product, wanted.borrower]);
    let sought = Sought {
        text: (*scope == Scope::All).then_some(text),
        values: ids.map(Value::from).collect(),
        select: || select(scope, wanted),
    };
    let claimed = idempotency::claim_and_find(transaction, claim, sought).await?;
    claimed.read(|row| {
        Ok(Parties {
            branch: branch::Model::from_query_result(&row, OF_BRANCH)?.try_into()?,
            product: loan_product::Model::from_query_result(&row, OF_PRODUCT)?.try_into()?,
            erased: row.try_get("", ERASED)?,
            number: Sequence::Loan.format(row.try_get("", NUMBER)?),
        })
    })
}

/// The same for several applications whose keys are claimed, none of which is about a group: for each what it refers to, if
/// all of it exists for this scope and nobody else has locked it. Waits for nobody.
///
/// # Errors
/// Whatever the database answers.
pub async fn find_all(
    transaction: &impl ConnectionTrait,
    scope: &Scope,
    wanted: &[Wanted],
) -> Result<Vec<Option<Parties>>, StoreError> {
    let borrowers: Vec<Uuid> = wanted.iter().map(|one| one.borrower).collect();
    let borrowers = free::<BorrowerField, BorrowerRecord>(transaction, scope, &borrowers, |row| row.id).await?;
    let branch_of = |one: &Wanted| one.branch.or_else(|| Some(borrowers.get(&one.borrower)?.branch_id));
    let branches: Vec<Uuid> = wanted.iter().filter_map(branch_of).collect();
    let branches = free::<BranchField, BranchRecord>(transaction, scope, &branches, |row| row.id).await?;
    let products: Vec<Uuid> = wanted.iter().map(|one| one.product).collect();
    let products = find::by_ids::<LoanProductField, LoanProductRecord>(transaction, scope, &products).await?;
    let numbers = numbers::take(transaction, Sequence::Loan, u32::try_from(wanted.len()).unwrap_or(u32::MAX)).await?;
    let parties = |(one, number): (&Wanted, String)| {
        let borrower = borrowers.get(&one.borrower)?;
        let branch = branches.get(&branch_of(one)?)?.clone();
        let product = products.iter().find(|product| product.id == one.product)?.clone();
        Some(Parties { branch, product, erased: borrower.erased_at.is_some(), number })
    };
    Ok(wanted.iter().zip(numbers).map(parties).collect())
}

/// Rows by their ids, locked like those that a loan refers to.
async fn free<F, R>(
    transaction: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[Uuid],
    id: fn(&R) -> Uuid,
) -> Result<HashMap<Uuid, R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    let rows = find::free_by_ids::<F, R>(transaction, scope, ids, LockType::KeyShare).await?;
    Ok(rows.into_iter().map(|row| (id(&row), row)).collect())
}

const OF_PRODUCT: &str = "product_";
const ERASED: &str = "erased";
const NUMBER: &str = "next_number";

fn select(scope: &Scope, wanted: Wanted) -> SelectStatement {
    let mut select = Query::select();
    branch_columns(&mut select);
    for column in loan_product::Column::iter() {
        let name = sea_orm::IdenStatic::as_str(&column);
        select.expr_as(Expr::col((loan_product::Entity, column)), Alias::new(format!("{OF_PRODUCT}{name}")));
    }
    let borrower = |column: borrower::Column| Expr::col((borrower::Entity, column));
    let id_of_branch = match wanted.branch {
        Some(id) => Expr::val(id),
        None => borrower(borrower::Column::BranchId),
    };
    select
        .expr_as(borrower(borrower::Column::ErasedAt).is_not_null(), Alias::new(ERASED))
        .expr_as(Sequence::Loan.next(), Alias::new(NUMBER))
        .from(borrower::Entity)
        .inner_join(branch::Entity, Expr::col((branch::Entity, branch::Column::Id)).eq(id_of_branch))
        .inner_join(
            loan_product::Entity,
            Expr::col((loan_product::Entity, loan_product::Column::Id)).eq(wanted.product),
        )
        .and_where(borrower(borrower::Column::Id).eq(wanted.borrower))
        .cond_where(scope.condition::<BorrowerField>())
        .cond_where(scope.condition::<BranchField>());
    if wanted.branch_only {
        select.lock_with_tables(LockType::KeyShare, [branch::Entity]);
    } else {
        // In this order, which is that of the list.
        let (branch, borrower) = (Alias::new("branches"), Alias::new("borrowers"));
        select.lock_with_tables(LockType::KeyShare, [branch, borrower]);
    }
    select
}
