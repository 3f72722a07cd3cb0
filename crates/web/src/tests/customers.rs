//! The people, and one of them.

use fanfare_domain::organization::Role;

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
