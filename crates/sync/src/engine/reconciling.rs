//! After the last page: the audience's members become exactly the consumers that were seen.

use fanfare_domain::connection::{Connection, ConnectionStatus};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::removal::may_remove;
use fanfare_domain::scan::Phase;
use fanfare_domain::time::Timestamp;

use super::slice::{ActiveSlice, Step, save};
use crate::error::Error;

impl ActiveSlice<'_> {
    /// Adds members that were seen but are none: their profiles moved to another consumer since.
    /// After the last batch the guard is asked. Where no profile has moved there are none; and where
    /// nobody was a member before, nobody has to leave. Profiles that move from here on are looked for
    /// after the removals.
    pub(super) async fn add_members(&mut self, after: Option<ProfileId>) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        if after.is_none() {
            if !unit.links_have_moved(&self.run.id).await? {
                // The pages have added everybody.
                if self.run.members_at_start == 0 {
                    return self.succeed(unit).await;
                }
                self.run.checkpoint.phase = Phase::CheckingRemovals;
                return Ok(Step::Go);
            }
            unit.forget_moved_links(&self.run.id).await?;
        }
        let (run, audience, now) = (&self.run.id, &self.run.audience, self.integration.now());
        let batch = unit
            .add_missing_members(run, audience, after.as_ref(), self.pace.batch, now)
            .await?;
        self.run.progress.members_added += batch.affected;
        self.mark_progress();
        if let Some(next) = batch.next {
            self.run.checkpoint.phase = Phase::Adding(Some(next));
            unit.save_run(&self.run).await?;
            unit.commit().await?;
            return Ok(Step::Go);
        }
        // A step of its own: who takes the run up here must not find that nothing has moved.
        self.run.checkpoint.phase = Phase::CheckingRemovals;
        unit.save_run(&self.run).await?;
        unit.commit().await?;
        Ok(Step::Go)
    }

    pub(super) async fn check_removals(&mut self) -> Result<Step, Error> {
        let Some(leaving) = self.lease.keep_during(self.count_leaving()).await? else {
            return Ok(Step::Lost);
        };
        let leaving = leaving?;
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let at_start = self.run.members_at_start;
        if !may_remove(at_start, leaving, self.run.confirm_removals) {
            let message = format!(
                "This pass would have removed {leaving} of {at_start} members, more than half, so \
                 they were kept. If that is right, sync again and confirm the removals."
            );
            return self.fail(unit, FailureCode::RemovalGuard, message).await;
        }
        self.run.checkpoint.phase = Phase::Removing(None);
        unit.save_run(&self.run).await?;
        unit.commit().await?;
        Ok(Step::Go)
    }

    async fn count_leaving(&self) -> Result<u64, Error> {
        let mut unit = self.integration.read(&self.lease.organization).await?;
        let (mut leaving, mut after) = (0, None);
        loop {
            let batch = unit
                .count_absent_members(
                    &self.run.id,
                    &self.run.audience,
                    after.as_ref(),
                    self.pace.batch,
                )
                .await?;
            leaving += batch.affected;
            after = batch.next;
            if after.is_none() {
                return Ok(leaving);
            }
        }
    }

    /// Removes members that were not seen; after the last batch the run has succeeded, unless profiles
    /// have moved meanwhile: then their new consumers are still to be added.
    pub(super) async fn remove_members(
        &mut self,
        after: Option<ConsumerId>,
    ) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let batch = unit
            .remove_absent_members(
                &self.run.id,
                &self.run.audience,
                after.as_ref(),
                self.pace.batch,
            )
            .await?;
        self.run.progress.members_removed += batch.affected;
        self.mark_progress();
        if let Some(next) = batch.next {
            self.run.checkpoint.phase = Phase::Removing(Some(next));
            unit.save_run(&self.run).await?;
            unit.commit().await?;
            return Ok(Step::Go);
        }
        if unit.links_have_moved(&self.run.id).await? {
            self.run.checkpoint.phase = Phase::Adding(None);
            unit.save_run(&self.run).await?;
            unit.commit().await?;
            return Ok(Step::Go);
        }
        self.succeed(unit).await
    }

    async fn succeed(&mut self, mut unit: Box<dyn UnitOfWork>) -> Result<Step, Error> {
        let now = self.integration.now();
        self.run.succeed(now)?;
        self.mark_connection_active(unit.as_mut(), now).await?;
        self.source = save(unit.as_mut(), &self.run, self.source.clone(), now).await?;
        unit.commit().await?;
        Ok(Step::Ended)
    }

    /// A key that has read a whole list works, whatever was noted of it before.
    async fn mark_connection_active(
        &self,
        unit: &mut dyn UnitOfWork,
        now: Timestamp,
    ) -> Result<(), Error> {
        let stored = unit.connection().await?;
        let is_doubted = |connection: &Connection| {
            connection.status == ConnectionStatus::Error
                && connection.generation == self.connection.generation
        };
        if let Some(mut connection) = stored.filter(is_doubted) {
            connection.status = ConnectionStatus::Active;
            connection.verified_at = now;
            connection.message = None;
            unit.put_connection(&connection).await?;
        }
        Ok(())
    }
}
