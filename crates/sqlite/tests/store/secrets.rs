//! A key that was deleted is gone from the files.

use std::fs;

use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::Clock;

use crate::support::{Fixture, org, store};

/// Stores a key, which is the organization's first or a later one.
async fn put(fixture: &Fixture, organization: &OrganizationId, sealed: &[u8], generation: u64) {
    let connection = Connection {
        key: SealedKey {
            form: 1,
            bytes: sealed.to_vec(),
        },
        generation,
        last4: "wxyz".to_owned(),
        account: None,
        status: ConnectionStatus::Active,
        verified_at: fixture.clock.now(),
        missing_scopes: vec!["segments:read".to_owned()],
        message: None,
    };
    let mut unit = fixture.begin(organization).await;
    unit.put_connection(&connection).await.unwrap();
    unit.commit().await.unwrap();
    let stored = fixture.read(organization).await.connection().await.unwrap();
    assert_eq!(stored, Some(connection));
}

/// Whether some file of the store holds these bytes.
fn is_on_disk(fixture: &Fixture, bytes: &[u8]) -> bool {
    let mut files = fs::read_dir(fixture.folder.path()).unwrap();
    files.any(|file| {
        let content = fs::read(file.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|part| part == bytes)
    })
}

#[tokio::test]
async fn a_key_that_was_sealed_anew_is_in_no_file_as_it_was_sealed_before() {
    let fixture = store().await;
    let organizations: Vec<_> = (0..100).map(|n| org(&format!("org_{n:03}"))).collect();
    let seal = |kind: &str, organization| SealedKey {
        form: 1,
        bytes: format!("{kind}-{organization}-canary").into_bytes(),
    };
    for organization in &organizations {
        put(&fixture, organization, &seal("old", organization).bytes, 1).await;
    }

    for organization in &organizations {
        let mut unit = fixture.begin(organization).await;
        let (before, after) = (seal("old", organization), seal("new", organization));
        assert!(unit.reseal_key(&before, &after).await.unwrap());
        unit.commit().await.unwrap();
    }
    fixture.store.empty_log().await;

    for organization in &organizations {
        assert!(!is_on_disk(&fixture, &seal("old", organization).bytes));
        assert!(is_on_disk(&fixture, &seal("new", organization).bytes));
    }
}

#[tokio::test]
async fn neither_a_deleted_nor_an_overwritten_key_is_left_in_any_file() {
    let fixture = store().await;
    // Enough organizations that the table has several pages, some of which become free.
    let organizations: Vec<_> = (0..100).map(|n| org(&format!("org_{n:03}"))).collect();
    for organization in &organizations {
        put(
            &fixture,
            organization,
            format!("old-{organization}-canary").as_bytes(),
            1,
        )
        .await;
        put(
            &fixture,
            organization,
            format!("new-{organization}-canary").as_bytes(),
            2,
        )
        .await;
    }
    assert!(is_on_disk(&fixture, b"new-org_050-canary"));

    for organization in &organizations {
        let mut unit = fixture.begin(organization).await;
        unit.delete_connection().await.unwrap();
        unit.delete_connection().await.unwrap();
        unit.commit().await.unwrap();
    }

    assert!(!is_on_disk(&fixture, b"-canary"));
    assert_eq!(
        fixture
            .read(&organizations[7])
            .await
            .connection()
            .await
            .unwrap(),
        None
    );
}
