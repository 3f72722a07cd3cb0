//! Consumers, and the document that holds who wrote their values.

use fanfare_domain::consent::KnownConsents;
use fanfare_domain::consumer::{Consumer, Edited, Primary, Stamp, Stamped};
use fanfare_domain::ids::{ConsumerId, ProfileId, SourceId};
use fanfare_domain::ports::{ConsumerRecord, StoreError};
use fanfare_domain::search;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, FullName, Phone};
use serde::{Deserialize, Serialize};

use crate::columns::{corrupt, from_json, id, json};
use crate::db_timestamp::{DbTimestamp, from_db};
use crate::json_text::JsonText;

/// A checked query for [`ConsumerRow`]s of `consumers c`. The literal goes on behind the last column of the
/// table: with `primary_changed_at`, from the primary profile's link where that is joined, and with `FROM`. sqlx
/// takes literals alone, so a list of columns that stands once must be a macro.
#[macro_export]
macro_rules! select_consumers {
    ($rest:literal, $($parameter:tt)*) => {
        sqlx::query_as!(
            $crate::ConsumerRow,
            "SELECT c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
                c.primary_source_id, c.created_at, c.created_by, c.updated_at, c.updated_by, c.metadata, " + $rest,
            $($parameter)*
        )
    };
}

/// A row of `consumers`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ConsumerRow {
    pub id: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub full_name: Option<String>,
    pub stamps: JsonText,
    pub primary_profile: Option<String>,
    pub primary_updated: Option<DbTimestamp>,
    pub primary_source_id: Option<String>,
    pub created_at: DbTimestamp,
    pub created_by: String,
    pub updated_at: Option<DbTimestamp>,
    pub updated_by: Option<String>,
    pub metadata: Option<JsonText>,
    /// `changed_at` of the link of the primary profile.
    pub primary_changed_at: Option<DbTimestamp>,
}

/// What a page has to know of a row of `consumers`. As JSON it is an array of these values.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct KnownConsumerRow {
    pub id: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub full_name: Option<String>,
    pub stamps: JsonText,
    pub primary_profile: Option<String>,
    pub primary_updated: Option<DbTimestamp>,
    pub primary_source_id: Option<String>,
}

/// Who wrote each value of a consumer: the document in `stamps`, with a member for each value that has
/// a stamp; and what else only the programs look into.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Stamps {
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<StampJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<StampJson>,
    #[serde(default, skip_serializing_if = "is_default")]
    edited: Edited,
    #[serde(default, skip_serializing_if = "KnownConsents::is_empty")]
    consents: KnownConsents,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A stamp; `updated` is in microseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct StampJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<Timestamp>,
    profile: ProfileId,
}

impl Stamps {
    /// The document of a consumer.
    fn of(consumer: &Consumer) -> Self {
        fn stamp<T>(stamped: Option<&Stamped<T>>) -> Option<StampJson> {
            stamped?.by.as_ref().map(|stamp| StampJson {
                updated: stamp.updated,
                profile: stamp.profile.clone(),
            })
        }
        Self {
            phone: stamp(consumer.phone.as_ref()),
            full_name: stamp(consumer.full_name.as_ref()),
            edited: consumer.edited,
            consents: consumer.consents.clone(),
        }
    }
}

fn stamped<T>(value: Option<T>, stamp: Option<StampJson>) -> Option<Stamped<T>> {
    let by = stamp.map(|stamp| Stamp {
        updated: stamp.updated,
        profile: stamp.profile,
    });
    value.map(|value| Stamped { value, by })
}

impl TryFrom<ConsumerRow> for Consumer {
    type Error = StoreError;

    fn try_from(row: ConsumerRow) -> Result<Self, StoreError> {
        Self::try_from(KnownConsumerRow {
            id: row.id,
            email: row.email,
            phone: row.phone,
            full_name: row.full_name,
            stamps: row.stamps,
            primary_profile: row.primary_profile,
            primary_updated: row.primary_updated,
            primary_source_id: row.primary_source_id,
        })
    }
}

impl TryFrom<KnownConsumerRow> for Consumer {
    type Error = StoreError;

    fn try_from(row: KnownConsumerRow) -> Result<Self, StoreError> {
        let email = row
            .email
            .map(|text| Email::from_stored(text).ok_or_else(|| corrupt("consumers.email")));
        let phone = row.phone.as_deref().map(Phone::parse).transpose();
        let full_name = row
            .full_name
            .map(|text| FullName::from_stored(text).ok_or_else(|| corrupt("consumers.full_name")));
        let stamps: Stamps = from_json(&row.stamps.0, "consumers.stamps")?;
        let primary = match (row.primary_profile, row.primary_source_id) {
            (Some(profile), Some(source)) => Some(Primary {
                stamp: Stamp {
                    updated: from_db(row.primary_updated),
                    profile: id(profile, ProfileId::parse, "consumers.primary_profile")?,
                },
                source: id(source, SourceId::parse, "consumers.primary_source_id")?,
            }),
            _ => None,
        };
        Ok(Self {
            id: id(row.id, ConsumerId::parse, "consumers.id")?,
            email: email.transpose()?,
            phone: stamped(phone.map_err(|_| corrupt("consumers.phone"))?, stamps.phone),
            full_name: stamped(full_name.transpose()?, stamps.full_name),
            primary,
            edited: stamps.edited,
            consents: stamps.consents,
        })
    }
}

impl TryFrom<ConsumerRow> for ConsumerRecord {
    type Error = StoreError;

    fn try_from(mut row: ConsumerRow) -> Result<Self, StoreError> {
        Ok(Self {
            primary_changed_at: from_db(row.primary_changed_at),
            created_at: row.created_at.0,
            created_by: std::mem::take(&mut row.created_by),
            updated_at: from_db(row.updated_at),
            updated_by: row.updated_by.take(),
            metadata: row
                .metadata
                .take()
                .map(|JsonText(text)| from_json(&text, "consumers.metadata"))
                .transpose()?,
            consumer: Consumer::try_from(row)?,
        })
    }
}

/// The columns of a consumer that a page writes. SQLite takes such rows as one JSON document, Postgres
/// as an array for each column.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ConsumerColumns<'a> {
    pub id: &'a str,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub full_name: Option<&'a str>,
    /// See [`search`].
    pub search_text: String,
    /// JSON text, see [`Stamps`].
    pub stamps: String,
    pub primary_profile: Option<&'a str>,
    pub primary_updated: Option<Timestamp>,
    pub primary_source_id: Option<&'a str>,
    /// Whether the consumer looks different to a user than before.
    pub visible: bool,
}

impl<'a> ConsumerColumns<'a> {
    /// The columns of a consumer that changes visibly or not.
    pub fn of(consumer: &'a Consumer, visible: bool) -> Self {
        let (phone, full_name) = (consumer.phone.as_ref(), consumer.full_name.as_ref());
        let primary = consumer.primary.as_ref();
        Self {
            id: consumer.id.as_str(),
            email: consumer.email.as_ref().map(Email::as_str),
            phone: phone.map(|phone| phone.value.as_str()),
            full_name: full_name.map(|full_name| full_name.value.as_str()),
            search_text: search::text_of(consumer),
            stamps: json(&Stamps::of(consumer)),
            primary_profile: primary.map(|primary| primary.stamp.profile.as_str()),
            primary_updated: primary.and_then(|primary| primary.stamp.updated),
            primary_source_id: primary.map(|primary| primary.source.as_str()),
            visible,
        }
    }
}
