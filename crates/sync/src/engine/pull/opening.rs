//! The first step: reads the name of the list and how many profiles it has, and decides which pass is due.

use fanfare_domain::audience::usable_name;
use fanfare_domain::due_pass::DuePass;
use fanfare_domain::ports::{Collection, UnitOfWork};
use fanfare_domain::quota::BETWEEN_WINDOWS;
use fanfare_domain::run::{Opened, Trigger};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::slice::{ActiveSlice, Step};
use crate::SYSTEM_ACTOR;
use crate::engine::drain::Drain;
use crate::error::Error;
use crate::import::free_name;
use crate::klaviyo::CallError;

impl ActiveSlice<'_> {
    pub(super) async fn open(&mut self, stop: &CancellationToken) -> Result<Step, Error> {
        let Some(answer) = Drain::default().wait_for(self.look_up_list(), stop).await else {
            return Ok(Step::Continue);
        };
        let Some(answer) = answer? else {
            return Ok(Step::Lost);
        };
        match answer {
            Ok(collection) => self.opened(collection).await,
            Err(error) => self.handle_failed_call(None, error).await,
        }
    }

    /// Reads the list, and then Klaviyo's count of its profiles by a request of its own: whatever happens to that
    /// one, the run goes on without a count.
    async fn look_up_list(&self) -> Result<Option<Result<Collection, CallError>>, Error> {
        let mut found = match self.look_up(false).await? {
            Some(Ok(found)) => found,
            other => return Ok(other),
        };
        let Some(counted) = self.count().await? else {
            return Ok(None);
        };
        found.profile_count = match counted {
            Ok(counted) => counted.profile_count,
            // Counting has a small quota of its own, for which a run does not wait long.
            Err(CallError::NotBefore(_)) => None,
            Err(CallError::Klaviyo(error)) => {
                let error = &error as &dyn std::error::Error;
                info!(error, "Klaviyo gave no count of the list's profiles");
                None
            }
            Err(error @ CallError::Store(_)) => return Ok(Some(Err(error))),
        };
        Ok(Some(Ok(found)))
    }

    /// Asks for the count, once more after a wait as short as that between two windows of the quota: a list that is
    /// synced every minute would else be counted every other time.
    async fn count(&self) -> Result<Option<Result<Collection, CallError>>, Error> {
        let counted = self.look_up(true).await?;
        if let Some(Err(CallError::NotBefore(waiting))) = &counted {
            let wait = waiting.until.since(self.integration.now());
            if wait <= BETWEEN_WINDOWS {
                self.lease.keep_during(tokio::time::sleep(wait)).await?;
                return self.look_up(true).await;
            }
        }
        Ok(counted)
    }

    pub(super) async fn look_up(
        &self,
        count: bool,
    ) -> Result<Option<Result<Collection, CallError>>, Error> {
        let collection = &self.run.source().collection;
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.collection(&self.connection, collection, count);
        self.lease.keep_during(call).await
    }

    async fn opened(&mut self, collection: Collection) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        self.rename(unit.as_mut(), collection.name.as_deref())
            .await?;
        let opened = Opened {
            due: self
                .due_pass(unit.as_mut(), collection.profile_count)
                .await?,
            name: collection.name.as_deref().and_then(usable_name),
            total: collection.profile_count,
            is_being_computed: collection
                .is_being_computed(self.run.source().collection.kind, self.integration.now()),
            members: unit.member_count(&self.run.run().audience).await?,
            link_moves: unit.link_moves().await?,
        };
        self.run.open(opened, self.integration.now())?;
        self.mark_progress();
        self.commit_step(unit).await
    }

    /// The pass that this run makes. Only a scheduled one may be incremental, and none that has lost its checkpoint.
    async fn due_pass(
        &self,
        unit: &mut dyn UnitOfWork,
        count: Option<u64>,
    ) -> Result<DuePass, Error> {
        let (run, source) = (self.run.run(), self.run.source());
        if run.trigger != Trigger::Schedule || self.run.has_lost_its_checkpoint() {
            return Ok(DuePass::Full);
        }
        let passes = self
            .integration
            .full_passes(unit, source.collection.kind)
            .await?;
        let now = self.integration.now();
        Ok(passes.map_or(DuePass::Full, |passes| passes.due(source, count, now)))
    }

    /// The audience takes over a rename in Klaviyo, unless a user has named the audience.
    async fn rename(&self, unit: &mut dyn UnitOfWork, name: Option<&str>) -> Result<(), Error> {
        let Some(record) = unit.audience(&self.run.run().audience).await? else {
            return Ok(());
        };
        let mut audience = record.audience;
        if audience.named_by_hand {
            return Ok(());
        }
        let name = free_name(unit, &self.run.source().collection, name, &audience.id).await?;
        if name != audience.name {
            audience.name = name;
            audience.updated_at = Some(self.integration.now());
            audience.updated_by = Some(SYSTEM_ACTOR.to_owned());
            unit.put_audience(&audience).await?;
        }
        Ok(())
    }
}
