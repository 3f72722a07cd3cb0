//! Audiences that are filled by hand.

use fanfare_domain::organization::Role;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, path};

const MEMBERS: &str = "/api/audiences/{id}/members";

/// An organization with three consumers and an audience that nobody is in.
pub(super) async fn with_audience() -> (Fixture, Value, Vec<Value>) {
    let (fixture, _) = Fixture::imported().await;
    let consumers = fixture.get("/api/consumers").send().await;
    let consumers = consumers.body["data"].as_array().expect("consumers");
    let consumers = consumers.iter().map(|one| one["id"].clone()).collect();
    let body = json!({"name": "Winners", "type": "STATIC_LIST", "metadata": {"draw": 7}});
    let made = fixture.post("/api/audiences").json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (fixture, made.body["id"].clone(), consumers)
}

async fn add(fixture: &Fixture, audience: &Value, consumers: &[Value]) -> Answer {
    let body = json!({ "consumerIds": consumers });
    fixture.post(&path(MEMBERS, audience)).json(&body).await
}

#[actix_web::test]
async fn an_audience_is_made_and_shown_like_any_other() {
    let (fixture, audience, _) = with_audience().await;
    let shown = fixture
        .get(&path("/api/audiences/{id}", &audience))
        .send()
        .await
        .body;
    assert_eq!(shown["type"], "STATIC_LIST");
    assert_eq!(shown["metadata"], json!({"draw": 7}));
    for field in [
        "primaryExternalId",
        "primarySyncSourceId",
        "primarySourceVendor",
    ] {
        assert_eq!(shown[field], Value::Null, "{field}");
    }
    let status = fixture
        .get(&path("/api/audiences/{id}/status", &audience))
        .send()
        .await
        .body;
    assert_eq!(
        (&status["syncStatus"], &status["stale"]),
        (&Value::Null, &json!(false))
    );
    let all = fixture.get("/api/audiences").send().await.body;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2));
    let sources = fixture
        .get("/api/sync-sources/search?syncSource=fanfare:static")
        .send()
        .await;
    assert_eq!(sources.body, json!([]));
    let of_id = path("/api/sync-sources/{id}", &audience);
    let source = fixture.get(&of_id).send().await;
    source.refuses(404, "Sync source not found", "SYNC_SOURCE_NOT_FOUND");
    let sync = fixture
        .post(&path("/api/audiences/{id}/sync", &audience))
        .send()
        .await;
    sync.refuses(400, "Audience is not a synced list", "AUDIENCE_NOT_SYNCED");
    let archived = fixture
        .delete(&path("/api/audiences/{id}", &audience))
        .send()
        .await;
    assert_eq!(archived.body["archived"], true);
}

#[actix_web::test]
async fn members_come_and_go_and_history_tells_it() {
    let (fixture, audience, consumers) = with_audience().await;
    let added = add(&fixture, &audience, &consumers).await;
    let want = json!({"audienceId": audience, "changed": 3, "count": 3});
    assert_eq!((added.status, added.body), (200, want));
    let again = add(&fixture, &audience, &consumers[..1]).await;
    assert_eq!(again.body["changed"], 0);
    fixture.wait_a_minute();
    let body = json!({ "consumerIds": &consumers[..1] });
    for changed in [1, 0] {
        let removed = fixture.delete(&path(MEMBERS, &audience)).json(&body).await;
        let want = json!({"audienceId": audience, "changed": changed, "count": 2});
        assert_eq!((removed.status, removed.body), (200, want));
    }
    let changes = fixture
        .get(&path("/api/audiences/{id}/changes", &audience))
        .send()
        .await;
    let changes = changes.body["data"].as_array().expect("changes").clone();
    assert_eq!(changes.len(), 4);
    assert!(changes.iter().all(|change| change["runId"].is_null()));
    assert_eq!(changes[3]["type"], "LEFT");
    let asked = json!({ "consumerIds": consumers });
    let check = fixture
        .post(&path("/api/audiences/{id}/check", &audience))
        .json(&asked)
        .await;
    let members: Vec<&Value> = check.body["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| &one["isMember"])
        .collect();
    assert_eq!(members, [&json!(false), &json!(true), &json!(true)]);
}

#[actix_web::test]
async fn what_is_wrong_with_a_request_is_named() {
    let (fixture, audience, consumers) = with_audience().await;
    let made = async |body: Value| fixture.post("/api/audiences").json(&body).await;
    made(json!({})).await.blames(&["name"]);
    made(json!({"name": "x", "type": "SYNCED_LIST"}))
        .await
        .blames(&["type"]);
    made(json!({"name": "", "colour": 1}))
        .await
        .blames(&["name", "colour"]);
    add(&fixture, &audience, &[]).await.blames(&["consumerIds"]);
    let unknown = add(
        &fixture,
        &audience,
        &[consumers[0].clone(), json!("cons_x")],
    )
    .await;
    unknown.blames(&["consumerIds"]);
    assert!(unknown.text.contains("cons_x"), "{}", unknown.text);
    let synced = fixture.get("/api/audiences").send().await.body["data"][0]["id"].clone();
    let refused = add(&fixture, &synced, &consumers).await;
    refused.refuses(400, "Audience is a synced list", "AUDIENCE_IS_SYNCED");
    let body = json!({ "consumerIds": consumers });
    let theirs = fixture
        .post(&path(MEMBERS, &audience))
        .by(fixture.other.key(Role::Owner));
    theirs
        .json(&body)
        .await
        .refuses(404, "Audience not found", "AUDIENCE_NOT_FOUND");
    let kind = json!({"type": "SYNCED_LIST"});
    let refused = fixture
        .put(&path("/api/audiences/{id}", &audience))
        .json(&kind)
        .await;
    refused.blames(&["type"]);
}
