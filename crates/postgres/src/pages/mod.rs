//! What a sync reads and writes: pages (`known.rs`, `write.rs`, `consumers.rs`) and, at the end of a
//! pass, windows over what it has seen and over the members (`settle.rs`).

mod columns;
mod consumers;
mod known;
mod settle;
mod write;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::page::Known;
use fanfare_domain::ports::{PageWrite, Pages, StoreError, Window};
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

    async fn links_have_moved(&mut self, run: &RunId) -> Result<bool, StoreError> {
        let (organization, connection) = self.reading();
        settle::links_have_moved(connection, organization, run).await
    }

    async fn forget_moved_links(&mut self, run: &RunId) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        settle::forget_moved_links(connection, organization, run).await
    }

    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ProfileId>,
        size: u32,
        now: Timestamp,
    ) -> Result<Window<ProfileId>, StoreError> {
        let (organization, connection) = self.writing()?;
        let window = settle::OfSightings { run, after, size };
        settle::add_missing_members(connection, organization, audience, window, now).await
    }

    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Window<ConsumerId>, StoreError> {
        let (organization, connection) = self.reading();
        let window = settle::OfMembers {
            audience,
            after,
            size,
        };
        settle::count_absent_members(connection, organization, run, window).await
    }

    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Window<ConsumerId>, StoreError> {
        let (organization, connection) = self.writing()?;
        let window = settle::OfMembers {
            audience,
            after,
            size,
        };
        settle::remove_absent_members(connection, organization, run, window).await
    }

    async fn forget_sightings(&mut self, size: u32) -> Result<u64, StoreError> {
        let (organization, connection) = self.writing()?;
        settle::forget_sightings(connection, organization, size).await
    }
}
