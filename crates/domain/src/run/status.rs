//! The status that a run, its sync source and its audience share.

use crate::text_enum::text_enum;

text_enum! {
    /// The status of a run, its sync source and its audience. The three always have the same one.
    #[derive(serde::Serialize, serde::Deserialize)]
    SyncStatus {
        /// Queued.
        Pending = "PENDING",
        /// A worker has taken it up.
        Syncing = "SYNCING",
        /// All pages are read and the memberships reconciled.
        Success = "SUCCESS",
        /// It ended with an error or was cancelled.
        Failed = "FAILED",
    }
}

impl SyncStatus {
    /// Whether a run in this status has not ended yet.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Syncing)
    }
}
