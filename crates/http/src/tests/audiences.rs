//! Audiences and their members.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, path, people, without_ids};

#[actix_web::test]
async fn an_audience_has_fanfares_shape() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);

    let answer = fixture.get(&audience).send().await;
    assert_json_snapshot!("audience", without_ids(answer.body));

    let with = fixture
        .get(&format!("{audience}?include=primarySyncSource"))
        .send()
        .await;
    let source = without_ids(with.body["primarySyncSource"].clone());
    assert_json_snapshot!("audience_with_its_source", source);

    let all = fixture
        .get("/api/audiences?include=rules,imports,primarySyncSource")
        .send()
        .await;
    assert_eq!(all.body["data"], json!([with.body]));

    let unknown = fixture
        .get(&format!("{audience}?include=members"))
        .send()
        .await;
    unknown.blames(&["include"]);
}

#[actix_web::test]
async fn status_and_count_have_fanfares_shape() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);

    let status = fixture.get(&format!("{audience}/status")).send().await;
    assert_json_snapshot!("audience_status", without_ids(status.body));
    let count = fixture.get(&format!("{audience}/count")).send().await;
    assert_json_snapshot!("audience_count", without_ids(count.body));

    let running = fixture.import("XyZaBc").await;
    let status = path("/api/audiences/{id}/status", &running["audienceId"]);
    let status = fixture.get(&status).send().await.body;
    assert_eq!(status["syncStatus"], "PENDING");
    assert_eq!(
        (&status["stale"], &status["inProgress"]),
        (&json!(false), &json!(true)),
        "no manual audience is stale"
    );
}

#[actix_web::test]
async fn an_audience_becomes_continuous_and_manual_again() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let status = format!("{audience}/status");
    let body = json!({"refreshIntervalSeconds": 60});
    let changed = fixture.put(&audience).json(&body).await.body;
    assert_eq!(changed["refreshIntervalSeconds"], 60);
    let continuous = fixture.get(&status).send().await.body;
    assert!(continuous["nextSyncAt"].is_string(), "{continuous}");
    for (interval, name) in [(59, "short"), (604_801, "long")] {
        let body = json!({"refreshIntervalSeconds": interval, "description": name});
        let answer = fixture.put(&audience).json(&body).await;
        answer.blames(&["refreshIntervalSeconds"]);
    }
    assert_eq!(fixture.get(&audience).send().await.body, changed);

    let body = json!({"refreshIntervalSeconds": null});
    fixture.put(&audience).json(&body).await;
    let manual = fixture.get(&status).send().await.body;
    for name in [
        "nextSyncAt",
        "removalsWithinSeconds",
        "paused",
        "refreshIntervalSeconds",
    ] {
        assert_eq!(manual[name], Value::Null, "{name}");
    }
}

#[actix_web::test]
async fn every_field_of_an_audience_can_be_set_and_taken_away() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let changes = json!({
        "name": " Spring ",
        "description": "Line one\nline two",
        "iconName": "star",
        "metadata": {"a": [1, "two", null], "b": {"c": true}},
        "groupId": "grp_1",
        "groupName": "Seasons",
        "groupType": "RFM",
        "lastRefreshedAt": "2026-01-02T03:04:05+01:00",
        "type": "SYNCED_LIST",
        "refreshIntervalSeconds": null,
    });

    let changed = fixture.put(&audience).json(&changes).await;
    assert_json_snapshot!("changed_audience", without_ids(changed.body.clone()));
    assert_eq!(fixture.get(&audience).send().await.body, changed.body);

    // What is left out stays.
    let kept = fixture.put(&audience).json(&json!({})).await.body;
    for name in [
        "name",
        "description",
        "metadata",
        "groupType",
        "lastRefreshedAt",
    ] {
        assert_eq!(kept[name], changed.body[name], "{name}");
    }

    let nothing = json!({
        "description": null, "iconName": null, "metadata": null, "groupId": null,
        "groupName": null, "groupType": null, "lastRefreshedAt": null,
    });
    let cleared = fixture.put(&audience).json(&nothing).await.body;
    for name in nothing.as_object().unwrap().keys() {
        assert_eq!(cleared[name], Value::Null, "{name}");
    }
    assert_eq!(cleared["name"], "Spring");
}

