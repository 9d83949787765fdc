//! `verify`: what it prints about books that hold and books that were tampered with, and that its exit code tells them
//! apart.

use serde_json::{Value as Json, json};

use super::books::{Books, FIRST};
use super::production;
use crate::support::engines::Engine;

both_engines!(what_was_tampered_with_is_named_and_fails,);

async fn what_was_tampered_with_is_named_and_fails(engine: Engine) {
    let books = Books::with(engine, 60).await;
    books.close(FIRST, &[]);
    let with_books = books.number("SELECT count(*) FROM loans WHERE projected_on IS NOT NULL").await;
    let clean = books.place.run(&["verify"]).printed();
    let [first, second] = clean.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {clean}") };
    assert_eq!(first, format!("The books hold: {with_books} loans verified."));
    assert!(
        second.starts_with("The audit trail holds: ") && second.ends_with(" chains, 0 not sealed yet."),
        "{second}"
    );
    let as_json: Json = serde_json::from_str(&books.place.run(&["verify", "--json"]).printed()).unwrap();
    let audit = &as_json["audit"];
    assert_eq!(as_json, json!({"loans": with_books, "findings": 0, "audit": audit}));
    // Each branch has a chain, because each day that is closed is on it; the command tells where they end.
    let chains = audit["chains"].as_array().unwrap();
    let lengths: Vec<u64> = chains.iter().map(|chain| chain["length"].as_u64().unwrap()).collect();
    assert!(!lengths.is_empty() && audit["sealed"] == lengths.iter().sum::<u64>() && audit["unsealed"] == 0, "{audit}");
    let heads = books.place.run(&["verify", "--heads"]).printed();
    for chain in chains {
        let (branch, head) = (chain["branch"].as_str().unwrap_or("lender"), chain["head"].as_str().unwrap());
        let line = format!("Audit chain {branch}: {} events, {head}", chain["length"]);
        assert!(heads.lines().any(|told| told == line), "{line}\n{heads}");
    }

    let in_nairobi = "(SELECT min(l.number) FROM loans l JOIN branches b ON b.id = l.branch_id
                       WHERE b.code LIKE 'NBO%' AND l.projected_on IS NOT NULL)";
    let more =
        format!("UPDATE loans SET accrued_interest_minor = accrued_interest_minor + 7 WHERE number = {in_nairobi}");
    books.sql(&[&more]).await;
    let tampered = books.place.run(&["verify"]);
    assert_eq!(tampered.status.code(), Some(1), "{tampered:?}");
    let lines: Vec<&str> = tampered.stdout.lines().collect();
    let number = lines[0].split_whitespace().nth(1).unwrap().to_owned();
    assert!(number.starts_with("L-0"), "{lines:?}");
    let names = |line: &&str| line.starts_with(&format!("ACCRUED {number} ")) && line.contains("expected ");
    assert!(lines.iter().any(names), "{lines:?}");
    let count = lines.len();
    let refusal = tampered.refusal();
    assert_eq!(refusal, format!("the books do not hold: {count} findings in {with_books} loans"));

    let outcome = books.place.run(&["verify", "--json"]);
    assert_eq!(outcome.status.code(), Some(1), "{outcome:?}");
    let objects: Vec<Json> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, findings) = objects.split_last().unwrap();
    assert_eq!(*summary, json!({"loans": with_books, "findings": count, "audit": summary["audit"]}));
    assert_eq!(findings.len(), count);
    for finding in findings {
        assert_eq!(finding["loan"], number.as_str(), "{finding}");
        for key in ["kind", "subject", "expected", "actual"] {
            assert!(finding[key].is_string(), "{finding}");
        }
    }
    // A row that was tampered with is found where it is, and nowhere else.
    let elsewhere = books.place.run(&["verify", "--branch", "LOS"]).printed();
    assert!(elsewhere.starts_with("The books hold: "), "{elsewhere}");
    assert!(!books.place.run(&["verify", "--branch", "NBO"]).status.success());
}

#[test]
fn a_branch_that_does_not_exist_and_a_database_without_a_schema_are_one_line() {
    let place = production();
    let refusal = place.run(&["verify"]).refusal();
    assert!(refusal.contains("`branch-loan-api migrate`") && !refusal.contains("no such table"), "{refusal}");
    place.run(&["migrate"]).printed();
    let empty = "The books hold: 0 loans verified.\nThe audit trail holds: 0 events in 0 chains, 0 not sealed yet.\n";
    assert_eq!(place.run(&["verify"]).printed(), empty);
    let refusal = place.run(&["verify", "--branch", "NOWHERE"]).refusal();
    assert!(refusal.contains("no such branch"), "{refusal}");
}
