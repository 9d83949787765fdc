//! `demo`: only that it is refused where it would do harm; what it makes is tested elsewhere.

use super::production;

#[test]
fn demonstration_data_is_refused_in_production() {
    let place = production();
    place.run(&["migrate"]).printed();
    let before = std::fs::read(place.path().join("loans.db")).unwrap();
    let refusal = place.run(&["demo"]).refusal();
    assert!(refusal.contains("APP_ENV=production"), "{refusal}");
    assert!(std::fs::read(place.path().join("loans.db")).unwrap() == before);
}
