//! Audiences that people fill themselves, and their runs.

use std::time::Duration;

use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::organization::Role;

use super::fixture::Fixture;

const NEW: &str = "/app/audiences/new";

/// An audience made by a form, and the page of its members.
async fn made(fixture: &Fixture) -> (AudienceId, String) {
    let mut browser = fixture.signed_in(Role::Editor).await;
    let form = [("name", "Winners"), ("description", "Of the draw")];
    let made = browser.post(NEW, &form).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let path = made.header("location").trim_end_matches("?notice=made");
    let id = path.trim_start_matches("/app/audiences/");
    let id = AudienceId::parse(id.trim_end_matches("/members")).expect("an id");
    (id, path.to_owned())
}

#[actix_web::test]
async fn an_audience_is_made_and_filled_by_e_mail() {
    let (fixture, _) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser.get("/app/audiences").await.shows(NEW);
    let nameless = browser.post(NEW, &[("name", " ")]).await;
    assert_eq!(nameless.status, 400);
    nameless.has("Give the audience a name.");
    let (_, path) = made(&fixture).await;
    let again = browser.post(NEW, &[("name", "Winners")]).await;
    assert!(again.header("location").ends_with("?notice=made-same-name"));
    let page = browser.get(&format!("{path}?notice=made")).await;
    page.shows("The audience was created.");
    page.has("Nobody is in this audience. It is filled by hand");
    page.lacks(">Why?</a>");
    page.lacks(">Issues</a>");
    page.has("<span class=\"badge none\">By hand</span>");

    let add = format!("{path}/add");
    let form = [("emails", "person1@example.com; PERSON2@example.com,")];
    let added = browser.post(&add, &form).await;
    added.leads_to(&format!("{path}?notice=members-added&count=2"));
    let page = browser
        .get(&format!("{path}?notice=members-added&count=2"))
        .await;
    page.shows("2 members were added.");
    page.has("person1@example.com");

    // Those who are known are added; the others stay in the field.
    let form = [("emails", "person0@example.com\nnobody@example.com\n<b>")];
    let partly = browser.post(&add, &form).await;
    assert_eq!(partly.status, 400);
    partly.has("1 member was added.");
    partly.has("no consumer with this e-mail: &lt;b&gt;, nobody@example.com.");
    partly.has(">&lt;b&gt;\nnobody@example.com</textarea>");
    partly.has("person0@example.com</");
    let nothing = browser.post(&add, &[("emails", " ,\n")]).await;
    assert_eq!(nothing.status, 400);
    nothing.has("Type at least one e-mail.");
    let many: Vec<String> = (0..1_001).map(|n| format!("p{n}@example.com")).collect();
    let form = [("emails", many.join(" "))];
    let form = form.each_ref().map(|(name, text)| (*name, text.as_str()));
    let too_many = browser.post(&add, &form).await;
    assert_eq!(too_many.status, 400);
    too_many.has("At most 1,000 e-mails at once.");
}

#[actix_web::test]
async fn members_are_picked_among_the_consumers_and_taken_out_again() {
    let (fixture, imported) = Fixture::imported().await;
    let (id, path) = made(&fixture).await;
    let people = fixture.consumers().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let pick = format!("{path}/pick");
    let page = browser.get(&pick).await;
    page.shows("Pick members of");
    let box_of = |id: &ConsumerId| {
        format!("<input type=\"checkbox\" name=\"consumer\" value=\"{id}\" aria-label=\"Select ")
    };
    page.has(&box_of(&people[0]));
    let form = [
        ("consumer", people[0].as_str()),
        ("consumer", people[1].as_str()),
        ("consumer", "no id"),
        ("search", "person"),
    ];
    let added = browser.post(&pick, &form).await;
    added.leads_to(&format!("{pick}?search=person&notice=added-2"));
    let page = browser.get(&format!("{pick}?notice=added-2")).await;
    page.shows("2 members were added.");
    page.lacks(&box_of(&people[0]));
    page.has(&box_of(&people[2]));
    page.has("<span class=\"badge good\">Member</span>");
    let found = browser.get_partial(&format!("{pick}?search=person2")).await;
    assert!(
        found.text.starts_with("<div id=\"people\""),
        "{}",
        found.text
    );

    let person = browser.get(&format!("/app/customers/{}", people[0])).await;
    person.shows("<span class=\"badge info\">In Fanfare</span> Joined <a");
    person.has("Added by hand");
    let members = browser.get(&path).await;
    members.shows(&box_of(&people[0]));
    let form = [("consumer", people[0].as_str())];
    let removed = browser.post(&format!("{path}/remove"), &form).await;
    removed.leads_to(&format!("{path}?notice=members-removed&count=1"));
    let again = browser.post(&format!("{path}/remove"), &form).await;
    again.leads_to(&format!("{path}?notice=members-removed&count=0"));
    let ids = [id];
    let count = fixture.integration.member_counts(&fixture.own.id, &ids);
    assert_eq!(count.await.expect("counts"), [1]);
    // The number on the overview follows at once: what was counted before is forgotten.
    let overview = path.trim_end_matches("/members");
    let members = |count: u64| format!("<dt>Members</dt><dd><data value=\"{count}\">");
    browser.get(overview).await.shows(&members(1));
    let form = [("consumer", people[1].as_str())];
    browser.post(&format!("{path}/remove"), &form).await;
    browser.get(overview).await.shows(&members(0));
    let form = [("emails", "person1@example.com")];
    browser.post(&format!("{path}/add"), &form).await;
    browser.get(overview).await.shows(&members(1));
    let form = [("consumer", people[0].as_str())];
    browser.post(&pick, &form).await;
    browser.get(overview).await.shows(&members(2));
    let question = browser.get(&format!("{overview}/delete")).await;
    question.shows("cannot be imported again");
    question.lacks("in Klaviyo");
    let form = [("consumer", people[0].as_str())];

    let nobody = browser.post(&format!("{path}/remove"), &[]).await;
    nobody.leads_to(&format!("{path}?notice=nobody-ticked"));

    // What Klaviyo fills is not filled by hand, and a viewer fills nothing.
    let synced = format!("/app/audiences/{}/members", imported.audience);
    browser.get(&synced).await.lacks("Add members");
    let refused = browser.get(&format!("{synced}/pick")).await;
    assert_eq!(refused.status, 400);
    refused.has("Klaviyo fills this audience");
    let refused = browser.post(&format!("{synced}/remove"), &form).await;
    assert_eq!(refused.status, 400);
    let mut viewer = fixture.signed_in(Role::Viewer).await;
    let page = viewer.get(&path).await;
    page.lacks("Add members");
    page.lacks("type=\"checkbox\"");
    assert_eq!(viewer.post(&format!("{path}/add"), &[]).await.status, 403);
}

