//! The description of the API, beside the API.

use std::collections::BTreeSet;

use super::world::World;
use crate::openapi;
use crate::routes::{API, DOCUMENT, HEALTH};

/// `GET /api/audiences` for each that is documented, with its role.
fn documented() -> BTreeSet<(String, Option<String>)> {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["security"][0]["SecretKeyAuth"][0].as_str();
            let name = format!("{} {path}", method.to_uppercase());
            found.insert((name, role.map(str::to_owned)));
        }
    }
    found
}

#[test]
fn every_route_is_documented_and_everything_documented_is_a_route() {
    let below = |base: &'static str| {
        move |entry: &crate::routes::Entry| {
            let role = entry.role.map(|role| role.as_str().to_owned());
            (format!("{} {base}{}", entry.method, entry.path), role)
        }
    };
    let api = API.iter().chain(DOCUMENT).map(below("/api"));
    let routes: BTreeSet<_> = api.chain(HEALTH.iter().map(below(""))).collect();
    assert_eq!(documented(), routes);
}

#[test]
fn names_of_operations_are_unique() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values());
    let names: Vec<_> = operations
        .map(|o| o["operationId"].as_str().unwrap())
        .collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn the_committed_document_is_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == openapi::json(),
        "docs/openapi.json is not up to date; run `cargo xtask prepare`"
    );
}

#[actix_web::test]
async fn the_document_is_served_to_anybody() {
    let world = World::new().await;
    for path in ["/api/openapi.json", "/api/v1/openapi.json"] {
        let answer = world.get(path).by_nobody().send().await;
        assert_eq!(answer.text, openapi::json());
        assert_eq!(answer.header("content-type"), "application/json");
    }
}
