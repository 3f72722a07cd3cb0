//! The machine's time and random numbers, and a vault for keys.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fanfare_domain::connection::{MasterKeyRank, OpenedKey, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Clock, Ids, KeySealer, SealError};
use fanfare_domain::time::Timestamp;
use secrecy::SecretString;
use ulid::Ulid;

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the clock's port leads"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp::EPOCH.plus(since.unwrap_or_default())
    }
}

pub(crate) struct RandomIds;

impl Ids for RandomIds {
    fn ulid(&self) -> Ulid {
        Ulid::with_source(&mut rand::rng())
    }
}

/// Keeps the keys in memory and gives the store a number for each, so that the file holds no secret.
#[derive(Default)]
pub(crate) struct Vault(Mutex<HashMap<Vec<u8>, (OrganizationId, SecretString)>>);

impl KeySealer for Vault {
    fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey {
        let number = RandomIds.ulid().to_bytes().to_vec();
        let entry = (organization.clone(), key.clone());
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(number.clone(), entry);
        SealedKey {
            form: 1,
            bytes: number,
        }
    }

    fn open(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<OpenedKey, SealError> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.get(&sealed.bytes) {
            Some((owner, key)) if owner == organization => Ok(OpenedKey {
                secret: key.clone(),
                sealed_by: MasterKeyRank::Present,
            }),
            _ => Err(SealError::DoesNotOpen),
        }
    }
}
