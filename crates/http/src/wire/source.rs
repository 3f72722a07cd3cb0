//! Sync sources.

use deserr::Deserr;
use fanfare_domain::ids::{OrganizationId, SourceId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord};
use fanfare_domain::source::{CollectionSource, SourceData};
use fanfare_sync::SYSTEM_ACTOR;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Time;
use super::words::SyncStatus;
use crate::decode::{DecodeError, First, InQuery, Request, Text};

/// The link between something of Fanfare's and something of Klaviyo's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Fanfare's")]
pub(crate) struct SyncSource {
    #[schema(example = "sync_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    organization_id: String,
    /// `klaviyo:list`, `klaviyo:segment` or `klaviyo:profile`.
    #[schema(example = "klaviyo:list")]
    sync_source: String,
    /// Klaviyo's id of the list, segment or profile.
    #[schema(example = "RtPqXs")]
    sync_source_id: String,
    sync_status: SyncStatus,
    /// When a run last succeeded; of a profile, when it last changed its consumer.
    last_synced_at: Option<Time>,
    /// What is known of the list and its latest run; null for a profile.
    source_data: Option<SyncSourceData>,
    created_at: Time,
    /// A key's id, or `system:klaviyo`.
    created_by: String,
    updated_at: Option<Time>,
    updated_by: Option<String>,
    archived: bool,
}

/// What is known of a list or segment, and its latest run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncSourceData {
    /// Its name in Klaviyo, when it was last read.
    name: Option<String>,
    /// The latest run.
    last_run_id: Option<String>,
    /// Why the latest run failed: its code.
    last_error: Option<String>,
    processed: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    skipped: u64,
    members_added: u64,
    members_removed: u64,
}

impl SyncSource {
    pub(crate) fn of(organization: &OrganizationId, source: SourceRecord) -> Self {
        Self {
            id: source.id.to_string(),
            organization_id: organization.to_string(),
            sync_source: source.source_type,
            sync_source_id: source.external_id,
            sync_status: source.status.into(),
            last_synced_at: Time::maybe(source.last_synced_at),
            source_data: source.data.map(SyncSourceData::from),
            created_at: Time(source.created_at),
            created_by: source.created_by,
            updated_at: Time::maybe(source.updated_at),
            updated_by: source.updated_at.map(|_| SYSTEM_ACTOR.to_owned()),
            archived: source.archived,
        }
    }

    pub(super) fn of_audience(organization: &OrganizationId, source: CollectionSource) -> Self {
        let record = SourceRecord {
            id: source.id,
            source_type: source.collection.kind.source_type().to_owned(),
            external_id: source.collection.id.to_string(),
            status: source.status,
            last_synced_at: source.last_synced_at,
            data: Some(source.data),
            created_at: source.created_at,
            created_by: source.created_by,
            updated_at: source.updated_at,
            archived: source.archived,
        };
        Self::of(organization, record)
    }
}

/// Which sync sources are asked for.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct SourcesQuery {
    /// The type: `klaviyo:list`, `klaviyo:segment` or `klaviyo:profile`
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    sync_source: Option<Text<1, 64>>,
    /// Klaviyo's id
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    sync_source_id: Option<Text<1, 64>>,
    /// `PENDING`, `SYNCING`, `SUCCESS` or `FAILED`
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    sync_status: Option<SyncStatus>,
    /// How many, at most 1000; 100 if left out
    #[deserr(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    first: First<100, 1_000>,
    /// The id of the last one of the answer before
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    after: Option<SourceId>,
}

impl Request for SourcesQuery {}

impl SourcesQuery {
    /// The filter and the page.
    pub(crate) fn into_parts(self) -> (SourceFilter, PageRequest) {
        let filter = SourceFilter {
            source_type: self.sync_source.map(String::from),
            external_id: self.sync_source_id.map(String::from),
            status: self.sync_status.map(Into::into),
        };
        let page = PageRequest {
            first: self.first.0,
            after: self.after.map(|id| id.to_string()),
        };
        (filter, page)
    }
}

impl From<SourceData> for SyncSourceData {
    fn from(data: SourceData) -> Self {
        Self {
            name: data.name,
            last_run_id: data.last_run_id,
            last_error: data.last_error,
            processed: data.processed,
            created: data.created,
            updated: data.updated,
            unchanged: data.unchanged,
            skipped: data.skipped,
            members_added: data.members_added,
            members_removed: data.members_removed,
        }
    }
}
