//! Audiences and their members.

use async_trait::async_trait;
use fanfare_domain::audience::{Audience, GroupType};
use fanfare_domain::ids::{AudienceId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{
    AudienceRecord, Audiences, ConsumerFilter, ConsumerRecord, Consumers, Sources, StoreError,
};

use crate::error::{corrupt, store_error};
use crate::rows::{count, from_json, id, json, micros, parse_enum, time, time_opt, to_u32};
use crate::unit::SqliteUnit;

struct AudienceRow {
    id: String,
    source_id: String,
    name: String,
    named_by_hand: i64,
    description: Option<String>,
    icon_name: Option<String>,
    metadata: Option<String>,
    group_id: Option<String>,
    group_name: Option<String>,
    group_type: Option<String>,
    last_refreshed_at: Option<i64>,
    refresh_interval_seconds: Option<i64>,
    created_at: i64,
    created_by: String,
    updated_at: Option<i64>,
    updated_by: Option<String>,
    archived: i64,
}

impl TryFrom<AudienceRow> for Audience {
    type Error = StoreError;

    fn try_from(row: AudienceRow) -> Result<Self, StoreError> {
        let group_type = row.group_type.as_deref();
        let metadata = row.metadata.as_deref();
        let interval = row.refresh_interval_seconds;
        Ok(Self {
            id: id(row.id, AudienceId::parse, "audiences.id")?,
            source: id(row.source_id, SourceId::parse, "audiences.source_id")?,
            name: row.name,
            named_by_hand: row.named_by_hand != 0,
            description: row.description,
            icon_name: row.icon_name,
            metadata: metadata
                .map(|text| from_json(text, "audiences.metadata"))
                .transpose()?,
            group_id: row.group_id,
            group_name: row.group_name,
            group_type: group_type
                .map(|text| parse_enum(text, GroupType::parse, "audiences.group_type"))
                .transpose()?,
            last_refreshed_at: time_opt(row.last_refreshed_at, "audiences.last_refreshed_at")?,
            refresh_interval_seconds: interval
                .map(|seconds| to_u32(seconds, "audiences.refresh_interval_seconds"))
                .transpose()?,
            created_at: time(row.created_at, "audiences.created_at")?,
            created_by: row.created_by,
            updated_at: time_opt(row.updated_at, "audiences.updated_at")?,
            updated_by: row.updated_by,
            archived: row.archived != 0,
        })
    }
}

macro_rules! select_audiences {
    ($which:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            AudienceRow,
            "SELECT id, source_id, name, named_by_hand, description, icon_name, metadata, group_id,
                group_name, group_type, last_refreshed_at, refresh_interval_seconds, created_at,
                created_by, updated_at, updated_by, archived
             FROM audiences WHERE organization_id = ?1 AND " + $which,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Audiences for SqliteUnit {
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let id = id.as_str();
        let row = select_audiences!("id = ?2", organization, id)
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
        let Some(audience) = row.map(Audience::try_from).transpose()? else {
            return Ok(None);
        };
        let source = self.source(&audience.source).await?;
        let source = source.ok_or_else(|| corrupt("audiences.source_id"))?;
        Ok(Some(AudienceRecord { audience, source }))
    }

    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let after = page.after.as_deref().unwrap_or_default();
        let rows = select_audiences!(
            "id > ?2 AND archived = 0 ORDER BY id LIMIT ?3",
            organization,
            after,
            page.first
        )
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
        let ids: Vec<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
        let mut sources = self.sources_by_id(&json(&ids)).await?;
        let records: Result<Vec<AudienceRecord>, StoreError> = rows
            .into_iter()
            .map(|row| {
                let audience = Audience::try_from(row)?;
                let source = sources.remove(&audience.source);
                let source = source.ok_or_else(|| corrupt("audiences.source_id"))?;
                Ok(AudienceRecord { audience, source })
            })
            .collect();
        Ok(Page::of(records?, |record| record.audience.id.to_string()))
    }

    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError> {
        let (organization, connection) = self.reading();
        let except = except.as_str();
        let found = sqlx::query_scalar!(
            "SELECT id FROM audiences INDEXED BY audiences_by_name
             WHERE organization_id = ?1 AND name = ?2 AND archived = 0 AND id <> ?3 LIMIT 1",
            organization,
            name,
            except
        )
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
        Ok(found.is_some())
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (id, source) = (audience.id.as_str(), audience.source.as_str());
        let metadata = audience.metadata.as_ref().map(json);
        let group_type = audience.group_type.map(GroupType::as_str);
        let refreshed_at = micros(audience.last_refreshed_at);
        let (created_at, updated_at) =
            (audience.created_at.as_micros(), micros(audience.updated_at));
        sqlx::query!(
            "INSERT INTO audiences (organization_id, id, source_id, name, named_by_hand, description,
                icon_name, metadata, group_id, group_name, group_type, last_refreshed_at,
                refresh_interval_seconds, created_at, created_by, updated_at, updated_by, archived)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (organization_id, id) DO UPDATE SET
                source_id = excluded.source_id, name = excluded.name, named_by_hand = excluded.named_by_hand,
                description = excluded.description, icon_name = excluded.icon_name,
                metadata = excluded.metadata, group_id = excluded.group_id,
                group_name = excluded.group_name, group_type = excluded.group_type,
                last_refreshed_at = excluded.last_refreshed_at,
                refresh_interval_seconds = excluded.refresh_interval_seconds,
                updated_at = excluded.updated_at, updated_by = excluded.updated_by,
                archived = excluded.archived",
            organization,
            id,
            source,
            audience.name,
            audience.named_by_hand,
            audience.description,
            audience.icon_name,
            metadata,
            audience.group_id,
            audience.group_name,
            group_type,
            refreshed_at,
            audience.refresh_interval_seconds,
            created_at,
            audience.created_by,
            updated_at,
            audience.updated_by,
            audience.archived
        )
        .execute(connection)
        .await
        .map_err(store_error)?;
        Ok(())
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

    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let (organization, connection) = self.reading();
        let audience = audience.as_str();
        let members = sqlx::query_scalar!(
            "SELECT COUNT(*) FROM audience_list_memberships
             WHERE organization_id = ?1 AND audience_id = ?2",
            organization,
            audience
        )
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
        count(members, "audience_list_memberships")
    }
}
