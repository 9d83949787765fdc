//! What the published examples leave open: how days are counted, which unit-period is found, how rates round, and
//! which flows have no rate.

use chrono::NaiveDate;
use lending::disclosure::{CashFlow, Direction, DisclosureError, DisclosureRule, Timing, disclose};
use lending::loan::PeriodUnit;

use crate::disclosure::{Loan, MONTHLY, WEEKLY, day};
use crate::money;

const YEARS: Timing = Timing { every: 365, unit: PeriodUnit::Day };

#[test]
fn rules_have_names_and_decimals() {
    let rules = [("REG_Z_APPENDIX_J", 2), ("EU_APRC", 1), ("RBI_KFS", 2), ("BSP_EIR", 2)];
    assert_eq!(DisclosureRule::ALL.len(), rules.len());
    for (rule, (name, decimals)) in DisclosureRule::ALL.iter().zip(rules) {
        assert_eq!((rule.as_str(), rule.decimals()), (name, decimals));
        assert_eq!(rule.to_string(), name);
        assert_eq!(DisclosureRule::parse(name), Some(*rule));
    }
    assert_eq!(DisclosureRule::parse("eu_aprc"), None);
}

/// Intervals from the Commission's guidelines on Directive 2008/48/EC, SWD(2012) 128, section 4.1.1: months (years,
/// weeks) counted back from the payment, then days over those of the year that ends where they end. 1,000 lent and
/// 1,050 paid after t years cost 1.05^(1/t) − 1, computed apart with 40 digits.
#[test]
fn eu_intervals() {
    let cases = [
        ("2012-01-12", "2012-02-15", MONTHLY, 703_900_436_918), // 1/12 + 3/365
        ("2013-01-12", "2013-02-15", MONTHLY, 704_123_238_467), // 1/12 + 3/366
        ("2013-02-25", "2013-03-28", MONTHLY, 704_123_238_467), // 1/12 + 3/366
        ("2013-02-26", "2013-03-29", MONTHLY, 732_303_993_019), // 1/12 + 2/366
        ("2012-02-26", "2012-03-29", MONTHLY, 704_123_238_467), // 1/12 + 3/366
        ("2012-01-12", "2012-04-15", MONTHLY, 207_978_916_807), // 3/12 + 3/365
        ("2012-01-12", "2012-02-15", YEARS, 688_392_279_776),   // 34/365
        ("2012-01-12", "2013-02-15", YEARS, 45_643_626_471),    // 1 + 34/365
        ("2020-01-01", "2021-03-15", YEARS, 41_419_353_457),    // 1 + 74/366
        ("2012-01-12", "2012-01-26", WEEKLY, 2_555_672_687_944), // 2/52
        ("2012-01-12", "2012-01-30", WEEKLY, 1_683_834_634_100), // 2/52 + 4/365
        ("2012-01-12", "2013-01-12", WEEKLY, 49_720_856_336),   // 52/52 + 2/365
    ];
    for (start, end, timing, expected) in cases {
        let cost = Loan::of("EUR").advance(start, "1000").pay(end, "1050").disclose(DisclosureRule::EuAprc, timing);
        assert_eq!(cost.rate.parts_per_trillion(), expected, "{start} to {end}");
    }
}

