//! Continuous sync: audiences that sync by themselves, when they are due.
//!
//! A due time and the run that comes of it are one transaction, so that each due time has one run, however many
//! processes look for what is due. How runs are worked is the engine's, whatever has started them.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{AudienceRecord, UnitOfWork};
use fanfare_domain::run::{NewRun, RunMode, SourceRun, SyncRun, SyncStatus, Trigger};
use fanfare_domain::schedule::{
    ContinuousAudience, ENDED_BY_NEW_KEY, due_after_deferral, first_due, is_plausible, next_due,
    resumed_due,
};
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::integration::Integration;
use crate::saving::queue_run;

/// How many organizations with due audiences are looked at in one step.
const ORGANIZATIONS: u32 = 100;

/// How many audiences of an organization are started in one unit, so that its pages wait for milliseconds, and other
/// organizations not for all of its audiences.
const MOST_STARTED: u32 = 20;

/// How many runs are looked at for those that found nothing.
const RUNS_LOOKED_AT: u32 = 100;

/// The most issues that one unit deletes.
const MOST_DELETED: u32 = 500;

/// When an audience is looked at again whose row this version of the program cannot read.
const UNREADABLE_PAUSE: Duration = Duration::from_mins(15);

impl Integration {
    /// Starts runs of audiences that are due, a few of each organization. Returns how many audiences were due: where
    /// there were some, more may be.
    pub async fn start_due_syncs(&self) -> Result<u64, Error> {
        let due = self
            .ports
            .work_queue
            .organizations_with_due_schedules(self.now(), ORGANIZATIONS);
        let mut started = 0;
        for organization in due.await? {
            match self.start_due_of(&organization).await {
                Ok(audiences) => started += audiences,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => tracing::warn!(
                    organizationId = %organization,
                    error = &error as &dyn std::error::Error,
                    "an organization's scheduled syncs could not be started"
                ),
            }
        }
        Ok(started)
    }

    async fn start_due_of(&self, organization: &OrganizationId) -> Result<u64, Error> {
        let mut unit = self.begin(organization).await?;
        let now = self.now();
        let due = unit.due_schedules(now, MOST_STARTED).await?;
        let is_connected = !due.is_empty() && unit.connection().await?.is_some();
        for (audience, due_at) in &due {
            let record = match unit.audience(audience).await {
                Err(error) if error.is_unreadable() => {
                    unit.put_due(audience, now.plus(UNREADABLE_PAUSE)).await?;
                    continue;
                }
                found => found?,
            };
            let interval = record.as_ref().and_then(|record| self.interval_of(record));
            let source = record.and_then(|record| record.source);
            let (Some(source), Some(interval), true) = (source, interval, is_connected) else {
                unit.end_schedule(audience).await?;
                continue;
            };
            let next = next_due(*due_at, interval, now);
            unit.put_due(audience, next).await?;
            if unit.active_run(&source.id).await?.is_some() {
                continue;
            }
            let new = NewRun {
                id: RunId::new(self.ports.ids.ulid()),
                organization: organization.clone(),
                trigger: Trigger::Schedule,
                confirm_removals: false,
            };
            let run = SourceRun::queue(source, new, now);
            queue_run(unit.as_mut(), &run).await?;
        }
        unit.commit().await?;
        Ok(due.len() as u64)
    }

    /// The interval of an audience whose schedule is in force; `None` for a manual or archived audience, and while the
    /// schedule is paused.
    pub(crate) fn interval_of(&self, record: &AudienceRecord) -> Option<Duration> {
        let source = record.source.as_ref();
        let is_paused = source.is_none_or(|source| source.paused_by.is_some());
        let is_in_force = !record.audience.archived && !is_paused;
        let seconds = record.audience.refresh_interval_seconds;
        seconds
            .filter(|_| is_in_force)
            .map(|seconds| self.intervals.in_force(seconds))
    }

    /// Begins the schedule of a continuous audience that is synced by other means now.
    pub(crate) async fn begin_schedule(
        &self,
        unit: &mut dyn UnitOfWork,
        audience: &AudienceId,
        interval_seconds: u32,
    ) -> Result<(), Error> {
        let interval = self.intervals.in_force(interval_seconds);
        let due = first_due(self.now(), interval, self.random());
        Ok(unit.put_due(audience, due).await?)
    }

