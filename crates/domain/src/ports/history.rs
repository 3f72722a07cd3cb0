//! Who was a member when.

use async_trait::async_trait;

use super::{ConsumerRecord, StoreError};
use crate::history::{Change, ChangeKey, ChangeRange, Membership, Snapshot};
use crate::ids::{AudienceId, ConsumerId, SnapshotId};
use crate::paging::{Page, PageRequest};
use crate::time::Timestamp;
use crate::timeline::Stay;

/// The history of audiences. [`super::Pages`] writes it: a membership that is there has its beginning, and one that ended
/// is kept with both. An audience that never was has an empty one.
#[async_trait]
pub trait History {
    /// The time since which an audience's history is whole, if it is not whole from the beginning: what ended before
    /// was deleted ([`super::Retention::delete_history`]), or was never kept.
    async fn history_from(
        &mut self,
        audience: &AudienceId,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Who was a member at a time, as [`super::Audiences::members`] shows who is one.
    async fn members_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError>;

    /// How many members there were at a time.
    async fn member_count_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// How many consumers were members at the first time and not at the second.
    async fn left_between(
        &mut self,
        audience: &AudienceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, StoreError>;

    /// The first changes of the range, in their order, at most `first`.
    async fn changes(
        &mut self,
        audience: &AudienceId,
        range: &ChangeRange,
        first: u32,
    ) -> Result<Vec<Change>, StoreError>;

    /// The last changes from a time on that come before a key, the latest first, at most `first`.
    async fn latest_changes(
        &mut self,
        audience: &AudienceId,
        since: Timestamp,
        before: Option<&ChangeKey>,
        first: u32,
    ) -> Result<Vec<Change>, StoreError>;

    /// A consumer's membership, or else the latest that ended and is kept.
    async fn last_membership(
        &mut self,
        audience: &AudienceId,
        consumer: &ConsumerId,
    ) -> Result<Option<Membership>, StoreError>;

    /// A consumer's memberships in all audiences, archived or not, with those that ended and are kept, in any order: a
    /// few reads for all audiences together.
    async fn memberships_of(&mut self, consumer: &ConsumerId) -> Result<Vec<Stay>, StoreError>;

    /// The audience's snapshots by id (which is by age), paged by id.
    async fn snapshots(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<Snapshot>, StoreError>;

    /// How many snapshots the audience has.
    async fn snapshot_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError>;

    /// Whether the audience has a snapshot of exactly this time.
    async fn has_snapshot_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Inserts a snapshot of an audience.
    async fn insert_snapshot(
        &mut self,
        audience: &AudienceId,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError>;

    /// Deletes a snapshot of the audience. `false` if it has no such snapshot.
    async fn delete_snapshot(
        &mut self,
        audience: &AudienceId,
        id: &SnapshotId,
    ) -> Result<bool, StoreError>;
}
