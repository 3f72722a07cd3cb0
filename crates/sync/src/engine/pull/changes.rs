//! The changes of the account: the last phase of an incremental pass, in one pass of the account's audiences in an interval.
//!
//! Which run reads them stands in the row of the connection, and so does how far they are read: the transaction that writes
//! the last page moves it. A run that has ended without that is taken over from; what it has written stays.

use std::collections::HashSet;

use fanfare_domain::account_changes::{AccountChanges, ChangesScan};
use fanfare_domain::ids::{ConsumerId, ProfileId, RunId};
use fanfare_domain::klaviyo::MemberPage;
use fanfare_domain::page::{LinkMove, LookUps, plan_changes};
use fanfare_domain::pass::Phase;
use fanfare_domain::ports::{KlaviyoError, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{ChangesTaken, SyncStatus};
use fanfare_domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::slice::{ActiveSlice, Step};
use super::writing::sets;
use crate::due_passes::synced_audiences;
use crate::engine::drain::Drain;
use crate::engine::page_memory::Reservation;
use crate::error::Error;
use crate::klaviyo::CallError;

impl<'a> ActiveSlice<'a> {
    /// Takes the reading of the account's changes upon this run if it is due, or ends the run.
    pub(super) async fn decide_on_changes(&mut self) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let scan = self.claim_changes(unit.as_mut(), now).await?;
        self.run.decide_on_changes(scan, now)?;
        self.mark_progress();
        self.commit_reconciled(unit, now).await
    }

    async fn claim_changes(
        &self,
        unit: &mut dyn UnitOfWork,
        now: Timestamp,
    ) -> Result<Option<ChangesScan>, Error> {
        let run = self.run.run();
        let record = unit.audience(&run.audience).await?;
        let Some(interval) = record.and_then(|record| self.integration.interval_of(&record)) else {
            return Ok(None);
        };
        let before = unit.account_changes().await?;
        if !before.are_due(interval, now) || is_read_by_another(unit, &before, &run.id).await? {
            return Ok(None);
        }
        let since = self.integration.full_passes_since(unit).await?;
        let claimed = AccountChanges {
            reader: Some(run.id.clone()),
            ..before
        };
        // Another run may have been faster.
        let is_claimed = unit.put_account_changes(&before, &claimed).await?;
        Ok(is_claimed.then(|| before.begin(interval, since, now)))
    }

    /// Reads a page of the account's changes.
    pub(super) async fn read_changes(
        &mut self,
        scan: &ChangesScan,
        stop: &'a CancellationToken,
    ) -> Result<Step, Error> {
        let began_at = self.integration.now();
        let fetching = self.lease.keep_during(self.fetch_changes(scan));
        let Some(fetched) = Drain::default().wait_for(fetching, stop).await else {
            return Ok(Step::Continue);
        };
        let Some((answer, _room)) = fetched? else {
            return Ok(Step::Lost);
        };
        match answer {
            Ok(page) => self.take_changes(page, began_at, scan).await,
            Err(error) => self.handle_failed_call(None, error).await,
        }
    }

    /// The page, with the memory that it takes until it is written.
    async fn fetch_changes(
        &self,
        scan: &ChangesScan,
    ) -> (Result<MemberPage, CallError>, Reservation) {
        let memory = &self.engine.page_memory;
        let (klaviyo, organization) = (&self.integration.klaviyo, self.lease.organization());
        let from = scan.from();
        let mut room = memory.room(organization);
        loop {
            let answer = klaviyo
                .changed_profiles(&self.connection, &from, &room)
                .await;
            match answer {
                Err(CallError::Klaviyo(KlaviyoError::NoRoom(bytes))) => {
                    let most = memory.largest_page();
                    if bytes > most {
                        let what = format!("the page is larger than {most} bytes");
                        return (Err(CallError::Klaviyo(KlaviyoError::Invalid(what))), room);
                    }
                    drop(room);
                    room = memory.reserve(organization, bytes).await;
                }
                answer => return (answer, room),
            }
        }
    }

    /// Writes what a page changes of members of the organization's audiences, and the checkpoint after it, in one unit.
    async fn take_changes(
        &mut self,
        page: MemberPage,
        began_at: Timestamp,
        scan: &ChangesScan,
    ) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let latest = page.profiles.iter().filter_map(|one| one.updated).max();
        let followed = followed(unit.as_mut(), page.profiles).await?;
        let ids = self.integration.ports.ids.as_ref();
        let (mut changed, mut written) = (0, 0);
        // Hardly anybody is inserted here, so that no store would refuse what a look-up has missed.
        let mut look_ups = LookUps::default();
        for profiles in sets(&followed) {
            let plan = |known, started_at| plan_changes(profiles, known, started_at, now, ids);
            let (plan, _) = self
                .write_set(
                    unit.as_mut(),
                    profiles,
                    &mut look_ups,
                    (began_at, now),
                    plan,
                )
                .await?;
            changed += plan.tally.created + plan.tally.updated;
            written += plan.created.len() + plan.updated.len();
        }
        self.mark_progress();
        let taken = ChangesTaken {
            next: page.next,
            latest,
            changed,
        };
        self.run.take_changes(taken, now)?;
        if self.run.run().status == SyncStatus::Success {
            let before = unit.account_changes().await?;
            if before.reader.as_ref() == Some(&self.run.run().id) {
                let after = AccountChanges {
                    last: Some(scan.reading),
                    reader: None,
                };
                unit.put_account_changes(&before, &after).await?;
            }
        }
        let step = self.commit_reconciled(unit, now).await?;
        self.index_search(written).await;
        Ok(step)
    }

    /// The consumers that links lead to now are in the lists in which those were that they led to, whichever list is read.
    /// Where other profiles are linked to those, too, complete passes have to tell.
    pub(super) async fn follow_link_moves(
        &self,
        unit: &mut dyn UnitOfWork,
        moves: &[LinkMove],
    ) -> Result<(), Error> {
        if moves.is_empty() {
            return Ok(());
        }
        let audiences = synced_audiences(unit).await?;
        let (shared, certain): (Vec<LinkMove>, Vec<LinkMove>) =
            moves.iter().cloned().partition(|one| one.is_shared);
        unit.follow_link_moves(&self.run.run().id, &audiences, &certain)
            .await?;
        let left: Vec<ConsumerId> = shared.into_iter().map(|one| one.from).collect();
        unit.call_for_full_passes(&audiences, &left).await?;
        Ok(())
    }
}

