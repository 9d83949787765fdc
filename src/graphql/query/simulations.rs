//! Asking about loans that do not exist.

use async_graphql::{Context, ID, InputObject, Object, Result};
use uuid::Uuid;

use crate::graphql::request::request;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::loan::event_input::LoanEventInput;
use crate::graphql::types::loan::simulation::LoanSimulation;
use crate::graphql::types::money::MoneyInput;
use crate::graphql::types::scalars::{Date, Decimal};
use crate::graphql::types::terms_input::LoanTermsInput;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::loan_simulation::SimulateLoan;
use crate::service::loans::ApplyForLoan;

/// The queries around loans that do not exist.
#[derive(Default)]
pub struct SimulationQuery;

/// A loan to imagine. What is left out comes from the product.
#[derive(InputObject)]
pub struct SimulateLoanInput {
    /// Under which product.
    pub product_id: ID,
    /// At which branch, whose working days and time zone count; every day is a working day if omitted.
    pub branch_id: Option<ID>,
    /// How much, within the product's limits and in its currency.
    pub principal: MoneyInput,
    /// The nominal annual rate in percent, with at most four decimals; the product's default if omitted.
    pub annual_rate: Option<Decimal>,
    /// The number of installments; the product's default if omitted.
    pub installments: Option<i32>,
    /// The other terms; what is left out comes from the product.
    pub terms: Option<LoanTermsInput>,
    /// The day all of it is disbursed, in the past or in the future; the business date if omitted.
    pub disbursed_on: Option<Date>,
    /// What happens afterwards, fewer than 50 events. Dates in the future are fine.
    pub events: Option<Vec<LoanEventInput>>,
}

impl SimulateLoanInput {
    fn read(self) -> Result<SimulateLoan, ServiceError> {
        let mut ids = InputIds::default();
        let product = ids.read("productId", &self.product_id, Kind::LoanProduct);
        let branch = self.branch_id.map(|id| ids.read("branchId", &id, Kind::Branch));
        ids.finish()?;
        let events = self.events.unwrap_or_default().into_iter().enumerate();
        Ok(SimulateLoan {
            application: ApplyForLoan {
                idempotency_key: String::new(),
                borrower: Uuid::nil(),
                product,
                branch,
                principal: self.principal.into(),
                annual_rate: self.annual_rate.map(|rate| rate.0),
                installments: self.installments,
                terms: self.terms.map(Into::into),
                applied_on: None,
                officer: None,
                external_ref: None,
                group: None,
            },
            disbursed_on: self.disbursed_on.map(|date| date.0),
            events: events
                .map(|(place, event)| event.read(&["input", "events", &place.to_string()]))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[Object]
impl SimulationQuery {
    /// What a loan that does not exist would be: disbursed in full on a day, and what happens afterwards. Nothing is written. Permission: ReadProducts. User errors: those of `applyForLoan` about the terms, and those of `Loan.simulate` about the events.
    async fn simulate_loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The loan.")] input: SimulateLoanInput,
    ) -> Result<LoanSimulation> {
        let request = request(context)?;
        let simulated = match input.read() {
            Ok(input) => Box::pin(request.services.simulate_loan(request.actor, &input)).await,
            Err(refusal) => Err(refusal),
        };
        match simulated {
            Ok(simulation) => Ok(LoanSimulation::of(simulation)),
            Err(ServiceError::Rejected(problems)) => Ok(LoanSimulation::refused(None, problems)),
            Err(other) => Err(other.into()),
        }
    }
}