/// The unrounded rate agrees with a 40-digit solution to its last digit.
#[test]
fn rates_are_exact_to_the_part_per_trillion() {
    let exact = |loan: Loan, rule, timing| loan.disclose(rule, timing).rate.parts_per_trillion();
    let monthly = Loan::of("USD").advance("1978-01-10", "5000").pay_months("1978-02-10", 1, 24, "230");
    assert_eq!(exact(monthly, DisclosureRule::RegZAppendixJ, MONTHLY), 96_857_080_623);
    let construction = Loan::of("USD")
        .advance("1979-04-10", "20000")
        .advance("1979-06-12", "20000")
        .advance("1979-09-18", "20000")
        .pay_months("1979-12-10", 1, 240, "612.36");
    assert_eq!(exact(construction, DisclosureRule::RegZAppendixJ, MONTHLY), 102_500_643_951);
    let single = Loan::of("USD").advance("1978-01-03", "1000").pay("1978-09-15", "1080");
    assert_eq!(exact(single, DisclosureRule::RegZAppendixJ, MONTHLY), 114_509_803_922);
    let mortgage = Loan::of("EUR").advance("2015-01-01", "196000").pay_months("2015-02-01", 1, 240, "1432.86");
    assert_eq!(exact(mortgage, DisclosureRule::EuAprc, MONTHLY), 64_344_124_888);
    let weekly = Loan::of("PHP").advance("2024-01-15", "10000").pay_days("2024-01-22", 7, 52, "220");
    assert_eq!(exact(weekly.clone(), DisclosureRule::RbiKfs, WEEKLY), 270_638_772_672);
    assert_eq!(exact(weekly, DisclosureRule::BspEir, WEEKLY), 309_881_826_904);
}

/// Month ends are whole months apart: 1 % a period is 12 % a year, whatever day February ends on.
#[test]
fn month_ends_are_whole_months() {
    for start in ["2025-01-31", "2025-01-30", "2025-01-29", "2024-01-31", "2024-01-30"] {
        let loan = Loan::of("USD").advance(start, "10000");
        let dates: Vec<NaiveDate> = (1..=12).map(|month| day(start) + chrono::Months::new(month)).collect();
        let loan =
            dates.iter().fold(loan, |loan, on| loan.pay(&on.to_string(), "100")).pay(&dates[11].to_string(), "10000");
        for rule in [DisclosureRule::RegZAppendixJ, DisclosureRule::RbiKfs] {
            assert_eq!(loan.clone().rate(rule, MONTHLY), "12.00", "{rule} from {start}");
        }
    }
    let february = Loan::of("USD").advance("2025-01-31", "1000").pay("2025-02-28", "1010");
    assert_eq!(february.rate(DisclosureRule::RegZAppendixJ, MONTHLY), "12.00");
    let from_28 = Loan::of("USD").advance("2025-01-28", "1000").pay("2025-02-28", "1010");
    assert_eq!(from_28.rate(DisclosureRule::RegZAppendixJ, MONTHLY), "12.00");
}

/// 1 % of the balance each unit-period, the principal in the last payment: the rate is the unit-periods of a year.
#[test]
fn unit_periods_are_found_in_the_flows() {
    let rate = |start: &str, days: &[&str]| {
        let loan = Loan::of("USD").advance(start, "10000");
        let loan = days.iter().fold(loan, |loan, on| loan.pay(on, "100"));
        loan.pay(days.last().unwrap(), "10000").rate(DisclosureRule::RegZAppendixJ, MONTHLY)
    };
    assert_eq!(rate("2025-01-01", &["2025-01-16", "2025-02-01", "2025-02-16", "2025-03-01"]), "24.00");
    // From the 1st to the 15th are 14/15 of half a month, from the 15th to the last of January 16/15.
    let first_and_fifteenth = ["2025-01-15", "2025-02-01", "2025-02-15", "2025-03-01"];
    assert_eq!(rate("2025-01-01", &first_and_fifteenth), "24.01");
    let fifteenth_and_last = ["2025-01-31", "2025-02-15", "2025-02-28", "2025-03-15", "2025-03-31"];
    assert_eq!(rate("2025-01-15", &fifteenth_and_last), "23.68");
    assert_eq!(rate("2025-01-01", &["2025-01-15", "2025-01-29", "2025-02-12"]), "26.00");
    assert_eq!(rate("2025-01-01", &["2025-01-11", "2025-01-21", "2025-01-31"]), "36.50");
    assert_eq!(rate("2025-02-01", &["2025-03-01", "2025-03-29"]), "13.00");
    assert_eq!(rate("2025-01-01", &["2025-07-01", "2026-01-01"]), "2.00");
    assert_eq!(rate("2025-03-01", &["2026-03-01", "2027-03-01"]), "1.00");
}

