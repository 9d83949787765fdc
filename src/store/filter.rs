//! Filters as data: a small tree of tests over a table's fields, built by the services and turned into SQL here. Tests
//! are two-valued: a missing value fails every test but `IsMissing`, so that `Not` is always the exact complement.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{
    Alias, CommonTableExpression, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr, UnionType, WithClause,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ModelTrait, Value};
use serde::Serialize;
use uuid::Uuid;

use super::entity::branch;

/// A value to compare a field with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Scalar {
    /// Text, compared by code point.
    Text(String),
    /// A count, minor units, parts per million.
    Integer(i64),
    /// A business date.
    Date(NaiveDate),
    /// A moment.
    Time(DateTime<Utc>),
    /// A row's id.
    Id(Uuid),
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text(text) => text.into(),
            Scalar::Integer(number) => number.into(),
            Scalar::Date(date) => date.into(),
            Scalar::Time(time) => time.into(),
            Scalar::Id(id) => id.into(),
        }
    }
}

/// What to ask of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Test {
    /// Equal.
    Is(Scalar),
    /// Equal to one of these; never true of an empty list.
    OneOf(Vec<Scalar>),
    /// Less than.
    Below(Scalar),
    /// Less than or equal.
    AtMost(Scalar),
    /// Greater than.
    Above(Scalar),
    /// Greater than or equal.
    AtLeast(Scalar),
    /// There is no value.
    IsMissing,
}

/// A condition on the rows of one table, whose filterable fields are `F`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Filter<F> {
    /// Every one; true when empty.
    All(Vec<Filter<F>>),
    /// At least one; false when empty.
    Any(Vec<Filter<F>>),
    /// The complement.
    Not(Box<Filter<F>>),
    /// A test of one field.
    Field(F, Test),
    /// Free text, matched as the table sees fit, ignoring case.
    Search(String),
    /// The row belongs to one of these branches or to a branch below one of them.
    UnderBranches(Vec<Uuid>),
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// A table's fields that can be filtered or sorted by.
pub trait Field: Copy + Eq + Serialize + Send + Sync + 'static {
    /// The table.
    type Entity: EntityTrait;

    /// A name for the list, bound into its cursors.
    const LIST: &'static str;

    /// The column behind the field.
    fn column(self) -> <Self::Entity as EntityTrait>::Column;

    /// Whether the column may hold NULL. Such a field cannot be sorted by.
    fn nullable(self) -> bool {
        false
    }

    /// The field's value in a row, for a cursor.
    fn value(self, row: &<Self::Entity as EntityTrait>::Model) -> Value {
        row.get(self.column())
    }

    /// What free text is looked for in. `pattern` is a LIKE pattern, lower case, with `\` as its escape.
    fn search(pattern: &str) -> Condition;

    /// The column that ties a row to its branch; `None` for tables that belong to no branch.
    fn branch_column() -> Option<<Self::Entity as EntityTrait>::Column>;

    /// The table's primary key, the last key of every order.
    fn id_column() -> <Self::Entity as EntityTrait>::Column;
}

impl<F: Field> Filter<F> {
    /// The filter as SQL.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::All(parts) => parts.iter().fold(Condition::all(), |all, part| all.add(part.condition())),
            // An empty OR would be rendered as nothing, that is, as true.
            Self::Any(parts) if parts.is_empty() => Condition::all().add(never()),
            Self::Any(parts) => parts.iter().fold(Condition::any(), |any, part| any.add(part.condition())),
            Self::Not(inner) => match inner.as_ref() {
                Self::All(parts) if parts.is_empty() => Condition::all().add(never()),
                other => other.condition().not(),
            },
            Self::Field(field, test) => field_condition(*field, test),
            Self::Search(text) => F::search(&like_pattern(text)),
            Self::UnderBranches(ids) => match F::branch_column() {
                Some(column) => Condition::all()
                    .add(column.in_subquery(branches_below(branch::Column::Id.is_in(ids.iter().copied())))),
                None => Condition::all(),
            },
        }
    }
}

fn field_condition<F: Field>(field: F, test: &Test) -> Condition {
    let column = field.column();
    let comparison: SimpleExpr = match test.clone() {
        Test::IsMissing => return Condition::all().add(column.is_null()),
        Test::OneOf(values) if values.is_empty() => return Condition::all().add(never()),
        Test::Is(value) => column.eq(value),
        Test::OneOf(values) => column.is_in(values),
        Test::Below(value) => column.lt(value),
        Test::AtMost(value) => column.lte(value),
        Test::Above(value) => column.gt(value),
        Test::AtLeast(value) => column.gte(value),
    };
    let condition = Condition::all().add(comparison);
    if field.nullable() { condition.add(column.is_not_null()) } else { condition }
}

fn never() -> SimpleExpr {
    Expr::val(1).eq(0)
}

/// `column` contains the pattern, ignoring case.
pub(super) fn folded_like(column: impl ColumnTrait, pattern: &str) -> SimpleExpr {
    Expr::expr(Func::lower(Expr::col(column.as_column_ref())))
        .like(sea_orm::sea_query::LikeExpr::new(pattern.to_owned()).escape('\\'))
}

/// A column that already holds lower-case text contains the pattern.
pub(super) fn like(column: impl ColumnTrait, pattern: &str) -> SimpleExpr {
    Expr::col(column.as_column_ref()).like(sea_orm::sea_query::LikeExpr::new(pattern.to_owned()).escape('\\'))
}

fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.trim().to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// `SELECT id` of the branches that satisfy `roots` and of all branches below them. `UNION` (not `UNION ALL`) ends the
/// recursion even if the forest had a cycle.
pub(super) fn branches_below(roots: SimpleExpr) -> SelectStatement {
    let tree = Alias::new("branch_tree");
    let child = Alias::new("child");
    let recursion = Query::select()
        .column((child.clone(), branch::Column::Id))
        .from_as(branch::Entity, child.clone())
        .inner_join(
            tree.clone(),
            Expr::col((child.clone(), branch::Column::ParentId)).equals((tree.clone(), branch::Column::Id)),
        )
        .to_owned();
    let walk = Query::select()
        .column((branch::Entity, branch::Column::Id))
        .from(branch::Entity)
        .and_where(roots)
        .union(UnionType::Distinct, recursion)
        .to_owned();
    let expression =
        CommonTableExpression::new().query(walk).column(branch::Column::Id).table_name(tree.clone()).to_owned();
    let mut with = WithClause::new();
    with.recursive(true).cte(expression);
    Query::select().column((tree.clone(), branch::Column::Id)).from(tree).with_cte(with).to_owned()
}
