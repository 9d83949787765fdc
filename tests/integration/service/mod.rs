//! The use cases: what they do, what they refuse and how, who sees what, and what happens when many come at once.

mod applications;
mod audit;
mod audit_chain;
mod borrower_erasure;
mod borrowers;
mod branches;
mod close_day;
mod conditions;
mod decisions;
mod desk;
mod duplicates;
mod group_races;
mod groups;
mod idempotency;
mod key_rotation;
mod loan_books;
mod loan_products;
mod odd_text;
mod oversight;
mod permissions;
mod portfolio;
mod portfolio_days;
mod races;
mod report_speed;
mod scopes;
mod verify;
