//! Every request the adapter can make, held against Klaviyo's own specification where that is present.

use std::fs;
use std::time::Duration;

use fanfare_domain::ids::{Cursor, ProfileId};
use fanfare_domain::klaviyo::{ChangedFrom, MemberLookup, MemberOrder};
use fanfare_domain::ports::{AnyRoom, Capability, Klaviyo, MembersFrom};
use fanfare_domain::source::CollectionKind;
use fanfare_domain::time::Timestamp;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::{client, key, list, only_request, segment, server, shared};

const CAPABILITIES: [Capability; 3] = [
    Capability::ReadCollections(CollectionKind::List),
    Capability::ReadProfiles,
    Capability::ReadCollections(CollectionKind::Segment),
];

/// Klaviyo's description of its API, where it is present.
pub(crate) fn specification() -> Option<Value> {
    let text = fs::read(shared("klaviyo-openapi/stable.json")?).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

/// Lets the adapter make every kind of request once. What it makes of the answers is no matter.
async fn every_request() -> Vec<Request> {
    let server = server(ResponseTemplate::new(500)).await;
    let (klaviyo, key) = (client(&server.uri()), key());
    let cursor = Cursor::parse("abc").unwrap();
    drop(klaviyo.account(&key).await);
    for kind in [CollectionKind::List, CollectionKind::Segment] {
        drop(klaviyo.collections(&key, kind, None).await);
        drop(klaviyo.collections(&key, kind, Some(&cursor)).await);
    }
    for collection in [list("RtPqXs"), segment("SgMnt1")] {
        drop(klaviyo.collection(&key, &collection, false).await);
        drop(klaviyo.collection(&key, &collection, true).await);
        for order in [MemberOrder::LatestFirst, MemberOrder::Unsorted] {
            let from = MembersFrom {
                order,
                ..MembersFrom::default()
            };
            drop(klaviyo.members(&key, &collection, &from, &AnyRoom).await);
        }
        let backwards = MembersFrom {
            order: MemberOrder::LatestFirst,
            joined_from: Some(Timestamp::EPOCH),
            joined_before: Some(Timestamp::EPOCH.plus(Duration::from_secs(1))),
            cursor: Some(cursor.clone()),
        };
        drop(
            klaviyo
                .members(&key, &collection, &backwards, &AnyRoom)
                .await,
        );
        for joined_from in [None, Some(Timestamp::EPOCH)] {
            for cursor in [None, Some(cursor.clone())] {
                let from = MembersFrom {
                    order: MemberOrder::EarliestFirst,
                    joined_from,
                    cursor,
                    ..MembersFrom::default()
                };
                drop(klaviyo.members(&key, &collection, &from, &AnyRoom).await);
            }
        }
    }
    for collection in [list("RtPqXs"), segment("SgMnt1")] {
        for lookup in [
            MemberLookup::Emails(vec!["ada@example.com".to_owned()]),
            MemberLookup::Phones(vec!["+15550001111".to_owned()]),
        ] {
            drop(klaviyo.find_members(&key, &collection, &lookup).await);
        }
    }
    let ids = [
        ProfileId::parse("P1").unwrap(),
        ProfileId::parse("P2").unwrap(),
    ];
    drop(klaviyo.profiles(&key, &ids).await);
    for cursor in [None, Some(cursor.clone())] {
        let from = ChangedFrom {
            after: Timestamp::EPOCH,
            cursor,
        };
        drop(klaviyo.changed_profiles(&key, &from, &AnyRoom).await);
    }
    for capability in CAPABILITIES {
        drop(klaviyo.probe(&key, capability).await);
    }
    server.received_requests().await.unwrap()
}

#[tokio::test]
async fn every_request_is_one_that_the_specification_knows() {
    let Some(specification) = specification() else {
        return;
    };
    let requests = every_request().await;
    assert_eq!(requests.len(), 1 + 4 + 2 * 9 + 2 * 2 + 1 + 2 + 3);
    for request in &requests {
        let operation = operation(&specification, request);
        check_parameters(operation, request);
    }
}

pub(crate) fn operation<'a>(specification: &'a Value, request: &Request) -> &'a Value {
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let asked = parts(request.url.path());
    let (_, found) = specification["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(path, _)| {
            let known = parts(path);
            known.len() == asked.len()
                && known.iter().zip(&asked).all(|(known, asked)| {
                    known == asked || (known.starts_with('{') && known.ends_with('}'))
                })
        })
        .unwrap_or_else(|| panic!("{} is not in the specification", request.url.path()));
    &found[request.method.as_str().to_ascii_lowercase()]
}

