//! What a sync reads and writes, in pages and in batches.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use crate::page::{Known, LinkMove, PagePlan, SeenIndex, SeenPage, SeenSet};
use crate::pass::LinkMoves;
use crate::time::Timestamp;
use crate::value::Email;

/// A page to be written.
#[derive(Debug)]
pub struct PageWrite<'a> {
    /// The run that has read it.
    pub run: &'a RunId,
    /// The audience it fills.
    pub audience: &'a AudienceId,
    /// What to write.
    pub plan: &'a PagePlan,
    /// The number of the first page of seen profiles that it writes, above those of all that are stored. Numbers may be
    /// missing: a unit that was refused had used them.
    pub first_seen_page: u64,
    /// The date that the written rows get.
    pub now: Timestamp,
}

/// The result of one batch of rows, in the order of their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<K> {
    /// How many rows of the batch the call counted or changed.
    pub affected: u64,
    /// The key after which the next batch begins; `None` after the last batch.
    pub next: Option<K>,
}

/// The rows of a sync. Each method needs only a few statements, however large the page or batch is.
#[async_trait]
pub trait Pages {
    /// What is known about a page: the consumers that have one of `emails` or are linked to one of
    /// `profiles`; all links of those consumers; and, of `profiles` and the profiles of those links, those that
    /// the run has seen, by the pages in which the index says that they may be.
    async fn known(
        &mut self,
        run: &RunId,
        seen: &SeenIndex,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError>;

    /// Writes a page's plan, which was made of what is [known](Pages::known) in this unit. A plan that creates a consumer or a link
    /// that is there, because not all keys were looked up ([`LookUps`](crate::page::LookUps)), is [refused](StoreError::Refused). It writes consumers, links, seen
    /// profiles in pages of up to [`PROFILES_OF_A_SEEN_PAGE`](crate::page::PROFILES_OF_A_SEEN_PAGE), memberships and issues. Existing memberships and issues stay as they are. E-mails that move between
    /// consumers are removed from the old consumers before the new ones get them. A page that moves links is counted ([`Pages::link_moves`]). New memberships
    /// begin at the unit's time ([`UnitOfWork::writing_since`](super::UnitOfWork::writing_since)). Returns how many
    /// consumers became members.
    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError>;

    /// Those of `profiles` that are linked to a member of one of these audiences.
    async fn members_profiles(
        &mut self,
        audiences: &[AudienceId],
        profiles: &[ProfileId],
    ) -> Result<BTreeSet<ProfileId>, StoreError>;

    /// Links have moved, and the page with them is written: the consumers that they lead to become members of those of the
    /// audiences in which the consumers they led to are, from the unit's time on. Those stay: only a complete pass removes.
    async fn follow_link_moves(
        &mut self,
        run: &RunId,
        audiences: &[AudienceId],
        moves: &[LinkMove],
    ) -> Result<(), StoreError>;

    /// A complete pass has to say which of these audiences some links that have moved belong to: of those of which one of
    /// these consumers is a member, only watermarks of complete passes that begin after the unit's time hold from now on
    /// ([`Watermarks::hold_after`](crate::watermarks::Watermarks::hold_after)), whichever a run stores that is active.
    async fn call_for_full_passes(
        &mut self,
        audiences: &[AudienceId],
        consumers: &[ConsumerId],
    ) -> Result<(), StoreError>;

    /// How many pages have moved links of the organization from one consumer to another, and how many people were erased.
    async fn link_moves(&mut self) -> Result<LinkMoves, StoreError>;

    /// The next `most` pages of seen profiles of the run after the page of this number, in order.
    async fn seen_pages(
        &mut self,
        run: &RunId,
        after: u64,
        most: u32,
    ) -> Result<Vec<SeenPage>, StoreError>;

    /// The version before keeps a row for each profile that a run has seen: moves up to `size` of the run's to pages, after those
    /// that are there. Returns how many.
    async fn gather_seen_profiles(&mut self, run: &RunId, size: u32) -> Result<u64, StoreError>;

    /// Takes the next `most` pages of profiles that the run has seen, after the page `after`, and makes the
    /// consumers to which they are linked now members, from the unit's time on. `affected` counts the new members.
    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: u64,
        most: u32,
    ) -> Result<Batch<u64>, StoreError>;

    /// Counts, among the next `size` members after `after` by consumer id, those who were members before the
    /// run and to whom no profile that it has seen is linked.
    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        seen: &SeenSet,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError>;

    /// Removes, among the next `size` members after `after` by consumer id, those to whom no profile that the
    /// run has seen is linked. The consumers stay, and history keeps the memberships, ended at the unit's time
    /// ([`Membership::ended`](crate::history::Membership::ended)).
    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        seen: &SeenSet,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError>;

    /// Deletes up to `most` pages of seen profiles whose runs have ended. Returns how many were deleted.
    async fn delete_seen_pages(&mut self, most: u32) -> Result<u64, StoreError>;
}
