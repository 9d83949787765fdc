//! The API's behavior over HTTP, one file per area.

mod conformance;
