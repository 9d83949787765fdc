//! The GraphQL API: thin resolvers over the services. It never touches the store.

pub mod request;
