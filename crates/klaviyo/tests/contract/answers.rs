//! What the adapter reads from answers, and from answers that are partly broken.

use std::io::Write as _;

use fanfare_domain::ports::{Klaviyo, KlaviyoError};
use fanfare_domain::profile::Attribute;
use fanfare_domain::quota::RateLimits;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::time::Timestamp;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    PERSON, assert_redacted, client, document, key, list, member, members, members_of, page, raw,
    segment, server, server_of,
};

#[tokio::test]
async fn a_page_of_members_is_read_with_everything_that_a_sync_needs() {
    let attributes = json!({
        "email": PERSON, "phone_number": "+15005550006", "first_name": "Zoë", "last_name": null,
        "updated": "2026-09-04T13:40:25.601782+00:00", "joined_group_at": "2026-09-04T13:39:38+00:00",
        "anonymous_id": null, "properties": {"$x": [1, {"y": null}]},
    });
    let next = "/api/lists/RtPqXs/profiles?page%5Bcursor%5D=bmV4dA%3D%3D&sort=joined_group_at";
    let profiles = [member("01M1PAAR5HBCRHA3NN9NG5WRTA", &attributes)];
    let server = server_of(|own| {
        let next = format!("{own}{next}");
        document(&page(&profiles, &json!(next)))
            .insert_header("ratelimit-limit", "75, 75;w=1, 750;w=60")
    })
    .await;

    let answer = members(&server.uri(), None).await.unwrap();

    assert_eq!(
        answer.rate_limits,
        Some(RateLimits {
            burst: 75,
            steady: 750
        })
    );
    assert_eq!(answer.value.next.unwrap().as_str(), "bmV4dA%3D%3D");
    let profile = &answer.value.profiles[0];
    assert_eq!(profile.id.as_str(), "01M1PAAR5HBCRHA3NN9NG5WRTA");
    assert_eq!(profile.email, Attribute::text(PERSON));
    assert_eq!(profile.phone, Attribute::text("+15005550006"));
    assert_eq!(profile.first_name, Attribute::text("Zoë"));
    assert_eq!(profile.last_name, Attribute::Absent);
    assert_eq!(
        profile.updated,
        Timestamp::parse("2026-09-04T13:40:25.601782Z")
    );
    assert_eq!(profile.joined_at, Timestamp::parse("2026-09-04T13:39:38Z"));
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_invalid_and_never_counts_as_the_last_page() {
    let person = member("A", &json!({"email": PERSON}));
    let whole = page(std::slice::from_ref(&person), &json!(null)).to_string();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b" \n ".to_vec()),
        ("cut off", whole.as_bytes()[..whole.len() - 9].to_vec()),
        ("HTML", b"<html>canary</html>".to_vec()),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a list of what it should hold", b"[[],{}]".to_vec()),
        ("more after it", format!("{whole}{{").into_bytes()),
        ("no data", br#"{"links":{"next":null}}"#.to_vec()),
        (
            "no links",
            json!({"data": [person]}).to_string().into_bytes(),
        ),
        (
            "links of another shape",
            json!({"data": [person], "links": []})
                .to_string()
                .into_bytes(),
        ),
        (
            "no id",
            page(&[json!({"attributes": {}})], &json!(null))
                .to_string()
                .into_bytes(),
        ),
        (
            "a blank id",
            page(&[member("", &json!({}))], &json!(null))
                .to_string()
                .into_bytes(),
        ),
        (
            "a long id",
            page(&[member(&"A".repeat(256), &json!({}))], &json!(null))
                .to_string()
                .into_bytes(),
        ),
        (
            "an id that is no UTF-8",
            b"{\"data\":[{\"id\":\"\xff\"}],\"links\":{}}".to_vec(),
        ),
        (
            "a byte that is no UTF-8 outside of texts",
            b"{\"data\":[],\xff\"links\":{}}".to_vec(),
        ),
        (
            "two marks before it",
            [b"\xef\xbb\xbf\xef\xbb\xbf", whole.as_bytes()].concat(),
        ),
    ];
    for (what, body) in cases {
        let error = members_of(raw(200, body)).await.unwrap_err();
        assert!(
            matches!(error, KlaviyoError::Invalid(_)),
            "{what}: {error:?}"
        );
        assert_redacted(&error);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_after_decompression_is_dropped() {
    // 64 MiB of blanks are 64 KiB compressed.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..64 {
        gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = raw(200, gzip.finish().unwrap()).insert_header("content-encoding", "gzip");

    let error = members_of(bomb).await.unwrap_err();

    assert_eq!(
        error,
        KlaviyoError::Invalid("the body is larger than 32 MiB".to_owned())
    );
}

#[tokio::test]
async fn a_compressed_page_is_read_and_a_broken_one_is_invalid() {
    let body = page(&[member("A", &json!({"email": PERSON}))], &json!(null)).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();
    let compressed = gzip.finish().unwrap();
    let with = |body: Vec<u8>| raw(200, body).insert_header("content-encoding", "gzip");

    let whole = members_of(with(compressed.clone())).await.unwrap();
    assert_eq!(whole.value.profiles.len(), 1);

    let broken = members_of(with(b"not gzip at all".to_vec())).await;
    assert!(
        matches!(broken, Err(KlaviyoError::Invalid(_))),
        "{broken:?}"
    );
}

#[tokio::test]
async fn lists_and_segments_are_read_and_a_broken_attribute_does_not_affect_the_others() {
    let lists = r#"{"data": [
        {"type": "list", "id": "YafG4m", "attributes": {"name": "Newsletter",
            "created": "2026-09-04T13:39:28+00:00", "updated": "nonsense",
            "opt_in_process": "single_opt_in"}},
        {"type": "list", "id": "TjmPN9", "attributes": {"name": 7}},
        {"type": "list", "id": "Broken", "attributes": {"name": "\ud800", "created": 1}},
        {"type": "list", "id": "NoAttr"},
        {"type": "list", "id": "", "attributes": {"name": "without a usable id"}},
        {"type": "list", "id": "\ud800"}, {"type": "list"}, null, "\ud800"],
        "links": {"next": null}}"#;
    let server = server(raw(200, lists)).await;

    let page = client(&server.uri())
        .collections(&key(), CollectionKind::List, None)
        .await
        .unwrap()
        .value;

    let names: Vec<Option<&str>> = page.items.iter().map(|item| item.name.as_deref()).collect();
    assert_eq!(names, [Some("Newsletter"), None, None, None]);
    assert_eq!(
        page.items[0].opt_in_process.as_deref(),
        Some("single_opt_in")
    );
    assert_eq!(
        page.items[0].created,
        Timestamp::parse("2026-09-04T13:39:28Z")
    );
    assert_eq!(page.items[0].updated, None);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn a_segment_shows_whether_it_is_active_and_processing() {
    let answer = json!({"data": {"type": "segment", "id": "SAx2Kq", "attributes": {
        "name": "Repeat Purchasers", "is_active": true, "is_processing": false}}});
    let server = server(document(&answer)).await;
    let (klaviyo, key) = (client(&server.uri()), key());

    let answer = klaviyo.collection(&key, &segment("SAx2Kq"), false).await;

    let segment = answer.unwrap().value;
    assert_eq!(
        (segment.is_active, segment.is_processing),
        (Some(true), Some(false))
    );
    assert_eq!(segment.name.as_deref(), Some("Repeat Purchasers"));
    assert_eq!(segment.opt_in_process, None);
}

#[tokio::test]
async fn unreadable_limits_do_not_affect_the_answer() {
    for header in ["75", "", "0, 0;w=1, 0;w=60", "many"] {
        let answer = document(&page(&[], &json!(null))).insert_header("ratelimit-limit", header);
        assert_eq!(
            members_of(answer).await.unwrap().rate_limits,
            None,
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_size_is_read_if_it_is_a_number() {
    for (count, want) in [
        (json!(7), Some(7)),
        (json!(null), None),
        (json!("7"), None),
        (json!(-7), None),
        (json!(u64::MAX), None),
    ] {
        let answer = json!({"data": {"type": "list", "id": "RtPqXs",
            "attributes": {"name": "x", "profile_count": count}}});
        let server = server(document(&answer)).await;
        let (klaviyo, key) = (client(&server.uri()), key());
        let answer = klaviyo.collection(&key, &list("RtPqXs"), true).await;
        assert_eq!(answer.unwrap().value.profile_count, want, "{count}");
    }
}

#[tokio::test]
async fn an_account_is_one_or_the_answer_is_invalid() {
    let check = async |data: Value| {
        let server = server(document(&json!({"data": data}))).await;
        client(&server.uri()).account(&key()).await
    };
    let answer = check(json!([{"type": "account", "id": "WBhXHN", "attributes": {}}])).await;
    assert_eq!(answer.unwrap().value.id.as_str(), "WBhXHN");
    for odd in [
        json!([]),
        json!([{"id": "A"}, {"id": "B"}]),
        json!({"id": "A"}),
        json!([{"id": ""}]),
    ] {
        assert!(matches!(check(odd).await, Err(KlaviyoError::Invalid(_))));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = server(document(&page(&[], &json!(null)))).await;
    let answer = ResponseTemplate::new(302).insert_header("location", elsewhere.uri());

    let error = members_of(answer).await.unwrap_err();

    assert!(matches!(error, KlaviyoError::Invalid(_)), "{error:?}");
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}
