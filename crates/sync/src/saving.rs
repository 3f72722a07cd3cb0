//! Loading, queuing and saving runs, each together with its source.

use fanfare_domain::ids::RunId;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::run::{SourceRun, SyncRun};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkKey;

use crate::error::Error;

/// A run with its source. `None` if the organization has no such run.
pub(crate) async fn load_run(
    unit: &mut dyn UnitOfWork,
    id: &RunId,
) -> Result<Option<SourceRun>, Error> {
    let Some(run) = unit.run(id).await? else {
        return Ok(None);
    };
    let source = unit.source(&run.source).await?;
    Ok(source.map(|source| SourceRun::from_stored(run, source)))
}

/// Stores a new run and puts it into the queue of due work. Runs are queued only here.
pub(crate) async fn queue_run(unit: &mut dyn UnitOfWork, run: &SourceRun) -> Result<(), Error> {
    unit.insert_run(run).await?;
    unit.enqueue(&WorkKey::pull(&run.run().id)).await?;
    Ok(())
}

/// Saves a run and its source. A run that has ended leaves the queue in the same unit.
pub(crate) async fn save_run(unit: &mut dyn UnitOfWork, run: &SourceRun) -> Result<(), Error> {
    unit.save_run(run).await?;
    if !run.is_active() {
        unit.dequeue(&WorkKey::pull(&run.run().id)).await?;
    }
    Ok(())
}

/// Cancels active runs and returns them. A worker that has claimed one finds that it has lost its lease.
pub(crate) async fn cancel_runs(
    unit: &mut dyn UnitOfWork,
    runs: impl IntoIterator<Item = SyncRun>,
    why: &str,
    now: Timestamp,
) -> Result<Vec<SyncRun>, Error> {
    let mut cancelled = Vec::new();
    for run in runs {
        let Some(mut run) = load_run(unit, &run.id).await? else {
            continue;
        };
        run.cancel(why, now)?;
        save_run(unit, &run).await?;
        cancelled.push(run.into_parts().0);
    }
    Ok(cancelled)
}
