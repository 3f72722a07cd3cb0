//! Parameters, scopes and quotas are those of Klaviyo's own description.

use std::fs;

use fanfare_klaviyo_sim::{Endpoint, Key, Kind, Quota};
use serde_json::Value;

use crate::support::{Client, Fixture, LIST, SEGMENT, account, shared};

/// The simulated endpoints, their paths in the description, and here.
fn endpoints(profile: &str) -> Vec<(Endpoint, &'static str, String)> {
    let (list, segment) = (Kind::List, Kind::Segment);
    vec![
        (
            Endpoint::Accounts,
            "/api/accounts",
            "/api/accounts".to_owned(),
        ),
        (
            Endpoint::Account,
            "/api/accounts/{id}",
            "/api/accounts/AbC123".to_owned(),
        ),
        (
            Endpoint::Collections(list),
            "/api/lists",
            "/api/lists".to_owned(),
        ),
        (
            Endpoint::Collection(list),
            "/api/lists/{id}",
            format!("/api/lists/{LIST}"),
        ),
        (
            Endpoint::Members(list),
            "/api/lists/{id}/profiles",
            format!("/api/lists/{LIST}/profiles"),
        ),
        (
            Endpoint::MemberIds(list),
            "/api/lists/{id}/relationships/profiles",
            format!("/api/lists/{LIST}/relationships/profiles"),
        ),
        (
            Endpoint::Collections(segment),
            "/api/segments",
            "/api/segments".to_owned(),
        ),
        (
            Endpoint::Collection(segment),
            "/api/segments/{id}",
            format!("/api/segments/{SEGMENT}"),
        ),
        (
            Endpoint::Members(segment),
            "/api/segments/{id}/profiles",
            format!("/api/segments/{SEGMENT}/profiles"),
        ),
        (
            Endpoint::MemberIds(segment),
            "/api/segments/{id}/relationships/profiles",
            format!("/api/segments/{SEGMENT}/relationships/profiles"),
        ),
        (
            Endpoint::Profiles,
            "/api/profiles",
            "/api/profiles".to_owned(),
        ),
        (
            Endpoint::Profile,
            "/api/profiles/{id}",
            format!("/api/profiles/{profile}"),
        ),
    ]
}

#[test]
fn every_described_parameter_is_taken_and_no_other_value() {
    let Some(file) = shared("klaviyo-openapi/stable.json") else {
        return;
    };
    let description: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let account = account().with_key(Key::with_scopes("pk_none", &[]));
    let fixture = Fixture::with(account, |plan| plan.quota(Quota::Unlimited));
    let profile = fixture.simulator.account().members(LIST).unwrap()[0]
        .profile
        .id
        .clone();
    let stranger = Client::new(&fixture.simulator.url(), "pk_none");
    for (endpoint, described, path) in endpoints(&profile) {
        let operation = &description["paths"][described]["get"];
        let status = |name: &str, value: &str| fixture.client.get(&path, &[(name, value)]).status;

        let limit = &operation["x-klaviyo-ratelimit"];
        let own = endpoint.limit();
        assert_eq!(limit["burst"], format!("{}/s", own.burst), "{described}");
        assert_eq!(limit["steady"], format!("{}/m", own.steady), "{described}");
        let scopes = operation["x-klaviyo-scopes"].as_array().unwrap();
        let (_, detail) = stranger.get(&path, &[]).error();
        for scope in scopes {
            assert!(
                detail.contains(scope.as_str().unwrap()),
                "{described}: {detail}"
            );
        }

        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            let values = schema["enum"].as_array();
            let values = values.or_else(|| schema["items"]["enum"].as_array());
            // Fields of what is never included are not looked at.
            let is_ours = !matches!(
                name,
                "fields[flow]" | "fields[tag]" | "fields[conversation]" | "fields[push-token]"
            ) && (name, endpoint) != ("fields[list]", Endpoint::Profile)
                && (name, endpoint) != ("fields[segment]", Endpoint::Profile);
            for value in values.into_iter().flatten().filter(|_| is_ours) {
                let value = value.as_str().unwrap();
                assert_eq!(status(name, value), 200, "{described}?{name}={value}");
            }
            if values.is_some() && is_ours {
                assert_eq!(status(name, "nonsense"), 400, "{described}?{name}");
            }
            if name == "page[size]" {
                let most = schema["maximum"].as_u64().unwrap();
                assert_eq!(status(name, &most.to_string()), 200, "{described}");
                assert_eq!(status(name, &(most + 1).to_string()), 400, "{described}");
            }
        }

        let fields = operation["x-klaviyo-filters"].as_object();
        for (field, filter) in fields.into_iter().flatten() {
            let value = match (
                filter["value"]["type"].as_str(),
                filter["value"]["format"].as_str(),
            ) {
                (Some("boolean"), _) => "true",
                (_, Some("date-time")) => "2026-01-01T00:00:00Z",
                _ => "\"x\"",
            };
            let operators = filter["operators"].as_object().unwrap();
            let allowed: Vec<_> = operators
                .values()
                .flat_map(|list| list.as_array().unwrap())
                .collect();
            for operator in [
                "equals",
                "any",
                "greater-than",
                "greater-or-equal",
                "less-than",
                "less-or-equal",
                "contains",
            ] {
                let value = if operator == "any" {
                    format!("[{value}]")
                } else {
                    value.to_owned()
                };
                let is_allowed = allowed.iter().any(|allowed| *allowed == operator);
                let expected = if is_allowed { 200 } else { 400 };
                let text = format!("{operator}({field},{value})");
                assert_eq!(
                    status("filter", &text),
                    expected,
                    "{described}?filter={text}"
                );
            }
        }
    }
}

