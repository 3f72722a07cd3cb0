//! Starting a push, with the confirmation of what it does.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::push::{
    Confirmation, MustConfirm, PUSH_LIMIT, PushCounts, PushMode, PushRun, must_confirm,
};
use fanfare_domain::run::Trigger;
use fanfare_domain::work::{WorkKey, WorkKind};

use crate::error::{Entity, Error, NotConfirmed};
use crate::integration::Integration;
use crate::saving::queue_kept_lists;

impl Integration {
    /// Starts a push of everything. It may do what was shown and confirmed, and not more; what needs no confirmation may be pushed
    /// without one.
    pub async fn push_audience(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        confirmation: Option<&str>,
    ) -> Result<RunId, Error> {
        let kept = self.required_kept_list(organization, audience).await?;
        // What cannot be is refused before Klaviyo is asked.
        let is_pushed = self.read(organization).await?.active_push(audience).await?;
        if is_pushed.is_some() {
            return Err(Error::SyncInProgress);
        }
        let required = |why| Err(Error::ConfirmationRequired(why));
        match confirmation.filter(|text| !text.is_empty()) {
            None if kept.followed_until.is_none() => {
                return required(NotConfirmed::Missing(MustConfirm::First));
            }
            None => {}
            Some(text) => {
                if let Err(refused) = Confirmation::check_age(kept.shown(text), self.now()) {
                    return required(NotConfirmed::Refused(refused));
                }
            }
        }
        let (now_is, _) = self.preview(organization, &kept).await?;
        let mut unit = self.begin(organization).await?;
        let stored = unit.kept_list(audience).await?;
        let mut stored = stored
            .filter(|it| it.list == kept.list)
            .ok_or(Error::NoKeptList)?;
        if unit.active_push(audience).await?.is_some() {
            return Err(Error::SyncInProgress);
        }
        let now = self.now();
        let limit = unit.push_limit().await?.unwrap_or(PUSH_LIMIT);
        let shown = confirmation.and_then(|text| stored.shown(text)).cloned();
        if let Some(why) = must_confirm(&now_is, limit, stored.followed_until.is_none()) {
            let text = confirmation.unwrap_or_default();
            if text.is_empty() {
                return required(NotConfirmed::Missing(why));
            }
            if let Err(refused) = Confirmation::check(shown.as_ref(), text, &now_is, now) {
                return required(NotConfirmed::Refused(refused));
            }
        }
        let ids = &self.ports.ids;
        let of = (audience.clone(), kept.list.clone());
        let id = RunId::new(ids.ulid());
        let trigger = Trigger::Manual;
        let mut run = PushRun::queued(id, organization.clone(), of, trigger, PushMode::Full, now);
        // It is more than now only where the people themselves have become fewer.
        let shown = shown.map_or_else(|| now_is.clone(), |shown| shown.preview);
        run.allowed = PushCounts {
            adds: shown.adds,
            removes: shown.removes,
        };
        stored.confirmed_flows = now_is.flows;
        stored.waits_for = None;
        unit.put_kept_list(&stored).await?;
        unit.put_push_run(&run).await?;
        let work = WorkKey::kept_list(audience);
        if unit.queued(WorkKind::KeptList).await?.contains(&work) {
            unit.wake(&work).await?;
        } else {
            unit.enqueue(&work).await?;
        }
        unit.commit().await?;
        Ok(run.id)
    }

    /// A push, by id.
    pub async fn push_run(
        &self,
        organization: &OrganizationId,
        id: &RunId,
    ) -> Result<PushRun, Error> {
        let found = self.read(organization).await?.push_run(id).await?;
        found.ok_or(Error::NotFound(Entity::SyncRun))
    }

    /// The audience's pushes, latest first.
    pub async fn push_runs(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<PushRun>, Error> {
        Ok(self
            .read(organization)
            .await?
            .push_runs(audience, page)
            .await?)
    }

    /// Cancels a push. What it has done stays. Changes that it was to follow are followed by the next one.
    pub async fn cancel_push(
        &self,
        organization: &OrganizationId,
        id: &RunId,
    ) -> Result<PushRun, Error> {
        let mut unit = self.begin(organization).await?;
        let run = unit.push_run(id).await?;
        let mut run = run.ok_or(Error::NotFound(Entity::SyncRun))?;
        if !run.status.is_active() {
            return Err(Error::RunFinished);
        }
        run.fail(
            FailureCode::Cancelled,
            "The push was cancelled.",
            self.now(),
        );
        unit.put_push_run(&run).await?;
        unit.dequeue(&WorkKey::kept_list(&run.audience)).await?;
        queue_kept_lists(unit.as_mut()).await?;
        unit.commit().await?;
        Ok(run)
    }

    /// How many people a push changes without a confirmation.
    pub async fn push_limit(&self, organization: &OrganizationId) -> Result<u64, Error> {
        let limit = self.read(organization).await?.push_limit().await?;
        Ok(limit.unwrap_or(PUSH_LIMIT))
    }

    /// Chooses that number.
    pub async fn set_push_limit(
        &self,
        organization: &OrganizationId,
        limit: u64,
    ) -> Result<(), Error> {
        let mut unit = self.begin(organization).await?;
        unit.put_push_limit(limit).await?;
        Ok(unit.commit().await?)
    }
}
