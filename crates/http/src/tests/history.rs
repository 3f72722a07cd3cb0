//! Who was a member when.

use std::time::Duration;

use fanfare_domain::organization::Role;
use fanfare_domain::ports::Clock;
use fanfare_testkit::build::{ProfileBuilder, list};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, path, people};

const HOUR: Duration = Duration::from_hours(1);

/// The people of these numbers are in the list from now on, and a sync has seen it. Returns its run.
async fn sync_with(fixture: &Fixture, audience: &str, numbers: std::ops::Range<u32>) -> Value {
    fixture.klaviyo.change(|contents| {
        let (_, members) = contents.collections.get_mut(&list("RtPqXs")).unwrap();
        let people = people(numbers).into_iter();
        *members = people.map(ProfileBuilder::build).collect();
    });
    let started = fixture.post(&format!("{audience}/sync")).send().await;
    let run = started.body["runId"].clone();
    fixture.work(&run).await;
    run
}

fn ids(answer: &Answer, name: &str) -> Vec<String> {
    let data = answer.body["data"].as_array().expect("a page").iter();
    data.map(|one| one[name].as_str().expect("text").to_owned())
        .collect()
}

#[actix_web::test]
async fn the_members_of_a_time_and_what_changed_since_are_told() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let first = fixture.clock.now();
    fixture.clock.advance(HOUR);
    let run = sync_with(&fixture, &audience, 1..4).await;
    let second = fixture.clock.now();
    fixture.clock.advance(HOUR);

    let members = async |query: &str| {
        let answer = fixture
            .get(&format!("{audience}/members?{query}"))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        ids(&answer, "email")
    };
    let person = |n: u32| format!("person{n}@example.com");
    let before = first.minus(Duration::from_millis(1));
    assert_eq!(members(&format!("asOf={before}")).await, [""; 0]);
    let [then, now] = [members(&format!("asOf={first}")).await, members("").await];
    assert_eq!(then, [0, 1, 2].map(person));
    assert_eq!(now, [1, 2, 3].map(person));
    assert_eq!(members(&format!("asOf={second}")).await, now);
    let searched = members(&format!("asOf={first}&search=person0")).await;
    assert_eq!(searched, [person(0)]);

    let changes = async |query: &str| {
        let answer = fixture
            .get(&format!("{audience}/changes?{query}"))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    };
    let all = changes("").await;
    assert_eq!(
        ids(&all, "type"),
        ["JOINED", "JOINED", "JOINED", "LEFT", "JOINED"]
    );
    assert_eq!(all.body["data"][0]["at"], json!(first.to_string()));
    assert_eq!(all.body["data"][0]["runId"], imported["runId"]);
    assert_eq!(all.body["data"][3]["at"], json!(second.to_string()));
    assert_eq!(all.body["data"][3]["runId"], run);
    let since = changes(&format!("since={second}")).await;
    assert_eq!(ids(&since, "type"), ["LEFT", "JOINED"]);
    let until = changes(&format!("since={first}&until={second}&first=2")).await;
    assert_eq!(ids(&until, "type"), ["JOINED"; 2]);
    let after = until.body["pageInfo"]["endCursor"].as_str().unwrap();
    let rest = changes(&format!("until={second}&after={after}")).await;
    assert_eq!(rest.body["data"], json!([all.body["data"][2]]));

    let difference = format!("{audience}/diff?from={first}&to={second}");
    let difference = fixture.get(&difference).send().await;
    let want = json!({
        "audienceId": imported["audienceId"], "from": first.to_string(), "to": second.to_string(),
        "membersAtFrom": 3, "membersAtTo": 3, "joined": 1, "left": 1,
    });
    assert_eq!(difference.body, want);
}

