//! The history of an audience: who joined and left, two times compared, snapshots.

use std::time::Duration;

use fanfare_domain::organization::Role;
use fanfare_testkit::build::list;

use super::fixture::{Fixture, people};

#[actix_web::test]
async fn joinings_and_leavings_are_listed_and_two_times_compared() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}/history", imported.audience);
    let at = |after: Duration| {
        fixture
            .integration
            .clock()
            .now()
            .plus(after)
            .to_whole_seconds()
    };
    let before = at(Duration::from_mins(1));
    fixture.clock.advance(Duration::from_hours(2));
    fixture.klaviyo.change(|contents| {
        let newsletter = contents
            .collections
            .get_mut(&list("RtPqXs"))
            .expect("the list");
        newsletter.1 = people(1..5).into_iter().map(Into::into).collect();
    });
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser
        .post(&format!("/app/audiences/{}/sync", imported.audience), &[])
        .await;
    let run = fixture.latest_run(&imported.audience).await;
    fixture.work(&run).await;
    fixture.clock.advance(Duration::from_mins(10));
    let after = at(Duration::ZERO);

    let page = browser.get(&path).await;
    page.shows("<span class=\"badge good\">Joined</span>");
    assert_eq!(page.text.matches(">Joined</span>").count(), 5);
    assert_eq!(page.text.matches(">Left</span>").count(), 1);
    // The latest come first, by name.
    let (left, joined) = (
        page.text.find(">Left</span>"),
        page.text.rfind(">Joined</span>"),
    );
    assert!(left < joined, "{}", page.text);
    page.has("person0@example.com");
    let found = browser.get(&format!("{path}?search=person0")).await;
    found.shows("person0@example.com");
    found.lacks("person1@example.com");
    let nobody = browser.get_partial(&format!("{path}?search=nobody")).await;
    assert!(
        nobody.text.starts_with("<div id=\"changes\">"),
        "{}",
        nobody.text
    );
    nobody.has("Nobody matches");

    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("from", before.as_str()), ("to", after.as_str())])
        .finish();
    let compared = browser.get(&format!("{path}?{query}")).await;
    compared.shows("<dt>Members before</dt><dd><data value=\"3\">3</data></dd>");
    compared.has("<dt>Joined</dt><dd><data value=\"2\">2</data></dd>");
    compared.has("<dt>Left</dt><dd><data value=\"1\">1</data></dd>");
    compared.has("<dt>Members after</dt><dd><data value=\"4\">4</data></dd>");

    // The list below is that of the period.
    assert_eq!(compared.text.matches(">Joined</span>").count(), 2);
    assert_eq!(compared.text.matches(">Left</span>").count(), 1);
    compared.has("Show all times");
    compared.has("These numbers are net");
    let empty = browser.get(&format!("{path}?from=&to=")).await;
    empty.shows("Give the first of the two times.");
    compared.has("<time class=\"moment\" datetime=\"");

    let until_now = browser.get(&format!("{path}?from={before}")).await;
    until_now.shows("<dt>Members after</dt><dd><data value=\"4\">4</data></dd>");

    for (from, to) in [
        ("soon", "later"),
        (after.as_str(), before.as_str()),
        ("2999-01-01", "2999-01-02"),
    ] {
        let refused = browser.get(&format!("{path}?from={from}&to={to}")).await;
        refused.shows("role=\"alert\"");
        assert!(!(refused.text.contains("From: ") && refused.text.contains("To: it ")));
    }
}

#[actix_web::test]
async fn a_snapshot_is_taken_shown_and_let_go() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    fixture.clock.advance(Duration::from_mins(1));
    let mut browser = fixture.signed_in(Role::Editor).await;
    let refused = browser
        .post(&format!("{path}/snapshots"), &[("name", " ")])
        .await;
    assert_eq!(refused.status, 400);
    refused.has("Give the snapshot a name.");
    let taken = browser
        .post(&format!("{path}/snapshots"), &[("name", "Draw <opens>")])
        .await;
    taken.leads_to(&format!("{path}/history?notice=snapshot"));
    let page = browser.get(&format!("{path}/history")).await;
    page.shows("Draw &lt;opens&gt;");
    let members = page.text.split("/members?asOf=").nth(1).expect("a link");
    let at = members.split('"').next().unwrap();
    browser
        .get(&format!("{path}/members?asOf={at}"))
        .await
        .shows("person0@example.com");
    let delete = page
        .text
        .split(&format!("href=\"{path}/snapshots/"))
        .nth(1)
        .expect("a link");
    let delete = format!("{path}/snapshots/{}", delete.split('"').next().unwrap());
    let question = browser.get(&delete).await;
    question.shows("Delete the snapshot <bdi class=\"text\">Draw &lt;opens&gt;</bdi>?");
    question.has(&format!("action=\"{delete}\""));
    for _ in 0..2 {
        browser
            .post(&delete, &[])
            .await
            .leads_to(&format!("{path}/history?notice=snapshot-deleted"));
    }
    browser
        .get(&delete)
        .await
        .leads_to(&format!("{path}/history"));
    browser.get(&format!("{path}/history")).await.lacks("Draw");
    let mut viewer = fixture.signed_in(Role::Viewer).await;
    viewer
        .get(&format!("{path}/history"))
        .await
        .lacks("Take snapshot");
}
