//! What sets some loans of the made-up portfolio apart from the product's usual conditions, so that whoever looks at
//! schedules, fees and interest finds more than one kind of each.

use lending::loan::charges::{ChargeAmount, ChargeTerms, ChargeTiming};
use lending::loan::conditions::{DayCount, InterestMethod, InterestRecalculation};
use lending::loan::{LoanTerms, PeriodUnit};

use super::draw::Draws;

/// A departure from the usual.
#[derive(Clone, Copy)]
enum Variety {
    Usual,
    DailyBalance,
    Flat,
    Weekly,
    Fortnightly,
    InstallmentFee,
    UpfrontFee,
}

/// How many in a hundred.
const VARIETIES: [(Variety, u64); 7] = [
    (Variety::Usual, 70),
    (Variety::DailyBalance, 8),
    (Variety::Flat, 6),
    (Variety::Weekly, 4),
    (Variety::Fortnightly, 3),
    (Variety::InstallmentFee, 5),
    (Variety::UpfrontFee, 4),
];

/// Varies the terms of a loan.
pub(super) fn vary(terms: &mut LoanTerms, draws: &mut Draws) {
    let conditions = &mut terms.conditions;
    match draws.weighted(&VARIETIES).unwrap_or(Variety::Usual) {
        Variety::Usual => {}
        Variety::DailyBalance => {
            conditions.recalculation = InterestRecalculation::DailyBalance;
            conditions.day_count = DayCount::Actual365;
        }
        Variety::Flat => conditions.interest_method = InterestMethod::Flat,
        Variety::Weekly => terms.unit = PeriodUnit::Week,
        Variety::Fortnightly => (terms.every, terms.unit) = (2, PeriodUnit::Week),
        Variety::InstallmentFee => {
            let amount = ChargeAmount::Flat((terms.principal.minor() / 400).max(1));
            let (name, timing) = ("Collection fee".to_owned(), ChargeTiming::PerInstallment);
            conditions.charges.push(ChargeTerms { name, timing, amount });
        }
        Variety::UpfrontFee => {
            let (name, timing) = ("Processing fee".to_owned(), ChargeTiming::UpfrontKept);
            conditions.charges.push(ChargeTerms { name, timing, amount: ChargeAmount::Share(20_000) });
        }
    }
}
