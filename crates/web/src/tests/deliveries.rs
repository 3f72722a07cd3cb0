//! What Klaviyo was told, and what became of it.

use std::time::Duration;

use fanfare_domain::organization::Role;
use serde_json::json;

use super::fixture::Fixture;

const PATH: &str = "/app/deliveries";

/// One event is refused by Klaviyo, one is taken, and one is not known here.
async fn delivered() -> Fixture {
    let (fixture, _) = Fixture::imported().await;
    fixture.switch_events_on().await;
    let consumers = fixture.consumers().await;
    fixture.writes.refuse("whk_1", true);
    for (id, type_name, consumer) in [
        ("whk_1", "draw.consumer.won", &consumers[0]),
        ("whk_2", "draw.consumer.entered", &consumers[1]),
        ("whk_3", "<b>unheard</b>", &consumers[1]),
    ] {
        let data = json!({"consumerId": consumer.as_str()});
        fixture.tell(id, type_name, &data).await;
    }
    fixture.send_deliveries().await;
    fixture
}

#[actix_web::test]
async fn what_became_of_each_is_told_with_its_reason_and_found_by_status_kind_and_person() {
    let fixture = delivered().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let all = browser.get(PATH).await;
    all.shows("<a href=\"/app/deliveries\" aria-current=\"page\" data-name=\"Deliveries\">");
    all.has("data-refresh=\"/app/deliveries?\" data-every=\"5\"");
    for text in [
        "Won a draw",
        "Fanfare Draw Winner",
        "<span class=\"badge bad\">Failed</span>",
        "Klaviyo refuses what it says.",
        "Entered a draw",
        "<span class=\"badge good\">Sent</span>",
        "&lt;b&gt;unheard&lt;/b&gt;",
        "This type of event is not known here",
        "Person 0",
    ] {
        all.has(text);
    }
    all.lacks(">Retry</button>");

    let failed = browser.get(&format!("{PATH}?status=FAILED")).await;
    failed.shows("Won a draw");
    failed.lacks("Entered a draw");
    failed.has("href=\"/app/deliveries?status=FAILED&amp;kind=EVENT\"");
    let contacts = browser.get(&format!("{PATH}?kind=CONTACT")).await;
    contacts.shows("No delivery matches");
    let of_one = browser
        .get_partial(&format!("{PATH}?search=person1@example.com"))
        .await;
    of_one.shows("Entered a draw");
    of_one.has("Deliveries of ");
    of_one.lacks("Won a draw");
    of_one.lacks("<html");
    for nobody in ["nobody@example.com", "%2B4915", "person", "cons_never"] {
        let found = browser.get(&format!("{PATH}?search={nobody}")).await;
        found.shows("No consumer has exactly this");
    }
    // What no page has asked for is everything.
    browser
        .get(&format!("{PATH}?status=LOST&kind=&after=x"))
        .await
        .shows("Won a draw");
    let mut other = fixture.signed_in_to(&fixture.other, Role::Owner).await;
    other.get(PATH).await.shows("Nothing was delivered yet");
}

#[actix_web::test]
async fn what_has_failed_is_retried_by_an_editor_where_they_were() {
    let fixture = delivered().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let failed = browser.get(&format!("{PATH}?status=FAILED")).await;
    failed.shows(">Retry</button>");
    let id = failed
        .text
        .split("name=\"id\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let id = id.expect("a delivery").to_owned();
    let form = [("id", id.as_str()), ("shown", "status=FAILED")];
    let mut other = fixture.signed_in_to(&fixture.other, Role::Editor).await;
    let refused = other.post(&format!("{PATH}/retry"), &form).await;
    assert_eq!(refused.status, 404);
    refused.has("Delivery not found");
    for _ in ["a click", "a second one"] {
        let answer = browser.post(&format!("{PATH}/retry"), &form).await;
        answer.leads_to(&format!("{PATH}?status=FAILED&notice=retried"));
    }
    let waiting = browser.get(&format!("{PATH}?notice=retried")).await;
    waiting.shows("The delivery is tried again now.");
    waiting.has("<span class=\"badge waiting\">Waiting</span>");
    waiting.has("data-every=\"2\"");
    // What stands in the form leads nowhere else.
    let form = [("id", id.as_str()), ("shown", "//evil.example")];
    let answer = browser.post(&format!("{PATH}/retry"), &form).await;
    assert!(answer.header("location").starts_with("/app/deliveries?"));
    browser.get(&format!("{PATH}/retry")).await.leads_to(PATH);
}

#[actix_web::test]
async fn what_keeps_back_what_waits_is_told() {
    let (fixture, _) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let nothing = browser.get(PATH).await;
    nothing.shows("Set up events");
    nothing.lacks("type=\"search\"");
    fixture.switch_events_on().await;
    browser.get(PATH).await.shows("Events are switched on.");
    let data = json!({"consumerId": fixture.consumers().await[0].as_str()});
    fixture.tell("whk_1", "draw.consumer.won", &data).await;
    browser.get(PATH).await.lacks("The oldest has waited");
    fixture.clock.advance(Duration::from_mins(3));
    let late = browser.get(PATH).await;
    late.shows("The oldest has waited for 3 minutes");
    fixture
        .integration
        .disconnect(&fixture.own.id)
        .await
        .expect("disconnected");
    let away = browser.get(PATH).await;
    away.shows("Klaviyo is not connected.");
}
