//! What is sent.

use std::process::Command;

use fanfare_domain::ids::{CollectionId, Cursor, ProfileId};
use fanfare_domain::klaviyo::{ChangedFrom, MemberLookup, MemberOrder};
use fanfare_domain::ports::{AnyRoom, Capability, Klaviyo, KlaviyoError, MembersFrom};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::time::Timestamp;
use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use crate::support::{KEY, client, document, key, list, only_request, page, segment, server};

fn query(request: &Request, name: &str) -> Option<String> {
    let mut pairs = request.url.query_pairs().filter(|(n, _)| n == name);
    let value = pairs.next().map(|(_, value)| value.into_owned());
    assert!(pairs.next().is_none(), "{name} is sent once");
    value
}

/// The fields with the parts of the consents that are read.
fn with_consents(fields: &str) -> String {
    let marketing = |channel: &str, name: &str| format!("subscriptions.{channel}.marketing.{name}");
    let of = [
        ("email", "consent"),
        ("email", "consent_timestamp"),
        ("email", "suppression"),
        ("sms", "consent"),
        ("sms", "consent_timestamp"),
    ];
    let consents = of.map(|(channel, name)| marketing(channel, name));
    format!("{fields},{}", consents.join(","))
}

#[tokio::test]
async fn every_request_bears_the_key_the_revision_and_the_wish_not_to_fall_forward() {
    let server = server(document(&page(&[], &json!(null)))).await;
    let from = MembersFrom::default();
    client(&server.uri())
        .members(&key(), &list("RtPqXs"), &from, &AnyRoom)
        .await
        .unwrap();

    let request = only_request(&server).await;
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("authorization"), format!("Klaviyo-API-Key {KEY}"));
    assert_eq!(header("revision"), "2026-07-15");
    assert_eq!(header("x-klaviyo-revision-fall-forward-opt-out"), "1");
    assert_eq!(header("accept"), "application/vnd.api+json");
    assert!(!request.url.as_str().contains("canary"));
}

