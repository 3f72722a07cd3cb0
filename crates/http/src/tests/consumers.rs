//! Consumers.

use actix_web::http::Method;
use fanfare_domain::consent::{Consent, Consents};
use fanfare_domain::organization::Role;
use fanfare_domain::time::Timestamp;
use fanfare_testkit::build::list;
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

#[actix_web::test]
async fn a_consumer_is_made_and_changed() {
    let (fixture, _) = Fixture::imported().await;
    let body = json!({"email": " Grace@Example.com ", "phone": "+12025550101", "fullName": "Grace  Hopper",
        "metadata": {"tier": "gold", "sizes": [1, 2.50, null]}});
    let made = fixture.post("/api/consumers").json(&body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let one = path("/api/consumers/{id}", &made.body["id"]);
    let shown = fixture.get(&one).send().await;
    assert_eq!(shown.body, made.body);
    assert_eq!(made.body["email"], "grace@example.com");
    assert_eq!(made.body["metadata"], body["metadata"]);
    assert!(made.body["createdBy"].as_str().unwrap().starts_with("key_"));
    assert_eq!(
        (&made.body["updatedAt"], &made.body["klaviyo"]),
        (&json!(null), &json!(null))
    );

    let change = json!({"phone": null, "fullName": "Grace B. Hopper"});
    let changed = fixture.put(&one).json(&change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let got = ["email", "phone", "fullName"].map(|name| changed.body[name].clone());
    assert_eq!(
        got,
        [
            json!("grace@example.com"),
            json!(null),
            json!("Grace B. Hopper")
        ]
    );
    assert_eq!(changed.body["metadata"], body["metadata"]);
    assert!(
        changed.body["updatedBy"]
            .as_str()
            .unwrap()
            .starts_with("key_")
    );
    let again = fixture.put(&one).json(&change).await;
    assert_eq!(again.body, changed.body, "a change that is none");
    let found = fixture
        .get("/api/consumers?search=b.%20hopper")
        .send()
        .await;
    assert_eq!(emails(&found, "/data"), ["grace@example.com"]);
}

#[actix_web::test]
async fn an_address_belongs_to_one_consumer_and_never_again_to_an_erased_one() {
    let (fixture, _) = Fixture::imported().await;
    let taken = json!({"email": "PERSON1@example.com"});
    let answer = fixture.post("/api/consumers").json(&taken).await;
    answer.refuses(409, "Email already exists", "EMAIL_ALREADY_EXISTS");
    let made = fixture.post("/api/consumers").json(&json!({})).await;
    let one = path("/api/consumers/{id}", &made.body["id"]);
    let answer = fixture.put(&one).json(&taken).await;
    answer.refuses(409, "Email already exists", "EMAIL_ALREADY_EXISTS");

    let found = fixture
        .get("/api/consumers/search?email=person1@example.com")
        .send()
        .await;
    let person = path("/api/consumers/{id}", &found.body[0]["id"]);
    assert_eq!(fixture.delete(&person).send().await.status, 200);
    for answer in [
        fixture.post("/api/consumers").json(&taken).await,
        fixture.put(&one).json(&taken).await,
    ] {
        answer.refuses(409, "Person was erased", "PERSON_ERASED");
        assert!(
            !answer.text.to_lowercase().contains("person1"),
            "{}",
            answer.text
        );
    }
}

#[actix_web::test]
async fn a_consumer_that_cannot_be_is_refused_whole_and_without_an_echo() {
    let fixture = Fixture::new().await;
    let wrong = json!({"email": "canary", "phone": "0151 canary", "fullName": " ", "metadata": {"a": {"canary": 1}},
        "status": "canary"});
    let answer = fixture.post("/api/consumers").json(&wrong).await;
    answer.blames(&["email", "phone", "fullName", "metadata", "status"]);
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    let all = fixture.get("/api/consumers").send().await;
    assert_eq!(all.body["data"], json!([]));
    let missing = fixture
        .put("/api/consumers/cons_never")
        .json(&json!({}))
        .await;
    missing.refuses(404, "Consumer not found", "CONSUMER_NOT_FOUND");
}

#[actix_web::test]
async fn a_consumer_of_a_list_shows_how_far_it_may_be_written_to() {
    let fixture = Fixture::connected().await;
    let at = Timestamp::parse("2026-11-01T08:00:00Z");
    fixture.klaviyo.change(|contents| {
        let (_, members) = contents.collections.get_mut(&list("RtPqXs")).unwrap();
        members[0].consents = Some(Consents {
            email: Consent::of(Some("SUBSCRIBED"), at, [("HARD_BOUNCE", at)]),
            sms: Consent::of(Some("UNSUBSCRIBED"), at, []),
        });
    });
    let imported = fixture.import("RtPqXs").await;
    fixture.work(&imported["runId"]).await;
    let found = fixture
        .get("/api/consumers/search?email=person0@example.com")
        .send()
        .await;
    let at = "2026-11-01T08:00:00.000Z";
    let want = json!({
        "email": {"consent": "SUBSCRIBED", "suppressed": true, "at": at},
        "sms": {"consent": "UNSUBSCRIBED", "suppressed": true, "at": at},
    });
    assert_eq!(found.body[0]["klaviyo"], want);
    assert_eq!(found.body[0]["smsOptOut"], true);
}

#[actix_web::test]
async fn an_unsubscription_names_its_channels_and_its_list() {
    let (fixture, _) = Fixture::imported().await;
    let found = fixture
        .get("/api/consumers/search?email=person1@example.com")
        .send()
        .await;
    let ask = format!(
        "/api/consumers/{}/unsubscribe",
        found.body[0]["id"].as_str().unwrap()
    );
    for (body, blamed) in [
        (json!({}), &["channels", "scope"][..]),
        (json!({"channels": [], "scope": "ALL"}), &["channels"]),
        (
            json!({"channels": ["FAX"], "scope": "SOME"}),
            &["channels.0", "scope"],
        ),
        (json!({"channels": ["SMS"], "scope": "LIST"}), &["listId"]),
        (
            json!({"channels": ["SMS"], "scope": "ALL", "listId": "RtPqXs"}),
            &["listId"],
        ),
    ] {
        let answer = fixture.post(&ask).json(&body).await;
        answer.blames(blamed);
    }
    let from = |list: &str| json!({"channels": ["EMAIL", "SMS"], "scope": "LIST", "listId": list});
    let answer = fixture.post(&ask).json(&from("NeVeR1")).await;
    answer.refuses(404, "Klaviyo list not found", "KLAVIYO_LIST_NOT_FOUND");
    fixture.klaviyo.change(|contents| {
        contents
            .collections
            .get_mut(&list("XyZaBc"))
            .unwrap()
            .1
            .clear();
    });
    let answer = fixture.post(&ask).json(&from("XyZaBc")).await;
    answer.refuses(409, "Not in list", "NOT_IN_LIST");
    let answer = fixture.post(&ask).json(&from("RtPqXs")).await;
    let got = ["kind", "status", "target"].map(|name| answer.body[name].clone());
    assert_eq!(got, [json!("CONSENT"), json!("PENDING"), json!("RtPqXs")]);
    let all = json!({"channels": ["SMS"], "scope": "ALL"});
    assert_eq!(fixture.post(&ask).json(&all).await.status, 200);
    let shown = fixture
        .get("/api/consumers/search?email=person1@example.com")
        .send()
        .await;
    assert_eq!(shown.body[0]["smsOptOut"], true);
    assert_eq!(
        shown.body[0]["klaviyo"]["email"]["suppressed"], false,
        "one list is not all"
    );
}
