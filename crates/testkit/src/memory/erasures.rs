//! Erased people.

use async_trait::async_trait;
use fanfare_domain::connection::SealedKey;
use fanfare_domain::erasure::ErasedHash;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::{Erasures, StoreError};
use fanfare_domain::time::Timestamp;

use super::rows::refuse;
use super::unit::Unit;

#[async_trait]
impl Erasures for Unit {
    async fn erasure_key(&mut self) -> Result<Option<SealedKey>, StoreError> {
        Ok(self.rows().erasure_key.clone())
    }

    async fn put_erasure_key(&mut self, key: &SealedKey) -> Result<(), StoreError> {
        let stored = &mut self.rows_mut()?.erasure_key;
        if stored.replace(key.clone()).is_some() {
            return Err(refuse("there is a key already"));
        }
        Ok(())
    }

    async fn reseal_erasure_key(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        let stored = &mut self.rows_mut()?.erasure_key;
        if stored.as_ref() != Some(before) {
            return Ok(false);
        }
        *stored = Some(after.clone());
        Ok(true)
    }

    async fn forget_erasures(&mut self) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        rows.erasure_key = None;
        rows.erased.clear();
        Ok(())
    }

    async fn erase(
        &mut self,
        consumer: &ConsumerId,
        profiles: &[ProfileId],
        hashes: &[ErasedHash],
        _at: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        for issues in rows.issues.values_mut() {
            issues.retain(|_, issue| !profiles.contains(&issue.profile));
        }
        rows.links.retain(|profile, _| !profiles.contains(profile));
        rows.link_moves.0 += 1;
        for members in rows.members.values_mut() {
            members.remove(consumer);
        }
        for ended in rows.ended.values_mut() {
            ended.retain(|_, membership| membership.consumer != *consumer);
        }
        rows.deliveries
            .retain(|_, row| row.delivery.consumer.as_ref() != Some(consumer));
        rows.consumers.remove(consumer);
        rows.contacts.remove(consumer);
        rows.erased.extend(hashes.iter().cloned());
        Ok(())
    }

    async fn erased(&mut self, of: &[ErasedHash]) -> Result<Vec<ErasedHash>, StoreError> {
        let erased = &self.rows().erased;
        Ok(of
            .iter()
            .filter(|hash| erased.contains(hash))
            .cloned()
            .collect())
    }
}