pub(crate) fn check_parameters(operation: &Value, request: &Request) {
    let known = operation["parameters"].as_array().unwrap();
    let of = |name: &str, place: &str| {
        let mut found = known
            .iter()
            .filter(|p| p["name"] == name && p["in"] == place);
        found.next()
    };
    let revision = of("revision", "header").unwrap();
    let sent = request.headers.get("revision").unwrap();
    assert_eq!(revision["schema"]["default"], sent.to_str().unwrap());
    let names: Vec<_> = request.url.query_pairs().map(|(name, _)| name).collect();
    for parameter in known {
        let is_due = parameter["required"] == true && parameter["in"] == "query";
        let is_sent = names.iter().any(|name| parameter["name"] == **name);
        assert!(!is_due || is_sent, "{} is required", parameter["name"]);
    }
    for (name, value) in request.url.query_pairs() {
        let parameter = of(&name, "query").unwrap_or_else(|| panic!("{name} is unknown"));
        check_value(&name, &value, &parameter["schema"]);
        if name == "filter" {
            check_filter(&value, &operation["x-klaviyo-filters"]);
        }
    }
}

fn check_value(name: &str, value: &str, schema: &Value) {
    let allowed = schema["enum"]
        .as_array()
        .or(schema["items"]["enum"].as_array());
    if let Some(allowed) = allowed {
        for item in value.split(',') {
            assert!(
                allowed.iter().any(|a| a == item),
                "{name} does not know {item}"
            );
        }
    }
    if schema["type"] == "integer" {
        let number: i64 = value.parse().unwrap();
        let bound = |name: &str| schema[name].as_i64();
        assert!(
            bound("minimum").is_none_or(|least| number >= least),
            "{name}"
        );
        assert!(bound("maximum").is_none_or(|most| number <= most), "{name}");
    }
}

/// Comparisons that all have to hold, with commas between them.
fn check_filter(filter: &str, known: &Value) {
    for comparison in filter.split_inclusive("),") {
        check_comparison(comparison.trim_end_matches(','), known);
    }
}

/// One comparison of one field, `operator(field,value)`, where the value may be a list.
fn check_comparison(filter: &str, known: &Value) {
    let (operator, rest) = filter.split_once('(').unwrap();
    let (field, value) = rest.strip_suffix(')').unwrap().split_once(',').unwrap();
    let known = &known[field];
    let is_list = value.starts_with('[');
    let form = if is_list { "list" } else { "single" };
    let operators = known["operators"][form].as_array();
    let operators = operators.unwrap_or_else(|| panic!("{field} is not filterable"));
    assert!(
        operators.iter().any(|known| known == operator),
        "{field} does not know {operator}"
    );
    if is_list {
        let values: Vec<String> = serde_json::from_str(value).unwrap();
        assert!(!values.is_empty() && known["value"]["format"].is_null());
        return;
    }
    if value.starts_with('"') {
        assert!(known["value"]["format"].is_null());
        return;
    }
    assert_eq!(known["value"]["format"], "date-time");
    assert!(Timestamp::parse(value).is_some(), "{value} is no time");
}

#[tokio::test]
async fn a_probe_needs_the_scope_that_it_probes_and_no_other() {
    let Some(specification) = specification() else {
        return;
    };
    for capability in CAPABILITIES {
        let server = server(ResponseTemplate::new(500)).await;
        let (klaviyo, key) = (client(&server.uri()), key());
        klaviyo.probe(&key, capability).await.unwrap_err();
        let request = only_request(&server).await;
        let operation = operation(&specification, &request);
        assert_eq!(operation["x-klaviyo-scopes"], json!([capability.scope()]));
    }
}
