//! Organizations and secret keys.

use std::collections::HashSet;

use crate::support::{Place, all_bytes, get, text};

#[test]
fn an_organization_comes_with_an_owners_key_that_is_shown_once() {
    let place = Place::new();
    let (id, secret) = place.create_organization();

    assert!(id.starts_with("org_"), "{id}");
    assert!(secret.starts_with("sk_live_"), "{secret}");
    let listed = place.run(&["org", "list", "--json"]).json();
    assert_eq!(listed[0]["organizationId"], id);
    assert_eq!(listed[0]["name"], "Shop");
    let keys = place.run(&["key", "list", "--json"]).json();
    assert_eq!(keys[0]["role"], "owner");
    assert_eq!(keys[0]["kind"], "live");
    assert!(!keys.to_string().contains(&secret));
    let stored = all_bytes(&place.path(".fanfare"));
    assert!(
        !stored
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes())
    );
}

#[test]
fn a_key_opens_the_api_until_it_is_revoked() {
    let place = Place::new();
    let (org, owner) = place.create_organization();
    let made = place.run(&[
        "key", "create", "--org", &org, "--role", "editor", "--test", "--json",
    ]);
    let made = made.json();
    let (id, secret) = (text(&made, "keyId"), text(&made, "secretKey"));
    assert!(
        id.starts_with("key_") && secret.starts_with("sk_test_"),
        "{made}"
    );

    let up = place.up();
    let settings = format!("{}/api/settings", up.api);
    assert_eq!(get(&settings, Some(&secret)), 200);

    let revoked = place.run(&["key", "revoke", "--org", &org, &id]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    assert_eq!(get(&settings, Some(&secret)), 401);
    assert_eq!(get(&settings, Some(&owner)), 200);
    let again = place.run(&["key", "revoke", "--org", &org, &id]);
    again.assert_refused(1, "no such key that is not revoked");
    let keys = place.run(&["key", "list", "--json"]).json();
    let revoked = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| !key["revokedAt"].is_null());
    assert_eq!(revoked.count(), 1);
}

#[test]
fn tables_say_the_same_to_people() {
    let place = Place::new();
    let made = place.run(&["org", "create", "--name", "Café"]);
    assert_eq!(made.status, 0, "{made:?}");
    assert!(made.output.contains("sk_live_"), "{made:?}");
    assert!(made.output.contains("not shown again"), "{made:?}");
    let listed = place.run(&["org", "list"]);
    assert!(listed.output.contains("Café"), "{listed:?}");
    let keys = place.run(&["key", "list"]);
    assert!(keys.output.contains("owner"), "{keys:?}");
    assert!(!keys.output.contains("sk_"), "{keys:?}");
}

#[test]
fn programs_that_start_at_once_on_nothing_share_one_store_and_one_master_key() {
    let place = Place::new();
    let made: HashSet<String> = std::thread::scope(|scope| {
        let starters: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| place.create_organization().0))
            .collect();
        starters.into_iter().map(|s| s.join().unwrap()).collect()
    });
    assert_eq!(made.len(), 6);
    let listed = place.run(&["org", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 6);
}
