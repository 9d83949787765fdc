//! What each event books, as balanced entries. Accruals are not here: they follow from the state on a day and are
//! booked for the difference to what is booked already.

use super::Upfront;
use crate::ledger::{Account, Entry, Side};
use crate::loan::error::FoldError;
use crate::loan::event::PaymentKind;
use crate::loan::portions::Portions;
use crate::loan::state::Share;

fn entry(lines: impl IntoIterator<Item = (Account, Side, i64)>) -> Result<Entry, FoldError> {
    Entry::new(lines).map_err(|_| FoldError::Overflow)
}

fn receivables(portions: &Portions, side: Side) -> [(Account, Side, i64); 4] {
    [
        (Account::PenaltiesReceivable, side, portions.penalties),
        (Account::FeesReceivable, side, portions.fees),
        (Account::InterestReceivable, side, portions.interest),
        (Account::LoansReceivable, side, portions.principal),
    ]
}

fn split(shares: &[Share]) -> Result<Portions, FoldError> {
    shares.iter().try_fold(Portions::ZERO, |sum, share| sum.plus(&Portions::only(share.component, share.amount)))
}

/// Credit that pays what is newly owed.
fn credit_lines(shares: &[Share], used: i64) -> Result<Vec<(Account, Side, i64)>, FoldError> {
    let mut lines = receivables(&split(shares)?, Side::Credit).to_vec();
    lines.push((Account::OverpaymentLiability, Side::Debit, used));
    Ok(lines)
}

/// Principal against cash, less what is kept; charges at once are income at once.
pub(super) fn disbursement(amount: i64, upfront: Upfront, shares: &[Share], used: i64) -> Result<Entry, FoldError> {
    let net = amount.checked_sub(upfront.kept).ok_or(FoldError::Overflow)?;
    let fees = upfront.kept.checked_add(upfront.paid_apart).ok_or(FoldError::Overflow)?;
    let mut lines = vec![
        (Account::LoansReceivable, Side::Debit, amount),
        (Account::Cash, Side::Credit, net),
        (Account::Cash, Side::Debit, upfront.paid_apart),
        (Account::FeeIncome, Side::Credit, fees),
    ];
    lines.extend(credit_lines(shares, used)?);
    entry(lines)
}

/// Money, or the lender's goodwill, against what it pays; what is left is owed to the borrower. Of a loan that is off
/// the books everything is recovery.
pub(super) fn payment(
    kind: PaymentKind,
    portions: &Portions,
    to_credit: i64,
    off_the_books: bool,
) -> Result<Entry, FoldError> {
    let paid = portions.total()?;
    let amount = paid.checked_add(to_credit).ok_or(FoldError::Overflow)?;
    let source = match kind {
        PaymentKind::Repayment => Account::Cash,
        PaymentKind::GoodwillCredit => Account::GoodwillExpense,
    };
    let mut lines = vec![(source, Side::Debit, amount)];
    if off_the_books {
        lines.push((Account::RecoveryIncome, Side::Credit, paid));
    } else {
        lines.extend(receivables(portions, Side::Credit));
    }
    lines.push((Account::OverpaymentLiability, Side::Credit, to_credit));
    entry(lines)
}

/// Credit that is used by what became owed; of a loan that is off the books it is recovery.
pub(super) fn use_of_credit(shares: &[Share], used: i64, off_the_books: bool) -> Result<Entry, FoldError> {
    if off_the_books {
        return entry([
            (Account::OverpaymentLiability, Side::Debit, used),
            (Account::RecoveryIncome, Side::Credit, used),
        ]);
    }
    entry(credit_lines(shares, used)?)
}

/// Cash against the credit, and against principal where the credit does not reach. Principal of a loan that is off the
/// books is no receivable: it is lost like the rest.
pub(super) fn refund(covered: i64, short: i64, off_the_books: bool) -> Result<Entry, FoldError> {
    let amount = covered.checked_add(short).ok_or(FoldError::Overflow)?;
    let principal = if off_the_books { Account::CreditLoss } else { Account::LoansReceivable };
    entry([
        (Account::OverpaymentLiability, Side::Debit, covered),
        (principal, Side::Debit, short),
        (Account::Cash, Side::Credit, amount),
    ])
}

/// Income given back against the receivable.
pub(super) fn waiver(portions: &Portions) -> Result<Entry, FoldError> {
    let mut lines = vec![
        (Account::InterestIncome, Side::Debit, portions.interest),
        (Account::FeeIncome, Side::Debit, portions.fees),
        (Account::PenaltyIncome, Side::Debit, portions.penalties),
    ];
    lines.extend(receivables(portions, Side::Credit));
    entry(lines)
}

/// Principal is a credit loss, the rest is income charged off.
pub(super) fn charge_off(receivable: &Portions) -> Result<Entry, FoldError> {
    let rest = receivable.total()?.checked_sub(receivable.principal).ok_or(FoldError::Overflow)?;
    let mut lines =
        vec![(Account::CreditLoss, Side::Debit, receivable.principal), (Account::IncomeChargedOff, Side::Debit, rest)];
    lines.extend(receivables(receivable, Side::Credit));
    entry(lines)
}

/// Everything that stands in the books is a loss.
pub(super) fn write_off(receivable: &Portions) -> Result<Entry, FoldError> {
    let mut lines = vec![(Account::LossesWrittenOff, Side::Debit, receivable.total()?)];
    lines.extend(receivables(receivable, Side::Credit));
    entry(lines)
}

/// Money after everything was given up.
pub(super) fn recovery(amount: i64) -> Result<Entry, FoldError> {
    entry([(Account::Cash, Side::Debit, amount), (Account::RecoveryIncome, Side::Credit, amount)])
}
