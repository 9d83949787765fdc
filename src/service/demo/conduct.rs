//! How borrowers of the demonstration pay: each payment is worked out from the schedule that the fold makes, and where
//! the loan then stands is for the fold to say. Nothing here sets a status or a balance.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use lending::calendar::Calendar;
use lending::loan::conditions::InterestRecalculation;
use lending::loan::{Event, Loan, LoanState, LoanTerms, PaymentKind, Transaction};

use super::countries::Country;
use super::defect;
use super::draw::{DrawnIds, Draws};
use super::life::LAST_DAY;
use crate::ids::IdSource;
use crate::service::ServiceError;
use crate::service::loan_books::bulk::{self, MadeLoan};
use crate::store::loan_history::StoredTransaction;
use crate::store::loans::LoanRecord;

/// The latest that a borrower pays who pays late, in days.
const LATEST: i64 = 21;

/// How a borrower pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conduct {
    /// Every installment on its day, or a few days before.
    Punctual,
    /// Every installment, many of them days or weeks late.
    Late,
    /// So many installments, and then no more.
    Stops { after: u64 },
    /// So many installments, and then everything at once.
    PaysOff { after: u64 },
    /// So many installments; so many days after the loan has defaulted the lender gives up.
    GivenUp { after: u64, days: i64 },
}

/// Where the money of a loan goes out and comes in.
pub(super) struct Till<'a> {
    pub country: &'a Country,
    /// Who records what is paid.
    pub cashier: &'a str,
}

/// A loan's transactions while they are made up.
struct Dealings<'a> {
    terms: &'a LoanTerms,
    calendar: &'a Calendar,
    transactions: Vec<Transaction>,
}

impl Till<'_> {
    /// A loan with its books. It is paid out so many days after the application, if at all and if the demonstration
    /// lasts that long.
    pub(super) fn make(
        &self,
        loan: LoanRecord,
        paid_out: Option<(i64, Conduct)>,
        draws: &mut Draws,
    ) -> Result<MadeLoan, ServiceError> {
        let calendar = Calendar::every_day();
        let ids = DrawnIds::new(Draws::new(draws.below(u64::MAX), "books", 0));
        let history = match paid_out {
            Some((days, conduct)) => self.history(&loan, &calendar, days, conduct, draws, &ids)?,
            None => Vec::new(),
        };
        bulk::make(loan, &calendar, history, LAST_DAY, &ids)
    }

    fn history(
        &self,
        loan: &LoanRecord,
        calendar: &Calendar,
        days: i64,
        conduct: Conduct,
        draws: &mut Draws,
        ids: &DrawnIds,
    ) -> Result<Vec<StoredTransaction>, ServiceError> {
        let on = loan.state.application().applied_on + TimeDelta::days(days);
        let Some(approval) = loan.state.approval().filter(|_| on <= LAST_DAY) else { return Ok(Vec::new()) };
        let mut dealings = Dealings { terms: &loan.terms, calendar, transactions: Vec::new() };
        dealings.add(on, Event::Disbursement { amount: approval.amount.minor() });
        dealings.go_on(conduct, draws)?;
        let mut recorded_at = loan.updated_at;
        let mut history = Vec::with_capacity(dealings.transactions.len());
        for transaction in dealings.transactions {
            recorded_at = self.office_hour(transaction.on, draws).max(recorded_at + TimeDelta::seconds(1));
            history.push(StoredTransaction {
                id: ids.next(recorded_at),
                transaction,
                recorded_at,
                recorded_by: self.cashier.to_owned(),
                external_ref: None,
                reversal: None,
            });
        }
        Ok(history)
    }

    /// A moment of the day between eight and five o'clock in the country.
    fn office_hour(&self, on: NaiveDate, draws: &mut Draws) -> DateTime<Utc> {
        let hours = TimeDelta::hours(8) + TimeDelta::seconds(draws.between(0, 9 * 60 * 60));
        let local = on.and_time(NaiveTime::MIN) + hours;
        let moment = self.country.time_zone.from_local_datetime(&local).earliest();
        moment.map_or_else(|| local.and_utc(), |moment| moment.with_timezone(&Utc))
    }
}

