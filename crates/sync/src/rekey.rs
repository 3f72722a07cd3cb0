//! Replacing the master key: which one sealed a stored key, and sealing it anew with the present one.

use fanfare_domain::connection::{MasterKeyRank, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{SealError, StoreError, UnitOfWork};

use crate::error::Error;
use crate::integration::Integration;

/// What has become of an organization's stored keys: the worst of it. Later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rekeyed {
    /// None is stored.
    NotConnected,
    /// The present master key had sealed them already.
    Unchanged,
    /// A master key of before had sealed one; now the present one has.
    SealedAnew,
    /// No configured master key opens one. It was left as it is.
    NotOpened,
}

/// The keys that an organization may have stored.
#[derive(Clone, Copy)]
enum StoredKey {
    Klaviyo,
    /// Of erased people's hashes.
    Erasures,
    /// That webhooks are signed with.
    Webhooks,
    /// That they were signed with before.
    PreviousWebhooks,
}

impl StoredKey {
    const ALL: [Self; 4] = [
        Self::Klaviyo,
        Self::Erasures,
        Self::Webhooks,
        Self::PreviousWebhooks,
    ];

    async fn sealed(self, unit: &mut dyn UnitOfWork) -> Result<Option<SealedKey>, StoreError> {
        match self {
            Self::Klaviyo => Ok(unit.connection().await?.map(|stored| stored.key)),
            Self::Erasures => unit.erasure_key().await,
            Self::Webhooks => {
                let secrets = unit.webhook_secrets().await?;
                Ok(secrets.map(|secrets| secrets.current))
            }
            Self::PreviousWebhooks => {
                let previous = unit
                    .webhook_secrets()
                    .await?
                    .and_then(|secrets| secrets.previous);
                Ok(previous.map(|(secret, _)| secret))
            }
        }
    }

    async fn reseal(
        self,
        unit: &mut dyn UnitOfWork,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Klaviyo => unit.reseal_key(before, after).await,
            Self::Erasures => unit.reseal_erasure_key(before, after).await,
            Self::Webhooks | Self::PreviousWebhooks => {
                unit.reseal_webhook_secret(before, after).await
            }
        }
    }
}

impl Integration {
    /// Which master key sealed the organization's stored keys, the oldest of them; an error if one is not opened.
    /// `None` if none is stored.
    pub async fn sealed_by(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<Result<MasterKeyRank, SealError>>, Error> {
        let mut unit = self.read(organization).await?;
        let mut oldest = None;
        for key in StoredKey::ALL {
            let Some(sealed) = key.sealed(unit.as_mut()).await? else {
                continue;
            };
            match self.ports.sealer.open(organization, &sealed) {
                Ok(opened) => oldest = oldest.max(Some(opened.sealed_by)),
                Err(error) => return Ok(Some(Err(error))),
            }
        }
        Ok(oldest.map(Ok))
    }

    /// Seals the organization's stored keys with the present master key, if one of before had sealed them.
    ///
    /// For each it is one short unit of the organization, beside whatever else programs do for it. A key that is
    /// replaced or deleted meanwhile is not overwritten: what is stored then is looked at instead.
    pub async fn rekey(&self, organization: &OrganizationId) -> Result<Rekeyed, Error> {
        let mut worst = Rekeyed::NotConnected;
        for key in StoredKey::ALL {
            worst = worst.max(self.rekey_one(organization, key).await?);
        }
        Ok(worst)
    }

    async fn rekey_one(
        &self,
        organization: &OrganizationId,
        key: StoredKey,
    ) -> Result<Rekeyed, Error> {
        let sealer = &self.ports.sealer;
        loop {
            let mut unit = self.read(organization).await?;
            let Some(before) = key.sealed(unit.as_mut()).await? else {
                return Ok(Rekeyed::NotConnected);
            };
            drop(unit);
            let Ok(opened) = sealer.open(organization, &before) else {
                return Ok(Rekeyed::NotOpened);
            };
            if opened.sealed_by == MasterKeyRank::Present {
                return Ok(Rekeyed::Unchanged);
            }
            let after = sealer.seal(organization, &opened.secret);
            let mut unit = self.begin(organization).await?;
            if key.reseal(unit.as_mut(), &before, &after).await? {
                unit.commit().await?;
                return Ok(Rekeyed::SealedAnew);
            }
        }
    }
}
