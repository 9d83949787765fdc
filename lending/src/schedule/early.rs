//! Rows whose interest follows the balance, for loans that settle installment by installment. The rows are made anew
//! from the beginning after every payment: what was unpaid past its due date stays in the balance that bears interest
//! until it was paid; money paid early lowers it from its day, is principal of the running installment, and what
//! exceeds that installment's own principal makes the others smaller, fewer, or skips their principal.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::interest::RowInterest;
use super::level::level;
use super::model::{ChangeKind, Model};
use super::row::{Row, Target, add, sub, sum};
use crate::loan::FoldError;
use crate::loan::conditions::EarlyPaymentRule;
use crate::rounding::{to_minor, to_multiple};

/// Money that was left when everything due was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Early {
    pub on: NaiveDate,
    pub amount: i64,
}

/// Principal of an installment that was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrincipalPaid {
    pub installment: u32,
    pub on: NaiveDate,
    pub amount: i64,
}

/// What the rows made so far leave to the next one.
struct Walk {
    /// Principal owed if everything due was paid.
    balance: i64,
    /// What each installment is to come to, or its principal.
    target: i64,
    /// Principal of the next rows that is paid already.
    skipped: i64,
    /// Interest that falls due in the first row after the grace.
    deferred: i64,
    /// Interest an installment had no room for: the next one's.
    carried: i64,
}

impl Model<'_> {
    /// Makes the rows anew for what is known on a day.
    pub(crate) fn remake(
        &mut self,
        early: &[Early],
        paid: &[PrincipalPaid],
        as_of: NaiveDate,
    ) -> Result<(), FoldError> {
        let Some(maturity) = self.maturity().filter(|_| !self.closed) else { return Ok(()) };
        let cap = as_of.min(maturity);
        let mut rows = self.rows.clone();
        let count = rows.len();
        let mut walk = Walk {
            balance: 0,
            target: rows.first().map_or(0, |row| row.original),
            skipped: 0,
            deferred: 0,
            carried: 0,
        };
        for index in 0..count {
            let (made, rest) = rows.split_at_mut(index);
            let Some(row) = rest.first_mut() else { break };
            let tranches = self.paid_out_in(row, index);
            if index > 0 && row.original != made.last().map_or(0, |before| before.original) {
                // A tranche or a new agreement solved the rows from here on.
                walk.target = row.original;
            }
            let interest = self.interest_of(row, made, &walk, early, paid, cap)?;
            walk.balance = add(walk.balance, tranches)?;
            let excess = fill(row, &mut walk, interest, early, index, index.saturating_add(1) == count)?;
            if excess > 0 {
                self.use_excess(&mut walk, excess, rows.get(index.saturating_add(1)..).unwrap_or_default())?;
            }
        }
        self.rows = rows;
        self.look.take();
        Ok(())
    }

    fn paid_out_in(&self, row: &Row, index: usize) -> i64 {
        let is_last = index.saturating_add(1) == self.rows.len();
        self.changes
            .iter()
            .filter(|change| change.kind == ChangeKind::Disbursed)
            .filter(|change| (index == 0 || change.on >= row.from) && (change.on < row.until || is_last))
            .filter(|change| change.on >= row.from || index == 0)
            .map(|change| change.amount)
            .fold(0, i64::saturating_add)
    }

    fn interest_of(
        &self,
        row: &mut Row,
        made: &[Row],
        walk: &Walk,
        early: &[Early],
        paid: &[PrincipalPaid],
        cap: NaiveDate,
    ) -> Result<i64, FoldError> {
        let mut moves: Vec<(NaiveDate, i64)> = Vec::new();
        for change in self.changes.iter().filter(|change| change.kind == ChangeKind::Disbursed) {
            if row.from <= change.on && change.on < row.until {
                moves.push((change.on, change.amount));
            }
        }
        for money in early.iter().filter(|money| lies_in(row, money.on)) {
            moves.push((money.on, money.amount.saturating_neg()));
        }
        for earlier in made {
            late_moves(earlier, row, paid, cap, &mut moves)?;
        }
        moves.sort_by_key(|(on, _)| *on);
        let mut interest = RowInterest::default();
        let (mut start, mut balance) = (row.from, walk.balance);
        for (on, amount) in moves {
            let on = on.max(row.from).min(row.until);
            if !row.interest_free {
                interest.stretch(&self.tariff, row.number, row.period(), (start, on), balance)?;
            }
            balance = add(balance, amount)?;
            start = on;
        }
        if !row.interest_free {
            interest.stretch(&self.tariff, row.number, row.period(), (start, row.until), balance)?;
        }
        let total = interest.total(self.tariff.rounding)?;
        row.lines = interest.lines;
        Ok(total)
    }

    fn use_excess(&self, walk: &mut Walk, excess: i64, rest: &[Row]) -> Result<(), FoldError> {
        match self.conditions().early_payment {
            EarlyPaymentRule::ReduceTerm => Ok(()),
            EarlyPaymentRule::NextInstallments => {
                walk.skipped = add(walk.skipped, excess)?;
                Ok(())
            }
            EarlyPaymentRule::ReduceInstallment => {
                let bearing: Vec<&Row> = rest.iter().filter(|row| !row.principal_grace).collect();
                if bearing.is_empty() {
                    return Ok(());
                }
                let exact = if matches!(bearing.first().map(|row| row.target), Some(Target::Level(_))) {
                    let fractions: Vec<Decimal> =
                        bearing.iter().map(|row| self.level_fraction(row)).collect::<Result<_, _>>()?;
                    level(walk.balance, &fractions)?
                } else {
                    let count = i64::try_from(bearing.len()).map_err(|_| FoldError::Overflow)?;
                    Decimal::from(walk.balance).checked_div(Decimal::from(count)).ok_or(FoldError::Overflow)?
                };
                let rounded = Decimal::from(to_minor(exact)?);
                walk.target = to_multiple(rounded, self.conditions().installment_multiple)?;
                Ok(())
            }
        }
    }
}

