//! `policy`

use crate::support::process::Place;

#[test]
fn the_documented_table_is_what_it_prints() {
    let place = Place::new();
    let printed = place.run(&["policy"]).printed();
    assert!(include_str!("../../../docs/API.md").contains(&printed), "copy this into docs/API.md:\n{printed}");
    assert!(printed.contains("| ApproveLoan | – | yes | yes | – | – |"), "{printed}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "it needs no database, so it makes none");
}

#[test]
fn limits_of_approvals_that_cannot_be_read_stop_the_server() {
    let place = Place::new().set("APPROVAL_LIMITS", "MANAGER:KES:5O000");
    let told = place.run(&["serve", "--api-port", "0"]).refusal();
    assert!(told.starts_with("APPROVAL_LIMITS has \"MANAGER:KES:5O000\": "), "{told}");
    assert!(told.ends_with("such as MANAGER:KES:50000."), "{told}");
}
