//! The regulators' published examples, to the published digit. Where an example gives no days, any that fit are used.

use chrono::{Days, Months, NaiveDate};
use lending::disclosure::{CashFlow, CostDisclosure, Direction, DisclosureRule, Timing, disclose};
use lending::loan::PeriodUnit;

use crate::money;

pub(crate) const MONTHLY: Timing = Timing { every: 1, unit: PeriodUnit::Month };
pub(crate) const WEEKLY: Timing = Timing { every: 1, unit: PeriodUnit::Week };
const DAILY: Timing = Timing { every: 1, unit: PeriodUnit::Day };

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Advances and payments of a currency as flows in the order of their days.
#[derive(Clone)]
pub(crate) struct Loan {
    currency: &'static str,
    flows: Vec<CashFlow>,
}

impl Loan {
    pub(crate) fn of(currency: &'static str) -> Self {
        Self { currency, flows: Vec::new() }
    }

    fn flow(mut self, on: NaiveDate, amount: &str, direction: Direction) -> Self {
        self.flows.push(CashFlow { on, amount: money(amount, self.currency), direction });
        self
    }

    pub(crate) fn advance(self, on: &str, amount: &str) -> Self {
        self.flow(day(on), amount, Direction::Advance)
    }

    pub(crate) fn pay(self, on: &str, amount: &str) -> Self {
        self.flow(day(on), amount, Direction::Payment)
    }

    /// `count` payments, one every `every` months from the first day.
    pub(crate) fn pay_months(self, first: &str, every: u32, count: u32, amount: &str) -> Self {
        (0..count)
            .fold(self, |loan, index| loan.flow(day(first) + Months::new(every * index), amount, Direction::Payment))
    }

    /// `count` payments, one every `every` days from the first day.
    pub(crate) fn pay_days(self, first: &str, every: u64, count: u64, amount: &str) -> Self {
        (0..count)
            .fold(self, |loan, index| loan.flow(day(first) + Days::new(every * index), amount, Direction::Payment))
    }

    pub(crate) fn flows(mut self) -> Vec<CashFlow> {
        self.flows.sort_by_key(|flow| flow.on);
        self.flows
    }

    pub(crate) fn disclose(self, rule: DisclosureRule, timing: Timing) -> CostDisclosure {
        disclose(rule, &self.flows(), timing).unwrap()
    }

    pub(crate) fn rate(self, rule: DisclosureRule, timing: Timing) -> String {
        self.disclose(rule, timing).rate.to_percent_string()
    }

    fn reg_z(self) -> String {
        let rate = self.clone().rate(DisclosureRule::RegZAppendixJ, MONTHLY);
        for unit in [PeriodUnit::Day, PeriodUnit::Week] {
            let other = self.clone().rate(DisclosureRule::RegZAppendixJ, Timing { every: 1, unit });
            assert_eq!(other, rate, "the unit-period is in the flows, not in what was agreed");
        }
        rate
    }
}

fn dollars(on: &str, amount: &str) -> Loan {
    Loan::of("USD").advance(on, amount)
}

fn euros(on: &str, amount: &str) -> Loan {
    Loan::of("EUR").advance(on, amount)
}

/// 12 CFR 1026 Appendix J, (c)(1): single advance, odd first period or not.
#[test]
fn appendix_j_c1_regular_payments() {
    assert_eq!(dollars("1978-01-10", "5000").pay_months("1978-02-10", 1, 24, "230").reg_z(), "9.69");
    assert_eq!(dollars("1978-02-10", "6000").pay_months("1978-04-01", 1, 36, "200").reg_z(), "11.82");
    let semimonthly = dollars("1978-02-23", "5000").pay_months("1978-03-01", 1, 12, "219.17").pay_months(
        "1978-03-16",
        1,
        12,
        "219.17",
    );
    assert_eq!(semimonthly.reg_z(), "10.34");
    assert_eq!(dollars("1978-05-23", "10000").pay_months("1978-10-01", 3, 40, "385").reg_z(), "8.97");
    assert_eq!(dollars("1978-03-20", "500").pay_days("1978-04-21", 7, 30, "17.60").reg_z(), "14.96");
}

/// (c)(2): an odd first payment.
#[test]
fn appendix_j_c2_odd_first_payment() {
    let monthly = dollars("1978-01-10", "5000").pay("1978-02-10", "250").pay_months("1978-03-10", 1, 23, "230");
    assert_eq!(monthly.reg_z(), "10.08");
    let four_weekly = dollars("1978-03-18", "400").pay("1978-04-20", "39.50").pay_days("1978-05-18", 28, 11, "38.31");
    assert_eq!(four_weekly.reg_z(), "28.50");
}

