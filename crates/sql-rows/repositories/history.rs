//! Who was a member when: from the memberships that are there and those that ended, each read in the order of an
//! index, and put together here.

use std::collections::BTreeSet;

use async_trait::async_trait;
use fanfare_domain::history::{Change, ChangeKey, ChangeKind, ChangeRange, Membership, Snapshot};
use fanfare_domain::ids::{AudienceId, ConsumerId, SnapshotId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerRecord, History, StoreError};
use fanfare_domain::search::folded;
use fanfare_domain::time::Timestamp;
use fanfare_domain::timeline::Stay;
use fanfare_sql_rows::{
    ChangeRow, DbTimestamp, EndedMembershipRow, SnapshotRow, all, contains_pattern, count, from_db,
    id, run_of, signed,
};

use super::pages::Scope;
use crate::consumer_reads::read_consumers;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

/// How many members are compared with a search at once.
const COMPARED: u32 = 1_000;

#[async_trait]
impl History for Unit {
    async fn history_from(
        &mut self,
        audience: &AudienceId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_scalar!(
            "../sql-rows/sql/audiences/history_from.sql",
            organization,
            audience.as_str()
        );
        let from = get.fetch_optional(connection).with_timeout().await?;
        Ok(from_db(from.flatten()))
    }

    async fn members_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        // What is nothing when it is folded is in every text.
        let search = search.filter(|text| !folded(text).is_empty());
        let pattern = search.map_or_else(|| "%".to_owned(), contains_pattern);
        let size = search.map_or(page.first, |_| page.first.max(COMPARED));
        let mut after = page.after.clone().unwrap_or_default();
        let mut records: Vec<ConsumerRecord> = Vec::new();
        loop {
            let scope = Scope::of(self.reading());
            let ids = ids_at(scope, audience, at, &after, size).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            let (organization, connection) = self.reading();
            let none: Option<DbTimestamp> = None;
            let find = read_consumers!(
                of_ids,
                organization,
                texts(&ids) as _,
                pattern,
                none as _,
                none as _,
                None::<&str>
            );
            let found = find.fetch_all(connection).with_timeout().await?;
            let mut found: Vec<ConsumerRecord> = all(found)?;
            found.sort_unstable_by(|one, other| one.consumer.id.cmp(&other.consumer.id));
            records.extend(found);
            if records.len() >= page.first as usize || ids.len() < size as usize {
                break;
            }
        }
        records.truncate(page.first as usize);
        Ok(Page::of(records, |record| record.consumer.id.to_string()))
    }

    async fn member_count_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let scope = Scope::of(self.reading());
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/audience_list_memberships/count_at.sql",
            scope.organization,
            audience.as_str(),
            DbTimestamp(at)
        );
        let find = find.fetch_one(&mut *scope.connection);
        let present = count(find.with_timeout().await?, "audience_list_memberships")?;
        let find = sqlx::query_file_scalar!(
            "sql/ended_memberships/count_at.sql",
            scope.organization,
            audience.as_str(),
            DbTimestamp(at)
        );
        let ended = find.fetch_one(scope.connection).with_timeout().await?;
        Ok(present + count(ended, "ended_memberships")?)
    }

    async fn left_between(
        &mut self,
        audience: &AudienceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "sql/ended_memberships/count_left.sql",
            organization,
            audience.as_str(),
            DbTimestamp(from),
            DbTimestamp(to)
        );
        let left = find.fetch_one(connection).with_timeout().await?;
        count(left, "ended_memberships")
    }

    async fn changes(
        &mut self,
        audience: &AudienceId,
        range: &ChangeRange,
        first: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let mut scope = Scope::of(self.reading());
        let mut changes = Vec::new();
        for source in [Source::Members, Source::Beginnings, Source::Ends] {
            changes.extend(
                source
                    .changes(scope.reborrow(), audience, range, first)
                    .await?,
            );
        }
        changes.sort_unstable();
        changes.truncate(first as usize);
        Ok(changes)
    }

    async fn latest_changes(
        &mut self,
        audience: &AudienceId,
        since: Timestamp,
        before: Option<&ChangeKey>,
        first: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let mut scope = Scope::of(self.reading());
        let mut changes = Vec::new();
        for source in [Source::Members, Source::Beginnings, Source::Ends] {
            let found = source.latest(scope.reborrow(), audience, since, before, first);
            changes.extend(found.await?);
        }
        changes.sort_unstable_by(|one, other| other.cmp(one));
        changes.truncate(first as usize);
        Ok(changes)
    }

    async fn last_membership(
        &mut self,
        audience: &AudienceId,
        consumer: &ConsumerId,
    ) -> Result<Option<Membership>, StoreError> {
        let scope = Scope::of(self.reading());
        let find = sqlx::query_file!(
            "../sql-rows/sql/audience_list_memberships/of_consumer.sql",
            scope.organization,
            audience.as_str(),
            consumer.as_str()
        );
        let find = find.fetch_optional(&mut *scope.connection);
        if let Some(row) = find.with_timeout().await? {
            return Ok(Some(Membership {
                consumer: consumer.clone(),
                began: row.created_at.0,
                joined_by: run_of(row.run_id, "audience_list_memberships.run_id")?,
                end: None,
            }));
        }
        let find = sqlx::query_file_as!(
            EndedMembershipRow,
            "../sql-rows/sql/ended_memberships/last.sql",
            scope.organization,
            audience.as_str(),
            consumer.as_str()
        );
        let row = find.fetch_optional(scope.connection).with_timeout().await?;
        row.map(|row| row.of(consumer)).transpose()
    }

    async fn memberships_of(&mut self, consumer: &ConsumerId) -> Result<Vec<Stay>, StoreError> {
        let scope = Scope::of(self.reading());
        // Memberships are kept by audience. An index of them by consumer would cost every page of an import more than
        // looking somebody up in each audience costs here.
        let find =
            sqlx::query_file_scalar!("../sql-rows/sql/audiences/ids.sql", scope.organization, "");
        let ids = find
            .fetch_all(&mut *scope.connection)
            .with_timeout()
            .await?;
        let find = sqlx::query_file!(
            "sql/audience_list_memberships/of_person.sql",
            scope.organization,
            texts(&ids) as _,
            consumer.as_str()
        );
        let present = find
            .fetch_all(&mut *scope.connection)
            .with_timeout()
            .await?;
        let find = sqlx::query_file!(
            "sql/ended_memberships/of_person.sql",
            scope.organization,
            texts(&ids) as _,
            consumer.as_str()
        );
        let ended = find.fetch_all(scope.connection).with_timeout().await?;
        let present = present
            .into_iter()
            .map(|row| (row.audience_id, row.created_at, None));
        let ended = ended
            .into_iter()
            .map(|row| (row.audience_id, row.began_at, Some(row.ended_at)));
        let all = present.chain(ended).map(|(audience, began, ended)| {
            Ok(Stay {
                audience: id(audience, AudienceId::parse, "memberships.audience_id")?,
                began: began.0,
                ended: ended.map(|ended| ended.0),
            })
        });
        all.collect()
    }

    async fn snapshots(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<Snapshot>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            SnapshotRow,
            "../sql-rows/sql/snapshots/page.sql",
            organization,
            audience.as_str(),
            page.after.as_deref().unwrap_or_default(),
            i64::from(page.first)
        );
        let rows = find.fetch_all(connection).with_timeout().await?;
        let snapshots: Vec<Snapshot> = all(rows)?;
        Ok(Page::of(snapshots, |snapshot| snapshot.id.to_string()))
    }

    async fn snapshot_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        count_snapshots(Scope::of(self.reading()), audience).await
    }

    async fn has_snapshot_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/snapshots/at.sql",
            organization,
            audience.as_str(),
            DbTimestamp(at)
        );
        let found = find.fetch_optional(connection).with_timeout().await?;
        Ok(found.is_some())
    }

    async fn insert_snapshot(
        &mut self,
        audience: &AudienceId,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let insert = sqlx::query_file!(
            "../sql-rows/sql/snapshots/insert.sql",
            organization,
            audience.as_str(),
            snapshot.id.as_str(),
            snapshot.name,
            DbTimestamp(snapshot.at),
            signed(snapshot.members)
        );
        insert.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn delete_snapshot(
        &mut self,
        audience: &AudienceId,
        id: &SnapshotId,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/snapshots/delete.sql",
            organization,
            audience.as_str(),
            id.as_str()
        );
        let done = delete.execute(connection).with_timeout().await?;
        Ok(done.rows_affected() > 0)
    }
}

