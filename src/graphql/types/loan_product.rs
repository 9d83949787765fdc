//! Loan products in the API.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use uuid::Uuid;

use super::id::id;
use super::money::Money;
use super::scalars::{CurrencyCode, DateTime, Decimal};
use super::term_choices::PeriodUnit;
use super::terms::LoanConditions;
use super::written::written;
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::loan_products::{LoanProductKey, LoanProductRecord};

/// What may be lent, and on which terms by default.
#[derive(Clone)]
pub struct LoanProduct {
    record: Arc<LoanProductRecord>,
}

/// Whether a product is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::loan_products::LoanProductStatus")]
pub enum LoanProductStatus {
    /// It can be applied for.
    Active,
    /// It can no longer be applied for; loans made under it go on.
    Retired,
}

impl From<LoanProductRecord> for LoanProduct {
    fn from(record: LoanProductRecord) -> Self {
        Self::from(Arc::new(record))
    }
}

impl From<Arc<LoanProductRecord>> for LoanProduct {
    fn from(record: Arc<LoanProductRecord>) -> Self {
        Self { record }
    }
}

impl LoanProduct {
    /// The products with these ids, by id.
    pub async fn by_id(request: Request<'_>, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, Self>> {
        ids.sort_unstable();
        ids.dedup();
        let records = request.services.loan_products_by_id(request.actor, &ids).await?;
        Ok(records.into_iter().flatten().map(|record| (record.id, Self { record })).collect())
    }

    /// The one product with this id, loaded on its own.
    pub async fn load(context: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let request = request(context)?;
        let record = request.services.loan_product(request.actor, &LoanProductKey::Id(id)).await?;
        Ok(record.map(Self::from))
    }

    fn money(&self, minor: i64) -> Money {
        lending::money::Money::new(minor, self.record.limits.currency).into()
    }
}

/// What may be lent, and on which terms by default.
#[Object]
impl LoanProduct {
    /// The id, such as "product_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::LoanProduct, self.record.id)
    }

    /// The short, unique code people know it by, such as "STANDARD-KES".
    fn code(&self) -> &str {
        &self.record.code
    }

    /// The name.
    fn name(&self) -> &str {
        &self.record.name
    }

    /// The currency of its loans.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.record.limits.currency.code().to_owned())
    }

    /// The least principal.
    fn principal_min(&self) -> Money {
        self.money(self.record.limits.principal_min)
    }

    /// The most principal.
    fn principal_max(&self) -> Money {
        self.money(self.record.limits.principal_max)
    }

    /// The least annual rate, in percent.
    fn annual_rate_min(&self) -> Decimal {
        percent(self.record.limits.rate_min_ppm)
    }

    /// The most annual rate, in percent.
    fn annual_rate_max(&self) -> Decimal {
        percent(self.record.limits.rate_max_ppm)
    }

    /// The fewest installments.
    fn installments_min(&self) -> u32 {
        self.record.limits.installments_min
    }

    /// The most installments.
    fn installments_max(&self) -> u32 {
        self.record.limits.installments_max
    }

    /// The annual rate, in percent, of a loan whose application names none.
    fn default_annual_rate(&self) -> Decimal {
        Decimal(self.record.default_rate.to_percent_string())
    }

    /// The number of installments of a loan whose application names none.
    fn default_installments(&self) -> u32 {
        self.record.default_installments
    }

    /// An installment falls due every so many units.
    fn every(&self) -> u32 {
        self.record.every
    }

    /// The unit of `every`.
    fn unit(&self) -> PeriodUnit {
        self.record.unit.into()
    }

    /// How its loans work where their application does not say otherwise.
    fn terms(&self) -> LoanConditions {
        LoanConditions::of(&self.record.conditions, self.record.limits.currency)
    }

    /// Whether it is offered.
    fn status(&self) -> LoanProductStatus {
        self.record.status.into()
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.record.version
    }

    /// When it was created.
    fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }
}

written!(LoanProduct {
    "id": value |it, _| id(Kind::LoanProduct, it.record.id),
    "code": value |it, context| it.code(context),
    "name": value |it, context| it.name(context),
    "currency": value |it, context| it.currency(context),
    "principalMin": object |it, context| it.principal_min(context),
    "principalMax": object |it, context| it.principal_max(context),
    "annualRateMin": value |it, context| it.annual_rate_min(context),
    "annualRateMax": value |it, context| it.annual_rate_max(context),
    "installmentsMin": value |it, context| it.installments_min(context),
    "installmentsMax": value |it, context| it.installments_max(context),
    "defaultAnnualRate": value |it, context| it.default_annual_rate(context),
    "defaultInstallments": value |it, context| it.default_installments(context),
    "every": value |it, context| it.every(context),
    "unit": value |it, context| it.unit(context),
    "status": value |it, context| it.status(context),
    "version": value |it, context| it.version(context),
    "createdAt": value |it, context| it.created_at(context),
    "updatedAt": value |it, context| it.updated_at(context),
});

fn percent(ppm: i64) -> Decimal {
    Decimal(lending::rate::Rate::from_ppm(ppm).to_percent_string())
}
