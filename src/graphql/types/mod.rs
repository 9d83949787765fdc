//! The types of the API: scalars, objects, inputs. Objects are newtypes over the services' records.

pub mod borrower;
pub mod branch;
pub mod connection;
pub mod filters;
pub mod group;
pub mod group_member;
pub mod id;
pub mod loan;
pub mod loan_filter;
pub mod loan_product;
pub mod money;
pub mod node;
pub mod portfolio;
pub mod scalars;
pub mod selection;
pub mod user_error;
pub mod viewer;
