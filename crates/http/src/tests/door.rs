//! The door, and membership of one consumer.

use std::time::Duration;

use actix_web::test::{self, TestRequest};
use fanfare_domain::organization::Role;
use fanfare_testkit::memory::Operation;
use serde_json::{Value, json};

use super::fixture::{Fixture, Organization, path};
use crate::handlers;
use crate::server::{Parts, app};

async fn fixture() -> (Fixture, String) {
    let (fixture, imported) = Fixture::imported().await;
    let check = path("/api/audiences/{id}/check", &imported["audienceId"]);
    (fixture, check)
}

async fn consumers(fixture: &Fixture) -> Vec<Value> {
    let all = fixture.get("/api/consumers").send().await;
    all.body["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn people_are_checked_in_the_order_asked_and_echoed_as_asked() {
    let (fixture, check) = fixture().await;
    let known = consumers(&fixture).await;
    let asked = json!([
        " PERSON1@example.com",
        "nobody@example.com",
        "no address",
        "",
        "person1@example.com",
        "person0@EXAMPLE.com"
    ]);

    let answer = fixture.post(&check).json(&json!({"emails": asked})).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    let member = |email: &Value, at: Option<usize>| {
        let id = at.map(|at| known[at]["id"].clone());
        json!({"email": email, "isMember": id.is_some(), "consumerId": id})
    };
    let members = [Some(1), None, None, None, Some(1), Some(0)];
    let asked = asked.as_array().unwrap().iter();
    let want: Vec<Value> = asked
        .zip(members)
        .map(|(email, at)| member(email, at))
        .collect();
    assert_eq!(answer.body["results"], json!(want));
    assert_eq!(answer.body["stale"], false);
    assert_eq!(answer.body["asOf"], "2026-11-24T12:00:00.000Z");

    let ids = json!(["cons_unknown", known[2]["id"], "", known[2]["id"]]);
    let answer = fixture
        .post(&check)
        .json(&json!({"consumerIds": ids}))
        .await;
    let found = |id: &Value, is_member: bool| json!({"email": null, "consumerId": id, "isMember": is_member});
    let want = [
        found(&ids[0], false),
        found(&ids[1], true),
        found(&ids[2], false),
        found(&ids[3], true),
    ];
    assert_eq!(answer.body["results"], json!(want));
}

#[actix_web::test]
async fn the_answer_tells_when_the_list_was_last_read_and_whether_that_is_too_long_ago() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let audience = &imported["audienceId"];
    let ask = async || {
        let answer = fixture
            .post(&path("/api/audiences/{id}/check", audience))
            .json(&json!({"emails": ["a@b.example"]}))
            .await;
        (answer.body["asOf"].clone(), answer.body["stale"].clone())
    };

    assert_eq!(ask().await, (Value::Null, json!(false)));
    fixture.work(&imported["runId"]).await;
    let read = json!("2026-11-24T12:00:00.000Z");
    assert_eq!(ask().await, (read.clone(), json!(false)));

    fixture
        .put(&path("/api/audiences/{id}", audience))
        .json(&json!({"refreshIntervalSeconds": 60}))
        .await;
    fixture.clock.advance(Duration::from_mins(3));
    assert_eq!(ask().await, (read.clone(), json!(false)));
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(ask().await, (read, json!(true)));
}

