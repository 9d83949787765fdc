//! The countries the demonstration lends in, as one table. Persons and numbers in it are made up: subscriber numbers
//! begin with 000, which no network hands out.

use chrono_tz::Tz;
use lending::money::{Currency, Money};
use lending::rate::Rate;

use super::defect;
use crate::service::ServiceError;

/// A country, its head branch and what loans are like there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Country {
    /// The code of its head branch.
    pub code: &'static str,
    /// The city of its head branch.
    pub city: &'static str,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone.
    pub time_zone: Tz,
    /// The two letters before its people's national ids.
    pub letters: &'static str,
    /// The prefix of its telephone numbers.
    pub dial: &'static str,
    /// The usual annual rate in percent.
    pub percent: i64,
    /// The usual number of installments.
    pub installments: u32,
    /// Given names.
    pub given: [&'static str; 8],
    /// Family names.
    pub family: [&'static str; 8],
}

/// The five countries, in the order of the five loans.
pub(super) fn countries() -> Result<[Country; 5], ServiceError> {
    let currency = |code| Currency::parse(code).map_err(defect);
    Ok([
        Country {
            code: "NBO",
            city: "Nairobi",
            currency: currency("KES")?,
            time_zone: chrono_tz::Africa::Nairobi,
            letters: "KE",
            dial: "+254",
            percent: 28,
            installments: 6,
            given: ["Wanjiru", "Otieno", "Achieng", "Kamau", "Njeri", "Kiprop", "Atieno", "Mwangi"],
            family: ["Mutua", "Odhiambo", "Kariuki", "Chebet", "Wekesa", "Njoroge", "Omondi", "Wambui"],
        },
        Country {
            code: "BOM",
            city: "Mumbai",
            currency: currency("INR")?,
            time_zone: chrono_tz::Asia::Kolkata,
            letters: "IN",
            dial: "+91",
            percent: 24,
            installments: 12,
            given: ["Asha", "Rohan", "Meera", "Arjun", "Kavita", "Sanjay", "Priya", "Vikram"],
            family: ["Deshpande", "Iyer", "Kulkarni", "Patil", "Shetty", "Joshi", "Naik", "Rao"],
        },
        Country {
            code: "LOS",
            city: "Lagos",
            currency: currency("NGN")?,
            time_zone: chrono_tz::Africa::Lagos,
            letters: "NG",
            dial: "+234",
            percent: 30,
            installments: 9,
            given: ["Chidi", "Amaka", "Tunde", "Ngozi", "Emeka", "Folake", "Ibrahim", "Zainab"],
            family: ["Okafor", "Adeyemi", "Balogun", "Eze", "Nwosu", "Lawal", "Obi", "Danjuma"],
        },
        Country {
            code: "SGN",
            city: "Ho Chi Minh City",
            currency: currency("VND")?,
            time_zone: chrono_tz::Asia::Ho_Chi_Minh,
            letters: "VN",
            dial: "+84",
            percent: 26,
            installments: 4,
            given: ["An", "Bình", "Chi", "Dũng", "Hạnh", "Khánh", "Linh", "Tuấn"],
            family: ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi"],
        },
        Country {
            code: "MNL",
            city: "Manila",
            currency: currency("PHP")?,
            time_zone: chrono_tz::Asia::Manila,
            letters: "PH",
            dial: "+63",
            percent: 22,
            installments: 6,
            given: ["Maria", "Jose", "Luz", "Ramon", "Liza", "Andres", "Corazon", "Paolo"],
            family: ["Santos", "Reyes", "Cruz", "Bautista", "Garcia", "Mendoza", "Aquino", "Ramos"],
        },
    ])
}

impl Country {
    /// The usual annual rate.
    pub(super) fn annual_rate(&self) -> Rate {
        Rate::from_ppm(self.percent * 10_000)
    }

    /// Whole units of its currency.
    pub(super) fn money(&self, major: i64) -> Money {
        Money::new(major.saturating_mul(10_i64.saturating_pow(self.currency.exponent())), self.currency)
    }

    /// One of the people who take applications here, by number.
    pub(super) fn officer(&self, number: u64) -> String {
        format!("officer-{}-{number}", self.code.to_lowercase())
    }

    /// Who decides here.
    pub(super) fn manager(&self) -> String {
        format!("manager-{}", self.code.to_lowercase())
    }

    /// The made-up telephone number of that number.
    pub(super) fn phone(&self, number: u64) -> String {
        let (left, right) = (number / 1_000 % 1_000, number % 1_000);
        format!("{} 000 {left:03} {right:03}", self.dial)
    }

    /// The made-up national id of that number.
    pub(super) fn national_id(&self, number: u64) -> String {
        format!("{}-{number:09}", self.letters)
    }
}
