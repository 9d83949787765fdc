//! Use cases around loan products: looking at them, creating, changing and retiring them. A change never touches loans
//! that exist: they carry their own terms.

use std::sync::Arc;

use lending::loan::{Conditions, Field, LimitsField, LoanTerms, PeriodUnit, ProductLimits};
use lending::money::{Currency, Money};
use lending::rate::Rate;
use uuid::Uuid;

use super::Services;
use super::audit::About;
use super::branches::taken;
use super::check::{AmountInput, Check};
use super::conditions::{self, ConditionsInput};
use super::error::ServiceError;
use super::list::COUNT_CAP;
use super::problem::Problem;
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::find::Lock;
use crate::store::loan_products as store;
use crate::store::page;
use crate::store::scope::Scope;

pub use super::list::{Filter, Page, PageRequest, SortKey};
pub use crate::store::loan_products::{LoanProductField, LoanProductKey, LoanProductRecord, LoanProductStatus};

const NAME_LENGTH: usize = 200;

/// Limits and default terms as they come in; what is missing stays, or takes the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductTerms {
    /// The least principal.
    pub principal_min: Option<AmountInput>,
    /// The most.
    pub principal_max: Option<AmountInput>,
    /// The least annual rate, in percent.
    pub annual_rate_min: Option<String>,
    /// The most.
    pub annual_rate_max: Option<String>,
    /// The fewest installments.
    pub installments_min: Option<i32>,
    /// The most.
    pub installments_max: Option<i32>,
    /// The annual rate of a loan whose application names none.
    pub default_annual_rate: Option<String>,
    /// The number of installments of a loan whose application names none.
    pub default_installments: Option<i32>,
    /// An installment falls due every so many units.
    pub every: Option<i32>,
    /// The unit of `every`.
    pub unit: Option<PeriodUnit>,
    /// How its loans work.
    pub conditions: ConditionsInput,
}

/// A loan product to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateLoanProduct {
    /// A short, unique code.
    pub code: String,
    /// The name.
    pub name: String,
    /// An ISO 4217 code.
    pub currency: String,
    /// Limits and default terms.
    pub terms: ProductTerms,
}

