//! The description of the API, beside the API.

use std::collections::BTreeSet;

use super::fixture::Fixture;
use crate::middleware::Authentication;
use crate::route::Route;
use crate::{handlers, openapi, openapi_json};

/// `GET /api/audiences` and its role, for each documented operation.
fn documented() -> BTreeSet<(String, Option<String>)> {
    let document = serde_json::to_value(openapi::document(handlers::routes())).unwrap();
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
    let described = |route: &Route| {
        let role = match route.authentication {
            Authentication::SecretKey(role) | Authentication::Door(role) => {
                Some(role.as_str().to_owned())
            }
            Authentication::None => None,
        };
        (format!("{} {}", route.method, route.path), role)
    };
    let routes: BTreeSet<_> = handlers::routes().iter().map(described).collect();
    assert_eq!(documented(), routes);
}

#[test]
fn names_of_operations_are_unique() {
    let document = serde_json::to_value(openapi::document(handlers::routes())).unwrap();
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
        committed == openapi_json(),
        "docs/openapi.json is not up to date; run `cargo xtask prepare`"
    );
}

#[actix_web::test]
async fn the_document_is_served_to_every_caller() {
    let fixture = Fixture::new().await;
    for path in ["/api/openapi.json", "/api/v1/openapi.json"] {
        let answer = fixture.get(path).without_key().send().await;
        assert_eq!(answer.text, openapi_json());
        assert_eq!(answer.header("content-type"), "application/json");
    }
}
