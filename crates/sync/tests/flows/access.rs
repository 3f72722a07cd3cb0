//! Organizations and secret keys.

use fanfare_domain::organization::{KeyKind, Role};
use fanfare_sync::{Entity, Error};
use fanfare_testkit::build::organization_id;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use secrecy::{ExposeSecret, SecretString};

use crate::test_organization::TestOrganization;

#[tokio::test(start_paused = true)]
async fn a_key_authenticates_for_its_organization_and_role_until_it_is_revoked() {
    let org = TestOrganization::unconnected(&FakeKlaviyo::default()).await;
    let (integration, organization) = (&org.integration, &org.organization);
    let new = integration
        .create_key(organization, Role::Editor, KeyKind::Test)
        .await
        .unwrap();
    assert!(new.secret.expose_secret().starts_with("sk_test_"));

    let caller = integration
        .authenticate(&new.secret)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&caller.organization, caller.role, &caller.key),
        (organization, Role::Editor, &new.id)
    );

    integration.revoke_key(organization, &new.id).await.unwrap();
    assert_eq!(integration.authenticate(&new.secret).await.unwrap(), None);
    let again = integration.revoke_key(organization, &new.id).await;
    assert!(matches!(again, Err(Error::NotFound(Entity::SecretKey))));
}

#[tokio::test(start_paused = true)]
async fn of_a_key_only_a_hash_is_stored() {
    let org = TestOrganization::unconnected(&FakeKlaviyo::default()).await;
    let new = org.integration.create_organization("Other").await.unwrap();

    let stored = org.integration.keys(&new.organization).await.unwrap();

    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].role, Role::Owner);
    let secret = new.secret.expose_secret();
    assert!(secret.starts_with("sk_live_"));
    assert!(!format!("{stored:?} {new:?}").contains(secret));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_does_not_authenticate() {
    let org = TestOrganization::unconnected(&FakeKlaviyo::default()).await;
    let found = org
        .integration
        .authenticate(&SecretString::from("sk_live_made_up"))
        .await
        .unwrap();
    assert_eq!(found, None);
}

#[tokio::test(start_paused = true)]
async fn an_organization_needs_a_name_and_a_key_needs_an_organization() {
    let org = TestOrganization::unconnected(&FakeKlaviyo::default()).await;
    for name in ["", "  ", "a\nb", &"x".repeat(256)] {
        let refused = org.integration.create_organization(name).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{name:?}");
    }
    let nowhere = organization_id("org_nowhere");
    let refused = org
        .integration
        .create_key(&nowhere, Role::Viewer, KeyKind::Live)
        .await;
    assert!(matches!(
        refused,
        Err(Error::NotFound(Entity::Organization))
    ));
}