/// (b)(4)(i)(A): two periods of a week, two of a month: the week. (B): periods of 14 and 21 days: their average of 17.5
/// days is nearer to half a month than to three weeks. Both against (1 + f·i)(1 + i)^t written out with 40 digits.
#[test]
fn ties_and_averages() {
    let tie = Loan::of("USD").advance("2025-01-01", "1000").pay("2025-01-08", "300").pay("2025-01-15", "300");
    let tie = tie.pay("2025-02-15", "300").pay("2025-03-15", "300");
    let agreed = |unit| tie.clone().rate(DisclosureRule::RegZAppendixJ, Timing { every: 1, unit });
    assert_eq!(agreed(PeriodUnit::Month), "205.78");
    assert_eq!(agreed(PeriodUnit::Week), "205.78");
    let tie = Loan::of("USD").advance("2025-01-01", "1000").pay_months("2025-02-01", 1, 2, "300");
    let tie = tie.pay_days("2025-05-10", 70, 2, "300");
    assert_eq!(tie.rate(DisclosureRule::RegZAppendixJ, MONTHLY), "67.08", "a month is shorter than 70 days");
    let average = Loan::of("USD").advance("2025-01-01", "1000").pay("2025-01-15", "510").pay("2025-02-05", "510");
    assert_eq!(average.rate(DisclosureRule::RegZAppendixJ, MONTHLY), "29.93");
}

/// 31 days twice are two months as well: what was agreed decides.
#[test]
fn what_was_agreed_decides_between_two_readings() {
    let loan = Loan::of("USD").advance("2025-07-01", "10000").pay("2025-08-01", "100").pay("2025-09-01", "10100");
    assert_eq!(loan.clone().rate(DisclosureRule::RegZAppendixJ, MONTHLY), "12.00");
    assert_eq!(loan.rate(DisclosureRule::RegZAppendixJ, Timing { every: 31, unit: PeriodUnit::Day }), "11.77");
}

#[test]
fn rates_round_half_up_at_exact_ties() {
    let simple = |payment| Loan::of("USD").advance("2025-01-01", "10000").pay("2026-01-01", payment);
    for rule in [DisclosureRule::RegZAppendixJ, DisclosureRule::BspEir] {
        assert_eq!(simple("10968.50").rate(rule, MONTHLY), "9.69");
        assert_eq!(simple("10968.49").rate(rule, MONTHLY), "9.68");
    }
    assert_eq!(simple("10965").rate(DisclosureRule::EuAprc, MONTHLY), "9.7");
    assert_eq!(simple("10964.99").rate(DisclosureRule::EuAprc, MONTHLY), "9.6");
}

#[test]
fn currencies_without_decimals_work() {
    let loan = Loan::of("VND").advance("2025-01-01", "10000000").pay_months("2025-02-01", 1, 11, "100000");
    assert_eq!(loan.pay("2026-01-01", "10100000").rate(DisclosureRule::RbiKfs, MONTHLY), "12.00");
}

/// What the borrower pays on the first day was never lent, whether kept from the proceeds or paid apart.
#[test]
fn charges_on_the_first_day_lower_the_amount_financed() {
    let kept = Loan::of("USD").advance("2025-01-10", "980").pay_months("2025-02-10", 1, 12, "90");
    let apart =
        Loan::of("USD").pay("2025-01-10", "20").advance("2025-01-10", "1000").pay_months("2025-02-10", 1, 12, "90");
    for &rule in DisclosureRule::ALL {
        let cost = apart.clone().disclose(rule, MONTHLY);
        assert_eq!(cost, kept.clone().disclose(rule, MONTHLY));
        assert_eq!(cost.amount_financed, money("980", "USD"));
        assert_eq!((cost.total_of_payments, cost.finance_charge), (money("1080", "USD"), money("100", "USD")));
    }
}

