//! What a sync reads and writes, a page or a batch at a time.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use crate::page::{Known, PagePlan};
use crate::pass::LinkMoves;
use crate::time::Timestamp;
use crate::value::Email;

/// A page to be written.
#[derive(Debug)]
pub struct PageWrite<'a> {
    /// The run that took it.
    pub run: &'a RunId,
    /// The audience it fills.
    pub audience: &'a AudienceId,
    /// What to write.
    pub plan: &'a PagePlan,
    /// When, for the rows' own dates.
    pub now: Timestamp,
}

/// A batch over rows in the order of their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<K> {
    /// Rows of the batch that the call was about.
    pub affected: u64,
    /// The key to go on after; `None` when that was the last batch.
    pub next: Option<K>,
}

/// The rows of a sync. Each method is a handful of set-based statements, however large the page or
/// batch.
#[async_trait]
pub trait Pages {
    /// What is known about a page: the consumers that bear one of `emails` or are linked to one of
    /// `profiles`; all links of those consumers; and the run's seen_profiles of `profiles` and of the
    /// profiles of those links.
    async fn known(
        &mut self,
        run: &RunId,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError>;

    /// Writes a page's plan: consumers, links, seen_profiles, memberships and issues. Memberships and
    /// issues that are there already stay as they are. E-mails that move between consumers are
    /// freed before they are taken. A page that moves links is counted ([`Pages::link_moves`]). Returns how
    /// many consumers became members.
    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError>;

    /// How often pages have moved links of the organization from one consumer to another.
    async fn link_moves(&mut self) -> Result<LinkMoves, StoreError>;

    /// Makes members of the consumers that the profiles seen by the run are linked to now, for the
    /// next `size` seen_profiles after `after` by profile id. `affected` are the new members.
    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ProfileId>,
        size: u32,
        now: Timestamp,
    ) -> Result<Batch<ProfileId>, StoreError>;

    /// Counts, among the next `size` members after `after` by consumer id, those that were members
    /// before the run and to whom no profile seen by it is linked.
    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError>;

    /// Removes, among the next `size` members after `after` by consumer id, those to whom no
    /// profile seen by the run is linked. Consumers stay.
    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError>;

    /// Deletes up to `size` seen_profiles of runs that have ended. Returns how many.
    async fn delete_seen_profiles(&mut self, size: u32) -> Result<u64, StoreError>;
}
