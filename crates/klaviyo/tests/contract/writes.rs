//! What writes send, byte for byte.

use fanfare_domain::ids::{CollectionId, ProfileId, UniqueId};
use fanfare_domain::ports::KlaviyoWrites;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Change, Event, JsonObject, JsonValue, MembershipProof, MetricName, Money, PersonIds,
    PersonalText, ProfileChanges, ProfileUpsert, Unsubscribe, UnsubscribePerson, WriteError,
};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::{KEY, client, key, only_request, raw, server};

pub(crate) fn person(email: &str) -> PersonIds {
    PersonIds {
        email: Some(PersonalText::new(email)),
        ..PersonIds::default()
    }
}

pub(crate) fn event(id: &str, email: &str) -> Event {
    Event {
        unique_id: UniqueId::parse(id).unwrap(),
        metric: MetricName::parse("Fanfare Purchase").unwrap(),
        person: person(email),
        at: Timestamp::parse("2026-11-29T12:00:01.987Z").unwrap(),
        properties: JsonObject::parse(r#"{"total":10.10,"items":["a"]}"#).unwrap(),
        value: Some(Money::parse("0019.90", "eur").unwrap()),
        backfill: false,
    }
}

pub(crate) fn upsert(email: &str, first_name: &str) -> ProfileUpsert {
    ProfileUpsert {
        person: person(email),
        changes: ProfileChanges {
            first_name: Change::Set(PersonalText::new(first_name)),
            ..ProfileChanges::default()
        },
    }
}

pub(crate) fn proof(list: &CollectionId, email: &str) -> MembershipProof {
    let member = Profile {
        id: ProfileId::parse("P1").unwrap(),
        email: Attribute::text(email),
        phone: Attribute::Absent,
        first_name: Attribute::Absent,
        last_name: Attribute::Absent,
        updated: None,
        joined_at: None,
        consents: None,
        unreadable_times: Vec::new(),
    };
    let person = unsubscribed(Some(email), None);
    MembershipProof::of(list, &[member], &person, Timestamp::EPOCH).unwrap()
}

pub(crate) fn unsubscribed(email: Option<&str>, phone: Option<&str>) -> UnsubscribePerson {
    UnsubscribePerson {
        email: email.map(PersonalText::new),
        phone: phone.map(PersonalText::new),
    }
}

fn text(request: &Request) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[tokio::test]
async fn an_event_is_sent_as_it_was_frozen() {
    let server = server(ResponseTemplate::new(202)).await;
    let mut event = event("ord_1", "ada@example.com");
    event.person.profile = Some(ProfileId::parse("01P").unwrap());
    event.person.external_id = Some(PersonalText::new("cons_1"));
    let klaviyo = client(&server.uri());
    klaviyo.create_event(&key(), &event).await.unwrap();
    let request = only_request(&server).await;
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.url.path(), "/api/events");
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("content-type"), "application/vnd.api+json");
    assert_eq!(header("authorization"), format!("Klaviyo-API-Key {KEY}"));
    assert_eq!(header("revision"), "2026-07-15");
    assert_eq!(
        text(&request),
        concat!(
            r#"{"data":{"type":"event","attributes":{"properties":{"total":10.10,"items":["a"]},"#,
            r#""time":"2026-11-29T12:00:01Z","value":19.90,"value_currency":"EUR","unique_id":"ord_1","#,
            r#""backfill":false,"metric":{"data":{"type":"metric","attributes":{"name":"Fanfare Purchase"}}},"#,
            r#""profile":{"data":{"type":"profile","id":"01P","attributes":{"email":"ada@example.com","#,
            r#""external_id":"cons_1"}}}}}}"#,
        )
    );
}

