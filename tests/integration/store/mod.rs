//! The store: abandoned reads, schema, filters, pages, cursors, outages.

mod abandonment;
mod books;
mod constraints;
mod cursors;
mod filled;
mod filters;
mod gather;
mod kept;
mod migrations;
mod outage;
mod paging;
mod plans;
mod search;
mod statements;
mod transactions;
