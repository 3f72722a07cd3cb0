//! Sync sources.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::world::{World, path, without_ids};

const SEARCH: &str = "/api/sync-sources/search";

#[actix_web::test]
async fn a_sync_source_has_fanfares_shape() {
    let (world, imported) = World::imported().await;
    let source = path("/api/sync-sources/{id}", &imported["syncSourceId"]);
    let answer = world.get(&source).send().await;
    assert_json_snapshot!("sync_source", without_ids(answer.body));
    let answer = world.get("/api/sync-sources/sync_1").send().await;
    answer.refuses(404, "Sync source not found", "SYNC_SOURCE_NOT_FOUND");
}

#[actix_web::test]
async fn sync_sources_are_filtered() {
    let (world, imported) = World::imported().await;
    world.import("XyZaBc").await;
    for (filter, count) in [
        ("", 5),
        ("?syncSource=klaviyo:list", 2),
        ("?syncSource=klaviyo:profile", 3),
        ("?syncSource=shopify:product", 0),
        ("?syncSourceId=RtPqXs", 1),
        ("?syncStatus=PENDING", 1),
        ("?syncStatus=SUCCESS&syncSource=klaviyo:list", 1),
    ] {
        let answer = world.get(&format!("{SEARCH}{filter}")).send().await;
        assert_eq!(
            answer.body.as_array().map(Vec::len),
            Some(count),
            "{filter}"
        );
    }
    let answer = world
        .get(&format!("{SEARCH}?syncSourceId=RtPqXs"))
        .send()
        .await;
    assert_eq!(answer.body[0]["id"], imported["syncSourceId"]);
}

#[actix_web::test]
async fn sync_sources_are_paged_by_the_last_id() {
    let (world, _) = World::imported().await;
    let all = world.get(SEARCH).send().await.body;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = world
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
    let world = World::new().await;
    let wrong = "first=1001&after=%00&syncStatus=DONE&syncSource=&status=FAILED";
    let answer = world.get(&format!("{SEARCH}?{wrong}")).send().await;
    answer.blames(&["first", "after", "syncStatus", "syncSource", "status"]);
    let answer = world.get(&format!("{SEARCH}?first=1000")).send().await;
    assert_eq!(answer.body, json!([]));
}