/// How many snapshots the audience has.
pub(super) async fn count_snapshots(
    scope: Scope<'_>,
    audience: &AudienceId,
) -> Result<u64, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/snapshots/count.sql",
        scope.organization,
        audience.as_str()
    );
    let snapshots = find.fetch_one(scope.connection).with_timeout().await?;
    count(snapshots, "snapshots")
}

/// The first ids after `after` of those who were members at a time, each once.
async fn ids_at(
    scope: Scope<'_>,
    audience: &AudienceId,
    at: Timestamp,
    after: &str,
    first: u32,
) -> Result<Vec<String>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/audience_list_memberships/at.sql",
        scope.organization,
        audience.as_str(),
        after,
        DbTimestamp(at),
        i64::from(first)
    );
    let find = find.fetch_all(&mut *scope.connection);
    let present: Vec<String> = find.with_timeout().await?;
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/ended_memberships/at.sql",
        scope.organization,
        audience.as_str(),
        after,
        DbTimestamp(at),
        i64::from(first)
    );
    let ended: Vec<String> = find.fetch_all(scope.connection).with_timeout().await?;
    let ids: BTreeSet<String> = present.into_iter().chain(ended).collect();
    Ok(ids.into_iter().take(first as usize).collect())
}

/// Where changes come from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The beginnings of the memberships that are there.
    Members,
    /// The beginnings of those that ended.
    Beginnings,
    /// Their ends.
    Ends,
}

