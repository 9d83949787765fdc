//! Creating, changing and retiring loan products.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::payload;
use crate::graphql::request::request;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::loan_product::LoanProduct;
use crate::graphql::types::money::MoneyInput;
use crate::graphql::types::scalars::{CurrencyCode, Decimal};
use crate::graphql::types::term_choices::PeriodUnit;
use crate::graphql::types::terms_input::LoanConditionsInput;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::loan_products::{CreateLoanProduct, ProductTerms, UpdateLoanProduct};

/// The mutations around loan products.
#[derive(Default)]
pub struct LoanProductMutation;

/// A loan product to create.
#[derive(InputObject)]
pub struct CreateLoanProductInput {
    /// A short, unique code of letters, digits, - and _; at most 32 characters. It cannot be changed later.
    pub code: String,
    /// The name, at most 200 characters.
    pub name: String,
    /// The currency of its loans. It cannot be changed later.
    pub currency: CurrencyCode,
    /// The least principal; the currency's smallest amount if omitted.
    pub principal_min: Option<MoneyInput>,
    /// The most principal; 50,000 if omitted.
    pub principal_max: Option<MoneyInput>,
    /// The least annual rate in percent; 0 if omitted.
    pub annual_rate_min: Option<Decimal>,
    /// The most annual rate in percent, at most 1,000; 100 if omitted.
    pub annual_rate_max: Option<Decimal>,
    /// The fewest installments; 1 if omitted.
    pub installments_min: Option<i32>,
    /// The most installments; 600 if omitted.
    pub installments_max: Option<i32>,
    /// The annual rate in percent of a loan whose application names none; the least one if omitted.
    pub default_annual_rate: Option<Decimal>,
    /// The number of installments of a loan whose application names none; 12, or the nearest possible number, if omitted.
    pub default_installments: Option<i32>,
    /// An installment falls due every so many units; 1 if omitted.
    pub every: Option<i32>,
    /// The unit of `every`; MONTH if omitted.
    pub unit: Option<PeriodUnit>,
    /// How its loans work where their application does not say otherwise; each condition has its default if omitted.
    pub terms: Option<LoanConditionsInput>,
}

/// Changes to a loan product; what is left out stays. Loans that exist keep their terms.
#[derive(InputObject)]
pub struct UpdateLoanProductInput {
    /// Which loan product.
    pub loan_product_id: ID,
    /// A new name, at most 200 characters.
    pub name: Option<String>,
    /// The least principal.
    pub principal_min: Option<MoneyInput>,
    /// The most principal.
    pub principal_max: Option<MoneyInput>,
    /// The least annual rate in percent.
    pub annual_rate_min: Option<Decimal>,
    /// The most annual rate in percent, at most 1,000.
    pub annual_rate_max: Option<Decimal>,
    /// The fewest installments.
    pub installments_min: Option<i32>,
    /// The most installments.
    pub installments_max: Option<i32>,
    /// The annual rate in percent of a loan whose application names none.
    pub default_annual_rate: Option<Decimal>,
    /// The number of installments of a loan whose application names none.
    pub default_installments: Option<i32>,
    /// An installment falls due every so many units.
    pub every: Option<i32>,
    /// The unit of `every`.
    pub unit: Option<PeriodUnit>,
    /// How its loans work where their application does not say otherwise; conditions that are left out stay.
    pub terms: Option<LoanConditionsInput>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A loan product to retire.
#[derive(InputObject)]
pub struct RetireLoanProductInput {
    /// Which loan product.
    pub loan_product_id: ID,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

payload! {
    /// What came of creating a loan product.
    CreateLoanProductPayload {
        /// The new loan product.
        loan_product: LoanProduct
    }
}
payload! {
    /// What came of changing a loan product.
    UpdateLoanProductPayload {
        /// The loan product as it now is.
        loan_product: LoanProduct
    }
}
payload! {
    /// What came of retiring a loan product.
    RetireLoanProductPayload {
        /// The loan product as it now is.
        loan_product: LoanProduct
    }
}

/// The two inputs share the fields of a product's terms.
macro_rules! terms {
    ($input:expr) => {
        ProductTerms {
            principal_min: $input.principal_min.map(Into::into),
            principal_max: $input.principal_max.map(Into::into),
            annual_rate_min: $input.annual_rate_min.map(|rate| rate.0),
            annual_rate_max: $input.annual_rate_max.map(|rate| rate.0),
            installments_min: $input.installments_min,
            installments_max: $input.installments_max,
            default_annual_rate: $input.default_annual_rate.map(|rate| rate.0),
            default_installments: $input.default_installments,
            every: $input.every,
            unit: $input.unit.map(Into::into),
            conditions: $input.terms.map(Into::into).unwrap_or_default(),
        }
    };
}

impl From<CreateLoanProductInput> for CreateLoanProduct {
    fn from(input: CreateLoanProductInput) -> Self {
        Self { terms: terms!(input), code: input.code, name: input.name, currency: input.currency.0 }
    }
}

impl UpdateLoanProductInput {
    fn read(self) -> Result<UpdateLoanProduct, ServiceError> {
        let mut ids = InputIds::default();
        let id = ids.read("loanProductId", &self.loan_product_id, Kind::LoanProduct);
        ids.finish()?;
        Ok(UpdateLoanProduct { id, terms: terms!(self), name: self.name, expected_version: self.expected_version })
    }
}

#[Object]
impl LoanProductMutation {
    /// Creates a loan product. Permission: CreateProduct, for all branches. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, UNKNOWN_CURRENCY, CURRENCY_MISMATCH, TOO_MANY_DECIMALS, AMOUNT_OUT_OF_RANGE, RATE_OUT_OF_RANGE, NUMBER_OUT_OF_RANGE, MAXIMUM_BELOW_MINIMUM, INCOMPLETE_LIST, CONTRADICTION, ALREADY_TAKEN.
    async fn create_loan_product(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The loan product to create.")] input: CreateLoanProductInput,
    ) -> Result<CreateLoanProductPayload> {
        let request = request(context)?;
        CreateLoanProductPayload::of(request.services.create_loan_product(request.actor, &input.into()).await)
    }

    /// Changes a loan product. Permission: UpdateProduct, for all branches. User errors: as for createLoanProduct, and INVALID_ID, NOT_FOUND, VERSION_CONFLICT.
    async fn update_loan_product(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateLoanProductInput,
    ) -> Result<UpdateLoanProductPayload> {
        let request = request(context)?;
        UpdateLoanProductPayload::of(match input.read() {
            Ok(input) => request.services.update_loan_product(request.actor, &input).await,
            Err(refusal) => Err(request.unread("updateLoanProduct", refusal).await),
        })
    }

    /// Retires a loan product, which can then no longer be applied for. Retiring a retired product changes nothing. Permission: RetireProduct, for all branches. User errors: INVALID_ID, NOT_FOUND, VERSION_CONFLICT.
    async fn retire_loan_product(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The loan product to retire.")] input: RetireLoanProductInput,
    ) -> Result<RetireLoanProductPayload> {
        let request = request(context)?;
        let mut ids = InputIds::default();
        let id = ids.read("loanProductId", &input.loan_product_id, Kind::LoanProduct);
        RetireLoanProductPayload::of(match ids.finish() {
            Ok(()) => request.services.retire_loan_product(request.actor, id, input.expected_version).await,
            Err(refusal) => Err(request.unread("retireLoanProduct", refusal).await),
        })
    }
}
