//! Answers have the shape of those that were recorded from Klaviyo.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fanfare_klaviyo_sim::{Profile, Quota};
use serde_json::Value;

use crate::support::{Answer, Client, Fixture, LIST, SEGMENT, account, members_path, shared};

/// The paths into a JSON value and the types found there. What may be anything, or is empty, ends one.
fn shape(value: &Value) -> BTreeMap<String, &'static str> {
    let mut shape = BTreeMap::new();
    collect(value, String::new(), &mut shape);
    shape
}

fn collect(value: &Value, path: String, shape: &mut BTreeMap<String, &'static str>) {
    // Re-encoding made an empty list of an empty object.
    let is_empty = value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty);
    let is_free = path.ends_with("definition") || path.ends_with("suppression");
    if is_empty || is_free {
        shape.insert(path, "something");
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(value, format!("{path}/{name}"), shape);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect(item, format!("{path}/*"), shape);
            }
        }
        other => {
            // A value may be missing in one place and there in another.
            let kind = match other {
                Value::Null | Value::String(_) => "text or nothing",
                Value::Bool(_) => "flag",
                _ => "number",
            };
            shape.insert(path, kind);
        }
    }
}

struct Recorded {
    status: u16,
    headers: Value,
    body: Value,
}

fn recorded(folder: &Path, name: &str) -> Recorded {
    let text = fs::read(folder.join(name)).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    let response = &file["response"];
    Recorded {
        status: response["status"].as_u64().unwrap().try_into().unwrap(),
        headers: response["headers"].clone(),
        body: response["body"].clone(),
    }
}

fn compare(folder: &Path, name: &str, answer: &Answer) {
    let recorded = recorded(folder, name);
    assert_eq!(answer.status, recorded.status, "{name}");
    assert_eq!(shape(&answer.json()), shape(&recorded.body), "{name}");
    for (header, _) in recorded.headers.as_object().unwrap() {
        assert!(
            answer.header(header).is_some(),
            "{name}: {header} is missing"
        );
    }
    if recorded.status == 429 {
        assert_eq!(answer.header("ratelimit-limit"), None);
    }
    let limit = recorded.headers["ratelimit-limit"].as_str();
    assert_eq!(answer.header("ratelimit-limit"), limit, "{name}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.api+json")
    );
}

#[test]
fn successes_have_the_recorded_shape() {
    let Some(folder) = shared("klaviyo-recorded") else {
        return;
    };
    let fixture = Fixture::with(account().list("TjmPN9", "Second", 0), |plan| plan);
    let client = &fixture.client;
    let compare = |name: &str, answer: Answer| compare(&folder, name, &answer);
    compare("get_accounts.200.json", client.get("/api/accounts", &[]));
    let ids = format!("/api/lists/{LIST}/relationships/profiles");
    compare("get_profile_ids_for_list.200.json", client.get(&ids, &[]));
    compare(
        "get_lists.200.json",
        client.get("/api/lists", &[("include", "tags")]),
    );
    compare(
        "get_segments.200.json",
        client.get(
            "/api/segments",
            &[("include", "tags"), ("sort", "-created")],
        ),
    );
    let fields = [
        ("fields[profile]", "email,external_id"),
        ("page[size]", "20"),
    ];
    compare(
        "get_profiles.200.json",
        client.get("/api/profiles", &fields),
    );
    let query = [
        ("fields[profile]", "email,joined_group_at"),
        ("additional-fields[profile]", "subscriptions"),
        ("sort", "joined_group_at"),
        ("page[size]", "1"),
    ];
    compare(
        "get_profiles_for_list.200.json",
        client.get(&members_path(), &query),
    );
    assert_eq!(
        client.get(&format!("/api/segments/{SEGMENT}"), &[]).status,
        200
    );
}

#[test]
fn refusals_have_the_recorded_shape() {
    let Some(folder) = shared("klaviyo-recorded") else {
        return;
    };
    let fixture = Fixture::with(account(), |plan| plan.quota(Quota::Klaviyo));
    fixture
        .simulator
        .account()
        .put(Profile::with_email("a@x.io"))
        .unwrap();
    let client = &fixture.client;
    let compare = |name: &str, answer: &Answer| compare(&folder, name, answer);
    let stranger = Client::new(&fixture.simulator.url(), "pk_stranger");
    compare("get_accounts.401.json", &stranger.get("/api/accounts", &[]));
    compare("get_list.404.json", &client.get("/api/lists/NOPE01", &[]));
    compare(
        "get_profile.404.json",
        &client.get("/api/profiles/NOPE01", &[]),
    );
    client.get("/api/accounts", &[]);
    compare("get_accounts.429.json", &client.get("/api/accounts", &[]));
    for (name, code, detail) in [
        (
            "get_list.404.json",
            "not_found",
            "A list with id `NOPE01` does not exist.",
        ),
        (
            "get_profile.404.json",
            "not_found",
            "A profile with id NOPE01 does not exist.",
        ),
    ] {
        // The words that the simulator's own tests expect are the recorded ones.
        let error = recorded(&folder, name).body["errors"][0].clone();
        assert_eq!(error["code"], code);
        assert_eq!(error["detail"], detail);
    }
    // The same refusal on an endpoint that is not simulated.
    let bad = recorded(&folder, "get_campaigns.400.json").body;
    let own = client.get("/api/lists", &[("filter", "contains(name,\"x\")")]);
    assert_eq!(shape(&own.json()), shape(&bad));
}
