//! Audiences.

use std::collections::BTreeMap;

use deserr::Deserr;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::ports::AudienceRecord;
use fanfare_sync::AudienceStatus;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::kept_list::KlaviyoListState;
use super::words::{AudienceType, GroupType, SyncStatus};
use super::{SyncSource, Time, VENDOR};
use crate::decode::{DecodeError, InQuery, Request, parsed};

/// An audience.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Audience {
    #[schema(example = "aud_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    organization_id: String,
    name: String,
    description: Option<String>,
    icon_name: Option<String>,
    #[serde(rename = "type")]
    kind: AudienceType,
    /// The merchant's own data.
    #[schema(value_type = Option<Object>)]
    metadata: Option<BTreeMap<String, Value>>,
    group_id: Option<String>,
    group_name: Option<String>,
    group_type: Option<GroupType>,
    /// Klaviyo's id of the list or segment that fills it; null for a `STATIC_LIST`, as are the other `primary…`.
    primary_external_id: Option<String>,
    primary_source_vendor: Option<&'static str>,
    primary_last_synced_at: Option<Time>,
    primary_sync_source_id: Option<String>,
    /// Null unless asked for with `include=primarySyncSource`.
    primary_sync_source: Option<SyncSource>,
    last_refreshed_at: Option<Time>,
    /// Seconds between its own syncs; null for manual only.
    refresh_interval_seconds: Option<u32>,
    /// Always empty: no audience here has rules.
    #[schema(value_type = Vec<Object>)]
    rules: [(); 0],
    /// Always empty: there are no imports of files here.
    #[schema(value_type = Vec<Object>)]
    imports: [(); 0],
    archived: bool,
    created_at: Time,
    /// A key's id.
    created_by: String,
    updated_at: Option<Time>,
    updated_by: Option<String>,
}

impl Audience {
    /// The audience with what is included.
    pub(crate) fn of(
        organization: &OrganizationId,
        record: AudienceRecord,
        include: Include,
    ) -> Self {
        let AudienceRecord { audience, source } = record;
        let kind = audience.audience_type().into();
        Self {
            id: audience.id.to_string(),
            organization_id: organization.to_string(),
            name: audience.name,
            description: audience.description,
            icon_name: audience.icon_name,
            kind,
            metadata: audience.metadata.map(values),
            group_id: audience.group_id,
            group_name: audience.group_name,
            group_type: audience.group_type.map(GroupType::from),
            primary_external_id: source.as_ref().map(|it| it.collection.id.to_string()),
            primary_source_vendor: source.as_ref().map(|_| VENDOR),
            primary_last_synced_at: Time::maybe(source.as_ref().and_then(|it| it.last_synced_at)),
            primary_sync_source_id: source.as_ref().map(|it| it.id.to_string()),
            primary_sync_source: source
                .filter(|_| include.source)
                .map(|source| SyncSource::of_audience(organization, source)),
            last_refreshed_at: Time::maybe(audience.last_refreshed_at),
            refresh_interval_seconds: audience.refresh_interval_seconds,
            rules: [],
            imports: [],
            archived: audience.archived,
            created_at: Time(audience.created_at),
            created_by: audience.created_by,
            updated_at: Time::maybe(audience.updated_at),
            updated_by: audience.updated_by,
        }
    }
}

/// Metadata is kept as JSON text; what is none is shown as the text it is.
pub(super) fn values(metadata: BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    metadata
        .into_iter()
        .map(|(name, text)| (name, value(text)))
        .collect()
}

/// What is asked for beside an audience.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AudienceQuery {
    /// `primarySyncSource` to see the sync source too. `rules` and `imports` are always there.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    pub(crate) include: Include,
}

/// What is included in an audience.
#[derive(Clone, Copy, Default)]
pub(crate) struct Include {
    pub(crate) source: bool,
}

/// What `include` can ask for. Rules and imports are always there.
const INCLUDES: [&str; 3] = ["rules", "imports", SOURCE];
const SOURCE: &str = "primarySyncSource";

impl Request for AudienceQuery {}

parsed! {
    Include: "picklist", &INCLUDES.join(" | "), |text: &str| {
        let mut names = text.split(',').map(str::trim);
        if names.clone().all(|name| INCLUDES.contains(&name)) {
            let source = names.any(|name| name == SOURCE);
            Ok(Self { source })
        } else {
            Err(format!("can include {}", INCLUDES.join(", ")))
        }
    };
}

/// How many members an audience has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceCount)]
#[expect(clippy::struct_field_names, reason = "the names are Fanfare's")]
pub(crate) struct Count {
    audience_id: String,
    count: u64,
    /// Always `db_list`: they were counted.
    source: &'static str,
}

impl Count {
    pub(crate) fn of(audience: &AudienceId, count: u64) -> Self {
        Self {
            audience_id: audience.to_string(),
            count,
            source: "db_list",
        }
    }
}

/// Where an audience's sync stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceStatus)]
#[expect(clippy::struct_field_names, reason = "the names are Fanfare's")]
pub(crate) struct Status {
    audience_id: String,
    /// A number that grows with the audience's runs.
    version: u64,
    /// Null for a `STATIC_LIST`, which no sync fills.
    sync_status: Option<SyncStatus>,
    last_synced_at: Option<Time>,
    last_refreshed_at: Option<Time>,
    refresh_interval_seconds: Option<u32>,
    /// When it syncs by itself next; null for manual only, while a run is under way and while `paused`.
    next_sync_at: Option<Time>,
    /// When a run that read everything last succeeded. Only such a run removes members.
    last_full_pass_at: Option<Time>,
    /// How long it can take at present until somebody who left leaves the audience; null for manual only.
    removals_within_seconds: Option<u64>,
    /// Why it does not sync by itself at present, as the code of the run that failed: `key_invalid` or `scope_missing`
    /// until the key is replaced or a sync by hand succeeds, `source_gone` until a sync by hand succeeds.
    #[schema(value_type = Option<String>, example = json!(null))]
    paused: Option<&'static str>,
    /// Whether a continuous audience may be further behind Klaviyo than its interval allows: its last success is older
    /// than two intervals and a minute.
    stale: bool,
    /// Whether a run is queued or under way.
    in_progress: bool,
    /// The Klaviyo list that it is kept in; null if in none.
    klaviyo_list: Option<KlaviyoListState>,
    /// Always null: an audience is one piece.
    #[schema(value_type = Option<i64>)]
    pending_shards: (),
}

impl From<AudienceStatus> for Status {
    fn from(status: AudienceStatus) -> Self {
        let (stale, in_progress) = (status.is_stale(), status.is_in_progress());
        let (next_sync_at, paused) = (status.next_sync_at(), status.paused());
        let last_full_pass_at = status.last_full_pass_at();
        let removals_within_seconds = status.removals_within_seconds();
        let AudienceRecord { audience, source } = status.record;
        Self {
            audience_id: audience.id.to_string(),
            version: status.version,
            sync_status: source.as_ref().map(|source| source.status.into()),
            last_synced_at: Time::maybe(source.and_then(|source| source.last_synced_at)),
            last_refreshed_at: Time::maybe(audience.last_refreshed_at),
            refresh_interval_seconds: audience.refresh_interval_seconds,
            next_sync_at: Time::maybe(next_sync_at),
            last_full_pass_at: Time::maybe(last_full_pass_at),
            removals_within_seconds,
            paused: paused.map(FailureCode::as_str),
            stale,
            in_progress,
            klaviyo_list: status.kept_list.map(KlaviyoListState::from),
            pending_shards: (),
        }
    }
}
