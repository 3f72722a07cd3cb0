//! The change of an audience.

use deserr::Deserr;
use fanfare_domain::audience::MAX_NAME_CHARS;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{AudienceUpdate, Patch};
use utoipa::ToSchema;

use super::Time;
use super::metadata::Metadata;
use super::words::{AudienceType, GroupType};
use crate::decode::{DecodeError, InBody, Interval, Request, Text};

/// What to change. Fields that are left out stay as they are.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = AudienceUpdate, rename_all = "camelCase")]
pub(crate) struct AudienceBody {
    /// From then on a rename in Klaviyo no longer follows.
    #[deserr(default, from(Text<1, MAX_NAME_CHARS>) = Some)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, nullable = false)]
    name: Option<Text<1, MAX_NAME_CHARS>>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 10_000)]
    description: Patch<Text<0, 10_000>>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    icon_name: Patch<Text<0, 255>>,
    /// Takes the place of what was there. At most 16,384 bytes of JSON.
    #[deserr(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Patch<Metadata>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    group_id: Patch<Text<0, 255>>,
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    group_name: Patch<Text<0, 255>>,
    #[deserr(default)]
    #[schema(value_type = Option<GroupType>)]
    group_type: Patch<GroupType>,
    #[deserr(default)]
    #[schema(value_type = Option<Time>)]
    last_refreshed_at: Patch<Timestamp>,
    /// Can only be what it is.
    #[deserr(default, from(AudienceType) = Some, rename = "type")]
    #[schema(rename = "type", nullable = false)]
    kind: Option<AudienceType>,
    /// Seconds between its own syncs, at least `FANFARE_MIN_REFRESH_SECONDS` (60); null for manual only.
    #[deserr(default)]
    #[schema(value_type = Option<u32>, maximum = 604_800)]
    refresh_interval_seconds: Patch<Interval>,
}

impl Request for AudienceBody {}

impl AudienceBody {
    /// The change, by this author.
    pub(crate) fn into_update(self, actor: String) -> AudienceUpdate {
        AudienceUpdate {
            name: self.name.map(String::from),
            description: plain(self.description),
            icon_name: plain(self.icon_name),
            metadata: plain(self.metadata),
            group_id: plain(self.group_id),
            group_name: plain(self.group_name),
            group_type: plain(self.group_type),
            last_refreshed_at: self.last_refreshed_at,
            refresh_interval_seconds: plain(self.refresh_interval_seconds),
            audience_type: self.kind.map(|kind| kind.0),
            actor,
        }
    }
}

/// The same change, of a value as the use case takes it.
pub(super) fn plain<T, U: From<T>>(patch: Patch<T>) -> Patch<U> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Set(value) => Patch::Set(value.map(U::from)),
    }
}