impl Source {
    const fn kind(self) -> ChangeKind {
        match self {
            Self::Members | Self::Beginnings => ChangeKind::Joined,
            Self::Ends => ChangeKind::Left,
        }
    }

    /// The first changes of the range from here.
    async fn changes(
        self,
        scope: Scope<'_>,
        audience: &AudienceId,
        range: &ChangeRange,
        first: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let (since, after) = range.begin_of(self.kind());
        let until = DbTimestamp(range.until.unwrap_or(Timestamp::MAX));
        macro_rules! changes {
            ($file:literal) => {{
                let find = sqlx::query_file_as!(
                    ChangeRow,
                    $file,
                    scope.organization,
                    audience.as_str(),
                    DbTimestamp(since),
                    after,
                    until,
                    i64::from(first)
                );
                find.fetch_all(scope.connection).with_timeout().await?
            }};
        }
        let rows = match self {
            Self::Members => changes!("../sql-rows/sql/audience_list_memberships/joined.sql"),
            Self::Beginnings => changes!("../sql-rows/sql/ended_memberships/joined.sql"),
            Self::Ends => changes!("../sql-rows/sql/ended_memberships/left.sql"),
        };
        rows.into_iter().map(|row| row.of(self.kind())).collect()
    }

    /// The last changes before a key from here, the latest first.
    async fn latest(
        self,
        scope: Scope<'_>,
        audience: &AudienceId,
        since: Timestamp,
        before: Option<&ChangeKey>,
        first: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let (until, consumer) = before.map_or((Timestamp::MAX, ""), |key| key.before(self.kind()));
        macro_rules! latest {
            ($file:literal) => {{
                let find = sqlx::query_file_as!(
                    ChangeRow,
                    $file,
                    scope.organization,
                    audience.as_str(),
                    DbTimestamp(since),
                    DbTimestamp(until),
                    consumer,
                    i64::from(first)
                );
                find.fetch_all(scope.connection).with_timeout().await?
            }};
        }
        let rows = match self {
            Self::Members => latest!("../sql-rows/sql/audience_list_memberships/latest_joined.sql"),
            Self::Beginnings => latest!("../sql-rows/sql/ended_memberships/latest_joined.sql"),
            Self::Ends => latest!("../sql-rows/sql/ended_memberships/latest_left.sql"),
        };
        rows.into_iter().map(|row| row.of(self.kind())).collect()
    }
}
