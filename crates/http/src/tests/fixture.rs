//! Two organizations, a Klaviyo, and the API over them.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::Service;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};
use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::organization::{KeyKind, Role};
use fanfare_domain::quota::Share;
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, Integration, Ports};
pub(super) use fanfare_testkit::build::people;
use fanfare_testkit::build::{api_key, list, segment};
use fanfare_testkit::clock::{FixedClock, PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::fake_writes::FakeWrites;
use fanfare_testkit::memory::InMemoryStore;
use flate2::read::GzDecoder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::conform;
use crate::health::Readiness;
use crate::server::{Api, Parts, app};

/// A key of Klaviyo's that the fake one takes.
pub(super) const KLAVIYO_KEY: &str = "pk_0123456789abcdef0123456789abwxyz";

pub(super) struct Fixture {
    pub(super) clock: FixedClock,
    pub(super) store: InMemoryStore,
    pub(super) klaviyo: FakeKlaviyo,
    pub(super) integration: Integration,
    pub(super) shutdown: CancellationToken,
    pub(super) api: Api,
    pub(super) parts: Parts,
    /// The organization that tests ask as, unless they say otherwise.
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

impl Fixture {
    /// Nothing is connected.
    pub(super) async fn new() -> Self {
        let clock = FixedClock::default();
        let store = InMemoryStore::new(Arc::new(clock.clone()));
        let klaviyo = FakeKlaviyo::default()
            .with(list("RtPqXs"), "Newsletter", people(0..3))
            .with(list("XyZaBc"), "VIP", people(1..2))
            .with(segment("SgMnt1"), "Engaged", people(2..5));
        let integration = Integration::new(Ports {
            store: Arc::new(store.clone()),
            directory: Arc::new(store.clone()),
            work_queue: Arc::new(store.clone()),
            ledger: Arc::new(store.clone()),
            request_limits: Arc::new(store.clone()),
            klaviyo: Arc::new(klaviyo.clone()),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        });
        let shutdown = CancellationToken::new();
        let api = Api {
            integration: integration.clone(),
            readiness: Arc::new(Ready),
            metrics: Arc::new(|| "fanfare_up 1\n".to_owned()),
            pages: Arc::new(|_| ()),
            public_url: Some("https://sync.example.com".to_owned()),
            shutdown: shutdown.clone(),
        };
        Self {
            parts: Parts::from(api.clone()),
            own: Organization::new(&integration, "Own").await,
            other: Organization::new(&integration, "Other").await,
            clock,
            store,
            klaviyo,
            integration,
            shutdown,
            api,
        }
    }

    /// Both organizations are connected.
    pub(super) async fn connected() -> Self {
        let fixture = Self::new().await;
        for organization in [&fixture.own, &fixture.other] {
            let request = ConnectRequest {
                api_key: api_key(KLAVIYO_KEY),
                confirm_account_change: false,
            };
            let connected = fixture.integration.connect(&organization.id, request).await;
            connected.expect("the fake Klaviyo takes the key");
        }
        fixture
    }

    /// The organization has imported the list, and the run has ended. Gives what was imported.
    pub(super) async fn imported() -> (Self, Value) {
        let fixture = Self::connected().await;
        let imported = fixture.import("RtPqXs").await;
        fixture.work(&imported["runId"]).await;
        (fixture, imported)
    }

    /// Lets a minute go by, and with it the quotas that were used up.
    pub(super) fn wait_a_minute(&self) {
        // A minute of the quota is over a moment later, as decision 42 says.
        self.clock.advance(Duration::from_secs(61));
    }

    /// From now on syncs use this share of Klaviyo's quota.
    pub(super) fn use_share(&mut self, share: Share) {
        self.integration = self.integration.clone().with_klaviyo_share(share);
        self.api.integration = self.integration.clone();
        self.parts = Parts::from(self.api.clone());
    }

    /// From now on lists are written, too. Returns what writes them.
    pub(super) fn write_lists(&mut self) -> FakeWrites {
        let writes = FakeWrites::on(&self.klaviyo);
        let port = Arc::new(writes.clone());
        self.integration = self.integration.clone().with_klaviyo_writes(port);
        self.api.integration = self.integration.clone();
        self.parts = Parts::from(self.api.clone());
        writes
    }

    /// Keeps an audience in its list, for one slice.
    pub(super) async fn keep(&self, audience: &Value) -> SliceEnd {
        let engine = Engine::new(self.integration.clone(), Pace::default());
        let audience = AudienceId::parse(audience.as_str().unwrap()).unwrap();
        let due = WorkItem {
            organization: self.own.id.clone(),
            key: WorkKey::kept_list(&audience),
        };
        engine
            .work(&due, &CancellationToken::new())
            .await
            .expect("a slice")
    }

    /// Imports a list; its run is left pending.
    pub(super) async fn import(&self, list: &str) -> Value {
        let answer = self
            .post("/api/audiences/import/klaviyo")
            .json(&json!({"listIds": [list]}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["imported"][0].clone()
    }

    /// Works a run to its end.
    pub(super) async fn work(&self, run: &Value) -> SliceEnd {
        let engine = Engine::new(self.integration.clone(), Pace::default());
        let run = RunId::parse(run.as_str().unwrap()).unwrap();
        let due = WorkItem::pull(&self.own.id, &run);
        engine
            .work(&due, &CancellationToken::new())
            .await
            .expect("a slice")
    }

    /// Revokes all keys of the fixture's own organization.
    pub(super) async fn revoke_keys(&self) {
        let (integration, own) = (&self.integration, &self.own.id);
        for key in integration.keys(own).await.unwrap() {
            integration.revoke_key(own, &key.id).await.unwrap();
        }
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder<'_> {
        self.ask(Method::GET, path)
    }

    pub(super) fn put(&self, path: &str) -> RequestBuilder<'_> {
        self.ask(Method::PUT, path)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder<'_> {
        self.ask(Method::POST, path)
    }

    pub(super) fn delete(&self, path: &str) -> RequestBuilder<'_> {
        self.ask(Method::DELETE, path)
    }

    /// A request of the own organization's owner.
    pub(super) fn ask(&self, method: Method, path: &str) -> RequestBuilder<'_> {
        let request = TestRequest::default().method(method.clone()).uri(path);
        RequestBuilder {
            fixture: self,
            request,
            method,
            path: path.to_owned(),
        }
        .by(self.own.key(Role::Owner))
    }
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

/// A request in the making.
pub(super) struct RequestBuilder<'f> {
    fixture: &'f Fixture,
    request: TestRequest,
    method: Method,
    path: String,
}

impl<'f> RequestBuilder<'f> {
    pub(super) fn by(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(super) fn without_key(mut self) -> Self {
        self.request = TestRequest::default()
            .method(self.method.clone())
            .uri(&self.path);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.insert_header((name, value));
        self
    }

    pub(super) fn json(self, body: &Value) -> impl Future<Output = Answer> + use<'f> {
        self.text("application/json", body.to_string())
    }

    pub(super) async fn text(self, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let mut ask = self.header("content-type", content_type);
        ask.request = ask.request.set_payload(body.into());
        ask.send().await
    }

    /// Sends it. The answer is as the document says, and bears the headers that every answer does.
    pub(super) async fn send(self) -> Answer {
        let service = test::init_service(app(&self.fixture.parts)).await;
        let answered = service.call(self.request.to_request()).await;
        let answered = answered.expect("an answer, not an error");
        let (status, headers) = (answered.status().as_u16(), answered.headers().clone());
        let bytes = answered.into_body();
        let bytes = actix_web::body::to_bytes(bytes.boxed()).await;
        let bytes = bytes.unwrap_or_else(|error| panic!("a body: {error}"));
        let wire_bytes = bytes.len();
        let text = unpacked(&bytes, &headers);
        let answer = Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            wire_bytes,
        };
        for name in [
            "x-request-id",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ] {
            assert!(answer.headers.contains_key(name), "{name}");
        }
        conform::check(self.method.as_str(), &self.path, &answer);
        answer
    }
}

