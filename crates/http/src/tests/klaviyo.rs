//! What is in Klaviyo.

use fanfare_domain::organization::Role;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::{RetryAfter, Share};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, without_ids};

const ROUTES: [&str; 5] = [
    "/api/klaviyo",
    "/api/klaviyo/segments",
    "/api/klaviyo/lists/RtPqXs/estimate",
    "/api/klaviyo/segments/SgMnt1/estimate",
    QUOTA,
];

const QUOTA: &str = "/api/klaviyo/quota";

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

#[actix_web::test]
async fn the_quota_is_klaviyos_own_with_what_is_used_and_the_share_beside_it() {
    let (mut fixture, _) = Fixture::imported().await;
    fixture.use_share(Share::of_percent(40).unwrap());

    let answer = fixture.get(QUOTA).send().await;

    assert_eq!(answer.body["share"], 40);
    assert_eq!(answer.body["accountId"], Value::Null);
    let endpoints = answer.body["endpoints"].as_array().unwrap();
    let members = endpoints
        .iter()
        .find(|one| one["endpoint"] == "list_profiles");
    let members = members.expect("the endpoint was asked");
    let used = members["steady"]["used"].as_u64().unwrap();
    let resets_at = members["steady"]["resetsAt"].as_str().unwrap();
    assert!(used > 0 && resets_at.ends_with('Z'), "{members}");
    let want = json!({
        "endpoint": "list_profiles",
        "burst": {"limit": 75, "used": used},
        "steady": {"limit": 750, "used": used, "resetsAt": resets_at},
        "blockedUntil": null,
        "waitingRuns": 0,
    });
    assert_eq!(*members, want);
    // Another organization sees what its own connection uses.
    let other = fixture.get(QUOTA).by(fixture.other.key(Role::Viewer));
    let other = other.send().await;
    assert_eq!(other.status, 200);
    assert!(!other.text.contains("list_profiles"), "{}", other.text);
    fixture.wait_a_minute();
    let answer = fixture.get(QUOTA).send().await;
    let endpoints = answer.body["endpoints"].as_array().unwrap();
    assert!(!endpoints.is_empty());
    assert!(endpoints.iter().all(|one| one["steady"]["used"] == 0));
}

#[actix_web::test]
async fn the_quota_tells_until_when_klaviyo_takes_no_request_and_how_many_syncs_wait() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let wait = KlaviyoError::Throttled(RetryAfter::Seconds(42));
    fixture.klaviyo.fail_members([Some(wait)]);
    fixture.work(&imported["runId"]).await;
    let calls = fixture.klaviyo.calls().len();

    let answer = fixture.get(QUOTA).send().await;

    let endpoints = answer.body["endpoints"].as_array().unwrap();
    let members = endpoints
        .iter()
        .find(|one| one["endpoint"] == "list_profiles");
    let members = members.expect("the endpoint was asked");
    assert_eq!(members["waitingRuns"], 1);
    let until = members["blockedUntil"].as_str().unwrap();
    let run = fixture.get(&super::fixture::path(
        "/api/sync-runs/{id}",
        &imported["runId"],
    ));
    assert_eq!(run.send().await.body["waitingUntil"]["until"], until);
    assert!(
        endpoints
            .iter()
            .all(|one| one["waitingRuns"] == 0 || one == members)
    );
    assert_eq!(fixture.klaviyo.calls().len(), calls, "Klaviyo is not asked");
}
