//! Loans in the API.

pub mod balances;
mod charge;
mod decisions;
mod engine;
pub mod event;
pub mod event_input;
mod figures;
mod lists;
mod quotes;
pub mod replay;
mod schedule;
pub mod simulation;
pub mod transaction;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::try_join;
use uuid::Uuid;

use self::engine::Engine;
use self::figures::LoanFigures;
use self::lists::LoanLists;
use self::quotes::LoanQuotes;
use super::at_hand::AtHand;
use super::borrower::Borrower;
use super::branch::Branch;
use super::group::Group;
use super::id::id;
use super::loan_product::LoanProduct;
use super::money::Money;
use super::on_heap::OnHeap;
use super::scalars::{Date, DateTime};
use super::selection::{LoanPlan, Related};
use super::terms::LoanTerms;
use super::written::{Later, written};
use crate::graphql::error::Nullable;
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::loan_faces::LoanFace;
use crate::service::loan_views::LoanView;
use crate::service::loans::{LoanKey, LoanRecord};

/// A loan, from the application to its end.
#[derive(Clone)]
pub struct Loan {
    face: Arc<LoanFace>,
    engine: Engine,
    branch: Related<Branch>,
    borrower: Related<Borrower>,
    product: Related<LoanProduct>,
    group: Related<Group>,
}

/// Where a loan is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::LoanStatus")]
pub enum LoanStatus {
    /// Applied for, not decided.
    Pending,
    /// Approved, not disbursed.
    Approved,
    /// Refused by the lender.
    Rejected,
    /// Given up by the borrower before disbursement.
    Withdrawn,
    /// Paid out, being repaid.
    Disbursed,
    /// Too long in arrears.
    Defaulted,
    /// Repaid in full.
    Repaid,
    /// Given up by the lender.
    WrittenOff,
}

/// A step in a loan's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::Transition")]
pub enum LoanTransition {
    /// The lender agrees.
    Approve,
    /// The lender refuses.
    Reject,
    /// The borrower gives up.
    Withdraw,
    /// The approval is taken back.
    UndoApproval,
    /// The money is paid out.
    Disburse,
    /// The payout is taken back.
    UndoDisbursement,
    /// The loan is counted as defaulted.
    Default,
    /// The arrears of a defaulted loan are paid.
    Cure,
    /// Nothing is outstanding any more.
    Repay,
    /// A reversal left something outstanding on a repaid loan.
    Reopen,
    /// The lender gives up what is outstanding.
    WriteOff,
}

impl From<LoanRecord> for Loan {
    fn from(record: LoanRecord) -> Self {
        Self::from(Arc::new(record))
    }
}

impl From<Arc<LoanRecord>> for Loan {
    fn from(record: Arc<LoanRecord>) -> Self {
        let Row { face, engine } = record.into();
        Self {
            face,
            engine,
            branch: Related::Later,
            borrower: Related::Later,
            product: Related::Later,
            group: Related::Later,
        }
    }
}

/// A loan as it was read: its face, and behind it the whole loan if that was read.
struct Row {
    face: Arc<LoanFace>,
    engine: Engine,
}

impl From<Arc<LoanFace>> for Row {
    fn from(face: Arc<LoanFace>) -> Self {
        Self { engine: Engine::later(face.id), face }
    }
}

impl From<Arc<LoanRecord>> for Row {
    fn from(record: Arc<LoanRecord>) -> Self {
        Self { face: Arc::new(LoanFace::from(&*record)), engine: Engine::of(record) }
    }
}

/// What a list is of, of whose rows more or less was read.
pub struct Rows(Vec<Row>);

impl<R: Into<Row>> From<Vec<R>> for Rows {
    fn from(rows: Vec<R>) -> Self {
        Self(rows.into_iter().map(R::into).collect())
    }
}

