//! Enums of the domain, by the same words as in its stores and logs.

use std::borrow::Cow;

use fanfare_domain::{
    audience, consent, contact, delivery, explain, history, run, source, waiting, writing,
};
use fanfare_sync::Scope;
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::decode::parsed;

macro_rules! words {
    ($(#[doc = $doc:literal] $name:ident ($schema:literal) = $domain:ty;)+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name(pub(crate) $domain);

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                word.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = <$domain>::ALL.iter().map(|value| value.as_str());
                let schema = ObjectBuilder::new().schema_type(Type::String);
                let schema = schema.description(Some($doc.trim())).enum_values(Some(words));
                schema.build().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                $schema.into()
            }
        }

        parsed! {
            $name: "picklist", &list(<$domain>::ALL, " | "), |text: &str| {
                let found = <$domain>::parse(text).map(Self);
                found.ok_or_else(|| format!("must be {}", list(<$domain>::ALL, " or ")))
            };
        }
    )+};
}

words! {
    /// Where a sync stands.
    SyncStatus ("SyncStatus") = run::SyncStatus;
    /// How much of the list is read.
    RunMode ("SyncMode") = run::RunMode;
    /// What started it.
    RunTrigger ("SyncTrigger") = run::Trigger;
    /// Why a run waits.
    WaitReason ("SyncWaitReason") = waiting::WaitReason;
    /// What of Klaviyo's it is.
    CollectionKind ("CollectionKind") = source::CollectionKind;
    /// What a change of an audience was.
    ChangeKind ("ChangeType") = history::ChangeKind;
    /// Why somebody is, or is not, a member.
    ReasonCode ("MembershipReasonCode") = explain::ReasonCode;
    /// What a delivery tells Klaviyo.
    DeliveryKind ("DeliveryKind") = delivery::DeliveryKind;
    /// How far a delivery is.
    DeliveryStatus ("DeliveryStatus") = delivery::DeliveryStatus;
    /// A channel of marketing.
    Channel ("Channel") = writing::Channel;
    /// From what somebody is unsubscribed.
    UnsubscribeScope ("UnsubscribeScope") = Scope;
    /// How far somebody lets themselves be written to.
    ConsentLevel ("ConsentLevel") = consent::ConsentLevel;
    /// Whose value stays where both sides have changed one.
    ContactWinner ("ContactWinner") = contact::Winner;
    /// Who fills an audience: a Klaviyo list or segment, or your own people and services.
    AudienceType ("AudienceType") = audience::AudienceType;
    /// The kind of an audience's group.
    GroupType ("GroupType") = audience::GroupType;
}

fn list<T: ToString>(all: &[T], separator: &str) -> String {
    let words: Vec<String> = all.iter().map(T::to_string).collect();
    words.join(separator)
}
