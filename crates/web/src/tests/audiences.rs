//! The table of audiences and the pages of one.

use std::time::Duration;

use fanfare_domain::organization::Role;
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use super::fixture::{Fixture, people};

#[actix_web::test]
async fn the_empty_table_names_the_next_step_of_each_role() {
    let fixture = Fixture::new().await;
    let mut admin = fixture.signed_in(Role::Admin).await;
    admin
        .get("/app/audiences")
        .await
        .shows("href=\"/app/settings/integrations\">Connect Klaviyo</a>");
    let mut viewer = fixture.signed_in(Role::Viewer).await;
    viewer
        .get("/app/audiences")
        .await
        .shows("An admin of your organization has to connect Klaviyo first.");
    fixture.connect().await;
    let page = admin.get("/app/audiences").await;
    page.shows("href=\"/app/audiences/import/klaviyo\">Import from Klaviyo</a>");
    viewer
        .get("/app/audiences")
        .await
        .shows("An editor of your organization can import");
}

#[actix_web::test]
async fn audiences_are_listed_with_members_status_and_what_may_be_done() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let page = fixture
        .signed_in(Role::Editor)
        .await
        .get("/app/audiences")
        .await;
    page.shows("Newsletter");
    page.has("<data value=\"3\">3</data>");
    page.has("<span class=\"badge good\">Success</span>");
    page.has("RtPqXs");
    page.has("One-time");
    for text in ["View Details", "Sync now", "Edit", "Delete"] {
        page.has(text);
    }
    page.has(&format!("href=\"{path}\""));
    let page = fixture
        .signed_in(Role::Viewer)
        .await
        .get("/app/audiences")
        .await;
    page.shows("View Details");
    for text in ["Sync now", ">Edit<", ">Delete<", "Import from Klaviyo"] {
        page.lacks(text);
    }
}

#[actix_web::test]
async fn the_table_is_sorted_searched_and_paged_by_its_address() {
    let mut klaviyo = FakeKlaviyo::default();
    let names: Vec<String> = (0..60).map(|n| format!("List {n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        klaviyo = klaviyo.with(list(&format!("L{n:02}")), name, people(0..0));
    }
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    for n in 0..60 {
        fixture.clock.advance(Duration::from_secs(61));
        fixture.import(&fixture.own.id, &format!("L{n:02}")).await;
    }
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let first = browser.get("/app/audiences").await;
    first.shows("List 00");
    first.has("List 49");
    first.lacks("List 50");
    first.has("aria-sort=\"ascending\"");
    let next = first
        .text
        .split("rel=\"next\" href=\"")
        .nth(1)
        .expect("a next page");
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    let second = browser.get(&next).await;
    second.shows("List 50");
    second.has("List 59");
    second.lacks("List 49");
    second.has("First page");

    let down = browser.get("/app/audiences?sort=name&dir=desc").await;
    down.shows("List 59");
    down.lacks("List 09");
    down.has("aria-sort=\"descending\"");

    let found = browser.get("/app/audiences?search=list+07").await;
    found.shows("List 07");
    found.lacks("List 08");
    found.has("value=\"list 07\"");
    browser
        .get("/app/audiences?search=none")
        .await
        .shows("No audience matches");
}

#[actix_web::test]
async fn a_script_gets_the_part_that_it_swaps_and_no_more() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let members = format!(
        "/app/audiences/{}/members?search=person1",
        imported.audience
    );
    for (path, start) in [
        ("/app/audiences?search=news", "<div id=\"audiences\""),
        (members.as_str(), "<div id=\"members\">"),
    ] {
        let part = browser.get_partial(path).await;
        assert!(part.text.starts_with(start), "{}", part.text);
        let whole = browser.get(path).await;
        whole.shows("<!DOCTYPE html>");
        whole.has(&part.text);
    }
}

#[actix_web::test]
async fn an_audience_shows_its_members_its_source_and_its_last_sync() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    let page = browser.get(&path).await;
    page.shows("<span class=\"badge good\">Success</span>");
    page.has("https://www.klaviyo.com/list/RtPqXs");
    page.has("One-time import: it syncs when somebody presses Sync now.");
    page.has("<button class=\"\" type=\"submit\">Sync now</button>");
    page.lacks(">Cancel<");
    // One sync is no growth yet.
    page.lacks("<figure class=\"growth\">");

    let members = browser.get(&format!("{path}/members")).await;
    members.shows("person0@example.com");
    members.has("+491510000002");
    members.has("<label for=\"search\">Search</label>");
    let found = browser.get(&format!("{path}/members?search=person1")).await;
    found.shows("person1@example.com");
    found.lacks("person2@example.com");
    browser
        .get(&format!("{path}/members?search=zz"))
        .await
        .shows("Nobody matches");

    let runs = browser.get(&format!("{path}/runs")).await;
    runs.shows("Import");
    runs.has("Complete");
}