impl Loan {
    /// Loans with the relations a plan asks for, in the order of the rows: one statement per relation.
    pub fn fetch<'a>(
        request: Request<'a>,
        rows: impl Into<Rows>,
        plan: &'a LoanPlan,
    ) -> BoxFuture<'a, Result<Vec<Self>>> {
        Box::pin(Self::fetch_all(request, rows.into().0, plan))
    }

    async fn fetch_all(request: Request<'_>, rows: Vec<Row>, plan: &LoanPlan) -> Result<Vec<Self>> {
        let ids = |of: fn(&LoanFace) -> Uuid| rows.iter().map(|row| of(&row.face)).collect::<Vec<_>>();
        let (branches, borrowers, products, groups) = try_join!(
            if_any(plan.branch.as_ref().map(|plan| Branch::by_id(request, ids(|loan| loan.branch_id), plan))),
            if_any(plan.borrower.as_ref().map(|plan| Borrower::by_id(request, ids(|loan| loan.borrower_id), plan))),
            if_any(plan.product.then(|| LoanProduct::by_id(request, ids(|loan| loan.product_id)))),
            if_any(plan.group.as_ref().map(|plan| {
                Group::by_id(request, rows.iter().filter_map(|row| row.face.group_id).collect(), plan)
            })),
        )?;
        if plan.engine {
            fold(request, &rows).await?;
        }
        Ok(rows
            .into_iter()
            .map(|Row { face, engine }| Self {
                branch: Related::of(branches.as_ref(), face.branch_id),
                borrower: Related::of(borrowers.as_ref(), face.borrower_id),
                product: Related::of(products.as_ref(), face.product_id),
                group: face.group_id.map_or(Related::Fetched(None), |id| Related::of(groups.as_ref(), id)),
                engine,
                face,
            })
            .collect())
    }

    /// A loan as it was seen on a day or by a moment, with the relations a plan asks for.
    pub async fn seen(request: Request<'_>, view: LoanView, plan: &LoanPlan) -> Result<Option<Self>> {
        let plan = LoanPlan { engine: false, ..plan.clone() };
        let loan = Self::fetch(request, vec![Arc::new(view.record.clone())], &plan).await?.pop();
        if let Some(loan) = &loan {
            loan.engine.fetched(view);
        }
        Ok(loan)
    }

    /// The loans with these ids, by id, with as much of them and the relations as a plan asks for.
    pub async fn by_id(request: Request<'_>, mut ids: Vec<Uuid>, plan: &LoanPlan) -> Result<HashMap<Uuid, Self>> {
        ids.sort_unstable();
        ids.dedup();
        let (actor, services) = (request.actor, request.services);
        let rows: Rows = match plan.whole {
            true => services.loans_by_id(actor, &ids).await?.into_iter().flatten().collect::<Vec<_>>().into(),
            false => services.loan_faces_by_id(actor, &ids).await?.into_iter().flatten().collect::<Vec<_>>().into(),
        };
        let loans = Self::fetch(request, rows, plan).await?;
        Ok(loans.into_iter().map(|loan| (loan.face.id, loan)).collect())
    }

    /// The one loan with this id, loaded on its own.
    pub async fn load(context: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let request = request(context)?;
        let record = request.services.loan(request.actor, &LoanKey::Id(id)).await?;
        Ok(record.map(Self::from))
    }
}

/// Folds the histories of the loans all at once; where not all of them are whole, each loads itself.
async fn fold(request: Request<'_>, rows: &[Row]) -> Result<()> {
    let whole = rows.iter().map(|row| row.engine.record_at_hand().cloned());
    if let Ok(records) = whole.collect::<Result<Vec<LoanRecord>, _>>() {
        let views = request.services.loan_views(request.actor, records).await?;
        rows.iter().zip(views).for_each(|(row, view)| row.engine.fetched(view));
    }
    Ok(())
}

/// What a relation comes to, if it is asked for.
async fn if_any<T>(relation: Option<impl Future<Output = Result<T>>>) -> Result<Option<T>> {
    OptionFuture::from(relation).await.transpose()
}

