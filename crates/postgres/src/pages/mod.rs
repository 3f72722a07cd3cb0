//! What a sync reads and writes: pages (`known.rs`, `write.rs`, `consumers.rs`) and, at the end of a
//! pass, batches over what it has seen and over the members (`reconcile.rs`).

mod columns;
mod consumers;
mod known;
mod reconcile;
mod write;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::page::Known;
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, PageWrite, Pages, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;

use crate::unit::PostgresUnit;

#[async_trait]
impl Pages for PostgresUnit {
    async fn known(
        &mut self,
        run: &RunId,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError> {
        let (organization, connection) = self.reading();
        known::known(connection, organization, run, emails, profiles).await
    }

    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError> {
        let (organization, connection) = self.writing()?;
        write::write_page(connection, organization, &page).await
    }

    async fn link_moves(&mut self) -> Result<LinkMoves, StoreError> {
        let (organization, connection) = self.reading();
        reconcile::link_moves(connection, organization).await
    }

    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ProfileId>,
        size: u32,
        now: Timestamp,
    ) -> Result<Batch<ProfileId>, StoreError> {
        let (organization, connection) = self.writing()?;
        let batch = reconcile::OfSeenProfiles { run, after, size };
        reconcile::add_missing_members(connection, organization, audience, batch, now).await
    }

    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let (organization, connection) = self.reading();
        let batch = reconcile::OfMembers {
            audience,
            after,
            size,
        };
        reconcile::count_absent_members(connection, organization, run, batch).await
    }

    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let (organization, connection) = self.writing()?;
        let batch = reconcile::OfMembers {
            audience,
            after,
            size,
        };
        reconcile::remove_absent_members(connection, organization, run, batch).await
    }

    async fn delete_seen_profiles(&mut self, size: u32) -> Result<u64, StoreError> {
        let (organization, connection) = self.writing()?;
        reconcile::delete_seen_profiles(connection, organization, size).await
    }
}