/// Paid back in full and advanced again is no overpayment: there is one rate.
#[test]
fn a_second_advance_after_full_repayment_has_one_rate() {
    let first = Loan::of("USD").advance("2025-01-10", "1000").pay("2025-02-10", "1000");
    let both = first.advance("2025-03-10", "500").pay("2025-04-10", "5").pay("2025-05-10", "505");
    for &rule in DisclosureRule::ALL {
        assert!(both.clone().disclose(rule, MONTHLY).rate.parts_per_trillion() > 0, "{rule}");
    }
}

fn refused(flows: &[CashFlow], timing: Timing) -> DisclosureError {
    let errors: Vec<_> = DisclosureRule::ALL.iter().map(|&rule| disclose(rule, flows, timing).unwrap_err()).collect();
    assert!(errors.iter().all(|error| *error == errors[0]), "every rule refuses alike");
    assert!(!errors[0].to_string().is_empty() && !errors[0].code().is_empty());
    errors[0]
}

#[test]
fn flows_without_a_rate_are_refused() {
    let loan = || Loan::of("USD").advance("2025-01-10", "1000");
    let refused_monthly = |loan: Loan| refused(&loan.flows(), MONTHLY);
    assert_eq!(refused(&[], MONTHLY), DisclosureError::NoAdvances);
    assert_eq!(refused_monthly(Loan::of("USD").pay("2025-01-10", "1")), DisclosureError::NoAdvances);
    assert_eq!(refused_monthly(loan()), DisclosureError::NoPayments);
    assert_eq!(refused_monthly(loan().pay("2025-01-10", "20")), DisclosureError::NoPayments);
    assert_eq!(
        refused_monthly(loan().pay("2025-01-10", "1000").pay("2025-02-10", "1")),
        DisclosureError::NothingAdvanced
    );
    let free = loan().pay("2025-02-10", "1100").flows();
    assert_eq!(refused(&free, Timing { every: 0, unit: PeriodUnit::Month }), DisclosureError::NoPeriod);
    for zero_or_less in ["0", "-5"] {
        let on = day("2025-02-10");
        assert_eq!(refused_monthly(loan().pay("2025-02-10", zero_or_less)), DisclosureError::AmountNotPositive { on });
    }
    assert_eq!(
        refused_monthly(loan().pay("2025-02-10", "999.99")),
        DisclosureError::PaymentsBelowAdvances {
            amount_financed: money("1000", "USD"),
            total_of_payments: money("999.99", "USD")
        }
    );
    assert_eq!(
        refused_monthly(loan().pay("2025-01-09", "10").pay("2025-02-10", "1100")),
        DisclosureError::PaymentBeforeAdvance { payment_on: day("2025-01-09"), first_advance_on: day("2025-01-10") }
    );
    assert_eq!(
        refused_monthly(loan().pay("2025-02-10", "1500").advance("2025-03-10", "1000").pay("2025-04-10", "1000")),
        DisclosureError::SeveralRates { advanced_on: day("2025-03-10") }
    );
    assert_eq!(refused_monthly(loan().pay("2025-01-11", "10000000")), DisclosureError::RateTooHigh);
}

#[test]
fn mixed_and_misordered_flows_are_refused() {
    let advance = |amount| CashFlow { on: day("2025-01-10"), amount, direction: Direction::Advance };
    let pay = |on: &str, amount| CashFlow { on: day(on), amount, direction: Direction::Payment };
    let dollars = |amount: &str| money(amount, "USD");
    let mixed = [advance(dollars("10")), pay("2025-02-10", money("11", "EUR"))];
    assert!(matches!(refused(&mixed, MONTHLY), DisclosureError::CurrencyMismatch { .. }));
    let misordered = [advance(dollars("10")), pay("2025-03-10", dollars("6")), pay("2025-02-10", dollars("6"))];
    assert_eq!(refused(&misordered, MONTHLY), DisclosureError::DatesOutOfOrder { on: day("2025-02-10") });
    let largest = lending::money::Money::new(i64::MAX, crate::currency("USD"));
    let overflowing = [advance(largest), pay("2025-02-10", largest), pay("2025-03-10", largest)];
    assert_eq!(refused(&overflowing, MONTHLY), DisclosureError::Overflow);
}