/// The endpoints for writing, and those that read what was written: names, methods and paths in the description.
const FOR_WRITING: [(Endpoint, &str, &str); 20] = [
    (Endpoint::CreateEvent, "post", "/api/events"),
    (
        Endpoint::CreateEvents,
        "post",
        "/api/event-bulk-create-jobs",
    ),
    (Endpoint::Events, "get", "/api/events"),
    (Endpoint::Metrics, "get", "/api/metrics"),
    (Endpoint::UpdateProfile, "patch", "/api/profiles/{id}"),
    (Endpoint::UpsertProfile, "post", "/api/profile-import"),
    (
        Endpoint::StartImport,
        "post",
        "/api/profile-bulk-import-jobs",
    ),
    (
        Endpoint::ImportJob,
        "get",
        "/api/profile-bulk-import-jobs/{job_id}",
    ),
    (
        Endpoint::ImportErrors,
        "get",
        "/api/profile-bulk-import-jobs/{id}/import-errors",
    ),
    (
        Endpoint::ImportedProfiles,
        "get",
        "/api/profile-bulk-import-jobs/{id}/profiles",
    ),
    (
        Endpoint::AddToList,
        "post",
        "/api/lists/{id}/relationships/profiles",
    ),
    (
        Endpoint::RemoveFromList,
        "delete",
        "/api/lists/{id}/relationships/profiles",
    ),
    (Endpoint::CreateList, "post", "/api/lists"),
    (
        Endpoint::CollectionFlows(Kind::List),
        "get",
        "/api/lists/{id}/flow-triggers",
    ),
    (
        Endpoint::CollectionFlows(Kind::Segment),
        "get",
        "/api/segments/{id}/flow-triggers",
    ),
    (
        Endpoint::MetricFlows,
        "get",
        "/api/metrics/{id}/flow-triggers",
    ),
    (
        Endpoint::Unsubscribe,
        "post",
        "/api/profile-subscription-bulk-delete-jobs",
    ),
    (
        Endpoint::Subscribe,
        "post",
        "/api/profile-subscription-bulk-create-jobs",
    ),
    (
        Endpoint::Suppress,
        "post",
        "/api/profile-suppression-bulk-create-jobs",
    ),
    (
        Endpoint::Unsuppress,
        "post",
        "/api/profile-suppression-bulk-delete-jobs",
    ),
];

#[test]
fn scopes_and_limits_of_writes_are_those_described() {
    let Some(file) = shared("klaviyo-openapi/stable.json") else {
        return;
    };
    let described: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    for (endpoint, method, path) in FOR_WRITING {
        let operation = &described["paths"][path][method];
        let limit = &operation["x-klaviyo-ratelimit"];
        let own = endpoint.limit();
        assert_eq!(limit["burst"], format!("{}/s", own.burst), "{path}");
        assert_eq!(limit["steady"], format!("{}/m", own.steady), "{path}");
        let scopes: Vec<_> = operation["x-klaviyo-scopes"]
            .as_array()
            .unwrap()
            .iter()
            .collect();
        let own: Vec<_> = endpoint.scopes().iter().collect();
        assert_eq!(
            serde_json::to_value(scopes).unwrap(),
            serde_json::to_value(own).unwrap(),
            "{path}"
        );
    }
}
