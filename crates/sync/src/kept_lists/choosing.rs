//! Choosing the Klaviyo list that an audience is kept in.

use fanfare_domain::audience::usable_name;
use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, CollectionId, OrganizationId, ProfileId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::push::KeptList;
use fanfare_domain::work::WorkKey;

use super::circles::{check, known_feeds};
use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::saving::LISTS_WRITE;

/// What is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListChoice {
    /// A list that there is.
    Existing(CollectionId),
    /// A new list of this name.
    New(String),
    /// None: the audience is not kept any more. Whoever is in the list stays there.
    None,
}

/// A profile that there is not: to remove it from a list does nothing, and shows whether the key may write.
const NOBODY: &str = "00000000000000000000000000";

impl Integration {
    /// The list that an audience is kept in.
    pub async fn kept_list(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
    ) -> Result<Option<KeptList>, Error> {
        let mut unit = self.read(organization).await?;
        let found = unit.audience(audience).await?;
        found.ok_or(Error::NotFound(Entity::Audience))?;
        Ok(unit.kept_list(audience).await?)
    }

    /// Chooses the list that an audience is kept in. Nothing is pushed before somebody has seen what a push would do.
    pub async fn choose_list(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        choice: ListChoice,
        actor: &str,
    ) -> Result<Option<KeptList>, Error> {
        let mut unit = self.read(organization).await?;
        let record = unit.audience(audience).await?;
        let record = record.ok_or(Error::NotFound(Entity::Audience))?;
        drop(unit);
        let mut of_definitions = Vec::new();
        let (list, name) = match choice {
            ListChoice::None => return self.keep_in_no_list(organization, audience).await,
            _ if record.audience.archived => return Err(Error::Archived),
            ListChoice::Existing(list) => {
                // What cannot be is refused before Klaviyo is asked.
                let mut unit = self.read(organization).await?;
                let mut known = known_feeds(unit.as_mut(), audience).await?;
                check(unit.as_mut(), audience, &list, &known).await?;
                drop(unit);
                let defined = self.definitions(organization, audience, &known).await?;
                known.extend(defined.iter().cloned());
                let mut unit = self.read(organization).await?;
                check(unit.as_mut(), audience, &list, &known).await?;
                drop(unit);
                of_definitions = defined;
                let name = self.check_list(organization, &list).await?;
                (list, name)
            }
            ListChoice::New(name) => {
                let made = self.make_list(organization, &name).await?;
                (made, Some(name))
            }
        };
        let mut unit = self.begin(organization).await?;
        let mut known = known_feeds(unit.as_mut(), audience).await?;
        known.extend(of_definitions);
        check(unit.as_mut(), audience, &list, &known).await?;
        let record = unit.audience(audience).await?;
        if record.is_none_or(|record| record.audience.archived) {
            return Err(Error::Archived);
        }
        let before = unit.kept_list(audience).await?;
        if let Some(before) = before.filter(|before| before.list == list) {
            return Ok(Some(before));
        }
        self.end_push(unit.as_mut(), audience, "Another list was chosen.")
            .await?;
        let kept = KeptList::new(audience.clone(), list, name, self.now(), actor.to_owned());
        unit.put_kept_list(&kept).await?;
        unit.commit().await?;
        Ok(Some(kept))
    }

    async fn keep_in_no_list(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
    ) -> Result<Option<KeptList>, Error> {
        let mut unit = self.begin(organization).await?;
        self.stop_keeping(
            unit.as_mut(),
            audience,
            "The audience is kept in no list any more.",
        )
        .await?;
        unit.commit().await?;
        Ok(None)
    }

    /// An audience is kept in no list from now on, for this reason.
    pub(crate) async fn stop_keeping(
        &self,
        unit: &mut dyn UnitOfWork,
        audience: &AudienceId,
        why: &str,
    ) -> Result<(), StoreError> {
        self.end_push(unit, audience, why).await?;
        unit.delete_kept_list(audience).await
    }

    /// Audiences are kept in no lists from now on: their lists were of another Klaviyo account.
    pub(crate) async fn forget_kept_lists(
        &self,
        unit: &mut dyn UnitOfWork,
    ) -> Result<(), StoreError> {
        for kept in unit.kept_lists().await? {
            self.end_push(
                unit,
                &kept.audience,
                "Another Klaviyo account was connected.",
            )
            .await?;
        }
        unit.forget_kept_lists().await
    }

    /// Ends the push of an audience that is under way, and takes its work out of the queue.
    pub(crate) async fn end_push(
        &self,
        unit: &mut dyn UnitOfWork,
        audience: &AudienceId,
        why: &str,
    ) -> Result<(), StoreError> {
        if let Some(mut run) = unit.active_push(audience).await? {
            run.fail(FailureCode::Cancelled, why, self.now());
            unit.put_push_run(&run).await?;
        }
        unit.dequeue(&WorkKey::kept_list(audience)).await
    }

    /// The name of a list that is there and that the key may write.
    async fn check_list(
        &self,
        organization: &OrganizationId,
        list: &CollectionId,
    ) -> Result<Option<String>, Error> {
        let connection = self.open_connection(organization).await?;
        let collection = CollectionRef {
            kind: CollectionKind::List,
            id: list.clone(),
        };
        let found = self.look_up(&connection, &collection, false).await?;
        if let Ok(nobody) = ProfileId::parse(NOBODY) {
            let nobody = [nobody];
            let call = || self.klaviyo.remove_from_list(&connection, list, &nobody);
            match self.klaviyo.write_with_short_wait(call).await {
                // Klaviyo says that it does not know the profile, or takes it as no member.
                Ok(())
                | Err(Error::KlaviyoUnreachable(
                    KlaviyoError::NotFound | KlaviyoError::Refused(_),
                )) => {}
                Err(error) => return Err(with_scope(error)),
            }
        }
        Ok(found.name.as_deref().and_then(usable_name))
    }

    async fn make_list(
        &self,
        organization: &OrganizationId,
        name: &str,
    ) -> Result<CollectionId, Error> {
        let connection = self.open_connection(organization).await?;
        let call = || self.klaviyo.create_list(&connection, name);
        let made = self.klaviyo.write_with_short_wait(call).await;
        Ok(made.map_err(with_scope)?.id)
    }
}

/// Klaviyo does not always say which scope it is that a key lacks.
fn with_scope(error: Error) -> Error {
    match error {
        Error::ScopeMissing(scopes) if scopes.is_empty() => {
            Error::ScopeMissing(vec![LISTS_WRITE.to_owned()])
        }
        other => other,
    }
}
