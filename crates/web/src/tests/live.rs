//! Progress, live.

use std::time::Duration;

use fanfare_domain::organization::Role;

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
