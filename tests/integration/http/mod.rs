//! What happens at the server's door, over real sockets, whatever is behind it: attacks, limits, overload, strict settings, tokens, a
//! database that is down, shutting down, HTTPS.

mod admin;
mod attacks;
mod attacks_values;
mod corpus;
mod down;
mod engine_sight;
mod https;
mod idempotency;
mod limits;
mod lock;
mod names;
mod newer_schema;
mod overload;
mod production;
mod settings;
mod shutdown;
mod tokens;
mod traces;
mod trusted_documents;
mod written;
