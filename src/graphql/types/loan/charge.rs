//! The charges of a loan, each with what became of it.

use async_graphql::{ID, Result, SimpleObject};
use lending::loan::{ChargeKind as Kind, ChargeState, Installment, Portions};
use uuid::Uuid;

use super::balances::money;
use crate::graphql::types::charge_terms::ChargeKind;
use crate::graphql::types::id::id;
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::Date;
use crate::ids;
use crate::service::ServiceError;
use crate::service::loan_views::LoanView;

/// A charge that was made of a loan on its own; the charges that its terms make of every installment are in the schedule alone.
#[derive(Debug, Clone, SimpleObject)]
pub struct LoanCharge {
    /// The transaction that made it, by which it is waived, such as "loantx_01k…".
    pub transaction_id: ID,
    /// The place of that transaction among the loan's.
    pub sequence: u32,
    /// Fee or penalty.
    pub kind: ChargeKind,
    /// The day it is due.
    pub due_on: Date,
    /// The number of the installment it belongs to.
    pub installment: u32,
    /// How much it is.
    pub amount: Money,
    /// How much of it was waived.
    pub waived: Money,
    /// What is left of it; the charges of one installment are paid in the order they fall due.
    pub outstanding: Money,
    /// For a charge for being late: the number of the installment it was made for.
    pub late_for: Option<u32>,
}

impl LoanCharge {
    /// The charges of a loan, in the order the fold took them in.
    pub fn all(view: &LoanView) -> Result<Vec<Self>> {
        let (state, currency) = (&view.state, view.state.currency);
        let left = outstanding(&state.charges, &state.installments).map_err(ServiceError::from)?;
        let charges = state.charges.iter().zip(left).map(|(charge, left)| Self {
            transaction_id: id(
                ids::Kind::LoanTransaction,
                view.transaction_id(charge.sequence).unwrap_or_else(Uuid::nil),
            ),
            sequence: charge.sequence,
            kind: charge.kind.into(),
            due_on: Date(charge.due_on),
            installment: charge.installment,
            amount: money(charge.amount, currency),
            waived: money(charge.waived, currency),
            outstanding: money(left, currency),
            late_for: charge.late_for,
        });
        Ok(charges.collect())
    }
}

/// What is left of each charge. An installment knows what is left of all its fees, or penalties; what falls due last is
/// left longest.
fn outstanding(charges: &[ChargeState], rows: &[Installment]) -> Result<Vec<i64>, lending::loan::FoldError> {
    let mut left = vec![0; charges.len()];
    for row in rows {
        let of_row = row.outstanding()?;
        for kind in [Kind::Fee, Kind::Penalty] {
            let mut pool = part(&of_row, kind);
            let mut places: Vec<usize> = charges
                .iter()
                .enumerate()
                .filter(|(_, charge)| charge.installment == row.number && charge.kind == kind)
                .map(|(place, _)| place)
                .collect();
            places.sort_by_key(|place| charges.get(*place).map(|charge| (charge.due_on, charge.sequence)));
            for place in places.into_iter().rev() {
                let open = charges.get(place).map_or(0, |charge| charge.amount.saturating_sub(charge.waived));
                let share = open.min(pool).max(0);
                pool = pool.saturating_sub(share);
                if let Some(slot) = left.get_mut(place) {
                    *slot = share;
                }
            }
        }
    }
    Ok(left)
}

const fn part(portions: &Portions, kind: Kind) -> i64 {
    match kind {
        Kind::Fee => portions.fees,
        Kind::Penalty => portions.penalties,
    }
}
