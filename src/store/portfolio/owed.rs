//! What loans come to on a day: how many there are, what is owed on them, how late that is, what was agreed anew. It
//! sums projections and decides nothing.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use lending::loan::{FoldError, Portions, TransactionKind};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait};

use super::sums::{Family, Source, kept, source};
use super::{Choice, GroupBy, PORTIONS, Sums, column, grouped, is_active, place, portions, sum};
use crate::store::entity::{loan, loan_installment, loan_reversal, loan_transaction};
use crate::store::error::StoreError;

/// The most days past due of each age but the last, which is open: the usual ones of portfolio reports.
pub const AGES: [u32; 9] = [0, 3, 30, 60, 90, 120, 150, 180, 240];

/// How many loans there are, and what was applied for in all, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// The number of loans.
    pub count: i64,
    /// The sum of their principals.
    pub principal: i64,
}

/// What is left of all installments, and what borrowers paid too much, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owed {
    /// What is left.
    pub outstanding: Portions,
    /// What was paid too much.
    pub credit: i64,
}

/// The outstanding principal of active loans by how late they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Late {
    /// The outstanding principal of all active loans in minor units.
    pub principal: i64,
    /// The outstanding principal and the number of the active loans that are so many days past due; 0 is left out.
    pub by_days: BTreeMap<u32, (i64, i64)>,
}

/// What is left of the installments that were due by a day, by their age: see [`AGES`]. Age 0 is what falls due on the
/// day itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aged {
    /// By age.
    pub ages: [Portions; AGES.len() + 1],
}

/// Active loans whose rest was agreed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rescheduled {
    /// How many.
    pub count: i64,
    /// What is left of them.
    pub outstanding: Portions,
}

impl Late {
    /// Outstanding principal and number of the active loans more than so many days past due.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn beyond(&self, days: u32) -> Result<(i64, i64), FoldError> {
        let Some(first) = days.checked_add(1) else { return Ok((0, 0)) };
        let mut beyond = self.by_days.range(first..).map(|(_, part)| part);
        beyond.try_fold((0_i64, 0_i64), |(amount, count), part| {
            let amount = amount.checked_add(part.0).ok_or(FoldError::Overflow)?;
            Ok((amount, count.checked_add(part.1).ok_or(FoldError::Overflow)?))
        })
    }
}

impl Aged {
    /// The place in [`Self::ages`] of an installment so many days past due.
    #[must_use]
    pub fn age(days: u32) -> usize {
        AGES.iter().position(|most| days <= *most).unwrap_or(AGES.len())
    }

    /// What is late: every age but 0.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn overdue(&self) -> Result<Portions, FoldError> {
        self.ages.iter().skip(1).try_fold(Portions::ZERO, |sum, part| sum.plus(part))
    }
}

/// How many loans.
///
/// # Errors
/// Whatever the database answers.
pub async fn counted(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
) -> Result<Sums<Counted>, StoreError> {
    let Source { mut query, count } = source(choice, group, Family::Portfolio, connection.get_database_backend())?;
    query.expr_as(count, "loans").expr_as(sum(column(loan::Column::PrincipalMinor)), "principal");
    let rows = connection.query_all(&query).await?;
    let read = |row| -> Result<_, StoreError> {
        let row: &sea_orm::QueryResult = row;
        let counted = Counted { count: row.try_get("", "loans")?, principal: row.try_get("", "principal")? };
        Ok((place(row, group)?, counted))
    };
    rows.iter().map(read).collect()
}

const OUTSTANDING: [loan::Column; 4] = [
    loan::Column::OutstandingPrincipalMinor,
    loan::Column::OutstandingInterestMinor,
    loan::Column::OutstandingFeesMinor,
    loan::Column::OutstandingPenaltiesMinor,
];

fn outstanding(query: &mut SelectStatement) {
    for (name, part) in PORTIONS.into_iter().zip(OUTSTANDING) {
        query.expr_as(sum(column(part)), name);
    }
}

/// What is owed.
///
/// # Errors
/// Whatever the database answers.
pub async fn owed(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
) -> Result<Sums<Owed>, StoreError> {
    let Source { mut query, .. } = source(choice, group, Family::Portfolio, connection.get_database_backend())?;
    outstanding(&mut query);
    query.expr_as(sum(column(loan::Column::CreditMinor)), "credit");
    let rows = connection.query_all(&query).await?;
    let read = |row: &sea_orm::QueryResult| -> Result<_, StoreError> {
        Ok((place(row, group)?, Owed { outstanding: portions(row)?, credit: row.try_get("", "credit")? }))
    };
    rows.iter().map(read).collect()
}

/// How late the outstanding principal is on a day.
///
/// # Errors
/// Whatever the database answers.
pub async fn late(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
    on: NaiveDate,
) -> Result<Sums<Late>, StoreError> {
    let Source { mut query, count } = source(choice, group, Family::Arrears, connection.get_database_backend())?;
    let since = Expr::case(column(loan::Column::OldestUnpaidDueOn).lt(on), column(loan::Column::OldestUnpaidDueOn));
    query
        .and_where(is_active())
        .expr_as(since, "late_since")
        .expr_as(count, "loans")
        .expr_as(sum(column(loan::Column::OutstandingPrincipalMinor)), "principal")
        // By its name: what is selected and what is grouped by hold values of their own.
        .group_by_col("late_since");
    let mut sums: Sums<Late> = Sums::new();
    for row in &connection.query_all(&query).await? {
        let (count, principal): (i64, i64) = (row.try_get("", "loans")?, row.try_get("", "principal")?);
        let late = sums.entry(place(row, group)?).or_default();
        late.principal = late.principal.checked_add(principal).ok_or_else(too_large)?;
        if let Some(since) = row.try_get::<Option<NaiveDate>>("", "late_since")? {
            late.by_days.insert(lending::loan::arrears::days_past_due(since, on), (principal, count));
        }
    }
    Ok(sums)
}

