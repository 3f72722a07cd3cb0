//! Organizations and secret keys.

use std::collections::HashSet;

use crate::support::{Installation, all_bytes, get, text};

#[test]
fn an_organization_comes_with_an_owners_key_that_is_shown_once() {
    let installation = Installation::new();
    let (id, secret) = installation.create_organization();

    assert!(id.starts_with("org_"), "{id}");
    assert!(secret.starts_with("sk_live_"), "{secret}");
    let listed = installation.run(&["org", "list", "--json"]).json();
    assert_eq!(listed[0]["organizationId"], id);
    assert_eq!(listed[0]["name"], "Shop");
    let keys = installation.run(&["key", "list", "--json"]).json();
    assert_eq!(keys[0]["role"], "owner");
    assert_eq!(keys[0]["kind"], "live");
    assert!(!keys.to_string().contains(&secret));
    let stored = all_bytes(&installation.path(".fanfare"));
    assert!(
        !stored
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes())
    );
}

#[test]
fn a_key_opens_the_api_until_it_is_revoked() {
    let installation = Installation::new();
    let (org, owner) = installation.create_organization();
    let made = installation.run(&[
        "key", "create", "--org", &org, "--role", "editor", "--test", "--json",
    ]);
    let made = made.json();
    let (id, secret) = (text(&made, "keyId"), text(&made, "secretKey"));
    assert!(
        id.starts_with("key_") && secret.starts_with("sk_test_"),
        "{made}"
    );

    let up = installation.up();
    let settings = format!("{}/api/settings", up.api);
    assert_eq!(get(&settings, Some(&secret)), 200);

    let revoked = installation.run(&["key", "revoke", "--org", &org, &id]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    assert_eq!(get(&settings, Some(&secret)), 401);
    assert_eq!(get(&settings, Some(&owner)), 200);
    let again = installation.run(&["key", "revoke", "--org", &org, &id]);
    again.assert_refused(1, "no such key that is not revoked");
    let keys = installation.run(&["key", "list", "--json"]).json();
    let revoked = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| !key["revokedAt"].is_null());
    assert_eq!(revoked.count(), 1);
}

#[test]
fn tables_show_the_same_values_as_json() {
    let installation = Installation::new();
    let made = installation.run(&["org", "create", "--name", "Café"]);
    assert_eq!(made.status, 0, "{made:?}");
    assert!(made.output.contains("sk_live_"), "{made:?}");
    assert!(made.output.contains("not shown again"), "{made:?}");
    let listed = installation.run(&["org", "list"]);
    assert!(listed.output.contains("Café"), "{listed:?}");
    let keys = installation.run(&["key", "list"]);
    assert!(keys.output.contains("owner"), "{keys:?}");
    assert!(!keys.output.contains("sk_"), "{keys:?}");
}

#[test]
fn programs_that_start_at_once_on_nothing_share_one_store_and_one_master_key() {
    let installation = Installation::new();
    let made: HashSet<String> = std::thread::scope(|scope| {
        let starters: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| installation.create_organization().0))
            .collect();
        starters.into_iter().map(|s| s.join().unwrap()).collect()
    });
    assert_eq!(made.len(), 6);
    let listed = installation.run(&["org", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 6);
}
