//! Runs: reading and cancelling them.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::{AudienceId, OrganizationId, ProfileId, RunId};
use fanfare_domain::issue::{Issue, IssueCode};
use fanfare_domain::page::SeenIndex;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::run::SyncRun;
use fanfare_domain::work::WorkKind;

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::log::log_cancelled;
use crate::saving::{cancel_runs, load_run};

impl Integration {
    /// One run.
    pub async fn run(&self, organization: &OrganizationId, id: &RunId) -> Result<SyncRun, Error> {
        let found = self.read(organization).await?.run(id).await?;
        found.ok_or(Error::NotFound(Entity::SyncRun))
    }

    /// The audience's runs, latest first.
    pub async fn runs(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, Error> {
        let mut unit = self.read(organization).await?;
        unit.audience(audience)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        Ok(unit.runs(audience, page).await?)
    }

    /// How many issues the run has of each code, by the codes' names.
    pub async fn issue_counts(
        &self,
        organization: &OrganizationId,
        run: &RunId,
    ) -> Result<Vec<(IssueCode, u64)>, Error> {
        let mut unit = self.read(organization).await?;
        Ok(unit.issue_counts(run).await?)
    }

    /// The issues of a run: records that were not taken over without a change.
    pub async fn issues(
        &self,
        organization: &OrganizationId,
        run: &RunId,
        page: &PageRequest,
    ) -> Result<Page<Issue>, Error> {
        let mut unit = self.read(organization).await?;
        unit.run(run)
            .await?
            .ok_or(Error::NotFound(Entity::SyncRun))?;
        Ok(unit.issues(run, page).await?)
    }

    /// The consumers to whom some profiles of a run are linked. Profiles that were left out have none.
    pub async fn people_of_profiles(
        &self,
        organization: &OrganizationId,
        run: &RunId,
        profiles: &[ProfileId],
    ) -> Result<BTreeMap<ProfileId, Consumer>, Error> {
        let mut unit = self.read(organization).await?;
        let known = unit
            .known(run, &SeenIndex::default(), &[], profiles)
            .await?;
        let consumers = known.consumers.into_iter();
        let by_id: BTreeMap<_, _> = consumers.map(|one| (one.id.clone(), one)).collect();
        let asked: BTreeSet<&ProfileId> = profiles.iter().collect();
        let links = known.links.into_iter();
        let links = links.filter(|link| asked.contains(&link.profile));
        Ok(links
            .filter_map(|link| Some((link.profile, by_id.get(&link.consumer)?.clone())))
            .collect())
    }

    /// The organization's active runs that this version of the program cannot read, or leaves to a newer one.
    pub async fn unreadable_runs(
        &self,
        organization: &OrganizationId,
    ) -> Result<Vec<RunId>, Error> {
        let mut unit = self.read(organization).await?;
        let mut found = Vec::new();
        for work in unit.queued(WorkKind::Pull).await? {
            let id = work.id.as_run();
            match load_run(unit.as_mut(), &id).await {
                Ok(Some(run)) if run.run().is_newer => found.push(id),
                Err(Error::Store(error)) if error.is_unreadable() => found.push(id),
                other => drop(other?),
            }
        }
        Ok(found)
    }

    /// Cancels a run. What it has written stays. A run whose row this version of the program cannot read ends, too; its
    /// counts are lost.
    pub async fn cancel_run(
        &self,
        organization: &OrganizationId,
        id: &RunId,
    ) -> Result<SyncRun, Error> {
        let mut unit = self.begin(organization).await?;
        let why = "The sync was cancelled.";
        let mut cancelled = cancel_runs(unit.as_mut(), [id.clone()], why, self.now()).await?;
        let Some(run) = cancelled.pop() else {
            let found = unit.run(id).await?;
            return Err(match found.filter(|run| !run.status.is_active()) {
                Some(_) => Error::RunFinished,
                None => Error::NotFound(Entity::SyncRun),
            });
        };
        unit.commit().await?;
        log_cancelled([&run]);
        Ok(run)
    }
}
