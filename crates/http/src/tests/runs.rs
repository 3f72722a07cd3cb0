//! Runs and their issues.

use fanfare_testkit::build::{list, profile};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, path, without_ids};

#[actix_web::test]
async fn a_run_is_told_from_its_beginning_to_its_end() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let run = path("/api/sync-runs/{id}", &imported["runId"]);

    let queued = fixture.get(&run).send().await;
    assert_json_snapshot!("queued_run", without_ids(queued.body));

    fixture.work(&imported["runId"]).await;
    let ended = fixture.get(&run).send().await.body;
    assert_json_snapshot!("ended_run", without_ids(ended.clone()));
    let sum: u64 = ["created", "updated", "unchanged", "skipped"]
        .iter()
        .filter_map(|name| ended["progress"][name].as_u64())
        .sum();
    assert_eq!(ended["progress"]["processed"], sum);
}

#[actix_web::test]
async fn an_audiences_runs_are_told_latest_first() {
    let (fixture, imported) = Fixture::imported().await;
    let sync = path("/api/audiences/{id}/sync", &imported["audienceId"]);
    let latest = fixture.post(&sync).send().await.body["runId"].clone();
    let runs = path("/api/audiences/{id}/runs", &imported["audienceId"]);

    let all = fixture.get(&runs).send().await.body;
    let ids: Vec<&Value> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["id"])
        .collect();
    assert_eq!(ids, [&latest, &imported["runId"]]);

    let first = fixture.get(&format!("{runs}?first=1")).send().await.body;
    assert_eq!(first["data"][0]["id"], latest);
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap();
    let second = fixture
        .get(&format!("{runs}?first=1&after={cursor}"))
        .send()
        .await
        .body;
    assert_eq!(second["data"][0]["id"], imported["runId"]);

    fixture
        .get(&format!("{runs}?status=FAILED"))
        .send()
        .await
        .blames(&["status"]);
}

#[actix_web::test]
async fn a_run_is_cancelled_once() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let cancel = path("/api/sync-runs/{id}/cancel", &imported["runId"]);

    fixture
        .post(&cancel)
        .json(&json!({"reason": "x"}))
        .await
        .blames(&["reason"]);
    let cancelled = fixture.post(&cancel).send().await.body;
    assert_eq!(cancelled["status"], "FAILED");
    assert_eq!(cancelled["error"]["code"], "cancelled");

    let again = fixture.post(&cancel).send().await;
    again.refuses(409, "Sync run already finished", "SYNC_RUN_FINISHED");
}

#[actix_web::test]
async fn issues_are_paged_and_hold_nothing_of_the_record() {
    let fixture = Fixture::connected().await;
    fixture.klaviyo.change(|klaviyo| {
        let broken = |n: u32| {
            profile(&format!("B{n}"))
                .email(&format!("canary{n}"))
                .phone("canary")
                .first_name("Canary")
                .joined(i64::from(n))
                .build()
        };
        let members = (0..5).map(broken).collect();
        klaviyo
            .collections
            .insert(list("Broken"), (Some("Broken".to_owned()), members));
    });
    let imported = fixture.import("Broken").await;
    fixture.work(&imported["runId"]).await;
    let issues = path("/api/sync-runs/{id}/issues", &imported["runId"]);

    let all = fixture.get(&format!("{issues}?first=100")).send().await;
    assert!(!all.text.to_lowercase().contains("canary"), "{}", all.text);
    assert_json_snapshot!("issue", all.body["data"][0]);
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = fixture
            .get(&format!("{issues}?first=3{after}"))
            .send()
            .await
            .body;
        seen.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["pageInfo"]["endCursor"].as_str() {
            Some(cursor) => after = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(Value::from(seen), all.body["data"]);
    let run = fixture
        .get(&path("/api/sync-runs/{id}", &imported["runId"]))
        .send()
        .await;
    assert_eq!(run.body["progress"]["skipped"], 5);
}
