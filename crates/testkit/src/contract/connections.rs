//! The connection to Klaviyo.

use fanfare_domain::account_changes::{AccountChanges, Reading};
use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::ids::AccountId;

use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::{at, connection, run_id};

/// Every field comes back, and a second connection replaces the first.
pub async fn a_connection_comes_back_as_it_was_put_last(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut refused = connection();
    refused.key = SealedKey {
        form: 2_000_000_000,
        bytes: (0..=255).collect(),
    };
    refused.account = Some(AccountId::parse("AbC123").expect("an id"));
    refused.status = ConnectionStatus::Error;
    refused.verified_at = at(77);
    refused.missing_scopes = vec!["accounts:read".to_owned(), "segments:read".to_owned()];
    refused.message = Some("Klaviyo said \u{201c}no\u{201d} \u{1f511}".to_owned());

    for (put, generation) in [(connection(), 1), (refused, 2), (connection(), 3)] {
        let mut unit = org.begin().await;
        unit.put_connection(&put).await.expect("a connection");
        let want = Some(Connection { generation, ..put });
        assert_eq!(unit.connection().await.expect("an answer"), want);
        unit.commit().await.expect("a commit");

        let mut unit = org.read().await;
        assert_eq!(unit.connection().await.expect("an answer"), want);
    }
}

/// The generation grows with each different key, and only then, whatever generation the caller passes.
pub async fn a_generation_counts_the_keys_that_were_stored(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let put = |byte: u8, generation: u64, status: ConnectionStatus| {
        let mut put = connection();
        put.key.bytes = vec![byte];
        (put.generation, put.status) = (generation, status);
        put
    };
    let (active, error) = (ConnectionStatus::Active, ConnectionStatus::Error);
    for (put, want) in [
        (put(1, 0, active), 1),
        (put(1, 0, error), 1),
        (put(2, 1, active), 2),
        (put(2, 9, error), 2),
        (put(1, 2, active), 3),
    ] {
        let mut unit = org.begin().await;
        unit.put_connection(&put).await.expect("a connection");
        unit.commit().await.expect("a commit");

        let mut unit = org.read().await;
        let stored = unit.connection().await.expect("an answer");
        let stored = stored.map(|stored| (stored.generation, stored.status));
        assert_eq!(stored, Some((want, put.status)));
    }
}

fn sealed(form: u32, byte: u8) -> SealedKey {
    SealedKey {
        form,
        bytes: vec![byte; 90],
    }
}

/// The new seal is there for every process, with the connection's other values and its generation.
pub async fn a_key_is_sealed_anew_and_nothing_else_changes(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut put = connection();
    put.status = ConnectionStatus::Error;
    put.message = Some("Klaviyo refused the key.".to_owned());
    let mut unit = org.begin().await;
    unit.put_connection(&put).await.expect("a connection");
    unit.commit().await.expect("a commit");

    let mut before = put.key.clone();
    for after in [sealed(1, 7), sealed(1, 8), sealed(2, 8)] {
        let mut unit = org.begin().await;
        let is_resealed = unit.reseal_key(&before, &after).await.expect("an answer");
        assert!(is_resealed, "{after:?}");
        unit.commit().await.expect("a commit");

        let unit = org.elsewhere().read(&org.organization).await;
        let stored = unit.expect("a unit for reading").connection().await;
        let want = Connection {
            key: after.clone(),
            generation: 1,
            ..put.clone()
        };
        assert_eq!(stored.expect("an answer"), Some(want));
        before = after;
    }
}

/// Only the sealed key that the caller has seen is replaced: not another one, and not one in another form. Where
/// nothing is stored nothing is made.
pub async fn a_key_that_was_replaced_meanwhile_is_not_sealed_anew(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let after = sealed(1, 9);
    let mut unit = org.begin().await;
    let nothing = unit.reseal_key(&sealed(1, 1), &after).await;
    assert!(!nothing.expect("an answer"));
    let mut put = connection();
    put.key = sealed(1, 1);
    unit.put_connection(&put).await.expect("a connection");
    put.key = sealed(1, 2);
    unit.put_connection(&put).await.expect("the merchant's key");
    unit.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    for seen in [
        sealed(1, 1),
        sealed(2, 2),
        SealedKey {
            form: 1,
            bytes: Vec::new(),
        },
    ] {
        let resealed = unit.reseal_key(&seen, &after).await;
        assert!(!resealed.expect("an answer"), "{seen:?}");
    }
    unit.commit().await.expect("a commit");

    let stored = org.read().await.connection().await.expect("an answer");
    let stored = stored.expect("a connection");
    assert_eq!((stored.key, stored.generation), (sealed(1, 2), 2));
}

/// How far the account's changes are read is replaced by who has seen it as it is, and by nobody else. It stays when another
/// key is stored, and goes with the connection.
pub async fn what_is_read_of_changes_is_replaced_by_who_has_seen_it(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let none = AccountChanges::default();
    let reading = |reader: &str, last: Option<i64>| AccountChanges {
        last: last.map(|seconds| Reading {
            began_at: at(seconds),
            next_at: at(seconds + 60),
        }),
        reader: Some(run_id(reader)),
    };
    let mut unit = org.begin().await;
    let put = unit
        .put_account_changes(&none, &reading("run_1", None))
        .await;
    assert!(!put.expect("an answer"), "there is no connection");
    unit.put_connection(&connection())
        .await
        .expect("a connection");
    unit.commit().await.expect("a commit");

    let read = AccountChanges {
        reader: None,
        ..reading("run_1", Some(70))
    };
    for (before, after, want) in [
        (&none, reading("run_1", None), true),
        (&none, reading("run_2", None), false),
        (&reading("run_1", None), read.clone(), true),
        (&reading("run_1", None), none.clone(), false),
        (&none, reading("run_3", None), false),
        (&read, reading("run_3", Some(70)), true),
        (&reading("run_3", Some(71)), none.clone(), false),
    ] {
        let mut unit = org.begin().await;
        let put = unit.put_account_changes(before, &after).await;
        assert_eq!(put.expect("an answer"), want, "{before:?} {after:?}");
        unit.commit().await.expect("a commit");
    }

    let mut other = connection();
    other.key.bytes = vec![9];
    let mut unit = org.begin().await;
    unit.put_connection(&other).await.expect("a connection");
    unit.commit().await.expect("a commit");
    let stored = org.read().await.account_changes().await;
    assert_eq!(stored.expect("an answer"), reading("run_3", Some(70)));

    let mut unit = org.begin().await;
    unit.delete_connection().await.expect("a deletion");
    unit.put_connection(&other).await.expect("a connection");
    unit.commit().await.expect("a commit");
    let stored = org.read().await.account_changes().await;
    assert_eq!(stored.expect("an answer"), none);
}

/// A deleted connection is gone for every process; deleting it again is no error.
pub async fn a_deleted_connection_is_gone(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    unit.delete_connection().await.expect("nothing to delete");
    unit.put_connection(&connection())
        .await
        .expect("a connection");
    unit.commit().await.expect("a commit");

    for _ in 0..2 {
        let mut unit = org.begin().await;
        unit.delete_connection().await.expect("a deletion");
        assert_eq!(unit.connection().await.expect("an answer"), None);
        unit.commit().await.expect("a commit");
    }

    let unit = org.elsewhere().read(&org.organization).await;
    let mut unit = unit.expect("a unit for reading");
    assert_eq!(unit.connection().await.expect("an answer"), None);
}
