//! The life of a sync run: what it is, and how it and its source change together.

mod changes;
mod crashes;
mod reading;
mod reconciling;
mod record;
mod source_run;
mod status;

pub use changes::ChangesTaken;
pub use crashes::{Crashes, MAX_CRASHES_OF_RUN, Suspicion};
pub use reading::{Opened, PagesTaken};
pub use reconciling::Reconciliation;
pub use record::{NewRun, Progress, RunError, SyncRun, Trigger};
pub use source_run::{Event, InvalidTransition, SourceRun};
pub use status::SyncStatus;

pub use crate::pass::RunMode;
