//! The toy schema: one of everything the guard judges.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    Context, Enum, ID, InputObject, MaybeUndefined, Object, OneofObject, Schema, SimpleObject, Subscription,
    ValidationMode,
};
use futures_util::{Stream, stream};

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum Kind {
    Small,
    Large,
}

#[derive(InputObject)]
pub(super) struct MoneyInput {
    amount: String,
    #[graphql(default = "KES")]
    currency: String,
}

#[derive(OneofObject)]
pub(super) enum LoanBy {
    Id(ID),
    Number(String),
}

#[derive(InputObject)]
pub(super) struct LoanFilter {
    and: Option<Vec<LoanFilter>>,
    kind: Option<Kind>,
    money: Option<MoneyInput>,
    by: Option<LoanBy>,
    counts: Option<Vec<i32>>,
    required: bool,
}

#[derive(InputObject)]
pub(super) struct UpdateInput {
    id: ID,
    note: MaybeUndefined<String>,
    money: Option<MoneyInput>,
}

#[derive(SimpleObject)]
struct PageInfo {
    has_next_page: bool,
}

struct Loan;
#[Object]
impl Loan {
    async fn id(&self) -> ID {
        "1".into()
    }
    async fn payments(&self, first: Option<i32>, last: Option<i32>) -> LoanConnection {
        let _ = (first, last);
        LoanConnection
    }
}

struct LoanEdge;
#[Object]
impl LoanEdge {
    async fn node(&self) -> Loan {
        Loan
    }
}

struct LoanConnection;
#[Object]
impl LoanConnection {
    async fn edges(&self) -> Vec<LoanEdge> {
        vec![LoanEdge]
    }
    async fn nodes(&self) -> Vec<Loan> {
        vec![Loan]
    }
    async fn page_info(&self) -> PageInfo {
        PageInfo { has_next_page: false }
    }
    async fn total_count(&self) -> i32 {
        1
    }
}

pub(super) struct Query;
#[Object]
impl Query {
    /// Which schema ran: "strict" or "fast".
    async fn mode(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Mode>().0
    }
    async fn loan(&self, by: LoanBy) -> Loan {
        match by {
            LoanBy::Id(_) | LoanBy::Number(_) => Loan,
        }
    }
    async fn loans(&self, first: Option<i32>, last: Option<i32>, filter: Option<LoanFilter>) -> LoanConnection {
        let _ = (first, last);
        if let Some(LoanFilter { and, kind, money, by, counts, required }) = filter {
            let _ = (and.is_some(), kind.is_some(), money.map(|money| (money.amount, money.currency)));
            let _ = (by.is_some(), counts, required);
        }
        LoanConnection
    }
    async fn nodes(&self, ids: Vec<ID>) -> Vec<Option<Loan>> {
        ids.iter().map(|_| Some(Loan)).collect()
    }
    async fn fails(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err("no".into()))
    }
    async fn fails_hard(&self) -> async_graphql::Result<i32> {
        Err("no".into())
    }
    async fn int(&self, v: i32) -> bool {
        v == v.abs()
    }
    async fn take_int(&self, v: Option<i32>) -> bool {
        v.is_some()
    }
    async fn take_float(&self, v: Option<f64>) -> bool {
        v.is_some()
    }
    async fn take_string(&self, v: Option<String>) -> bool {
        v.is_some()
    }
    async fn take_boolean(&self, v: Option<bool>) -> bool {
        v.is_some()
    }
    async fn take_id(&self, v: Option<ID>) -> bool {
        v.is_some()
    }
    async fn take_kind(&self, v: Option<Kind>) -> bool {
        v.is_some()
    }
    async fn take_money(&self, v: Option<MoneyInput>) -> bool {
        v.is_some()
    }
    async fn take_by(&self, v: Option<LoanBy>) -> bool {
        v.is_some()
    }
    async fn take_filter(&self, v: Option<LoanFilter>) -> bool {
        v.is_some()
    }
    async fn take_ints(&self, v: Option<Vec<i32>>) -> bool {
        v.is_some()
    }
    async fn take_rows(&self, v: Option<Vec<Option<Vec<Option<i32>>>>>) -> bool {
        v.is_some()
    }
}

pub(super) struct Mutation;
#[Object]
impl Mutation {
    async fn approve(&self, ctx: &Context<'_>, id: ID) -> Loan {
        let _ = id;
        ctx.data_unchecked::<Runs>().0.fetch_add(1, Ordering::SeqCst);
        Loan
    }
    /// Says what became of `note`.
    async fn update(&self, input: UpdateInput) -> String {
        let _ = (input.id, input.money.is_some());
        match input.note {
            MaybeUndefined::Undefined => "left alone".to_owned(),
            MaybeUndefined::Null => "erased".to_owned(),
            MaybeUndefined::Value(note) => note,
        }
    }
}

pub(super) struct Ticks;
#[Subscription]
impl Ticks {
    async fn ticks(&self) -> impl Stream<Item = i32> {
        stream::iter([1, 2])
    }
}

pub(super) struct Mode(pub(super) &'static str);
#[derive(Clone, Default)]
pub(super) struct Runs(pub(super) Arc<AtomicUsize>);
pub(super) type Toy = Schema<Query, Mutation, Ticks>;

pub(super) fn schema(mode: &'static str, validation: ValidationMode, runs: Runs) -> Toy {
    let builder = Schema::build(Query, Mutation, Ticks).data(Mode(mode)).data(runs);
    builder.validation_mode(validation).disable_suggestions().finish()
}

pub(super) fn sdl() -> &'static str {
    static SDL: LazyLock<String> = LazyLock::new(|| schema("strict", ValidationMode::Strict, Runs::default()).sdl());
    &SDL
}
