//! Replacing the master key: which one sealed a stored key, and sealing it anew with the present one.

use fanfare_domain::connection::MasterKeyRank;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::SealError;

use crate::error::Error;
use crate::integration::Integration;

/// What has become of an organization's stored key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rekeyed {
    /// None is stored.
    NotConnected,
    /// The present master key had sealed it already.
    Unchanged,
    /// A master key of before had sealed it; now the present one has.
    SealedAnew,
    /// No configured master key opens it. It was left as it is.
    NotOpened,
}

impl Integration {
    /// Which master key sealed the organization's stored key. `None` if none is stored.
    pub async fn sealed_by(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<Result<MasterKeyRank, SealError>>, Error> {
        let stored = self.read(organization).await?.connection().await?;
        Ok(stored.map(|stored| {
            let opened = self.ports.sealer.open(organization, &stored.key);
            opened.map(|opened| opened.sealed_by)
        }))
    }

    /// Seals the organization's stored key with the present master key, if one of before had sealed it.
    ///
    /// It is one short unit of the organization, beside whatever else programs do for it. A key that is
    /// replaced or deleted meanwhile is not overwritten: what is stored then is looked at instead.
    pub async fn rekey(&self, organization: &OrganizationId) -> Result<Rekeyed, Error> {
        let sealer = &self.ports.sealer;
        loop {
            let stored = self.read(organization).await?.connection().await?;
            let Some(before) = stored.map(|stored| stored.key) else {
                return Ok(Rekeyed::NotConnected);
            };
            let Ok(opened) = sealer.open(organization, &before) else {
                return Ok(Rekeyed::NotOpened);
            };
            if opened.sealed_by == MasterKeyRank::Present {
                return Ok(Rekeyed::Unchanged);
            }
            let after = sealer.seal(organization, &opened.secret);
            let mut unit = self.begin(organization).await?;
            if unit.reseal_key(&before, &after).await? {
                unit.commit().await?;
                return Ok(Rekeyed::SealedAnew);
            }
        }
    }
}
