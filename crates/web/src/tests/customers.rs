//! The people, and one of them.

use std::time::Duration;

use fanfare_domain::organization::Role;
use serde_json::json;

use super::fixture::Fixture;

#[actix_web::test]
async fn people_are_found_and_shown_with_their_profile_and_audiences() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let all = browser.get("/app/customers").await;
    all.shows("person2@example.com");
    all.has("<label for=\"search\">Search</label>");
    let found = browser.get("/app/customers?search=person2").await;
    found.shows("person2@example.com");
    found.lacks("person1@example.com");
    let link = found
        .text
        .split("href=\"/app/customers/")
        .nth(1)
        .expect("a link");
    let path = format!("/app/customers/{}", link.split('"').next().unwrap());
    let person = browser.get(&path).await;
    person.shows("Person 2");
    person.has("+491510000002");
    person.has("https://www.klaviyo.com/profile/P2");
    person.has(&format!("href=\"/app/audiences/{}\"", imported.audience));
    person.has("Newsletter");
    let short = browser.get("/app/customers?search=p").await;
    short.shows("Type at least two characters to search.");
    browser
        .get("/app/customers?search=nobody")
        .await
        .shows("Nobody matches");
}

#[actix_web::test]
async fn another_organizations_person_is_as_one_that_never_was() {
    let (fixture, _) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let page = browser.get("/app/customers").await;
    let link = page
        .text
        .split("href=\"/app/customers/")
        .nth(1)
        .expect("a link");
    let path = format!("/app/customers/{}", link.split('"').next().unwrap());
    let mut other = fixture.signed_in_to(&fixture.other, Role::Owner).await;
    let hidden = other.get(&path).await;
    let unknown = other
        .get("/app/customers/cons_00000000000000000000000000")
        .await;
    assert_eq!((hidden.status, unknown.status), (404, 404));
    hidden.has("Consumer not found");
    hidden.lacks("person");
    other.get("/app/customers").await.shows("No consumers yet");
}

#[actix_web::test]
async fn what_came_and_what_went_stands_in_one_order() {
    let (fixture, imported) = Fixture::imported().await;
    fixture.switch_events_on().await;
    let person = fixture.consumers().await.remove(1);
    let data = json!({"consumerId": person.as_str()});
    fixture.clock.advance(Duration::from_mins(1));
    for n in 0..30 {
        let id = format!("whk_{n}");
        fixture.tell(&id, "draw.consumer.entered", &data).await;
    }
    fixture.clock.advance(Duration::from_mins(1));
    fixture.tell("whk_won", "draw.consumer.won", &data).await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let path = format!("/app/customers/{person}");
    let page = browser.get(&path).await;
    page.shows("Fanfare Draw Winner");
    assert_eq!(page.text.matches("Entered a draw").count(), 24);
    page.lacks("Became a consumer");
    let next = page.text.split("rel=\"next\" href=\"").nth(1);
    let next = next.and_then(|rest| rest.split('"').next());
    let next = next.expect("a next page").replace("&amp;", "&");
    let rest = browser.get_partial(&next).await;
    rest.lacks("Won a draw");
    rest.lacks("<html");
    assert_eq!(rest.text.matches("Entered a draw").count(), 6);
    let place = |text: &str| rest.text.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("Entered a draw") < place("Joined "));
    assert!(place("Joined ") < place("Became a consumer"));
    rest.has(&format!("href=\"/app/audiences/{}\"", imported.audience));
    rest.lacks("rel=\"next\"");
}
