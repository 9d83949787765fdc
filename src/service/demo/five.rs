//! What is always there: a head office, five branches below it, a product and a borrower for each, and the five loans
//! everyone who knew the original project knows by heart.

use chrono::{DateTime, NaiveDate, Utc};
use lending::loan::{LoanTerms, PeriodUnit, ProductLimits};
use lending::money::{Currency, Money};
use uuid::Uuid;

use super::conduct::{Conduct, Till};
use super::countries::Country;
use super::draw::{Draws, id_from};
use super::life::{self, Life, Step};
use super::rows::add_missing;
use super::{DemoReport, defect};
use crate::service::loan_books::bulk::MadeLoan;
use crate::service::personal_data::Place;
use crate::service::problem::PersonalField;
use crate::service::{ServiceError, Services};
use crate::store::borrowers::BorrowerRecord;
use crate::store::branches::{BranchRecord, BranchStatus};
use crate::store::loan_balances::LoanProjection;
use crate::store::loan_products::{LoanProductRecord, LoanProductStatus};
use crate::store::loans::LoanRecord;

/// 1 December 2022, 06:00 UTC: the lender opened, before anything that is made up beside it.
const OPENED: DateTime<Utc> = match DateTime::from_timestamp(1_669_874_400, 0) {
    Some(moment) => moment,
    None => DateTime::UNIX_EPOCH,
};

/// The id of the head office.
pub(super) fn head_office() -> Uuid {
    id_from(OPENED, 0xb0)
}

/// The id of a country's head branch, by the country's place in the table.
pub(super) fn branch(country: usize) -> Uuid {
    id_from(OPENED, 0xb1 + tail(country))
}

/// The id of a country's product.
pub(super) fn product(country: usize) -> Uuid {
    id_from(OPENED, 0xc1 + tail(country))
}

fn borrower(country: usize) -> Uuid {
    id_from(OPENED, 0xd1 + tail(country))
}

fn tail(number: usize) -> u128 {
    u128::try_from(number).unwrap_or_default()
}

/// A branch of the demonstration.
pub(super) fn branch_record(
    id: Uuid,
    code: String,
    name: String,
    parent: Uuid,
    country: &Country,
    created_at: DateTime<Utc>,
) -> BranchRecord {
    BranchRecord {
        id,
        code,
        name,
        parent_id: Some(parent),
        currency: country.currency,
        time_zone: country.time_zone.name().to_owned(),
        status: BranchStatus::Open,
        rest_days: Vec::new(),
        closed_through: None,
        version: 1,
        created_at,
        updated_at: created_at,
    }
}

/// Adds what is missing of it.
pub(super) async fn write(
    services: &Services,
    countries: &[Country; 5],
    report: &mut DemoReport,
) -> Result<(), ServiceError> {
    report.branches += add_missing(services, &branches(countries)?).await?;
    report.loan_products += add_missing(services, &products(countries)).await?;
    report.borrowers += add_missing(services, &borrowers(services, countries)?).await?;
    report.loans += add_missing(services, &loans(countries)?).await?;
    Ok(())
}

fn branches(countries: &[Country; 5]) -> Result<Vec<BranchRecord>, ServiceError> {
    let mut all = vec![BranchRecord {
        id: head_office(),
        code: "HQ".to_owned(),
        name: "Head office".to_owned(),
        parent_id: None,
        currency: Currency::parse("USD").map_err(defect)?,
        time_zone: chrono_tz::UTC.name().to_owned(),
        status: BranchStatus::Open,
        rest_days: Vec::new(),
        closed_through: None,
        version: 1,
        created_at: OPENED,
        updated_at: OPENED,
    }];
    all.extend(countries.iter().enumerate().map(|(place, country)| {
        let (code, name) = (country.code.to_owned(), country.city.to_owned());
        branch_record(branch(place), code, name, head_office(), country, OPENED)
    }));
    Ok(all)
}

fn products(countries: &[Country; 5]) -> Vec<LoanProductRecord> {
    let product = |(place, country): (usize, &Country)| LoanProductRecord {
        id: product(place),
        code: format!("STANDARD-{}", country.currency),
        name: format!("Standard loan in {}", country.currency),
        limits: ProductLimits::default_for(country.currency),
        default_rate: country.annual_rate(),
        default_installments: country.installments,
        every: 1,
        unit: PeriodUnit::Month,
        conditions: lending::loan::Conditions::default(),
        status: LoanProductStatus::Active,
        version: 1,
        created_at: OPENED,
        updated_at: OPENED,
    };
    countries.iter().enumerate().map(product).collect()
}