    /// Changes the interval of an audience, or with `None` ends its schedule.
    pub(crate) async fn set_interval(
        &self,
        unit: &mut dyn UnitOfWork,
        record: &mut AudienceRecord,
        interval_seconds: Option<u32>,
    ) -> Result<(), Error> {
        let audience = &mut record.audience;
        let Some(source) = &record.source else {
            let message = "is for audiences that Klaviyo fills; leave it out or send null";
            return match interval_seconds {
                Some(_) => Err(Error::invalid("refreshIntervalSeconds", message)),
                None => Ok(()),
            };
        };
        if let Some(seconds) = interval_seconds {
            self.check_interval(seconds)?;
            if audience.archived {
                return Err(Error::NoSyncSource);
            }
            if unit.connection().await?.is_none() {
                return Err(Error::KeyNotFound);
            }
        }
        let before = std::mem::replace(&mut audience.refresh_interval_seconds, interval_seconds);
        match interval_seconds {
            None => unit.end_schedule(&audience.id).await?,
            same if same == before => {}
            Some(_) if source.paused_by.is_some() => {}
            Some(seconds) => self.begin_schedule(unit, &audience.id, seconds).await?,
        }
        Ok(())
    }

    /// Refuses an interval that no audience may have.
    pub(crate) fn check_interval(&self, seconds: u32) -> Result<(), Error> {
        let field = "refreshIntervalSeconds";
        let checked = self.intervals.check(seconds);
        checked.map_err(|error| Error::invalid(field, error.to_string()))
    }

    /// What the end of a run means for the schedule of its audience: one that has ended a pause begins it anew, one that
    /// could remove nobody is repeated soon, and an incremental one that has found that somebody must have left is followed
    /// by a complete one.
    pub(crate) async fn follow_schedule(
        &self,
        unit: &mut dyn UnitOfWork,
        run: &SourceRun,
    ) -> Result<(), Error> {
        if run.is_active() || run.source().paused_by.is_some() {
            return Ok(());
        }
        let id = &run.run().audience;
        if unit.due_at(id).await?.is_none() {
            self.begin_schedule_anew(unit, id).await?;
        }
        let is_deferred = run.run().removals_deferred && run.run().status == SyncStatus::Success;
        if is_deferred && let Some(due) = unit.due_at(id).await? {
            unit.put_due(id, due_after_deferral(due, self.now()))
                .await?;
        }
        if run.has_found_leavings() && unit.due_at(id).await?.is_some() {
            let (source, now) = (run.source(), self.now());
            let passes = self.full_passes(unit, source.collection.kind).await?;
            if passes.is_some_and(|passes| passes.has_room(&source.id, now)) {
                // Klaviyo takes one request for a count in a second.
                unit.put_due(id, now.plus(Duration::from_secs(1))).await?;
            }
        }
        Ok(())
    }

    async fn begin_schedule_anew(
        &self,
        unit: &mut dyn UnitOfWork,
        id: &AudienceId,
    ) -> Result<(), Error> {
        let record = unit.audience(id).await?;
        let seconds = record.and_then(|record| {
            let audience = record.audience;
            audience
                .refresh_interval_seconds
                .filter(|_| !audience.archived)
        });
        match seconds {
            Some(seconds) => self.begin_schedule(unit, id, seconds).await,
            None => Ok(()),
        }
    }

    /// A key was connected: it ends the pauses that were for the key before.
    pub(crate) async fn resume_with_new_key(&self, unit: &mut dyn UnitOfWork) -> Result<(), Error> {
        unit.end_pauses(&ENDED_BY_NEW_KEY).await?;
        for change in self.schedule_changes(unit).await? {
            change.apply(unit).await?;
        }
        Ok(())
    }

    /// Compares the organization's schedules with its audiences, and puts right what has come apart: where the two lie
    /// on different servers, after a backup was restored in parts, and after the clock was set back or the shortest
    /// interval was changed. Returns how many due times were changed.
    pub async fn mend_schedules(&self, organization: &OrganizationId) -> Result<u64, Error> {
        // Nearly always there is nothing to do: look before keeping writers waiting.
        let mut unit = self.read(organization).await?;
        if self.schedule_changes(unit.as_mut()).await?.is_empty() {
            return Ok(0);
        }
        drop(unit);
        let mut unit = self.begin(organization).await?;
        let changes = self.schedule_changes(unit.as_mut()).await?;
        for change in &changes {
            change.apply(unit.as_mut()).await?;
        }
        unit.commit().await?;
        Ok(changes.len() as u64)
    }