#[actix_web::test]
async fn members_can_be_shown_as_of_another_time() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}/members", imported.audience);
    let joined = fixture.integration.clock().now();
    fixture.clock.advance(Duration::from_hours(48));
    let later = fixture.integration.clock().now();
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let at = |time: fanfare_domain::time::Timestamp| time.to_whole_seconds().replace(':', "%3A");
    let after = joined.plus(Duration::from_hours(1));
    let shown = browser.get(&format!("{path}?asOf={}", at(after))).await;
    shown.shows("person0@example.com");
    shown.has("Show the members of now");
    shown.has("3 members then");
    let before = joined.minus(Duration::from_hours(1));
    let nobody = browser.get(&format!("{path}?asOf={}", at(before))).await;
    nobody.shows("Nobody was in this audience at that time.");
    let empty = browser.get(&format!("{path}?asOf=")).await;
    empty.shows("Give a time.");
    let ahead = later.plus(Duration::from_hours(1));
    for wrong in [at(ahead), "soon".to_owned()] {
        let refused = browser.get(&format!("{path}?asOf={wrong}")).await;
        refused.shows("As of: ");
        refused.has("role=\"alert\"");
    }
}

#[actix_web::test]
async fn an_audience_is_renamed_and_made_continuous_on_its_edit_page() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    let edit = format!("{path}/edit");
    browser
        .get(&edit)
        .await
        .shows("name=\"name\" type=\"text\" value=\"Newsletter\"");
    let form = [
        ("name", " VIPs "),
        ("description", "Best"),
        ("sync", "CONTINUOUS"),
        ("refreshIntervalSeconds", "900"),
    ];
    browser
        .post(&edit, &form)
        .await
        .leads_to(&format!("{path}?notice=saved"));
    let page = browser.get(&path).await;
    page.shows("VIPs");
    page.has("Continuous sync: every 15 minutes.");
    page.has("leaves the audience within");

    for (form, text) in [
        (
            [("name", "  "), ("sync", "ONE_TIME")],
            "Give the audience a name.",
        ),
        (
            [("name", "x"), ("sync", "OFTEN")],
            "Choose One-time Import or Continuous Sync.",
        ),
    ] {
        let refused = browser.post(&edit, &form).await;
        assert_eq!(refused.status, 400);
        refused.has(text);
    }
    let short = [
        ("name", "Kept"),
        ("sync", "CONTINUOUS"),
        ("refreshIntervalSeconds", "5"),
    ];
    let refused = browser.post(&edit, &short).await;
    assert_eq!(refused.status, 400);
    refused.has("value=\"Kept\"");
    refused.has("id=\"refresh-fault\"");
}

#[actix_web::test]
async fn a_disconnected_klaviyo_is_told_on_every_page_of_an_audience() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Admin).await;
    let told = "Klaviyo is disconnected: nothing is updated.";
    browser.get(&path).await.lacks(told);
    let question = browser
        .get("/app/settings/integrations/klaviyo/disconnect")
        .await;
    question.shows("Events and changed contacts that wait are kept.");
    let disconnected = browser
        .post("/app/settings/integrations/klaviyo/disconnect", &[])
        .await;
    assert_eq!(disconnected.status, 303);
    for tab in ["", "/members", "/issues", "/runs", "/history", "/why"] {
        let page = browser.get(&format!("{path}{tab}")).await;
        page.shows(told);
        page.has("disabled>Sync now</button>");
    }
    browser.get("/app/audiences").await.shows(told);
    let edit = format!("{path}/edit");
    let once = [("name", "Kept"), ("sync", "ONE_TIME")];
    let saved = browser.post(&edit, &once).await;
    saved.leads_to(&format!("{path}?notice=saved"));
    let again = [("name", "Typed"), ("sync", "CONTINUOUS")];
    let refused = browser.post(&edit, &again).await;
    assert_eq!(refused.status, 400);
    refused.has("connect Klaviyo first");
    refused.has("value=\"Typed\"");
}

