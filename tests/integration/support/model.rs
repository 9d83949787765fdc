//! What a filter means, written a second time over rows in memory, and filters drawn at random: the database must
//! agree with the model on every one of them.

use std::cmp::Ordering;

use branch_loan_api::service::list::{Filter, Scalar, Test};
use branch_loan_api::service::loans::{LoanField, LoanRecord};
use rand::Rng;

use super::fill::Filled;
use super::random::Dice;
use branch_loan_api::store::loans::NEVER;

pub const FIELDS: [LoanField; 14] = [
    LoanField::Number,
    LoanField::ExternalRef,
    LoanField::Branch,
    LoanField::Borrower,
    LoanField::Product,
    LoanField::Officer,
    LoanField::Currency,
    LoanField::Principal,
    LoanField::Status,
    LoanField::AppliedOn,
    LoanField::DisbursedOn,
    LoanField::CreatedAt,
    LoanField::OldestUnpaidDueOn,
    LoanField::NextDueOn,
];

/// The fields a list can be sorted by.
pub const SORTABLE: [LoanField; 8] = [
    LoanField::Number,
    LoanField::Currency,
    LoanField::Principal,
    LoanField::Status,
    LoanField::AppliedOn,
    LoanField::CreatedAt,
    LoanField::OldestUnpaidDueOn,
    LoanField::NextDueOn,
];

/// A loan's value of a field.
pub fn value(field: LoanField, loan: &LoanRecord) -> Option<Scalar> {
    Some(match field {
        LoanField::Number => Scalar::Text(loan.number.clone()),
        LoanField::ExternalRef => Scalar::Text(loan.external_ref.clone()?),
        LoanField::Branch => Scalar::Id(loan.branch_id),
        LoanField::Borrower => Scalar::Id(loan.borrower_id),
        LoanField::Product => Scalar::Id(loan.product_id),
        LoanField::Officer => Scalar::Text(loan.officer.clone()?),
        LoanField::Currency => Scalar::Text(loan.terms.principal.currency().code().to_owned()),
        LoanField::Principal => Scalar::Integer(loan.terms.principal.minor()),
        LoanField::Status => Scalar::Text(loan.state.status().as_str().to_owned()),
        LoanField::AppliedOn => Scalar::Date(loan.state.application().applied_on),
        LoanField::DisbursedOn => Scalar::Date(loan.state.disbursement()?.on),
        LoanField::Group => Scalar::Id(loan.group_id?),
        LoanField::CreatedAt => Scalar::Time(loan.created_at),
        LoanField::DaysPastDue => panic!("days past due are known on a day only"),
        LoanField::OldestUnpaidDueOn => Scalar::Date(loan.projection.oldest_unpaid_due_on.unwrap_or(NEVER)),
        LoanField::NextDueOn => Scalar::Date(loan.projection.next_due_on?),
    })
}

/// The order of two values of one field: text by code point.
pub fn compare(one: &Scalar, other: &Scalar) -> Ordering {
    match (one, other) {
        (Scalar::Text(one), Scalar::Text(other)) => one.cmp(other),
        (Scalar::Integer(one), Scalar::Integer(other)) => one.cmp(other),
        (Scalar::Date(one), Scalar::Date(other)) => one.cmp(other),
        (Scalar::Time(one), Scalar::Time(other)) => one.cmp(other),
        (Scalar::Id(one), Scalar::Id(other)) => one.cmp(other),
        different => panic!("no order between {different:?}"),
    }
}

/// Whether a loan matches.
pub fn matches(filter: &Filter<LoanField>, loan: &LoanRecord, filled: &Filled) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| matches(part, loan, filled)),
        Filter::Any(parts) => parts.iter().any(|part| matches(part, loan, filled)),
        Filter::Not(inner) => !matches(inner, loan, filled),
        Filter::Field(field, test) => passes(value(*field, loan).as_ref(), test),
        Filter::Search(text) => found(text, loan, filled),
        Filter::UnderBranches(roots) => filled.is_under(loan.branch_id, roots),
        Filter::InTimeZones(zones) => {
            let branch = filled.branches.iter().find(|branch| branch.id == loan.branch_id).unwrap();
            zones.contains(&branch.time_zone)
        }
    }
}

