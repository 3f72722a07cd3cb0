//! One step: what is to be done next, and the ends of a push.

use std::time::Duration;

use fanfare_domain::connection::{Connection, ConnectionStatus, OpenConnection};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::RunId;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::{KeptList, MustConfirm, PushMode, PushPhase, PushRun};
use fanfare_domain::run::Trigger;
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::WaitReason;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::calls::Trouble;
use super::{SHORT_WAIT, Slice, Step};
use crate::engine::slice_end::SliceEnd;
use crate::error::Error;
use crate::saving::{can_keep_lists, has_changed};

/// When a push that failed because of Klaviyo is followed by another one.
const AFTER_OUTAGE: Duration = Duration::from_mins(15);

/// A push under way, with the list that it is for.
pub(super) struct Pushing {
    pub(super) kept: KeptList,
    pub(super) run: PushRun,
    pub(super) connection: OpenConnection,
    pub(super) generation: u64,
}

impl Slice<'_> {
    pub(super) async fn step(&mut self, stop: &CancellationToken) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::OVERTAKEN);
        };
        let audience = self.lease.work.key.id.as_audience();
        let stored = unit.connection().await?;
        let stored = stored.filter(|stored| can_keep_lists(Some(stored)));
        let kept = unit.kept_list(&audience).await?;
        let (Some(kept), Some(stored), true) = (kept, stored, self.integration.klaviyo.can_write())
        else {
            // Whoever connects a key or chooses a list queues the work again.
            return self.leave(unit).await;
        };
        let connection = self.opened(&stored)?;
        let Some(mut run) = unit.active_push(&audience).await? else {
            return self.decide(unit, kept).await;
        };
        let now = self.integration.now();
        if self.is_first_step {
            self.is_first_step = false;
            run.claim(now);
            unit.put_push_run(&run).await?;
        }
        let pushing = Pushing {
            kept,
            run,
            connection,
            generation: stored.generation,
        };
        match pushing.run.phase.clone() {
            PushPhase::Scanning { began, cursor } => {
                unit.commit().await?;
                self.scan(pushing, began, cursor, stop).await
            }
            PushPhase::Correcting { began, after } => {
                self.correct(unit, pushing, began, after).await
            }
            PushPhase::CountingMembers { after } => {
                self.count_members(unit, pushing, after, stop).await
            }
            PushPhase::CountingLedger { after } => self.count_ledger(unit, pushing, after).await,
            PushPhase::CountingChanges { after } => {
                self.count_changes(unit, pushing, after, stop).await
            }
            PushPhase::Deciding => self.decide_on_counts(unit, pushing, stop).await,
            PushPhase::FinishingOpen
            | PushPhase::Members { .. }
            | PushPhase::Ledger { .. }
            | PushPhase::Changes { .. } => self.write_some(unit, pushing, stop).await,
            PushPhase::Done => self.succeed(unit, pushing).await,
        }
    }

    /// No push is under way: whether one begins.
    async fn decide(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        kept: KeptList,
    ) -> Result<Step, Error> {
        if !kept.is_followed() {
            return self.leave(unit).await;
        }
        let now = self.integration.now();
        let mode = if kept.next_scan_due() <= now {
            Some(PushMode::Full)
        } else if has_changed(unit.as_mut(), &kept).await? {
            let due = kept.next_push_due();
            if now < due {
                return self.pause(unit, due).await;
            }
            Some(PushMode::Following)
        } else {
            None
        };
        let Some(mode) = mode else {
            return self.pause(unit, kept.next_scan_due()).await;
        };
        let organization = self.lease.organization().clone();
        let id = RunId::new(self.integration.ports.ids.ulid());
        let of = (kept.audience, kept.list);
        let run = PushRun::queued(id, organization, of, Trigger::Schedule, mode, now);
        unit.put_push_run(&run).await?;
        unit.commit().await?;
        self.is_first_step = true;
        Ok(Step::Continue)
    }

    /// A push has made its last step.
    pub(super) async fn succeed(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        pushing: Pushing,
    ) -> Result<Step, Error> {
        let Pushing {
            mut kept, mut run, ..
        } = pushing;
        let now = self.integration.now();
        run.succeed(now);
        kept.waits_for = None;
        kept.followed_until = run.follows_from.or(kept.followed_until);
        kept.last_pushed_at = Some(now);
        unit.put_kept_list(&kept).await?;
        let progress = run.progress;
        let has_done_nothing = progress.added + progress.removed + progress.skipped == 0;
        if run.mode == PushMode::Following && has_done_nothing {
            // What changed was undone, or was there already. There is nothing to tell of it.
            unit.delete_push_run(&run.id).await?;
        } else {
            unit.put_push_run(&run).await?;
            info!(runId = %run.id, added = progress.added, removed = progress.removed, "a list was pushed");
        }
        unit.commit().await?;
        Ok(Step::Continue)
    }

    /// The push fails. What it has done stays.
    pub(super) async fn fail(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        pushing: Pushing,
        code: FailureCode,
        message: &str,
    ) -> Result<Step, Error> {
        let Pushing {
            kept: before,
            mut run,
            ..
        } = pushing;
        let now = self.integration.now();
        run.fail(code, message, now);
        unit.put_push_run(&run).await?;
        // What was shown to people meanwhile stays.
        let mut kept = unit
            .kept_list(&before.audience)
            .await?
            .unwrap_or_else(|| before.clone());
        kept.followed_until = before.followed_until;
        kept.waits_for = before.waits_for;
        kept.last_pushed_at = Some(now);
        if kept.followed_until.is_none() {
            kept.waits_for = Some(MustConfirm::First);
        }
        unit.put_kept_list(&kept).await?;
        warn!(runId = %run.id, code = code.as_str(), "a push failed");
        let comes_again = matches!(
            code,
            FailureCode::UpstreamUnavailable | FailureCode::UpstreamInvalid
        );
        if comes_again && kept.is_followed() {
            return self.pause(unit, now.plus(AFTER_OUTAGE)).await;
        }
        self.leave(unit).await
    }

    /// The push stops until a person has confirmed what it would do.
    pub(super) async fn wait_for_person(
        &self,
        unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        why: MustConfirm,
    ) -> Result<Step, Error> {
        const MESSAGE: &str = "The push would change more people than may be changed without a confirmation, or mail \
            people by flows that nobody was told of. Look at its preview, and confirm it.";
        pushing.kept.waits_for = Some(why);
        self.fail(unit, pushing, FailureCode::ConfirmationNeeded, MESSAGE)
            .await
    }

    /// What follows from a call that brought no answer.
    pub(super) async fn after_trouble(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        trouble: Trouble,
    ) -> Result<Step, Error> {
        const GONE: &str = "Klaviyo does not know the list any more, or it belongs to another account. Choose another one.";
        const KEY: &str =
            "Klaviyo refused the API key. Connect a valid key under Settings, Integrations.";
        const SCOPE: &str = "The Klaviyo API key may not write lists. Connect one with Full Access for Lists and Profiles (the scopes lists:write and \
             profiles:write).";
        match trouble {
            Trouble::Ours(error) => {
                unit.commit().await?;
                Err(error)
            }
            Trouble::Until(waiting) => {
                let wait = waiting.until.since(self.integration.now());
                if wait <= SHORT_WAIT {
                    unit.put_push_run(&pushing.run).await?;
                    unit.commit().await?;
                    let slept = self.lease.keep_during(tokio::time::sleep(wait)).await?;
                    return Ok(slept.map_or(Step::OVERTAKEN, |()| Step::Continue));
                }
                pushing.run.pause(waiting.until, waiting.why);
                unit.put_push_run(&pushing.run).await?;
                self.pause(unit, waiting.until).await
            }
            Trouble::Again(code) => {
                let run = &mut pushing.run;
                run.failures += 1;
                if run.failures >= fanfare_domain::failure::MAX_FAILED_ANSWERS {
                    let message = "Klaviyo gave no usable answer to several requests. What was pushed so far stays.";
                    return self.fail(unit, pushing, code, message).await;
                }
                let random = self.integration.random();
                let wait = fanfare_domain::failure::backoff(run.failures, random);
                let until = self.integration.now().plus(wait);
                run.pause(until, WaitReason::Retry);
                unit.put_push_run(run).await?;
                self.pause(unit, until).await
            }
            Trouble::Stopped => {
                unit.put_push_run(&pushing.run).await?;
                unit.commit().await?;
                Ok(Step::Continue)
            }
            Trouble::ListGone => {
                pushing.kept.followed_until = None;
                self.fail(unit, pushing, FailureCode::SourceGone, GONE)
                    .await
            }
            Trouble::Fail(code) => {
                let message =
                    "Klaviyo refused a request of this program. What was pushed so far stays.";
                self.fail(unit, pushing, code, message).await
            }
            Trouble::KeyRejected => {
                let note = |connection: &mut Connection| {
                    connection.status = ConnectionStatus::Error;
                    connection.message = Some(KEY.to_owned());
                };
                change_connection(unit.as_mut(), pushing.generation, note).await?;
                self.fail(unit, pushing, FailureCode::KeyInvalid, KEY).await
            }
            Trouble::ScopesMissing(scopes) => {
                let note = |connection: &mut Connection| {
                    connection.missing_scopes.extend(scopes);
                    connection.missing_scopes.sort();
                    connection.missing_scopes.dedup();
                };
                change_connection(unit.as_mut(), pushing.generation, note).await?;
                self.fail(unit, pushing, FailureCode::ScopeMissing, SCOPE)
                    .await
            }
        }
    }

    /// Gives the work back in the unit, until this time.
    pub(super) async fn pause(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        until: Timestamp,
    ) -> Result<Step, Error> {
        if !self.lease.release_in(unit.as_mut(), Some(until)).await? {
            return Ok(Step::OVERTAKEN);
        }
        unit.commit().await?;
        Ok(Step::End(SliceEnd::Paused(until)))
    }

    /// Takes the work out of the queue: nothing is to be done before somebody acts, who queues it again.
    async fn leave(&self, mut unit: Box<dyn UnitOfWork>) -> Result<Step, Error> {
        unit.dequeue(&self.lease.work.key).await?;
        unit.commit().await?;
        Ok(Step::LEFT)
    }

    fn opened(&mut self, stored: &Connection) -> Result<OpenConnection, Error> {
        if let Some(connection) = &self.connection
            && connection.generation == stored.generation
        {
            return Ok(connection.clone());
        }
        let opened = self.integration.opened(self.lease.organization(), stored)?;
        self.connection = Some(opened.clone());
        Ok(opened)
    }
}

/// Notes something of the connection, unless its key was replaced meanwhile.
async fn change_connection(
    unit: &mut dyn UnitOfWork,
    generation: u64,
    note: impl FnOnce(&mut Connection),
) -> Result<(), Error> {
    if let Some(mut connection) = unit.connection().await?
        && connection.generation == generation
    {
        note(&mut connection);
        unit.put_connection(&connection).await?;
    }
    Ok(())
}
