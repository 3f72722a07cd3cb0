//! What a sync reads and writes: pages (`crate::page_reads`, `crate::page_writes`) and, at the end of a pass, batches over
//! what it has seen and over the members.
//!
//! Batches go in the order of a primary key, each by a range of keys (`batches.rs`), so that no statement holds
//! the organization, or SQLite's one writer, for long, however large the list.

mod batches;
mod known;
mod seen;

use std::collections::BTreeSet;

use async_trait::async_trait;
use fanfare_domain::history::{Membership, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::page::{Known, LinkMove, SeenIndex, SeenPage, SeenSet};
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, PageWrite, Pages, StoreError, UnitOfWork};
use fanfare_domain::value::Email;
use fanfare_sql_rows::{DbTimestamp, MembershipRow, all, count, id, signed};

pub(super) use self::batches::edge_of_members;
use self::batches::edge_of_seen_pages;
pub(super) use self::seen::gather;
use crate::page_reads;
use crate::page_writes::{insert_ended_memberships, write_page};
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::{Connection, Unit};

/// What every statement of a page runs in.
pub(crate) struct Scope<'a> {
    pub(crate) connection: &'a mut Connection,
    /// The first parameter of every statement.
    pub(crate) organization: &'a str,
}

impl<'a> Scope<'a> {
    pub(crate) fn of((organization, connection): (&'a str, &'a mut Connection)) -> Self {
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

/// Counts that links of the organization have moved to other consumers, or are gone with an erased one.
pub(crate) async fn count_link_move(scope: Scope<'_>) -> Result<(), StoreError> {
    let count = sqlx::query_file!("../sql-rows/sql/link_moves/count.sql", scope.organization);
    count.execute(scope.connection).with_timeout().await?;
    Ok(())
}

#[async_trait]
impl Pages for Unit {
    async fn known(
        &mut self,
        run: &RunId,
        seen: &SeenIndex,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError> {
        known::known(Scope::of(self.reading()), run, seen, emails, profiles).await
    }

    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError> {
        let since = moment(self.writing_since()?);
        write_page(Scope::of(self.writing()?), &page, DbTimestamp(since)).await
    }

    async fn members_profiles(
        &mut self,
        audiences: &[AudienceId],
        profiles: &[ProfileId],
    ) -> Result<BTreeSet<ProfileId>, StoreError> {
        if audiences.is_empty() || profiles.is_empty() {
            return Ok(BTreeSet::new());
        }
        let audiences: Vec<&str> = audiences.iter().map(AudienceId::as_str).collect();
        let profiles: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "sql/profile_links/of_members.sql",
            organization,
            texts(&profiles) as _,
            texts(&audiences) as _
        );
        let found = find.fetch_all(connection).with_timeout().await?;
        let parse = |text| id(text, ProfileId::parse, "profile_links.profile_id");
        found.into_iter().map(parse).collect()
    }

    async fn follow_link_moves(
        &mut self,
        run: &RunId,
        audiences: &[AudienceId],
        moves: &[LinkMove],
    ) -> Result<(), StoreError> {
        if audiences.is_empty() || moves.is_empty() {
            return Ok(());
        }
        let since = moment(self.writing_since()?);
        let audiences: Vec<&str> = audiences.iter().map(AudienceId::as_str).collect();
        let from: Vec<&str> = moves.iter().map(|one| one.from.as_str()).collect();
        let to: Vec<&str> = moves.iter().map(|one| one.to.as_str()).collect();
        let (organization, connection) = self.writing()?;
        let follow = sqlx::query_file!(
            "sql/audience_list_memberships/follow.sql",
            organization,
            run.as_str(),
            texts(&audiences) as _,
            texts(&from) as _,
            texts(&to) as _,
            DbTimestamp(since)
        );
        follow.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn call_for_full_passes(
        &mut self,
        audiences: &[AudienceId],
        consumers: &[ConsumerId],
    ) -> Result<(), StoreError> {
        if audiences.is_empty() || consumers.is_empty() {
            return Ok(());
        }
        let at = self.writing_since()?;
        let audiences: Vec<&str> = audiences.iter().map(AudienceId::as_str).collect();
        let consumers: Vec<&str> = consumers.iter().map(ConsumerId::as_str).collect();
        let (organization, connection) = self.writing()?;
        let find = sqlx::query_file_scalar!(
            "sql/audience_list_memberships/among.sql",
            organization,
            texts(&audiences) as _,
            texts(&consumers) as _
        );
        let found = find.fetch_all(&mut *connection).with_timeout().await?;
        for audience in found {
            let call = sqlx::query_file!(
                "../sql-rows/sql/sync_sources/call_for_full_pass.sql",
                organization,
                audience,
                DbTimestamp(at)
            );
            call.execute(&mut *connection).with_timeout().await?;
        }
        Ok(())
    }

    async fn link_moves(&mut self) -> Result<LinkMoves, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_scalar!("../sql-rows/sql/link_moves/get.sql", organization);
        let moves = get.fetch_optional(connection).with_timeout().await?;
        count(moves.unwrap_or_default(), "link_moves.moves").map(LinkMoves)
    }

    async fn seen_pages(
        &mut self,
        run: &RunId,
        after: u64,
        most: u32,
    ) -> Result<Vec<SeenPage>, StoreError> {
        let scope = Scope::of(self.reading());
        page_reads::seen_pages(scope, run, signed(after), most.into()).await
    }

    async fn gather_seen_profiles(&mut self, run: &RunId, size: u32) -> Result<u64, StoreError> {
        seen::gather(Scope::of(self.writing()?), run, size).await
    }

    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: u64,
        most: u32,
    ) -> Result<Batch<u64>, StoreError> {
        let since = moment(self.writing_since()?);
        let mut scope = Scope::of(self.writing()?);
        let (after, most) = (signed(after), i64::from(most));
        let (last, is_followed) =
            edge_of_seen_pages(scope.reborrow(), run.as_str(), after, most).await?;
        let add = sqlx::query_file!(
            "sql/audience_list_memberships/add_missing.sql",
            scope.organization,
            audience.as_str(),
            run.as_str(),
            after,
            last.unwrap_or(i64::MAX),
            DbTimestamp(since)
        );
        let done = add.execute(scope.connection).with_timeout().await?;
        let next = last.filter(|_| is_followed);
        let number = |next| count(next, "run_seen_pages.number");
        Ok(Batch {
            affected: done.rows_affected(),
            next: next.map(number).transpose()?,
        })
    }

    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        seen: &SeenSet,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let scope = Scope::of(self.reading());
        let (absent, next) = seen::absent(scope, run, audience, seen, (after, size)).await?;
        let affected = absent.iter().filter(|member| !member.is_new).count() as u64;
        Ok(Batch { affected, next })
    }

    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        seen: &SeenSet,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let ended_at = moment(self.writing_since()?);
        let mut scope = Scope::of(self.writing()?);
        let batch = (after, size);
        let (absent, next) = seen::absent(scope.reborrow(), run, audience, seen, batch).await?;
        if absent.is_empty() {
            return Ok(Batch { affected: 0, next });
        }
        let absent = absent.iter().map(|member| member.consumer_id.as_str());
        let absent: Vec<&str> = absent.collect();
        let remove = sqlx::query_file_as!(
            MembershipRow,
            "sql/audience_list_memberships/remove.sql",
            scope.organization,
            audience.as_str(),
            texts(&absent) as _
        );
        let removed = remove.fetch_all(&mut *scope.connection);
        let removed: Vec<Membership> = all(removed.with_timeout().await?)?;
        let affected = removed.len() as u64;
        let ended = removed.into_iter();
        let ended = ended.filter_map(|one| one.ended(ended_at, Some(run.clone())));
        let ended: Vec<Membership> = ended.collect();
        if !ended.is_empty() {
            let end = (run, DbTimestamp(ended_at));
            insert_ended_memberships(scope, audience.as_str(), end, &ended).await?;
        }
        Ok(Batch { affected, next })
    }

    /// Runs that have seen profiles are few, and runs without are many: `of_ended_run.sql` finds an ended
    /// run by leaping through the pages from one run to the next.
    async fn delete_seen_pages(&mut self, most: u32) -> Result<u64, StoreError> {
        let mut scope = Scope::of(self.writing()?);
        let mut left = u64::from(most);
        while left > 0 {
            let Some(run) = seen::ended_run(scope.reborrow()).await? else {
                break;
            };
            let size = signed(left);
            let (last, _) = edge_of_seen_pages(scope.reborrow(), &run, 0, size).await?;
            let last = last.unwrap_or(i64::MAX);
            let delete = sqlx::query_file!(
                "../sql-rows/sql/run_seen_pages/delete.sql",
                scope.organization,
                run,
                last
            );
            let delete = delete.execute(&mut *scope.connection);
            left = left.saturating_sub(delete.with_timeout().await?.rows_affected());
        }
        Ok(u64::from(most) - left)
    }
}
