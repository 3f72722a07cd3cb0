//! Runs whose rows this version of the program cannot read.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::RunId;
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::run::{RunError, SyncStatus};
use fanfare_domain::work::WorkItem;

use super::Claimed;
use crate::engine::pace::Pace;
use crate::engine::slice_end::SliceEnd;
use crate::error::Error;
use crate::integration::Integration;
use crate::log::log_ended;
use crate::saving::end_unread;

/// How long a run of a newer version waits until this one looks again. Whichever program takes it up then, while an
/// upgrade lasts; after a rollback none does, until a user cancels the run.
const PAUSE: Duration = Duration::from_mins(1);

/// Leaves a run that a newer version has written to that version, and ends one that is broken: neither is met again
/// at once, so that no other work has to wait for it.
pub(super) async fn leave_or_end<'a>(
    integration: &'a Integration,
    pace: Pace,
    mut unit: Box<dyn UnitOfWork>,
    work: &WorkItem,
    why: &StoreError,
) -> Result<Claimed<'a>, Error> {
    // The lease says that the run is due, and that no other worker has it.
    let Some(claim) = unit.claim(&work.key, pace.lease).await? else {
        return Ok(Claimed::Nothing(SliceEnd::NotDue));
    };
    if matches!(why, StoreError::Newer(_)) {
        let due = integration.now().plus(PAUSE);
        unit.release(&work.key, claim.token, Some(due)).await?;
        unit.commit().await?;
        tracing::warn!(
            error = why as &dyn std::error::Error,
            "the run is a newer version's, and was left to it; after a rollback, cancel it"
        );
        return Ok(Claimed::Nothing(SliceEnd::Paused(due)));
    }
    tracing::error!(
        error = why as &dyn std::error::Error,
        "the run cannot be read, and ends"
    );
    let end = end(integration, unit, &work.key.id.as_run()).await?;
    Ok(Claimed::Nothing(end))
}

/// Ends a run that is broken.
pub(super) async fn end(
    integration: &Integration,
    mut unit: Box<dyn UnitOfWork>,
    run: &RunId,
) -> Result<SliceEnd, Error> {
    let error = RunError {
        code: FailureCode::Internal,
        message: "What was stored of the sync cannot be read. What it had written was kept; tell support, then \
                  sync again."
            .to_owned(),
    };
    end_unread(unit.as_mut(), run, &error, integration.now()).await?;
    let ended = unit.run(run).await.ok().flatten();
    unit.commit().await?;
    if let Some(run) = &ended {
        log_ended(run);
    }
    Ok(SliceEnd::Finished(SyncStatus::Failed))
}