fn too_large() -> StoreError {
    StoreError::Corrupt("a sum that is too large to keep".to_owned())
}

/// What is left of installments that were due by a day, by their age.
///
/// # Errors
/// Whatever the database answers.
pub async fn aged(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
    on: NaiveDate,
) -> Result<Sums<Aged>, StoreError> {
    let backend = connection.get_database_backend();
    let (mut query, due_on, portions_left) = match kept(choice, group, Family::Dues, backend)? {
        Some(query) => (query, Expr::col((loan::Entity, loan_installment::Column::DueOn)), OUTSTANDING.map(column)),
        None => {
            let mut query = grouped(choice, group, backend)?;
            query.inner_join(loan_installment::Entity, of_loan()).and_where(something_left());
            (query, Expr::col((loan_installment::Entity, loan_installment::Column::DueOn)), left())
        }
    };
    query.and_where(due_on.clone().lte(on)).expr_as(age_of(&due_on, on), "age").group_by_col("age");
    for (name, part) in PORTIONS.into_iter().zip(portions_left) {
        query.expr_as(sum(part), name);
    }
    let mut sums: Sums<Aged> = Sums::new();
    for row in &connection.query_all(&query).await? {
        let age = usize::try_from(row.try_get::<i64>("", "age")?).unwrap_or(usize::MAX);
        let aged = sums.entry(place(row, group)?).or_default();
        if let Some(part) = aged.ages.get_mut(age) {
            *part = portions(row)?;
        }
    }
    Ok(sums)
}

pub(in crate::store) fn of_loan() -> SimpleExpr {
    Expr::col((loan_installment::Entity, loan_installment::Column::LoanId)).equals((loan::Entity, loan::Column::Id))
}

/// Written out and not bound: an index is of just these rows, and engines only see that when it is.
pub(in crate::store) fn something_left() -> SimpleExpr {
    Expr::cust("loan_installments.left_minor > 0")
}

/// The four portions that are left of an installment.
pub(in crate::store) fn left() -> [SimpleExpr; 4] {
    use loan_installment::Column as Of;
    let part = |due: Of, paid: Of, waived: Of, written_off: Of| {
        let column = |column: Of| Expr::col((loan_installment::Entity, column));
        column(due).sub(column(paid)).sub(column(waived)).sub(column(written_off))
    };
    [
        part(Of::DuePrincipalMinor, Of::PaidPrincipalMinor, Of::WaivedPrincipalMinor, Of::WrittenOffPrincipalMinor),
        part(Of::DueInterestMinor, Of::PaidInterestMinor, Of::WaivedInterestMinor, Of::WrittenOffInterestMinor),
        part(Of::DueFeesMinor, Of::PaidFeesMinor, Of::WaivedFeesMinor, Of::WrittenOffFeesMinor),
        part(Of::DuePenaltiesMinor, Of::PaidPenaltiesMinor, Of::WaivedPenaltiesMinor, Of::WrittenOffPenaltiesMinor),
    ]
}

fn age_of(due_on: &SimpleExpr, on: NaiveDate) -> SimpleExpr {
    let mut ages = AGES.iter().zip(0_i64..).filter_map(|(most, age)| {
        let first = on.checked_sub_days(Days::new(u64::from(*most)))?;
        Some((due_on.clone().gte(first), age))
    });
    let last = i64::try_from(AGES.len()).unwrap_or(i64::MAX);
    match ages.next() {
        None => Expr::val(last),
        Some((condition, age)) => {
            let first = Expr::case(condition, Expr::val(age));
            ages.fold(first, |all, (condition, age)| all.case(condition, Expr::val(age)))
                .finally(Expr::val(last))
                .into()
        }
    }
}

/// Active loans with a new agreement that stands.
///
/// # Errors
/// Whatever the database answers.
pub async fn rescheduled(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    group: GroupBy,
) -> Result<Sums<Rescheduled>, StoreError> {
    let mut query = grouped(choice, group, connection.get_database_backend())?;
    query
        .and_where(is_active())
        .and_where(loan::Column::Id.in_subquery(with_new_agreement()))
        .expr_as(column(loan::Column::Id).count(), "loans");
    outstanding(&mut query);
    let rows = connection.query_all(&query).await?;
    let read = |row: &sea_orm::QueryResult| -> Result<_, StoreError> {
        Ok((place(row, group)?, Rescheduled { count: row.try_get("", "loans")?, outstanding: portions(row)? }))
    };
    rows.iter().map(read).collect()
}

fn with_new_agreement() -> SelectStatement {
    let reversal = (loan_reversal::Entity, loan_reversal::Column::TransactionId);
    let transaction = (loan_transaction::Entity, loan_transaction::Column::Id);
    Query::select()
        .column((loan_transaction::Entity, loan_transaction::Column::LoanId))
        .from(loan_transaction::Entity)
        .left_join(loan_reversal::Entity, Expr::col(reversal).equals(transaction))
        .and_where(loan_transaction::Column::Kind.eq(TransactionKind::Reschedule.as_str()))
        .and_where(Expr::col(reversal).is_null())
        .to_owned()
}
