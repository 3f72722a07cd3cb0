//! Consumers.

use std::collections::BTreeMap;

use deserr::Deserr;
use fanfare_domain::consent::{Consent, Consents};
use fanfare_domain::ids::{AudienceId, OrganizationId, ProfileId};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Lookup};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, Phone};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::audience::values;
use super::words::ConsentLevel;
use super::{SearchText, SyncSource, Time, VENDOR};
use crate::decode::{DecodeError, InQuery, InSecret, Request, parsed};
use crate::error::Violation;

/// A consumer, in the whole of Fanfare's shape. What this service does not know of one is null, or
/// nothing where the shape wants a number.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape is Fanfare's, not ours"
)]
pub(crate) struct Consumer {
    #[schema(example = "cons_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    organization_id: String,
    email: Option<String>,
    email_verified: bool,
    /// In E.164.
    #[schema(example = "+12345678901")]
    phone: Option<String>,
    phone_verified: bool,
    full_name: Option<String>,
    status: ConsumerStatus,
    /// Scalars and arrays of scalars.
    #[schema(value_type = Option<Object>)]
    metadata: Option<BTreeMap<String, Value>>,
    /// Whether the person has unsubscribed from SMS.
    sms_opt_out: bool,
    /// How far the person lets themselves be written to, as Klaviyo says; null where nothing is known.
    klaviyo: Option<KlaviyoConsents>,
    #[schema(value_type = Option<String>)]
    verification_code: (),
    verification_code_expires_at: Option<Time>,

    /// Klaviyo's id of the profile that stands for it.
    primary_external_id: Option<String>,
    primary_source_vendor: Option<&'static str>,
    /// When that profile last changed it.
    primary_last_synced_at: Option<Time>,
    primary_sync_source_id: Option<String>,
    /// Always null; `GET /api/sync-sources/{id}` has it.
    primary_sync_source: Option<SyncSource>,

    total_orders: u64,
    total_returns: u64,
    /// Money, as decimal text.
    #[schema(example = "0")]
    ltv: &'static str,
    /// Money, as decimal text.
    #[schema(example = "0")]
    aov: &'static str,
    last_order_at: Option<Time>,
    last_return_at: Option<Time>,

    engaged_count: u64,
    total_engagements: u64,
    total_messages: u64,
    last_engaged_at: Option<Time>,
    last_login_at: Option<Time>,

    activity_score: u64,
    activity_rank: u64,
    activity_score_updated_at: Option<Time>,
    purchase_frequency_score: u64,
    purchase_frequency_rank: u64,
    purchase_frequency_score_updated_at: Option<Time>,
    monetary_score: u64,
    monetary_rank: u64,
    monetary_score_updated_at: Option<Time>,

    loyalty_balance: u64,
    loyalty_lifetime_points: u64,
    loyalty_last_activity_at: Option<Time>,

    last_geo_at: Option<Time>,
    #[schema(value_type = Option<String>)]
    last_geo_city: (),
    #[schema(value_type = Option<String>)]
    last_geo_region: (),
    #[schema(value_type = Option<String>)]
    last_geo_country: (),
    #[schema(value_type = Option<String>)]
    last_geo_postal_code: (),
    #[schema(value_type = Option<String>)]
    last_geo_timezone: (),
    #[schema(value_type = Option<Object>)]
    last_geo_coordinates: (),
    #[schema(value_type = Option<String>)]
    last_geo_source: (),

    archived: bool,
    created_at: Time,
    /// A key's id, or `system:klaviyo`.
    created_by: String,
    updated_at: Option<Time>,
    updated_by: Option<String>,
}

/// How far a person lets themselves be written to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KlaviyoConsents {
    email: KlaviyoConsent,
    sms: KlaviyoConsent,
}

/// The consent to a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KlaviyoConsent {
    /// What the person has said.
    consent: ConsentLevel,
    /// Whether Klaviyo sends nothing to the person, because they or the merchant do not want it, or it cannot arrive.
    suppressed: bool,
    /// Since when.
    at: Option<Time>,
}

impl From<Consents> for KlaviyoConsents {
    fn from(consents: Consents) -> Self {
        let of = |consent: Consent| KlaviyoConsent {
            consent: consent.stated.into(),
            suppressed: consent.is_suppressed(),
            at: Time::maybe(consent.at),
        };
        Self {
            email: of(consents.email),
            sms: of(consents.sms),
        }
    }
}

/// Whether a consumer may take part.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ConsumerStatus {
    /// It may.
    Active,
}

