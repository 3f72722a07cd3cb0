//! Fanfare's webhooks, and what is chosen of events.

use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, Organization};

impl Fixture {
    /// Makes the secret of the own organization's webhooks, and returns what the API says.
    pub(super) async fn webhook_address(&self) -> Value {
        let answer = self.post("/api/settings/fanfare-webhook").send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    pub(super) fn envelope(&self, id: &str, type_name: &str, data: &Value) -> String {
        json!({"id": id, "type": type_name, "timestamp": "2026-11-24T12:00:00Z",
            "organizationId": self.own.id.as_str(), "data": data})
        .to_string()
    }

    /// Sends a body to the own organization, signed with its secret.
    pub(super) async fn webhook(&self, body: &str) -> Answer {
        let timestamp = self.timestamp();
        let signed = self
            .integration
            .sign_webhook(&self.own.id, &timestamp, body.as_bytes());
        let signature = signed.await.expect("a secret");
        self.signed(&self.own, &timestamp, &signature, body).await
    }

    fn timestamp(&self) -> String {
        (self.integration.clock().now().as_micros() / 1_000_000).to_string()
    }

    async fn signed(
        &self,
        to: &Organization,
        timestamp: &str,
        signature: &str,
        body: &str,
    ) -> Answer {
        let path = format!("/api/webhooks/fanfare/{}", to.id);
        let ask = self.post(&path).without_key();
        let ask = ask.header("x-fanfare-timestamp", timestamp);
        let ask = ask.header("x-fanfare-signature", signature);
        ask.text("application/json", body).await
    }
}

#[actix_web::test]
async fn a_webhook_is_taken_once_and_counts_as_no_request() {
    let fixture = Fixture::new().await;
    let address = fixture.webhook_address().await;
    let url = format!(
        "https://sync.example.com/api/webhooks/fanfare/{}",
        fixture.own.id
    );
    assert_eq!(address["url"], url.as_str());
    let secret = address["secret"].as_str().expect("a secret");
    assert!(
        secret.starts_with("whsec_") && secret.len() == 66,
        "{secret}"
    );
    assert_ne!(fixture.webhook_address().await["secret"], secret);

    let left = |answer: &Answer| answer.header("x-ratelimit-remaining").to_owned();
    let before = left(&fixture.get("/api/deliveries").send().await);
    let body = fixture.envelope(
        "whk_1",
        "draw.consumer.won",
        &json!({"consumerId": "cons_1"}),
    );
    for duplicate in [false, true] {
        let answer = fixture.webhook(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(
            answer.body,
            json!({"accepted": true, "duplicate": duplicate})
        );
    }
    let after = left(&fixture.get("/api/deliveries").send().await);
    let number = |text: &str| text.parse::<u32>().expect("a number");
    assert_eq!(number(&after), number(&before) - 1);
}

#[actix_web::test]
async fn a_webhook_that_is_not_signed_well_is_told_the_same_whoever_it_is_for() {
    let fixture = Fixture::new().await;
    fixture.webhook_address().await;
    let body = fixture.envelope("whk_1", "draw.consumer.won", &json!({}));
    let timestamp = fixture.timestamp();
    let wrong = format!("sha256={}", "0".repeat(64));
    let bad = fixture
        .signed(&fixture.own, &timestamp, &wrong, &body)
        .await;
    bad.refuses(401, "Invalid signature", "INVALID_SIGNATURE");
    // One that has no secret, and none that there is.
    let without = fixture
        .signed(&fixture.other, &timestamp, &wrong, &body)
        .await;
    let path = "/api/v1/webhooks/fanfare/org_nobody";
    let ask = fixture.post(path).without_key();
    let ask = ask.header("x-fanfare-timestamp", &timestamp);
    let nobody = ask
        .header("x-fanfare-signature", &wrong)
        .text("application/json", &*body)
        .await;
    for answer in [&without, &nobody] {
        assert_eq!((answer.status, &answer.text), (bad.status, &bad.text));
    }
    let old = (timestamp.parse::<i64>().expect("seconds") - 301).to_string();
    let signed = fixture
        .integration
        .sign_webhook(&fixture.own.id, &old, body.as_bytes());
    let signed = signed.await.expect("a secret");
    let answer = fixture.signed(&fixture.own, &old, &signed, &body).await;
    assert_eq!((answer.status, &answer.text), (bad.status, &bad.text));
    let all = fixture.get("/api/deliveries").send().await;
    assert_eq!(all.body["data"], json!([]));
}

#[actix_web::test]
async fn what_is_no_webhook_is_refused_and_not_repeated() {
    let fixture = Fixture::new().await;
    fixture.webhook_address().await;
    let path = format!("/api/webhooks/fanfare/{}", fixture.own.id);
    let ask = || fixture.post(&path).without_key();
    ask()
        .text("application/json", "{}")
        .await
        .blames(&["X-Fanfare-Timestamp", "X-Fanfare-Signature"]);
    let ask_with_time = ask().header("x-fanfare-timestamp", "1");
    ask_with_time
        .text("application/json", "{}")
        .await
        .blames(&["X-Fanfare-Signature"]);

    for body in ["", "canary", "[]", r#"{"id":"canary"}"#] {
        let answer = fixture.webhook(body).await;
        answer.blames(&["body"]);
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
    let large = fixture.envelope(
        "whk_1",
        "draw.consumer.won",
        &json!({"a": "x".repeat(1_000_000)}),
    );
    let answer = fixture.webhook(&large).await;
    answer.refuses(413, "Payload too large", "PAYLOAD_TOO_LARGE");
}

#[actix_web::test]
async fn what_is_sent_of_events_is_chosen_beside_the_key() {
    let fixture = Fixture::new().await;
    let events = |body: Value| {
        let body = json!({"klaviyo": {"events": body}});
        fixture.put("/api/settings").json(&body)
    };
    let shown = fixture.get("/api/settings").send().await;
    let before = &shown.body["klaviyo"]["events"];
    assert_eq!(before["enabled"], false);
    assert_eq!(
        before["metrics"]["draw.consumer.won"],
        "Fanfare Draw Winner"
    );
    assert_eq!(before["metrics"]["queue.consumer.denied"], Value::Null);

    let changed = events(
        json!({"enabled": true, "metrics": {"draw.consumer.won": " Won ", "draw.consumer.lost": null}}),
    );
    let changed = changed.await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let changed = &changed.body["klaviyo"];
    assert_eq!(changed["configured"], false);
    assert_eq!(changed["events"]["enabled"], true);
    let after = events(json!({})).await.body["klaviyo"]["events"].clone();
    assert_eq!(after, changed["events"]);
    let mut want = before.clone();
    want["enabled"] = true.into();
    want["metrics"]["draw.consumer.won"] = "Won".into();
    want["metrics"]["draw.consumer.lost"] = Value::Null;
    assert_eq!(after, want);
    let after_key = fixture
        .put("/api/settings")
        .json(&json!({"klaviyo": {"apiKey": super::fixture::KLAVIYO_KEY}}));
    let after_key = after_key.await;
    assert_eq!(after_key.body["klaviyo"]["events"], want);
    assert_eq!(after_key.body["klaviyo"]["configured"], true);
}

#[actix_web::test]
async fn metrics_that_cannot_be_are_all_named() {
    let fixture = Fixture::new().await;
    let metrics = json!({"draw.consumer.won": "x".repeat(128), "draw.completed": "a", "unheard.of": "b",
        "draw.consumer.lost": 7, "queue.consumer.left": ""});
    let body = json!({"klaviyo": {"events": {"enabled": "yes", "metrics": metrics, "more": 1}}});
    let answer = fixture.put("/api/settings").json(&body).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    let details = answer.body["details"].as_array().expect("details");
    assert_eq!(details.len(), 7, "{}", answer.text);
    for body in [
        json!({"klaviyo": {}}),
        json!({"klaviyo": {"confirmAccountChange": true}}),
    ] {
        let answer = fixture.put("/api/settings").json(&body).await;
        answer.blames(&["klaviyo.apiKey"]);
    }
    let shown = fixture.get("/api/settings").send().await;
    assert_eq!(shown.body["klaviyo"]["events"]["enabled"], false);
}
