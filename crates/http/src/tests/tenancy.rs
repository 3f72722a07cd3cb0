//! The data of another organization is not found.

use actix_web::http::Method;
use fanfare_domain::organization::Role;
use serde_json::{Value, json};

use super::fixture::Fixture;
use crate::handlers;

#[actix_web::test]
async fn an_id_of_another_organization_is_answered_like_one_that_never_was() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = &imported["audienceId"];
    let members = fixture.get(&super::fixture::path(
        "/api/audiences/{id}/members",
        audience,
    ));
    let consumer = members.send().await.body["data"][0]["id"].clone();
    fixture.webhook_address().await;
    let told = fixture.envelope("whk_1", "draw.completed", &json!({}));
    fixture.webhook(&told).await;
    let deliveries = fixture.get("/api/deliveries").send().await;
    let delivery = deliveries.body["data"][0]["id"].clone();
    let other_key = fixture.other.key(Role::Owner);
    let mut compared = 0;
    let of_id = handlers::routes().iter();
    for route in of_id.filter(|route| route.path.contains("{id}")) {
        let (real, never) = match route.path.split('/').nth(2) {
            Some("audiences") => (audience, "aud_01JZZZZZZZZZZZZZZZZZZZZZZZ"),
            Some("sync-runs") => (&imported["runId"], "run_01JZZZZZZZZZZZZZZZZZZZZZZZ"),
            Some("sync-sources") => (&imported["syncSourceId"], "sync_01JZZZZZZZZZZZZZZZZZZZZZZ"),
            Some("consumers") => (&consumer, "cons_01JZZZZZZZZZZZZZZZZZZZZZZ"),
            Some("deliveries") => (&delivery, "dlv_01JZZZZZZZZZZZZZZZZZZZZZZZ"),
            other => panic!("{other:?}"),
        };
        let ask = |id: &Value| {
            let path = super::fixture::path(&route.path, id);
            let path = path.replace("{snapshotId}", "snap_1");
            // What these routes cannot do without.
            let (query, body) = match path.rsplit('/').next() {
                Some("diff") => (
                    "?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z",
                    json!({}),
                ),
                Some("snapshots") if route.method == Method::POST => ("", json!({"name": "Draw"})),
                Some("members") if route.method != Method::GET => {
                    ("", json!({"consumerIds": ["cons_1"]}))
                }
                Some("klaviyo-list") if route.method != Method::GET => {
                    ("", json!({"listId": "RtPqXs"}))
                }
                Some("push") => ("", json!({"confirmation": "none"})),
                Some("unsubscribe") => ("", json!({"channels": ["EMAIL"], "scope": "ALL"})),
                Some("check") => ("", json!({"emails": ["person0@example.com"]})),
                Some("explain") => ("?email=person0@example.com", json!({})),
                _ => ("", json!({})),
            };
            fixture
                .ask(route.method.clone(), &format!("{path}{query}"))
                .by(other_key)
                .json(&body)
        };

        let (theirs, unknown) = (ask(real).await, ask(&json!(never)).await);

        assert_eq!(theirs.status, 404, "{} {}", route.method, route.path);
        assert_eq!(theirs.text, unknown.text);
        let named = |answer: &super::fixture::Answer| {
            let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            headers.sort();
            headers
        };
        assert_eq!(named(&theirs), named(&unknown));
        compared += 1;
    }
    assert!(compared >= 12, "{compared}");
}

#[actix_web::test]
async fn collections_of_another_organization_are_empty() {
    let (fixture, imported) = Fixture::imported().await;
    let other_key = fixture.other.key(Role::Owner);
    for (path, data) in [
        ("/api/audiences", "/data"),
        ("/api/consumers", "/data"),
        ("/api/sync-sources/search", ""),
        ("/api/consumers/search?email=person0@example.com", ""),
    ] {
        let own = fixture.get(path).send().await;
        assert_ne!(own.body.pointer(data), Some(&json!([])), "{path}");
        let theirs = fixture.get(path).by(other_key).send().await;
        assert_eq!(theirs.body.pointer(data), Some(&json!([])), "{path}");
    }
    let by_audience = format!(
        "/api/consumers?audienceId={}",
        imported["audienceId"].as_str().unwrap()
    );
    let theirs = fixture.get(&by_audience).by(other_key).send().await;
    assert_eq!(theirs.body["data"], json!([]));
    let lists = fixture.get("/api/klaviyo").by(other_key).send().await;
    assert_eq!(lists.body[0]["isSynced"], false);
    assert_eq!(lists.body[0]["audienceId"], Value::Null);
}
