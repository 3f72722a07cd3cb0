//! Imports and syncs that were started.

use deserr::{Deserr, ValueKind, ValuePointerRef};
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::{self, CollectionRef};
use fanfare_sync::SkipReason;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::words::CollectionKind;
use crate::decode::{AtMost, DecodeError, InBody, Request, missing, parsed, refused};
use crate::error::Violation;

/// What to import.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = KlaviyoImport, rename_all = "camelCase")]
pub(crate) struct ImportBody {
    /// Klaviyo's ids of lists, at most 100. May be left out where `segmentIds` is there.
    #[deserr(default)]
    #[schema(value_type = Vec<String>, required = false, max_items = 100, example = json!(["RtPqXs", "XyZaBc"]))]
    list_ids: AtMost<CollectionId, 100>,
    /// Klaviyo's ids of segments, at most 100.
    #[deserr(default)]
    #[schema(value_type = Vec<String>, required = false, max_items = 100)]
    segment_ids: AtMost<CollectionId, 100>,
    /// `CONTINUOUS` is not built yet and is refused.
    #[deserr(default)]
    #[schema(required = false)]
    #[expect(dead_code, reason = "there is one option, which the decoding checks")]
    sync: SyncOption,
    /// Not built yet: only null is taken.
    #[deserr(default)]
    #[schema(value_type = Option<u32>)]
    #[expect(dead_code, reason = "only null is taken, which the decoding checks")]
    refresh_interval_seconds: Option<NoInterval>,
}

/// How an audience is kept up to date.
#[derive(Default, ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum SyncOption {
    /// Once, and whenever a user asks.
    #[default]
    OneTime,
    /// By itself.
    #[expect(dead_code, reason = "documented, and refused until it is built")]
    Continuous,
}

/// An interval, which no import can have yet.
enum NoInterval {}

parsed! {
    SyncOption: "picklist", "ONE_TIME", |text| match text {
        "ONE_TIME" => Ok(Self::OneTime),
        "CONTINUOUS" => Err("is not built yet; use ONE_TIME"),
        _ => Err("must be ONE_TIME"),
    };
}

refused!(NoInterval: "null", "is not built yet; leave it out, and sync by hand");

impl Request for ImportBody {
    /// Segments alone are an import too.
    fn check_together(sent: &mut Map<String, Value>) -> Option<Violation> {
        let is_empty = !sent.contains_key("listIds") && !sent.contains_key("segmentIds");
        let lists = || {
            missing(
                "listIds",
                ValuePointerRef::Origin,
                Some(ValueKind::Sequence),
            )
        };
        is_empty.then(lists)
    }
}

impl ImportBody {
    /// The lists, then the segments.
    pub(crate) fn collections(self) -> Vec<CollectionRef> {
        let of = |kind| move |id| CollectionRef { kind, id };
        let lists = self
            .list_ids
            .0
            .into_iter()
            .map(of(source::CollectionKind::List));
        let segments = self.segment_ids.0.into_iter();
        lists
            .chain(segments.map(of(source::CollectionKind::Segment)))
            .collect()
    }
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
    kind: CollectionKind,
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
    kind: CollectionKind,
    /// `Already synced`, `List not found` or `Segment not found`.
    #[schema(example = "Already synced")]
    reason: &'static str,
    /// The audience that has it already.
    existing_audience_id: Option<String>,
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

/// How to sync.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = SyncRequest, rename_all = "camelCase")]
pub(crate) struct SyncBody {
    /// That removals are confirmed which a sync does not carry out by itself: of more than half of the members, or
    /// after Klaviyo showed fewer than nine tenths of what it counts.
    #[deserr(default)]
    #[schema(required = false)]
    pub(crate) confirm_removals: bool,
}

impl Request for SyncBody {}

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
