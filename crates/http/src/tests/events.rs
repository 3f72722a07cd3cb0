//! A run, watched.

use std::time::Duration;

use fanfare_domain::ports::KlaviyoError;
use fanfare_testkit::memory::Operation;
use futures_util::future::join_all;
use serde_json::Value;

use super::fixture::{Answer, Fixture, path};

/// The events of a stream: their names and data.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let blocks = answer.text.split("\n\n").filter(|block| !block.is_empty());
    let events = blocks.filter(|block| !block.starts_with(':'));
    let read = |block: &str| {
        let (name, data) = block.split_once('\n').expect("two lines");
        let name = name.strip_prefix("event: ").expect("a name").to_owned();
        let data = data.strip_prefix("data: ").expect("data");
        (name, serde_json::from_str(data).expect("JSON"))
    };
    events.map(read).collect()
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[actix_web::test]
async fn a_run_that_has_ended_is_told_and_done() {
    let (fixture, imported) = Fixture::imported().await;
    let run = path("/api/sync-runs/{id}", &imported["runId"]);

    let answer = fixture.get(&format!("{run}/events")).send().await;

    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("cache-control"), "no-store");
    let events = events(&answer);
    assert_eq!(names(&events), ["progress", "done"]);
    let shown = fixture.get(&run).send().await.body;
    assert!(events.iter().all(|(_, run)| *run == shown));
}

#[actix_web::test]
async fn a_run_is_followed_to_its_end_and_no_more_than_four_times_a_second() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let begun = tokio::time::Instant::now();

    let work = async {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        fixture.work(&imported["runId"]).await;
    };
    let (answer, ()) = tokio::join!(fixture.get(&watch).send(), work);

    let events = events(&answer);
    assert_eq!(names(&events), ["progress", "progress", "done"]);
    assert_eq!(events[0].1["status"], "PENDING");
    assert_eq!(events[2].1["status"], "SUCCESS");
    assert_eq!(events[2].1["progress"]["processed"], 3);
    // The run ended after 1.1 s; looks are 250 ms apart, so it was seen at the fifth.
    assert_eq!(begun.elapsed().as_millis() / 250, 5);
}

#[actix_web::test]
async fn a_stream_without_news_sends_comments() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let cancel = path("/api/sync-runs/{id}/cancel", &imported["runId"]);

    let later = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        fixture.post(&cancel).send().await;
    };
    let (answer, ()) = tokio::join!(fixture.get(&watch).send(), later);

    assert_eq!(answer.text.matches(": still here\n\n").count(), 2);
    let events = events(&answer);
    assert_eq!(names(&events), ["progress", "progress", "done"]);
    assert_eq!(events[2].1["error"]["code"], "cancelled");
}

#[actix_web::test]
async fn a_store_that_is_away_for_a_moment_ends_nothing() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let cancel = path("/api/sync-runs/{id}/cancel", &imported["runId"]);

    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fixture.store.fail_next(Operation::Read, 3);
        tokio::time::sleep(Duration::from_secs(2)).await;
        fixture.post(&cancel).send().await;
    };
    let (answer, ()) = tokio::join!(fixture.get(&watch).send(), later);

    assert_eq!(names(&events(&answer)), ["progress", "progress", "done"]);
}

#[actix_web::test]
async fn the_end_of_the_service_is_the_end_of_the_stream_without_done() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);

    let later = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        fixture.shutdown.cancel();
    };
    let (answer, ()) = tokio::join!(fixture.get(&watch).send(), later);

    assert_eq!(names(&events(&answer)), ["progress"]);
}

#[actix_web::test]
async fn a_stream_ends_within_seconds_when_its_secret_key_is_revoked() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let begun = tokio::time::Instant::now();

    let revoke = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        fixture.revoke_keys().await;
    };
    let (answer, ()) = tokio::join!(fixture.get(&watch).send(), revoke);

    assert_eq!(names(&events(&answer)), ["progress"]);
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[actix_web::test]
async fn news_does_not_keep_a_stream_open_whose_secret_key_is_revoked() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let begun = tokio::time::Instant::now();

    let change = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fixture.revoke_keys().await;
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let failed = KlaviyoError::Unavailable("ordered by the test".to_owned());
            fixture.klaviyo.fail_members([Some(failed)]);
            fixture.wait_a_minute();
            fixture.work(&imported["runId"]).await;
        }
    };
    // The key is still known when the stream begins.
    let stream = async {
        let answer = fixture.get(&watch).send().await;
        (answer, begun.elapsed().as_secs())
    };
    let ((answer, ended), ()) = tokio::join!(stream, change);

    assert_eq!(names(&events(&answer)), ["progress"; 2]);
    assert_eq!(ended, 5);
}

#[actix_web::test]
async fn a_hundred_streams_read_their_run_and_their_key_as_often_as_one() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);
    let count_of = |operation| fixture.store.count_of(operation);

    let streams = join_all((0..100).map(|_| fixture.get(&watch).send()));
    let work = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // Each stream has read the run once, to see that it is there.
        let before = [Operation::Read, Operation::Control].map(count_of);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let after = [Operation::Read, Operation::Control].map(count_of);
        fixture.work(&imported["runId"]).await;
        [after[0] - before[0], after[1] - before[1]]
    };
    let (_, [polls, checks]) = tokio::join!(streams, work);

    // Four in each of three seconds more; then one in a second, since nothing changes.
    assert!((18..=20).contains(&polls), "{polls}");
    // One look at the key every five seconds.
    assert_eq!(checks, 2);
}

#[actix_web::test]
async fn a_run_that_is_not_there_is_no_stream() {
    let fixture = Fixture::new().await;
    let answer = fixture.get("/api/sync-runs/run_1/events").send().await;
    answer.refuses(404, "Sync run not found", "SYNC_RUN_NOT_FOUND");
}

#[actix_web::test]
async fn an_organization_has_a_hundred_streams_at_once_and_room_again_when_they_end() {
    tokio::time::pause();
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let watch = path("/api/sync-runs/{id}/events", &imported["runId"]);

    let streams = join_all((0..=100).map(|_| fixture.get(&watch).send()));
    let work = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fixture.work(&imported["runId"]).await;
    };
    let (answers, ()) = tokio::join!(streams, work);

    let (refused, told): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 429);
    assert_eq!((refused.len(), told.len()), (1, 100));
    refused[0].refuses(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED");
    assert_eq!(refused[0].header("retry-after"), "15");
    assert!(
        told.iter()
            .all(|one| names(&events(one)).last() == Some(&"done"))
    );
    let again = fixture.get(&watch).send().await;
    assert_eq!(again.status, 200);
}
