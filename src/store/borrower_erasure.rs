//! What erasing a borrower's person reads and writes beside the borrower's own row. A borrower's loans may lie in any
//! branch, so none of this takes a scope; what the caller may be told of it is the caller's branches' to decide.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::loan;
use super::error::StoreError;
use super::loans::LoanRecord;

/// All loans of a borrower, locked in the order of their ids, so that none of them comes to life meanwhile.
///
/// # Errors
/// Whatever the database answers.
pub async fn lock_loans(transaction: &impl ConnectionTrait, borrower: Uuid) -> Result<Vec<LoanRecord>, StoreError> {
    loan::Entity::find()
        .filter(loan::Column::BorrowerId.eq(borrower))
        .order_by_asc(loan::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?
        .into_iter()
        .map(LoanRecord::try_from)
        .collect()
}

/// Takes away why the borrower's applications were rejected or withdrawn: somebody's words about a person. The loans must
/// be locked.
///
/// # Errors
/// Whatever the database answers.
pub async fn forget_decision_reasons(
    transaction: &impl ConnectionTrait,
    borrower: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    loan::Entity::update_many()
        .col_expr(loan::Column::DecisionReason, Expr::value(None::<String>))
        .col_expr(loan::Column::Version, Expr::col(loan::Column::Version).add(1))
        .col_expr(loan::Column::UpdatedAt, Expr::value(now))
        .filter(loan::Column::BorrowerId.eq(borrower))
        .filter(loan::Column::DecisionReason.is_not_null())
        .exec(transaction)
        .await?;
    Ok(())
}
