//! A made-up portfolio of any size. Row `n` of a kind depends on the seed and on `n` only, so that a smaller portfolio
//! is the beginning of a larger one. Moments, days and amounts coincide often, as they do in real books, so that
//! whoever pages through the loans meets ties.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lending::loan::{LoanTerms, PeriodUnit};
use lending::money::Money;
use lending::rate::Rate;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::conduct::{Conduct, Till};
use super::countries::Country;
use super::draw::Draws;
use super::five;
use super::life::{self, Life, Step};
use super::rows::{Tally, add, add_missing, in_the_way};
use super::variety::vary;
use super::{DemoOptions, DemoReport, LOANS_AT_ONCE, LOANS_COMMITTED_AT_ONCE, ROWS_AT_ONCE, defect};
use crate::service::loan_books::bulk::MadeLoan;
use crate::service::personal_data;
use crate::service::problem::PersonalField;
use crate::service::{ServiceError, Services};
use crate::store::borrowers::BorrowerRecord;
use crate::store::branches::BranchRecord;
use crate::store::database::Transaction;
use crate::store::loan_balances::LoanProjection;
use crate::store::loans::LoanRecord;

/// The first moment of the first application, 1 January 2024; branches and borrowers are there before.
const START: DateTime<Utc> = match DateTime::from_timestamp(1_704_067_200, 0) {
    Some(moment) => moment,
    None => DateTime::UNIX_EPOCH,
};
/// Applications are taken on this many days: two years, up to 30 December 2025.
const DAYS: i64 = 730;
/// Borrowers are registered in the year before.
const DAYS_BEFORE: i64 = 365;

const LOANS_A_BORROWER: u64 = 4;
const BORROWERS_A_BRANCH: u64 = 500;
/// Enough for a region and a branch below it in every country.
const FEWEST_BRANCHES: u64 = 10;
/// Every so many of a country's branches a new region begins.
const BRANCHES_A_REGION: u64 = 6;

const OFFICERS: [u64; 3] = [1, 2, 3];
const MAJOR_AMOUNTS: [i64; 12] =
    [1_000, 2_000, 2_500, 5_000, 5_000, 7_500, 10_000, 12_500, 20_000, 25_000, 40_000, 50_000];
const RATE_STEPS_PPM: [i64; 6] = [-40_000, -5_000, 0, 0, 15_000, 32_500];
const INSTALLMENTS: [u32; 8] = [2, 3, 4, 4, 6, 6, 9, 12];
const REJECTIONS: [Option<&str>; 3] =
    [Some("Income could not be confirmed."), Some("Other debts leave no room for the installments."), None];
const WITHDRAWALS: [Option<&str>; 2] = [Some("The borrower found the money elsewhere."), None];

/// What becomes of an application, and then of the loan. Where the loan stands on the last day follows from it.
#[derive(Clone, Copy)]
enum Fate {
    Undecided,
    Approved,
    Rejected,
    Withdrawn,
    WithdrawnApproved,
    PaysAsAgreed,
    StopsPaying,
    PaysOffEarly,
    WrittenOff,
}

/// How many in a hundred.
const FATES: [(Fate, u64); 9] = [
    (Fate::Undecided, 4),
    (Fate::Approved, 5),
    (Fate::Rejected, 12),
    (Fate::Withdrawn, 3),
    (Fate::WithdrawnApproved, 3),
    (Fate::PaysAsAgreed, 45),
    (Fate::StopsPaying, 10),
    (Fate::PaysOffEarly, 12),
    (Fate::WrittenOff, 6),
];

/// The made-up rows of one seed.
#[derive(Clone)]
pub(super) struct Portfolio {
    countries: [Country; 5],
    seed: u64,
    loans: u64,
}

/// A branch as far as its place goes.
#[derive(Clone, Copy)]
struct Place {
    country: usize,
    branch: Uuid,
}

/// A borrower as far as their loans need to know.
struct Party {
    id: Uuid,
    place: Place,
    created_at: DateTime<Utc>,
    draws: Draws,
}

impl Portfolio {
    pub(super) fn new(countries: [Country; 5], options: DemoOptions) -> Self {
        Self { countries, seed: options.seed, loans: options.loans }
    }

    /// Adds what is missing of it.
    pub(super) async fn write(&self, services: &Services, report: &mut DemoReport) -> Result<(), ServiceError> {
        if self.loans == 0 {
            return Ok(());
        }
        let borrowers = self.loans.div_ceil(LOANS_A_BORROWER);
        let branches = borrowers.div_ceil(BORROWERS_A_BRANCH).max(FEWEST_BRANCHES);
        for numbers in portions(0..branches, ROWS_AT_ONCE) {
            let rows: Vec<_> = numbers.map(|number| self.branch(number)).collect();
            report.branches += add_missing(services, &rows).await?;
        }
        for numbers in portions(0..borrowers, ROWS_AT_ONCE) {
            let rows = numbers.map(|number| self.borrower(services, number)).collect::<Result<Vec<_>, _>>()?;
            report.borrowers += add_missing(services, &rows).await?;
        }
        self.write_loans(services, report).await
    }

