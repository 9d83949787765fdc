//! The rules of the code base, held by tests: they read the sources and the schema.

mod audit;
mod codes;
mod examples;
mod imports;
mod observability;
mod schema;
mod sources;
