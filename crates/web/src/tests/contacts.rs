//! Consumers of Fanfare's own, what of them goes to Klaviyo, and the end of consent.

use fanfare_domain::contact::Winner;
use fanfare_domain::organization::Role;

use super::fixture::Fixture;

const SETTINGS: &str = "/app/settings/integrations/klaviyo/contacts";

#[actix_web::test]
async fn an_admin_chooses_whether_contacts_are_sent_and_who_wins() {
    let fixture = Fixture::connected().await;
    let mut editor = fixture.signed_in(Role::Editor).await;
    let page = editor.get(SETTINGS).await;
    page.shows("<span class=\"badge none\">Off</span>");
    page.lacks(">Save</button>");
    let mut admin = fixture.signed_in(Role::Admin).await;
    let form = [("enabled", "true"), ("winner", "FANFARE")];
    let mut preview = form.to_vec();
    preview.push(("act", "preview"));
    let shown = admin.post(SETTINGS, &preview).await;
    shown.shows("Not saved yet.");
    shown.has("value=\"FANFARE\" checked");
    shown.has("<th scope=\"row\">Changed in both, in Klaviyo last</th>");
    let asked = admin.post(SETTINGS, &form).await;
    asked.shows("Switch contacts on?");
    let settings = fixture.integration.settings(&fixture.own.id).await;
    assert!(!settings.expect("settings").contacts.enabled);
    let mut confirmed = form.to_vec();
    confirmed.push(("confirmed", "true"));
    let saved = admin.post(SETTINGS, &confirmed).await;
    saved.leads_to(&format!("{SETTINGS}?notice=saved"));
    let settings = fixture.integration.settings(&fixture.own.id).await;
    let contacts = settings.expect("settings").contacts;
    assert!(contacts.enabled && !contacts.create_profiles);
    assert_eq!(contacts.winner, Winner::Fanfare);
    let page = admin.get(SETTINGS).await;
    page.shows("<span class=\"badge good\">On</span>");
    page.has("value=\"FANFARE\" checked");
    // A box that is not ticked is not sent.
    admin.post(SETTINGS, &[("createProfiles", "true")]).await;
    let settings = fixture.integration.settings(&fixture.own.id).await;
    let contacts = settings.expect("settings").contacts;
    assert!(!contacts.enabled && contacts.create_profiles);
    assert_eq!(contacts.winner, Winner::Fanfare, "left alone");
}

#[actix_web::test]
async fn somebody_is_made_and_changed_and_what_was_typed_stays_beside_its_faults() {
    let (fixture, _) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser.get("/app/customers").await.shows("Add Customer");
    let wrong = [
        ("fullName", "Ada <b>Lovelace</b>"),
        ("email", "nonsense"),
        ("phone", "12"),
    ];
    let refused = browser.post("/app/customers/new", &wrong).await;
    assert_eq!(refused.status, 400);
    refused.has("value=\"Ada &lt;b&gt;Lovelace&lt;/b&gt;\"");
    refused.has("This is no e-mail address.");
    refused.has("Write it with its country");
    let taken = [("email", "person1@example.com")];
    let refused = browser.post("/app/customers/new", &taken).await;
    assert_eq!(refused.status, 400);
    refused.has("Another consumer has this e-mail.");
    let nameless = [("fullName", "Ada Lovelace"), ("email", ""), ("phone", "")];
    let refused = browser.post("/app/customers/new", &nameless).await;
    assert_eq!(refused.status, 400);
    refused.has("Give an e-mail or a phone number");
    let right = [("fullName", "Ada Lovelace"), ("email", "ada@example.com")];
    let made = browser.post("/app/customers/new", &right).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let address = made.header("location").to_owned();
    let page = browser.get(&address).await;
    page.shows("Ada Lovelace");
    page.has("The consumer was made.");
    let path = address.trim_end_matches("?notice=made");
    let edit = browser.get(&format!("{path}/edit")).await;
    edit.shows("value=\"ada@example.com\"");
    edit.has("<input type=\"hidden\" name=\"was.email\" value=\"ada@example.com\">");
    let form = [
        ("fullName", "Ada King"),
        ("was.fullName", "Ada Lovelace"),
        ("phone", "+49 151 1234567"),
        ("email", ""),
        ("was.email", "ada@example.com"),
    ];
    let saved = browser.post(&format!("{path}/edit"), &form).await;
    saved.leads_to(&format!("{path}?notice=saved"));
    let page = browser.get(path).await;
    page.shows("Ada King");
    page.has("+491511234567");
    page.lacks("ada@example.com");
    // What was left as it was shown changes nothing, though it is another by now.
    let form = [
        ("fullName", "Ada Lovelace"),
        ("was.fullName", "Ada Lovelace"),
    ];
    browser.post(&format!("{path}/edit"), &form).await;
    let page = browser.get(path).await;
    page.shows("Ada King");
    page.has("+491511234567");
    let mut viewer = fixture.signed_in(Role::Viewer).await;
    let page = viewer.get(path).await;
    page.lacks("/edit\"");
    page.lacks("/unsubscribe\"");
}

#[actix_web::test]
async fn consent_is_shown_and_ended() {
    let (fixture, _) = Fixture::imported().await;
    let person = fixture.consumers().await.remove(1);
    let path = format!("/app/customers/{person}");
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser.get(&path).await.shows("Consent");
    let form = format!("{path}/unsubscribe");
    let asked = browser.get(&form).await;
    asked.shows("From all marketing");
    let nothing = browser.post(&form, &[("scope", "ALL")]).await;
    assert_eq!(nothing.status, 400);
    nothing.has("Choose at least one channel.");
    let of_no_list = [("channel", "EMAIL"), ("scope", "LIST"), ("list", "XyZaBc")];
    fixture.wait_a_minute();
    let done = browser.post(&form, &of_no_list).await;
    done.leads_to(&format!("{path}?notice=unsubscribed"));
    let all = [("channel", "EMAIL"), ("channel", "SMS"), ("scope", "ALL")];
    let done = browser.post(&form, &all).await;
    done.leads_to(&format!("{path}?notice=unsubscribed"));
    let page = browser.get(&format!("{path}?notice=unsubscribed")).await;
    page.shows("The consent was ended here, and Klaviyo is told.");
    assert_eq!(page.text.matches(">Unsubscribed</span>").count(), 2);
    page.has("Consent taken back");
}
