//! Sync sources.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, path, without_ids};

const SEARCH: &str = "/api/sync-sources/search";

#[actix_web::test]
async fn a_sync_source_has_fanfares_shape() {
    let (fixture, imported) = Fixture::imported().await;
    let source = path("/api/sync-sources/{id}", &imported["syncSourceId"]);
    let answer = fixture.get(&source).send().await;
    assert_json_snapshot!("sync_source", without_ids(answer.body));
    let answer = fixture.get("/api/sync-sources/sync_1").send().await;
    answer.refuses(404, "Sync source not found", "SYNC_SOURCE_NOT_FOUND");
}

#[actix_web::test]
async fn sync_sources_are_filtered() {
    let (fixture, imported) = Fixture::imported().await;
    fixture.import("XyZaBc").await;
    for (filter, count) in [
        ("", 5),
        ("?syncSource=klaviyo:list", 2),
        ("?syncSource=klaviyo:profile", 3),
        ("?syncSource=shopify:product", 0),
        ("?syncSourceId=RtPqXs", 1),
        ("?syncStatus=PENDING", 1),
        ("?syncStatus=SUCCESS&syncSource=klaviyo:list", 1),
    ] {
        let answer = fixture.get(&format!("{SEARCH}{filter}")).send().await;
        assert_eq!(
            answer.body.as_array().map(Vec::len),
            Some(count),
            "{filter}"
        );
    }
    let answer = fixture
        .get(&format!("{SEARCH}?syncSourceId=RtPqXs"))
        .send()
        .await;
    assert_eq!(answer.body[0]["id"], imported["syncSourceId"]);
}

#[actix_web::test]
async fn sync_sources_are_paged_by_the_last_id() {
    let (fixture, _) = Fixture::imported().await;
    let all = fixture.get(SEARCH).send().await.body;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = fixture
            .get(&format!("{SEARCH}?first=3{after}"))
            .send()
            .await
            .body;
        let page = page.as_array().unwrap();
        let Some(last) = page.last() else { break };
        after = format!("&after={}", last["id"].as_str().unwrap());
        seen.extend(page.iter().cloned());
    }
    assert_eq!(Value::from(seen), all);
}

#[actix_web::test]
async fn faults_of_a_search_are_told_all_at_once() {
    let fixture = Fixture::new().await;
    let wrong = "first=1001&after=%00&syncStatus=DONE&syncSource=&status=FAILED";
    let answer = fixture.get(&format!("{SEARCH}?{wrong}")).send().await;
    answer.blames(&["first", "after", "syncStatus", "syncSource", "status"]);
    let answer = fixture.get(&format!("{SEARCH}?first=1000")).send().await;
    assert_eq!(answer.body, json!([]));
}
