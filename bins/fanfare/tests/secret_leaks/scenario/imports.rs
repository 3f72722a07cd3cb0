//! Imports, and reads the imported profiles.

use serde_json::json;

use super::{await_end, start_sync};
use crate::client::{Client, text};
use crate::fixture::{EMAIL, FIRST_NAME, LISTS, PHONE, SEGMENTS};

/// Lists what Klaviyo has, imports it, and syncs one audience again. Returns the ids of the audiences.
pub(super) fn import(client: &Client<'_>) -> Vec<String> {
    for path in [
        "/api/klaviyo",
        "/api/klaviyo/segments",
        "/api/klaviyo/lists/RtPqXs/estimate",
        "/api/klaviyo/segments/SeGm01/estimate",
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let body = json!({"listIds": LISTS, "segmentIds": SEGMENTS, "sync": "ONE_TIME"});
    let path = "/api/audiences/import/klaviyo";
    let imported = client.post(path, &body.to_string()).json(200);
    let imported = imported["imported"].as_array().unwrap();
    assert_eq!(imported.len(), LISTS.len() + SEGMENTS.len());
    for one in imported {
        let run = await_end(client, text(one, "runId"));
        assert_eq!(run["status"], "SUCCESS", "{run}");
    }
    let audiences = imported
        .iter()
        .map(|one| text(one, "audienceId").to_owned());
    let audiences: Vec<String> = audiences.collect();
    let again = await_end(client, &start_sync(client, &audiences[0]));
    assert_eq!(again["status"], "SUCCESS", "{again}");
    let issues = client.get(&format!("/api/sync-runs/{}/issues", text(&again, "id")));
    assert_ne!(
        issues.json(200)["data"],
        json!([]),
        "broken values are issues"
    );
    audiences
}

/// Reads profiles through every route that shows them, and then every other route that is near.
pub(super) fn read_profiles(client: &Client<'_>, audiences: &[String]) {
    let audience = format!("/api/audiences/{}", audiences[0]);
    let email = EMAIL.replace('@', "%40");
    let phone = PHONE.replace('+', "%2B");
    let found = client.get_profiles(&format!("/api/consumers/search?email={email}"));
    let found = found.json(200);
    let ada = found.get(0).unwrap_or(&found);
    assert_eq!(ada["email"], EMAIL.to_lowercase(), "{found}");
    for path in [
        format!("/api/consumers/search?email={EMAIL}"),
        format!("/api/consumers/search?phone={phone}"),
        format!("/api/consumers/{}", text(ada, "id")),
        "/api/consumers?first=100".to_owned(),
        format!("{audience}/members?first=100"),
        format!("{audience}/members?search={email}"),
        format!("{audience}/members?search={phone}"),
        format!("{audience}/members?search={FIRST_NAME}"),
    ] {
        let answer = client.get_profiles(&path);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    for path in [
        audience.clone(),
        format!("{audience}?include=primarySyncSource"),
        format!("{audience}/count"),
        format!("{audience}/status"),
        format!("{audience}/runs"),
        "/api/audiences".to_owned(),
        "/api/sync-sources/search".to_owned(),
        "/api/klaviyo".to_owned(),
        "/api/consumers/search?email=nobody%40people-canary.example".to_owned(),
        "/api/consumers/search?externalId=externalcanary7f3a".to_owned(),
    ] {
        let answer = client.get(&path);
        assert!([200, 404].contains(&answer.status), "{answer:?}");
    }
}