#[tokio::test]
async fn a_repeated_event_of_a_batch_is_sent_once_and_rows_keep_their_places() {
    let error = json!({"errors": [{
        "code": "invalid", "detail": "Bad.",
        "source": {"pointer": "/data/attributes/events-bulk-create/data/1/attributes/events/data/0/attributes/time"},
    }]});
    let server = server(raw(400, error.to_string())).await;
    let one = event("e1", "ada@example.com");
    let events = [one.clone(), one.clone(), event("e1", "bob@example.com")];
    let klaviyo = client(&server.uri());
    let error = klaviyo.create_events(&key(), &events).await.unwrap_err();
    let WriteError::ContentRefused(refusal) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refusal.rows[0].row, Some(2));
    assert_eq!(refusal.rows[0].field.as_deref(), Some("time"));
    let request = only_request(&server).await;
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let groups = &body["data"]["attributes"]["events-bulk-create"]["data"];
    assert_eq!(groups.as_array().unwrap().len(), 2);
    let first = &groups[0]["attributes"];
    assert_eq!(
        first["profile"]["data"]["attributes"]["email"],
        "ada@example.com"
    );
    let event = &first["events"]["data"][0]["attributes"];
    assert_eq!(event["unique_id"], "e1");
    assert!(event.get("profile").is_none());
}