fn passes(value: Option<&Scalar>, test: &Test) -> bool {
    let order = |with: &Scalar| value.map(|value| compare(value, with));
    match test {
        Test::IsMissing => value.is_none(),
        Test::Is(with) => order(with) == Some(Ordering::Equal),
        Test::OneOf(list) => list.iter().any(|with| order(with) == Some(Ordering::Equal)),
        Test::Below(with) => order(with) == Some(Ordering::Less),
        Test::AtMost(with) => order(with).is_some_and(Ordering::is_le),
        Test::Above(with) => order(with) == Some(Ordering::Greater),
        Test::AtLeast(with) => order(with).is_some_and(Ordering::is_ge),
    }
}

fn found(text: &str, loan: &LoanRecord, filled: &Filled) -> bool {
    let borrower = filled.borrower_of(loan);
    let needle = text.trim().to_lowercase();
    [
        Some(&loan.number),
        loan.external_ref.as_ref(),
        Some(&borrower.name),
        Some(&borrower.number),
        borrower.external_ref.as_ref(),
    ]
    .into_iter()
    .flatten()
    .any(|hay| hay.to_lowercase().contains(&needle))
}

/// Texts to search for: hits, misses, and what LIKE would take for a pattern.
const SEARCHES: [&str; 16] = [
    "",
    " ",
    "kamau",
    "KAMAU",
    "ánh",
    "ÁNH",
    "%",
    "100%",
    "_",
    "r_s",
    "\\",
    "e\\b",
    "l-00000001",
    "crm_1",
    "ext/",
    "🦀",
];

/// A filter drawn at random, nested at most so deep.
pub fn random_filter(dice: &mut Dice, filled: &Filled, depth: u32) -> Filter<LoanField> {
    let leaf = depth == 0 || dice.random_bool(0.4);
    if leaf {
        return match dice.random_range(0..7) {
            6 => Filter::InTimeZones(
                (0..dice.random_range(0..2)).map(|_| dice.pick(&filled.branches).time_zone.clone()).collect(),
            ),
            0 => Filter::Search((*dice.pick(&SEARCHES)).to_owned()),
            1 => {
                let count = dice.random_range(0..3);
                Filter::UnderBranches((0..count).map(|_| dice.pick(&filled.branches).id).collect())
            }
            _ => {
                let field = *dice.pick(&FIELDS);
                Filter::Field(field, random_test(dice, filled, field))
            }
        };
    }
    match dice.random_range(0..3) {
        0 => Filter::Not(Box::new(random_filter(dice, filled, depth - 1))),
        1 => Filter::All(random_filters(dice, filled, depth - 1)),
        _ => Filter::Any(random_filters(dice, filled, depth - 1)),
    }
}

fn random_filters(dice: &mut Dice, filled: &Filled, depth: u32) -> Vec<Filter<LoanField>> {
    let count = dice.random_range(0..4);
    (0..count).map(|_| random_filter(dice, filled, depth)).collect()
}

fn random_test(dice: &mut Dice, filled: &Filled, field: LoanField) -> Test {
    let mut one = || loop {
        let loan = dice.pick(&filled.loans);
        if let Some(value) = value(field, loan) {
            return value;
        }
    };
    let (first, second) = (one(), one());
    // What has a place for missing values never misses one.
    let least = if field == LoanField::OldestUnpaidDueOn { 1 } else { 0 };
    match dice.random_range(least..7) {
        0 => Test::IsMissing,
        1 => Test::Is(first),
        2 => Test::OneOf(vec![]),
        3 => Test::OneOf(vec![first, second]),
        4 if dice.random_bool(0.5) => Test::Below(first),
        4 => Test::AtMost(first),
        _ if dice.random_bool(0.5) => Test::Above(first),
        _ => Test::AtLeast(first),
    }
}
