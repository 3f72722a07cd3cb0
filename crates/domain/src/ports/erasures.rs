//! Erasing people, and what is kept so that they stay erased.

use async_trait::async_trait;

use super::StoreError;
use crate::connection::SealedKey;
use crate::erasure::ErasedHash;
use crate::ids::{ConsumerId, ProfileId};
use crate::time::Timestamp;

/// Erased people of an organization.
#[async_trait]
pub trait Erasures {
    /// The key of the organization's hashes, sealed; `None` if no consumer has been erased.
    async fn erasure_key(&mut self) -> Result<Option<SealedKey>, StoreError>;

    /// Stores the first key.
    async fn put_erasure_key(&mut self, key: &SealedKey) -> Result<(), StoreError>;

    /// Replaces the stored key by `after` if it is still `before`, and returns whether it was. The key in it is the
    /// same.
    async fn reseal_erasure_key(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError>;

    /// Deletes the key and all hashes, which nothing can be compared with any more once the key is lost.
    async fn forget_erasures(&mut self) -> Result<(), StoreError>;

    /// Deletes a consumer with its memberships, its history, its deliveries, what is remembered of its contact, its links and the issues of the profiles, which are all that were ever
    /// linked to it as far as it is known, and keeps these hashes. It is counted as a link move
    /// ([`Pages::link_moves`](super::Pages::link_moves)). Deleted values MUST be overwritten, not only
    /// unlinked, if the database allows it.
    async fn erase(
        &mut self,
        consumer: &ConsumerId,
        profiles: &[ProfileId],
        hashes: &[ErasedHash],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Those of the hashes that are kept.
    async fn erased(&mut self, of: &[ErasedHash]) -> Result<Vec<ErasedHash>, StoreError>;
}
