//! Random loans: terms over all conditions, and histories in which anything may happen on any day, reversals included.

use chrono::{Days, NaiveDate, Weekday};
use lending::calendar::Calendar;
use lending::loan::conditions::*;
use lending::loan::{
    ChargeAmount, ChargeKind, ChargeTerms, ChargeTiming, Conditions, Event, LoanTerms, PaymentKind, PeriodUnit,
    Reschedule, Transaction,
};
use lending::money::Money;
use lending::rate::Rate;
use proptest::prelude::*;

use crate::currency;
use crate::example::{Example, day};

/// What happens, drawn without knowing the loan.
#[derive(Debug, Clone, Copy)]
pub enum Happening {
    Repayment,
    Goodwill,
    Refund,
    Fee,
    Penalty,
    ChargeWaiver,
    InterestWaiver,
    Tranche,
    NewRate,
    MoreInstallments,
    NewDate,
    ChargeOff,
    WriteOff,
}

pub fn any_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn any_allocation() -> impl Strategy<Value = Allocation> {
    (
        any_of(AllocationMode::ALL),
        Just(Allocation::USUAL.to_vec()).prop_shuffle(),
        Just(Allocation::USUAL.to_vec()).prop_shuffle(),
        Just(Allocation::usual_rules()).prop_shuffle(),
        any_of(AdvanceTo::ALL),
        any_of(RuleDirection::ALL),
    )
        .prop_map(|(mode, order, advance_order, rules, advance_to, direction)| Allocation {
            mode,
            order,
            advance_order,
            rules,
            advance_to,
            direction,
        })
}

fn any_charges() -> impl Strategy<Value = Vec<ChargeTerms>> {
    let amount = prop_oneof![(1_i64..500).prop_map(ChargeAmount::Flat), (1_i64..50_000).prop_map(ChargeAmount::Share)];
    let charge = (any_of(ChargeTiming::ALL), amount).prop_map(|(timing, amount)| ChargeTerms {
        name: "Fee".to_owned(),
        timing,
        amount,
    });
    prop::collection::vec(charge, 0..3)
}

/// Conditions that make sense for so many installments.
pub fn any_conditions(installments: u32) -> impl Strategy<Value = Conditions> {
    let grace = || prop_oneof![3 => Just(0), 1 => 0..installments];
    (
        (
            any_of(InterestMethod::ALL),
            any_of(Amortization::ALL),
            any_of(DayCount::ALL),
            any_of(LevelOn::ALL),
            any::<bool>(),
            prop_oneof![3 => Just(None), 1 => prop::sample::select(vec![1, 5, 100, 1000]).prop_map(Some)],
        ),
        (grace(), grace(), prop_oneof![3 => Just(0), 1 => 0..=installments]),
        (any_of(InterestRecalculation::ALL), any_of(EarlyPaymentRule::ALL), any_of(PayoffInterest::ALL)),
        (prop_oneof![3 => Just(0), 1 => 1_i64..1_000], any_allocation(), any_charges()),
        (any_of(MonthEnd::ALL), any_of(NonWorkingDays::ALL), any::<bool>()),
    )
        .prop_map(|(making, graces, following, paying, dates)| Conditions {
            interest_method: making.0,
            amortization: making.1,
            day_count: making.2,
            level_on: making.3,
            smooth_last: making.4,
            installment_multiple: making.5,
            principal_grace: graces.0,
            interest_payment_grace: graces.1,
            interest_free_installments: graces.2,
            recalculation: match making.0 {
                InterestMethod::Flat => InterestRecalculation::Fixed,
                InterestMethod::DecliningBalance => following.0,
            },
            early_payment: following.1,
            payoff_interest: following.2,
            early_closure_fee: paying.0,
            allocation: paying.1,
            charges: paying.2,
            month_end: dates.0,
            non_working_days: dates.1,
            interest_follows_moved_date: dates.2,
            ..Conditions::default()
        })
}

/// Terms over all conditions, in currencies of 0, 2 and 3 digits.
pub fn any_terms() -> impl Strategy<Value = LoanTerms> {
    let installments = prop_oneof![Just(1_u32), 2_u32..7, 7_u32..13];
    installments.prop_flat_map(|installments| {
        (
            prop_oneof![1_i64..1_000, 1_000_i64..5_000_000],
            any_of(&["JPY", "USD", "BHD"]),
            prop_oneof![1 => Just(0), 6 => 0_i64..=1_000_000],
            1_u32..4,
            any_of(&PeriodUnit::ALL),
            prop::option::of(1_u64..60),
            any_conditions(installments),
        )
            .prop_map(move |(principal, code, ppm, every, unit, first, conditions)| LoanTerms {
                principal: Money::new(principal, currency(code)),
                annual_rate: Rate::from_ppm(ppm),
                installments,
                every,
                unit,
                first_due_on: first.map(|days| start() + Days::new(days)),
                conditions,
            })
    })
}

