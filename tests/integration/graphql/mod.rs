//! The API's behavior over HTTP, one file per area.

mod access;
mod audit;
mod borrowers;
mod branches;
mod conformance;
mod groups;
mod lists;
mod loan_products;
mod loan_simulations;
mod loan_views;
mod loans;
mod portfolio;
mod reports;
mod scalars;
mod statements;
mod terms;
mod world;
