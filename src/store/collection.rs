//! What is to be collected by a day: the active loans of branches with anything left of an installment due by then, as
//! the books stand now. Rows come by center, group, borrower and loan; a page is found by its neighbour's place and
//! never by counting.

use std::collections::HashMap;

use chrono::NaiveDate;
use lending::loan::{LoanStatus, Portions};
use lending::money::Currency;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, IdenStatic, QueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::convert;
use super::entity::{borrower, borrower_group, loan, loan_installment};
use super::error::StoreError;
use super::filter::{Filter, storable};
use super::loans::LoanField;
use super::portfolio::{ACTIVE, left, of_loan, something_left};
use super::scope::Scope;

/// Stands for no center and no group, after all others.
const LAST: &str = "\u{10FFFF}";

/// Which loans are looked at.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Which loans may be on it.
    pub filter: Filter<LoanField>,
    /// The day.
    pub on: NaiveDate,
}

/// The place of a row: center, name and number of the group, name and number of the borrower, number of the loan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(pub [String; 6]);

/// What is to be collected on one loan, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The loan.
    pub loan_id: Uuid,
    /// Who owes.
    pub borrower_id: Uuid,
    /// The group.
    pub group_id: Option<Uuid>,
    /// Where the group meets.
    pub meeting_place: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// What the borrower paid too much.
    pub credit: i64,
    /// The due date of the oldest installment with anything left of it.
    pub oldest_unpaid_due_on: NaiveDate,
    /// What falls due on the day.
    pub due: Portions,
    /// What fell due before it.
    pub overdue: Portions,
    /// When the next installment after the day falls due.
    pub next_due_on: Option<NaiveDate>,
}

/// What is to be collected from a group, or from those without one, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDue {
    /// The group.
    pub group_id: Option<Uuid>,
    /// Where it meets.
    pub meeting_place: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// How many loans.
    pub loans: i64,
    /// What falls due on the day.
    pub due: Portions,
    /// What fell due before it.
    pub overdue: Portions,
}

impl Sheet {
    fn condition(&self, scope: &Scope) -> Result<Condition, StoreError> {
        Ok(Condition::all()
            .add(self.filter.within(scope)?)
            .add(loan::Column::Status.is_in(ACTIVE.map(LoanStatus::as_str)))
            .add(loan::Column::OldestUnpaidDueOn.lte(self.on)))
    }
}

fn keys() -> [SimpleExpr; 6] {
    let of_group = |column: borrower_group::Column| -> SimpleExpr {
        Func::coalesce([Expr::col((borrower_group::Entity, column)), Expr::val(LAST)]).into()
    };
    [
        of_group(borrower_group::Column::MeetingPlace),
        of_group(borrower_group::Column::NameFolded),
        of_group(borrower_group::Column::Number),
        Expr::col((borrower::Entity, borrower::Column::NameFolded)),
        Expr::col((borrower::Entity, borrower::Column::Number)),
        Expr::col((loan::Entity, loan::Column::Number)),
    ]
}

const KEYS: [&str; 6] = ["key_center", "key_group", "key_group_number", "key_name", "key_borrower", "key_loan"];

fn with_group(query: &mut SelectStatement) {
    let group = Expr::col((borrower_group::Entity, borrower_group::Column::Id));
    query.left_join(borrower_group::Entity, group.equals((loan::Entity, loan::Column::GroupId)));
}

/// The next rows past a place, or the ones before it, in their order; at most so many.
///
/// # Errors
/// [`StoreError::InvalidCursor`] for a place no row can have; otherwise whatever the database answers.
pub async fn rows(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    sheet: &Sheet,
    place: Option<&Place>,
    backward: bool,
    size: u64,
) -> Result<Vec<(Place, Due)>, StoreError> {
    let mut query = Query::select();
    query.from(loan::Entity).inner_join(
        borrower::Entity,
        Expr::col((borrower::Entity, borrower::Column::Id)).equals((loan::Entity, loan::Column::BorrowerId)),
    );
    with_group(&mut query);
    query.cond_where(sheet.condition(scope)?);
    if let Some(Place(values)) = place {
        for value in values {
            storable(value).map_err(|_| StoreError::InvalidCursor)?;
        }
        let (keys, values) = (Expr::tuple(keys()), Expr::tuple(values.clone().map(Expr::val)));
        query.and_where(if backward { keys.lt(values) } else { keys.gt(values) });
    }
    let columns = [
        loan::Column::Id,
        loan::Column::BorrowerId,
        loan::Column::GroupId,
        loan::Column::Currency,
        loan::Column::CreditMinor,
        loan::Column::OldestUnpaidDueOn,
    ];
    for column in columns {
        query.expr_as(Expr::col((loan::Entity, column)), column.as_str());
    }
    query.expr_as(Expr::col((borrower_group::Entity, borrower_group::Column::MeetingPlace)), "meeting_place");
    for (name, key) in KEYS.into_iter().zip(keys()) {
        let direction = if backward { Order::Desc } else { Order::Asc };
        query.expr_as(key.clone(), name).order_by_expr(key, direction);
    }
    query.limit(size);
    let mut rows = connection.query_all(&query).await?.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    if backward {
        rows.reverse();
    }
    amounts(connection, sheet.on, &mut rows).await?;
    Ok(rows)
}

