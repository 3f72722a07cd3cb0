//! Fanfare's webhooks: the headers that sign one, its body, and what Klaviyo would be told of it.

use actix_web::http::header::HeaderValue;
use fanfare_domain::events::{
    Act, ActKey, Decision, Envelope, EventSettings, Person, SignedAt, decide, signature_of,
};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use fanfare_domain::writing::Event;
use fanfare_sync::Error;
use serde_json::Value;

use super::{CANARIES, refused, shows_nothing_private};
use crate::error::ApiError;

/// When the webhook arrives: 2026-11-29T14:14:00Z.
const RECEIVED_AT: i64 = 1_795_961_640_000_000;

/// A webhook: a line with the header `X-Fanfare-Timestamp`, one with `X-Fanfare-Signature`, an empty line and the body.
pub(super) fn webhook(bytes: &[u8]) {
    let head_ends = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match head_ends {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    signed_at(&header(lines.next()));
    signature(&header(lines.next()));
    let parsed = Envelope::parse(body);
    let parsed = parsed.map_err(|fault| ApiError::from(Error::NoEnvelope(fault)));
    if let Some(envelope) = refused(parsed) {
        told(&envelope);
    }
}

/// The text that a handler reads of a header.
fn header(line: Option<&[u8]>) -> String {
    let value = line.and_then(|line| HeaderValue::from_bytes(line).ok());
    let text = value.and_then(|value| value.to_str().ok().map(str::to_owned));
    text.unwrap_or_default()
}

fn signed_at(text: &str) {
    let now = received_at();
    let Some(signed) = SignedAt::parse(text) else {
        return;
    };
    assert_eq!(signed.text, text);
    assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = i128::from(RECEIVED_AT / 1_000_000);
    let age = text.parse::<i128>().map(|at| seconds - at);
    assert_eq!(
        signed.is_good(now),
        age.is_ok_and(|age| (-5..=300).contains(&age))
    );
}

fn signature(text: &str) {
    if let Some(code) = signature_of(text) {
        let add = |text: String, byte: &u8| format!("{text}{byte:02x}");
        let digits = code.iter().fold(String::new(), add);
        assert_eq!(text.to_ascii_lowercase(), format!("sha256={digits}"));
    }
}

fn received_at() -> Timestamp {
    Timestamp::from_micros(RECEIVED_AT).expect("it is a time")
}

/// What becomes of an envelope.
fn told(envelope: &Envelope) {
    for text in [&envelope.id, &envelope.type_name] {
        assert!((1..=255).contains(&text.chars().count()) && !text.contains(char::is_control));
    }
    let keys = ActKey::of(envelope);
    assert_eq!(keys.len(), 1 + usize::from(Act::of(envelope).is_some()));
    // Whatever else its id is, the act is the same one.
    let mut other = envelope.clone();
    other.id.push('x');
    assert_eq!(ActKey::of(&other).get(1), keys.get(1));
    assert_ne!(ActKey::of(&other).first(), keys.first());

    let settings = EventSettings {
        enabled: true,
        ..EventSettings::default()
    };
    let consumer = ConsumerId::parse("cons_1").expect("it is an id");
    let person = Person {
        consumer,
        profile: None,
        email: Email::parse("ada@example.com").ok(),
        phone: None,
    };
    let decision = decide(envelope, &settings, Some(person), received_at());
    if let Decision::Send {
        event, hold_until, ..
    } = decision
    {
        assert!(hold_until.is_none_or(|until| until > received_at() && event.value.is_none()));
        frozen(&event);
        opens_no_door(&event);
    }
    let switched_off = decide(envelope, &EventSettings::default(), None, received_at());
    assert!(matches!(switched_off, Decision::Drop(_)));
}

/// An event is read from its store as it was written.
fn frozen(event: &Event) {
    let stored = serde_json::to_string(event).expect("it can be kept");
    let read: Event = serde_json::from_str(&stored).expect("it was kept");
    assert_eq!(read, *event);
    assert!(event.at <= received_at() && event.at == event.at.whole_second());
    // Its id is the sender's, and is shown.
    let id = event.unique_id.as_str();
    if !CANARIES.iter().any(|canary| id.contains(canary)) {
        shows_nothing_private(&format!("{event:?}"));
    }
}

/// No property is named like a secret, and every store can keep all of them.
fn opens_no_door(event: &Event) {
    let properties: Value = serde_json::from_str(event.properties.as_str()).expect("it is JSON");
    let members = properties.as_object().map_or(0, serde_json::Map::len);
    assert!((1..=400).contains(&members));
    can_be_told(&properties);
}

fn can_be_told(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains('\0')),
        Value::Array(items) => items.iter().for_each(can_be_told),
        Value::Object(members) => {
            for (key, value) in members {
                let secrets = ["token", "secret", "password"];
                assert!(!key.is_empty() && !key.contains('\0'));
                assert!(!secrets.iter().any(|word| key.contains(word)));
                can_be_told(value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
