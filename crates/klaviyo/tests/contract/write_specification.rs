//! Every write the adapter can make, and every read that belongs to one, held against Klaviyo's own specification where that is
//! present: address, parameters, body, scopes, quota.

use std::collections::BTreeSet;

use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{CollectionId, Cursor, ImportJobId, MetricId, ProfileId};
use fanfare_domain::klaviyo::MemberLookup;
use fanfare_domain::ports::KlaviyoWrites;
use fanfare_domain::quota::Endpoint;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Change, FlowsOf, JsonValue, PersonalText, ProfileChanges, ProfileUpsert, Unsubscribe,
};
use fanfare_klaviyo::KlaviyoHttp;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::schema;
use crate::specification::{check_parameters, operation, specification};
use crate::support::{client, key, server};
use crate::writes::{event, proof, unsubscribed, upsert};

fn full_changes() -> ProfileChanges {
    let text = || Change::Set(PersonalText::new("x"));
    let mut changes = ProfileChanges {
        phone: Change::Set(PersonalText::new("+15550001111")),
        first_name: text(),
        last_name: Change::Clear,
        external_id: text(),
        ..ProfileChanges::default()
    };
    let property = Change::Set(JsonValue::text("x"));
    changes.properties.insert("fanfare_a".to_owned(), property);
    changes
        .properties
        .insert("fanfare_b".to_owned(), Change::Clear);
    changes
}

/// Lets the adapter make every kind of write once. What it makes of the answers is no matter.
async fn every_write(klaviyo: &KlaviyoHttp, key: &Credential) {
    let list = CollectionId::parse("RtPqXs").unwrap();
    let profile = ProfileId::parse("01P").unwrap();
    let mut known = event("e2", "bob@example.com");
    known.person.profile = Some(profile.clone());
    known.person.phone = Some(PersonalText::new("+15550001111"));
    known.person.external_id = Some(PersonalText::new("cons_1"));
    known.value = None;
    known.backfill = true;
    drop(
        klaviyo
            .create_event(key, &event("e1", "ada@example.com"))
            .await,
    );
    drop(klaviyo.create_event(key, &known).await);
    let events = [event("e1", "ada@example.com"), known];
    drop(klaviyo.create_events(key, &events).await);
    let changes = full_changes();
    drop(klaviyo.update_profile(key, &profile, &changes).await);
    let full = ProfileUpsert {
        changes,
        ..upsert("ada@example.com", "Ada")
    };
    drop(klaviyo.upsert_profile(key, &full).await);
    drop(
        klaviyo
            .start_import(key, &[upsert("ada@example.com", "Ada")])
            .await,
    );
    let ids = [profile.clone(), ProfileId::parse("02P").unwrap()];
    drop(klaviyo.add_to_list(key, &list, &ids).await);
    drop(klaviyo.remove_from_list(key, &list, &ids).await);
    drop(klaviyo.create_list(key, "Winners").await);
    drop(klaviyo.segment_groups(key, &list).await);
    let proofs = vec![proof(&list, "ada@example.com")];
    let of_list = Unsubscribe::from_list(proofs, Timestamp::EPOCH).unwrap();
    drop(klaviyo.unsubscribe(key, &of_list).await);
    let person = unsubscribed(Some("ada@example.com"), Some("+15550001111"));
    drop(
        klaviyo
            .unsubscribe(key, &Unsubscribe::from_all(vec![person]))
            .await,
    );
}

async fn every_read(klaviyo: &KlaviyoHttp, key: &Credential) {
    let job = ImportJobId::parse("JOB").unwrap();
    let metric = MetricId::parse("M1").unwrap();
    drop(klaviyo.import_job(key, &job).await);
    let cursor = Cursor::parse("abc").unwrap();
    for cursor in [None, Some(&cursor)] {
        drop(klaviyo.import_errors(key, &job, cursor).await);
        drop(klaviyo.imported_profiles(key, &job, cursor).await);
        drop(klaviyo.metrics(key, cursor).await);
        let since = Timestamp::EPOCH;
        drop(klaviyo.recorded_events(key, &metric, since, cursor).await);
    }
    let emails = MemberLookup::Emails(vec!["ada@example.com".to_owned()]);
    drop(klaviyo.find_profiles(key, &emails).await);
    let phones = MemberLookup::Phones(vec!["+15550001111".to_owned()]);
    drop(klaviyo.find_profiles(key, &phones).await);
    let looked_at = [ProfileId::parse("P1").unwrap()];
    drop(klaviyo.look_at_profiles(key, &looked_at).await);
    let id = || CollectionId::parse("X").unwrap();
    for of in [
        FlowsOf::List(id()),
        FlowsOf::Segment(id()),
        FlowsOf::Metric(metric),
    ] {
        drop(klaviyo.flows(key, &of).await);
    }
}