#[tokio::test]
async fn members_are_asked_for_a_hundred_at_a_time_by_join_time_and_with_their_consents() {
    let server = server(document(&page(&[], &json!(null)))).await;
    let from = MembersFrom {
        order: MemberOrder::EarliestFirst,
        joined_from: Timestamp::parse("2026-01-01T00:00:05.999Z"),
        joined_before: Timestamp::parse("2026-01-01T00:00:06Z"),
        cursor: Some(Cursor::parse("bmV4dDo6aWQ=&x%23").unwrap()),
    };
    client(&server.uri())
        .members(&key(), &segment("SgMnt1"), &from, &AnyRoom)
        .await
        .unwrap();

    let request = only_request(&server).await;
    assert_eq!(request.url.path(), "/api/segments/SgMnt1/profiles");
    let fields = with_consents("email,phone_number,first_name,last_name,joined_group_at,updated");
    let filter = "greater-or-equal(joined_group_at,2026-01-01T00:00:05Z),\
                  less-than(joined_group_at,2026-01-01T00:00:06Z)";
    for (name, value) in [
        ("fields[profile]", fields.as_str()),
        ("additional-fields[profile]", "subscriptions"),
        ("sort", "joined_group_at"),
        ("page[size]", "100"),
        ("filter", filter),
        ("page[cursor]", "bmV4dDo6aWQ=&x#"),
    ] {
        assert_eq!(query(&request, name).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn members_are_looked_for_by_email_or_phone_and_profiles_by_id() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    for (lookup, filter) in [
        (
            MemberLookup::Emails(texts(&["a+b@example.com", "o'c@example.com"])),
            r#"any(email,["a+b@example.com","o'c@example.com"])"#,
        ),
        (
            MemberLookup::Phones(texts(&["+15550001111"])),
            r#"any(phone_number,["+15550001111"])"#,
        ),
    ] {
        let server = server(document(&page(&[], &json!(null)))).await;
        let klaviyo = client(&server.uri());
        let found = klaviyo.find_members(&key(), &list("RtPqXs"), &lookup).await;
        assert_eq!(found.unwrap().value, []);
        let request = only_request(&server).await;
        assert_eq!(request.url.path(), "/api/lists/RtPqXs/profiles");
        assert_eq!(query(&request, "filter").as_deref(), Some(filter));
    }
    let server = server(document(&page(&[], &json!(null)))).await;
    let ids = ["P1", "P2"].map(|id| ProfileId::parse(id).unwrap());
    let found = client(&server.uri()).profiles(&key(), &ids).await;
    assert_eq!(found.unwrap().value, []);
    let request = only_request(&server).await;
    assert_eq!(request.url.path(), "/api/profiles");
    let filter = r#"any(id,["P1","P2"])"#;
    assert_eq!(query(&request, "filter").as_deref(), Some(filter));
}

#[tokio::test]
async fn profiles_that_have_changed_are_asked_for_in_the_order_of_their_changes() {
    let server = server(document(&page(&[], &json!(null)))).await;
    let from = ChangedFrom {
        after: Timestamp::from_micros(1_700_000_000_900_000).unwrap(),
        cursor: Some(Cursor::parse("bmV4dDo6aWQ=").unwrap()),
    };
    let klaviyo = client(&server.uri());
    let found = klaviyo.changed_profiles(&key(), &from, &AnyRoom).await;
    assert_eq!(found.unwrap().value.profiles, []);
    let request = only_request(&server).await;
    assert_eq!(request.url.path(), "/api/profiles");
    let fields = with_consents("email,phone_number,first_name,last_name,updated");
    for (name, value) in [
        ("filter", "greater-than(updated,2023-11-14T22:13:20Z)"),
        ("sort", "updated"),
        ("page[size]", "100"),
        ("page[cursor]", "bmV4dDo6aWQ="),
        ("fields[profile]", fields.as_str()),
        ("additional-fields[profile]", "subscriptions"),
    ] {
        assert_eq!(query(&request, name).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn members_are_asked_for_the_latest_first_or_in_no_order() {
    for (order, sort) in [
        (MemberOrder::EarliestFirst, Some("joined_group_at")),
        (MemberOrder::LatestFirst, Some("-joined_group_at")),
        (MemberOrder::Unsorted, None),
    ] {
        let server = server(document(&page(&[], &json!(null)))).await;
        let from = MembersFrom {
            order,
            ..MembersFrom::default()
        };
        client(&server.uri())
            .members(&key(), &list("RtPqXs"), &from, &AnyRoom)
            .await
            .unwrap();
        let request = only_request(&server).await;
        assert_eq!(query(&request, "sort").as_deref(), sort);
    }
}

#[tokio::test]
async fn an_id_with_characters_of_an_address_stays_one_segment_of_it() {
    let server = server(ResponseTemplate::new(500)).await;
    let hostile = CollectionRef {
        kind: CollectionKind::List,
        id: CollectionId::parse("../../oauth?x=1#y").unwrap(),
    };
    let (klaviyo, key) = (client(&server.uri()), key());
    klaviyo.collection(&key, &hostile, false).await.unwrap_err();

    let request = only_request(&server).await;
    assert_eq!(request.url.path(), "/api/lists/..%2F..%2Foauth%3Fx=1%23y");
}

#[tokio::test]
async fn an_id_of_dots_alone_is_not_known_and_not_asked_for() {
    let server = server(ResponseTemplate::new(500)).await;
    let (klaviyo, key) = (client(&server.uri()), key());
    for id in [".", ".."] {
        let one = klaviyo.collection(&key, &list(id), true).await;
        assert_eq!(one.unwrap_err(), KlaviyoError::NotFound);
        let from = MembersFrom::default();
        let members = klaviyo.members(&key, &segment(id), &from, &AnyRoom).await;
        assert_eq!(members.unwrap_err(), KlaviyoError::NotFound);
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    // What is already escaped is escaped once more, and so stays an id.
    let asked = klaviyo.collection(&key, &list("%2e%2e"), false).await;
    asked.unwrap_err();
    let request = only_request(&server).await;
    assert_eq!(request.url.path(), "/api/lists/%252e%252e");
}

#[tokio::test]
async fn lists_and_segments_are_asked_for_ten_at_a_time() {
    for (kind, path) in [
        (CollectionKind::List, "/api/lists"),
        (CollectionKind::Segment, "/api/segments"),
    ] {
        let server = server(document(&page(&[], &json!(null)))).await;
        let (klaviyo, key) = (client(&server.uri()), key());
        let cursor = Cursor::parse("abc").unwrap();
        klaviyo
            .collections(&key, kind, Some(&cursor))
            .await
            .unwrap();
        let request = only_request(&server).await;
        assert_eq!(request.url.path(), path);
        assert_eq!(query(&request, "page[size]").as_deref(), Some("10"));
        assert_eq!(query(&request, "page[cursor]").as_deref(), Some("abc"));
    }
}

#[tokio::test]
async fn a_size_is_asked_for_only_when_it_is_wanted() {
    for (count, wanted) in [(false, None), (true, Some("profile_count"))] {
        let answer = json!({"data": {"type": "list", "id": "RtPqXs", "attributes": {}}});
        let server = server(document(&answer)).await;
        let (klaviyo, key) = (client(&server.uri()), key());
        klaviyo
            .collection(&key, &list("RtPqXs"), count)
            .await
            .unwrap();
        let request = only_request(&server).await;
        let sent = query(&request, "additional-fields[list]");
        assert_eq!(sent.as_deref(), wanted);
    }
}

#[tokio::test]
async fn a_probe_is_the_smallest_request_that_needs_the_scope() {
    for (capability, path) in [
        (
            Capability::ReadCollections(CollectionKind::List),
            "/api/lists",
        ),
        (Capability::ReadProfiles, "/api/profiles"),
        (
            Capability::ReadCollections(CollectionKind::Segment),
            "/api/segments",
        ),
    ] {
        let server = server(document(&page(&[], &json!(null)))).await;
        client(&server.uri())
            .probe(&key(), capability)
            .await
            .unwrap();
        let request = only_request(&server).await;
        assert_eq!(request.url.path(), path);
        assert_eq!(query(&request, "page[size]").as_deref(), Some("1"));
    }
}

#[test]
fn a_proxy_that_the_environment_names_gets_no_request() {
    // The same test once more, in a process whose proxies lead nowhere.
    let test =
        "requests::every_request_bears_the_key_the_revision_and_the_wish_not_to_fall_forward";
    let nowhere = "http://127.0.0.1:1";
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env("http_proxy", nowhere)
        .env("HTTP_PROXY", nowhere)
        .env("ALL_PROXY", nowhere)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}
