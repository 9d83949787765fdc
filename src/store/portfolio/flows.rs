//! What happened to loans in a period: what fell due, what was paid out, what came in. It sums projections and decides
//! nothing.

use chrono::NaiveDate;
use lending::loan::{FoldError, LoanStatus, Portions, TransactionKind};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait};

use super::owed::of_loan;
use super::{Choice, GroupBy, PORTIONS, Sums, group_columns, place, portions, sum};
use crate::store::entity::{loan, loan_installment, loan_transaction, loan_transaction_split};
use crate::store::error::StoreError;

/// Transactions of one kind in a period, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// How many.
    pub count: i64,
    /// What they came to.
    pub amount: i64,
    /// What they were split into.
    pub portions: Portions,
    /// What of them the borrower paid too much.
    pub to_credit: i64,
}

/// What happened in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flows {
    /// What installments that fell due in it asked for, less what was waived of them and what was given up before.
    pub expected: Portions,
    /// Money paid out.
    pub disbursements: Flow,
    /// Payments by borrowers.
    pub repayments: Flow,
    /// Money that came in after write-offs.
    pub recoveries: Flow,
}

impl Flow {
    /// Both together.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn plus(&self, other: &Self) -> Result<Self, FoldError> {
        let add = |one: i64, other: i64| one.checked_add(other).ok_or(FoldError::Overflow);
        Ok(Self {
            count: add(self.count, other.count)?,
            amount: add(self.amount, other.amount)?,
            portions: self.portions.plus(&other.portions)?,
            to_credit: add(self.to_credit, other.to_credit)?,
        })
    }
}

impl Flows {
    /// The flow of a kind of transaction, if it is one of money.
    pub fn of(&mut self, kind: TransactionKind) -> Option<&mut Flow> {
        match kind {
            TransactionKind::Disbursement => Some(&mut self.disbursements),
            TransactionKind::Repayment => Some(&mut self.repayments),
            TransactionKind::Recovery => Some(&mut self.recoveries),
            _ => None,
        }
    }
}

/// What happened from one day to another, both included.
///
/// # Errors
/// Whatever the database answers.
pub async fn flows(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Sums<Flows>, StoreError> {
    let mut sums: Sums<Flows> = Sums::new();
    expected(connection, choice, group, (from, to), &mut sums).await?;
    transactions(connection, choice, group, (from, to), &mut sums).await?;
    Ok(sums)
}

async fn expected(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
    (from, to): (NaiveDate, NaiveDate),
    sums: &mut Sums<Flows>,
) -> Result<(), StoreError> {
    let mut query = Query::select();
    query
        .from(loan_installment::Entity)
        .inner_join(loan::Entity, of_loan())
        .cond_where(choice.condition(connection.get_database_backend())?)
        .and_where(Expr::col((loan_installment::Entity, loan_installment::Column::DueOn)).between(from, to));
    group_columns(&mut query, group);
    for (name, part) in PORTIONS.into_iter().zip(asked_for()) {
        query.expr_as(sum(part), name);
    }
    for row in &connection.query_all(&query).await? {
        sums.entry(place(row, group)?).or_default().expected = portions(row)?;
    }
    Ok(())
}

/// What an installment asks for: nothing was expected any more of those that fell due after the loan was given up.
fn asked_for() -> [SimpleExpr; 4] {
    use loan_installment::Column as Of;
    let part = |due: Of, waived: Of, written_off: Of| {
        let column = |column: Of| Expr::col((loan_installment::Entity, column));
        let given_up = Expr::col((loan::Entity, loan::Column::Status))
            .eq(LoanStatus::WrittenOff.as_str())
            .and(column(Of::DueOn).gt(Expr::col((loan::Entity, loan::Column::ClosedOn))));
        let given_up = Expr::case(given_up, column(written_off)).finally(Expr::val(0_i64));
        column(due).sub(column(waived)).sub(given_up)
    };
    [
        part(Of::DuePrincipalMinor, Of::WaivedPrincipalMinor, Of::WrittenOffPrincipalMinor),
        part(Of::DueInterestMinor, Of::WaivedInterestMinor, Of::WrittenOffInterestMinor),
        part(Of::DueFeesMinor, Of::WaivedFeesMinor, Of::WrittenOffFeesMinor),
        part(Of::DuePenaltiesMinor, Of::WaivedPenaltiesMinor, Of::WrittenOffPenaltiesMinor),
    ]
}

/// A transaction that was reversed has no split, and counts for nothing.
async fn transactions(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
    (from, to): (NaiveDate, NaiveDate),
    sums: &mut Sums<Flows>,
) -> Result<(), StoreError> {
    use loan_transaction::Column as Of;
    use loan_transaction_split::Column as Split;
    let kinds = [TransactionKind::Disbursement, TransactionKind::Repayment, TransactionKind::Recovery];
    let split = |column: Split| Expr::col((loan_transaction_split::Entity, column));
    let mut query = Query::select();
    query
        .from(loan_transaction::Entity)
        .inner_join(
            loan_transaction_split::Entity,
            split(Split::TransactionId).equals((loan_transaction::Entity, Of::Id)),
        )
        .inner_join(
            loan::Entity,
            Expr::col((loan_transaction::Entity, Of::LoanId)).equals((loan::Entity, loan::Column::Id)),
        )
        .cond_where(choice.condition(connection.get_database_backend())?)
        .and_where(Of::Kind.is_in(kinds.map(TransactionKind::as_str)))
        .and_where(Of::ValueDate.between(from, to))
        .expr_as(Expr::col((loan_transaction::Entity, Of::Kind)), "flow_kind")
        .group_by_col((loan_transaction::Entity, Of::Kind))
        .expr_as(split(Split::TransactionId).count(), "transactions")
        .expr_as(sum(split(Split::AmountMinor)), "amount")
        .expr_as(sum(split(Split::ToCreditMinor)), "to_credit");
    group_columns(&mut query, group);
    let parts = [Split::PrincipalMinor, Split::InterestMinor, Split::FeesMinor, Split::PenaltiesMinor];
    for (name, part) in PORTIONS.into_iter().zip(parts) {
        query.expr_as(sum(split(part)), name);
    }
    for row in &connection.query_all(&query).await? {
        let kind: String = row.try_get("", "flow_kind")?;
        let flow = Flow {
            count: row.try_get("", "transactions")?,
            amount: row.try_get("", "amount")?,
            portions: portions(row)?,
            to_credit: row.try_get("", "to_credit")?,
        };
        let place = sums.entry(place(row, group)?).or_default();
        if let Some(of_kind) = TransactionKind::parse(&kind).and_then(|kind| place.of(kind)) {
            *of_kind = flow;
        }
    }
    Ok(())
}
