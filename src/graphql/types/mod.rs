//! The types of the API: scalars, objects, inputs. Objects are newtypes over the services' records.

pub mod allocation;
pub mod borrower;
pub mod branch;
pub mod charge_terms;
pub mod collection;
pub mod connection;
pub mod delinquency;
pub mod filters;
pub mod group;
pub mod group_member;
pub mod id;
pub mod journal_entry;
pub mod ledger;
pub mod loan;
pub mod loan_filter;
pub mod loan_product;
pub mod money;
pub mod node;
pub mod portfolio;
pub mod scalars;
pub mod selection;
pub mod term_choices;
pub mod terms;
pub mod terms_input;
pub mod user_error;
pub mod viewer;