/// A loan, from the application to its end.
#[Object]
impl Loan {
    /// The id, such as "loan_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::Loan, self.face.id)
    }

    /// The number people read out, such as "L-000000001".
    fn number(&self) -> &str {
        &self.face.number
    }

    /// The id in another system.
    fn external_ref(&self) -> Option<&str> {
        self.face.external_ref.as_deref()
    }

    /// Where the loan is in its life.
    fn status(&self) -> LoanStatus {
        self.face.status.into()
    }

    /// The steps that its status allows now.
    fn allowed_transitions(&self) -> Vec<LoanTransition> {
        self.face.status.allowed().iter().copied().map(LoanTransition::from).collect()
    }

    /// The branch that lends; null where the caller may not see it.
    async fn branch(&self, context: &Context<'_>) -> Nullable<AtHand<Branch>> {
        self.branch.or_load(|| Branch::load(context, self.face.branch_id)).await.map(AtHand::of)
    }

    /// Who borrows; null where the caller may not see them.
    async fn borrower(&self, context: &Context<'_>) -> Nullable<AtHand<Borrower>> {
        self.borrower.or_load(|| Borrower::load(context, self.face.borrower_id)).await.map(AtHand::of)
    }

    /// The product it was made under; null where the caller may not see it.
    async fn product(&self, context: &Context<'_>) -> Nullable<AtHand<LoanProduct>> {
        self.product.or_load(|| LoanProduct::load(context, self.face.product_id)).await.map(AtHand::of)
    }

    /// The group whose members answer for it; null when there is none and where the caller may not see it.
    async fn group(&self, context: &Context<'_>) -> Nullable<AtHand<Group>> {
        let id = self.face.group_id?;
        self.group.or_load(|| Group::load(context, id)).await.map(AtHand::of)
    }

    /// The subject of the credit officer who looks after it.
    fn officer(&self) -> Option<&str> {
        self.face.officer.as_deref()
    }

    /// What was agreed when it was applied for.
    async fn terms(&self, context: &Context<'_>) -> Result<LoanTerms> {
        Ok(LoanTerms::from(&self.engine.record(context).await?.terms))
    }

    /// The amount applied for.
    fn principal(&self) -> Money {
        self.face.principal.into()
    }

    /// The amount approved; null before the approval.
    async fn approved(&self, context: &Context<'_>) -> Nullable<Money> {
        self.engine.record(context).await.map(decisions::approved).transpose()
    }

    /// The amount disbursed so far.
    async fn disbursed(&self, context: &Context<'_>) -> Result<Money> {
        self.engine.record(context).await.map(decisions::disbursed)
    }

    /// The day of the application.
    fn applied_on(&self) -> Date {
        Date(self.face.applied_on)
    }

    /// The subject of whoever took the application.
    async fn applied_by(&self, context: &Context<'_>) -> Result<&str> {
        self.engine.record(context).await.map(decisions::applied_by)
    }

    /// The day of the approval.
    async fn approved_on(&self, context: &Context<'_>) -> Nullable<Date> {
        self.engine.record(context).await.map(decisions::approved_on).transpose()
    }

    /// The subject of whoever approved.
    async fn approved_by(&self, context: &Context<'_>) -> Nullable<&str> {
        self.engine.record(context).await.map(decisions::approved_by).transpose()
    }

    /// The day of the disbursement.
    fn disbursed_on(&self) -> Option<Date> {
        self.face.disbursed_on.map(Date)
    }

    /// The day it was counted as defaulted, while it is.
    async fn defaulted_on(&self, context: &Context<'_>) -> Nullable<Date> {
        self.engine.record(context).await.map(decisions::defaulted_on).transpose()
    }

    /// The day it ended: rejected, withdrawn, repaid or written off.
    async fn closed_on(&self, context: &Context<'_>) -> Nullable<Date> {
        self.engine.record(context).await.map(decisions::closed_on).transpose()
    }

    /// Why it was rejected or withdrawn, if a reason was given.
    async fn decision_reason(&self, context: &Context<'_>) -> Nullable<&str> {
        self.engine.record(context).await.map(decisions::reason).transpose()
    }

    #[graphql(flatten)]
    fn figures(&self) -> OnHeap<LoanFigures> {
        OnHeap(LoanFigures(self.engine.clone()))
    }

    #[graphql(flatten)]
    fn lists(&self) -> OnHeap<LoanLists> {
        OnHeap(LoanLists(self.engine.clone()))
    }

    #[graphql(flatten)]
    fn quotes(&self) -> OnHeap<LoanQuotes> {
        OnHeap(LoanQuotes(self.engine.clone()))
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.face.version
    }

    /// When the application was taken.
    fn created_at(&self) -> DateTime {
        DateTime(self.face.created_at)
    }

    /// When the loan last changed.
    fn updated_at(&self) -> DateTime {
        DateTime(self.face.updated_at)
    }
}