/// The bucket of each of the requests.
const BUCKETS: &[(&str, &str, Endpoint)] = &[
    ("POST", "/api/events", Endpoint::CreateEvent),
    (
        "POST",
        "/api/event-bulk-create-jobs",
        Endpoint::CreateEvents,
    ),
    ("PATCH", "/api/profiles/01P", Endpoint::UpdateProfile),
    ("POST", "/api/profile-import", Endpoint::UpsertProfile),
    (
        "POST",
        "/api/profile-bulk-import-jobs",
        Endpoint::StartImport,
    ),
    (
        "POST",
        "/api/lists/RtPqXs/relationships/profiles",
        Endpoint::AddToList,
    ),
    (
        "DELETE",
        "/api/lists/RtPqXs/relationships/profiles",
        Endpoint::RemoveFromList,
    ),
    ("POST", "/api/lists", Endpoint::CreateList),
    (
        "POST",
        "/api/profile-subscription-bulk-delete-jobs",
        Endpoint::Unsubscribe,
    ),
    (
        "GET",
        "/api/profile-bulk-import-jobs/JOB",
        Endpoint::ImportJob,
    ),
    (
        "GET",
        "/api/profile-bulk-import-jobs/JOB/import-errors",
        Endpoint::ImportErrors,
    ),
    (
        "GET",
        "/api/profile-bulk-import-jobs/JOB/profiles",
        Endpoint::ImportedProfiles,
    ),
    ("GET", "/api/metrics", Endpoint::Metrics),
    ("GET", "/api/events", Endpoint::Events),
    ("GET", "/api/profiles", Endpoint::Profiles),
    ("GET", "/api/lists/X/flow-triggers", Endpoint::ListFlows),
    ("GET", "/api/segments/RtPqXs", Endpoint::Segment),
    (
        "GET",
        "/api/segments/X/flow-triggers",
        Endpoint::SegmentFlows,
    ),
    (
        "GET",
        "/api/metrics/M1/flow-triggers",
        Endpoint::MetricFlows,
    ),
];

async fn every_request() -> Vec<Request> {
    let server = server(ResponseTemplate::new(500)).await;
    let (klaviyo, key) = (client(&server.uri()), key());
    every_write(&klaviyo, &key).await;
    every_read(&klaviyo, &key).await;
    server.received_requests().await.unwrap()
}

#[tokio::test]
async fn no_request_subscribes_somebody_or_touches_a_suppression() {
    for request in every_request().await {
        let path = request.url.path();
        for forbidden in [
            "subscription-bulk-create",
            "suppression",
            "merge",
            "deletion",
        ] {
            assert!(!path.contains(forbidden), "{path}");
        }
        let body = String::from_utf8(request.body).unwrap();
        assert!(!body.contains("\"SUBSCRIBED\""), "{body}");
    }
}

#[tokio::test]
async fn every_write_is_one_that_the_specification_knows() {
    let Some(specification) = specification() else {
        return;
    };
    let requests = every_request().await;
    assert_eq!(requests.len(), 12 + 1 + 2 * 4 + 3 + 3);
    let mut seen = BTreeSet::new();
    for request in &requests {
        let operation = operation(&specification, request);
        check_parameters(operation, request);
        let (method, path) = (request.method.as_str(), request.url.path());
        let bucket = BUCKETS
            .iter()
            .find(|known| (known.0, known.1) == (method, path));
        let (.., endpoint) = bucket.unwrap_or_else(|| panic!("{method} {path}"));
        let limits = endpoint.documented_limits();
        assert_eq!(
            operation["x-klaviyo-ratelimit"]["burst"],
            format!("{}/s", limits.burst),
            "{path}"
        );
        assert_eq!(
            operation["x-klaviyo-ratelimit"]["steady"],
            format!("{}/m", limits.steady),
            "{path}"
        );
        seen.insert(endpoint.as_str());
        if method == "GET" {
            continue;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let of = &operation["requestBody"]["content"]["application/vnd.api+json"]["schema"];
        assert!(of.is_object(), "{method} {path} takes no body");
        let faults = schema::faults(&specification, of, &body);
        assert_eq!(faults, [""; 0], "{method} {path}: {body}");
    }
    assert_eq!(seen.len(), BUCKETS.len());
}

#[test]
fn the_schemas_are_held_strictly() {
    let Some(specification) = specification() else {
        return;
    };
    let of = json!({"$ref": "#/components/schemas/EventCreateQueryV2"});
    let faults = |body: Value| schema::faults(&specification, &of, &body).len();
    let body = |attributes: Value| json!({"data": {"type": "event", "attributes": attributes}});
    assert!(faults(body(json!({}))) > 0);
    assert!(faults(json!({"data": {"type": "evnet"}})) > 0);
    let metric = json!({"data": {"type": "metric", "attributes": {"name": "x"}}});
    let profile = json!({"data": {"type": "profile", "attributes": {"email": "a"}}});
    let good = json!({"properties": {"a": {"b": []}}, "metric": metric, "profile": profile});
    assert_eq!(faults(body(good.clone())), 0);
    for (name, bad) in [
        ("value", json!("1")),
        ("surprise", json!(1)),
        ("unique_id", json!(7)),
    ] {
        let mut wrong = good.clone();
        wrong[name] = bad;
        assert_eq!(faults(body(wrong)), 1, "{name}");
    }
}