/// External reference, name, date of birth.
const BORROWERS: [(&str, &str, (i32, u32, u32)); 5] = [
    ("usr_kenya_001", "Wanjiru Mutua", (1990, 4, 12)),
    ("usr_india_002", "Asha Deshpande", (1987, 9, 3)),
    ("usr_nigeria_003", "Chidi Okafor", (1993, 1, 27)),
    ("usr_vietnam_004", "Nguyễn Minh Hạnh", (1995, 7, 18)),
    ("usr_philippines_005", "Luz Bautista", (1984, 11, 30)),
];

fn borrowers(services: &Services, countries: &[Country; 5]) -> Result<Vec<BorrowerRecord>, ServiceError> {
    let keys = &services.personal_data;
    let mut all = Vec::new();
    for ((place, country), (reference, name, (year, month, day))) in countries.iter().enumerate().zip(BORROWERS) {
        let number = u64::try_from(place + 1).map_err(defect)?;
        let own = |field| Place { borrower: borrower(place), field };
        all.push(BorrowerRecord {
            id: borrower(place),
            branch_id: branch(place),
            number: String::new(),
            name: name.to_owned(),
            external_ref: Some(reference.to_owned()),
            phone: Some(keys.seal(own(PersonalField::Phone), &country.phone(number))?),
            national_id: Some(keys.seal(own(PersonalField::NationalId), &country.national_id(number))?),
            key_id: Some(keys.id().to_owned()),
            date_of_birth: NaiveDate::from_ymd_opt(year, month, day),
            erased_at: None,
            version: 1,
            created_at: OPENED,
            updated_at: OPENED,
        });
    }
    Ok(all)
}

/// One of the five loans, as far as its country does not decide.
struct Known {
    principal: &'static str,
    installments: u32,
    applied: &'static str,
    steps: &'static [(Step, i64)],
    /// The days from the application to the payout, and how the borrower pays.
    paid_out: Option<(i64, Conduct)>,
}

const LOANS: [Known; 5] = [
    Known { principal: "12500.00", installments: 6, applied: "2025-12-29T07:12:00Z", steps: &[], paid_out: None },
    Known {
        principal: "50000.00",
        installments: 12,
        applied: "2025-12-15T05:40:00Z",
        steps: &[(Step::Approve(None), 3)],
        paid_out: None,
    },
    Known {
        principal: "32000.00",
        installments: 9,
        applied: "2025-12-08T09:05:00Z",
        steps: &[(Step::Reject(Some("Other debts leave no room for the installments.")), 2)],
        paid_out: None,
    },
    Known {
        principal: "8400",
        installments: 4,
        applied: "2025-11-17T03:20:00Z",
        steps: &[(Step::Approve(None), 2)],
        paid_out: Some((4, Conduct::Punctual)),
    },
    Known {
        principal: "21000.00",
        installments: 6,
        applied: "2025-06-02T02:45:00Z",
        steps: &[(Step::Approve(None), 2)],
        paid_out: Some((4, Conduct::Punctual)),
    },
];

pub(super) fn loans(countries: &[Country; 5]) -> Result<Vec<MadeLoan>, ServiceError> {
    let mut all = Vec::new();
    for ((place, country), known) in countries.iter().enumerate().zip(LOANS) {
        let id = Uuid::from_u128(tail(place) + 1);
        let principal = Money::parse_amount(known.principal, country.currency).map_err(defect)?;
        let created_at: DateTime<Utc> = known.applied.parse().map_err(defect)?;
        let officer = country.officer(1);
        let Life { state, version, updated_at } = life::live(country, &officer, principal, created_at, known.steps)?;
        let loan = LoanRecord {
            id,
            number: String::new(),
            external_ref: Some(id.to_string()),
            branch_id: branch(place),
            borrower_id: borrower(place),
            product_id: product(place),
            group_id: None,
            officer: Some(officer.clone()),
            terms: LoanTerms {
                principal,
                annual_rate: country.annual_rate(),
                installments: known.installments,
                every: 1,
                unit: PeriodUnit::Month,
                first_due_on: None,
                conditions: lending::loan::Conditions::default(),
            },
            state,
            projection: LoanProjection::default(),
            version,
            created_at,
            updated_at,
        };
        let mut draws = Draws::new(0, "known loan", u64::try_from(place).map_err(defect)?);
        let till = Till { country, cashier: &officer };
        all.push(till.make(loan, known.paid_out, &mut draws)?);
    }
    Ok(all)
}