fn row(row: &QueryResult) -> Result<(Place, Due), StoreError> {
    let mut place = Place(Default::default());
    for (key, name) in place.0.iter_mut().zip(KEYS) {
        *key = row.try_get("", name)?;
    }
    let due = Due {
        loan_id: row.try_get("", "id")?,
        borrower_id: row.try_get("", "borrower_id")?,
        group_id: row.try_get("", "group_id")?,
        meeting_place: row.try_get("", "meeting_place")?,
        currency: convert::currency(&row.try_get::<String>("", "currency")?)?,
        credit: row.try_get("", "credit_minor")?,
        oldest_unpaid_due_on: row.try_get("", "oldest_unpaid_due_on")?,
        due: Portions::ZERO,
        overdue: Portions::ZERO,
        next_due_on: None,
    };
    Ok((place, due))
}

const DUE: [&str; 4] = ["due_principal", "due_interest", "due_fees", "due_penalties"];
const OVERDUE: [&str; 4] = ["overdue_principal", "overdue_interest", "overdue_fees", "overdue_penalties"];

fn due_on() -> SimpleExpr {
    Expr::col((loan_installment::Entity, loan_installment::Column::DueOn))
}

/// The sums of what is left, of the day and from before it.
fn sums(query: &mut SelectStatement, on: NaiveDate) {
    let sum = |condition: SimpleExpr, part: SimpleExpr| -> SimpleExpr {
        let part: SimpleExpr = Expr::case(condition, part).finally(Expr::val(0_i64)).into();
        // PostgreSQL sums bigints into a numeric; the cast fails, and does not wrap, when the sum does not fit.
        part.sum().cast_as(Alias::new("bigint"))
    };
    for ((due, overdue), part) in DUE.into_iter().zip(OVERDUE).zip(left()) {
        query.expr_as(sum(due_on().eq(on), part.clone()), due).expr_as(sum(due_on().lt(on), part), overdue);
    }
}

fn portions(row: &QueryResult, names: [&str; 4]) -> Result<Portions, StoreError> {
    let [principal, interest, fees, penalties] = names.map(|name| row.try_get::<i64>("", name));
    Ok(Portions { principal: principal?, interest: interest?, fees: fees?, penalties: penalties? })
}

/// What is left of the installments of these loans, in one statement.
async fn amounts(
    connection: &impl ConnectionTrait,
    on: NaiveDate,
    rows: &mut [(Place, Due)],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let loan_id = (loan_installment::Entity, loan_installment::Column::LoanId);
    let mut query = Query::select();
    let next: SimpleExpr = Expr::case(due_on().gt(on), due_on()).into();
    query
        .from(loan_installment::Entity)
        .and_where(Expr::col(loan_id).is_in(rows.iter().map(|(_, due)| due.loan_id)))
        .and_where(something_left())
        .expr_as(Expr::col(loan_id), "loan_id")
        .expr_as(next.min(), "next_due_on")
        .group_by_col(loan_id);
    sums(&mut query, on);
    let mut found = HashMap::new();
    for row in &connection.query_all(&query).await? {
        let id: Uuid = row.try_get("", "loan_id")?;
        let next: Option<NaiveDate> = row.try_get("", "next_due_on")?;
        found.insert(id, (portions(row, DUE)?, portions(row, OVERDUE)?, next));
    }
    for (_, row) in rows {
        if let Some((due, overdue, next)) = found.remove(&row.loan_id) {
            (row.due, row.overdue, row.next_due_on) = (due, overdue, next);
        }
    }
    Ok(())
}

/// What is to be collected from each group in each currency, in the order of the rows; those without a group are last.
///
/// # Errors
/// Whatever the database answers.
pub async fn groups(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    sheet: &Sheet,
) -> Result<Vec<GroupDue>, StoreError> {
    let group = |column: borrower_group::Column| (borrower_group::Entity, column);
    let mut query = Query::select();
    query.from(loan::Entity).inner_join(loan_installment::Entity, of_loan());
    with_group(&mut query);
    query
        .cond_where(sheet.condition(scope)?)
        .and_where(due_on().lte(sheet.on))
        .and_where(something_left())
        .expr_as(Expr::col(group(borrower_group::Column::Id)), "group_id")
        .expr_as(Expr::col(group(borrower_group::Column::MeetingPlace)), "meeting_place")
        .expr_as(Expr::col(group(borrower_group::Column::NameFolded)), "name_folded")
        .expr_as(Expr::col(group(borrower_group::Column::Number)), "number")
        .expr_as(Expr::col((loan::Entity, loan::Column::Currency)), "currency")
        .expr_as(Expr::col((loan::Entity, loan::Column::Id)).count_distinct(), "loans")
        .group_by_col(group(borrower_group::Column::Id))
        .group_by_col(group(borrower_group::Column::MeetingPlace))
        .group_by_col(group(borrower_group::Column::NameFolded))
        .group_by_col(group(borrower_group::Column::Number))
        .group_by_col((loan::Entity, loan::Column::Currency));
    sums(&mut query, sheet.on);
    let mut rows = Vec::new();
    for row in &connection.query_all(&query).await? {
        let text = |name: &str| row.try_get::<Option<String>>("", name);
        let (place, name, number) = (text("meeting_place")?, text("name_folded")?, text("number")?);
        let last = |text: Option<String>| text.unwrap_or_else(|| LAST.to_owned());
        let currency = convert::currency(&row.try_get::<String>("", "currency")?)?;
        let key = (last(place.clone()), last(name), last(number), currency.code());
        let due = GroupDue {
            group_id: row.try_get("", "group_id")?,
            meeting_place: place,
            currency,
            loans: row.try_get("", "loans")?,
            due: portions(row, DUE)?,
            overdue: portions(row, OVERDUE)?,
        };
        rows.push((key, due));
    }
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(rows.into_iter().map(|(_, due)| due).collect())
}