    /// Adds the loans that are missing.
    async fn write_loans(&self, services: &Services, report: &mut DemoReport) -> Result<(), ServiceError> {
        let at_once = if services.database.is_postgres() { LOANS_AT_ONCE } else { LOANS_COMMITTED_AT_ONCE };
        services.database.prepare_for_bulk().await?;
        for numbers in portions(0..self.loans, at_once) {
            let numbers = &numbers;
            let write = |transaction| async move { self.add_loans(&transaction, numbers.clone()).await };
            report.loans += services.database.write(write).await.map_err(in_the_way)?;
            tracing::debug!(done = report.loans.added + report.loans.present, of = self.loans, "demonstration loans");
        }
        Ok(())
    }

    /// Adds those of some loans that are missing. While some are written the next ones are made.
    async fn add_loans(&self, transaction: &Transaction, numbers: Range<u64>) -> Result<Tally, ServiceError> {
        let make = |numbers: Range<u64>| {
            let portfolio = self.clone();
            spawn_blocking(move || numbers.map(|number| portfolio.loan(number)).collect::<Result<Vec<_>, _>>())
        };
        let mut tally = Tally::default();
        let mut portions = portions(numbers, LOANS_AT_ONCE);
        let mut coming = portions.next().map(make);
        while let Some(rows) = coming {
            let rows = rows.await.map_err(defect)??;
            coming = portions.next().map(make);
            tally += add(transaction, rows).await?;
        }
        Ok(tally)
    }

    fn country(&self, place: usize) -> &Country {
        let [first, ..] = &self.countries;
        self.countries.get(place).unwrap_or(first)
    }

    /// Where branch `number` is: the countries take turns.
    fn place(&self, number: u64) -> Place {
        let countries = u64::try_from(self.countries.len()).unwrap_or(1);
        let branch = Draws::new(self.seed, "branch", number).id(START - TimeDelta::days(DAYS_BEFORE));
        Place { country: usize::try_from(number % countries).unwrap_or_default(), branch }
    }

    pub(super) fn branch(&self, number: u64) -> BranchRecord {
        let countries = u64::try_from(self.countries.len()).unwrap_or(1);
        let place = self.place(number);
        let country = self.country(place.country);
        let within = number / countries;
        let (region, below) = (within / BRANCHES_A_REGION + 1, within % BRANCHES_A_REGION);
        let seed = self.seed;
        let (code, name, parent) = if below == 0 {
            let code = format!("{}-{seed}-R{region}", country.code);
            (code, format!("{} region {region}", country.city), five::branch(place.country))
        } else {
            let code = format!("{}-{seed}-R{region}-B{below}", country.code);
            let head = self.place(number - below * countries);
            (code, format!("{} branch {region}.{below}", country.city), head.branch)
        };
        five::branch_record(place.branch, code, name, parent, country, START - TimeDelta::days(DAYS_BEFORE))
    }

    fn party(&self, number: u64) -> Party {
        let mut draws = Draws::new(self.seed, "borrower", number);
        let created_at = draws.moment(START - TimeDelta::days(DAYS_BEFORE), DAYS_BEFORE);
        let id = draws.id(created_at);
        // Branches fill up as the portfolio grows: only those that a portfolio of this many borrowers has.
        let branches = (number / BORROWERS_A_BRANCH + 1).max(FEWEST_BRANCHES);
        let place = self.place(draws.below(branches));
        Party { id, place, created_at, draws }
    }

    fn borrower(&self, services: &Services, number: u64) -> Result<BorrowerRecord, ServiceError> {
        let Party { id, place, created_at, mut draws } = self.party(number);
        let country = self.country(place.country);
        let keys = &services.personal_data;
        let (given, family) = (draws.pick(&country.given), draws.pick(&country.family));
        let name = [given, family].into_iter().flatten().copied().collect::<Vec<_>>().join(" ");
        let years = draws.between(18, 70);
        let born =
            NaiveDate::from_yo_opt(2022, 1).map(|day| day - TimeDelta::days(years * 365 + draws.between(0, 364)));
        let own = |field| personal_data::Place { borrower: id, field };
        let phone = if draws.once_in(10) {
            None
        } else {
            Some(keys.seal(own(PersonalField::Phone), &country.phone(draws.below(1_000_000)))?)
        };
        let national_id =
            keys.seal(own(PersonalField::NationalId), &country.national_id(draws.below(1_000_000_000)))?;
        Ok(BorrowerRecord {
            id,
            branch_id: place.branch,
            number: String::new(),
            name,
            external_ref: (!draws.once_in(5)).then(|| format!("demo-{}-borrower-{number:07}", self.seed)),
            phone,
            national_id: Some(national_id),
            key_id: Some(keys.id().to_owned()),
            date_of_birth: if draws.once_in(20) { None } else { born },
            erased_at: None,
            version: 1,
            created_at,
            updated_at: created_at,
        })
    }