#[actix_web::test]
async fn faults_of_a_change_are_told_all_at_once_and_change_nothing() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let before = fixture.get(&audience).send().await.body;
    let body = json!({
        "name": null,
        "description": 1,
        "iconName": "a\u{0}b",
        "metadata": {"a": ["b", {"c\u{0}": 1}]},
        "groupId": "x".repeat(256),
        "groupName": [],
        "groupType": "AGE",
        "lastRefreshedAt": "yesterday",
        "type": "DYNAMIC",
        "refreshIntervalSeconds": 0.5,
        "rules": [],
    });
    let answer = fixture.put(&audience).json(&body).await;
    let blamed: Vec<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    answer.blames(&blamed);
    fixture
        .put(&audience)
        .json(&json!({"name": " "}))
        .await
        .blames(&["name"]);
    fixture
        .put(&audience)
        .json(&json!({"metadata": [1]}))
        .await
        .blames(&["metadata"]);
    assert_eq!(fixture.get(&audience).send().await.body, before);
}

/// One store would keep it and another refuse it.
#[actix_web::test]
async fn a_text_with_a_nul_is_refused_in_whatever_field() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    for (field, value) in [
        ("name", json!("a\u{0}b")),
        ("description", json!("a\u{0}b")),
        ("iconName", json!("a\u{0}b")),
        ("groupId", json!("a\u{0}b")),
        ("groupName", json!("a\u{0}b")),
        ("metadata", json!({"a\u{0}b": 1})),
        ("metadata", json!({"a": {"b": ["c\u{0}"]}})),
    ] {
        let answer = fixture.put(&audience).json(&json!({field: value})).await;
        answer.blames(&[field]);
    }
    for query in [
        format!("{audience}/members?search=a%00b"),
        "/api/consumers?search=a%00b".to_owned(),
        "/api/sync-sources/search?syncSource=a%00b".to_owned(),
        "/api/sync-sources/search?syncSourceId=a%00b".to_owned(),
        "/api/consumers/search?email=a%00b@example.com".to_owned(),
        "/api/consumers/search?phone=%2B4930%001234567".to_owned(),
        "/api/consumers/search?externalId=a%00b".to_owned(),
    ] {
        let answer = fixture.get(&query).send().await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
    }
}

#[actix_web::test]
async fn a_deleted_audience_is_told_archived_and_leaves_the_collection() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);

    let deleted = fixture.delete(&audience).send().await;

    assert_eq!(deleted.status, 200);
    assert_eq!(deleted.body["archived"], true);
    assert_eq!(fixture.get(&audience).send().await.body, deleted.body);
    assert_eq!(
        fixture.get("/api/audiences").send().await.body["data"],
        json!([])
    );
    // Twice is no harm.
    assert_eq!(fixture.delete(&audience).send().await.body, deleted.body);
}

#[actix_web::test]
async fn pages_follow_each_other_to_the_end() {
    let fixture = Fixture::connected().await;
    fixture.klaviyo.change(|klaviyo| {
        let list = fanfare_testkit::build::list("Many01");
        let members = people(0..7).into_iter().map(Into::into).collect();
        klaviyo
            .collections
            .insert(list, (Some("Many".to_owned()), members));
    });
    let imported = fixture.import("Many01").await;
    fixture.work(&imported["runId"]).await;
    let members = path("/api/audiences/{id}/members", &imported["audienceId"]);
    for first in [1, 3, 7, 100] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = fixture
                .get(&format!("{members}?first={first}{after}"))
                .send()
                .await
                .body;
            let data = page["data"].as_array().unwrap();
            let Some(end) = page["pageInfo"]["endCursor"].as_str() else {
                let nothing = json!({"startCursor": null, "endCursor": null});
                assert_eq!((data.len(), &page["pageInfo"]), (0, &nothing));
                break;
            };
            assert!(data.len() <= first);
            seen.extend(data.iter().map(|c| c["email"].as_str().unwrap().to_owned()));
            after = format!("&after={end}");
        }
        let all: Vec<String> = (0..7).map(|n| format!("person{n}@example.com")).collect();
        assert_eq!(seen, all, "{first} at a time");
    }
    let default = fixture.get(&members).send().await.body;
    assert_eq!(default["data"].as_array().map(Vec::len), Some(7));
}

#[actix_web::test]
async fn members_are_searched_and_pages_are_bounded() {
    let (fixture, imported) = Fixture::imported().await;
    let members = path("/api/audiences/{id}/members", &imported["audienceId"]);
    let found = fixture
        .get(&format!("{members}?search=PERSON1"))
        .send()
        .await
        .body;
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["data"][0]["email"], "person1@example.com");

    let wrong = "first=0&after=nonsense&search=x&last=3";
    let answer = fixture.get(&format!("{members}?{wrong}")).send().await;
    answer.blames(&["first", "after", "search", "last"]);
    for first in ["0", "101", "-1", "1.5", "", "ten"] {
        let answer = fixture
            .get(&format!("{members}?first={first}"))
            .send()
            .await;
        answer.blames(&["first"]);
    }
}
