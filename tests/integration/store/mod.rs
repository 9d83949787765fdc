//! The store: schema, filters, pages, cursors, outages.

mod cursors;
mod filters;
mod migrations;
mod outage;
mod paging;
mod search;
mod statements;
