//! What a sync reads and writes: pages (`known.rs`, `write.rs`, `consumers.rs`) and, at the end of a
//! pass, batches over what it has seen and over the members (`reconcile.rs`).

mod known;
mod reconcile;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::page::Known;
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, PageWrite, Pages, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;

use crate::page_writes::write_page;
use crate::unit::{Connection, Unit};

/// What every statement of a page runs in.
pub(crate) struct Scope<'a> {
    pub(crate) connection: &'a mut Connection,
    /// The first parameter of every statement.
    pub(crate) organization: &'a str,
}

impl<'a> Scope<'a> {
    fn of((organization, connection): (&'a str, &'a mut Connection)) -> Self {
        Self {
            connection,
            organization,
        }
    }

    /// The same for one statement of several.
    pub(crate) fn reborrow(&mut self) -> Scope<'_> {
        Scope {
            connection: self.connection,
            organization: self.organization,
        }
    }
}

#[async_trait]
impl Pages for Unit {
    async fn known(
        &mut self,
        run: &RunId,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError> {
        known::known(Scope::of(self.reading()), run, emails, profiles).await
    }

    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError> {
        write_page(Scope::of(self.writing()?), &page).await
    }

    async fn link_moves(&mut self) -> Result<LinkMoves, StoreError> {
        let scope = Scope::of(self.reading());
        reconcile::link_moves(scope).await
    }

    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ProfileId>,
        size: u32,
        now: Timestamp,
    ) -> Result<Batch<ProfileId>, StoreError> {
        let scope = Scope::of(self.writing()?);
        let batch = reconcile::OfSeenProfiles { run, after, size };
        reconcile::add_missing_members(scope, audience, batch, now).await
    }

    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let scope = Scope::of(self.reading());
        let batch = reconcile::OfMembers {
            audience,
            after,
            size,
        };
        reconcile::count_absent_members(scope, run, batch).await
    }

    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let scope = Scope::of(self.writing()?);
        let batch = reconcile::OfMembers {
            audience,
            after,
            size,
        };
        reconcile::remove_absent_members(scope, run, batch).await
    }

    async fn delete_seen_profiles(&mut self, size: u32) -> Result<u64, StoreError> {
        let scope = Scope::of(self.writing()?);
        reconcile::delete_seen_profiles(scope, size).await
    }
}
