//! Imports and syncs that were started.

use deserr::{Deserr, ValueKind, ValuePointerRef};
use fanfare_domain::ids::CollectionId;
use fanfare_domain::schedule::DEFAULT_INTERVAL;
use fanfare_domain::source::{self, CollectionRef};
use fanfare_sync::{ImportRequest, SkipReason};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::words::CollectionKind;
use crate::decode::{AtMost, DecodeError, InBody, Interval, Request, missing, parsed};
use crate::error::{Key, Violation};

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
    /// How the new audiences are kept up to date.
    #[deserr(default)]
    #[schema(required = false)]
    sync: SyncOption,
    /// Seconds between the syncs of continuous audiences: 900 unless given, at least `FANFARE_MIN_REFRESH_SECONDS` (60).
    #[deserr(default)]
    #[schema(value_type = Option<u32>, maximum = 604_800)]
    refresh_interval_seconds: Option<Interval>,
}

/// How an audience is kept up to date.
#[derive(Default, ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum SyncOption {
    /// Once, and whenever a user asks.
    #[default]
    OneTime,
    /// By itself, in intervals.
    Continuous,
}

parsed! {
    SyncOption: "picklist", "ONE_TIME | CONTINUOUS", |text| match text {
        "ONE_TIME" => Ok(Self::OneTime),
        "CONTINUOUS" => Ok(Self::Continuous),
        _ => Err("must be ONE_TIME or CONTINUOUS"),
    };
}

impl Request for ImportBody {
    /// Segments alone are an import too. An interval is for continuous audiences.
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let mut violations = Vec::new();
        if !sent.contains_key("listIds") && !sent.contains_key("segmentIds") {
            let kind = Some(ValueKind::Sequence);
            violations.push(missing("listIds", ValuePointerRef::Origin, kind));
        }
        let sync = sent.get("sync").map_or(Some("ONE_TIME"), Value::as_str);
        let interval = sent.get("refreshIntervalSeconds");
        if sync == Some("ONE_TIME") && interval.is_some_and(Value::is_u64) {
            violations.push(Violation::new(
                vec![Key::Name("refreshIntervalSeconds".to_owned())],
                "check",
                "null",
                "integer",
                "is for continuous audiences: send \"sync\":\"CONTINUOUS\" beside it",
            ));
        }
        violations
    }
}

impl ImportBody {
    /// The import that is asked for, by this author.
    pub(crate) fn into_request(self, actor: String) -> ImportRequest {
        let refresh_interval_seconds = match self.sync {
            SyncOption::OneTime => None,
            SyncOption::Continuous => {
                let interval = self.refresh_interval_seconds.as_ref();
                Some(interval.map_or(DEFAULT_INTERVAL, Interval::seconds))
            }
        };
        ImportRequest {
            collections: self.collections(),
            refresh_interval_seconds,
            actor,
        }
    }

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
