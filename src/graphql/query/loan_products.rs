//! Asking about loan products.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::connection::{
    LoanProductConnection, LoanProductConnectionFields, Order, OrderDirection, apart, connection, page_request,
    sort_keys,
};
use crate::graphql::types::filters::{self, Conditions, CurrencyFilter, DateTimeFilter, Inner, Nested};
use crate::graphql::types::id;
use crate::graphql::types::loan_product::{LoanProduct, LoanProductStatus};
use crate::ids::Kind;
use crate::service::loan_products::{self as service, LoanProductField, LoanProductKey};

/// The queries around loan products.
#[derive(Default)]
pub struct LoanProductQuery;

/// How to name one loan product.
#[derive(OneofObject)]
pub enum LoanProductBy {
    /// By its id.
    Id(ID),
    /// By its code.
    Code(String),
}

/// Which loan products to list. All conditions must hold.
#[derive(Default, InputObject)]
pub struct LoanProductFilter {
    /// All of these must hold too.
    pub and: Option<Vec<LoanProductFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<LoanProductFilter>>,
    /// This must not hold.
    pub not: Option<Box<LoanProductFilter>>,
    /// The status.
    pub status: Option<LoanProductStatus>,
    /// The currency.
    pub currency: Option<CurrencyFilter>,
    /// When it was created.
    pub created_at: Option<DateTimeFilter>,
    /// Text in the code or the name, in any case; at most 100 characters.
    pub search: Option<String>,
}

impl Nested for LoanProductFilter {
    type Field = LoanProductField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<LoanProductField>> {
        let mut conditions = Conditions::default();
        let status = self.status.map(|status| service::LoanProductStatus::from(status).as_str());
        conditions.name(LoanProductField::Status, status);
        conditions.currency(LoanProductField::Currency, self.currency)?;
        conditions.time(LoanProductField::CreatedAt, self.created_at);
        conditions.search(self.search)?;
        Ok(conditions)
    }
}

/// One key of the order of loan products.
#[derive(InputObject)]
pub struct LoanProductOrder {
    /// What to sort by.
    pub field: LoanProductOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What loan products can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum LoanProductOrderField {
    /// When it was created.
    CreatedAt,
    /// The code.
    Code,
    /// The name, in any case.
    Name,
}

impl Order for LoanProductOrder {
    type Key = LoanProductOrderField;

    fn key(&self) -> (LoanProductOrderField, OrderDirection) {
        (self.field, self.direction)
    }
}

impl From<LoanProductOrderField> for LoanProductField {
    fn from(field: LoanProductOrderField) -> Self {
        match field {
            LoanProductOrderField::CreatedAt => Self::CreatedAt,
            LoanProductOrderField::Code => Self::Code,
            LoanProductOrderField::Name => Self::Name,
        }
    }
}

#[Object]
impl LoanProductQuery {
    /// One loan product; null when there is no such product. Permission: ReadProducts.
    async fn loan_product(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which loan product.")] by: LoanProductBy,
    ) -> Nullable<LoanProduct> {
        let key = match by {
            LoanProductBy::Id(id) => id::read(&id, Kind::LoanProduct).map(LoanProductKey::Id),
            LoanProductBy::Code(code) => Ok(LoanProductKey::Code(code)),
        };
        let found = async {
            let request = request(context)?;
            let record = request.services.loan_product(request.actor, &key?).await?;
            Ok(record.map(LoanProduct::from))
        };
        found.await.transpose()
    }

    /// The loan products, oldest first unless ordered otherwise. Permission: ReadProducts.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn loan_products(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which loan products.")] filter: Option<LoanProductFilter>,
        #[graphql(desc = "In which order: at most 3 keys; the id decides between equals.")] order_by: Option<
            Vec<LoanProductOrder>,
        >,
    ) -> Result<LoanProductConnection> {
        let request = request(context)?;
        let page_request = page_request(request.limits, first, after, last, before)?;
        let filter = Arc::new(filters::read(filter)?);
        let order = sort_keys(order_by.unwrap_or_default(), LoanProductField::CreatedAt)?;
        let page = request.services.loan_products(request.actor, &filter, &order, &page_request).await?;
        let (page, records) = apart(page);
        let nodes = records.into_iter().map(LoanProduct::from).collect();
        Ok(connection(page, nodes, LoanProductConnectionFields::new(filter)))
    }
}
