//! A manual sync: a new full pass over an audience's list.

use fanfare_domain::ids::{AudienceId, OrganizationId, RunId, SourceId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::run::{NewRun, SourceRun, Trigger};

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::saving::queue_run;

/// A sync that was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedSync {
    /// The audience's source.
    pub source: SourceId,
    /// The new run.
    pub run: RunId,
}

/// Audiences that are read at once where all are synced.
const AUDIENCES_AT_ONCE: u32 = 100;

impl Integration {
    /// Queues a full pass. `confirm_removals` permits removals that a pass does not carry out by itself. Of several
    /// requests at the same time, one queues a run and the others get [`Error::SyncInProgress`].
    pub async fn sync_audience(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        confirm_removals: bool,
    ) -> Result<StartedSync, Error> {
        let mut unit = self.begin(organization).await?;
        let record = unit
            .audience(audience)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        let source = record.source.ok_or(Error::NotSynced)?;
        if record.audience.archived || source.archived {
            return Err(Error::NoSyncSource);
        }
        if unit.active_run(&source.id).await?.is_some() {
            return Err(Error::SyncInProgress);
        }
        if unit.connection().await?.is_none() {
            return Err(Error::KeyNotFound);
        }
        let new = NewRun {
            id: RunId::new(self.ports.ids.ulid()),
            organization: organization.clone(),
            trigger: Trigger::Manual,
            confirm_removals,
        };
        let run = SourceRun::queue(source, new, self.now());
        queue_run(unit.as_mut(), &run).await?;
        unit.commit().await?;
        Ok(StartedSync {
            source: run.source().id.clone(),
            run: run.run().id.clone(),
        })
    }

    /// Queues a full pass of each audience that has no active run. Returns how many were queued.
    pub async fn sync_all_audiences(&self, organization: &OrganizationId) -> Result<u64, Error> {
        let mut page = PageRequest {
            first: AUDIENCES_AT_ONCE,
            after: None,
        };
        let mut queued = 0;
        loop {
            let read = self.audiences(organization, &page).await?;
            for record in &read.items {
                match self
                    .sync_audience(organization, &record.audience.id, false)
                    .await
                {
                    Ok(_) => queued += 1,
                    // It syncs already, is filled by hand, or was deleted since the page was read.
                    Err(Error::SyncInProgress | Error::NoSyncSource | Error::NotSynced) => {}
                    Err(error) => return Err(error),
                }
            }
            page.after = read.end().map(str::to_owned);
            if page.after.is_none() {
                return Ok(queued);
            }
        }
    }
}
