//! When something of ours is away.

use fanfare_testkit::memory::Operation;
use serde_json::json;

use super::fixture::{Fixture, path};

#[actix_web::test]
async fn a_store_that_is_away_is_told_with_the_time_to_come_back() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    for (operation, method) in [
        (Operation::Control, "GET"),
        (Operation::Read, "GET"),
        (Operation::Begin, "PUT"),
        (Operation::Commit, "PUT"),
    ] {
        fixture.store.fail_next(operation, 1);
        let answer = match method {
            "GET" => fixture.get(&audience).send().await,
            _ => fixture.put(&audience).json(&json!({"name": "New"})).await,
        };
        answer.refuses(503, "Service unavailable", "SERVICE_UNAVAILABLE");
        assert_eq!(answer.header("retry-after"), "5", "{operation:?}");
        assert_eq!(answer.body["retryAfter"], 5);
    }
    let answer = fixture.get(&audience).send().await;
    assert_eq!(
        (answer.status, &answer.body["name"]),
        (200, &json!("Newsletter"))
    );
}

#[actix_web::test]
async fn a_search_that_has_no_turn_or_takes_too_long_is_refused_and_plain_pages_are_not() {
    let (fixture, imported) = Fixture::imported().await;
    let members = path("/api/audiences/{id}/members", &imported["audienceId"]);
    for (operation, status, title, code, seconds) in [
        (
            Operation::SearchTurn,
            429,
            "Too many searches",
            "TOO_MANY_SEARCHES",
            1,
        ),
        (
            Operation::Search,
            503,
            "Search took too long",
            "SEARCH_TOO_LONG",
            60,
        ),
    ] {
        fixture.store.fail_next(operation, 1);
        let plain = fixture.get(&members).send().await;
        let answer = fixture.get(&format!("{members}?search=ada")).send().await;
        assert_eq!(plain.status, 200, "{operation:?}");
        answer.refuses(status, title, code);
        assert_eq!(answer.header("retry-after"), seconds.to_string());
        assert_eq!(answer.body["retryAfter"], seconds);
    }
}
