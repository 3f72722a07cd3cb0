//! What the adapter reads from answers, and from answers that are partly broken.

use std::io::Write as _;

use fanfare_domain::issue::Field;
use fanfare_domain::ports::{Klaviyo, KlaviyoError};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::quota::RateLimits;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::time::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;
use wiremock::ResponseTemplate;

use crate::support::{
    PERSON, assert_redacted, client, document, key, list, member, members, members_of,
    only_request, page, raw, segment, server, server_of,
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
async fn a_broken_attribute_does_not_affect_the_others() {
    // Half of a surrogate pair is JSON, but no string can hold it.
    let body = r#"{"data":[
        {"type":"profile","id":"A","attributes":{"email":"a\ud800@example.com","first_name":7,
            "last_name":["x"],"phone_number":"\u0000","updated":"yesterday","joined_group_at":null}},
        {"type":"profile","id":"B","attributes":{"email":"canary.person@example.com"}},
        {"type":"profile","id":"C","attributes":null},
        {"type":"profile","id":"D","attributes":[1,"\udfff"]},
        {"type":"profile","id":"E","attributes":7,"relationships":"\ud800","\udfff":1},
        {"type":"profile","id":"G","attributes":"\ud800"},
        {"type":"profile","id":"F"}],
        "links":{"next":null}}"#;

    let page = members_of(raw(200, body)).await.unwrap().value;

    let [a, b, rest @ ..] = &page.profiles[..] else {
        panic!("two profiles and more");
    };
    assert_eq!(a.email, Attribute::Unusable);
    assert_eq!(a.first_name, Attribute::Unusable);
    assert_eq!(a.last_name, Attribute::Unusable);
    assert_eq!(a.phone, Attribute::text("\0"));
    assert_eq!((a.updated, a.joined_at), (None, None));
    assert_eq!(a.unreadable_times, [Field::Updated]);
    assert_eq!(b.email, Attribute::text(PERSON));
    assert_eq!(b.last_name, Attribute::Absent);
    assert_eq!(rest.len(), 5);
    for profile in rest {
        assert_eq!(profile.email, Attribute::Absent, "{}", profile.id);
    }
}

/// The only profile of a page with these attributes.
async fn profile_of(attributes: &[u8]) -> Profile {
    let start = b"{\"data\":[{\"type\":\"profile\",\"id\":\"A\",\"attributes\":{".as_slice();
    let body = [start, attributes, b"}}],\"links\":{\"next\":null}}"].concat();
    let mut page = members_of(raw(200, body)).await.unwrap().value;
    assert_eq!((page.profiles.len(), page.next), (1, None));
    page.profiles.remove(0)
}

#[tokio::test]
async fn a_broken_piece_of_a_text_costs_that_value_alone() {
    let broken = [
        b"\xff".as_slice(),
        b"\xc3",
        b"\xed\xa0\x80",
        b"\\ud83d",
        b"\\x",
        b"\\u12",
        b"\\\xff",
    ];
    for piece in broken {
        let email = [
            b"\"email\":\"ann",
            piece,
            b"@example.com\",\"first_name\":\"Zo\\u00eb\"",
        ]
        .concat();
        let profile = profile_of(&email).await;
        assert_eq!(profile.email, Attribute::Unusable, "{piece:?}");
        assert_eq!(profile.first_name, Attribute::text("Zo\u{eb}"), "{piece:?}");
        // In the name of an attribute that nobody asked for.
        let name = [b"\"a", piece, b"\":{},\"email\":\"a@x.io\""].concat();
        let profile = profile_of(&name).await;
        assert_eq!(profile.email, Attribute::text("a@x.io"), "{piece:?}");
    }
    // A control character that is not escaped can only be itself.
    let profile = profile_of(b"\"first_name\":\"A\nnn\0\",\"last_name\":\"Bo\"").await;
    assert_eq!(profile.first_name, Attribute::text("A\nnn\0"));
    assert_eq!(profile.last_name, Attribute::text("Bo"));
}

#[tokio::test]
async fn of_a_name_that_stands_twice_in_an_object_the_last_value_stands() {
    let profile =
        profile_of(br#""email":"a@x.io","first_name":7,"email":"b@x.io","first_name":"Ann""#).await;
    assert_eq!(profile.email, Attribute::text("b@x.io"));
    assert_eq!(profile.first_name, Attribute::text("Ann"));

    let body = r#"{"data":null,"links":7,"data":[
        {"id":7,"attributes":null,"id":"A","attributes":{"email":"a@x.io"}},
        {"id":"B","id":"B"}],
        "links":{"next":7,"next":null}}"#;
    let page = members_of(raw(200, body)).await.unwrap().value;
    let ids: Vec<&str> = page.profiles.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["A", "B"]);
    assert_eq!(page.profiles[0].email, Attribute::text("a@x.io"));
}

#[tokio::test]
async fn a_byte_order_mark_before_a_document_is_skipped() {
    let marked = |json: &Value| [b"\xef\xbb\xbf \n", json.to_string().as_bytes()].concat();
    let person = member("A", &json!({"email": PERSON}));
    let answer = members_of(raw(200, marked(&page(&[person], &json!(null))))).await;
    assert_eq!(answer.unwrap().value.profiles.len(), 1);

    let account = json!({"data": [{"type": "account", "id": "WBhXHN"}]});
    let server = server(raw(200, marked(&account))).await;
    let answer = client(&server.uri()).account(&key()).await;
    assert_eq!(answer.unwrap().value.id.as_str(), "WBhXHN");
}