/// A day belongs to the row that ends on it.
fn lies_in(row: &Row, on: NaiveDate) -> bool {
    on <= row.until && (on > row.from || row.number == 1 && on == row.from)
}

/// What of an earlier row stayed unpaid within this one's days.
fn late_moves(
    earlier: &Row,
    row: &Row,
    paid: &[PrincipalPaid],
    cap: NaiveDate,
    moves: &mut Vec<(NaiveDate, i64)>,
) -> Result<(), FoldError> {
    if cap <= row.from {
        return Ok(());
    }
    let of_it = || paid.iter().filter(|payment| payment.installment == earlier.number);
    let by_start = sum(of_it().filter(|payment| payment.on <= row.from).map(|payment| payment.amount))?;
    let mut unpaid = sub(earlier.principal, by_start)?.max(0);
    if unpaid == 0 {
        return Ok(());
    }
    moves.push((row.from, unpaid));
    for payment in of_it().filter(|payment| row.from < payment.on && payment.on < cap.min(row.until)) {
        let amount = payment.amount.min(unpaid);
        unpaid = sub(unpaid, amount)?;
        moves.push((payment.on, amount.saturating_neg()));
    }
    // A cut where nothing changes would round once more, and differently on every day the loan is looked at.
    if cap < row.until && unpaid > 0 {
        moves.push((cap, unpaid.saturating_neg()));
    }
    Ok(())
}

/// Divides a row, given its interest; answers by how much early money exceeded its own principal.
fn fill(
    row: &mut Row,
    walk: &mut Walk,
    interest: i64,
    early: &[Early],
    index: usize,
    is_last: bool,
) -> Result<i64, FoldError> {
    let mut interest = add(interest, std::mem::take(&mut walk.carried))?;
    let mut own = match row.target {
        _ if row.principal_grace => 0,
        Target::Level(_) => sub(walk.target, interest)?,
        Target::Principal(_) => walk.target,
    }
    .max(0);
    let skipped = walk.skipped.min(own);
    walk.skipped = sub(walk.skipped, skipped)?;
    own = sub(own, skipped)?;
    if is_last {
        own = walk.balance;
    }
    own = own.min(walk.balance);
    let of_row = |money: &&Early| if index == 0 { money.on <= row.until } else { lies_in(row, money.on) };
    let before = sum(early.iter().filter(of_row).filter(|money| money.on < row.until).map(|money| money.amount))?;
    let at_end = sum(early.iter().filter(of_row).filter(|money| money.on == row.until).map(|money| money.amount))?;
    // What was paid of it before it was dated anew stays its principal.
    row.principal = add(own.max(before), at_end)?.max(row.settled_principal).min(walk.balance);
    if matches!(row.target, Target::Level(_)) && !is_last && !row.interest_grace && walk.target > 0 {
        walk.carried = sub(interest, walk.target)?.max(0);
        interest = sub(interest, walk.carried)?;
    }
    row.interest = if row.interest_grace {
        walk.deferred = add(walk.deferred, interest)?;
        0
    } else {
        add(interest, std::mem::take(&mut walk.deferred))?
    };
    // What was paid ahead of it, or waived, stays paid.
    row.interest = row.interest.max(row.settled_interest);
    row.target = match row.target {
        Target::Level(_) => Target::Level(add(row.principal, row.interest)?),
        Target::Principal(_) => Target::Principal(row.principal),
    };
    walk.balance = sub(walk.balance, row.principal)?;
    row.balance_after = walk.balance;
    Ok(sub(row.principal, own)?.max(0))
}
