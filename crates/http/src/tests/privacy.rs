//! What is private is in no log, metric or error.

use std::io::Write;
use std::sync::{Arc, Mutex};

use fanfare_domain::ports::KlaviyoError;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::memory::Operation;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::fixture::{Fixture, path};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Everything that this thread logs from now on, until the guard is dropped.
    fn record() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

#[actix_web::test]
async fn each_request_is_one_line_without_anything_private() {
    let (log, _guard) = Log::record();
    let fixture = Fixture::connected().await;
    let ask = fixture
        .get("/api/klaviyo")
        .header("x-request-id", "the-request");
    ask.send().await;
    fixture.get("/api/audiences/aud_1?first=1").send().await;
    fixture.get("/nowhere/canary").without_key().send().await;

    let lines = log.lines();
    let answered: Vec<&Value> = lines
        .iter()
        .filter(|line| line["message"] == "request answered")
        .collect();
    assert_eq!(answered.len(), 3);
    let [klaviyo, audience, nowhere] = answered[..] else {
        panic!("three lines");
    };
    assert_eq!(klaviyo["level"], "INFO");
    assert_eq!(klaviyo["handler"], "klaviyo.handler");
    assert_eq!(klaviyo["method"], "GET");
    assert_eq!(klaviyo["route"], "/api/klaviyo");
    assert_eq!(klaviyo["status"], 200);
    assert!(klaviyo["durationMs"].is_u64());
    assert_eq!(klaviyo["requestId"], "the-request");
    assert_eq!(klaviyo["organizationId"], fixture.own.id.as_str());
    assert_eq!(audience["route"], "/api/audiences/{id}");
    assert_eq!(audience["status"], 400);
    assert_eq!(nowhere["route"], "unmatched");
    assert_eq!(nowhere.get("organizationId"), None);
    assert!(!log.text().contains("first=1") && !log.text().contains("canary"));
}

#[actix_web::test]
async fn a_run_that_a_request_ends_is_one_line_that_tells_which_part_ended_it() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let (log, _guard) = Log::record();

    let cancel = path("/api/sync-runs/{id}/cancel", &imported["runId"]);
    fixture.post(&cancel).send().await;

    let lines = log.lines();
    let ended: Vec<&Value> = lines
        .iter()
        .filter(|line| line["message"] == "run ended")
        .collect();
    let [ended] = ended[..] else {
        panic!("one line: {lines:?}");
    };
    assert_eq!(ended["code"], "cancelled");
    let field = |name: &str| {
        let spans = ended["spans"].as_array().unwrap();
        spans.iter().find_map(|span| span.get(name))
    };
    assert_eq!(field("handler"), Some(&json!("api.handler")));
    assert_eq!(field("runId"), Some(&imported["runId"]));
}

#[actix_web::test]
async fn a_failure_tells_the_log_more_than_the_client() {
    let (log, _guard) = Log::record();
    let fixture = Fixture::connected().await;
    let cause = KlaviyoError::Invalid("the page has no data".to_owned());
    fixture
        .klaviyo
        .fail_others([Some(cause.clone()), Some(cause)]);

    let answer = fixture.get("/api/klaviyo").send().await;

    assert!(!answer.text.contains("no data"), "{}", answer.text);
    let lines = log.lines();
    let told = lines
        .iter()
        .find(|line| line["code"] == "KLAVIYO_UNREACHABLE");
    let told = told.expect("a line about it");
    assert_eq!(told["level"], "WARN");
    assert!(
        told["cause"]
            .as_str()
            .unwrap()
            .contains("the page has no data")
    );
}

#[actix_web::test]
async fn metrics_count_by_pattern() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let fixture = Fixture::new().await;
    fixture.get("/api/audiences/aud_canary").send().await;
    fixture.get("/api/audiences/aud_canary2").send().await;
    fixture
        .ask("CANARY".parse().unwrap(), "/canary")
        .send()
        .await;

    let text = handle.render();

    let counted = "method=\"GET\",route=\"/api/audiences/{id}\",status=\"4xx\"";
    assert!(
        text.contains(&format!("fanfare_http_requests_total{{{counted}}} 2")),
        "{text}"
    );
    assert!(
        text.contains("fanfare_http_request_duration_seconds"),
        "{text}"
    );
    assert!(
        text.contains("method=\"other\",route=\"unmatched\""),
        "{text}"
    );
    assert!(!text.to_lowercase().contains("canary"), "{text}");
}

