//! Reconciling: after the last page, the audience's members become exactly the consumers whose profiles were
//! seen.

use fanfare_domain::connection::{Connection, ConnectionStatus};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::run::{Reconciliation, SyncStatus};
use fanfare_domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::slice::{ActiveSlice, Step};
use crate::engine::drain::Drain;
use crate::error::Error;

impl ActiveSlice<'_> {
    /// Adds a batch of consumers who are not members although their profiles were seen, because the profiles
    /// were linked to them later; or decides that there are none.
    pub(super) async fn add_members(
        &mut self,
        after_page: Option<u64>,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        if after_page.is_none() && self.run.has_to_look_at_segment() {
            let Some(answer) = Drain::default().wait_for(self.look_up(false), stop).await else {
                return Ok(Step::Continue);
            };
            match answer? {
                None => return Ok(Step::Lost),
                Some(Err(error)) => return self.handle_failed_call(None, error).await,
                Some(Ok(segment)) => {
                    let kind = self.run.source().collection.kind;
                    if segment.is_being_computed(kind, self.integration.now()) {
                        self.run.defer_removals();
                    }
                }
            }
        }
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        if after_page.is_none() {
            let link_moves = unit.link_moves().await?;
            match self.run.begin_reconciling(link_moves, now)? {
                Reconciliation::AddMembers => {}
                // Nothing was written. The next step counts the removals.
                Reconciliation::CheckRemovals => return Ok(Step::Continue),
                Reconciliation::Done => return self.commit_reconciled(unit, now).await,
            }
        }
        let run = self.run.run();
        let (after, most) = (after_page.unwrap_or(0), self.pages_of_a_batch());
        let batch = unit
            .add_missing_members(&run.id, &run.audience, after, most)
            .await?;
        self.run.members_added(batch.affected, batch.next, now)?;
        self.mark_progress();
        self.commit_step(unit).await
    }

    pub(super) async fn check_removals(&mut self) -> Result<Step, Error> {
        let lease = self.lease;
        let Some(absent) = lease.keep_during(self.count_absent()).await? else {
            return Ok(Step::Lost);
        };
        let absent = absent?;
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let link_moves = unit.link_moves().await?;
        self.run.check_removals(absent, link_moves, now)?;
        self.commit_reconciled(unit, now).await
    }

    /// Looks at each member only where the run's own counts do not tell that it has seen all.
    async fn count_absent(&mut self) -> Result<u64, Error> {
        let mut unit = self.integration.read(self.lease.organization()).await?;
        let run = self.run.run();
        let members = unit.member_count(&run.audience).await?;
        if self.run.has_met_all(members, unit.link_moves().await?) {
            return Ok(0);
        }
        drop(unit);
        let seen = self.seen_set().await?;
        let run = self.run.run();
        let mut unit = self.integration.read(self.lease.organization()).await?;
        let (mut absent, mut after) = (0, None);
        loop {
            let batch = unit
                .count_absent_members(
                    &run.id,
                    &run.audience,
                    &seen,
                    after.as_ref(),
                    self.pace.batch,
                )
                .await?;
            absent += batch.affected;
            after = batch.next;
            if after.is_none() {
                return Ok(absent);
            }
        }
    }

    /// Removes a batch of members that were not seen.
    pub(super) async fn remove_members(
        &mut self,
        after: Option<ConsumerId>,
    ) -> Result<Step, Error> {
        let lease = self.lease;
        let Some(seen) = lease.keep_during(self.seen_set()).await? else {
            return Ok(Step::Lost);
        };
        let seen = seen?;
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let run = self.run.run();
        let batch = unit
            .remove_absent_members(
                &run.id,
                &run.audience,
                &seen,
                after.as_ref(),
                self.pace.batch,
            )
            .await?;
        let link_moves = unit.link_moves().await?;
        self.run
            .members_removed(batch.affected, batch.next, link_moves, now)?;
        self.mark_progress();
        self.commit_reconciled(unit, now).await
    }

    /// Commits a step that may have been the run's last.
    pub(super) async fn commit_reconciled(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        now: Timestamp,
    ) -> Result<Step, Error> {
        if self.run.run().status == SyncStatus::Success {
            self.mark_connection_active(unit.as_mut(), now).await?;
        }
        self.commit_step(unit).await
    }

    /// A key that has read its list works, even if an earlier refusal was stored.
    async fn mark_connection_active(
        &self,
        unit: &mut dyn UnitOfWork,
        now: Timestamp,
    ) -> Result<(), Error> {
        let stored = unit.connection().await?;
        let has_error = |connection: &Connection| {
            connection.status == ConnectionStatus::Error
                && connection.generation == self.connection.generation
        };
        if let Some(mut connection) = stored.filter(has_error) {
            connection.status = ConnectionStatus::Active;
            connection.verified_at = now;
            connection.message = None;
            unit.put_connection(&connection).await?;
        }
        Ok(())
    }
}
