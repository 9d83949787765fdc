//! Filters as data: a small tree of tests over a table's fields, built by the services and turned into SQL here. Tests
//! are two-valued: a missing value fails every test but `IsMissing`, so that `Not` is always the exact complement.
//! Values no row can hold are refused here, on both engines alike, before a statement is sent.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{
    Alias, CommonTableExpression, Expr, ExprTrait, Func, LikeExpr, Query, SelectStatement, SimpleExpr, UnionType,
    WithClause,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Value};
use serde::Serialize;
use uuid::Uuid;

use super::branches::BranchField;
use super::entity::branch;
use super::error::StoreError;
use super::rows::ByPlace;
use super::scope::Scope;

/// SQLite matches patterns of at most 50,000 bytes; nobody types a tenth of that.
const LONGEST_SEARCH: usize = 5_000;

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
    /// A keyed hash.
    Hash(Vec<u8>),
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text(text) => text.into(),
            Scalar::Integer(number) => number.into(),
            Scalar::Date(date) => date.into(),
            Scalar::Time(time) => time.into(),
            Scalar::Id(id) => id.into(),
            Scalar::Hash(hash) => hash.into(),
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
    /// The row belongs to a branch in one of these time zones.
    InTimeZones(Vec<String>),
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// A table's fields that can be filtered or sorted by.
pub trait Field: Copy + Eq + Serialize + Send + Sync + 'static {
    /// The table.
    type Entity: EntityTrait<Model: ByPlace<Entity = Self::Entity>>;

    /// A name for the list, bound into its cursors.
    const LIST: &'static str;

    /// The column behind the field.
    fn column(self) -> <Self::Entity as EntityTrait>::Column;

    /// Whether the column may hold NULL. Such a field cannot be sorted by, unless its operand is never NULL.
    fn nullable(self) -> bool {
        false
    }

    /// What is compared and sorted by: the column, or an expression over it that is never NULL and that an index is of.
    fn operand(self) -> SimpleExpr {
        Expr::col(self.column().as_column_ref())
    }

    /// Which rows the field can refer to are there for this scope, if it refers to rows of another branch at all: of the
    /// others not even the link is told.
    fn visible_targets(self, _: &Scope) -> Option<SelectStatement> {
        None
    }

    /// A test of the operand as a condition on the table: itself, unless the column belongs to rows of another table.
    fn lift(self, test: SimpleExpr) -> SimpleExpr {
        test
    }

    /// The field's value in a row, for a cursor; `None` where it was not read.
    fn value(self, row: &impl ByPlace<Entity = Self::Entity>) -> Option<Value> {
        row.value(self.column())
    }

    /// What free text is looked for in.
    fn search(pattern: &LikePattern) -> Condition;

    /// The column that ties a row to its branch; `None` for tables that belong to no branch.
    fn branch_column() -> Option<<Self::Entity as EntityTrait>::Column>;

    /// Whether some rows belong to no branch, in a table whose others do.
    fn branch_may_be_missing() -> bool {
        false
    }

    /// The table's primary key, the last key of every order.
    fn id_column() -> <Self::Entity as EntityTrait>::Column;
}

impl<F: Field> Filter<F> {
    /// The rows that match and exist for this scope, as SQL.
    ///
    /// # Errors
    /// [`StoreError::BadText`] when the filter holds text the database cannot.
    pub fn within(&self, scope: &Scope) -> Result<Condition, StoreError> {
        Ok(Condition::all().add(scope.condition::<F>()).add(self.condition(scope)?))
    }

    /// The time zones that it narrows the rows to before anything else, if it does.
    pub(super) fn zones(&self) -> Option<&[String]> {
        match self {
            Self::InTimeZones(zones) => Some(zones),
            Self::All(parts) => parts.iter().find_map(Self::zones),
            _ => None,
        }
    }

    fn condition(&self, scope: &Scope) -> Result<Condition, StoreError> {
        self.with_leaves(&|leaf| {
            Ok(match leaf {
                Self::Field(field, test) => field_condition(*field, test, scope)?,
                Self::Search(text) => F::search(&LikePattern::new(text, scope)?),
                Self::UnderBranches(ids) => of_branches::<F>(|| branches_below(roots(ids, scope))),
                Self::InTimeZones(zones) => of_branches::<F>(|| in_time_zones(zones)),
                Self::All(_) | Self::Any(_) | Self::Not(_) => leaf.condition(scope)?,
            })
        })
    }

    /// The filter as SQL, given what becomes of what is none of several parts.
    pub(super) fn with_leaves(
        &self,
        leaf: &dyn Fn(&Self) -> Result<Condition, StoreError>,
    ) -> Result<Condition, StoreError> {
        Ok(match self {
            Self::All(parts) => parts
                .iter()
                .try_fold(Condition::all(), |all, part| Ok::<_, StoreError>(all.add(part.with_leaves(leaf)?)))?,
            // An empty OR would be rendered as nothing, that is, as true.
            Self::Any(parts) if parts.is_empty() => Condition::all().add(never()),
            Self::Any(parts) => parts
                .iter()
                .try_fold(Condition::any(), |any, part| Ok::<_, StoreError>(any.add(part.with_leaves(leaf)?)))?,
            Self::Not(inner) => match inner.as_ref() {
                Self::All(parts) if parts.is_empty() => Condition::all().add(never()),
                other => other.with_leaves(leaf)?.not(),
            },
            other => leaf(other)?,
        })
    }

