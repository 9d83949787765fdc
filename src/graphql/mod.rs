//! The GraphQL API: thin resolvers over the services. It never touches the store. Queries stand in `query/`, mutations
//! in `mutation/`, one file per area; `types/` holds what they speak of.

pub mod abandonment;
pub mod error;
pub mod mutation;
pub mod query;
pub mod read_after;
pub mod request;
pub mod schema;
pub mod types;