#[tokio::test]
async fn what_can_only_be_refused_is_not_sent() {
    let server = server(ResponseTemplate::new(202)).await;
    let klaviyo = client(&server.uri());
    let check = |result: Result<(), WriteError>, row, code: &str| {
        let Err(WriteError::ContentRefused(refusal)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(refusal.rows[0].row, row);
        assert_eq!(refusal.rows[0].code, code);
    };
    let mut nobody = event("e", "x");
    nobody.person = PersonIds::default();
    let batch = [event("e", "ada@example.com"), nobody.clone()];
    let sent = klaviyo.create_event(&key(), &nobody).await;
    check(sent.map(drop), None, "no_identifier");
    let sent = klaviyo.create_events(&key(), &batch).await;
    check(sent.map(drop), Some(1), "no_identifier");
    let mut wide = event("e", "ada@example.com");
    let properties: serde_json::Map<_, _> =
        (0..401).map(|at| (format!("p{at}"), json!(1))).collect();
    wide.properties = JsonObject::parse(Value::from(properties).to_string()).unwrap();
    let sent = klaviyo.create_event(&key(), &wide).await;
    check(sent.map(drop), None, "too_many_properties");
    let mut cleared = upsert("ada@example.com", "Ada");
    cleared.changes.last_name = Change::Clear;
    let sent = klaviyo.start_import(&key(), &[cleared]).await;
    check(sent.map(drop), Some(0), "clears");
    let large = upsert("ada@example.com", &"x".repeat(100_000));
    let sent = klaviyo
        .start_import(&key(), &[upsert("b@example.com", "B"), large])
        .await;
    check(sent.map(drop), Some(1), "too_large");
    let list = CollectionId::parse("L").unwrap();
    let sent = klaviyo.add_to_list(&key(), &list, &[]).await;
    check(sent.map(drop), None, "wrong_number_of_profiles");
    let many = vec![ProfileId::parse("P").unwrap(); 1_001];
    let sent = klaviyo.remove_from_list(&key(), &list, &many).await;
    check(sent.map(drop), None, "wrong_number_of_profiles");
    let sent = klaviyo
        .unsubscribe(&key(), &Unsubscribe::from_all(Vec::new()))
        .await;
    check(sent.map(drop), None, "wrong_number_of_profiles");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn batches_end_by_bytes_and_by_number() {
    let klaviyo = client("http://127.0.0.1:9");
    let events: Vec<Event> = (0..1_200)
        .map(|at| event(&format!("e{at}"), "ada@example.com"))
        .collect();
    assert_eq!(klaviyo.events_that_fit(&events), 1_000);
    assert_eq!(klaviyo.events_that_fit(&events[..7]), 7);
    let large: Vec<Event> = (0..100)
        .map(|at| {
            let mut event = event(&format!("e{at}"), "ada@example.com");
            let text = json!({"text": "x".repeat(90_000)}).to_string();
            event.properties = JsonObject::parse(text).unwrap();
            event
        })
        .collect();
    let fit = klaviyo.events_that_fit(&large);
    assert!((50..=55).contains(&fit), "{fit}");
    let profiles: Vec<ProfileUpsert> = (0..10_001)
        .map(|at| upsert(&format!("p{at}@example.com"), "Ada"))
        .collect();
    assert_eq!(klaviyo.profiles_that_fit(&profiles), 10_000);
    // What fits by its count of bytes fits as a request.
    let server = server(ResponseTemplate::new(202)).await;
    let klaviyo = client(&server.uri());
    klaviyo.create_events(&key(), &large[..fit]).await.unwrap();
    let bytes = only_request(&server).await.body.len();
    assert!((4_900_000..=5_000_000).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn only_what_changed_is_sent_and_null_only_where_it_was_cleared() {
    let answer = json!({"data": {"type": "profile", "id": "01P", "attributes": {"updated": "2026-11-29T12:00:00.5Z"}}});
    let server = server(raw(200, answer.to_string())).await;
    let mut changes = ProfileChanges {
        first_name: Change::Set(PersonalText::new("Zoë")),
        last_name: Change::Clear,
        ..ProfileChanges::default()
    };
    let property = JsonValue::parse("[1,2.50]").unwrap();
    changes
        .properties
        .insert("fanfare_a".to_owned(), Change::Set(property));
    changes
        .properties
        .insert("fanfare_b".to_owned(), Change::Clear);
    changes
        .properties
        .insert("fanfare_c".to_owned(), Change::Keep);
    let profile = ProfileId::parse("01P").unwrap();
    let klaviyo = client(&server.uri());
    let written = klaviyo
        .update_profile(&key(), &profile, &changes)
        .await
        .unwrap()
        .value;
    assert_eq!((written.id, written.is_new), (profile, false));
    assert_eq!(written.updated, Timestamp::parse("2026-11-29T12:00:00.5Z"));
    let request = only_request(&server).await;
    assert_eq!(request.method.as_str(), "PATCH");
    assert_eq!(request.url.path(), "/api/profiles/01P");
    assert_eq!(
        text(&request),
        concat!(
            r#"{"data":{"type":"profile","id":"01P","attributes":{"first_name":"Zoë","last_name":null,"#,
            r#""properties":{"fanfare_a":[1,2.50]}},"meta":{"patch_properties":{"unset":["fanfare_b"]}}}}"#,
        )
    );
}

#[tokio::test]
async fn members_are_added_and_removed_by_one_body() {
    let list = CollectionId::parse("Li/st").unwrap();
    let ids = ["A", "B"].map(|id| ProfileId::parse(id).unwrap());
    for is_added in [true, false] {
        let server = server(ResponseTemplate::new(204)).await;
        let klaviyo = client(&server.uri());
        let sent = if is_added {
            klaviyo.add_to_list(&key(), &list, &ids).await
        } else {
            klaviyo.remove_from_list(&key(), &list, &ids).await
        };
        sent.unwrap();
        let request = only_request(&server).await;
        let method = if is_added { "POST" } else { "DELETE" };
        assert_eq!(request.method.as_str(), method);
        assert_eq!(
            request.url.path(),
            "/api/lists/Li%2Fst/relationships/profiles"
        );
        assert_eq!(
            text(&request),
            r#"{"data":[{"type":"profile","id":"A"},{"type":"profile","id":"B"}]}"#
        );
    }
}

#[tokio::test]
async fn consent_is_ended_in_the_named_channels_alone() {
    let server = server(ResponseTemplate::new(202)).await;
    let klaviyo = client(&server.uri());
    let list = CollectionId::parse("L").unwrap();
    let proofs = vec![proof(&list, "ada@example.com")];
    let of_list = Unsubscribe::from_list(proofs, Timestamp::EPOCH).unwrap();
    klaviyo.unsubscribe(&key(), &of_list).await.unwrap();
    let all = Unsubscribe::from_all(vec![unsubscribed(None, Some("+15550001111"))]);
    klaviyo.unsubscribe(&key(), &all).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        text(&requests[0]),
        concat!(
            r#"{"data":{"type":"profile-subscription-bulk-delete-job","attributes":{"profiles":{"data":[{"type":"profile","#,
            r#""attributes":{"email":"ada@example.com","subscriptions":{"email":{"marketing":{"consent":"UNSUBSCRIBED"}}}}}]}},"#,
            r#""relationships":{"list":{"data":{"type":"list","id":"L"}}}}}"#,
        )
    );
    assert_eq!(
        text(&requests[1]),
        concat!(
            r#"{"data":{"type":"profile-subscription-bulk-delete-job","attributes":{"profiles":{"data":[{"type":"profile","#,
            r#""attributes":{"phone_number":"+15550001111","subscriptions":{"sms":{"marketing":{"consent":"UNSUBSCRIBED"}}}}}]}}}}"#,
        )
    );
    assert_eq!(
        requests[0].url.path(),
        "/api/profile-subscription-bulk-delete-jobs"
    );
}