/// (c)(3): an odd final payment.
#[test]
fn appendix_j_c3_odd_final_payment() {
    let monthly = dollars("1978-01-10", "5000").pay_months("1978-02-10", 1, 23, "230").pay("1980-01-10", "280");
    assert_eq!(monthly.reg_z(), "10.50");
    let biweekly = dollars("1978-04-03", "200").pay_days("1978-04-11", 14, 19, "9.50").pay("1979-01-02", "30");
    assert_eq!(biweekly.reg_z(), "12.22");
}

/// (c)(4): an odd first and an odd final payment.
#[test]
fn appendix_j_c4_odd_first_and_final_payment() {
    let monthly = dollars("1978-01-10", "5000")
        .pay("1978-02-10", "250")
        .pay_months("1978-03-10", 1, 22, "230")
        .pay("1980-01-10", "280");
    assert_eq!(monthly.reg_z(), "10.90");
    let bimonthly = dollars("1978-01-10", "8000")
        .pay("1978-03-01", "449.36")
        .pay_months("1978-05-01", 2, 18, "465")
        .pay("1981-05-01", "200");
    assert_eq!(bimonthly.reg_z(), "7.30");
}

/// (c)(5): single advance, single payment.
#[test]
fn appendix_j_c5_single_payment() {
    assert_eq!(dollars("1978-01-03", "1000").pay("1978-09-15", "1080").reg_z(), "11.45");
    assert_eq!(dollars("1978-07-15", "1000").pay("1979-01-15", "1044").reg_z(), "8.80");
    assert_eq!(dollars("1978-01-17", "1000").pay("1979-07-17", "1135.19").reg_z(), "8.76");
    assert_eq!(dollars("1978-01-03", "1000").pay("1980-01-03", "1240").reg_z(), "11.36");
}

/// (c)(6)(i): a payment every four weeks, of two in one calendar month the second two weeks later.
#[test]
fn appendix_j_c6_delayed_payments() {
    let delayed = dollars("1978-01-25", "2135")
        .pay_days("1978-02-20", 28, 9, "100")
        .pay_days("1978-11-13", 28, 6, "100")
        .pay_days("1979-05-14", 28, 6, "100")
        .pay_days("1979-11-12", 28, 3, "100");
    assert_eq!(delayed.reg_z(), "12.00");
}

/// (c)(6)(iii): a mortgage of 360 monthly payments, the same within each of its thirty years.
#[test]
fn appendix_j_c6_varying_payments() {
    let years = [
        "291.81", "300.18", "308.78", "317.61", "326.65", "335.92", "345.42", "355.15", "365.12", "375.33", "385.76",
        "385.42", "385.03", "384.62", "384.17", "383.67", "383.13", "382.54", "381.90", "381.20", "380.43", "379.60",
        "378.68", "377.69", "376.60", "375.42", "374.13", "372.72", "371.18", "369.50",
    ];
    let mortgage = (1978..).zip(years).fold(dollars("1978-04-10", "39688.56"), |loan, (year, amount)| {
        loan.pay_months(&format!("{year}-06-01"), 1, 12, amount)
    });
    assert_eq!(mortgage.reg_z(), "9.80");
}

/// (c)(6)(ii) and (7)(i): skipped payments with single ones in between, and an advance in three parts. (7)(ii) pays
/// before the first advance, which no loan here does.
#[test]
fn appendix_j_c6_and_c7_complex_transactions() {
    let skipped = dollars("1978-03-03", "7350")
        .pay_months("1978-09-15", 1, 3, "1000")
        .pay("1979-03-15", "2000")
        .pay_months("1979-09-15", 1, 3, "750")
        .pay("1980-02-01", "1000");
    assert_eq!(skipped.reg_z(), "10.22");
    let construction = dollars("1979-04-10", "20000")
        .advance("1979-06-12", "20000")
        .advance("1979-09-18", "20000")
        .pay_months("1979-12-10", 1, 240, "612.36");
    assert_eq!(construction.reg_z(), "10.25");
}

/// Variations on Appendix J that the library FSharp.Finance.Personal (`AprUsActuarialTests`) checked against a
/// spreadsheet.
#[test]
fn appendix_j_variations() {
    assert_eq!(dollars("1978-06-23", "10000").pay_months("1978-10-01", 3, 40, "385").reg_z(), "9.15");
    assert_eq!(dollars("1978-07-23", "10000").pay_months("1978-10-01", 3, 40, "385").reg_z(), "9.32");
    assert_eq!(dollars("2023-10-26", "1000").pay_days("2023-11-30", 1, 5, "220").reg_z(), "94.15");
    assert_eq!(dollars("2023-10-28", "1000").pay_days("2023-11-30", 7, 5, "250").reg_z(), "176.52");
    assert_eq!(dollars("2023-11-23", "1000").pay_days("2023-11-30", 7, 5, "250").reg_z(), "412.40");
    assert_eq!(dollars("2023-11-24", "1000").pay_days("2023-11-30", 7, 5, "250").reg_z(), "434.30");
    assert_eq!(dollars("2023-10-26", "1000").pay_months("2023-11-30", 12, 5, "500").reg_z(), "78.34");
}

