//! The import, and syncing again.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, path, without_ids};

const IMPORT: &str = "/api/audiences/import/klaviyo";

#[actix_web::test]
async fn lists_and_segments_are_imported_each_once() {
    let (fixture, _) = Fixture::imported().await;
    let body = json!({
        "listIds": ["RtPqXs", "XyZaBc", "XyZaBc", "NoSuch"],
        "segmentIds": ["SgMnt1", "NoSuch"],
        "sync": "ONE_TIME",
        "refreshIntervalSeconds": null,
    });

    let answer = fixture.post(IMPORT).json(&body).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_json_snapshot!("import", without_ids(answer.body));
}

#[actix_web::test]
async fn segments_alone_are_an_import_and_nothing_is_none() {
    let fixture = Fixture::connected().await;
    let answer = fixture
        .post(IMPORT)
        .json(&json!({"segmentIds": ["SgMnt1"]}))
        .await;
    assert_eq!(answer.body["imported"][0]["kind"], "SEGMENT");
    let answer = fixture.post(IMPORT).json(&json!({"listIds": []})).await;
    assert_eq!(answer.body, json!({"imported": [], "skipped": []}));
}

#[actix_web::test]
async fn faults_of_an_import_are_told_all_at_once() {
    let fixture = Fixture::connected().await;
    let body = json!({
        "listIds": ["RtPqXs", 7, "", "ä"],
        "segmentIds": "SgMnt1",
        "sync": "HOURLY",
        "refreshIntervalSeconds": 900.5,
        "audience": true,
    });
    let answer = fixture.post(IMPORT).json(&body).await;
    let blamed = [
        "listIds.1",
        "listIds.2",
        "listIds.3",
        "segmentIds",
        "sync",
        "refreshIntervalSeconds",
        "audience",
    ];
    answer.blames(&blamed);

    fixture
        .post(IMPORT)
        .json(&json!({}))
        .await
        .blames(&["listIds"]);
    fixture.post(IMPORT).send().await.blames(&["body"]);
    let answer = fixture
        .post(IMPORT)
        .json(&json!({"listIds": [], "sync": "WEEKLY"}))
        .await;
    answer.blames(&["sync"]);
}

/// An interval is for continuous audiences, a whole number, and neither too short nor too long.
#[actix_web::test]
async fn an_import_is_continuous_with_an_interval_or_without() {
    let fixture = Fixture::connected().await;
    for (sync, interval) in [
        (json!("ONE_TIME"), json!(900)),
        (json!("CONTINUOUS"), json!(59)),
        (json!("CONTINUOUS"), json!(604_801)),
        (json!("CONTINUOUS"), json!(0)),
        (json!("CONTINUOUS"), json!(-900)),
        (json!("CONTINUOUS"), json!(900.5)),
        (json!("CONTINUOUS"), json!("900")),
    ] {
        let body = json!({"listIds": ["RtPqXs"], "sync": sync, "refreshIntervalSeconds": interval});
        let answer = fixture.post(IMPORT).json(&body).await;
        answer.blames(&["refreshIntervalSeconds"]);
    }
    let left_out = json!({"listIds": ["RtPqXs"], "refreshIntervalSeconds": 900});
    let answer = fixture.post(IMPORT).json(&left_out).await;
    answer.blames(&["refreshIntervalSeconds"]);

    for (list, interval, want) in [
        ("RtPqXs", json!(null), 900),
        ("XyZaBc", json!(604_800), 604_800),
    ] {
        let body =
            json!({"listIds": [list], "sync": "CONTINUOUS", "refreshIntervalSeconds": interval});
        let answer = fixture.post(IMPORT).json(&body).await;
        let imported = &answer.body["imported"][0];
        let status = path("/api/audiences/{id}/status", &imported["audienceId"]);
        let before = fixture.get(&status).send().await.body;
        assert_eq!(before["refreshIntervalSeconds"], want);
        assert_eq!(before["nextSyncAt"], Value::Null, "a run is active");
        fixture.work(&imported["runId"]).await;
        let after = fixture.get(&status).send().await.body;
        assert!(after["nextSyncAt"].is_string(), "{after}");
        assert_eq!(after["removalsWithinSeconds"], want);
    }
}

#[actix_web::test]
async fn a_hundred_lists_are_taken_and_one_more_is_not() {
    let fixture = Fixture::connected().await;
    let ids = |n| (0..n).map(|_| Value::from("RtPqXs")).collect::<Value>();
    let answer = fixture
        .post(IMPORT)
        .json(&json!({"listIds": ids(100)}))
        .await;
    assert_eq!(answer.body["imported"].as_array().map(Vec::len), Some(1));
    let answer = fixture
        .post(IMPORT)
        .json(&json!({"listIds": ids(101)}))
        .await;
    answer.blames(&["listIds"]);
    let answer = fixture
        .post(IMPORT)
        .json(&json!({"listIds": [], "segmentIds": ids(101)}))
        .await;
    answer.blames(&["segmentIds"]);
}

#[actix_web::test]
async fn one_sync_at_a_time() {
    let (fixture, imported) = Fixture::imported().await;
    let sync = path("/api/audiences/{id}/sync", &imported["audienceId"]);

    let started = fixture.post(&sync).send().await;
    assert_json_snapshot!("started_sync", without_ids(started.body.clone()));
    let again = fixture
        .post(&sync)
        .json(&json!({"confirmRemovals": true}))
        .await;
    again.refuses(409, "Sync already in progress", "SYNC_IN_PROGRESS");

    fixture.work(&started.body["runId"]).await;
    let confirmed = fixture
        .post(&sync)
        .json(&json!({"confirmRemovals": true}))
        .await;
    assert_eq!(confirmed.body["success"], true);
    assert_ne!(confirmed.body["runId"], started.body["runId"]);
}

#[actix_web::test]
async fn a_sync_takes_no_other_fields() {
    let (fixture, imported) = Fixture::imported().await;
    let sync = path("/api/audiences/{id}/sync", &imported["audienceId"]);
    let body = json!({"confirmRemovals": "yes", "full": true});
    fixture
        .post(&sync)
        .json(&body)
        .await
        .blames(&["confirmRemovals", "full"]);
    fixture
        .post(&sync)
        .json(&json!(null))
        .await
        .blames(&["body"]);
    fixture.post(&sync).json(&json!([])).await.blames(&["body"]);
}

#[actix_web::test]
async fn an_archived_audience_has_no_source_and_its_list_can_be_imported_again() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    assert_eq!(
        fixture.delete(&audience).send().await.body["archived"],
        true
    );

    let answer = fixture.post(&format!("{audience}/sync")).send().await;
    answer.refuses(400, "Audience has no sync source", "NO_SYNC_SOURCE");

    let again = fixture.import("RtPqXs").await;
    assert_ne!(again["audienceId"], imported["audienceId"]);
    assert_ne!(again["syncSourceId"], imported["syncSourceId"]);
}

#[actix_web::test]
async fn nothing_is_synced_without_a_connection() {
    let (fixture, imported) = Fixture::imported().await;
    fixture
        .put("/api/settings")
        .json(&json!({"klaviyo": null}))
        .await;
    let sync = path("/api/audiences/{id}/sync", &imported["audienceId"]);
    let answer = fixture.post(&sync).send().await;
    answer.refuses(400, "Klaviyo API key not found", "KLAVIYO_KEY_NOT_FOUND");
}
