//! The tables as SeaORM entities, one file each. Only the store sees them; everyone else gets records.

pub mod borrower;
pub mod borrower_group;
pub mod branch;
pub mod group_member;
pub mod idempotency_key;
pub mod loan;
pub mod loan_product;