impl Consumer {
    pub(crate) fn of(organization: &OrganizationId, record: ConsumerRecord) -> Self {
        let consumer = record.consumer;
        let primary = consumer.primary;
        let consents = consumer.consents.get();
        Self {
            id: consumer.id.to_string(),
            organization_id: organization.to_string(),
            email: consumer.email.map(|email| email.as_str().to_owned()),
            email_verified: false,
            phone: consumer.phone.map(|phone| phone.value.as_str().to_owned()),
            phone_verified: false,
            full_name: consumer
                .full_name
                .map(|name| name.value.as_str().to_owned()),
            status: ConsumerStatus::Active,
            metadata: record.metadata.map(values),
            sms_opt_out: consents.is_some_and(|consents| consents.sms_opt_out()),
            klaviyo: consents.map(KlaviyoConsents::from),
            verification_code: (),
            verification_code_expires_at: None,
            primary_source_vendor: primary.as_ref().map(|_| VENDOR),
            primary_last_synced_at: Time::maybe(record.primary_changed_at),
            primary_sync_source_id: primary.as_ref().map(|primary| primary.source.to_string()),
            primary_external_id: primary.map(|primary| primary.stamp.profile.to_string()),
            primary_sync_source: None,
            total_orders: 0,
            total_returns: 0,
            ltv: "0",
            aov: "0",
            last_order_at: None,
            last_return_at: None,
            engaged_count: 0,
            total_engagements: 0,
            total_messages: 0,
            last_engaged_at: None,
            last_login_at: None,
            activity_score: 0,
            activity_rank: 0,
            activity_score_updated_at: None,
            purchase_frequency_score: 0,
            purchase_frequency_rank: 0,
            purchase_frequency_score_updated_at: None,
            monetary_score: 0,
            monetary_rank: 0,
            monetary_score_updated_at: None,
            loyalty_balance: 0,
            loyalty_lifetime_points: 0,
            loyalty_last_activity_at: None,
            last_geo_at: None,
            last_geo_city: (),
            last_geo_region: (),
            last_geo_country: (),
            last_geo_postal_code: (),
            last_geo_timezone: (),
            last_geo_coordinates: (),
            last_geo_source: (),
            archived: false,
            created_at: Time(record.created_at),
            created_by: record.created_by,
            updated_at: Time::maybe(record.updated_at),
            updated_by: record.updated_by,
        }
    }
}

/// Which consumers are asked for.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ConsumersQuery {
    /// Part of an e-mail, phone number or name
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>, min_length = 2, max_length = 255)]
    search: Option<SearchText>,
    /// Members of this audience only
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    audience_id: Option<AudienceId>,
    /// Made after this time
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    created_after: Option<Timestamp>,
    /// Made before this time
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    created_before: Option<Timestamp>,
}

impl Request for ConsumersQuery {}

impl From<ConsumersQuery> for ConsumerFilter {
    fn from(query: ConsumersQuery) -> Self {
        Self {
            search: query.search.map(String::from),
            audience: query.audience_id,
            created_after: query.created_after,
            created_before: query.created_before,
        }
    }
}

/// By what consumers are looked up: exactly one of the parameters.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct LookupQuery {
    /// An e-mail address
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>)]
    email: Option<LookupEmail>,
    /// A phone number in E.164; `+` is `%2B` in a query
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>)]
    phone: Option<LookupPhone>,
    /// Klaviyo's id of a profile
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>)]
    external_id: Option<ProfileId>,
}

/// An e-mail address that may have lost a `+` on the way.
struct LookupEmail(String);

/// A phone number that may have lost its `+` on the way.
struct LookupPhone(String);

impl Request for LookupQuery {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let names = ["email", "phone", "externalId"];
        if names
            .iter()
            .filter(|name| sent.contains_key(**name))
            .count()
            == 1
        {
            return Vec::new();
        }
        for name in names {
            sent.remove(name);
        }
        let message = "give exactly one of email, phone and externalId";
        vec![Violation::of_whole(message)]
    }
}

impl LookupQuery {
    /// The parameter that was given.
    pub(crate) fn lookup(self) -> Option<Lookup> {
        let email = self.email.map(|email| Lookup::Email(email.0));
        let phone = self.phone.map(|phone| Lookup::Phone(phone.0));
        email.or(phone).or(self.external_id.map(Lookup::Profile))
    }
}

parsed! {
    LookupEmail: "email", "e-mail", |text: &str| {
        // A blank within an address can only be a `+` that was not escaped.
        Email::parse(&text.trim().replace(' ', "+"))
            .map(|email| Self(email.as_str().to_owned()))
            .map_err(|_| "must be an e-mail address")
    };
    LookupPhone: "phone", "E.164", |sent: &str| {
        // A blank before a number can only be a `+` that was not escaped.
        let text = sent.strip_prefix(' ').map(|digits| format!("+{digits}"));
        Phone::parse(text.as_deref().unwrap_or(sent))
            .map(|phone| Self(phone.as_str().to_owned()))
            .map_err(|_| "must be a phone number like +12345678901")
    };
}

/// A person was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erasure {
    /// Always true.
    erased: bool,
    /// When it was done.
    at: Time,
}

impl Erasure {
    pub(crate) fn at(at: Timestamp) -> Self {
        Self {
            erased: true,
            at: Time(at),
        }
    }
}
