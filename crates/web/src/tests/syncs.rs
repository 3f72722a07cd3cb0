//! What the pages of an audience tell of its syncs, and the buttons that start and end them.

use std::time::Duration;

use fanfare_domain::organization::Role;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use super::fixture::{Fixture, people};

#[actix_web::test]
async fn a_sync_is_started_and_cancelled_by_buttons_and_a_double_click_starts_one() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    for _ in 0..2 {
        browser
            .post(&format!("{path}/sync"), &[])
            .await
            .leads_to(&format!("{path}?notice=sync"));
    }
    let page = browser.get(&format!("{path}?notice=sync")).await;
    page.shows("The sync has been queued.");
    page.has("<span class=\"badge waiting\">Pending</span>");
    page.has("Waits for its turn.");
    page.has("<progress aria-label=\"Progress of the sync\"");
    // Cancel does not lie where Sync now was.
    page.has("<button type=\"button\" disabled>Sync now</button>");
    let (head, panel) = page.text.split_once("Sync in progress").expect("a panel");
    assert!(
        !head.contains("/cancel\"") && panel.contains("/cancel\""),
        "{head}"
    );
    fixture.clock.advance(Duration::from_mins(2));
    browser
        .get(&path)
        .await
        .shows("No worker has taken this up for 2 minutes.");

    let run = fixture.latest_run(&imported.audience).await;
    let runs = browser.get(&format!("{path}/runs")).await;
    assert_eq!(runs.text.matches("/issues?run=").count(), 2);
    let found = browser.get(&format!("{path}/runs?search=success")).await;
    assert_eq!(found.text.matches("/issues?run=").count(), 1);
    browser
        .get(&format!("{path}/runs?search=nothing"))
        .await
        .shows("No run matches");
    let cancelled = browser
        .post(&format!("{path}/cancel"), &[("run", run.as_str())])
        .await;
    cancelled.leads_to(&format!("{path}?notice=cancelled"));
    let page = browser.get(&path).await;
    page.shows("The last sync was cancelled.");
    let table = browser.get("/app/audiences").await;
    table.shows("<span class=\"badge none\">Failed</span> <span class=\"none\">Cancelled</span>");
    page.has("<span class=\"badge none\">Failed</span>");
    page.lacks("The last sync failed.");
    let runs = browser.get(&format!("{path}/runs")).await;
    runs.shows("<span class=\"none\">Cancelled</span>");
    let again = browser
        .post(&format!("{path}/cancel"), &[("run", run.as_str())])
        .await;
    again.leads_to(&path);
}

#[actix_web::test]
async fn the_removal_guard_is_told_with_its_numbers_and_its_button() {
    let klaviyo = FakeKlaviyo::default().with(list("RtPqXs"), "Newsletter", people(0..200));
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    fixture.work(&imported.run).await;
    fixture.klaviyo.change(|contents| {
        let newsletter = contents.collections.get_mut(&list("RtPqXs"));
        newsletter.expect("the list").1.clear();
    });
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser.post(&format!("{path}/sync"), &[]).await;
    let run = fixture.latest_run(&imported.audience).await;
    fixture.work(&run).await;
    let page = browser.get(&path).await;
    page.shows("<span class=\"badge bad\">Failed</span>");
    page.has("Nobody is removed until you confirm it.");
    page.has("<data value=\"200\">200</data> members");
    page.has("Confirm removals");
    fixture
        .signed_in(Role::Viewer)
        .await
        .get(&path)
        .await
        .shows("An editor of your organization can confirm it.");

    browser
        .post(&format!("{path}/sync"), &[("confirmRemovals", "true")])
        .await;
    let run = fixture.latest_run(&imported.audience).await;
    fixture.work(&run).await;
    let page = browser.get(&path).await;
    page.shows("<span class=\"badge good\">Success</span>");
    page.lacks("Confirm removals");
}