/// Those of the profiles that are members' of an audience.
async fn followed(
    unit: &mut dyn UnitOfWork,
    profiles: Vec<Profile>,
) -> Result<Vec<Profile>, Error> {
    if profiles.is_empty() {
        return Ok(profiles);
    }
    let audiences = synced_audiences(unit).await?;
    let ids: HashSet<ProfileId> = profiles.iter().map(|one| one.id.clone()).collect();
    let ids: Vec<ProfileId> = ids.into_iter().collect();
    let followed = unit.members_profiles(&audiences, &ids).await?;
    let is_followed = |one: &Profile| followed.contains(&one.id);
    Ok(profiles.into_iter().filter(is_followed).collect())
}

/// Whether a run that is still active reads the changes. One whose row cannot be read is not waited for: it may never end.
async fn is_read_by_another(
    unit: &mut dyn UnitOfWork,
    changes: &AccountChanges,
    run: &RunId,
) -> Result<bool, Error> {
    let Some(reader) = changes.reader.as_ref().filter(|reader| *reader != run) else {
        return Ok(false);
    };
    match unit.run(reader).await {
        Err(error) if error.is_unreadable() => Ok(false),
        found => Ok(found?.is_some_and(|run| {
            run.status.is_active() && matches!(run.pass.phase(), Phase::ReadingChanges(_))
        })),
    }
}
