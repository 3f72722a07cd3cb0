//! Deliveries.

use fanfare_domain::organization::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, path, without_ids};

async fn with_events() -> (Fixture, Value) {
    let (fixture, _) = Fixture::imported().await;
    fixture.webhook_address().await;
    let on = json!({"klaviyo": {"events": {"enabled": true}}});
    fixture.put("/api/settings").json(&on).await;
    let consumers = fixture.get("/api/consumers").send().await;
    let consumer = consumers.body["data"][0]["id"].clone();
    for (id, type_name) in [
        ("whk_1", "draw.consumer.won"),
        ("whk_2", "draw.consumer.entered"),
        ("whk_3", "unheard.of"),
    ] {
        let body = fixture.envelope(id, type_name, &json!({"consumerId": consumer}));
        assert_eq!(fixture.webhook(&body).await.status, 200);
    }
    (fixture, consumer)
}

#[actix_web::test]
async fn deliveries_are_listed_filtered_and_counted() {
    let (fixture, consumer) = with_events().await;
    let types = async |query: &str| {
        let answer = fixture.get(&format!("/api/deliveries{query}")).send().await;
        let all = answer.body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.text));
        let types: Vec<String> = all
            .iter()
            .map(|one| one["type"].as_str().expect("a type").to_owned())
            .collect();
        types
    };
    let every = ["unheard.of", "draw.consumer.entered", "draw.consumer.won"];
    assert_eq!(types("").await, every);
    assert_eq!(types("?status=PENDING").await, every[1..]);
    assert_eq!(types("?status=DROPPED&kind=EVENT").await, every[..1]);
    assert_eq!(types("?kind=CONTACT").await, [""; 0]);
    let of = format!("?consumerId={}", consumer.as_str().expect("an id"));
    assert_eq!(types(&of).await, every);
    assert_eq!(types("?consumerId=cons_other").await, [""; 0]);

    let first = fixture.get("/api/deliveries?first=2").send().await;
    let cursor = first.body["pageInfo"]["endCursor"]
        .as_str()
        .expect("a cursor");
    let next = format!("?first=2&after={}", cursor.replace('=', "%3D"));
    assert_eq!(types(&next).await, every[2..]);
    let of_other = fixture
        .get("/api/deliveries")
        .by(fixture.other.key(Role::Viewer))
        .send()
        .await;
    assert_eq!(of_other.body["data"], json!([]));
    let wrong = fixture
        .get("/api/deliveries?status=LOST&kind=X&x=1")
        .send()
        .await;
    wrong.blames(&["status", "kind", "x"]);

    let summary = fixture.get("/api/deliveries/summary").send().await;
    assert_json_snapshot!("delivery_summary", summary.body);
    let all = fixture.get("/api/deliveries").send().await;
    assert_json_snapshot!("deliveries", without_ids(all.body["data"].clone()));
}

#[actix_web::test]
async fn only_what_has_failed_is_retried() {
    let (fixture, _) = with_events().await;
    let all = fixture.get("/api/deliveries").send().await;
    let retry =
        |delivery: &Value| fixture.post(&path("/api/deliveries/{id}/retry", &delivery["id"]));
    let dropped = retry(&all.body["data"][0]).send().await;
    dropped.refuses(409, "Delivery cannot be retried", "DELIVERY_NOT_RETRIABLE");
    let pending = retry(&all.body["data"][1]).send().await;
    assert_eq!((pending.status, &pending.body), (200, &all.body["data"][1]));
    let unknown = retry(&json!({"id": "dlv_unknown"})).send().await;
    unknown.refuses(404, "Delivery not found", "DELIVERY_NOT_FOUND");
    let others = retry(&all.body["data"][1])
        .by(fixture.other.key(Role::Editor))
        .send()
        .await;
    assert_eq!((others.status, &others.text), (404, &unknown.text));
}

#[actix_web::test]
async fn a_preview_shows_what_klaviyo_would_be_told() {
    let (fixture, consumer) = with_events().await;
    let of = async |query: &str| {
        let path = format!("/api/events/preview?{query}");
        fixture.get(&path).send().await
    };
    let won = of("type=draw.consumer.won").await;
    let event = &won.body["event"];
    assert_eq!(event["metric"], "Fanfare Draw Winner");
    assert_eq!(event["person"]["email"], "somebody@example.com");
    assert_eq!(event["properties"]["winner_position"], 3);
    assert!(!won.text.contains("oken"), "{}", won.text);
    let consumer = consumer.as_str().expect("an id");
    let paid = of(&format!("type=order.completed&consumerId={consumer}")).await;
    let event = &paid.body["event"];
    assert_eq!(
        (&event["value"], &event["currency"]),
        (&json!("49.90"), &json!("EUR"))
    );
    assert!(event["person"]["profileId"].is_string(), "{}", paid.text);
    let denied = of("type=queue.consumer.denied").await;
    assert_eq!(denied.body["dropped"]["code"], "not_forwarded");
    of("type=draw.completed&more=1")
        .await
        .blames(&["type", "more"]);
    of("").await.blames(&["type"]);
    let unknown = of("type=draw.consumer.won&consumerId=cons_unknown").await;
    unknown.refuses(404, "Consumer not found", "CONSUMER_NOT_FOUND");
}