#[actix_web::test]
async fn issues_are_shown_by_reason_and_downloaded_as_a_file() {
    let skipped = profile("P9").first_name("Nobody");
    let klaviyo = FakeKlaviyo::default().with(list("RtPqXs"), "Newsletter", vec![skipped]);
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    fixture.work(&imported.run).await;
    let path = format!("/app/audiences/{}/issues", imported.audience);
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let page = browser.get(&path).await;
    page.shows("The profile has neither an e-mail nor a phone number");
    page.has("https://www.klaviyo.com/profile/P9");
    page.has("<data value=\"1\">1</data> left out. Give the profile");
    page.has("See in Klaviyo");
    page.has("<h2>Left out</h2>");
    page.has("/why?profileId=P9\"");
    let found = browser.get(&format!("{path}?search=p9")).await;
    found.shows("https://www.klaviyo.com/profile/P9");
    browser
        .get(&format!("{path}?search=nothing"))
        .await
        .shows("No issue matches");
    page.has("Download as CSV");
    let file = browser.get(&format!("{path}.csv")).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        file.header("content-disposition")
            .starts_with("attachment; filename=\"issues-run_")
    );
    let mut lines = file.text.lines();
    assert_eq!(lines.next(), Some("profile,code,field,message,at"));
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("\"P9\",\"missing_contact\",\"\","))
    );
    assert_eq!(lines.next(), None);
}

#[actix_web::test]
async fn issues_name_the_people_and_stay_while_the_next_sync_runs() {
    let klaviyo = FakeKlaviyo::default().with(
        list("RtPqXs"),
        "Newsletter",
        vec![
            profile("P1").email("ann@example.com").phone("12"),
            profile("P2").email("bob@example.com").first_name("Bob"),
            profile("P3").email("Bob@example.com"),
            profile("P4").first_name("Nobody"),
        ],
    );
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    let running = browser.get(&format!("{path}/issues")).await;
    running.shows("These are the issues that it has found so far.");
    fixture.work(&imported.run).await;
    browser
        .get(&path)
        .await
        .shows("4 profiles read: 2 in, 1 duplicate, 1 left out.");
    let page = browser.get(&format!("{path}/issues")).await;
    page.lacks("A sync is running.");
    let order = [
        "Left out",
        "https://www.klaviyo.com/profile/P4",
        "Brought in, without this value",
        "ann@example.com",
        "Brought in, as one consumer",
        "bob@example.com",
    ];
    let places = order.map(|text| page.text.find(text));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
    browser.post(&format!("{path}/sync"), &[]).await;
    let meanwhile = browser.get(&format!("{path}/issues")).await;
    meanwhile.shows("those of the running one are shown when it has ended");
    meanwhile.has("ann@example.com");
}

#[actix_web::test]
async fn issues_stay_those_of_the_last_whole_sync_after_one_was_cancelled() {
    let klaviyo = FakeKlaviyo::default().with(
        list("RtPqXs"),
        "Newsletter",
        vec![
            profile("P1").email("ann@example.com").phone("12"),
            profile("P4").first_name("Nobody"),
        ],
    );
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Editor).await;
    let cancelled = browser
        .post(&format!("{path}/cancel"), &[("run", imported.run.as_str())])
        .await;
    assert_eq!(cancelled.status, 303);
    // There is no other one: how little was read is said.
    let first = browser.get(&format!("{path}/issues")).await;
    first.shows("Only the 0 profiles read before the sync was cancelled.");

    browser.post(&format!("{path}/sync"), &[]).await;
    fixture
        .work(&fixture.latest_run(&imported.audience).await)
        .await;
    browser.post(&format!("{path}/sync"), &[]).await;
    let run = fixture.latest_run(&imported.audience).await;
    let form = [("run", run.as_str())];
    browser.post(&format!("{path}/cancel"), &form).await;
    let page = browser.get(&format!("{path}/issues")).await;
    page.shows("These are the issues of the last sync that read everything");
    page.has("The one after it was cancelled.");
    page.has("ann@example.com");
    page.has("profile/P4");
    let file = browser.get(&format!("{path}/issues.csv")).await;
    assert_eq!(file.text.lines().count(), 3, "{}", file.text);
    let named = browser.get(&format!("{path}/issues?run={run}")).await;
    named.shows("Only the 0 profiles read");
    named.lacks("ann@example.com");
}
