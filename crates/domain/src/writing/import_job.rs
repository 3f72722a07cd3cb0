//! Import jobs: many profiles changed by one request, while Klaviyo takes its time.

use super::{ContentRefusal, PersonIds};
use crate::ids::{Cursor, ImportJobId};
use crate::text_enum::text_enum;

text_enum! {
    /// How far a job is, in Klaviyo's words.
    ImportJobState {
        /// Accepted.
        Queued = "queued",
        /// Being worked.
        Processing = "processing",
        /// Ended: all rows may have failed.
        Complete = "complete",
        /// Ended without working all rows.
        Cancelled = "cancelled",
    }
}

impl ImportJobState {
    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Complete | Self::Cancelled)
    }
}

/// An import job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportJob {
    /// Klaviyo's id.
    pub id: ImportJobId,
    /// How far it is.
    pub state: ImportJobState,
    /// How many rows it has.
    pub total: u64,
    /// How many are done; `None` while that is not known. Whether failed rows are among them is not documented.
    pub completed: Option<u64>,
    /// How many failed; `None` while that is not known.
    pub failed: Option<u64>,
}

/// A row of a job that Klaviyo refused. Rows have no numbers there: the row is known by what it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRowError {
    /// The identifiers that the row had, as far as Klaviyo repeats them.
    pub person: PersonIds,
    /// What it refused.
    pub refusal: ContentRefusal,
}

/// A page of the rows that were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportErrorPage {
    /// Its items.
    pub items: Vec<ImportRowError>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}
