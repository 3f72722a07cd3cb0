//! The store is away, or does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, Organization, Role, SecretKey};
use fanfare_domain::ports::{Directory, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_testkit::memory::{InMemoryStore, Operation};

use super::fixture::Fixture;

/// A directory that a test lets fall silent: it neither answers nor fails.
#[derive(Clone)]
pub(super) struct Silenceable {
    store: InMemoryStore,
    is_silent: Arc<AtomicBool>,
}

impl Silenceable {
    pub(super) fn new(store: InMemoryStore) -> Self {
        Self {
            store,
            is_silent: Arc::default(),
        }
    }

    fn silence(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }

    async fn answers(&self) -> &InMemoryStore {
        if self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        &self.store
    }
}

#[async_trait]
impl Directory for Silenceable {
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError> {
        let store = self.answers().await;
        store.create_organization(organization, key).await
    }

    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        self.answers().await.organization(id).await
    }

    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError> {
        self.answers().await.organizations(first, after).await
    }

    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError> {
        self.answers().await.add_key(key).await
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError> {
        self.answers().await.find_key(hash).await
    }

    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError> {
        self.answers().await.keys(organization).await
    }

    async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let store = self.answers().await;
        store.revoke_key(organization, key, now).await
    }
}

const AWAY: &str = "Fanfare cannot reach its database";

#[actix_web::test]
async fn a_store_that_is_away_is_told_with_a_way_out_and_the_page_comes_back() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Owner).await;
    for page in [
        "/app/audiences",
        audience.as_str(),
        "/app/customers",
        "/app/deliveries",
        "/app/settings/integrations",
    ] {
        // Before the visitor is known, and after it.
        for operation in [Operation::Control, Operation::Read] {
            fixture.store.fail_next(operation, 1);
            let answer = browser.get(page).await;
            assert_eq!(answer.status, 503, "{page} {operation:?}");
            answer.has(AWAY);
            answer.has("Nothing is lost");
            answer.has("<a class=\"button\" href=\"\">Try again</a>");
            assert_eq!(answer.header("retry-after"), "5");
            let keeps_navigation = answer.text.contains("aria-label=\"Main\"");
            assert_eq!(keeps_navigation, operation == Operation::Read, "{page}");
            assert_eq!(browser.get(page).await.status, 200, "{page}");
        }
    }
    for operation in [Operation::Begin, Operation::Commit] {
        fixture.store.fail_next(operation, 1);
        let sent = browser.post(&format!("{audience}/sync"), &[]).await;
        assert_eq!(sent.status, 503, "{operation:?}");
        sent.has(AWAY);
        // What leads on is a page, not the address of the form.
        sent.has(&format!(
            "<a class=\"button\" href=\"{audience}\">Back to the page</a>"
        ));
    }
    assert!(browser.cookie.is_some(), "nobody was signed out");
    let sync = browser.post(&format!("{audience}/sync"), &[]).await;
    sync.leads_to(&format!("{audience}?notice=sync"));
}

#[actix_web::test]
async fn a_store_that_does_not_answer_is_given_up_after_seconds() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    fixture.directory.silence(true);
    let asked_at = tokio::time::Instant::now();
    let answer = browser.get("/app/audiences").await;
    assert_eq!(answer.status, 503);
    answer.has(AWAY);
    let waited = asked_at.elapsed();
    assert!(waited < Duration::from_secs(6), "{waited:?}");
    let nowhere = browser.get("/app/nowhere").await;
    assert_eq!(nowhere.status, 404);
    fixture.directory.silence(false);
    browser
        .get("/app/audiences")
        .await
        .shows("No audiences yet");
}
