//! The commands of the real binary, as someone at a terminal or an orchestrator sees them: what is printed, where, and
//! the exit code.

mod backup;
mod books;
mod canary;
mod close_day;
mod demo;
mod doctor;
mod drill;
mod erase_borrower;
mod healthcheck;
mod migrate;
mod point_in_time;
mod policy;
mod purge_idempotency_keys;
mod read_replica;
mod restore;
mod rotate_keys;
mod schema;
mod serve;
mod settings;
mod token;
mod two_servers;
mod verify;

use crate::support::process::Place;
use crate::support::server::PII_KEY;

/// A place where the server may run as in production: an issuer's keys, a key for personal data, a database.
fn production() -> Place {
    let place = Place::new();
    let keys = crate::support::issuer::Issuer::new("key-1").publish(place.path());
    let database = format!("sqlite://{}?mode=rwc", place.path().join("loans.db").display());
    place
        .set("APP_ENV", "production")
        .set("DATABASE_URL", database)
        .set("AUTH_ISSUER", crate::support::issuer::ISSUER)
        .set("AUTH_AUDIENCE", crate::support::issuer::AUDIENCE)
        .set("AUTH_JWKS_FILE", keys.display())
        .set("PII_KEY", PII_KEY)
}
