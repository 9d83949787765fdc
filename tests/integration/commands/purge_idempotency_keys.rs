//! `purge-idempotency-keys`: old keys go, all of them however many; young ones stay, whatever is asked.

use branch_loan_api::store::StoreError;
use branch_loan_api::store::idempotency::{self, Claim};
use chrono::{DateTime, TimeDelta, Utc};

use super::production;
use crate::support::engines::Engine;
use crate::support::process::Place;

both_engines!(old_keys_go_and_young_ones_stay,);

/// More than one transaction takes.
const OLD: usize = 1_050;

fn claim(key: &str, created_at: DateTime<Utc>) -> Claim {
    Claim {
        actor: "somebody".to_owned(),
        operation: "applyForLoan".to_owned(),
        key: key.to_owned(),
        fingerprint: vec![1],
        outcome: "x".to_owned(),
        created_at,
    }
}

async fn old_keys_go_and_young_ones_stay(engine: Engine) {
    let now = Utc::now();
    let mut claims: Vec<Claim> = (0..OLD)
        .map(|number| claim(&format!("old-{number}"), now - TimeDelta::hours(73) - TimeDelta::milliseconds(7)))
        .collect();
    claims.push(claim("young", now - TimeDelta::hours(71)));
    claims.push(claim("ancient", now - TimeDelta::days(40)));
    let claims = &claims;
    let database = engine.connect().await;
    database
        .write(|transaction| async move {
            for claim in claims {
                idempotency::claim(&*transaction, claim).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();

    let place = Place::new().set("DATABASE_URL", &engine.url);
    let purge = |arguments: &[&str]| place.run(&[&["purge-idempotency-keys"], arguments].concat()).printed();
    assert_eq!(purge(&["--older-than", "30d"]), "Purged 1 idempotency keys.\n");
    assert_eq!(purge(&[]), format!("Purged {OLD} idempotency keys.\n"));
    assert_eq!(purge(&["--older-than", "72h"]), "Purged 0 idempotency keys.\n");

    // A young key still knows its request; an old one is as good as new.
    let found = database.write(|transaction| async move {
        let young = idempotency::claim(&*transaction, &claim("young", now)).await?;
        let old = idempotency::claim(&*transaction, &claim("old-0", now)).await?;
        Ok::<_, StoreError>((young.is_some(), old.is_some()))
    });
    assert_eq!(found.await.unwrap(), (true, false));
    database.close().await;
}

#[test]
fn a_younger_age_than_clients_may_count_on_is_refused() {
    let place = production();
    place.run(&["migrate"]).printed();
    for age in ["71h", "2d", "0h", "-80h", "72", "h", "87601h", "9999999999999999999d", "80m"] {
        let outcome = place.run(&["purge-idempotency-keys", &format!("--older-than={age}")]);
        assert_eq!(outcome.status.code(), Some(2), "{age}: {outcome:?}");
        assert!(outcome.stderr.contains("from 72h to 87600h"), "{age}: {outcome:?}");
    }
}
