//! Short ways to make values.

mod deliveries;
mod profiles;
mod records;

use fanfare_domain::connection::ApiKey;
use fanfare_domain::ids::{
    AudienceId, CollectionId, ConsumerId, OrganizationId, ProfileId, RunId, SourceId,
};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, FullName, Phone};
use secrecy::SecretString;

pub use deliveries::{delivery_id, dropped, pending, purchase, webhook};
pub use profiles::{ProfileBuilder, page_plan, people, profile};
pub use records::{
    ConsumerBuilder, audience, connection, consumer, issue, link, link_move, made_consumer,
    organization, run, secret_key, source, stamp, succeeded,
};

/// The time this many seconds after 2026-01-01T00:00:00Z.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_767_225_600 + seconds) * 1_000_000).expect("a time of this age")
}

/// An organization's id.
pub fn organization_id(text: &str) -> OrganizationId {
    OrganizationId::parse(text).expect("an id")
}

/// An audience's id.
pub fn audience_id(text: &str) -> AudienceId {
    AudienceId::parse(text).expect("an id")
}

/// A consumer's id.
pub fn consumer_id(text: &str) -> ConsumerId {
    ConsumerId::parse(text).expect("an id")
}

/// A sync source's id.
pub fn source_id(text: &str) -> SourceId {
    SourceId::parse(text).expect("an id")
}

/// A run's id.
pub fn run_id(text: &str) -> RunId {
    RunId::parse(text).expect("an id")
}

/// A Klaviyo profile's id.
pub fn profile_id(text: &str) -> ProfileId {
    ProfileId::parse(text).expect("an id")
}

/// A private API key of Klaviyo's.
pub fn api_key(text: &str) -> ApiKey {
    ApiKey::parse(&SecretString::from(text)).expect("a key")
}

/// A Klaviyo list.
pub fn list(id: &str) -> CollectionRef {
    CollectionRef {
        kind: CollectionKind::List,
        id: CollectionId::parse(id).expect("an id"),
    }
}

/// A Klaviyo segment.
pub fn segment(id: &str) -> CollectionRef {
    CollectionRef {
        kind: CollectionKind::Segment,
        ..list(id)
    }
}

/// A valid e-mail.
pub fn email(text: &str) -> Email {
    Email::parse(text).expect("an e-mail")
}

/// A valid phone number.
pub fn phone(text: &str) -> Phone {
    Phone::parse(text).expect("a phone number")
}

/// A valid name.
pub fn full_name(text: &str) -> FullName {
    FullName::join(Some(text), None).0.expect("a name")
}
