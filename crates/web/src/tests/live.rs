//! Progress, live.

use std::time::Duration;

use fanfare_domain::organization::Role;
use fanfare_testkit::build::list;
use fanfare_testkit::memory::Operation;

use super::fixture::Fixture;

#[actix_web::test]
async fn a_run_is_followed_as_html_to_its_end() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Viewer).await;
    browser
        .get(&path)
        .await
        .shows(&format!("data-live=\"{path}/live\""));
    let work = async {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        fixture.work(&imported.run).await;
    };
    let live = format!("{path}/live");
    let (answer, ()) = tokio::join!(browser.get(&live), work);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let names: Vec<_> = answer
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(names, ["progress", "progress", "done"]);
    answer.has("<span class=\"badge waiting\">Pending</span>");
    answer.has("<span class=\"badge good\">Success</span>");
    answer.has("<data value=\"3\">3</data>");
    browser.get(&path).await.lacks("data-live");
}

#[actix_web::test]
async fn a_run_that_has_ended_meanwhile_is_done_at_once() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let path = format!("/app/audiences/{}/live", imported.audience);
    let answer = browser.get(&path).await;
    assert_eq!(answer.text, "event: done\ndata: \n\n");
}

#[actix_web::test]
async fn revoking_the_key_ends_the_stream_without_done() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let revoke = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        fixture.revoke_keys().await;
    };
    let path = format!("/app/audiences/{}/live", imported.audience);
    let (answer, ()) = tokio::join!(browser.get(&path), revoke);
    answer.shows("event: progress");
    // Without news it tells what it knows once more.
    assert_eq!(answer.text.matches("event: progress").count(), 2);
    answer.lacks("event: done");
}

#[actix_web::test]
async fn the_next_look_at_an_audience_reads_only_what_can_have_changed() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}", imported.audience);
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let reads = || fixture.store.count_of(Operation::Read);
    let first = reads();
    browser.get(&path).await.shows("Last sync");
    let second = reads();
    let page = browser.get_partial(&path).await;
    page.shows("Last sync");
    let third = reads();
    assert!(third - second < second - first);
    // The audience with its source, its latest runs, and whether Klaviyo is connected.
    assert_eq!(third - second, 3);
    // A run that has ended is told of, with what it has done.
    fixture.wait_a_minute();
    fixture.klaviyo.change(|contents| {
        let newsletter = contents.collections.get_mut(&list("RtPqXs"));
        newsletter.expect("the list").1.pop();
    });
    let mut editor = fixture.signed_in(Role::Editor).await;
    editor.post(&format!("{path}/sync"), &[]).await;
    fixture
        .work(&fixture.latest_run(&imported.audience).await)
        .await;
    let page = browser.get(&path).await;
    page.shows("<figure class=\"growth\">");
}
