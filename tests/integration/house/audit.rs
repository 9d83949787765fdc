//! Nothing is written past the audit trail: use cases write through it, and what has its own way to it is listed here.

use super::sources;

/// Where a transaction may begin without `Trail::write`, and how it comes to its events.
const OWN_WAY: [(&str, &str); 11] = [
    ("src/service/audit/mod.rs", "is the trail"),
    ("src/service/audit/sealing.rs", "seals the trail"),
    ("src/service/audit/unmask.rs", "writes nothing but an event"),
    ("src/service/close_day/chunk.rs", "writes the day's event with the branch's date"),
    ("src/service/close_day/mod.rs", "writes the day's event with the branch's date"),
    ("src/service/close_day/trail.rs", "writes nothing but an event"),
    ("src/service/demo/mod.rs", "writes the one event of a run"),
    ("src/service/demo/portfolio.rs", "makes data up, under the one event of its run"),
    ("src/service/demo/rows.rs", "makes data up, under the one event of its run"),
    ("src/service/portfolio/refresh.rs", "works out anew what follows from the books, and changes none"),
    ("src/service/portfolio/roll_up.rs", "puts sums together, which it does not change"),
];

#[test]
fn use_cases_write_through_the_audit_trail() {
    let mut own_way: Vec<&str> = Vec::new();
    let mut through_the_trail = 0;
    let sources = sources::rust(&["src/service"]);
    for source in sources.iter().filter(|source| !source.is_test()) {
        let code: String = source.code.split_whitespace().collect();
        through_the_trail += code.matches("trail.write(").count() + code.matches("trail.write_together(").count();
        let past = code.contains("database.write(") || code.contains("database.write::<");
        if past && !OWN_WAY.iter().any(|(path, _)| *path == source.path) {
            panic!("{}: write inside Services::audited, through the trail it gives", source.path);
        }
        if past {
            own_way.push(&source.path);
        }
    }
    let listed: Vec<&str> = OWN_WAY.iter().map(|(path, _)| *path).collect();
    assert_eq!(own_way, listed, "a file that no longer begins transactions leaves the list");
    assert!(through_the_trail >= 16, "the reader of this test no longer sees them: {through_the_trail}");
}
