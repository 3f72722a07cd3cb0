//! What must hold whatever bytes a caller sends: the fuzzing engine looks for bytes for which it does not, and the tests
//! repeat those that were found.
//!
//! A target takes any bytes as a body, a query string or a cursor, and panics if something does not hold. It is compiled
//! for tests and by `cargo xtask fuzz` alone.
#![expect(
    clippy::missing_panics_doc,
    reason = "a target panics to tell what it found"
)]

mod webhook;

use std::collections::BTreeMap;

use actix_web::ResponseError;
use actix_web::body::MessageBody;
use deserr::Deserr;
use fanfare_domain::delivery::DeliveryFilter;
use fanfare_domain::door::Members;
use fanfare_domain::events::EventSettings;
use fanfare_domain::paging::PageRequest;
use fanfare_sync::{ListChoice, Patch};
use serde_json::Value;

use crate::decode::{
    Body, DecodeError, InBody, InQuery, NoQuery, Nothing, OptionalBody, PagedQuery, Query, Request,
};
use crate::error::{ApiError, Violations};
use crate::{cursor, wire};

/// A target's name and function. The bytes that it is tested with are in `crates/fuzz/corpus/NAME`.
pub type Target = (&'static str, fn(&[u8]));

/// All targets of this crate.
pub const TARGETS: &[Target] = &[
    ("http-bodies", bodies),
    ("http-queries", queries),
    ("http-cursor", cursor),
    ("http-webhook", webhook::webhook),
];

/// Texts that stand for what is private. The engine knows them and puts them where it can.
const CANARIES: [&str; 3] = [
    "canary@example.com",
    "pk_canary0123456789",
    "Zo\u{eb} Canary",
];

/// The largest answer that refuses a request, in bytes: a hundred violations, told twice.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// A body, for each route that takes one.
pub fn bodies(bytes: &[u8]) {
    bodies_of_audiences(bytes);
    bodies_of_consumers(bytes);
    bodies_of_lists(bytes);
    if let Some(settings) = body::<wire::SettingsBody>(bytes)
        && let wire::SettingsChange::Change {
            connect,
            events,
            contacts,
            push_limit,
        } = settings.into()
    {
        shows_nothing_private(&format!("{connect:?}"));
        // It changes something.
        assert!(
            connect.is_some() || events.is_some() || contacts.is_some() || push_limit.is_some()
        );
        if let Some(events) = events {
            let settings = EventSettings::default().merged(events.clone());
            assert_eq!(settings.clone().merged(events), settings);
            for (event_type, metric) in settings.metrics {
                assert!(event_type.is_of_a_consumer());
                assert!(metric.is_none_or(|metric| metric.as_str().chars().count() < 128));
            }
        }
    }
    body::<wire::SyncBody>(bytes);
    let _ = refused(OptionalBody::<Nothing>::parse(bytes));
}

fn bodies_of_audiences(bytes: &[u8]) {
    if let Some(import) = body::<wire::ImportBody>(bytes) {
        let collections = import.collections();
        assert!(collections.len() <= 200);
        for collection in collections {
            let id = collection.id.as_str();
            assert!((1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()));
        }
    }
    if let Some(audience) = body::<wire::AudienceBody>(bytes) {
        let update = audience.into_update("key_1".to_owned());
        let name = update.name.map(Some);
        let texts = [update.description, update.icon_name, update.group_id];
        let texts = texts.into_iter().filter_map(|patch| match patch {
            Patch::Set(text) => Some(text),
            Patch::Keep => None,
        });
        name.into_iter()
            .chain(texts)
            .flatten()
            .for_each(|text| text_can_be_kept(&text));
        if let Patch::Set(Some(metadata)) = update.metadata {
            metadata_can_be_kept(&metadata);
        }
    }
    if let Some(audience) = body::<wire::NewAudienceBody>(bytes) {
        let new = audience.into_new("key_1".to_owned());
        assert!((1..=255).contains(&new.name.chars().count()));
        let others = [new.description, new.icon_name, new.group_id, new.group_name];
        let others = others.into_iter().flatten();
        others
            .chain([new.name])
            .for_each(|text| text_can_be_kept(&text));
        if let Some(metadata) = new.metadata {
            metadata_can_be_kept(&metadata);
        }
    }
    if let Some(members) = body::<wire::MembersBody>(bytes) {
        assert!((1..=1_000).contains(&members.into_ids().len()));
    }
    if let Some(snapshot) = body::<wire::SnapshotBody>(bytes) {
        text_can_be_kept(&String::from(snapshot.name));
    }
    if let Some(check) = body::<wire::CheckBody>(bytes) {
        let asked = check.into_asked();
        assert!((1..=100).contains(&asked.len()));
        assert_eq!(asked.answers(&Members::default()).len(), asked.len());
    }
}

fn bodies_of_consumers(bytes: &[u8]) {
    if let Some(consumer) = body::<wire::ConsumerBody>(bytes) {
        let new = consumer.into_new("key_1".to_owned());
        let values = (&new.email, &new.phone, &new.full_name);
        shows_nothing_private(&format!("{values:?}"));
        if let Some(metadata) = new.metadata {
            metadata_can_be_kept(&metadata);
        }
        let update = body::<wire::ConsumerBody>(bytes).expect("it was taken a moment ago");
        let update = update.into_update("key_1".to_owned());
        let kept = |email: Patch<_>| match email {
            Patch::Keep => None,
            Patch::Set(email) => email,
        };
        assert_eq!(kept(update.email), new.email);
    }
    if let Some(ended) = body::<wire::UnsubscribeBody>(bytes) {
        let request = fanfare_sync::UnsubscribeRequest::from(ended);
        assert!((1..=2).contains(&request.channels.len()));
    }
}

/// The list that an audience is kept in, and a push.
fn bodies_of_lists(bytes: &[u8]) {
    // `null` is a choice, too.
    let choice = refused(Body::<Option<wire::ListChoiceBody>>::parse(bytes));
    match choice.map(|Body(choice)| wire::choice_of(choice)) {
        Some(ListChoice::New(name)) => text_can_be_kept(&name),
        Some(ListChoice::None) => assert_eq!(bytes.trim_ascii(), b"null"),
        Some(ListChoice::Existing(_)) | None => {}
    }
    if let Some(push) = body::<wire::PushBody>(bytes) {
        let length = push
            .confirmation
            .map_or(0, |text| String::from(text).chars().count());
        assert!(length <= 255);
    }
}

/// A query string, for each route.
pub fn queries(query: &[u8]) {
    let query = String::from_utf8_lossy(query);
    let _ = valid(NoQuery::parse(&query));
    page::<wire::AudienceQuery>(&query);
    page::<wire::MembersQuery>(&query);
    page::<wire::ChangesQuery>(&query);
    page::<wire::ConsumersQuery>(&query);
    page::<Nothing>(&query);
    let _ = valid(Query::<wire::AudienceQuery>::parse(&query));
    if let Some(Query(lookup)) = valid(Query::<wire::LookupQuery>::parse(&query)) {
        assert!(lookup.lookup().is_some());
    }
    let _ = valid(Query::<wire::SourcesQuery>::parse(&query));
    let _ = valid(Query::<wire::DifferenceQuery>::parse(&query));
    if let Some(PagedQuery(deliveries, _)) =
        valid(PagedQuery::<wire::DeliveriesQuery>::parse(&query))
    {
        let filter = DeliveryFilter::from(deliveries);
        assert!(filter.consumer.is_none_or(|id| id.as_str().len() <= 64));
    }
    if let Some(Query(preview)) = valid(Query::<wire::PreviewQuery>::parse(&query)) {
        assert!(preview.event_type.0.is_of_a_consumer());
    }
    if let Some(Query(explain)) = valid(Query::<wire::ExplainQuery>::parse(&query)) {
        // An id that cannot be one is not found; everything else is somebody to be asked about.
        let _ = explain.into_whom();
    }
}

/// The `after` of a page.
pub fn cursor(text: &[u8]) {
    if let Some(key) = cursor::decode(&String::from_utf8_lossy(text)) {
        assert_eq!(cursor::decode(&cursor::encode(&key)), Some(key.clone()));
        assert!((1..=2_048).contains(&key.len()) && !key.contains(char::is_control));
    }
}

fn body<T: Request + Deserr<DecodeError<InBody>>>(bytes: &[u8]) -> Option<T> {
    let body = refused(Body::<T>::parse(bytes));
    // A body that may be left out is decoded in the same way when it is there.
    if !bytes.is_empty() {
        let optional = refused(OptionalBody::<T>::parse(bytes));
        assert_eq!(optional.is_some(), body.is_some());
    }
    body.map(|Body(value)| value)
}

fn page<T: Request + Deserr<DecodeError<InQuery>>>(query: &str) {
    if let Some(PagedQuery(_, page)) = valid(PagedQuery::<T>::parse(query)) {
        let PageRequest { first, after } = page;
        assert!((1..=100).contains(&first));
        assert!(after.is_none_or(|key| (1..=2_048).contains(&key.len())));
    }
}

fn valid<T>(decoded: Result<T, Violations>) -> Option<T> {
    refused(decoded.map_err(|violations| ApiError::invalid(&violations)))
}

/// What was decoded. Where it was refused, the answer says why, is small and shows nothing private.
fn refused<T>(decoded: Result<T, ApiError>) -> Option<T> {
    let error = match decoded {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    assert_eq!(error.status_code(), 400);
    let answer = error.error_response().into_body().try_into_bytes();
    let answer = answer.expect("it is in memory");
    assert!(answer.len() <= MAX_REFUSAL_BYTES, "{} bytes", answer.len());
    let answer: Value = serde_json::from_slice(&answer).expect("it is JSON");
    let named = |list: &str| answer[list].as_array().map_or(0, Vec::len);
    assert!((1..=100).contains(&named("issues")));
    assert_eq!(named("issues"), named("details"));
    shows_nothing_private(&answer.to_string());
    None
}

/// Postgres keeps no text with this character.
fn text_can_be_kept(text: &str) {
    assert!(text.chars().count() <= 10_000 && !text.contains('\0'));
}

fn metadata_can_be_kept(metadata: &BTreeMap<String, String>) {
    let bytes: usize = metadata
        .iter()
        .map(|(name, json)| {
            let value: Value = serde_json::from_str(json).expect("it is JSON");
            assert_eq!(value.to_string(), *json);
            name.len() + json.len()
        })
        .sum();
    assert!(bytes <= 16 << 10);
}

fn shows_nothing_private(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "it shows {canary}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_has_found_holds() {
        fanfare_testkit::corpus::replay(super::TARGETS);
    }
}
