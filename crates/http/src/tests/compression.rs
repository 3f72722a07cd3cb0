//! Answers as gzip.

use super::fixture::{Answer, Fixture, path};

/// What browsers send.
const BROWSER: &str = "gzip, deflate, br, zstd";

fn is_compressed(answer: &Answer) -> bool {
    let encoding = answer.header("content-encoding");
    assert!(["", "gzip"].contains(&encoding), "{encoding}");
    encoding == "gzip"
}

#[actix_web::test]
async fn a_large_answer_is_compressed_for_those_who_take_it() {
    let (fixture, _) = Fixture::imported().await;
    for list in ["XyZaBc", "RtPqXs"] {
        fixture
            .post("/api/audiences/import/klaviyo")
            .json(&serde_json::json!({"listIds": [list]}))
            .await;
    }
    for large in ["/api/openapi.json", "/api/audiences"] {
        let plain = fixture.get(large).send().await;
        assert!(!is_compressed(&plain));
        assert!(plain.text.len() >= 1_024, "{large}");
        let packed = fixture.get(large).header("accept-encoding", BROWSER);
        let packed = packed.send().await;
        assert!(is_compressed(&packed), "{large}");
        assert_eq!(packed.text, plain.text);
        assert!(packed.wire_bytes < plain.wire_bytes);
        for answer in [&plain, &packed] {
            assert_eq!(answer.header("vary"), "Accept-Encoding", "{large}");
        }
    }
    let small = fixture.get("/healthz").header("accept-encoding", BROWSER);
    assert!(!is_compressed(&small.send().await));
}

/// A secret that was just made is shown in such an answer.
#[actix_web::test]
async fn the_answer_to_a_request_that_writes_is_never_compressed() {
    let fixture = Fixture::connected().await;
    let lists: Vec<String> = (0..60).map(|n| format!("Gone{n:02}")).collect();
    let import = fixture.post("/api/audiences/import/klaviyo");
    let import = import.header("accept-encoding", BROWSER);
    let answer = import.json(&serde_json::json!({"listIds": lists})).await;
    assert!(answer.text.len() >= 1_024, "{}", answer.text);
    assert!(!is_compressed(&answer));
}

#[actix_web::test]
async fn events_are_never_compressed() {
    let (fixture, imported) = Fixture::imported().await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let events = fixture.get(&watch).header("accept-encoding", BROWSER);
    let events = events.send().await;
    assert!(events.text.len() >= 1_024);
    assert!(!is_compressed(&events));
}
