//! Audiences and their members.

use async_trait::async_trait;
use fanfare_domain::audience::{Audience, GroupType};
use fanfare_domain::ids::{AudienceId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{
    AudienceRecord, Audiences, ConsumerFilter, ConsumerRecord, Consumers, Sources, StoreError,
};
use sqlx::types::Json;

use crate::answer::Asked;
use crate::at::{At, at, time};
use crate::error::corrupt;
use crate::rows::{count, from_json, id, parse_enum, to_u32};
use crate::unit::PostgresUnit;

struct AudienceRow {
    id: String,
    source_id: String,
    name: String,
    named_by_hand: bool,
    description: Option<String>,
    icon_name: Option<String>,
    metadata: Option<String>,
    group_id: Option<String>,
    group_name: Option<String>,
    group_type: Option<String>,
    last_refreshed_at: Option<At>,
    refresh_interval_seconds: Option<i64>,
    created_at: At,
    created_by: String,
    updated_at: Option<At>,
    updated_by: Option<String>,
    archived: bool,
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
            named_by_hand: row.named_by_hand,
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
            last_refreshed_at: time(row.last_refreshed_at),
            refresh_interval_seconds: interval
                .map(|seconds| to_u32(seconds, "audiences.refresh_interval_seconds"))
                .transpose()?,
            created_at: row.created_at.0,
            created_by: row.created_by,
            updated_at: time(row.updated_at),
            updated_by: row.updated_by,
            archived: row.archived,
        })
    }
}

macro_rules! select_audiences {
    ($which:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            AudienceRow,
            r#"SELECT id, source_id, name, named_by_hand, description, icon_name,
                metadata::text, group_id, group_name,
                group_type, last_refreshed_at, refresh_interval_seconds, created_at, created_by,
                updated_at, updated_by, archived
             FROM audiences WHERE organization_id = $1 AND "# + $which,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Audiences for PostgresUnit {
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let row = select_audiences!("id = $2", organization, id.as_str())
            .fetch_optional(connection)
            .answer()
            .await?;
        let Some(audience) = row.map(Audience::try_from).transpose()? else {
            return Ok(None);
        };
        let source = self.source(&audience.source).await?;
        let source = source.ok_or_else(|| corrupt("audiences.source_id"))?;
        Ok(Some(AudienceRecord { audience, source }))
    }

    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let rows = select_audiences!(
            "id > $2 AND NOT archived ORDER BY id LIMIT $3",
            organization,
            page.after.as_deref().unwrap_or_default(),
            i64::from(page.first)
        )
        .fetch_all(connection)
        .answer()
        .await?;
        let ids: Vec<String> = rows.iter().map(|row| row.source_id.clone()).collect();
        let mut sources = self.sources_by_id(&ids).await?;
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
        sqlx::query_scalar!(
            r#"SELECT EXISTS (
                SELECT FROM audiences
                WHERE organization_id = $1 AND name_hash = hashtextextended($2, 0) AND name = $2
                  AND NOT archived AND id <> $3
               ) AS "is_taken!""#,
            organization,
            name,
            except.as_str()
        )
        .fetch_one(connection)
        .answer()
        .await
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "INSERT INTO audiences AS a (organization_id, id, source_id, name, named_by_hand,
                description, icon_name, metadata, group_id, group_name, group_type,
                last_refreshed_at, refresh_interval_seconds, created_at, created_by, updated_at,
                updated_by, archived)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
             ON CONFLICT (organization_id, id) DO UPDATE SET
                source_id = excluded.source_id, name = excluded.name,
                named_by_hand = excluded.named_by_hand, description = excluded.description,
                icon_name = excluded.icon_name, metadata = excluded.metadata,
                group_id = excluded.group_id, group_name = excluded.group_name,
                group_type = excluded.group_type, last_refreshed_at = excluded.last_refreshed_at,
                refresh_interval_seconds = excluded.refresh_interval_seconds,
                updated_at = excluded.updated_at, updated_by = excluded.updated_by,
                archived = excluded.archived
             WHERE a IS DISTINCT FROM excluded",
            organization,
            audience.id.as_str(),
            audience.source.as_str(),
            audience.name,
            audience.named_by_hand,
            audience.description,
            audience.icon_name,
            audience.metadata.as_ref().map(Json) as _,
            audience.group_id,
            audience.group_name,
            audience.group_type.map(GroupType::as_str),
            at(audience.last_refreshed_at) as _,
            audience.refresh_interval_seconds.map(i64::from),
            At(audience.created_at),
            audience.created_by,
            at(audience.updated_at) as _,
            audience.updated_by,
            audience.archived
        )
        .execute(connection)
        .answer()
.await?;
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
        let members = sqlx::query_scalar!(
            r#"SELECT count(*) AS "members!" FROM audience_list_memberships
               WHERE organization_id = $1 AND audience_id = $2"#,
            organization,
            audience.as_str()
        )
        .fetch_one(connection)
        .answer()
        .await?;
        count(members, "audience_list_memberships")
    }
}
