//! Requests that are not what they should be.

use insta::assert_json_snapshot;
use serde_json::json;

use super::world::World;
use crate::middleware::Authentication;
use crate::{handlers, openapi};

const IMPORT: &str = "/api/audiences/import/klaviyo";

#[actix_web::test]
async fn a_body_must_be_json_and_say_so() {
    let world = World::connected().await;
    for text in ["{", "", "{\"listIds\":[]}x", "\u{0}", "NaN"] {
        let answer = world.post(IMPORT).text("application/json", text).await;
        answer.blames(&["body"]);
    }
    for (content_type, status) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ] {
        let answer = world
            .post(IMPORT)
            .text(content_type, "{\"listIds\":[]}")
            .await;
        assert_eq!(answer.status, status, "{content_type}");
        if status == 415 {
            answer.refuses(415, "Unsupported media type", "UNSUPPORTED_MEDIA_TYPE");
        }
    }
}

#[actix_web::test]
async fn json_that_nests_without_end_is_refused() {
    let world = World::connected().await;
    let answer = world
        .post(IMPORT)
        .text("application/json", "[".repeat(500_000))
        .await;
    answer.blames(&["body"]);
}

#[actix_web::test]
async fn faults_are_told_to_programs_as_fanfares_validator_would() {
    let world = World::connected().await;
    let body = json!({"listIds": ["RtPqXs", 7], "sync": "WEEKLY", "more": 1});
    let answer = world.post(IMPORT).json(&body).await;
    assert_json_snapshot!("validation_error", answer.body);
}

#[actix_web::test]
async fn no_route_takes_a_parameter_it_does_not_know() {
    let world = World::connected().await;
    for route in handlers::routes() {
        if route.authentication == Authentication::None {
            continue;
        }
        let path = ["{id}", "{listId}", "{segmentId}"]
            .iter()
            .fold(route.path.clone(), |path, id| path.replace(id, "unknown"));
        let ask = world.ask(route.method.clone(), &format!("{path}?frist=1"));
        let answer = ask.json(&json!({})).await;
        let details = answer.body["details"].as_array();
        let blamed = details.is_some_and(|d| d.iter().any(|fault| fault["field"] == "frist"));
        assert!(blamed, "{} {path}: {}", route.method, answer.text);
    }
}

#[actix_web::test]
async fn a_parameter_is_given_once() {
    let world = World::new().await;
    let answer = world.get("/api/audiences?first=1&first=2").send().await;
    answer.blames(&["first"]);
}

/// The document and the decoding are written apart: here they meet.
#[actix_web::test]
async fn every_documented_field_and_parameter_is_known() {
    let world = World::connected().await;
    let document = serde_json::to_value(openapi::document(handlers::routes())).unwrap();
    for (path, method, schema) in [
        ("/api/settings", "PUT", "SettingsUpdate"),
        (IMPORT, "POST", "KlaviyoImport"),
        ("/api/audiences/aud_1", "PUT", "AudienceUpdate"),
        ("/api/audiences/aud_1/sync", "POST", "SyncRequest"),
    ] {
        let properties = document["components"]["schemas"][schema]["properties"].as_object();
        let body: serde_json::Map<_, _> = properties
            .unwrap()
            .keys()
            .map(|name| (name.clone(), json!({"wrong": 1})))
            .collect();
        let answer = world
            .ask(method.parse().unwrap(), path)
            .json(&body.into())
            .await;
        for fault in answer.body["details"].as_array().into_iter().flatten() {
            let is_unknown = fault["message"] == "is not a field of this request";
            // One step deeper nothing but what was made up here is unknown.
            assert!(
                !is_unknown || fault["field"].as_str().unwrap().contains('.'),
                "{fault}"
            );
        }
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let path = path.replace("{id}", "unknown");
            let answer = world.get(&format!("{path}?{name}=%00")).send().await;
            assert!(!answer.text.contains("is not a parameter"), "{path} {name}");
        }
    }
}
