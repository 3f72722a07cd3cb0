//! Why somebody is, or is not, a member.

use fanfare_domain::organization::Role;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

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
}

#[actix_web::test]
async fn what_names_nobody_is_not_found_and_a_phone_number_finds_its_people() {
    let klaviyo = FakeKlaviyo::default().with(
        list("RtPqXs"),
        "Newsletter",
        vec![
            profile("P1").email("ann@example.com").phone("+12025550101"),
            profile("P2").email("bob@example.com").phone("+12025550102"),
            profile("P3").email("cid@example.com").phone("+12025550102"),
        ],
    );
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    fixture.work(&imported.run).await;
    let path = format!("/app/audiences/{}/why", imported.audience);
    let mut browser = fixture.signed_in(Role::Viewer).await;
    for nobodys in [
        "person=a%40%40%3Cb%3E",
        "person=Zoe+Quill",
        "person=Zoe",
        "person=%2B12025550199",
        "consumerId=cons_00000000000000000000000000",
        "profileId=P99",
    ] {
        let page = browser.get(&format!("{path}?{nobodys}")).await;
        page.shows("Not found here");
        page.lacks("Not a member");
    }
    let typed = browser.get(&format!("{path}?person=a%40%40%3Cb%3E")).await;
    typed.has("value=\"a@@&lt;b&gt;\"");
    let one = browser
        .get(&format!("{path}?person=%2B1+202-555-0101"))
        .await;
    one.shows("<span class=\"badge good\">Member</span>");
    let several = browser.get(&format!("{path}?person=%2B12025550102")).await;
    several.shows("Several people have this phone number");
    several.has("bob@example.com");
    let link = several.text.split("/why?consumerId=").nth(1);
    let consumer = link.and_then(|rest| rest.split('"').next());
    let consumer = consumer.expect("a link to one of them");
    let picked = browser.get(&format!("{path}?consumerId={consumer}")).await;
    picked.shows("<span class=\"badge good\">Member</span>");
    let profile = browser.get(&format!("{path}?profileId=P3")).await;
    profile.shows("<span class=\"badge good\">Member</span>");
}

#[actix_web::test]
async fn a_name_offers_those_who_have_it_and_a_disconnected_klaviyo_is_not_asked() {
    let klaviyo = FakeKlaviyo::default().with(
        list("RtPqXs"),
        "Newsletter",
        vec![
            profile("P1")
                .email("ann@example.com")
                .first_name("Ann")
                .last_name("Lee"),
            profile("P2").email("bob@example.com").first_name("Bob"),
        ],
    );
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    fixture.work(&imported.run).await;
    let path = format!("/app/audiences/{}/why", imported.audience);
    let mut browser = fixture.signed_in(Role::Admin).await;
    for name in ["Ann+Lee", "ann"] {
        let page = browser
            .get(&format!("{path}?person={name}&live=true"))
            .await;
        page.shows("Whom do you mean?");
        page.has("ann@example.com");
        page.lacks("bob@example.com");
        page.has("&amp;live=true\">");
    }
    browser
        .post("/app/settings/integrations/klaviyo/disconnect", &[])
        .await;
    let page = browser
        .get(&format!("{path}?person=ann%40example.com&live=true"))
        .await;
    page.shows("Klaviyo is disconnected and could not be asked");
    page.has("sheet=klaviyo\">Connect Klaviyo</a>");
    page.has(">Ann Lee</bdi>");
}
