//! Why somebody is, or is not, a member.

use fanfare_domain::organization::Role;

use super::fixture::Fixture;

#[actix_web::test]
async fn a_membership_is_explained_by_e_mail_consumer_and_profile() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}/why", imported.audience);
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let question = browser.get(&path).await;
    question.shows("Ask Klaviyo, too");
    question.lacks("Not a member");
    let member = browser
        .get(&format!("{path}?person=PERSON1%40example.com"))
        .await;
    member.shows("<span class=\"badge good\">Member</span>");
    member.has("In the audience, because they are in Klaviyo");
    let consumer = member
        .text
        .split("href=\"/app/customers/")
        .nth(1)
        .expect("a consumer");
    let consumer = consumer.split('"').next().unwrap();
    for whom in [
        format!("consumerId={consumer}"),
        format!("person={consumer}"),
        "person=P1".to_owned(),
    ] {
        let page = browser.get(&format!("{path}?{whom}")).await;
        page.shows("<span class=\"badge good\">Member</span>");
    }
    let unknown = browser
        .get(&format!("{path}?person=nobody%40example.com&live=true"))
        .await;
    unknown.shows("<span class=\"badge waiting\">Not a member</span>");
    unknown.has("Nobody here has this e-mail or id.");
    unknown.has("Klaviyo now");
    let broken = browser.get(&format!("{path}?person=a%40%40%3Cb%3E")).await;
    broken.shows("Nobody here has this e-mail or id.");
    broken.has("value=\"a@@&lt;b&gt;\"");
}
