//! Consumers.

use actix_web::http::Method;
use fanfare_domain::organization::Role;
use insta::assert_json_snapshot;
use serde_json::json;

use super::fixture::{Answer, Fixture, path, without_ids};

fn emails(answer: &Answer, pointer: &str) -> Vec<String> {
    let found = answer
        .body
        .pointer(pointer)
        .and_then(|found| found.as_array());
    let found = found.unwrap_or_else(|| panic!("{}", answer.text));
    let email = |consumer: &serde_json::Value| consumer["email"].as_str().unwrap().to_owned();
    found.iter().map(email).collect()
}

#[actix_web::test]
async fn a_consumer_has_the_whole_of_fanfares_shape() {
    let (fixture, imported) = Fixture::imported().await;
    let all = fixture.get("/api/consumers").send().await;
    let consumer = &all.body["data"][0];

    let one = fixture
        .get(&path("/api/consumers/{id}", &consumer["id"]))
        .send()
        .await;

    assert_eq!(&one.body, consumer);
    assert_json_snapshot!("consumer", without_ids(one.body.clone()));
    let source = path("/api/sync-sources/{id}", &one.body["primarySyncSourceId"]);
    let source = fixture.get(&source).send().await.body;
    assert_eq!(source["syncSource"], "klaviyo:profile");
    assert_eq!(source["syncSourceId"], one.body["primaryExternalId"]);
    let members = path("/api/audiences/{id}/members", &imported["audienceId"]);
    assert_eq!(
        fixture.get(&members).send().await.body["data"],
        all.body["data"]
    );
}

#[actix_web::test]
async fn consumers_are_looked_up_by_exactly_one_thing() {
    let (fixture, _) = Fixture::imported().await;
    for query in [
        "email=PERSON1@example.com",
        "email=%20person1%40example.com%20",
        // Between invisible characters, and with a letter and a dot of full width in the domain.
        "email=%E2%80%8Bperson1@%EF%BD%85xample%EF%BC%8Ecom%EF%BB%BF",
        "phone=%2B491510000001",
        "phone=+491510000001",
        "externalId=P1",
    ] {
        let answer = fixture
            .get(&format!("/api/consumers/search?{query}"))
            .send()
            .await;
        assert_eq!(emails(&answer, ""), ["person1@example.com"], "{query}");
    }
    let no_match = fixture
        .get("/api/consumers/search?externalId=P99")
        .send()
        .await;
    assert_eq!(no_match.body, json!([]));
}

#[actix_web::test]
async fn a_look_up_that_cannot_be_is_refused_without_an_echo() {
    let (fixture, _) = Fixture::imported().await;
    for (query, blamed) in [
        ("", "body"),
        ("email=canary@example.com&phone=%2B4915100000099", "body"),
        ("email=canary", "email"),
        ("phone=0151canary", "phone"),
        ("externalId=", "externalId"),
        ("q=canary&email=canary@example.com", "q"),
    ] {
        let answer = fixture
            .get(&format!("/api/consumers/search?{query}"))
            .send()
            .await;
        answer.blames(&[blamed]);
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
}

#[actix_web::test]
async fn consumers_are_narrowed() {
    let (fixture, imported) = Fixture::imported().await;
    let vip = fixture.import("XyZaBc").await;
    fixture.work(&vip["runId"]).await;
    let count = |query: String| {
        let fixture = &fixture;
        async move {
            let answer = fixture.get(&format!("/api/consumers?{query}")).send().await;
            emails(&answer, "/data").len()
        }
    };
    let audience = |imported: &serde_json::Value| {
        format!("audienceId={}", imported["audienceId"].as_str().unwrap())
    };
    assert_eq!(count(String::new()).await, 3);
    assert_eq!(count(audience(&imported)).await, 3);
    assert_eq!(count(audience(&vip)).await, 1);
    assert_eq!(count("audienceId=aud_never".to_owned()).await, 0);
    assert_eq!(count("search=person2".to_owned()).await, 1);
    assert_eq!(
        count("createdAfter=2026-11-24T12:00:00Z".to_owned()).await,
        0
    );
    assert_eq!(
        count("createdAfter=2026-11-24T11:59:59Z".to_owned()).await,
        3
    );
    assert_eq!(
        count("createdBefore=2026-11-24T12:00:00Z".to_owned()).await,
        0
    );
    let wrong = "createdAfter=today&createdBefore=1&audienceId=%20&sortBy=email";
    let answer = fixture.get(&format!("/api/consumers?{wrong}")).send().await;
    answer.blames(&["createdAfter", "createdBefore", "audienceId", "sortBy"]);
}

#[actix_web::test]
async fn consumers_that_never_were_are_not_found() {
    let fixture = Fixture::new().await;
    for id in ["cons_1", "%00", "a%20b", &"x".repeat(300)] {
        let answer = fixture.get(&format!("/api/consumers/{id}")).send().await;
        answer.refuses(404, "Consumer not found", "CONSUMER_NOT_FOUND");
    }
}

#[actix_web::test]
async fn an_erased_consumer_is_not_there_any_more() {
    let (fixture, _) = Fixture::imported().await;
    let all = fixture.get("/api/consumers").send().await;
    let one = path("/api/consumers/{id}", &all.body["data"][0]["id"]);
    let erase = || {
        let ask = fixture.ask(Method::DELETE, &one);
        ask.by(fixture.own.key(Role::Admin)).send()
    };

    let answer = erase().await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["erased"], true);
    assert!(answer.body["at"].is_string(), "{}", answer.text);
    let shown = fixture.get(&one).send().await;
    shown.refuses(404, "Consumer not found", "CONSUMER_NOT_FOUND");
    let again = erase().await;
    again.refuses(404, "Consumer not found", "CONSUMER_NOT_FOUND");
    let left = fixture.get("/api/consumers").send().await;
    assert_eq!(
        emails(&left, "/data").len() + 1,
        emails(&all, "/data").len()
    );
}
