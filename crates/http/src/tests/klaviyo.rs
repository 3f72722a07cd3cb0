//! What is in Klaviyo.

use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::RetryAfter;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, without_ids};

const ROUTES: [&str; 4] = [
    "/api/klaviyo",
    "/api/klaviyo/segments",
    "/api/klaviyo/lists/RtPqXs/estimate",
    "/api/klaviyo/segments/SgMnt1/estimate",
];

#[actix_web::test]
async fn lists_and_segments_are_told_with_what_syncs_them() {
    let (fixture, _) = Fixture::imported().await;

    let lists = fixture.get("/api/klaviyo").send().await;
    assert_json_snapshot!("klaviyo_lists", without_ids(lists.body));

    let segments = fixture.get("/api/klaviyo/segments").send().await;
    assert_json_snapshot!("klaviyo_segments", without_ids(segments.body));
}

#[actix_web::test]
async fn an_estimate_is_made_of_klaviyos_own_count() {
    let fixture = Fixture::connected().await;

    let answer = fixture.get(ROUTES[2]).send().await;
    assert_eq!(answer.body["profiles"], 3);
    assert_eq!(answer.body["requests"], 2);
    assert!(answer.body["seconds"].is_u64());

    fixture.klaviyo.change(|klaviyo| klaviyo.counts = false);
    let answer = fixture.get(ROUTES[3]).send().await;
    let unknown = json!({"profiles": null, "requests": null, "seconds": null});
    assert_eq!(answer.body, unknown);
}

#[actix_web::test]
async fn what_klaviyo_does_not_have_is_not_found() {
    let fixture = Fixture::connected().await;
    let answer = fixture
        .get("/api/klaviyo/lists/NoSuch/estimate")
        .send()
        .await;
    answer.refuses(404, "Klaviyo list not found", "KLAVIYO_LIST_NOT_FOUND");
    let answer = fixture
        .get("/api/klaviyo/segments/RtPqXs/estimate")
        .send()
        .await;
    answer.refuses(
        404,
        "Klaviyo segment not found",
        "KLAVIYO_SEGMENT_NOT_FOUND",
    );
    let answer = fixture.get("/api/klaviyo/lists/%20/estimate").send().await;
    answer.refuses(404, "Klaviyo list not found", "KLAVIYO_LIST_NOT_FOUND");
}

#[actix_web::test]
async fn without_a_connection_there_is_nothing_to_ask() {
    let fixture = Fixture::new().await;
    for route in ROUTES {
        let answer = fixture.get(route).send().await;
        answer.refuses(400, "Klaviyo API key not found", "KLAVIYO_KEY_NOT_FOUND");
    }
    let import = fixture.post("/api/audiences/import/klaviyo");
    let answer = import.json(&json!({"listIds": ["RtPqXs"]})).await;
    answer.refuses(400, "Klaviyo API key not found", "KLAVIYO_KEY_NOT_FOUND");
}

#[actix_web::test]
async fn klaviyos_own_troubles_are_told_apart() {
    let fixture = Fixture::connected().await;
    let troubles: [(KlaviyoError, u16, &str, &str); 6] = [
        (
            KlaviyoError::KeyRejected,
            400,
            "Klaviyo API key not found",
            "KLAVIYO_KEY_REJECTED",
        ),
        (
            KlaviyoError::ScopeMissing(vec!["lists:read".to_owned()]),
            400,
            "Klaviyo scope missing",
            "KLAVIYO_SCOPE_MISSING",
        ),
        (
            KlaviyoError::Unavailable("no answer".to_owned()),
            502,
            "Klaviyo is unreachable",
            "KLAVIYO_UNREACHABLE",
        ),
        (
            KlaviyoError::Invalid("not JSON".to_owned()),
            502,
            "Klaviyo is unreachable",
            "KLAVIYO_UNREACHABLE",
        ),
        (
            KlaviyoError::ForeignLink,
            502,
            "Klaviyo is unreachable",
            "KLAVIYO_UNREACHABLE",
        ),
        (
            KlaviyoError::RevisionRetired,
            502,
            "Klaviyo is unreachable",
            "KLAVIYO_UNREACHABLE",
        ),
    ];
    for (trouble, status, error, code) in troubles {
        // What may pass is asked for once more.
        let may_pass = status == 502 && trouble != KlaviyoError::RevisionRetired;
        let times = if may_pass { 2 } else { 1 };
        fixture.klaviyo.fail_others(vec![Some(trouble); times]);
        let answer = fixture.get("/api/klaviyo").send().await;
        answer.refuses(status, error, code);
    }
    // And when they are over, so are their answers.
    assert_eq!(fixture.get("/api/klaviyo").send().await.status, 200);
}

#[actix_web::test]
async fn when_klaviyo_asks_to_wait_so_do_we() {
    let fixture = Fixture::connected().await;
    let wait = RetryAfter::Seconds(42);
    fixture
        .klaviyo
        .fail_others([Some(KlaviyoError::Throttled(wait))]);

    let answer = fixture.get("/api/klaviyo").send().await;

    answer.refuses(503, "Klaviyo is busy", "KLAVIYO_THROTTLED");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((42..=43).contains(&seconds), "{seconds}");
    assert_eq!(answer.body["retryAfter"], Value::from(seconds));
    // The service does not ask Klaviyo before the time has come.
    let calls = fixture.klaviyo.calls().len();
    fixture
        .get("/api/klaviyo")
        .send()
        .await
        .refuses(503, "Klaviyo is busy", "KLAVIYO_THROTTLED");
    assert_eq!(fixture.klaviyo.calls().len(), calls);
}
