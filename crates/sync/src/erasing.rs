//! Erasing a person, and recognizing the erased in what Klaviyo sends.

use std::collections::BTreeSet;

use fanfare_domain::connection::SealedKey;
use fanfare_domain::erasure::{Erased, ErasedHash, Identifier};
use fanfare_domain::ids::{ConsumerId, OrganizationId, ProfileId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::profile::{Profile, UsableProfile};
use fanfare_domain::push::{RowStanding, Standing};
use fanfare_domain::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tracing::info;

use crate::error::{Entity, Error};
use crate::hexadecimal::digits;
use crate::integration::Integration;
use crate::saving::queue_kept_lists;

/// The key of an organization's hashes.
struct ErasureKey(Hmac<Sha256>);

impl ErasureKey {
    fn of(secret: &SecretString) -> Self {
        let key = secret.expose_secret().as_bytes();
        // A key of any length will do.
        Self(Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length")))
    }

    fn hash(&self, identifier: &Identifier) -> ErasedHash {
        let code = self.0.clone().chain_update(identifier.bytes()).finalize();
        ErasedHash(digits(&code.into_bytes()))
    }
}

/// Whom we added to Klaviyo lists is taken off them; the ledgers forget everybody else of these at once, and those once they
/// are off.
async fn take_off_lists(
    unit: &mut dyn UnitOfWork,
    consumer: &ConsumerId,
    profiles: &[ProfileId],
    now: Timestamp,
) -> Result<(), Error> {
    for kept in unit.kept_lists().await? {
        let of_consumer = unit
            .ledger_of_consumers(&kept.list, std::slice::from_ref(consumer))
            .await?;
        let of_profiles = unit.ledger_of_profiles(&kept.list, profiles).await?;
        let rows = of_consumer.into_iter().chain(of_profiles);
        let is_ours = |standing: RowStanding| standing.ours().is_some_and(Standing::is_ours);
        let (ours, others): (Vec<_>, Vec<_>) = rows.partition(|row| is_ours(row.standing));
        let ours: BTreeSet<ProfileId> = ours.into_iter().map(|row| row.profile).collect();
        let ours: Vec<_> = ours.into_iter().map(|profile| (profile, None)).collect();
        unit.put_standings(&kept.list, &ours, RowStanding::Removing, now)
            .await?;
        let others: Vec<ProfileId> = others.into_iter().map(|row| row.profile).collect();
        unit.forget_standings(&kept.list, &others).await?;
    }
    Ok(())
}

impl Integration {
    /// Erases a person: the consumer with everything that belongs to it. What is kept are keyed hashes of its
    /// e-mail, phone number and profiles, by which later passes know whom to skip. Returns when it was done.
    pub async fn erase_consumer(
        &self,
        organization: &OrganizationId,
        id: &ConsumerId,
    ) -> Result<Timestamp, Error> {
        let mut unit = self.begin(organization).await?;
        let found = unit.consumer(id).await?;
        let consumer = found.ok_or(Error::NotFound(Entity::Consumer))?.consumer;
        let links = unit.links_of(id).await?;
        let profiles: Vec<ProfileId> = links.into_iter().map(|link| link.profile).collect();
        let email = consumer.email.iter();
        // An address that an earlier version stored may have another form today.
        let emails = email.flat_map(|email| [email.clone(), email.renewed()]);
        let phone = consumer.phone.map(|phone| phone.value);
        let identifiers: BTreeSet<Identifier> = emails
            .map(Identifier::Email)
            .chain(phone.map(Identifier::Phone))
            .chain(profiles.iter().cloned().map(Identifier::Profile))
            .collect();
        let key = if let Some(sealed) = unit.erasure_key().await? {
            self.open_erasure_key(organization, &sealed)?
        } else {
            let secret = self.new_erasure_key();
            let sealed = self.ports.sealer.seal(organization, &secret);
            unit.put_erasure_key(&sealed).await?;
            ErasureKey::of(&secret)
        };
        let hashes: Vec<ErasedHash> = identifiers.iter().map(|one| key.hash(one)).collect();
        let now = self.now();
        take_off_lists(unit.as_mut(), id, &profiles, now).await?;
        unit.erase(id, &profiles, &hashes, now).await?;
        queue_kept_lists(unit.as_mut()).await?;
        unit.commit().await?;
        info!(organizationId = %organization, consumerId = %id, "a consumer was erased");
        Ok(now)
    }

    /// Gives up the hashes of an organization's erased people if no master key opens their key: no profile can be
    /// recognized by them any more. Returns whether it did.
    pub async fn forget_lost_erasures(&self, organization: &OrganizationId) -> Result<bool, Error> {
        let mut unit = self.begin(organization).await?;
        let Some(sealed) = unit.erasure_key().await? else {
            return Ok(false);
        };
        if self.ports.sealer.open(organization, &sealed).is_ok() {
            return Ok(false);
        }
        unit.forget_erasures().await?;
        unit.commit().await?;
        Ok(true)
    }

    /// Those identifiers of a page that name erased people, as they are in this unit: an erasure before it is
    /// known, and one after it waits.
    pub(crate) async fn erased(
        &self,
        unit: &mut dyn UnitOfWork,
        profiles: &[Profile],
        run_started_at: Timestamp,
    ) -> Result<Erased, Error> {
        // Of most organizations nobody was erased, and nothing has to be parsed.
        if unit.erasure_key().await?.is_none() {
            return Ok(Erased::default());
        }
        let usable = profiles
            .iter()
            .map(|profile| UsableProfile::of(profile, run_started_at));
        let identifiers: BTreeSet<Identifier> = usable
            .flat_map(|profile| Identifier::of(&profile).collect::<Vec<_>>())
            .collect();
        self.erased_among(unit, identifiers).await
    }

    /// Those of the identifiers that name erased people.
    pub(crate) async fn erased_among(
        &self,
        unit: &mut dyn UnitOfWork,
        identifiers: BTreeSet<Identifier>,
    ) -> Result<Erased, Error> {
        let Some(sealed) = unit.erasure_key().await? else {
            return Ok(Erased::default());
        };
        let key = self.open_erasure_key(unit.organization(), &sealed)?;
        let with_hashes: Vec<(ErasedHash, Identifier)> = identifiers
            .into_iter()
            .map(|identifier| (key.hash(&identifier), identifier))
            .collect();
        let hashes: Vec<ErasedHash> = with_hashes.iter().map(|(hash, _)| hash.clone()).collect();
        let erased: BTreeSet<ErasedHash> = unit.erased(&hashes).await?.into_iter().collect();
        let named = with_hashes
            .into_iter()
            .filter(|(hash, _)| erased.contains(hash))
            .map(|(_, identifier)| identifier);
        Ok(Erased(named.collect()))
    }

    fn open_erasure_key(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<ErasureKey, Error> {
        let opened = self.ports.sealer.open(organization, sealed);
        let opened = opened.map_err(Error::ErasureKey)?;
        Ok(ErasureKey::of(&opened.secret))
    }

    /// 320 random bits.
    fn new_erasure_key(&self) -> SecretString {
        let part = |_| digits(&self.ports.ids.ulid().random().to_be_bytes()[6..]);
        SecretString::from((0..4).map(part).collect::<String>())
    }
}
