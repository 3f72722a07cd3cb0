//! Audiences and their members.

use std::collections::BTreeSet;

use async_trait::async_trait;
use fanfare_domain::audience::{Audience, GroupType};
use fanfare_domain::door::{DoorRead, People};
use fanfare_domain::history::{Membership, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{
    AudienceRecord, Audiences, ConsumerFilter, ConsumerRecord, Consumers, Sources, StoreError,
    UnitOfWork,
};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use fanfare_sql_rows::{
    AudienceRow, DbTimestamp, DoorRow, JsonText, MembershipRow, audience_records, corrupt, count,
    door_read, filling_source, json, one, refused, run_text, to_db,
};

use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Audiences for Unit {
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            AudienceRow,
            "../sql-rows/sql/audiences/get.sql",
            organization,
            id.as_str()
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        let Some(audience): Option<Audience> = one(row)? else {
            return Ok(None);
        };
        let source = match &audience.source {
            Some(id) => {
                let source = self.source(id).await?;
                Some(source.ok_or_else(|| corrupt("audiences.source_id"))?)
            }
            None => None,
        };
        Ok(Some(AudienceRecord { audience, source }))
    }

    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            AudienceRow,
            "../sql-rows/sql/audiences/page.sql",
            organization,
            page.after.as_deref().unwrap_or_default(),
            i64::from(page.first)
        );
        let rows = find.fetch_all(connection).with_timeout().await?;
        let records = self.with_sources(rows).await?;
        Ok(Page::of(records, |record| record.audience.id.to_string()))
    }

    async fn audiences_by_id(
        &mut self,
        ids: &[AudienceId],
    ) -> Result<Vec<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let ids: Vec<String> = ids.iter().map(AudienceId::to_string).collect();
        let find = sqlx::query_file_as!(
            AudienceRow,
            "sql/audiences/of_ids.sql",
            organization,
            texts(&ids) as _
        );
        let rows = find.fetch_all(connection).with_timeout().await?;
        self.with_sources(rows).await
    }

    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "sql/audiences/is_name_taken.sql",
            organization,
            name,
            except.as_str()
        );
        find.fetch_one(connection).with_timeout().await
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        if audience.source.is_none() {
            let put = sqlx::query_file!(
                "../sql-rows/sql/sync_sources/put_by_hand.sql",
                organization,
                audience.id.as_str(),
                DbTimestamp(audience.created_at),
                audience.created_by,
                audience.archived
            );
            put.execute(&mut *connection).with_timeout().await?;
        }
        let source = audience.source.as_ref().map(SourceId::as_str);
        let put = sqlx::query_file!(
            "../sql-rows/sql/audiences/put.sql",
            organization,
            audience.id.as_str(),
            source.unwrap_or(audience.id.as_str()),
            audience.name,
            audience.named_by_hand,
            audience.description,
            audience.icon_name,
            audience.metadata.as_ref().map(|data| JsonText(json(data))) as _,
            audience.group_id,
            audience.group_name,
            audience.group_type.map(GroupType::as_str),
            to_db(audience.last_refreshed_at) as _,
            audience.refresh_interval_seconds.map(i64::from),
            DbTimestamp(audience.created_at),
            audience.created_by,
            to_db(audience.updated_at) as _,
            audience.updated_by,
            audience.archived
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn archive_unread(
        &mut self,
        audience: &AudienceId,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<SourceId>, StoreError> {
        let (organization, connection) = self.writing()?;
        let archive = sqlx::query_file_scalar!(
            "../sql-rows/sql/audiences/archive_unread.sql",
            organization,
            audience.as_str(),
            DbTimestamp(now),
            actor
        );
        let source = archive
            .fetch_optional(&mut *connection)
            .with_timeout()
            .await?;
        let Some(source) = source else {
            return Ok(None);
        };
        let archive = sqlx::query_file!(
            "../sql-rows/sql/sync_sources/archive_unread.sql",
            organization,
            source,
            DbTimestamp(now)
        );
        archive.execute(connection).with_timeout().await?;
        filling_source(audience.as_str(), source)
    }

    async fn members(
        &mut self,
        audience: &AudienceId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let filter = ConsumerFilter {
            search: search.map(str::to_owned),
            audience: Some(audience.clone()),
            ..ConsumerFilter::default()
        };
        self.consumers(&filter, page).await
    }

    async fn members_among(
        &mut self,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError> {
        let (organization, connection) = self.reading();
        let rows = match people {
            People::Emails(emails) => {
                let emails: Vec<&str> = emails.iter().map(Email::as_str).collect();
                let find = sqlx::query_file_as!(
                    DoorRow,
                    "sql/audience_list_memberships/of_emails.sql",
                    organization,
                    audience.as_str(),
                    texts(&emails) as _
                );
                find.fetch_all(connection).with_timeout().await?
            }
            People::Consumers(ids) => {
                let ids: Vec<&str> = ids.iter().map(ConsumerId::as_str).collect();
                let find = sqlx::query_file_as!(
                    DoorRow,
                    "sql/audience_list_memberships/of_consumers.sql",
                    organization,
                    audience.as_str(),
                    texts(&ids) as _
                );
                find.fetch_all(connection).with_timeout().await?
            }
        };
        door_read(people, rows)
    }

    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/audience_list_memberships/count.sql",
            organization,
            audience.as_str()
        );
        let members = find.fetch_one(connection).with_timeout().await?;
        count(members, "audience_list_memberships")
    }

    async fn add_members(
        &mut self,
        audience: &AudienceId,
        consumers: &[ConsumerId],
    ) -> Result<u64, StoreError> {
        let since = moment(self.writing_since()?);
        // Postgres has no foreign key that would look.
        let named: BTreeSet<&ConsumerId> = consumers.iter().collect();
        if self.consumers_of(consumers).await?.len() != named.len() {
            return Err(refused("a consumer who becomes a member is not there"));
        }
        let (organization, connection) = self.writing()?;
        let consumers: Vec<&str> = consumers.iter().map(ConsumerId::as_str).collect();
        let add = sqlx::query_file!(
            "sql/audience_list_memberships/add.sql",
            organization,
            audience.as_str(),
            texts(&consumers) as _,
            DbTimestamp(since)
        );
        let done = add.execute(connection).with_timeout().await?;
        Ok(done.rows_affected())
    }

    async fn remove_members(
        &mut self,
        audience: &AudienceId,
        consumers: &[ConsumerId],
    ) -> Result<u64, StoreError> {
        let ended_at = moment(self.writing_since()?);
        let (organization, connection) = self.writing()?;
        let mut removed = 0;
        for consumer in consumers {
            let take = sqlx::query_file_as!(
                MembershipRow,
                "../sql-rows/sql/audience_list_memberships/take_out.sql",
                organization,
                audience.as_str(),
                consumer.as_str()
            );
            let taken = take.fetch_optional(&mut *connection);
            let Some(membership): Option<Membership> = one(taken.with_timeout().await?)? else {
                continue;
            };
            removed += 1;
            let Some(ended) = membership.ended(ended_at, None) else {
                continue;
            };
            let insert = sqlx::query_file!(
                "../sql-rows/sql/ended_memberships/insert_one.sql",
                organization,
                audience.as_str(),
                consumer.as_str(),
                DbTimestamp(ended_at),
                DbTimestamp(ended.began),
                run_text(ended.joined_by.as_ref()),
                run_text(None)
            );
            insert.execute(&mut *connection).with_timeout().await?;
        }
        Ok(removed)
    }
}

impl Unit {
    /// The audiences of these rows, in their order, each with the source that fills it.
    async fn with_sources(
        &mut self,
        rows: Vec<AudienceRow>,
    ) -> Result<Vec<AudienceRecord>, StoreError> {
        let filled = rows.iter().filter(|row| row.source_id != row.id);
        let ids: Vec<String> = filled.map(|row| row.source_id.clone()).collect();
        let sources = self.sources_by_id(&ids).await?;
        audience_records(rows, sources)
    }
}
