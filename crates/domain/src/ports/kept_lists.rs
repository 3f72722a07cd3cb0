//! Audiences that are kept in Klaviyo lists: which list, the list's ledger, and the runs that push.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{AudienceId, CollectionId, ConsumerId, ProfileId, RunId};
use crate::paging::{Page, PageRequest};
use crate::push::{KeptList, LedgerRow, PushRun, RowStanding};
use crate::time::Timestamp;

/// What an organization keeps in Klaviyo lists. A list's ledger belongs to the list, not to the audience that it keeps: whom we
/// added stays known when the list keeps another audience.
#[async_trait]
pub trait KeptLists {
    /// The list that an audience is kept in.
    async fn kept_list(&mut self, audience: &AudienceId) -> Result<Option<KeptList>, StoreError>;

    /// All of them, by audience. They are few: people choose them one by one.
    async fn kept_lists(&mut self) -> Result<Vec<KeptList>, StoreError>;

    /// Inserts or overwrites the list of an audience. The audience MUST be stored already, and no other audience may be kept in the
    /// same list.
    async fn put_kept_list(&mut self, kept: &KeptList) -> Result<(), StoreError>;

    /// An audience is kept in no list any more. The list's ledger stays.
    async fn delete_kept_list(&mut self, audience: &AudienceId) -> Result<(), StoreError>;

    /// Audiences are kept in no lists any more: the lists were of another Klaviyo account. Their ledgers stay, for whoever
    /// connects that account again.
    async fn forget_kept_lists(&mut self) -> Result<(), StoreError>;

    /// The rows of a list's ledger that have one of these profiles.
    async fn ledger_of_profiles(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Vec<LedgerRow>, StoreError>;

    /// The rows of a list's ledger that were written for one of these consumers.
    async fn ledger_of_consumers(
        &mut self,
        list: &CollectionId,
        consumers: &[ConsumerId],
    ) -> Result<Vec<LedgerRow>, StoreError>;

    /// The next `size` rows of a list's ledger after `after`, by profile id.
    async fn ledger(
        &mut self,
        list: &CollectionId,
        after: Option<&ProfileId>,
        size: u32,
    ) -> Result<Vec<LedgerRow>, StoreError>;

    /// Rows of a list's ledger whose writes have no answer yet, those that were written longest ago first, `size` at most.
    async fn open_ledger(
        &mut self,
        list: &CollectionId,
        size: u32,
    ) -> Result<Vec<LedgerRow>, StoreError>;

    /// Writes the standing of profiles in a list, each with the consumer for whom that is. When they were seen stays. The
    /// profiles are different ones.
    async fn put_standings(
        &mut self,
        list: &CollectionId,
        profiles: &[(ProfileId, Option<ConsumerId>)],
        standing: RowStanding,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes that these profiles, which are different ones, were met among the members of a list by a reading that began then.
    /// Those of whom the ledger holds nothing are others' from now on ([`RowStanding::Theirs`]).
    async fn note_seen(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
        began: Timestamp,
    ) -> Result<(), StoreError>;

    /// Deletes rows of a list's ledger.
    async fn forget_standings(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<(), StoreError>;

    /// A push, by id.
    async fn push_run(&mut self, id: &RunId) -> Result<Option<PushRun>, StoreError>;

    /// The audience's push that has not ended. There is at most one.
    async fn active_push(&mut self, audience: &AudienceId) -> Result<Option<PushRun>, StoreError>;

    /// The audience's pushes, latest first, paged by id.
    async fn push_runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<PushRun>, StoreError>;

    /// Inserts or overwrites a push. The caller has made sure that the audience has no other active one; the store MUST nevertheless
    /// refuse a second one.
    async fn put_push_run(&mut self, run: &PushRun) -> Result<(), StoreError>;

    /// Deletes a push.
    async fn delete_push_run(&mut self, id: &RunId) -> Result<(), StoreError>;

    /// How many people a push changes without a confirmation; `None` if the organization has chosen no number.
    async fn push_limit(&mut self) -> Result<Option<u64>, StoreError>;

    /// Chooses that number.
    async fn put_push_limit(&mut self, limit: u64) -> Result<(), StoreError>;
}