    async fn schedule_changes(
        &self,
        unit: &mut dyn UnitOfWork,
    ) -> Result<Vec<ScheduleChange>, Error> {
        let mut continuous = unit.continuous_audiences().await?;
        let schedules = unit.schedules().await?;
        if continuous.is_empty() && schedules.is_empty() {
            return Ok(Vec::new());
        }
        if unit.connection().await?.is_none() {
            continuous.clear();
        }
        Ok(self.compare(&continuous, schedules))
    }

    fn compare(
        &self,
        continuous: &[ContinuousAudience],
        schedules: Vec<(AudienceId, Timestamp)>,
    ) -> Vec<ScheduleChange> {
        let now = self.now();
        let mut due: BTreeMap<AudienceId, Timestamp> = schedules.into_iter().collect();
        let mut changes = Vec::new();
        for audience in continuous.iter().filter(|it| it.paused_by.is_none()) {
            let interval = self.intervals.in_force(audience.interval_seconds);
            let due = due.remove(&audience.audience);
            if !due.is_some_and(|due| is_plausible(due, interval, now)) {
                changes.push(ScheduleChange {
                    audience: audience.audience.clone(),
                    due: Some(resumed_due(now, interval, self.random())),
                });
            }
        }
        let left_over = due.into_keys();
        changes.extend(left_over.map(|audience| ScheduleChange {
            audience,
            due: None,
        }));
        changes
    }

    /// The organization's audiences whose schedules are paused, with the reason.
    pub async fn paused_schedules(
        &self,
        organization: &OrganizationId,
    ) -> Result<Vec<(AudienceId, FailureCode)>, Error> {
        let mut unit = self.read(organization).await?;
        let continuous = unit.continuous_audiences().await?.into_iter();
        let paused = continuous.filter_map(|it| Some((it.audience, it.paused_by?)));
        Ok(paused.collect())
    }

    /// Deletes the audience's scheduled runs that found nothing, but for the latest of them, among its latest runs. The latest
    /// complete one stays, too, if it has issues: an incremental one does not tell them again.
    pub(crate) async fn delete_runs_that_found_nothing(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
    ) -> Result<(), Error> {
        let page = PageRequest {
            first: RUNS_LOOKED_AT,
            after: None,
        };
        let mut unit = self.read(organization).await?;
        let runs = unit.runs(audience, &page).await?.items;
        let is_complete =
            |run: &&SyncRun| run.status == SyncStatus::Success && run.pass.mode() == RunMode::Full;
        let mut kept = None;
        if let Some(latest) = runs.iter().find(is_complete) {
            let one = PageRequest {
                first: 1,
                after: None,
            };
            let issues = unit.issues(&latest.id, &one).await?.items;
            kept = (!issues.is_empty()).then_some(&latest.id);
        }
        drop(unit);
        let found_nothing = runs.iter().filter(|run| run.found_nothing()).skip(1);
        for run in found_nothing.filter(|run| Some(&run.id) != kept) {
            while {
                let mut unit = self.begin(organization).await?;
                let is_gone = unit.delete_seen_pages(MOST_DELETED).await? == 0
                    && unit.delete_run(&run.id, MOST_DELETED).await?;
                unit.commit().await?;
                !is_gone
            } {}
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    pub(crate) fn random(&self) -> u64 {
        self.ports.ids.ulid().random() as u64
    }
}

/// What is wrong with an audience's due time.
struct ScheduleChange {
    audience: AudienceId,
    /// When it should be due; `None` if it should not be.
    due: Option<Timestamp>,
}

impl ScheduleChange {
    async fn apply(&self, unit: &mut dyn UnitOfWork) -> Result<(), Error> {
        match self.due {
            Some(due) => unit.put_due(&self.audience, due).await?,
            None => unit.end_schedule(&self.audience).await?,
        }
        Ok(())
    }
}
