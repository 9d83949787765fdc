//! A few thousand loans with many ties, written past the use cases, and kept in memory as well: the model the tests
//! compare the database with.

use std::collections::HashMap;

use branch_loan_api::service::borrowers::BorrowerRecord;
use branch_loan_api::service::branches::BranchRecord;
use branch_loan_api::service::loans::LoanRecord;
use branch_loan_api::store::loan_balances::LoanProjection;
use branch_loan_api::store::{Database, StoreError, borrowers, branches, loan_products, loans};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use lending::loan::{Application, Approval, Decision, Disbursement, Lifecycle, LoanTerms, PeriodUnit, ProductLimits};
use lending::money::{Currency, Money};
use lending::rate::Rate;
use rand::Rng;
use uuid::Uuid;

use super::random::Dice;
use super::services::{day, moment};
use branch_loan_api::service::branches::BranchStatus;
use branch_loan_api::service::loan_products::{LoanProductRecord, LoanProductStatus};

/// Few enough for many ties, odd enough to tell orders and searches apart.
const NAMES: [&str; 8] = [
    "Wanjiru Kamau",
    "Nguyễn Văn Ánh",
    "Adebayo 100% Okonkwo",
    "ÉLODIE ÅSTRÖM",
    "under_score\\back",
    "zoë zed",
    "Zed Zoe",
    "🦀 Ferris",
];
const OFFICERS: [&str; 5] = ["a-officer", "B-officer", "a officer", "ä-officer", "z"];
const CURRENCIES: [&str; 3] = ["KES", "BHD", "VND"];

/// The tree of branches: code and index of the parent.
const TREE: [(&str, Option<usize>); 7] = [
    ("ROOT", None),
    ("EAST", Some(0)),
    ("NBO", Some(1)),
    ("MSA", Some(1)),
    ("WEST", Some(0)),
    ("LOS", Some(4)),
    ("OTHER", None),
];

/// What was written.
pub struct Filled {
    pub branches: Vec<BranchRecord>,
    pub borrowers: Vec<BorrowerRecord>,
    pub products: Vec<LoanProductRecord>,
    pub loans: Vec<LoanRecord>,
}

impl Filled {
    pub fn branch(&self, code: &str) -> &BranchRecord {
        self.branches.iter().find(|branch| branch.code == code).unwrap()
    }

    pub fn borrower_of(&self, loan: &LoanRecord) -> &BorrowerRecord {
        self.borrowers.iter().find(|borrower| borrower.id == loan.borrower_id).unwrap()
    }

    /// Whether a branch is one of these or lies below one of them.
    pub fn is_under(&self, branch: Uuid, roots: &[Uuid]) -> bool {
        let parents: HashMap<Uuid, Option<Uuid>> = self.branches.iter().map(|row| (row.id, row.parent_id)).collect();
        let mut at = Some(branch);
        while let Some(id) = at {
            if roots.contains(&id) {
                return true;
            }
            at = parents.get(&id).copied().flatten();
        }
        false
    }
}

