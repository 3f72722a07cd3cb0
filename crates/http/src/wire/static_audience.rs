//! Audiences that are filled by hand: making them, and saying who is in them.

use std::collections::BTreeSet;

use deserr::Deserr;
use fanfare_domain::audience::{self, MAX_MEMBERS_AT_ONCE, MAX_NAME_CHARS};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_sync::{MembersChanged, NewAudience};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::metadata::Metadata;
use super::words::{AudienceType, GroupType};
use crate::decode::{DecodeError, InBody, OneTo, Request, Text};
use crate::error::{Key, Violation};

/// An audience to be made.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = AudienceCreation, rename_all = "camelCase")]
pub(crate) struct NewAudienceBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Text<1, MAX_NAME_CHARS>,
    /// `STATIC_LIST`; what Klaviyo fills is imported.
    #[deserr(default, rename = "type")]
    #[schema(rename = "type")]
    #[expect(dead_code, reason = "there is one type, which the decoding checks")]
    kind: Option<AudienceType>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 10_000)]
    description: Option<Text<0, 10_000>>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    icon_name: Option<Text<0, 255>>,
    /// The merchant's own data. At most 16,384 bytes of JSON.
    #[deserr(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    group_id: Option<Text<0, 255>>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    group_name: Option<Text<0, 255>>,
    #[deserr(default)]
    #[schema(value_type = Option<GroupType>)]
    group_type: Option<GroupType>,
}

impl Request for NewAudienceBody {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let synced = audience::AudienceType::SyncedList.as_str();
        if sent.get("type").and_then(Value::as_str) != Some(synced) {
            return Vec::new();
        }
        vec![Violation::new(
            vec![Key::Name("type".to_owned())],
            "check",
            audience::AudienceType::StaticList.as_str(),
            "SYNCED_LIST",
            "must be STATIC_LIST; import a Klaviyo list or segment to have a SYNCED_LIST",
        )]
    }
}

impl NewAudienceBody {
    /// The audience to be made, by this author.
    pub(crate) fn into_new(self, actor: String) -> NewAudience {
        NewAudience {
            name: self.name.into(),
            description: self.description.map(String::from),
            icon_name: self.icon_name.map(String::from),
            metadata: self.metadata.map(Into::into),
            group_id: self.group_id.map(String::from),
            group_name: self.group_name.map(String::from),
            group_type: self.group_type.map(Into::into),
            actor,
        }
    }
}

/// Who is added to an audience or taken out of it.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = AudienceMembersChange, rename_all = "camelCase")]
pub(crate) struct MembersBody {
    /// 1 to 1,000 ids of consumers. Repeats count once.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 1_000)]
    consumer_ids: OneTo<ConsumerId, MAX_MEMBERS_AT_ONCE>,
}

impl Request for MembersBody {}

impl MembersBody {
    /// The consumers, each once.
    pub(crate) fn into_ids(self) -> BTreeSet<ConsumerId> {
        self.consumer_ids.0.into_iter().collect()
    }
}

/// What a change of members has done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceMembersChanged)]
pub(crate) struct MembersAnswer {
    audience_id: String,
    /// How many became members, or were members until now. The others of those who were named were as asked before.
    changed: u64,
    /// How many members there are now.
    count: u64,
}

impl MembersAnswer {
    /// The answer for an audience.
    pub(crate) fn of(audience: &AudienceId, changed: MembersChanged) -> Self {
        Self {
            audience_id: audience.to_string(),
            changed: changed.changed,
            count: changed.count,
        }
    }
}
