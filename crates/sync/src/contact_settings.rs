//! What a merchant chooses of contacts to Klaviyo.

use fanfare_domain::contact::ContactSettingsUpdate;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::writing::WriteError;

use crate::error::Error;
use crate::integration::Integration;
use crate::klaviyo::CallError;
use crate::saving::PROFILES_WRITE;
use crate::settings::Settings;

impl Integration {
    /// Changes what is sent of contacts. To switch it on, a connected key must be allowed to write profiles. When it is switched
    /// off, everything that is remembered of contacts is forgotten: what changes from then on nobody follows.
    pub async fn update_contacts(
        &self,
        organization: &OrganizationId,
        update: ContactSettingsUpdate,
    ) -> Result<Settings, Error> {
        let before = self.read(organization).await?.contact_settings().await?;
        if before.merged(update).enabled && !before.enabled {
            self.check_profiles_can_be_written(organization).await?;
        }
        let mut unit = self.begin(organization).await?;
        let before = unit.contact_settings().await?;
        let after = before.merged(update);
        unit.put_contact_settings(&after).await?;
        if before.enabled && !after.enabled {
            unit.forget_contacts().await?;
        }
        unit.commit().await?;
        self.settings(organization).await
    }

    /// Fails if the connected key may not write profiles. It changes nothing in Klaviyo: no profile has the id that is named.
    async fn check_profiles_can_be_written(
        &self,
        organization: &OrganizationId,
    ) -> Result<(), Error> {
        let stored = self.read(organization).await?.connection().await?;
        let Some(stored) = stored.filter(|_| self.klaviyo.can_write()) else {
            // Whether a key that is connected later may write them is seen when something is sent.
            return Ok(());
        };
        let connection = self.opened(organization, &stored)?;
        let call = || async {
            let tried = self.klaviyo.try_to_write_profiles(&connection).await;
            tried.map_err(|error| match error {
                CallError::NotBefore(waiting) => CallError::NotBefore(waiting),
                CallError::Store(error) => CallError::Store(error),
                CallError::Klaviyo(error) => CallError::Klaviyo(as_read(error)),
            })
        };
        match self.klaviyo.with_short_wait(call).await {
            Err(Error::ScopeMissing(scopes)) if scopes.is_empty() => {
                Err(Error::ScopeMissing(vec![PROFILES_WRITE.to_owned()]))
            }
            Err(Error::KlaviyoUnreachable(KlaviyoError::NotPermitted)) => {
                Err(Error::ScopeMissing(vec![PROFILES_WRITE.to_owned()]))
            }
            other => other,
        }
    }
}

/// The same error of a request that only asks.
fn as_read(error: WriteError) -> KlaviyoError {
    match error {
        WriteError::KeyRejected => KlaviyoError::KeyRejected,
        WriteError::ScopeMissing(scopes) => KlaviyoError::ScopeMissing(scopes),
        WriteError::NotPermitted => KlaviyoError::NotPermitted,
        WriteError::Throttled(retry_after) => KlaviyoError::Throttled(retry_after),
        WriteError::RevisionRetired => KlaviyoError::RevisionRetired,
        other => KlaviyoError::Unavailable(other.to_string()),
    }
}