    /// Whether all that is asked is of a kind.
    pub(super) fn asks_only(&self, is_known: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(|part| part.asks_only(is_known)),
            Self::Not(inner) => inner.asks_only(is_known),
            other => is_known(other),
        }
    }
}

/// The rows of some branches; a row of no branch is in none of them, and in the complement.
fn of_branches<F: Field>(branches: impl FnOnce() -> SelectStatement) -> Condition {
    let Some(column) = F::branch_column() else { return Condition::all() };
    let condition = Condition::all().add(column.in_subquery(branches()));
    if F::branch_may_be_missing() { condition.add(column.is_not_null()) } else { condition }
}

/// The branches in these time zones.
pub(super) fn in_time_zones(zones: &[String]) -> SelectStatement {
    Query::select()
        .column((branch::Entity, branch::Column::Id))
        .from(branch::Entity)
        .and_where(branch::Column::TimeZone.is_in(zones.iter().cloned()))
        .to_owned()
}

/// The branches with these ids that exist for the scope: naming another one must not even show that it lies above one's
/// own.
fn roots(ids: &[Uuid], scope: &Scope) -> SimpleExpr {
    Condition::all().add(branch::Column::Id.is_in(ids.iter().copied())).add(scope.condition::<BranchField>()).into()
}

/// Text that both engines can hold. PostgreSQL has no NUL characters; SQLite takes them and then cuts text off at them.
pub(super) fn storable(text: &str) -> Result<&str, StoreError> {
    if text.contains('\0') { Err(StoreError::BadText) } else { Ok(text) }
}

impl Test {
    fn scalars(&self) -> &[Scalar] {
        match self {
            Self::IsMissing => &[],
            Self::OneOf(values) => values,
            Self::Is(value) | Self::Below(value) | Self::AtMost(value) | Self::Above(value) | Self::AtLeast(value) => {
                std::slice::from_ref(value)
            }
        }
    }
}

fn field_condition<F: Field>(field: F, test: &Test, scope: &Scope) -> Result<Condition, StoreError> {
    for scalar in test.scalars() {
        if let Scalar::Text(text) = scalar {
            storable(text)?;
        }
    }
    let (column, operand) = (field.column(), field.operand());
    let value = Expr::val::<Scalar>;
    let comparison: SimpleExpr = match test.clone() {
        Test::IsMissing if field.nullable() => return Ok(Condition::all().add(column.is_null())),
        Test::IsMissing => return Ok(Condition::all().add(never())),
        Test::OneOf(values) if values.is_empty() => return Ok(Condition::all().add(never())),
        Test::Is(scalar) => operand.eq(value(scalar)),
        Test::OneOf(values) => operand.is_in(values),
        Test::Below(scalar) => operand.lt(value(scalar)),
        Test::AtMost(scalar) => operand.lte(value(scalar)),
        Test::Above(scalar) => operand.gt(value(scalar)),
        Test::AtLeast(scalar) => operand.gte(value(scalar)),
    };
    let mut condition = Condition::all().add(field.lift(comparison));
    if let (Scope::Branches(_), Some(targets)) = (scope, field.visible_targets(scope)) {
        condition = condition.add(column.in_subquery(targets));
    }
    Ok(if field.nullable() { condition.add(column.is_not_null()) } else { condition })
}

fn never() -> SimpleExpr {
    Expr::val(1).eq(0)
}

/// What to look for, as LIKE patterns with `\` as their escape: what `%`, `_` and `\` mean to LIKE is taken from them.
pub struct LikePattern {
    folded: String,
    ascii: String,
    scope: Scope,
}

impl LikePattern {
    fn new(text: &str, scope: &Scope) -> Result<Self, StoreError> {
        let text = storable(text)?.trim();
        if text.len() > LONGEST_SEARCH {
            return Err(StoreError::BadText);
        }
        let mut escaped = String::with_capacity(text.len() + 2);
        escaped.push('%');
        for letter in text.chars() {
            if matches!(letter, '%' | '_' | '\\') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        escaped.push('%');
        Ok(Self { folded: escaped.to_lowercase(), ascii: escaped.to_ascii_lowercase(), scope: scope.clone() })
    }

    /// For whom it is looked for: rows of another table count as far as they are there for the scope.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// A column that holds text in lower case contains it: case does not matter in any alphabet.
    pub(super) fn in_folded(&self, column: impl ColumnTrait) -> SimpleExpr {
        Self::like(Expr::col(column.as_column_ref()), &self.folded)
    }

    /// A column of codes, numbers or references contains it. Case does not matter from A to Z: the engines' `lower`
    /// knows no other letters.
    pub(super) fn in_code(&self, column: impl ColumnTrait) -> SimpleExpr {
        Self::like(Expr::expr(Func::lower(Expr::col(column.as_column_ref()))), &self.ascii)
    }

    /// [`in_code`](Self::in_code) for a column that may hold NULL, which contains nothing.
    pub(super) fn in_optional_code(&self, column: impl ColumnTrait) -> SimpleExpr {
        self.in_code(column).and(column.is_not_null())
    }

    fn like(text: SimpleExpr, pattern: &str) -> SimpleExpr {
        text.like(LikeExpr::new(pattern.to_owned()).escape('\\'))
    }
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
