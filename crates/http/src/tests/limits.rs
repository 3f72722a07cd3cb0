//! How often an organization may ask, and how much it may send.

use std::time::Duration;

use actix_web::test::{self, TestRequest};
use fanfare_domain::organization::Role;
use serde_json::{Value, json};

use fanfare_testkit::memory::Operation;

use super::fixture::{Fixture, Organization, path};
use crate::decode::body::MAX_BODY_BYTES;
use crate::handlers;
use crate::server::{Parts, app};

/// Asks so often, with every key in turn.
async fn ask(fixture: &Fixture, organization: &Organization, times: u32) {
    let service = test::init_service(app(&fixture.parts)).await;
    for n in 0..times {
        let role = [Role::Owner, Role::Viewer][n as usize % 2];
        let key = format!("Bearer {}", organization.key(role));
        let request = TestRequest::get().uri("/api/audiences/aud_1/count");
        let request = request.insert_header(("authorization", key));
        let answer = test::call_service(&service, request.to_request()).await;
        assert_eq!(answer.status(), 404);
    }
}

#[actix_web::test]
async fn an_organization_has_a_thousand_requests_a_minute() {
    let fixture = Fixture::new().await;
    fixture.clock.advance(Duration::from_secs(40));
    ask(&fixture, &fixture.own, 998).await;

    let answer = fixture.get("/api/audiences").send().await;
    assert_eq!(answer.header("x-ratelimit-limit"), "1000");
    assert_eq!(answer.header("x-ratelimit-remaining"), "1");
    // 2026-11-24T12:01:00Z
    assert_eq!(answer.header("x-ratelimit-reset"), "1795521660");

    assert_eq!(fixture.get("/api/nowhere").send().await.status, 404);
    let answer = fixture.get("/api/audiences").send().await;
    answer.refuses(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED");
    assert_eq!(answer.header("retry-after"), "20");
    assert_eq!(answer.body["retryAfter"], 20);
    assert_eq!(answer.header("x-ratelimit-remaining"), "0");

    // Other organizations have limits of their own, and the next minute has its own.
    let other = fixture
        .get("/api/audiences")
        .by(fixture.other.key(Role::Viewer))
        .send()
        .await;
    assert_eq!(other.header("x-ratelimit-remaining"), "999");
    fixture.clock.advance(Duration::from_secs(20));
    let answer = fixture.get("/api/audiences").send().await;
    assert_eq!(
        (answer.status, answer.header("x-ratelimit-remaining")),
        (200, "999")
    );
}

#[actix_web::test]
async fn two_processes_admit_a_thousand_requests_together() {
    let fixture = Fixture::new().await;
    let other = Parts::new(fixture.api.clone(), handlers::routes());
    let services = [
        test::init_service(app(&fixture.parts)).await,
        test::init_service(app(&other)).await,
    ];
    let mut admitted = 0;
    for n in 0..1_100 {
        let service = &services[n % 2];
        let key = format!("Bearer {}", fixture.own.key(Role::Viewer));
        let request = TestRequest::get().uri("/api/audiences");
        let request = request.insert_header(("authorization", key));
        let answer = test::call_service(service, request.to_request()).await;
        admitted += u32::from(answer.status() == 200);
    }
    assert_eq!(admitted, 1_000);
    // The store was asked for a few at a time.
    let asked = fixture.store.count_of(Operation::RequestLimits);
    assert!(asked < 130, "{asked}");
}

#[actix_web::test]
async fn while_the_store_cannot_count_each_process_counts_alone() {
    let fixture = Fixture::new().await;
    ask(&fixture, &fixture.own, 100).await;
    fixture.store.fail_next(Operation::RequestLimits, 1_000);
    ask(&fixture, &fixture.own, 900).await;

    let refused = fixture.get("/api/audiences").send().await;

    refused.refuses(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED");
    fixture.wait_a_minute();
    assert_eq!(fixture.get("/api/audiences").send().await.status, 200);
}

#[actix_web::test]
async fn a_caller_that_is_not_known_uses_up_no_rate_limit() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        let answer = fixture
            .get("/api/audiences")
            .by("sk_live_unknown")
            .send()
            .await;
        assert_eq!(answer.header("x-ratelimit-remaining"), "1000");
    }
    let answer = fixture.get("/api/audiences").send().await;
    assert_eq!(answer.header("x-ratelimit-remaining"), "999");
}

#[actix_web::test]
async fn a_body_may_have_a_megabyte() {
    let fixture = Fixture::connected().await;
    let padded = |bytes: usize| {
        let body = json!({"listIds": []}).to_string();
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    let import = || fixture.post("/api/audiences/import/klaviyo");

    let answer = import()
        .text("application/json", padded(MAX_BODY_BYTES))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    let answer = import()
        .text("application/json", padded(MAX_BODY_BYTES + 1))
        .await;
    answer.refuses(413, "Payload too large", "PAYLOAD_TOO_LARGE");
    assert!(answer.body["message"].as_str().unwrap().contains("1000000"));
}

#[actix_web::test]
async fn metadata_may_have_sixteen_kibibytes() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    // `{"text":"…"}` is eleven bytes longer than its text.
    let body = |bytes: usize| json!({"metadata": {"text": "x".repeat(bytes - 11)}});

    let answer = fixture.put(&audience).json(&body(16_384)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    let answer = fixture.put(&audience).json(&body(16_385)).await;
    answer.blames(&["metadata"]);
}

#[actix_web::test]
async fn not_more_than_a_hundred_faults_are_listed_and_the_rest_is_counted() {
    let fixture = Fixture::new().await;
    let body: serde_json::Map<String, Value> = (0..250)
        .map(|n| (format!("field{n}"), Value::Null))
        .collect();
    let answer = fixture
        .put("/api/settings")
        .json(&Value::Object(body))
        .await;
    assert_eq!(answer.body["details"].as_array().map(Vec::len), Some(100));
    let message = answer.body["message"].as_str().unwrap();
    // And `klaviyo` is missing.
    assert!(message.contains("251"), "{message}");
}
