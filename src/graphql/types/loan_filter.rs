//! Which loans: shared by the list of loans and the portfolio, so that the two always mean the same.

use async_graphql::{InputObject, Result};

use super::filters::{
    Conditions, CurrencyFilter, DateFilter, DateTimeFilter, IdFilter, Inner, IntFilter, LoanStatusFilter, MoneyFilter,
    Nested, StringFilter,
};
use crate::ids::Kind;
use crate::service::loans::LoanField;

/// Which loans. All conditions must hold.
#[derive(Default, InputObject)]
pub struct LoanFilter {
    /// All of these must hold too.
    pub and: Option<Vec<LoanFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<LoanFilter>>,
    /// This must not hold.
    pub not: Option<Box<LoanFilter>>,
    /// The status.
    pub status: Option<LoanStatusFilter>,
    /// The branch that lends.
    pub branch: Option<IdFilter>,
    /// Whether the branches below count too.
    #[graphql(default = true)]
    pub include_sub_branches: bool,
    /// Who borrows.
    pub borrower: Option<IdFilter>,
    /// The product.
    pub product: Option<IdFilter>,
    /// The group whose members answer for it.
    pub group: Option<IdFilter>,
    /// The subject of the credit officer.
    pub officer: Option<StringFilter>,
    /// The id in another system.
    pub external_ref: Option<StringFilter>,
    /// The currency.
    pub currency: Option<CurrencyFilter>,
    /// The amount applied for.
    pub principal: Option<MoneyFilter>,
    /// The day of the application.
    pub applied_on: Option<DateFilter>,
    /// The day of the disbursement.
    pub disbursed_on: Option<DateFilter>,
    /// How many days the oldest installment with anything left of it is past due, on the business date of the loan's branch; 0 when none is. A page's cursors belong to that date.
    pub days_past_due: Option<IntFilter>,
    /// The next due date of an installment with anything left of it, as the end of the last day or the last change left it.
    pub next_due_on: Option<DateFilter>,
    /// When the application was taken.
    pub created_at: Option<DateTimeFilter>,
    /// Text in the loan's number or external reference, or in the borrower's name, number or external reference, in any case; at most 100 characters.
    pub search: Option<String>,
}

impl Nested for LoanFilter {
    type Field = LoanField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<LoanField>> {
        let mut conditions = Conditions::default();
        conditions.loan_status(LoanField::Status, self.status);
        conditions.branch(LoanField::Branch, self.branch, self.include_sub_branches)?;
        conditions.id(LoanField::Borrower, self.borrower, Kind::Borrower)?;
        conditions.id(LoanField::Product, self.product, Kind::LoanProduct)?;
        conditions.id(LoanField::Group, self.group, Kind::Group)?;
        conditions.text(LoanField::Officer, self.officer);
        conditions.text(LoanField::ExternalRef, self.external_ref);
        conditions.currency(LoanField::Currency, self.currency)?;
        conditions.money(LoanField::Principal, LoanField::Currency, self.principal)?;
        conditions.date(LoanField::AppliedOn, self.applied_on);
        conditions.date(LoanField::DisbursedOn, self.disbursed_on);
        conditions.integer(LoanField::DaysPastDue, self.days_past_due);
        conditions.date(LoanField::NextDueOn, self.next_due_on);
        conditions.time(LoanField::CreatedAt, self.created_at);
        conditions.search(self.search)?;
        Ok(conditions)
    }
}