/// Examples for the calculation of the APRC (European Commission, 2015) for Annex I of Directive 2014/17/EU.
#[test]
fn eu_commission_examples() {
    let mortgage = euros("2015-01-01", "200000").pay("2015-01-01", "4000");
    let plain = mortgage.clone().pay_months("2015-02-01", 1, 240, "1432.86");
    assert_eq!(plain.rate(DisclosureRule::EuAprc, MONTHLY), "6.4");
    let with_charge = mortgage.pay_months("2015-02-01", 1, 240, "1449.53");
    assert_eq!(with_charge.rate(DisclosureRule::EuAprc, MONTHLY), "6.6");
    let bullet = euros("2015-01-01", "3000").pay("2015-01-01", "60").pay("2015-04-01", "100").pay("2016-01-01", "3000");
    assert_eq!(bullet.rate(DisclosureRule::EuAprc, MONTHLY), "5.6");
}

/// Annex III of Directive 87/102/EEC as amended by Directive 98/7/EC, whose equation Annex I took over: part A on a
/// calendar basis (years and days), part B in equal months.
#[test]
fn eu_directive_examples() {
    let eu = |loan: &Loan, timing| loan.clone().rate(DisclosureRule::EuAprc, timing);
    let once = euros("1994-01-01", "1000").pay("1995-07-01", "1200");
    assert_eq!((eu(&once, DAILY), eu(&once, MONTHLY)), ("13.0".into(), "12.9".into()));
    let charged = euros("1994-01-01", "1000").pay("1994-01-01", "50").pay("1995-07-01", "1200");
    assert_eq!((eu(&charged, DAILY), eu(&charged, MONTHLY)), ("16.9".into(), "16.9".into()));
    let twice = euros("1994-01-01", "1000").pay_months("1995-01-01", 12, 2, "600");
    assert_eq!((eu(&twice, DAILY), eu(&twice, MONTHLY)), ("13.1".into(), "13.1".into()));
    let thrice = euros("1994-01-01", "1000").pay_months("1994-04-01", 3, 2, "272").pay("1995-01-01", "544");
    assert_eq!((eu(&thrice, DAILY), eu(&thrice, MONTHLY)), ("13.2".into(), "13.2".into()));
}

/// The personal loan of the UK's Consumer Finance Association, as the library rimas-kudelis/php-apr-calculator has it.
#[test]
fn eu_personal_loan() {
    let personal = euros("2023-01-10", "10000").pay_months("2023-02-10", 1, 60, "222.44");
    assert_eq!(personal.rate(DisclosureRule::EuAprc, MONTHLY), "12.7");
}

/// RBI Master Direction on microfinance loans, Annex II, and circular of 15 April 2024, Annex B: 20,000 at 15 % over 24
/// months, charges of 400, installments of 969.73.
#[test]
fn rbi_illustration() {
    let loan = Loan::of("INR").advance("2024-05-01", "20000").pay("2024-05-01", "240").pay("2024-05-01", "160");
    let cost = loan.pay_months("2024-06-01", 1, 24, "969.73").disclose(DisclosureRule::RbiKfs, MONTHLY);
    assert_eq!(cost.rate.to_percent_string(), "17.07");
    assert_eq!(cost.amount_financed, money("19600", "INR"));
    assert_eq!(cost.total_of_payments, money("23273.52", "INR"));
    assert_eq!(cost.finance_charge, money("3673.52", "INR"));
}

/// 1 % a month on the balance costs 1.01^12 − 1 = 12.68 % a year; one payment after a year costs its simple rate (BSP
/// Circular 730). Both by hand: no example of the regulator's was at hand.
#[test]
fn bsp_effective_rate() {
    let peso = |amount| Loan::of("PHP").advance("2024-01-15", amount);
    let interest_only = peso("10000").pay_months("2024-02-15", 1, 11, "100").pay("2025-01-15", "10100");
    assert_eq!(interest_only.rate(DisclosureRule::BspEir, MONTHLY), "12.68");
    let yearly = peso("10000").pay("2025-01-15", "11250");
    assert_eq!(yearly.rate(DisclosureRule::BspEir, Timing { every: 12, unit: PeriodUnit::Month }), "12.50");
    // 52 weeks of 220: solved apart, with 40 digits.
    let weekly = peso("10000").pay_days("2024-01-22", 7, 52, "220");
    assert_eq!(weekly.clone().rate(DisclosureRule::BspEir, WEEKLY), "30.99");
    assert_eq!(weekly.rate(DisclosureRule::RbiKfs, WEEKLY), "27.06");
}
