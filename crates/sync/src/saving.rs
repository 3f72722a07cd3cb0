//! Loading, queuing and saving runs, each together with its source.

use fanfare_domain::connection::{Connection, ConnectionStatus};
use fanfare_domain::delivery::{DeliveryKind, DeliveryStatus};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::history::ChangeRange;
use fanfare_domain::ids::RunId;
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::push::KeptList;
use fanfare_domain::run::{RunError, SourceRun, SyncRun};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkKey, WorkKind};

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

/// Saves a run and its source. A run that has ended leaves the queue in the same unit, and if no further run can succeed
/// before somebody acts, it takes the due time of its audience along.
pub(crate) async fn save_run(unit: &mut dyn UnitOfWork, run: &SourceRun) -> Result<(), Error> {
    unit.save_run(run).await?;
    if !run.is_active() {
        unit.dequeue(&WorkKey::pull(&run.run().id)).await?;
        if run.source().paused_by.is_some() {
            unit.end_schedule(&run.run().audience).await?;
        }
        // It may have changed its audience, and others by links that moved.
        queue_kept_lists(unit).await?;
    }
    Ok(())
}

/// Cancels those of the runs that have not ended, and returns them. A worker that has claimed one finds that it has
/// lost its lease. A run whose rows this version cannot read is ended all the same.
pub(crate) async fn cancel_runs(
    unit: &mut dyn UnitOfWork,
    runs: impl IntoIterator<Item = RunId>,
    why: &str,
    now: Timestamp,
) -> Result<Vec<SyncRun>, Error> {
    let mut cancelled = Vec::new();
    for id in runs {
        match load_run(unit, &id).await {
            Ok(Some(mut run)) if run.is_active() => {
                run.cancel(why, now)?;
                save_run(unit, &run).await?;
                cancelled.push(run.into_parts().0);
            }
            Ok(_) => {}
            Err(Error::Store(error)) if error.is_unreadable() => {
                let error = RunError {
                    code: FailureCode::Cancelled,
                    message: why.to_owned(),
                };
                if end_unread(unit, &id, &error, now).await? {
                    cancelled.extend(unit.run(&id).await.ok().flatten());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(cancelled)
}

/// Ends a run whose rows this version cannot read, and takes it out of the queue. `false` if it has ended already.
pub(crate) async fn end_unread(
    unit: &mut dyn UnitOfWork,
    run: &RunId,
    error: &RunError,
    now: Timestamp,
) -> Result<bool, Error> {
    unit.dequeue(&WorkKey::pull(run)).await?;
    Ok(unit.end_unread(run, error, now).await?)
}

/// The scope by which profiles are changed.
pub(crate) const PROFILES_WRITE: &str = "profiles:write";

/// The scopes by which deliveries of a kind are sent.
pub(crate) const fn scopes_of(kind: DeliveryKind) -> &'static [&'static str] {
    match kind {
        DeliveryKind::Event => &["events:write"],
        DeliveryKind::Contact => &[PROFILES_WRITE],
        DeliveryKind::Membership => &["lists:write", PROFILES_WRITE],
        DeliveryKind::Consent => &["lists:write", PROFILES_WRITE, "subscriptions:write"],
    }
}

/// Whether deliveries of a kind can be sent with the stored key, as far as is known.
pub(crate) fn can_send(stored: &Connection, kind: DeliveryKind) -> bool {
    let lacks = |scope: &&str| stored.missing_scopes.iter().any(|missing| missing == scope);
    stored.status == ConnectionStatus::Active && !scopes_of(kind).iter().any(lacks)
}

/// Whether any deliveries can be sent with the stored key, as far as is known.
pub(crate) fn can_push(stored: Option<&Connection>) -> bool {
    stored.is_some_and(|stored| DeliveryKind::ALL.iter().any(|kind| can_send(stored, *kind)))
}

/// Whether something is pending that can be sent with the stored key, now or later.
pub(crate) async fn has_sendable(
    unit: &mut dyn UnitOfWork,
    stored: &Connection,
) -> Result<bool, StoreError> {
    let summary = unit.delivery_summary().await?;
    Ok(summary.iter().any(|(kind, of_kind)| {
        let pending = of_kind.counts.get(&DeliveryStatus::Pending);
        can_send(stored, *kind) && pending.is_some_and(|pending| *pending > 0)
    }))
}

/// The scope by which members are added to lists.
pub(crate) const LISTS_WRITE: &str = "lists:write";

/// Whether lists can be written with the stored key, as far as is known.
pub(crate) fn can_keep_lists(stored: Option<&Connection>) -> bool {
    stored.is_some_and(|stored| {
        let mut missing = stored.missing_scopes.iter();
        let lacks = missing.any(|scope| scope == LISTS_WRITE || scope == "profiles:write");
        stored.status == ConnectionStatus::Active && !lacks
    })
}

/// Has the lists looked at in which audiences are kept: those whose audience has changed, and those whose push has not ended. While
/// a worker is at one, it finds what this unit writes before it leaves.
pub(crate) async fn queue_kept_lists(unit: &mut dyn UnitOfWork) -> Result<(), StoreError> {
    let kept = unit.kept_lists().await?;
    if kept.is_empty() || !can_keep_lists(unit.connection().await?.as_ref()) {
        return Ok(());
    }
    let queued = unit.queued(WorkKind::KeptList).await?;
    for kept in kept {
        let work = WorkKey::kept_list(&kept.audience);
        let is_queued = queued.contains(&work);
        let is_pushed = unit.active_push(&kept.audience).await?.is_some();
        if !is_queued && (is_pushed || kept.is_followed()) {
            unit.enqueue(&work).await?;
        } else if is_queued && !is_pushed && has_changed(unit, &kept).await? {
            // A push that is under way may wait for Klaviyo, and what has changed is looked at when it has ended.
            unit.wake(&work).await?;
        }
    }
    Ok(())
}

/// Whether an audience has changed since its list was what it is, or a write to the list is not finished.
pub(crate) async fn has_changed(
    unit: &mut dyn UnitOfWork,
    kept: &KeptList,
) -> Result<bool, StoreError> {
    let Some(since) = kept.followed_until else {
        return Ok(false);
    };
    let range = ChangeRange {
        since,
        until: None,
        after: None,
    };
    // The unit up to which it was followed may have begun at that very time.
    let changes = unit.changes(&kept.audience, &range, 1).await?;
    Ok(!changes.is_empty() || !unit.open_ledger(&kept.list, 1).await?.is_empty())
}

/// Has pending deliveries sent, if there are any and the stored key can send them: the organization's one work of that kind is
/// queued, or woken. While a worker is at it, it finds what this unit writes before it leaves.
pub(crate) async fn queue_push(unit: &mut dyn UnitOfWork) -> Result<(), StoreError> {
    if unit.next_delivery_due().await?.is_none() || !can_push(unit.connection().await?.as_ref()) {
        return Ok(());
    }
    let work = WorkKey::push();
    if unit.queued(WorkKind::Push).await?.is_empty() {
        unit.enqueue(&work).await
    } else {
        unit.wake(&work).await.map(drop)
    }
}