#[actix_web::test]
async fn a_check_names_exactly_one_to_a_hundred_emails_or_ids_and_none_is_repeated() {
    let (fixture, check) = fixture().await;
    let many = |n: usize| vec!["canary@example.com"; n];
    for (body, fields) in [
        (json!({}), vec!["emails"]),
        (json!({"emails": null}), vec!["emails"]),
        (json!({"emails": []}), vec!["emails"]),
        (json!({"emails": many(101)}), vec!["emails"]),
        (json!({"consumerIds": many(101)}), vec!["consumerIds"]),
        (json!({"emails": "canary@example.com"}), vec!["emails"]),
        (
            json!({"emails": many(1), "consumerIds": ["cons_1"]}),
            vec!["consumerIds"],
        ),
        (
            json!({"emails": many(101), "consumerIds": [{"canary@example.com": 1}], "email": "canary"}),
            vec!["consumerIds", "consumerIds.0", "email", "emails"],
        ),
        (
            json!({"emails": ["canary@example.com", 4_915_100_000_i64, null]}),
            vec!["emails.1", "emails.2"],
        ),
    ] {
        let answer = fixture.post(&check).json(&body).await;
        answer.blames(&fields);
        assert!(!answer.text.contains("canary"), "{}", answer.text);
        assert!(!answer.text.contains("4915100000"), "{}", answer.text);
    }
    for body in [many(1), many(100)] {
        let answer = fixture.post(&check).json(&json!({"emails": body})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[actix_web::test]
async fn the_door_of_another_organization_is_not_found() {
    let (fixture, check) = fixture().await;
    let body = json!({"emails": ["person1@example.com"]});
    let foreign = fixture.post(&check).by(fixture.other.key(Role::Owner));
    let foreign = foreign.json(&body).await;
    foreign.refuses(404, "Audience not found", "AUDIENCE_NOT_FOUND");
    let unknown = fixture.post("/api/audiences/aud_none/check");
    assert_eq!(unknown.json(&body).await.body, foreign.body);
}

#[actix_web::test]
async fn a_hundred_thousand_people_a_minute_are_checked_beside_the_requests() {
    let (fixture, check) = fixture().await;
    fixture.clock.advance(Duration::from_mins(1));
    let emails = |n: usize| json!({"emails": vec!["person1@example.com"; n]});
    let before = fixture.get("/api/audiences").send().await;
    assert_eq!(before.header("x-ratelimit-remaining"), "999");
    for n in 1..1_000 {
        let answer = fixture.post(&check).json(&emails(100)).await;
        assert_eq!(answer.status, 200, "{n}: {}", answer.text);
        assert_eq!(answer.header("x-ratelimit-limit"), "100000");
    }
    let answer = fixture.post(&check).json(&emails(98)).await;
    assert_eq!(answer.header("x-ratelimit-remaining"), "2");
    let refused = fixture.post(&check).json(&emails(3)).await;
    refused.refuses(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED");
    assert_eq!(refused.header("retry-after"), "60");
    let asked = fixture.store.count_of(Operation::RequestLimits);
    assert!(asked < 150, "{asked}");

    // Requests and other organizations have theirs.
    let after = fixture.get("/api/audiences").send().await;
    assert_eq!(after.header("x-ratelimit-remaining"), "998");
    let other = fixture.post(&check).by(fixture.other.key(Role::Viewer));
    assert_eq!(other.json(&emails(100)).await.status, 404);
    fixture.wait_a_minute();
    let answer = fixture.post(&check).json(&emails(100)).await;
    assert_eq!(answer.header("x-ratelimit-remaining"), "99900");
}

/// Sends one check to a service.
async fn one(parts: &Parts, organization: &Organization, check: &str, people: usize) -> bool {
    let service = test::init_service(app(parts)).await;
    let request = TestRequest::post().uri(check);
    let key = format!("Bearer {}", organization.key(Role::Viewer));
    let request = request.insert_header(("authorization", key));
    let request = request.set_json(json!({"emails": vec!["a@b.example"; people]}));
    let answer = test::call_service(&service, request.to_request()).await;
    answer.status() == 200
}

#[actix_web::test]
async fn two_processes_check_no_more_together_than_the_limit_and_a_batch_less_at_most() {
    let (fixture, check) = fixture().await;
    fixture.wait_a_minute();
    let other = Parts::new(fixture.api.clone(), handlers::routes());
    let mut checked = 0;
    for n in 0..1_100 {
        let parts = [&fixture.parts, &other][n % 2];
        if one(parts, &fixture.own, &check, 100).await {
            checked += 100;
        }
    }
    assert!((98_000..=100_000).contains(&checked), "{checked}");
}

#[actix_web::test]
async fn a_crowd_at_the_turn_of_a_minute_does_not_begin_with_single_checks_again() {
    let (fixture, check) = fixture().await;
    let people = json!({"emails": vec!["a@b.example"; 100]});
    let asked_for = async |checks: u32| {
        let before = fixture.store.count_of(Operation::RequestLimits);
        for _ in 0..checks {
            assert_eq!(fixture.post(&check).json(&people).await.status, 200);
        }
        fixture.store.count_of(Operation::RequestLimits) - before
    };
    let of_the_first = asked_for(100).await;
    fixture.wait_a_minute();
    let of_the_next = asked_for(10).await;
    assert!(of_the_first > 8, "{of_the_first}");
    assert!(of_the_next <= 2, "{of_the_next}");

    fixture.wait_a_minute();
    fixture.wait_a_minute();
    assert!(
        asked_for(10).await > 2,
        "after a pause it takes few at first"
    );
}

#[actix_web::test]
async fn a_key_that_was_revoked_opens_the_door_for_a_second_at_most() {
    let (fixture, check) = fixture().await;
    let body = json!({"emails": ["person1@example.com"]});
    assert_eq!(fixture.post(&check).json(&body).await.status, 200);
    let before = fixture.store.count_of(Operation::Control);
    for _ in 0..10 {
        assert_eq!(fixture.post(&check).json(&body).await.status, 200);
    }
    assert_eq!(fixture.store.count_of(Operation::Control), before);
    fixture.revoke_keys().await;

    fixture.clock.advance(Duration::from_secs(1));

    let answer = fixture.post(&check).json(&body).await;
    answer.refuses(401, "Authentication required", "AUTHENTICATION_REQUIRED");
}

#[actix_web::test]
async fn a_key_in_use_is_looked_up_while_it_is_still_known() {
    let (fixture, check) = fixture().await;
    let body = json!({"emails": ["person1@example.com"]});
    let half = Duration::from_millis(500);
    let lookups = || fixture.store.count_of(Operation::Control);
    assert_eq!(fixture.post(&check).json(&body).await.status, 200);
    for renewed in 1..4 {
        let before = lookups();
        fixture.clock.advance(half);
        if renewed == 2 {
            fixture.store.fail_next(Operation::Control, 1);
        }
        for _ in 0..5 {
            assert_eq!(fixture.post(&check).json(&body).await.status, 200);
        }
        assert_eq!(lookups() - before, 1, "one of the five has it looked up");
    }

    fixture.revoke_keys().await;
    fixture.clock.advance(half);
    assert_eq!(fixture.post(&check).json(&body).await.status, 200);
    tokio::task::yield_now().await;
    let answer = fixture.post(&check).json(&body).await;
    answer.refuses(401, "Authentication required", "AUTHENTICATION_REQUIRED");
}

#[actix_web::test]
async fn while_the_store_is_away_a_check_is_a_503() {
    let (fixture, check) = fixture().await;
    let body = json!({"emails": ["person1@example.com"]});
    fixture.store.fail_next(Operation::Door, 1);
    let answer = fixture.post(&check).json(&body).await;
    answer.refuses(503, "Service unavailable", "SERVICE_UNAVAILABLE");
    assert_eq!(fixture.post(&check).json(&body).await.status, 200);
}

#[actix_web::test]
async fn one_consumer_is_a_member_or_not_or_unknown() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = imported["audienceId"].as_str().unwrap().to_owned();
    let vip = fixture.import("XyZaBc").await;
    fixture.work(&vip["runId"]).await;
    let known = consumers(&fixture).await;
    let show = |audience: &str, consumer: &str| {
        fixture.get(&format!("/api/audiences/{audience}/consumers/{consumer}"))
    };
    let id = |at: usize| known[at]["id"].as_str().unwrap();

    let answer = show(&audience, id(0)).send().await;
    assert_eq!(answer.body, json!({"isMember": true, "matchedRules": []}));
    let vip = vip["audienceId"].as_str().unwrap();
    let answer = show(vip, id(0)).send().await;
    assert_eq!(answer.body, json!({"isMember": false, "matchedRules": []}));

    for (audience, consumer, what) in [
        (audience.as_str(), "cons_none", "Consumer"),
        (&audience, "%20", "Consumer"),
        ("aud_none", id(0), "Audience"),
        ("%20", id(0), "Audience"),
    ] {
        let answer = show(audience, consumer).send().await;
        let code = format!("{}_NOT_FOUND", what.to_uppercase());
        answer.refuses(404, &format!("{what} not found"), &code);
    }
    let foreign = show(&audience, id(0)).by(fixture.other.key(Role::Viewer));
    let answer = foreign.send().await;
    answer.refuses(404, "Audience not found", "AUDIENCE_NOT_FOUND");
}
