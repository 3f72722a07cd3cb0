//! Sync sources: the link between an audience or a consumer of Fanfare and a collection or a profile in
//! Klaviyo.

use crate::failure::FailureCode;
use crate::ids::{AudienceId, SourceId};
use crate::removal::RemovalGuard;
use crate::run::SyncStatus;
use crate::time::Timestamp;
use crate::watermarks::Watermarks;

pub use crate::collection::{CollectionKind, CollectionRef};

/// The type of a profile's sync source.
pub const PROFILE_SOURCE_TYPE: &str = "klaviyo:profile";

/// The sync source of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionSource {
    /// Its id in Fanfare.
    pub id: SourceId,
    /// The list or segment that it reads.
    pub collection: CollectionRef,
    /// The audience that it fills.
    pub audience: AudienceId,
    /// The status of its latest run.
    pub status: SyncStatus,
    /// When a run of it last succeeded.
    pub last_synced_at: Option<Timestamp>,
    /// Facts about the list and about the latest run.
    pub data: SourceData,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether its audience was archived.
    pub archived: bool,
    /// What the removal threshold goes by.
    pub guard: RemovalGuard,
    /// When a complete pass over it last succeeded.
    pub last_full_pass_at: Option<Timestamp>,
    /// Why its audience's schedule is paused, if it is: the failure after which no run can succeed before somebody acts.
    pub paused_by: Option<FailureCode>,
    /// From where an incremental pass can go on; `None` while only a complete one can say who is in the list.
    pub watermarks: Option<Watermarks>,
}

/// What Fanfare's `sourceData` holds: the list's name, and the latest run's counters and error.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceData {
    /// The list's name in Klaviyo at the last read.
    pub name: Option<String>,
    /// The id of the latest run.
    pub last_run_id: Option<String>,
    /// The failure code of the latest run, if it failed.
    pub last_error: Option<String>,
    /// Profiles that the latest run has processed.
    pub processed: u64,
    /// Profiles for which it created a consumer.
    pub created: u64,
    /// Profiles with which it changed a consumer.
    pub updated: u64,
    /// Profiles that changed nothing.
    pub unchanged: u64,
    /// Profiles that it skipped.
    pub skipped: u64,
    /// Members that it added.
    pub members_added: u64,
    /// Members that it removed.
    pub members_removed: u64,
}
