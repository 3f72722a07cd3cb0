//! Two organizations, a Klaviyo, and the dashboard over them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::events::EventSettingsUpdate;
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, OrganizationId, RunId};
use fanfare_domain::organization::{KeyKind, Role};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, ConsumerFilter};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_http::{Api, Parts, Readiness};
use fanfare_sync::engine::{Engine, Pace};
use fanfare_sync::{ConnectRequest, ImportRequest, Imported, Integration, Ports, Webhook};
pub(super) use fanfare_testkit::build::people;
use fanfare_testkit::build::{api_key, list, segment};
use fanfare_testkit::clock::{FixedClock, PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::fake_writes::FakeWrites;
use fanfare_testkit::memory::InMemoryStore;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::browser::Browser;
use super::store_away::Silenceable;
use crate::{Options, SessionKeys};

/// A key of Klaviyo's that the fake one takes.
pub(super) const KLAVIYO_KEY: &str = "pk_0123456789abcdef0123456789abwxyz";

pub(super) struct Fixture {
    pub(super) clock: FixedClock,
    pub(super) klaviyo: FakeKlaviyo,
    pub(super) writes: FakeWrites,
    pub(super) store: InMemoryStore,
    pub(super) directory: Silenceable,
    pub(super) integration: Integration,
    pub(super) parts: Parts,
    /// The organization whose people tests are, unless they say otherwise.
    pub(super) own: Organization,
    pub(super) other: Organization,
}

pub(super) struct Organization {
    pub(super) id: OrganizationId,
    keys: Vec<(Role, SecretString)>,
}

pub(super) const ROLES: [Role; 4] = [Role::Viewer, Role::Editor, Role::Admin, Role::Owner];

struct Ready;

#[async_trait]
impl Readiness for Ready {
    async fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The options of an installation whose master keys were made of these bytes.
pub(super) fn options(keys: &[u8], is_secure: bool) -> Options {
    let secrets: Vec<_> = keys
        .iter()
        .map(|byte| SecretBox::new(Box::new([*byte; 32])))
        .collect();
    Options {
        session_keys: SessionKeys::of(&secrets),
        is_secure,
    }
}

impl Fixture {
    /// Nothing is connected.
    pub(super) async fn new() -> Self {
        let klaviyo = FakeKlaviyo::default()
            .with(list("RtPqXs"), "Newsletter", people(0..3))
            .with(list("XyZaBc"), "VIP", people(1..2))
            .with(segment("SgMnt1"), "Engaged", people(2..5));
        Self::with(klaviyo).await
    }

    /// Nothing is connected to this Klaviyo.
    pub(super) async fn with(klaviyo: FakeKlaviyo) -> Self {
        let clock = FixedClock::default();
        let store = InMemoryStore::new(Arc::new(clock.clone()));
        let directory = Silenceable::new(store.clone());
        let integration = Integration::new(Ports {
            store: Arc::new(store.clone()),
            directory: Arc::new(directory.clone()),
            work_queue: Arc::new(store.clone()),
            ledger: Arc::new(store.clone()),
            request_limits: Arc::new(store.clone()),
            klaviyo: Arc::new(klaviyo.clone()),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        });
        let writes = FakeWrites::on(&klaviyo).with_profiles_of(&klaviyo, Arc::new(clock.clone()));
        let integration = integration.with_klaviyo_writes(Arc::new(writes.clone()));
        Self {
            parts: parts(&integration, options(&[1], false)),
            own: Organization::new(&integration, "Own shop").await,
            other: Organization::new(&integration, "Other shop").await,
            clock,
            klaviyo,
            writes,
            store,
            directory,
            integration,
        }
    }

    /// Both organizations are connected.
    pub(super) async fn connected() -> Self {
        let fixture = Self::new().await;
        fixture.connect().await;
        fixture
    }

    pub(super) async fn connect(&self) {
        for organization in [&self.own, &self.other] {
            self.connect_one(organization).await;
        }
    }

    pub(super) async fn connect_one(&self, organization: &Organization) {
        let request = ConnectRequest {
            api_key: api_key(KLAVIYO_KEY),
            confirm_account_change: false,
        };
        let connected = self.integration.connect(&organization.id, request).await;
        connected.expect("the fake Klaviyo takes the key");
    }

    /// Lets a minute go by, and with it the quotas that were used up: the clock stands still otherwise.
    pub(super) fn wait_a_minute(&self) {
        self.clock.advance(Duration::from_secs(61));
    }

    /// The organization has imported the newsletter, and the run has ended.
    pub(super) async fn imported() -> (Self, Imported) {
        let fixture = Self::connected().await;
        let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
        fixture.work(&imported.run).await;
        (fixture, imported)
    }

    /// Imports a list; its run is left pending.
    pub(super) async fn import(&self, organization: &OrganizationId, list: &str) -> Imported {
        let request = ImportRequest {
            collections: vec![CollectionRef {
                kind: CollectionKind::List,
                id: CollectionId::parse(list).expect("an id"),
            }],
            refresh_interval_seconds: None,
            actor: "key_test".to_owned(),
        };
        let outcome = self.integration.import(organization, request).await;
        outcome.expect("an import").imported.remove(0)
    }

    /// Works a run of the own organization to its end.
    pub(super) async fn work(&self, run: &RunId) {
        self.work_on(WorkKey::pull(run)).await;
    }

    /// Sends what the own organization has to tell Klaviyo.
    pub(super) async fn send_deliveries(&self) {
        self.work_on(WorkKey::push()).await;
    }

    /// Works on the push of an audience of the own organization.
    pub(super) async fn keep(&self, audience: &AudienceId) {
        self.work_on(WorkKey::kept_list(audience)).await;
    }

    async fn work_on(&self, key: WorkKey) {
        let engine = Engine::new(self.integration.clone(), Pace::default());
        let organization = self.own.id.clone();
        let due = WorkItem { organization, key };
        let worked = engine.work(&due, &CancellationToken::new()).await;
        worked.expect("a slice");
    }

    /// The own organization's events go to Klaviyo.
    pub(super) async fn switch_events_on(&self) {
        let own = &self.own.id;
        let made = self.integration.rotate_webhook_secret(own);
        made.await.expect("a secret");
        let update = EventSettingsUpdate {
            enabled: Some(true),
            ..EventSettingsUpdate::default()
        };
        let changed = self.integration.update_events(own, update);
        changed.await.expect("changed settings");
    }

    /// Fanfare tells of an event of the own organization's.
    pub(super) async fn tell(&self, id: &str, type_name: &str, data: &Value) {
        let now = self.clock.now();
        let body = json!({"id": id, "type": type_name, "timestamp": now.to_string(),
            "organizationId": self.own.id.as_str(), "data": data})
        .to_string();
        let timestamp = (now.as_micros() / 1_000_000).to_string();
        let signed = self
            .integration
            .sign_webhook(&self.own.id, &timestamp, body.as_bytes());
        let webhook = Webhook {
            timestamp: &timestamp,
            signature: &signed.await.expect("a signature"),
            body: body.as_bytes(),
        };
        let received = self.integration.receive_webhook(&self.own.id, webhook);
        assert!(received.await.expect("an answer").accepted);
    }

    /// The own organization's consumers, oldest first.
    pub(super) async fn consumers(&self) -> Vec<ConsumerId> {
        let page = PageRequest {
            first: 100,
            after: None,
        };
        let everybody = ConsumerFilter::default();
        let found = self.integration.consumers(&self.own.id, &everybody, &page);
        let found = found.await.expect("consumers").items.into_iter();
        found.map(|record| record.consumer.id).collect()
    }

    /// The run of an audience that is queued or syncing, or was last.
    pub(super) async fn latest_run(&self, audience: &AudienceId) -> RunId {
        let page = PageRequest {
            first: 1,
            after: None,
        };
        let runs = self.integration.runs(&self.own.id, audience, &page).await;
        runs.expect("runs").items.remove(0).id
    }

    /// The dashboard of the same installation with other options.
    pub(super) fn set_options(&mut self, options: Options) {
        self.parts = parts(&self.integration, options);
    }

    /// A browser in which somebody of this role of the own organization has signed in.
    pub(super) async fn signed_in(&self, role: Role) -> Browser<'_> {
        self.signed_in_to(&self.own, role).await
    }

    pub(super) async fn signed_in_to(
        &self,
        organization: &Organization,
        role: Role,
    ) -> Browser<'_> {
        let mut browser = Browser::new(self);
        let answer = browser.sign_in(organization.key(role)).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// Revokes all keys of the own organization.
    pub(super) async fn revoke_keys(&self) {
        let (integration, own) = (&self.integration, &self.own.id);
        for key in integration.keys(own).await.expect("keys") {
            integration.revoke_key(own, &key.id).await.expect("revoked");
        }
    }
}

fn parts(integration: &Integration, options: Options) -> Parts {
    Parts::from(Api {
        integration: integration.clone(),
        readiness: Arc::new(Ready),
        metrics: Arc::new(String::new),
        pages: crate::pages(options),
        public_url: None,
        shutdown: CancellationToken::new(),
    })
}

impl Organization {
    async fn new(integration: &Integration, name: &str) -> Self {
        let made = integration.create_organization(name).await;
        let made = made.expect("an organization");
        let mut keys = vec![(Role::Owner, made.secret)];
        for role in ROLES {
            let key = integration.create_key(&made.organization, role, KeyKind::Live);
            keys.push((role, key.await.expect("a key").secret));
        }
        Self {
            id: made.organization,
            keys,
        }
    }

    pub(super) fn key(&self, role: Role) -> &str {
        let found = self.keys.iter().find(|(of, _)| *of == role);
        found.expect("a key of each role").1.expose_secret()
    }
}
