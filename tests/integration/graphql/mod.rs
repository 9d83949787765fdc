//! The API's behavior over HTTP, one file per area.

mod access;
mod audit;
mod book_desk;
mod borrower_erasure;
mod borrowers;
mod branches;
mod conformance;
mod groups;
mod histories;
mod lifecycle;
mod limits_of_input;
mod lists;
mod loan_products;
mod loan_records;
mod loan_simulations;
mod loan_views;
mod loans;
mod portfolio;
mod portfolio_scope;
mod random_histories;
mod reports;
mod scalars;
mod statements;
mod terms;
mod world;
