//! Runs: reading and cancelling them.

use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::run::SyncRun;

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::log::log_cancelled;
use crate::saving::cancel_runs;

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

    /// Cancels a run. What it has written stays.
    pub async fn cancel_run(
        &self,
        organization: &OrganizationId,
        id: &RunId,
    ) -> Result<SyncRun, Error> {
        let mut unit = self.begin(organization).await?;
        let run = unit
            .run(id)
            .await?
            .ok_or(Error::NotFound(Entity::SyncRun))?;
        if !run.status.is_active() {
            return Err(Error::RunFinished);
        }
        let why = "The sync was cancelled.";
        let mut cancelled = cancel_runs(unit.as_mut(), [run], why, self.now()).await?;
        unit.commit().await?;
        log_cancelled(&cancelled);
        cancelled.pop().ok_or(Error::NotFound(Entity::SyncRun))
    }
}
