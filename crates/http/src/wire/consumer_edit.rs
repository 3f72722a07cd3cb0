//! Consumers that are made, changed and unsubscribed.

use deserr::Deserr;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::value::{Email, FullName, Phone};
use fanfare_domain::writing::Channel as DomainChannel;
use fanfare_sync::{ConsumerUpdate, NewConsumer, Patch, UnsubscribeRequest};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::audience_update::plain;
use super::metadata::FlatMetadata;
use super::words::{Channel, UnsubscribeScope};
use crate::decode::{DecodeError, InBody, InSecret, OneTo, Request, missing, parsed};
use crate::error::{Key, Violation};

/// An e-mail address, in whatever spelling.
struct SentEmail(Email);

/// A phone number.
struct SentPhone(Phone);

/// A name.
struct SentName(FullName);

parsed! {
    SentEmail: "email", "e-mail", |text: &str| {
        Email::parse(text).map(Self).map_err(|_| "must be an e-mail address")
    };
    SentPhone: "phone", "E.164", |text: &str| {
        Phone::parse(text).map(Self).map_err(|_| "must be a phone number like +12345678901")
    };
    SentName: "length", "a name", |text: &str| {
        let (name, _) = FullName::join(Some(text), None);
        name.map(Self).ok_or("must be a name of at most 65536 bytes; null takes it away")
    };
}

impl From<SentEmail> for Email {
    fn from(sent: SentEmail) -> Self {
        sent.0
    }
}

impl From<SentPhone> for Phone {
    fn from(sent: SentPhone) -> Self {
        sent.0
    }
}

impl From<SentName> for FullName {
    fn from(sent: SentName) -> Self {
        sent.0
    }
}

/// A consumer to be made, or what to change of one. Fields that are left out stay as they are; null takes a value away.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = ConsumerUpdate, rename_all = "camelCase")]
pub(crate) struct ConsumerBody {
    /// It is trimmed and lower-cased. Klaviyo's is never changed by it, and a consumer that is linked to a Klaviyo profile takes that
    /// one's address again at the next sync.
    #[deserr(default, error = DecodeError<InSecret>)]
    #[schema(value_type = Option<String>)]
    email: Patch<SentEmail>,
    /// In E.164.
    #[deserr(default, error = DecodeError<InSecret>)]
    #[schema(value_type = Option<String>, example = "+12345678901")]
    phone: Patch<SentPhone>,
    #[deserr(default, error = DecodeError<InSecret>)]
    #[schema(value_type = Option<String>)]
    full_name: Patch<SentName>,
    /// Takes the place of what was there: scalars and arrays of scalars, at most 16,384 bytes of JSON.
    #[deserr(default, error = DecodeError<InSecret>)]
    #[schema(value_type = Option<Object>)]
    metadata: Patch<FlatMetadata>,
}

impl Request for ConsumerBody {}

impl ConsumerBody {
    /// The consumer to be made, by this author.
    pub(crate) fn into_new(self, actor: String) -> NewConsumer {
        NewConsumer {
            email: value(plain(self.email)),
            phone: value(plain(self.phone)),
            full_name: value(plain(self.full_name)),
            metadata: value(plain(self.metadata)),
            actor,
        }
    }

    /// The change, by this author.
    pub(crate) fn into_update(self, actor: String) -> ConsumerUpdate {
        ConsumerUpdate {
            email: plain(self.email),
            phone: plain(self.phone),
            full_name: plain(self.full_name),
            metadata: plain(self.metadata),
            actor,
        }
    }
}

fn value<T>(patch: Patch<T>) -> Option<T> {
    match patch {
        Patch::Keep => None,
        Patch::Set(value) => value,
    }
}

/// From what somebody is unsubscribed.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = Unsubscribe, rename_all = "camelCase")]
pub(crate) struct UnsubscribeBody {
    /// The channels.
    #[schema(value_type = Vec<Channel>, min_items = 1, max_items = 2)]
    channels: OneTo<Channel, 2>,
    /// Everything that the channels carry, or the messages of one list.
    #[expect(
        dead_code,
        reason = "whether there is a list says it, which the decoding checks"
    )]
    scope: UnsubscribeScope,
    /// The list, with the scope `LIST` alone.
    #[deserr(default)]
    #[schema(value_type = Option<String>, required = false)]
    list_id: Option<CollectionId>,
}

impl Request for UnsubscribeBody {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let is_list = sent.get("scope").and_then(Value::as_str) == Some("LIST");
        let has_list = sent.get("listId").is_some_and(|list| !list.is_null());
        match (is_list, has_list) {
            (true, false) => {
                let origin = deserr::ValuePointerRef::Origin;
                vec![missing("listId", origin, Some(deserr::ValueKind::String))]
            }
            (false, true) => {
                sent.remove("listId");
                let path = vec![Key::Name("listId".to_owned())];
                let message = "belongs to the scope LIST alone";
                vec![Violation::new(path, "never", "never", "string", message)]
            }
            _ => Vec::new(),
        }
    }
}

impl From<UnsubscribeBody> for UnsubscribeRequest {
    fn from(body: UnsubscribeBody) -> Self {
        let mut channels: Vec<DomainChannel> =
            body.channels.0.into_iter().map(Into::into).collect();
        channels.sort_unstable();
        channels.dedup();
        Self {
            channels,
            list: body.list_id,
        }
    }
}
