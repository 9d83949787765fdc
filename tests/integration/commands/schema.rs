//! `schema`

use crate::support::process::Place;

#[test]
fn the_committed_schema_is_what_it_prints() {
    let place = Place::new();
    let outcome = place.run(&["schema"]);
    assert_eq!(outcome.stderr, "");
    let committed = include_str!("../../../schema.graphql");
    assert!(outcome.printed() == committed, "run `cargo run -- schema > schema.graphql`");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "it needs no database, so it makes none");
}