#[actix_web::test]
async fn runs_tell_of_pushes_too() {
    let (fixture, _) = Fixture::imported().await;
    let (id, path) = made(&fixture).await;
    let own = &fixture.own.id;
    let everybody = fixture.consumers().await.into_iter().collect();
    let added = fixture.integration.add_members(own, &id, &everybody);
    added.await.expect("members");
    let runs = path.replace("/members", "/runs");
    let list = path.replace("/members", "/klaviyo-list");
    let mut browser = fixture.signed_in(Role::Admin).await;
    browser.get(&runs).await.shows("No runs yet");
    browser
        .post(&list, &[("how", "new"), ("name", "Launch")])
        .await;
    fixture.clock.advance(Duration::from_secs(3));
    let preview = browser.post(&format!("{list}/preview"), &[]).await;
    let (_, rest) = preview
        .text
        .split_once("name=\"confirmation\" value=\"")
        .expect("a button");
    let confirmation = rest.split('"').next().unwrap_or_default();
    fixture.clock.advance(Duration::from_secs(3));
    let form = [("confirmation", confirmation)];
    let pushed = browser.post(&format!("{list}/push"), &form).await;
    assert_eq!(pushed.status, 303, "{}", pushed.text);
    let page = browser.get(&runs).await;
    page.shows("Push confirmed");
    page.has("Progress of the run");
    page.has("data-every=\"2\"");
    fixture.keep(&id).await;
    let page = browser.get(&format!("{runs}?search=push")).await;
    page.shows("Complete push");
    page.has(
        "<td class=\"number\" data-label=\"Joined\"><div class=\"cell\"><data value=\"3\">3</data>",
    );
    page.lacks("data-every");
    page.has(&format!("<a href=\"{list}\">Keep in Klaviyo</a>"));
    browser
        .get(&format!("{runs}?search=nothing"))
        .await
        .shows("No run matches");
}

#[actix_web::test]
async fn an_admin_chooses_how_many_people_a_push_may_change_unseen() {
    let (fixture, _) = Fixture::imported().await;
    let (_, path) = made(&fixture).await;
    let list = path.replace("/members", "/klaviyo-list");
    let mut browser = fixture.signed_in(Role::Admin).await;
    browser
        .post(&list, &[("how", "new"), ("name", "Launch")])
        .await;
    browser.get(&list).await.shows("value=\"1000\"");
    let limit = format!("{list}/limit");
    for wrong in ["", "many", "-1", "1.5", "4294967296"] {
        let refused = browser.post(&limit, &[("pushLimit", wrong)]).await;
        assert_eq!(refused.status, 400, "{wrong}");
        refused.has("Give a whole number of people");
        refused.has(&format!("value=\"{wrong}\""));
    }
    let saved = browser.post(&limit, &[("pushLimit", "25")]).await;
    saved.leads_to(&format!("{list}?notice=limit-saved"));
    let chosen = fixture.integration.push_limit(&fixture.own.id).await;
    assert_eq!(chosen.expect("a number"), 25);
    let mut editor = fixture.signed_in(Role::Editor).await;
    let page = editor.get(&list).await;
    page.shows("A push changes at most <data value=\"25\">25</data> people");
    page.lacks("name=\"pushLimit\"");
}
