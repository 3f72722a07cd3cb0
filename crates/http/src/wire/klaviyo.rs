//! Klaviyo's lists and segments, as Fanfare shows them.

use fanfare_domain::ports::Collection;
use fanfare_domain::source::CollectionSource;
use fanfare_sync::BrowsedCollection;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use super::words::SyncStatus;

/// A list in Klaviyo, and whether it is synced.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KlaviyoList {
    #[schema(example = "RtPqXs")]
    id: String,
    attributes: ListAttributes,
    #[serde(flatten)]
    link: Link,
}

/// A segment in Klaviyo, and whether it is synced.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KlaviyoSegment {
    #[schema(example = "SgMnt1")]
    id: String,
    attributes: SegmentAttributes,
    #[serde(flatten)]
    link: Link,
}

/// What Klaviyo tells of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KlaviyoListAttributes)]
struct ListAttributes {
    name: Option<String>,
    created: Option<Time>,
    updated: Option<Time>,
    #[schema(example = "single_opt_in")]
    opt_in_process: Option<String>,
}

/// What Klaviyo tells of a segment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KlaviyoSegmentAttributes)]
struct SegmentAttributes {
    name: Option<String>,
    created: Option<Time>,
    updated: Option<Time>,
    is_active: Option<bool>,
    /// Whether Klaviyo is still computing it.
    is_processing: Option<bool>,
}

/// What syncs it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KlaviyoLink)]
struct Link {
    /// Whether an audience has it.
    is_synced: bool,
    sync_status: Option<SyncStatus>,
    audience_id: Option<String>,
    last_synced_at: Option<Time>,
}

impl From<BrowsedCollection> for KlaviyoList {
    fn from(browsed: BrowsedCollection) -> Self {
        let Collection {
            id,
            name,
            created,
            updated,
            opt_in_process,
            ..
        } = browsed.collection;
        Self {
            id: id.to_string(),
            attributes: ListAttributes {
                name,
                created: Time::maybe(created),
                updated: Time::maybe(updated),
                opt_in_process,
            },
            link: browsed.source.into(),
        }
    }
}

impl From<BrowsedCollection> for KlaviyoSegment {
    fn from(browsed: BrowsedCollection) -> Self {
        let Collection {
            id,
            name,
            created,
            updated,
            is_active,
            is_processing,
            ..
        } = browsed.collection;
        Self {
            id: id.to_string(),
            attributes: SegmentAttributes {
                name,
                created: Time::maybe(created),
                updated: Time::maybe(updated),
                is_active,
                is_processing,
            },
            link: browsed.source.into(),
        }
    }
}

impl From<Option<CollectionSource>> for Link {
    fn from(source: Option<CollectionSource>) -> Self {
        Self {
            is_synced: source.is_some(),
            sync_status: source.as_ref().map(|source| source.status.into()),
            audience_id: source.as_ref().map(|source| source.audience.to_string()),
            last_synced_at: source.and_then(|source| Time::maybe(source.last_synced_at)),
        }
    }
}

/// What an import would cost; null for what is not known now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Estimate {
    /// Klaviyo's own count.
    profiles: Option<u64>,
    /// Requests to read them.
    requests: Option<u64>,
    /// Seconds that the quota takes at least, as free as it is now.
    seconds: Option<u64>,
}

impl From<fanfare_sync::Estimate> for Estimate {
    fn from(estimate: fanfare_sync::Estimate) -> Self {
        Self {
            profiles: estimate.profiles,
            requests: estimate.requests,
            seconds: estimate.seconds,
        }
    }
}