#[tokio::test]
async fn times_are_read_in_any_form_and_those_that_are_none_are_named() {
    for (updated, want) in [
        (
            "2026-09-04T13:40:25.601782+00:00",
            Some("2026-09-04T13:40:25.601782Z"),
        ),
        ("2026-W36-5T15:40:25,5+02", Some("2026-09-04T13:40:25.5Z")),
        ("2026-247 13:40", Some("2026-09-04T13:40:00Z")),
        ("", None),
        (" ", None),
    ] {
        let profile = profile_of(format!("\"updated\":\"{updated}\"").as_bytes()).await;
        assert_eq!(
            profile.updated,
            want.and_then(Timestamp::parse),
            "{updated}"
        );
        assert!(profile.unreadable_times.is_empty(), "{updated}");
    }
    for broken in [
        "\"soon\"",
        "1788529134",
        "true",
        "[]",
        "\"\\ud800\"",
        "\"2026-02-30\"",
    ] {
        let times = format!("\"joined_group_at\":{broken},\"updated\":{broken}");
        let profile = profile_of(times.as_bytes()).await;
        assert_eq!(
            (profile.updated, profile.joined_at),
            (None, None),
            "{broken}"
        );
        assert_eq!(
            profile.unreadable_times,
            [Field::Updated, Field::JoinedGroupAt],
            "{broken}"
        );
    }
}

#[tokio::test]
async fn an_id_is_opaque_and_may_have_255_characters() {
    for id in ["A".repeat(255), "\u{fc} /%?#\u{1f98a}".to_owned()] {
        let answer = members_of(document(&page(&[member(&id, &json!({}))], &json!(null)))).await;
        assert_eq!(answer.unwrap().value.profiles[0].id.as_str(), id);
    }
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
async fn a_next_link_gives_its_cursor_or_is_refused() {
    let check = async |next: Value| {
        let other = next.clone();
        let server = server_of(|own| {
            let next = next.as_str().map(|next| next.replace("OWN", own));
            document(&page(&[], &next.map_or(other, Value::from)))
        })
        .await;
        let answer = members(&server.uri(), None).await;
        answer.map(|answer| answer.value.next.map(|cursor| cursor.to_string()))
    };
    let taken = check(json!("OWN/api/x?page[cursor]=abc")).await;
    assert_eq!(taken, Ok(Some("abc".to_owned())));
    let relative = check(json!("/api/x?page%5Bcursor%5D=abc")).await;
    assert_eq!(relative, Ok(Some("abc".to_owned())));
    assert_eq!(check(json!(null)).await, Ok(None));

    for foreign in [
        "https://evil.example/api/x?page[cursor]=abc",
        "http://127.0.0.1:1/api/x?page[cursor]=abc",
        "//evil.example/api/x?page[cursor]=abc",
    ] {
        assert_eq!(check(json!(foreign)).await, Err(KlaviyoError::ForeignLink));
    }
    let long = format!("OWN/api/x?page[cursor]={}", "a".repeat(60_001));
    for broken in [
        json!("OWN/api/x"),
        json!("OWN/api/x?page[cursor]="),
        json!("OWN/api/x?page[cursor]=a&page[cursor]=b"),
        json!("http://"),
        json!(""),
        json!(7),
        json!({"href": "OWN/api/x?page[cursor]=a"}),
        json!(long),
    ] {
        let got = check(broken.clone()).await;
        assert!(
            matches!(got, Err(KlaviyoError::Invalid(_))),
            "{broken}: {got:?}"
        );
    }
}

#[tokio::test]
async fn a_cursor_goes_back_as_it_came_whatever_it_is() {
    let long = "ü".repeat(4_097);
    let texts = [
        "bmV4dDo6aWQ6OjAxRg==",
        "a b",
        "a\tb",
        "a\nb",
        "ü",
        "100%",
        "%41",
        "a&b=c#d",
        "+",
        "\0",
        "\u{fffd}",
        r#"[1788529134, "7qW", true]"#,
        "<Filters: any(id,['x'])>",
        &long,
    ];
    for text in texts {
        let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let percent = form.replace('+', "%20");
        let mut links = vec![(form, text.to_owned()), (percent, text.to_owned())];
        if !text.contains(['&', '#', '%', '+', '\0']) {
            links.push((text.to_owned(), text.to_owned()));
        }
        // A raw plus is a blank in a query.
        links.push(("a+b".to_owned(), "a b".to_owned()));
        for (value, want) in links {
            let next = format!("/api/x?sort=id&page[cursor]={value}");
            let from_klaviyo = server(document(&page(&[], &json!(next)))).await;
            let answer = members(&from_klaviyo.uri(), None).await.unwrap();

            let to_klaviyo = server(document(&page(&[], &json!(null)))).await;
            let cursor = answer.value.next.unwrap();
            members(&to_klaviyo.uri(), Some(cursor.as_str()))
                .await
                .unwrap();

            let request = only_request(&to_klaviyo).await;
            let mut pairs = request
                .url
                .query_pairs()
                .filter(|(name, _)| name == "page[cursor]");
            assert_eq!(pairs.next().unwrap().1, want);
            assert_eq!(pairs.next(), None);
        }
    }
}

#[tokio::test]
async fn the_longest_cursor_that_is_taken_can_be_sent() {
    let server = server(document(&page(&[], &json!(null)))).await;
    members(&server.uri(), Some(&"a".repeat(60_000)))
        .await
        .unwrap();
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
