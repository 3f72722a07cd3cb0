//! Runs of both kinds: those that read a list or segment, and those that push an audience into its list.

use std::sync::Arc;

use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::push::PushRun;
use fanfare_domain::run::{SyncRun, SyncStatus};

use crate::error::{Entity, Error};
use crate::integration::Integration;

/// A run of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyRun {
    /// One that reads.
    Pull(Arc<SyncRun>),
    /// One that pushes.
    Push(Arc<PushRun>),
}

impl AnyRun {
    /// Its id.
    pub fn id(&self) -> &RunId {
        match self {
            Self::Pull(run) => &run.id,
            Self::Push(run) => &run.id,
        }
    }

    /// The organization.
    pub fn organization(&self) -> &OrganizationId {
        match self {
            Self::Pull(run) => &run.organization,
            Self::Push(run) => &run.organization,
        }
    }

    /// Its status.
    pub fn status(&self) -> SyncStatus {
        match self {
            Self::Pull(run) => run.status,
            Self::Push(run) => run.status,
        }
    }
}

impl Integration {
    /// One run, of any kind.
    pub async fn any_run(
        &self,
        organization: &OrganizationId,
        id: &RunId,
    ) -> Result<AnyRun, Error> {
        let mut unit = self.read(organization).await?;
        if let Some(run) = unit.run(id).await? {
            return Ok(AnyRun::Pull(Arc::new(run)));
        }
        let run = unit.push_run(id).await?;
        let run = run.ok_or(Error::NotFound(Entity::SyncRun))?;
        Ok(AnyRun::Push(Arc::new(run)))
    }

    /// The audience's runs of every kind, the latest first.
    pub async fn all_runs(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<AnyRun>, Error> {
        let mut unit = self.read(organization).await?;
        let found = unit.audience(audience).await?;
        found.ok_or(Error::NotFound(Entity::Audience))?;
        let pulls = unit.runs(audience, page).await?.items.into_iter();
        let pushes = unit.push_runs(audience, page).await?.items.into_iter();
        let pulls = pulls.map(|run| AnyRun::Pull(Arc::new(run)));
        let pushes = pushes.map(|run| AnyRun::Push(Arc::new(run)));
        let mut all: Vec<AnyRun> = pulls.chain(pushes).collect();
        all.sort_by(|one, other| other.id().cmp(one.id()));
        all.truncate(page.first as usize);
        Ok(Page::of(all, |run| run.id().to_string()))
    }

    /// Cancels a run of any kind.
    pub async fn cancel_any_run(
        &self,
        organization: &OrganizationId,
        id: &RunId,
    ) -> Result<AnyRun, Error> {
        let is_push = self.read(organization).await?.push_run(id).await?.is_some();
        if is_push {
            let run = self.cancel_push(organization, id).await?;
            return Ok(AnyRun::Push(Arc::new(run)));
        }
        let run = self.cancel_run(organization, id).await?;
        Ok(AnyRun::Pull(Arc::new(run)))
    }
}