    pub(super) fn loan(&self, number: u64) -> Result<MadeLoan, ServiceError> {
        let mut draws = Draws::new(self.seed, "loan", number);
        let created_at = application(&mut draws);
        let id = draws.id(created_at);
        // Everyone has a loan, some have many.
        let newest = number / LOANS_A_BORROWER;
        let borrower = if number.is_multiple_of(LOANS_A_BORROWER) { newest } else { draws.below(newest + 1) };
        let party = self.party(borrower);
        let country = self.country(party.place.country);
        let mut terms = terms(&mut draws, country);
        vary(&mut terms, &mut Draws::new(self.seed, "conditions", number));
        let officer = (!draws.once_in(20)).then(|| country.officer(draws.pick(&OFFICERS).copied().unwrap_or(1)));
        let taken_by = officer.as_deref().unwrap_or("application-portal");
        let Story { steps, paid_out } = story(&mut draws, &terms);
        let Life { state, version, updated_at } = life::live(country, taken_by, terms.principal, created_at, &steps)?;
        let till = Till { country, cashier: &country.officer(4) };
        let loan = LoanRecord {
            id,
            number: String::new(),
            external_ref: (!draws.once_in(3)).then(|| format!("demo-{}-loan-{number:08}", self.seed)),
            branch_id: party.place.branch,
            borrower_id: party.id,
            product_id: five::product(party.place.country),
            group_id: None,
            officer,
            terms,
            state,
            projection: LoanProjection::default(),
            version,
            created_at,
            updated_at,
        };
        till.make(loan, paid_out, &mut draws)
    }
}

/// Any moment of the two years; one in four came in a monthly batch and shares its moment with the rest of the batch.
fn application(draws: &mut Draws) -> DateTime<Utc> {
    let moment = draws.moment(START, DAYS);
    if draws.once_in(4) { START + TimeDelta::days(draws.between(0, 23) * 30) + TimeDelta::hours(8) } else { moment }
}

/// Mostly round amounts of the country's currency, as people ask for.
fn terms(draws: &mut Draws, country: &Country) -> LoanTerms {
    let least = country.money(100).minor();
    let most = country.money(50_000).minor();
    let principal = if draws.once_in(5) {
        Money::new(draws.between(least, most), country.currency)
    } else {
        country.money(draws.pick(&MAJOR_AMOUNTS).copied().unwrap_or(1_000))
    };
    let rate = country.annual_rate().ppm() + draws.pick(&RATE_STEPS_PPM).copied().unwrap_or_default();
    LoanTerms {
        principal,
        annual_rate: Rate::from_ppm(rate),
        installments: draws.pick(&INSTALLMENTS).copied().unwrap_or(country.installments),
        every: 1,
        unit: PeriodUnit::Month,
        first_due_on: None,
        conditions: lending::loan::Conditions::default(),
    }
}

/// What a loan goes through.
struct Story {
    /// Each step with its day after the application.
    steps: Vec<(Step, i64)>,
    /// The days from the application to the payout, and how the borrower pays.
    paid_out: Option<(i64, Conduct)>,
}

fn story(draws: &mut Draws, terms: &LoanTerms) -> Story {
    let fate = draws.weighted(&FATES).unwrap_or(Fate::Undecided);
    let decided = draws.between(0, 14);
    let paid_out = decided + draws.between(0, 7);
    // One in six is granted less than was asked for.
    let less = Money::new(terms.principal.minor() / 5 * 4, terms.principal.currency());
    let approve = (Step::Approve(draws.once_in(6).then_some(less)), decided);
    let disbursed = |conduct| Story { steps: vec![approve], paid_out: Some((paid_out, conduct)) };
    let ended = |steps| Story { steps, paid_out: None };
    let some = draws.below(u64::from(terms.installments));
    match fate {
        Fate::Undecided => ended(Vec::new()),
        Fate::Approved => ended(vec![approve]),
        Fate::Rejected => ended(vec![(Step::Reject(draws.pick(&REJECTIONS).copied().flatten()), decided)]),
        Fate::Withdrawn => ended(vec![(Step::Withdraw(draws.pick(&WITHDRAWALS).copied().flatten()), decided)]),
        Fate::WithdrawnApproved => {
            ended(vec![approve, (Step::Withdraw(draws.pick(&WITHDRAWALS).copied().flatten()), paid_out)])
        }
        Fate::PaysAsAgreed if draws.once_in(3) => disbursed(Conduct::Late),
        Fate::PaysAsAgreed => disbursed(Conduct::Punctual),
        Fate::StopsPaying => disbursed(Conduct::Stops { after: some }),
        Fate::PaysOffEarly => disbursed(Conduct::PaysOff { after: some }),
        // Lenders give up on loans that were hardly paid at all.
        Fate::WrittenOff => disbursed(Conduct::GivenUp { after: some.min(2), days: draws.between(60, 180) }),
    }
}

fn portions(numbers: Range<u64>, at_once: u64) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = numbers;
    let count = end.saturating_sub(start).div_ceil(at_once);
    (0..count).map(move |portion| {
        let first = start + portion * at_once;
        first..(first + at_once).min(end)
    })
}
