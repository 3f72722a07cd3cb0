//! Runs and their issues.

use async_trait::async_trait;

use super::StoreError;
use crate::explain::SkippedProfile;
use crate::ids::{AudienceId, ProfileId, RunId, SourceId};
use crate::issue::{Issue, IssueCode};
use crate::paging::{Page, PageRequest};
use crate::run::{RunError, SourceRun, SyncRun};
use crate::time::Timestamp;

/// Sync runs.
#[async_trait]
pub trait Runs {
    /// A run, by id.
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError>;

    /// The source's pending or syncing run. There is at most one.
    async fn active_run(&mut self, source: &SourceId) -> Result<Option<RunId>, StoreError>;

    /// All pending and syncing runs, in any order. Nothing else is read of them: a row that cannot be read hides no
    /// other.
    async fn active_runs(&mut self) -> Result<Vec<RunId>, StoreError>;

    /// The audience's runs, latest first, paged by id.
    async fn runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, StoreError>;

    /// How many runs the audience has had, those that were deleted too.
    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError>;

    /// The run's issues, paged by profile, code and field.
    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError>;

    /// How many issues the run has of each code, by the codes' names.
    async fn issue_counts(&mut self, run: &RunId) -> Result<Vec<(IssueCode, u64)>, StoreError>;

    /// The issues with which runs of an audience have skipped a profile, in any order.
    async fn skipped(
        &mut self,
        audience: &AudienceId,
        profile: &ProfileId,
    ) -> Result<Vec<SkippedProfile>, StoreError>;

    /// Inserts a run and writes the changes of its source. The source and the audience are stored already. The
    /// caller has made sure that the source has no active run; the store MUST nevertheless refuse a second
    /// one.
    async fn insert_run(&mut self, run: &SourceRun) -> Result<(), StoreError>;

    /// Writes the present state of a run and its source. Both MUST be stored already.
    async fn save_run(&mut self, run: &SourceRun) -> Result<(), StoreError>;

    /// Ends a run that has not ended, and its source's sync with it, without reading either row, for rows that this
    /// version of the program cannot read. Of the run only its id, its source, its audience, its trigger if that is
    /// known, and when it was queued are kept; its counts and its checkpoint are written anew, so that it can be read
    /// again. `false` if it has ended already, or was never stored.
    async fn end_unread(
        &mut self,
        run: &RunId,
        error: &RunError,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
