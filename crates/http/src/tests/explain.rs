//! Why somebody is, or is not, a member.

use fanfare_domain::ports::KlaviyoError;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, without_ids};

async fn fixture() -> (Fixture, String) {
    let (fixture, imported) = Fixture::imported().await;
    let audience = imported["audienceId"].as_str().unwrap().to_owned();
    (fixture, format!("/api/audiences/{audience}/explain"))
}

#[actix_web::test]
async fn a_member_is_explained_with_what_klaviyo_says() {
    let (fixture, explain) = fixture().await;
    let answer = fixture
        .get(&format!("{explain}?email=PERSON1%40example.com&live=true"))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_json_snapshot!("explanation", without_ids(answer.body.clone()));

    let consumer = answer.body["consumerId"].as_str().unwrap();
    for selector in [format!("consumerId={consumer}"), "profileId=P1".to_owned()] {
        let same = fixture
            .get(&format!("{explain}?{selector}&live=true"))
            .send()
            .await;
        assert_eq!(same.body, answer.body, "{selector}");
    }
    let without = fixture.get(&format!("{explain}?profileId=P1")).send().await;
    assert_eq!(without.body["live"], Value::Null);
}

#[actix_web::test]
async fn an_unknown_email_or_profile_is_an_unknown_person_and_an_unknown_consumer_is_not_found() {
    let (fixture, explain) = fixture().await;
    for selector in ["email=nobody%40example.com", "email=x", "profileId=P9"] {
        let answer = fixture.get(&format!("{explain}?{selector}")).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["isMember"], false);
        assert_eq!(answer.body["consumerId"], Value::Null);
        assert_eq!(answer.body["reasons"][0]["code"], "unknown_person");
    }
    for id in ["cons_none", "%20"] {
        let answer = fixture
            .get(&format!("{explain}?consumerId={id}"))
            .send()
            .await;
        answer.refuses(404, "Consumer not found", "CONSUMER_NOT_FOUND");
    }
    let answer = fixture
        .get("/api/audiences/aud_none/explain?email=a%40b.example")
        .send()
        .await;
    answer.refuses(404, "Audience not found", "AUDIENCE_NOT_FOUND");
}

#[actix_web::test]
async fn exactly_one_selector_is_given_and_none_is_repeated() {
    let (fixture, explain) = fixture().await;
    for (query, fields) in [
        ("", vec!["email"]),
        ("live=true", vec!["email"]),
        ("email=", vec!["email"]),
        (
            "email=canary%40example.com&consumerId=cons_1",
            vec!["consumerId"],
        ),
        ("consumerId=cons_1&profileId=P1", vec!["profileId"]),
        (
            "email=canary%40example.com&live=yes&canary=1",
            vec!["canary", "live"],
        ),
        ("profileId=canary%20name", vec!["profileId"]),
    ] {
        let answer = fixture.get(&format!("{explain}?{query}")).send().await;
        answer.blames(&fields);
        assert!(!answer.text.contains("canary@"), "{}", answer.text);
        assert!(!answer.text.contains("canary name"), "{}", answer.text);
    }
}

#[actix_web::test]
async fn while_klaviyo_is_away_live_is_null_and_the_reasons_say_so() {
    let (fixture, explain) = fixture().await;
    let rejected = || Some(KlaviyoError::KeyRejected);
    fixture.klaviyo.fail_others([rejected(), rejected()]);
    let answer = fixture
        .get(&format!("{explain}?profileId=P1&live=true"))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["live"], Value::Null);
    let codes: Vec<&Value> = answer.body["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| &reason["code"])
        .collect();
    assert_eq!(json!(codes), json!(["member", "live_unavailable"]));
}