/// Keys, addresses, numbers and names are put wherever a client or Klaviyo can put them.
#[actix_web::test]
async fn private_values_are_in_no_log_metric_or_error() {
    let (log, _guard) = Log::record();
    let fixture = Fixture::connected().await;
    fixture.klaviyo.change(|klaviyo| {
        let person = profile("P9")
            .email("canary@example.com")
            .phone("+4915100000099")
            .first_name("Canary")
            .build();
        let entry = (Some("Newsletter".to_owned()), vec![person]);
        klaviyo.collections.insert(list("RtPqXs"), entry);
    });
    let imported = fixture.import("RtPqXs").await;
    fixture.work(&imported["runId"]).await;

    fixture.wait_a_minute();

    let mut errors = Vec::new();
    let key = "pk_canary0123456789";
    let bodies = [
        json!({"klaviyo": {"apiKey": key, key: key}}),
        json!({"klaviyo": {"apiKey": format!("{key} "), "confirmAccountChange": key}}),
        json!({"klaviyo": key}),
        json!({key: key}),
        json!(key),
        json!({"listIds": [key, format!("{key} ä")], "sync": key}),
        json!({"name": key, "type": key, "groupType": key}),
    ];
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    for body in &bodies {
        errors.push(fixture.put("/api/settings").json(body).await);
        errors.push(
            fixture
                .post("/api/audiences/import/klaviyo")
                .json(body)
                .await,
        );
        errors.push(fixture.post(&format!("{audience}/sync")).json(body).await);
    }
    fixture
        .klaviyo
        .change(|klaviyo| klaviyo.keys = vec!["pk_other".to_owned()]);
    errors.push(fixture.put("/api/settings").json(&bodies[0]).await);
    let connect = json!({"klaviyo": {"apiKey": key}});
    errors.push(fixture.put("/api/settings").json(&connect).await);
    errors.push(
        fixture
            .put("/api/settings")
            .text("application/json", format!("{{\"{key}"))
            .await,
    );
    for query in [
        "email=canary",
        "email=canary@example.com&phone=1",
        "canary@example.com=1",
        "externalId=canary%20canary",
        "phone=%2B49canary",
        "pk_canary=1",
    ] {
        errors.push(
            fixture
                .get(&format!("/api/consumers/search?{query}"))
                .send()
                .await,
        );
    }
    errors.push(
        fixture
            .get("/api/consumers/canary@example.com")
            .send()
            .await,
    );
    errors.push(
        fixture
            .get("/api/canary@example.com")
            .by("sk_live_canary")
            .send()
            .await,
    );
    let strange = fixture
        .get("/api/audiences")
        .header("x-request-id", "canary@example.com");
    assert!(
        !strange
            .send()
            .await
            .header("x-request-id")
            .contains("canary")
    );
    fixture.store.fail_next(Operation::Begin, 1);
    errors.push(
        fixture
            .put(&audience)
            .json(&json!({"name": "Canary"}))
            .await,
    );
    let found = fixture
        .get("/api/consumers/search?email=canary@example.com")
        .send()
        .await;
    assert_eq!(found.body[0]["fullName"], "Canary");

    let logged = log.text().to_lowercase();
    assert!(logged.contains("request answered"));
    for private in ["canary", "4915100000099", super::fixture::KLAVIYO_KEY] {
        assert!(
            !logged.contains(private),
            "{private} is in the log: {logged}"
        );
        for error in &errors {
            assert!(error.status >= 400, "{}", error.text);
            let text = error.text.to_lowercase();
            assert!(!text.contains(private), "{private} is in {text}");
        }
    }
}