/// An answer: its JSON, null if it was none, and its text.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
    /// How many bytes of it were sent.
    pub(super) wire_bytes: usize,
}

/// The text of an answer, whether it was compressed or not.
fn unpacked(bytes: &[u8], headers: &HeaderMap) -> String {
    let mut text = String::new();
    if headers.contains_key("content-encoding") {
        let read = GzDecoder::new(bytes).read_to_string(&mut text);
        read.expect("text as gzip");
    } else {
        text.push_str(std::str::from_utf8(bytes).expect("text"));
    }
    text
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    /// That the request was refused, with this error and code.
    #[track_caller]
    pub(super) fn refuses(&self, status: u16, error: &str, code: &str) {
        let got = (self.status, &self.body["error"], &self.body["code"]);
        assert_eq!(got, (status, &json!(error), &json!(code)), "{}", self.text);
    }

    /// That these fields are at fault and no others.
    #[track_caller]
    pub(super) fn blames(&self, fields: &[&str]) {
        self.refuses(400, "validation_error", "VALIDATION_FAILED");
        let details = self.body["details"].as_array().expect("details");
        let mut blamed: Vec<&str> = details.iter().filter_map(|d| d["field"].as_str()).collect();
        let mut fields = fields.to_vec();
        blamed.sort_unstable();
        fields.sort_unstable();
        assert_eq!(blamed, fields, "{}", self.text);
        let issues = self.body["issues"].as_array().expect("issues");
        assert_eq!(issues.len(), details.len());
    }
}

/// A path with this text as its last id.
pub(super) fn path(pattern: &str, id: &Value) -> String {
    pattern.replace("{id}", id.as_str().expect("an id"))
}

/// The same with what differs from test to test taken out: ids become their prefixes.
pub(super) fn without_ids(value: Value) -> Value {
    match value {
        Value::String(text) => match text.split_once('_') {
            Some((
                prefix @ ("org" | "aud" | "cons" | "sync" | "run" | "key" | "snap" | "dlv"),
                rest,
            )) if rest.len() == 26 => format!("{prefix}_…").into(),
            _ => text.into(),
        },
        Value::Array(elements) => elements.into_iter().map(without_ids).collect(),
        Value::Object(members) => {
            let clean = |(name, value)| (name, without_ids(value));
            members.into_iter().map(clean).collect()
        }
        other => other,
    }
}