#[actix_web::test]
async fn a_snapshot_is_taken_listed_and_let_go() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let snapshots = format!("{audience}/snapshots");
    fixture.clock.advance(HOUR);

    let viewer = fixture.post(&snapshots).by(fixture.own.key(Role::Viewer));
    let refused = viewer.json(&json!({"name": "Draw"})).await;
    refused.refuses(403, "Forbidden", "FORBIDDEN");
    let taken = fixture
        .post(&snapshots)
        .json(&json!({"name": " Draw opens "}));
    let taken = taken.await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let id = taken.body["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("snap_"), "{id}");
    let at = fixture.clock.now().to_string();
    let want = json!({"id": id, "name": "Draw opens", "at": at, "members": 3});
    assert_eq!(taken.body, want);
    fixture.clock.advance(HOUR);
    sync_with(&fixture, &audience, 2..3).await;
    let listed = fixture.get(&snapshots).send().await;
    assert_eq!(listed.body["data"], json!([want]));
    // Long after what ended then has expired, but for what the snapshot needs.
    fixture.clock.advance(1_000 * 24 * HOUR);
    let kept_for = Duration::from_hours(24);
    let expired = fixture
        .integration
        .delete_expired(&fixture.own.id, kept_for);
    assert_eq!(expired.await.unwrap().history, 0);
    let then = fixture
        .get(&format!("{audience}/members?asOf={at}"))
        .send()
        .await;
    assert_eq!(ids(&then, "id").len(), 3);
    let now = fixture.clock.now();
    let difference = format!("{audience}/diff?from={at}&to={now}");
    let difference = fixture.get(&difference).send().await;
    assert_eq!(difference.body["left"], 2);

    let one = format!("{snapshots}/{id}");
    assert_eq!(fixture.delete(&one).send().await.status, 204);
    let gone = fixture.delete(&one).send().await;
    gone.refuses(404, "Snapshot not found", "SNAPSHOT_NOT_FOUND");
    let then = fixture
        .get(&format!("{audience}/members?asOf={at}"))
        .send()
        .await;
    then.blames(&["asOf"]);
    let expired = fixture
        .integration
        .delete_expired(&fixture.own.id, kept_for);
    assert_eq!(expired.await.unwrap().history, 2);
}

#[actix_web::test]
async fn an_audience_has_two_hundred_snapshots_at_most() {
    let (fixture, imported) = Fixture::imported().await;
    let snapshots = path("/api/audiences/{id}/snapshots", &imported["audienceId"]);
    for n in 0..200 {
        let taken = fixture
            .post(&snapshots)
            .json(&json!({"name": format!("{n}")}));
        assert_eq!(taken.await.status, 200);
    }
    let ask = || fixture.post(&snapshots).json(&json!({"name": "One more"}));
    ask()
        .await
        .refuses(409, "Too many snapshots", "TOO_MANY_SNAPSHOTS");
    let listed = fixture.get(&format!("{snapshots}?first=100")).send().await;
    let id = listed.body["data"][0]["id"].as_str().unwrap();
    let deleted = fixture.delete(&format!("{snapshots}/{id}")).send().await;
    assert_eq!(deleted.status, 204);
    assert_eq!(ask().await.status, 200);
}

#[actix_web::test]
async fn what_history_cannot_answer_names_the_field_and_the_earliest_time() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let now = fixture.clock.now();
    let earliest = now.minus(400 * 24 * HOUR);
    let (future, past) = (now.plus(HOUR), earliest.minus(HOUR));
    for time in [future, past] {
        for (query, field) in [
            (format!("members?asOf={time}"), "asOf"),
            (format!("changes?since={time}"), "since"),
            (format!("changes?until={time}"), "until"),
            (format!("diff?from={time}&to={now}"), "from"),
            (format!("diff?from={now}&to={time}"), "to"),
        ] {
            let answer = fixture.get(&format!("{audience}/{query}")).send().await;
            answer.blames(&[field]);
            let message = answer.body["details"][0]["message"].as_str().unwrap();
            assert!(message.contains(&earliest.to_string()), "{message}");
        }
    }
    for (query, fields) in [
        ("diff".to_owned(), &["from", "to"][..]),
        (format!("diff?from={now}&to={earliest}"), &["to"]),
        ("members?asOf=yesterday".to_owned(), &["asOf"]),
        ("changes?since=&until=1".to_owned(), &["since", "until"]),
    ] {
        let answer = fixture.get(&format!("{audience}/{query}")).send().await;
        answer.blames(fields);
    }
    let members = fixture.get(&format!("{audience}/members")).send().await;
    let cursor = members.body["pageInfo"]["endCursor"].as_str().unwrap();
    let foreign = fixture.get(&format!("{audience}/changes?after={cursor}"));
    foreign.send().await.blames(&["after"]);

    let snapshots = format!("{audience}/snapshots");
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": null}), "name"),
        (json!({"name": " "}), "name"),
        (json!({"name": "x".repeat(256)}), "name"),
        (json!({"name": "a\u{0}"}), "name"),
        (json!({"name": "Draw", "at": "now"}), "at"),
    ] {
        fixture.post(&snapshots).json(&body).await.blames(&[field]);
    }
    let listed = fixture.get(&snapshots).send().await;
    assert_eq!(listed.body["data"], json!([]));
    // The audience was not there an hour ago, and that is known.
    let query = format!("{audience}/members?asOf={}", now.minus(HOUR));
    let before = fixture.get(&query).send().await;
    assert_eq!(before.body["data"], json!([]));
}