written!(Loan {
    "id": value |it, _| id(Kind::Loan, it.face.id),
    "number": value |it, context| it.number(context),
    "externalRef": value |it, context| it.external_ref(context),
    "status": value |it, context| it.status(context),
    "allowedTransitions": value |it, context| it.allowed_transitions(context),
    "branch": object |it, _| &it.branch,
    "borrower": object |it, _| &it.borrower,
    "product": object |it, _| &it.product,
    "group": object |it, _| &it.group,
    "officer": value |it, context| it.officer(context),
    "principal": object |it, context| it.principal(context),
    "approved": object |it, _| decisions::approved(it.engine.record_at_hand()?),
    "disbursed": object |it, _| decisions::disbursed(it.engine.record_at_hand()?),
    "appliedOn": value |it, context| it.applied_on(context),
    "appliedBy": value |it, _| decisions::applied_by(it.engine.record_at_hand()?),
    "approvedOn": value |it, _| decisions::approved_on(it.engine.record_at_hand()?),
    "approvedBy": value |it, _| decisions::approved_by(it.engine.record_at_hand()?),
    "disbursedOn": value |it, context| it.disbursed_on(context),
    "defaultedOn": value |it, _| decisions::defaulted_on(it.engine.record_at_hand()?),
    "closedOn": value |it, _| decisions::closed_on(it.engine.record_at_hand()?),
    "decisionReason": value |it, _| decisions::reason(it.engine.record_at_hand()?),
    "terms": object |it, _| LoanTerms::from(&it.engine.record_at_hand()?.terms),
    "asOf": value |it, _| Date(it.engine.at_hand()?.as_of),
    "balances": object |it, _| figures::outstanding(it.engine.at_hand()?).map_err(|_| Later)?,
    "overdue": object |it, _| figures::overdue(it.engine.at_hand()?).map_err(|_| Later)?,
    "creditBalance": object |it, _| figures::credit_balance(it.engine.at_hand()?),
    "recovered": object |it, _| figures::recovered(it.engine.at_hand()?),
    "daysPastDue": value |it, _| it.engine.at_hand()?.state.days_past_due(),
    "delinquencyBucket": object |it, _| figures::delinquency_bucket(it.engine.at_hand()?),
    "nextDueOn": value |it, _| it.engine.at_hand()?.state.next_due_on().map(Date),
    "maturesOn": value |it, _| it.engine.at_hand()?.state.matures_on().map(Date),
    "chargedOffOn": value |it, _| it.engine.at_hand()?.state.charged_off_on.map(Date),
    "version": value |it, context| it.version(context),
    "createdAt": value |it, context| it.created_at(context),
    "updatedAt": value |it, context| it.updated_at(context),
});

#[cfg(test)]
mod tests {
    use async_graphql::ContainerType;

    use super::super::money::Amount;
    use super::*;

    fn size_of_a_field<T: 'static, F: Future>(_: impl Fn(&'static T, &'static Context<'static>) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    /// A page makes one for every field of every row: whatever takes much belongs on the heap, behind `or_load` or `OnHeap`.
    #[test]
    fn fields_of_rows_have_small_futures() {
        let sizes = [
            ("Loan", size_of_a_field(|it: &'static Loan, context| it.resolve_field(context))),
            ("Branch", size_of_a_field(|it: &'static Branch, context| it.resolve_field(context))),
            ("Borrower", size_of_a_field(|it: &'static Borrower, context| it.resolve_field(context))),
            ("LoanProduct", size_of_a_field(|it: &'static LoanProduct, context| it.resolve_field(context))),
            ("Money", size_of_a_field(|it: &'static Amount, context| it.resolve_field(context))),
        ];
        assert!(sizes.iter().all(|(_, bytes)| *bytes <= 1_024), "{sizes:?}");
    }
}