#[actix_web::test]
async fn a_name_that_another_audience_has_is_warned_of() {
    let (fixture, imported) = Fixture::imported().await;
    fixture.import(&fixture.own.id, "XyZaBc").await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    let edit = format!("{path}/edit");
    for (name, said) in [("VIP", "same-name"), ("VIP", "saved"), ("Other", "saved")] {
        let saved = browser.post(&edit, &[("name", name)]).await;
        saved.leads_to(&format!("{path}?notice={said}"));
    }
    let page = browser.get(&format!("{path}?notice=same-name")).await;
    page.shows("Another audience has the same name");
}

#[actix_web::test]
async fn an_audience_is_deleted_after_a_question() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser
        .get(&format!("{path}/delete"))
        .await
        .shows("Delete audience");
    let deleted = browser.post(&format!("{path}/delete"), &[]).await;
    deleted.leads_to("/app/audiences?notice=deleted");
    browser
        .get("/app/audiences?notice=deleted")
        .await
        .shows("The audience was deleted.");
    let page = browser.get(&path).await;
    page.shows("This audience was deleted.");
    page.lacks("Sync now");
}

#[actix_web::test]
async fn audiences_are_sorted_by_their_members() {
    let klaviyo = FakeKlaviyo::default()
        .with(list("Small1"), "Small", people(0..1))
        .with(list("Large1"), "Large", people(0..7))
        .with(list("Middle"), "Middle", people(0..3));
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    for id in ["Small1", "Large1", "Middle"] {
        fixture.wait_a_minute();
        let imported = fixture.import(&fixture.own.id, id).await;
        fixture.work(&imported.run).await;
    }
    let mut browser = fixture.signed_in(Role::Viewer).await;
    for (address, want) in [
        ("/app/audiences?sort=members", ["Small", "Middle", "Large"]),
        (
            "/app/audiences?sort=members&dir=desc",
            ["Large", "Middle", "Small"],
        ),
    ] {
        let page = browser.get(address).await;
        page.shows("aria-sort=");
        let place = |name: &str| page.text.find(&format!(">{name}</bdi>"));
        let places = want.map(place);
        assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
    }
}

#[actix_web::test]
async fn the_overview_of_a_continuous_audience_is_asked_for_again_by_itself() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    let page = browser.get(&path).await;
    page.shows(&format!("<div id=\"overview\" data-refresh=\"{path}\">"));
    let form = [("name", "VIPs"), ("sync", "CONTINUOUS")];
    browser.post(&format!("{path}/edit"), &form).await;
    let part = browser.get_partial(&path).await;
    let begin = format!("<div id=\"overview\" data-refresh=\"{path}\" data-every=\"3\">");
    assert!(part.text.starts_with(&begin), "{}", part.text);
    part.has("<h1><bdi class=\"text\">VIPs</bdi></h1>");
    // Nobody has begun what is due.
    fixture.clock.advance(Duration::from_mins(20));
    browser.get(&path).await.shows("no worker has begun it");
}

/// The fields of a form as a page shows them: a browser sends them back.
fn fields_of(page: &str) -> Vec<(String, String)> {
    let inputs = page.split("<input").skip(1);
    let attribute = |input: &str, name: &str| {
        let rest = input.split(&format!(" {name}=\"")).nth(1)?;
        rest.split('"').next().map(str::to_owned)
    };
    let is_sent = |input: &&str| !input.contains("type=\"radio\"") || input.contains(" checked");
    let mut fields: Vec<_> = inputs
        .filter(is_sent)
        .filter_map(|input| {
            let input = input.split('>').next()?;
            Some((attribute(input, "name")?, attribute(input, "value")?))
        })
        .collect();
    fields.retain(|(name, _)| name != "csrf");
    fields
}

#[actix_web::test]
async fn a_form_that_was_open_meanwhile_writes_only_what_was_changed_in_it() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let edit = format!("{path}/edit");
    let mut browser = fixture.signed_in(Role::Editor).await;
    let shown = fields_of(&browser.get(&edit).await.text);
    let (one, other) = (shown.clone(), shown.clone());
    let send = |mut fields: Vec<(String, String)>, changes: &[(&str, &str)]| {
        for (name, value) in changes {
            fields.retain(|(of, _)| of != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        fields
    };
    for fields in [
        send(one, &[("name", "Best of all"), ("sync", "CONTINUOUS")]),
        send(other, &[("description", "For the launch")]),
        // Nothing was changed in this one.
        shown,
    ] {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let saved = browser.post(&edit, &fields).await;
        saved.leads_to(&format!("{path}?notice=saved"));
    }
    let page = browser.get(&path).await;
    page.shows("Best of all");
    page.has("For the launch");
    page.has("Continuous sync: every 15 minutes.");
}
