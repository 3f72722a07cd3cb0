//! Organizations and their secret keys.

use fanfare_domain::ids::KeyId;
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey};
use fanfare_domain::ports::Directory;

use super::assert_refused;
use super::harness::StoreHarness;
use crate::build::{at, organization, organization_id, secret_key};

async fn create(directory: &dyn Directory, id: &str, hash: u8) -> (Organization, SecretKey) {
    let made = organization(id);
    let key = secret_key(&format!("key_{id}"), &made.id, hash);
    let done = directory.create_organization(&made, &key).await;
    done.expect("an organization");
    (made, key)
}

/// An organization is found by its id, from every process, with its name as it was given.
pub async fn an_organization_comes_back_as_it_was_made(harness: &dyn StoreHarness) {
    let [directory, elsewhere] = harness.handles().each_ref().map(|handle| &handle.directory);
    let mut made = organization("org_a");
    "N\u{e4}me 'quoted' \u{1f389}".clone_into(&mut made.name);
    let key = secret_key("key_1", &made.id, 1);

    directory
        .create_organization(&made, &key)
        .await
        .expect("an organization");

    let found = elsewhere.organization(&made.id).await.expect("an answer");
    assert_eq!(found, Some(made));
    let unknown = elsewhere.organization(&organization_id("ORG_A")).await;
    assert_eq!(unknown.expect("an answer"), None);
}

/// If one of the two is refused, neither is stored.
pub async fn an_organization_and_its_first_key_are_made_together(harness: &dyn StoreHarness) {
    let directory = harness.handles()[0].directory.as_ref();
    let (made, key) = create(directory, "org_a", 1).await;

    let second = organization("org_b");
    let same_hash = secret_key("key_2", &second.id, 1);
    assert_refused(
        directory.create_organization(&second, &same_hash).await,
        "a hash twice",
    );
    let same_id = SecretKey {
        organization: second.id.clone(),
        hash: KeyHash([2; 32]),
        ..key.clone()
    };
    assert_refused(
        directory.create_organization(&second, &same_id).await,
        "a key's id twice",
    );
    let fresh = secret_key("key_3", &made.id, 3);
    assert_refused(
        directory.create_organization(&made, &fresh).await,
        "an organization twice",
    );

    assert_eq!(
        directory.organization(&second.id).await.expect("an answer"),
        None
    );
    assert_eq!(directory.keys(&made.id).await.expect("keys"), [key]);
    assert_eq!(
        directory.find_key(&fresh.hash).await.expect("an answer"),
        None
    );
}

/// All organizations come by id, a page at a time.
pub async fn organizations_are_listed_by_id(harness: &dyn StoreHarness) {
    let directory = harness.handles()[0].directory.as_ref();
    for (n, id) in (1..).zip(["org_c", "org_a", "org_e", "org_b", "org_d"]) {
        create(directory, id, n).await;
    }
    for first in 1..=6 {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = directory.organizations(first, after.as_ref()).await;
            let page = page.expect("organizations");
            assert!(page.len() <= first as usize);
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            ids.extend(page.into_iter().map(|one| one.id.to_string()));
        }
        assert_eq!(
            ids,
            ["org_a", "org_b", "org_c", "org_d", "org_e"],
            "pages of {first}"
        );
    }
}

/// Every field comes back. A key belongs to an existing organization, and its id and hash are its own.
pub async fn keys_are_added_and_listed_by_id(harness: &dyn StoreHarness) {
    let directory = harness.handles()[0].directory.as_ref();
    let (made, first) = create(directory, "org_a", 1).await;
    let (other, other_key) = create(directory, "org_b", 2).await;
    let mut all = vec![first.clone()];
    for (n, role) in (3..).zip([Role::Viewer, Role::Editor, Role::Admin]) {
        let mut key = secret_key(&format!("key_{n}"), &made.id, n);
        key.role = role;
        key.kind = KeyKind::Test;
        key.created_at = at(i64::from(n));
        directory.add_key(&key).await.expect("a key");
        let found = directory.find_key(&key.hash).await.expect("an answer");
        assert_eq!(found, Some(key.clone()));
        all.push(key);
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));

    assert_eq!(directory.keys(&made.id).await.expect("keys"), all);
    assert_eq!(directory.keys(&other.id).await.expect("keys"), [other_key]);
    let stray = secret_key("key_8", &organization_id("org_none"), 8);
    assert_refused(directory.add_key(&stray).await, "a key of no organization");
    let same = secret_key("key_9", &other.id, 1);
    assert_refused(directory.add_key(&same).await, "a hash twice");
    let same = SecretKey {
        hash: KeyHash([9; 32]),
        ..first
    };
    assert_refused(directory.add_key(&same).await, "a key's id twice");
}

/// Its own organization can revoke it, once. From then on it is not found by its hash, and is still listed.
pub async fn a_revoked_key_is_listed_and_not_found(harness: &dyn StoreHarness) {
    let [directory, elsewhere] = harness.handles().each_ref().map(|handle| &handle.directory);
    let (made, key) = create(directory.as_ref(), "org_a", 1).await;
    let (other, _) = create(directory.as_ref(), "org_b", 2).await;
    let unknown = KeyId::parse("key_none").expect("an id");

    for (organization, id, want) in [
        (&other.id, &key.id, false),
        (&made.id, &unknown, false),
        (&made.id, &key.id, true),
        (&made.id, &key.id, false),
    ] {
        let found = directory
            .find_key(&key.hash)
            .await
            .expect("an answer")
            .is_some();
        let revoked = directory.revoke_key(organization, id, at(40)).await;
        assert_eq!(revoked.expect("an answer"), want, "{id} of {organization}");
        assert!(found || !want, "a key is found until it is revoked");
    }

    assert_eq!(
        elsewhere.find_key(&key.hash).await.expect("an answer"),
        None
    );
    let keys = elsewhere.keys(&made.id).await.expect("keys");
    assert_eq!(
        keys,
        [SecretKey {
            revoked_at: Some(at(40)),
            ..key
        }]
    );
}
