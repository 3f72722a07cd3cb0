//! The control tables: organizations, their keys, and Klaviyo's quota.

use std::time::Duration;

use fanfare_domain::ids::KeyId;
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey};
use fanfare_domain::ports::{Clock, Directory, QuotaLedger};
use fanfare_domain::quota::{Endpoint, Reservation, Windows};

use crate::support::{org, store};

#[tokio::test]
async fn a_key_is_found_by_its_hash_until_its_own_organization_revokes_it() {
    let fixture = store().await;
    let now = fixture.clock.now();
    let organization = Organization {
        id: org("org_a"),
        name: "A".to_owned(),
        created_at: now,
    };
    let key = SecretKey {
        id: KeyId::parse("key_1").unwrap(),
        organization: org("org_a"),
        role: Role::Admin,
        kind: KeyKind::Test,
        hash: KeyHash([7; 32]),
        created_at: now,
        revoked_at: None,
    };
    let directory = &fixture.store;
    directory
        .create_organization(&organization, &key)
        .await
        .unwrap();

    assert_eq!(
        directory.find_key(&key.hash).await.unwrap(),
        Some(key.clone())
    );
    assert!(
        !directory
            .revoke_key(&org("org_b"), &key.id, now)
            .await
            .unwrap()
    );
    assert!(
        directory
            .revoke_key(&org("org_a"), &key.id, now)
            .await
            .unwrap()
    );
    assert!(
        !directory
            .revoke_key(&org("org_a"), &key.id, now)
            .await
            .unwrap()
    );
    assert_eq!(directory.find_key(&key.hash).await.unwrap(), None);
    assert_eq!(
        directory.keys(&org("org_a")).await.unwrap()[0].revoked_at,
        Some(now)
    );
    assert_eq!(
        directory.organizations(5, None).await.unwrap(),
        std::slice::from_ref(&organization)
    );
    let mut stray = key.clone();
    stray.id = KeyId::parse("key_2").unwrap();
    let other = Organization {
        id: org("org_b"),
        ..organization
    };
    // The same hash: neither key nor organization comes to be.
    assert!(directory.create_organization(&other, &stray).await.is_err());
    assert_eq!(directory.organization(&other.id).await.unwrap(), None);
    stray.organization = org("org_c");
    stray.hash = KeyHash([8; 32]);
    assert!(directory.add_key(&stray).await.is_err());
}

#[tokio::test]
async fn a_quota_is_used_up_by_all_together_and_silence_is_kept() {
    let fixture = store().await;
    let now = fixture.clock.now();
    let ledger = &fixture.store;
    let endpoint = Endpoint::Lists;
    let windows = Windows {
        burst: 3,
        steady: 100,
    };
    ledger.learn("acct", endpoint, windows, now).await.unwrap();

    let mut granted = 0;
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.reserve("acct", endpoint, now).await.unwrap() })
        })
        .collect();
    for answer in asked {
        granted += u32::from(matches!(answer.await.unwrap(), Reservation::Granted(_)));
    }
    assert_eq!(granted, 3);
    assert_eq!(
        ledger.bucket("acct", endpoint, now).await.unwrap().windows,
        windows
    );

    let until = now.plus(Duration::from_secs(90));
    ledger.block("acct", endpoint, until, now).await.unwrap();
    let later = now.plus(Duration::from_secs(89));
    let refused = ledger.reserve("acct", endpoint, later).await.unwrap();
    assert_eq!(refused, Reservation::NotBefore(until));
    let elsewhere = ledger.reserve("other", endpoint, later).await.unwrap();
    assert!(matches!(elsewhere, Reservation::Granted(_)));
}
