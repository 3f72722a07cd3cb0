//! Consumers, to be read.

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Consumers, Lookup, StoreError};
use fanfare_sql_rows::{all, contains_pattern, one, select_consumers, to_db};

use crate::error::store_error;
use crate::unit::SqliteUnit;

#[async_trait]
impl Consumers for SqliteUnit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let get = select_consumers!(
            r#"l.changed_at AS "primary_changed_at?""#,
            "FROM consumers c LEFT JOIN profile_links l
               ON l.organization_id = $1 AND l.profile_id = c.primary_profile
             WHERE c.organization_id = $1 AND c.id = $2",
            organization,
            id.as_str()
        );
        one(get.fetch_optional(connection).await.map_err(store_error)?)
    }

    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let after = page.after.as_deref().unwrap_or_default();
        let search = filter.search.as_deref().map(contains_pattern);
        let (from, to) = (to_db(filter.created_after), to_db(filter.created_before));
        let rows = if let Some(audience) = filter.audience.as_ref().map(AudienceId::as_str) {
            let find = select_consumers!(
                r#"l.changed_at AS "primary_changed_at?""#,
                r"FROM audience_list_memberships m
                 CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = m.consumer_id
                 LEFT JOIN profile_links l
                   ON l.organization_id = $1 AND l.profile_id = c.primary_profile
                 WHERE m.organization_id = $1 AND m.audience_id = $7 AND m.consumer_id > $2
                   AND ($3 IS NULL OR c.email LIKE $3 ESCAPE '\' OR c.phone LIKE $3 ESCAPE '\'
                        OR c.full_name LIKE $3 ESCAPE '\')
                   AND ($4 IS NULL OR c.created_at > $4) AND ($5 IS NULL OR c.created_at < $5)
                 ORDER BY m.consumer_id LIMIT $6",
                organization,
                after,
                search,
                from as _,
                to as _,
                i64::from(page.first),
                audience
            );
            find.fetch_all(connection).await.map_err(store_error)?
        } else {
            let find = select_consumers!(
                r#"l.changed_at AS "primary_changed_at?""#,
                r"FROM consumers c LEFT JOIN profile_links l
                   ON l.organization_id = $1 AND l.profile_id = c.primary_profile
                 WHERE c.organization_id = $1 AND c.id > $2
                   AND ($3 IS NULL OR c.email LIKE $3 ESCAPE '\' OR c.phone LIKE $3 ESCAPE '\'
                        OR c.full_name LIKE $3 ESCAPE '\')
                   AND ($4 IS NULL OR c.created_at > $4) AND ($5 IS NULL OR c.created_at < $5)
                 ORDER BY c.id LIMIT $6",
                organization,
                after,
                search,
                from as _,
                to as _,
                i64::from(page.first)
            );
            find.fetch_all(connection).await.map_err(store_error)?
        };
        let records: Vec<ConsumerRecord> = all(rows)?;
        Ok(Page::of(records, |record| record.consumer.id.to_string()))
    }

    async fn lookup_consumers(
        &mut self,
        lookup: &Lookup,
    ) -> Result<Vec<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let (email, phone, profile) = match lookup {
            Lookup::Email(email) => (Some(email.as_str()), None, None),
            Lookup::Phone(phone) => (None, Some(phone.as_str()), None),
            Lookup::Profile(profile) => (None, None, Some(profile.as_str())),
        };
        let find = select_consumers!(
            r#"l.changed_at AS "primary_changed_at?""#,
            "FROM (
                SELECT id FROM consumers WHERE organization_id = $1 AND email = $2
                UNION ALL
                SELECT id FROM consumers WHERE organization_id = $1 AND phone = $3
                UNION ALL
                SELECT consumer_id FROM profile_links
                WHERE organization_id = $1 AND profile_id = $4
             ) f
             CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = f.id
             LEFT JOIN profile_links l
               ON l.organization_id = $1 AND l.profile_id = c.primary_profile
             ORDER BY c.id LIMIT 100",
            organization,
            email,
            phone,
            profile
        );
        all(find.fetch_all(connection).await.map_err(store_error)?)
    }
}