impl Dealings<'_> {
    fn add(&mut self, on: NaiveDate, event: Event) {
        let sequence = self.transactions.last().map_or(1, |last| last.sequence + 1);
        self.transactions.push(Transaction { sequence, on, event, reversed: false });
    }

    fn pay(&mut self, on: NaiveDate, amount: i64) {
        self.add(on, Event::Payment { amount, payment: PaymentKind::Repayment });
    }

    fn state(&self, on: NaiveDate) -> Result<LoanState, ServiceError> {
        Loan::fold(self.terms, &self.transactions, self.calendar, on).map_err(defect)
    }

    fn last_on(&self) -> NaiveDate {
        self.transactions.last().map_or(LAST_DAY, |last| last.on)
    }

    /// What follows the payout, up to the demonstration's last day.
    fn go_on(&mut self, conduct: Conduct, draws: &mut Draws) -> Result<(), ServiceError> {
        let schedule = self.state(self.last_on())?.installments;
        let paid = match conduct {
            Conduct::Punctual | Conduct::Late => u64::MAX,
            Conduct::Stops { after } | Conduct::PaysOff { after } | Conduct::GivenUp { after, .. } => after,
        };
        let count = schedule.len();
        for (row, number) in schedule.iter().zip(1..).take_while(|(_, number)| *number <= paid) {
            let on = (row.due_on + TimeDelta::days(delay(conduct, draws))).max(self.last_on());
            if on > LAST_DAY {
                return Ok(());
            }
            if usize::try_from(number).is_ok_and(|number| number == count) {
                return self.pay_off(on);
            }
            self.pay(on, row.due.total().map_err(defect)?);
        }
        match conduct {
            Conduct::PaysOff { .. } => self.pay_off(self.last_on() + TimeDelta::days(draws.between(5, 25))),
            Conduct::GivenUp { days, .. } => self.give_up(days, draws),
            Conduct::Punctual | Conduct::Late | Conduct::Stops { .. } => Ok(()),
        }
    }

    /// Everything that is owed on a day is paid.
    fn pay_off(&mut self, on: NaiveDate) -> Result<(), ServiceError> {
        if on > LAST_DAY {
            return Ok(());
        }
        // Interest that does not follow the balance is owed in full, however early the payment.
        let owed = match self.terms.conditions.recalculation {
            InterestRecalculation::Fixed => self.state(on)?.outstanding().and_then(|left| left.total()),
            InterestRecalculation::DailyBalance => {
                Loan::payoff(self.terms, &self.transactions, self.calendar, on).map(|quote| quote.total)
            }
        };
        let owed = owed.map_err(defect)?;
        if owed > 0 {
            self.pay(on, owed);
        }
        Ok(())
    }

    /// The lender gives up so many days after the default; now and then something comes in all the same.
    fn give_up(&mut self, days: i64, draws: &mut Draws) -> Result<(), ServiceError> {
        let state = self.state(self.last_on())?;
        let Some(due_on) = state.oldest_unpaid_due_on() else { return Ok(()) };
        let on = due_on + TimeDelta::days(i64::from(self.terms.conditions.default_after_days) + days);
        if on > LAST_DAY {
            return Ok(());
        }
        self.add(on, Event::WriteOff);
        let later = on + TimeDelta::days(draws.between(10, 90));
        let owed = state.outstanding().and_then(|left| left.total()).map_err(defect)?;
        if draws.once_in(4) && later <= LAST_DAY && owed >= 10 {
            self.add(later, Event::Recovery { amount: owed / 10 });
        }
        Ok(())
    }
}

/// The days from an installment's due date to its payment.
fn delay(conduct: Conduct, draws: &mut Draws) -> i64 {
    match conduct {
        Conduct::Late if draws.once_in(2) => draws.between(1, LATEST),
        Conduct::Punctual | Conduct::PaysOff { .. } if draws.once_in(4) => -draws.between(1, 3),
        Conduct::Stops { .. } | Conduct::GivenUp { .. } if draws.once_in(2) => draws.between(0, 10),
        _ => 0,
    }
}
