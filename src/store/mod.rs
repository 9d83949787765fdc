//! The only SQL there is: SeaORM entities and the queries over them, for SQLite and PostgreSQL alike. It knows nothing
//! of callers and permissions; every finder is handed a [`scope::Scope`] instead, and rows outside it do not exist.

pub mod abandonment;
pub mod applications;
pub mod audit;
pub mod backup;
pub mod batch;
pub mod borrower_erasure;
pub mod borrowers;
pub mod branches;
pub mod calendars;
mod cells;
pub mod close_day;
pub mod collection;
mod conditions;
mod convert;
mod cursor;
pub mod database;
pub mod entity;
pub mod error;
pub mod filter;
pub mod find;
pub mod gather;
pub mod group_members;
pub mod groups;
pub mod idempotency;
mod insert;
pub mod journal;
pub mod ledger;
pub mod loan_balances;
pub mod loan_books;
pub mod loan_history;
pub mod loan_products;
pub mod loan_projection;
pub mod loans;
pub mod numbers;
pub mod page;
pub mod portfolio;
pub mod position;
mod queue;
mod rows;
pub mod scope;
mod text;
pub mod verify;

pub use database::{Database, DatabaseOptions};
pub use error::StoreError;
pub use position::Position;
