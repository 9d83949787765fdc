//! The tables as SeaORM entities, one file each. Only the store sees them; everyone else gets records.

pub mod audit_chain;
pub mod audit_event;
pub mod audit_link;
pub mod audit_pending;
pub mod borrower;
pub mod borrower_group;
pub mod branch;
pub mod branch_holiday;
pub mod group_member;
pub mod idempotency_key;
pub mod journal_entry;
pub mod journal_line;
pub mod loan;
pub mod loan_installment;
pub mod loan_product;
pub mod loan_reversal;
pub mod loan_transaction;
pub mod loan_transaction_split;