/// The day of the first disbursement: a month's end, so that months of all lengths follow.
pub fn start() -> NaiveDate {
    day("2023-10-31")
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    prop_oneof![
        Just(Calendar::every_day()),
        Just(Calendar::new([Weekday::Sat, Weekday::Sun], [day("2023-12-25"), day("2024-01-01")])),
    ]
}

/// A happening, its place within the life of the loan in thousandths, its size in thousandths of the principal.
fn any_happening() -> impl Strategy<Value = (Happening, u64, i64, bool)> {
    use Happening::*;
    let what = prop_oneof![
        12 => Just(Repayment),
        2 => any_of(&[Goodwill, Refund, ChargeWaiver, InterestWaiver]),
        3 => any_of(&[Fee, Penalty]),
        2 => any_of(&[Tranche, NewRate, MoreInstallments, NewDate]),
        1 => any_of(&[ChargeOff, WriteOff]),
    ];
    (what, 0_u64..1_200, 1_i64..700, prop::bool::weighted(0.1))
}

/// Any loan with up to so many happenings.
pub fn any_loan(most: usize) -> impl Strategy<Value = Example> {
    (any_terms(), any_calendar(), prop::collection::vec(any_happening(), 0..most))
        .prop_map(|(terms, calendar, happenings)| live(terms, calendar, happenings))
}

/// Days the loan nominally lasts.
pub fn nominal_days(terms: &LoanTerms) -> u64 {
    let unit = match terms.unit {
        PeriodUnit::Day => 1,
        PeriodUnit::Week => 7,
        PeriodUnit::Month => 30,
    };
    u64::from(terms.installments * terms.every) * unit
}

fn live(terms: LoanTerms, calendar: Calendar, mut happenings: Vec<(Happening, u64, i64, bool)>) -> Example {
    let principal = terms.principal.minor();
    let lasts = nominal_days(&terms);
    let mut example = Example { terms, transactions: Vec::new(), calendar };
    example.push(start(), Event::Disbursement { amount: principal });
    happenings.sort_by_key(|(_, place, _, _)| *place);
    let mut charges: Vec<(u32, i64)> = Vec::new();
    let mut charged_off = false;
    for (what, place, size, reversed) in happenings {
        let on = start() + Days::new(lasts * place / 1_000);
        let amount = (i128::from(principal) * i128::from(size) / 1_000).max(1).try_into().unwrap();
        let running = place < 600 && !charged_off;
        let event = match what {
            Happening::Repayment => Event::Payment { amount, payment: PaymentKind::Repayment },
            Happening::Goodwill => Event::Payment { amount, payment: PaymentKind::GoodwillCredit },
            Happening::Refund => Event::CreditRefund { amount },
            Happening::Fee | Happening::Penalty => {
                let charge = if matches!(what, Happening::Fee) { ChargeKind::Fee } else { ChargeKind::Penalty };
                let due_on = on + Days::new(u64::try_from(size).unwrap() % 40);
                Event::Charge { amount: size, charge, due_on, late_for: None }
            }
            Happening::ChargeWaiver => match charges.pop() {
                Some((charge, amount)) => Event::ChargeWaiver { charge, amount: amount.min(size) },
                None => continue,
            },
            Happening::InterestWaiver => Event::InterestWaiver { amount },
            Happening::Tranche if running => Event::Disbursement { amount },
            Happening::NewRate if running => agreed(on, None, Some(Rate::from_ppm(size * 1_000)), 0),
            Happening::MoreInstallments if running => agreed(on, None, None, u32::try_from(size % 5).unwrap() + 1),
            Happening::NewDate if running => agreed(on, Some(on + Days::new(lasts + 1)), None, 0),
            Happening::ChargeOff if running => {
                charged_off = true;
                Event::ChargeOff
            }
            Happening::WriteOff => {
                example.push(on, Event::WriteOff);
                example.push(on, Event::Recovery { amount });
                return example;
            }
            _ => continue,
        };
        let is_charge = matches!(event, Event::Charge { .. });
        let sequence = example.push(on, event);
        if is_charge {
            charges.push((sequence, size));
        } else {
            example.transactions.last_mut().unwrap().reversed = reversed;
        }
    }
    example
}

fn agreed(from: NaiveDate, first_due_on: Option<NaiveDate>, annual_rate: Option<Rate>, extra: u32) -> Event {
    Event::Reschedule(Reschedule { from, first_due_on, annual_rate, extra_installments: extra })
}

/// The days on which something happens, and one after all of them.
pub fn days_of(transactions: &[Transaction]) -> Vec<NaiveDate> {
    let mut days: Vec<NaiveDate> = transactions.iter().map(|transaction| transaction.on).collect();
    days.push(start() + Days::new(2_000));
    days.sort_unstable();
    days.dedup();
    days
}
