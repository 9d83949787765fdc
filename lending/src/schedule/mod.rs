//! Schedules: which installments a loan has, what each asks for, and how that changes with tranches, new agreements
//! and, where interest follows the balance, with what is paid when. A schedule knows nothing of charges, allocation
//! orders or the ledger; the fold tells it what was paid.
//!
//! | file | holds |
//! |---|---|
//! | `dates` | when installments fall due |
//! | `rates` | the fraction of a balance that a stretch of days costs |
//! | `level` | the equal installment, and evening out the last one |
//! | `row` | one installment in the making |
//! | `interest` | the stretches of a row and their interest |
//! | `model` | the rows together: disbursements, new agreements, balances, the last row that takes what is left |
//! | `payments` | what payments do to rows whose interest follows the balance |
//! | `early` | the same for loans that settle installment by installment: smaller, fewer or skipped installments |

pub(crate) mod dates;
mod early;
mod interest;
mod level;
mod model;
mod payments;
pub(crate) mod rates;
mod row;

pub(crate) use early::{Early, PrincipalPaid};
pub(crate) use model::Model;