/// Fills an empty database.
pub async fn fill(database: &Database, dice: &mut Dice, how_many: u32) -> Filled {
    let branches = tree();
    let products = products();
    let borrowers: Vec<_> = (0..40).map(|index| borrower(index, &branches, dice)).collect();
    let loans: Vec<_> = (0..how_many).map(|index| loan(index, &borrowers, &products, dice)).collect();
    let filled = Filled { branches, borrowers, products, loans };
    let rows = &filled;
    database
        .write(|transaction| async move {
            for row in &rows.branches {
                branches::insert(&*transaction, row).await?;
            }
            for row in &rows.products {
                loan_products::insert(&*transaction, row).await?;
            }
            for row in &rows.borrowers {
                borrowers::insert(&*transaction, row).await?;
            }
            for batch in rows.loans.chunks(200) {
                loans::insert(&*transaction, batch).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    filled
}

fn start() -> DateTime<Utc> {
    moment("2025-06-01T08:00:00Z")
}

fn id(kind: u128, index: impl Into<u128>) -> Uuid {
    Uuid::from_u128((kind << 100) | index.into())
}

fn tree() -> Vec<BranchRecord> {
    let rows = TREE.iter().zip(0_u32..).map(|((code, parent), index)| BranchRecord {
        id: id(1, index),
        code: (*code).to_owned(),
        name: format!("Branch {code}"),
        parent_id: parent.map(|parent| id(1, u32::try_from(parent).unwrap())),
        currency: Currency::parse("KES").unwrap(),
        time_zone: if *code == "LOS" { "Africa/Lagos" } else { "Africa/Nairobi" }.to_owned(),
        status: BranchStatus::Open,
        rest_days: Vec::new(),
        closed_through: None,
        version: 1,
        created_at: start(),
        updated_at: start(),
    });
    rows.collect()
}

fn products() -> Vec<LoanProductRecord> {
    let rows = CURRENCIES.iter().zip(0_u32..).map(|(code, index)| LoanProductRecord {
        id: id(3, index),
        code: format!("P-{code}"),
        name: format!("Product {code}"),
        limits: ProductLimits::default_for(Currency::parse(code).unwrap()),
        default_rate: Rate::ZERO,
        default_installments: 12,
        every: 1,
        unit: PeriodUnit::Month,
        conditions: lending::loan::Conditions::default(),
        status: LoanProductStatus::Active,
        version: 1,
        created_at: start(),
        updated_at: start(),
    });
    rows.collect()
}

fn borrower(index: u32, branches: &[BranchRecord], dice: &mut Dice) -> BorrowerRecord {
    BorrowerRecord {
        id: id(2, index),
        branch_id: dice.pick(branches).id,
        number: format!("B-{:09}", index + 1),
        name: (*dice.pick(&NAMES)).to_owned(),
        external_ref: dice.random_bool(0.5).then(|| format!("Crm_{index}")),
        phone: None,
        national_id: None,
        key_id: None,
        date_of_birth: dice.random_bool(0.7).then(|| later(day("1980-01-01"), dice.random_range(0..5))),
        erased_at: None,
        version: 1,
        created_at: start(),
        updated_at: start(),
    }
}

fn loan(index: u32, borrowers: &[BorrowerRecord], products: &[LoanProductRecord], dice: &mut Dice) -> LoanRecord {
    let borrower = dice.pick(borrowers).clone();
    let product = dice.pick(products).clone();
    let currency = product.limits.currency;
    let principal = Money::new(dice.random_range(1..=6) * 1_000, currency);
    // Whole seconds and fractions side by side: as text the two must still sort as moments.
    let created_at = start() + TimeDelta::milliseconds(dice.random_range(0..40) * 250);
    LoanRecord {
        // Ids in another order than every key, so that a tie-breaker is seen to work.
        id: id(4, (u64::from(dice.random::<u32>()) << 32) | u64::from(index)),
        number: format!("L-{:09}", index + 1),
        external_ref: dice.random_bool(0.3).then(|| format!("EXT/{index}%")),
        branch_id: borrower.branch_id,
        borrower_id: borrower.id,
        product_id: product.id,
        group_id: None,
        officer: dice.random_bool(0.8).then(|| (*dice.pick(&OFFICERS)).to_owned()),
        terms: LoanTerms {
            principal,
            annual_rate: Rate::from_ppm(240_000),
            installments: 6,
            every: 1,
            unit: PeriodUnit::Month,
            first_due_on: None,
            conditions: lending::loan::Conditions::default(),
        },
        state: state(principal, dice),
        projection: projection(dice),
        version: 1,
        created_at,
        updated_at: created_at,
    }
}

/// Due dates with many ties, and many loans without one.
fn projection(dice: &mut Dice) -> LoanProjection {
    let mut date = || dice.random_bool(0.6).then(|| later(day("2025-02-01"), dice.random_range(0..15)));
    LoanProjection { oldest_unpaid_due_on: date(), next_due_on: date(), ..LoanProjection::default() }
}

fn later(day: NaiveDate, by: u64) -> NaiveDate {
    day.checked_add_days(Days::new(by)).unwrap()
}

fn state(amount: Money, dice: &mut Dice) -> Lifecycle {
    let applied_on = later(day("2025-01-01"), dice.random_range(0..20));
    let who = || "someone".to_owned();
    let application = Application { applied_on, applied_by: who(), amount };
    let approval = Approval { on: later(applied_on, 1), by: who(), amount };
    let disbursement = Disbursement { on: later(applied_on, dice.random_range(2..6)), by: who(), amount };
    let decision = Decision { on: later(applied_on, 1), by: who(), reason: None };
    let closed_on = later(applied_on, 30);
    match dice.random_range(0..8) {
        0 => Lifecycle::Approved { application, approval },
        1 => Lifecycle::Rejected { application, rejection: decision },
        2 => Lifecycle::Withdrawn { application, approval: None, withdrawal: decision },
        3 => Lifecycle::Disbursed { application, approval, disbursement },
        4 => Lifecycle::Defaulted { application, approval, disbursement, defaulted_on: closed_on },
        5 => Lifecycle::Repaid { application, approval, disbursement, closed_on },
        6 => Lifecycle::WrittenOff { application, approval, disbursement, closed_on },
        _ => Lifecycle::Pending { application },
    }
}