/// Changes to a loan product. Code and currency stay: loans refer to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateLoanProduct {
    /// Which product.
    pub id: Uuid,
    /// A new name.
    pub name: Option<String>,
    /// New limits and default terms.
    pub terms: ProductTerms,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// One loan product, if it exists.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_product(
        &self,
        actor: &Actor,
        key: &LoanProductKey,
    ) -> Result<Option<Arc<LoanProductRecord>>, ServiceError> {
        self.authorize(actor, Action::ReadProducts)?;
        let reader = self.database.reader();
        match key {
            LoanProductKey::Id(id) => {
                Ok(self.gathered.products.by_id::<LoanProductField>(reader, &Scope::All, *id).await?)
            }
            _ => Ok(store::find(reader, key, Lock::None).await?.map(Arc::new)),
        }
    }

    /// Loan products in the order of the ids; `None` where there is none.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_products_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<LoanProductRecord>>>, ServiceError> {
        self.authorize(actor, Action::ReadProducts)?;
        Ok(self.gathered.products.by_ids::<LoanProductField>(self.database.reader(), &Scope::All, ids).await?)
    }

    /// Part of the list of loan products.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn loan_products(
        &self,
        actor: &Actor,
        filter: &Filter<LoanProductField>,
        order: &[SortKey<LoanProductField>],
        request: &PageRequest,
    ) -> Result<Page<Arc<LoanProductRecord>>, ServiceError> {
        self.authorize(actor, Action::ReadProducts)?;
        Ok(self.gathered.products.page(self.database.reader(), &Scope::All, filter, order, request).await?)
    }

    /// How many loan products match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_loan_products(
        &self,
        actor: &Actor,
        filter: &Filter<LoanProductField>,
    ) -> Result<u64, ServiceError> {
        self.authorize(actor, Action::ReadProducts)?;
        Ok(page::count(self.database.reader(), &Scope::All, filter, COUNT_CAP).await?)
    }

    /// Creates a loan product. Limits that are not named are those of [`ProductLimits::default_for`].
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the input; [`ServiceError::Forbidden`].
    pub async fn create_loan_product(
        &self,
        actor: &Actor,
        input: &CreateLoanProduct,
    ) -> Result<LoanProductRecord, ServiceError> {
        let about = About::lender("createLoanProduct");
        self.audited(actor, &about, |trail| async move {
            self.authorize_everywhere(actor, Action::CreateProduct)?;
            let now = self.now();
            let mut check = Check::default();
            let code = check.code(&["input", "code"], &input.code);
            let name = check.text(&["input", "name"], &input.name, NAME_LENGTH);
            let currency: Option<Currency> = check.currency(&["input", "currency"], &input.currency);
            let Some(currency) = currency else {
                check.finish()?;
                return Err(ServiceError::BadInput);
            };
            let mut record = LoanProductRecord {
                id: self.ids.next(now),
                code: code.unwrap_or_default(),
                name: name.unwrap_or_default(),
                limits: ProductLimits::default_for(currency),
                default_rate: Rate::ZERO,
                default_installments: 12,
                every: 1,
                unit: PeriodUnit::Month,
                conditions: Conditions::default(),
                status: LoanProductStatus::Active,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            apply(&mut check, &mut record, &input.terms);
            check.finish()?;
            let record = &record;
            trail
                .write(|transaction| async move {
                    store::insert(&*transaction, record).await?;
                    Ok(record.clone())
                })
                .await
                .map_err(|error| taken(error, &["input", "code"]))
        })
        .await
    }

    /// Changes a loan product; what is not named stays.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with the problems of the input; [`ServiceError::Forbidden`].
    pub async fn update_loan_product(
        &self,
        actor: &Actor,
        input: &UpdateLoanProduct,
    ) -> Result<LoanProductRecord, ServiceError> {
        let about = About::of("updateLoanProduct", Kind::LoanProduct, input.id);
        self.audited(actor, &about, |trail| async move {
            self.authorize_everywhere(actor, Action::UpdateProduct)?;
            let now = self.now();
            trail
                .write(|transaction| async move {
                    let mut record = load(&transaction, input.id, input.expected_version).await?;
                    let mut check = Check::default();
                    if let Some(name) = &input.name {
                        record.name = check.text(&["input", "name"], name, NAME_LENGTH).unwrap_or_default();
                    }
                    apply(&mut check, &mut record, &input.terms);
                    check.finish()?;
                    record.version += 1;
                    record.updated_at = now;
                    store::update(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
        })
        .await
    }

    /// Retires a loan product: it can no longer be applied for. Retiring a retired product changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when it does not exist or has changed; [`ServiceError::Forbidden`].
    pub async fn retire_loan_product(
        &self,
        actor: &Actor,
        id: Uuid,
        expected_version: Option<i64>,
    ) -> Result<LoanProductRecord, ServiceError> {
        let about = About::of("retireLoanProduct", Kind::LoanProduct, id);
        self.audited(actor, &about, |trail| async move {
            self.authorize_everywhere(actor, Action::RetireProduct)?;
            let now = self.now();
            trail
                .write(|transaction| async move {
                    let mut record = load(&transaction, id, expected_version).await?;
                    if record.status == LoanProductStatus::Retired {
                        return Ok(record);
                    }
                    record.status = LoanProductStatus::Retired;
                    record.version += 1;
                    record.updated_at = now;
                    store::update(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
        })
        .await
    }
}

async fn load(
    transaction: &crate::store::database::Transaction,
    id: Uuid,
    expected_version: Option<i64>,
) -> Result<LoanProductRecord, ServiceError> {
    let record = store::find(&**transaction, &LoanProductKey::Id(id), Lock::ForUpdate)
        .await?
        .ok_or_else(|| Problem::not_found(&["input", "loanProductId"], "loan product"))?;
    match expected_version {
        Some(expected) if expected != record.version => Err(Problem::version_conflict(record.version).into()),
        _ => Ok(record),
    }
}

/// Lays the input over the record and checks the result as a whole, default terms included.
fn apply(check: &mut Check, record: &mut LoanProductRecord, terms: &ProductTerms) {
    let currency = record.limits.currency;
    let mut amount = |name: &'static str, input: &Option<AmountInput>, target: &mut i64| {
        if let Some(input) = input
            && let Some(money) = check.money_in(&["input", name], input, currency)
        {
            *target = money.minor();
        }
    };
    amount("principalMin", &terms.principal_min, &mut record.limits.principal_min);
    amount("principalMax", &terms.principal_max, &mut record.limits.principal_max);

    let mut rate = |name: &'static str, input: &Option<String>, target: &mut i64| {
        if let Some(input) = input
            && let Some(rate) = check.rate(&["input", name], input)
        {
            *target = rate.ppm();
        }
    };
    rate("annualRateMin", &terms.annual_rate_min, &mut record.limits.rate_min_ppm);
    rate("annualRateMax", &terms.annual_rate_max, &mut record.limits.rate_max_ppm);
    let mut default_rate = record
        .default_rate
        .ppm()
        .clamp(record.limits.rate_min_ppm, record.limits.rate_max_ppm.max(record.limits.rate_min_ppm));
    rate("defaultAnnualRate", &terms.default_annual_rate, &mut default_rate);
    record.default_rate = Rate::from_ppm(default_rate);

    let mut count = |name: &'static str, input: Option<i32>, target: &mut u32| {
        if let Some(number) = input
            && let Some(number) = check.positive(&["input", name], number)
        {
            *target = number;
        }
    };
    count("installmentsMin", terms.installments_min, &mut record.limits.installments_min);
    count("installmentsMax", terms.installments_max, &mut record.limits.installments_max);
    let mut default_installments = record
        .default_installments
        .clamp(record.limits.installments_min, record.limits.installments_max.max(record.limits.installments_min));
    count("defaultInstallments", terms.default_installments, &mut default_installments);
    record.default_installments = default_installments;
    count("every", terms.every, &mut record.every);
    if let Some(unit) = terms.unit {
        record.unit = unit;
    }
    record.conditions = terms.conditions.lay_over(check, &["input", "terms"], currency, &record.conditions);

    check.limits(&record.limits, |field| match field {
        LimitsField::PrincipalMin => vec!["input", "principalMin"],
        LimitsField::PrincipalMax => vec!["input", "principalMax"],
        LimitsField::RateMin => vec!["input", "annualRateMin"],
        LimitsField::RateMax => vec!["input", "annualRateMax"],
        LimitsField::InstallmentsMin => vec!["input", "installmentsMin"],
        LimitsField::InstallmentsMax => vec!["input", "installmentsMax"],
    });
    if record.limits.validate().is_ok() {
        check_default_terms(check, record);
        check_conditions(check, record, &terms.conditions);
    }
}

/// A loan of the default number of installments must be possible under the product's conditions.
fn check_conditions(check: &mut Check, record: &LoanProductRecord, given: &ConditionsInput) {
    let currency = record.limits.currency;
    conditions::check_violations(
        check,
        &["input", "terms"],
        &["input", "defaultInstallments"],
        given,
        (&record.conditions, record.default_installments, currency),
    );
    let most = Money::new(record.limits.principal_max, currency);
    let path = ["input", "terms", "installmentMultiple", "amount"];
    conditions::check_multiple(check, &path, record.conditions.installment_multiple, most);
}

/// A loan of the least principal on default terms must be possible.
fn check_default_terms(check: &mut Check, record: &LoanProductRecord) {
    let proposed = LoanTerms {
        principal: Money::new(record.limits.principal_min, record.limits.currency),
        annual_rate: record.default_rate,
        installments: record.default_installments,
        every: record.every,
        unit: record.unit,
        first_due_on: None,
        conditions: record.conditions.clone(),
    };
    check.terms(record.limits.check(&proposed), |field| match field {
        Field::Principal | Field::Currency => vec!["input", "principalMin"],
        Field::AnnualRate => vec!["input", "defaultAnnualRate"],
        Field::Installments => vec!["input", "defaultInstallments"],
        Field::Every => vec!["input", "every"],
    });
}
