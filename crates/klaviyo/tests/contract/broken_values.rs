//! Documents that are not quite JSON, and values that cannot be used: what they cost.

use fanfare_domain::issue::Field;
use fanfare_domain::ports::Klaviyo;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::support::{PERSON, client, document, key, member, members_of, page, raw, server};

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
        // In the name of an attribute that the request did not ask for.
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
