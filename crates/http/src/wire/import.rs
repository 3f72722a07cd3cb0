//! Imports and syncs that were started.

use fanfare_domain::source::CollectionKind;
use fanfare_sync::SkipReason;
use serde::Serialize;
use utoipa::ToSchema;

/// What to import.
#[derive(ToSchema)]
#[schema(as = KlaviyoImport, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is decoded by hand")]
pub(crate) struct ImportBody {
    /// Klaviyo's ids of lists, at most 100. May be left out where `segmentIds` is there.
    #[schema(max_items = 100, nullable = false, example = json!(["RtPqXs", "XyZaBc"]))]
    list_ids: Option<Vec<String>>,
    /// Klaviyo's ids of segments, at most 100.
    #[schema(max_items = 100, nullable = false)]
    segment_ids: Option<Vec<String>>,
    /// `CONTINUOUS` is not built yet and is refused.
    #[schema(nullable = false)]
    sync: Option<SyncOption>,
    /// Not built yet: only null is taken.
    #[schema(nullable)]
    refresh_interval_seconds: Option<u32>,
}

/// How an audience is kept up to date.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "describes a body that is decoded by hand")]
enum SyncOption {
    /// Once, and whenever somebody asks.
    OneTime,
    /// By itself.
    Continuous,
}

/// What became of the lists and segments, each of them once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportOutcome {
    imported: Vec<Imported>,
    skipped: Vec<Skipped>,
}

/// One that is being imported.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Imported {
    /// The list's id, or the segment's.
    #[schema(example = "RtPqXs")]
    list_id: String,
    kind: Kind,
    sync_source_id: String,
    audience_id: String,
    run_id: String,
    status: Queued,
}

/// One that is not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Skipped {
    /// The list's id, or the segment's.
    #[schema(example = "XyZaBc")]
    list_id: String,
    kind: Kind,
    /// `Already synced`, `List not found` or `Segment not found`.
    #[schema(example = "Already synced")]
    reason: &'static str,
    /// The audience that has it already.
    existing_audience_id: Option<String>,
}

/// What of Klaviyo's it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CollectionKind)]
enum Kind {
    /// A list.
    List,
    /// A segment.
    Segment,
}

/// The status of what has just been queued.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Queued {
    /// Queued.
    Pending,
}

impl From<fanfare_sync::ImportOutcome> for ImportOutcome {
    fn from(outcome: fanfare_sync::ImportOutcome) -> Self {
        let imported = outcome.imported.into_iter().map(|imported| Imported {
            list_id: imported.collection.id.to_string(),
            kind: imported.collection.kind.into(),
            sync_source_id: imported.source.to_string(),
            audience_id: imported.audience.to_string(),
            run_id: imported.run.to_string(),
            status: Queued::Pending,
        });
        let skipped = outcome.skipped.into_iter().map(|skipped| Skipped {
            list_id: skipped.collection.id.to_string(),
            kind: skipped.collection.kind.into(),
            reason: skipped.reason_text(),
            existing_audience_id: match skipped.reason {
                SkipReason::AlreadySynced(audience) => Some(audience.to_string()),
                SkipReason::NotFound => None,
            },
        });
        Self {
            imported: imported.collect(),
            skipped: skipped.collect(),
        }
    }
}

impl From<CollectionKind> for Kind {
    fn from(kind: CollectionKind) -> Self {
        match kind {
            CollectionKind::List => Self::List,
            CollectionKind::Segment => Self::Segment,
        }
    }
}

/// How to sync.
#[derive(ToSchema)]
#[schema(as = SyncRequest, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is decoded by hand")]
pub(crate) struct SyncBody {
    /// That more than half of the members may be removed.
    #[schema(nullable = false)]
    confirm_removals: Option<bool>,
}

/// A sync that was queued.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartedSync {
    success: bool,
    sync_source_id: String,
    run_id: String,
    status: Queued,
}

impl From<fanfare_sync::StartedSync> for StartedSync {
    fn from(started: fanfare_sync::StartedSync) -> Self {
        Self {
            success: true,
            sync_source_id: started.source.to_string(),
            run_id: started.run.to_string(),
            status: Queued::Pending,
        }
    }
}
