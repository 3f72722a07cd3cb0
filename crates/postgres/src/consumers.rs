//! Consumers, to be read.

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Consumers, Lookup, StoreError};
use fanfare_sql_rows::{all, contains_pattern, one, select_consumers, to_db};

use crate::timeout::WithTimeout;
use crate::unit::PostgresUnit;

#[async_trait]
impl Consumers for PostgresUnit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let get = select_consumers!(
            r#"l.changed_at AS "primary_changed_at?""#,
            "FROM consumers c LEFT JOIN LATERAL (
                SELECT changed_at FROM profile_links
                WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
             WHERE c.organization_id = $1 AND c.id = $2",
            organization,
            id.as_str()
        );
        one(get.fetch_optional(connection).with_timeout().await?)
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
                "FROM audience_list_memberships m
                 CROSS JOIN LATERAL (
                    SELECT * FROM consumers
                    WHERE organization_id = $1 AND id = m.consumer_id OFFSET 0) c
                 LEFT JOIN LATERAL (
                    SELECT changed_at FROM profile_links
                    WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
                 WHERE m.organization_id = $1 AND m.audience_id = $7 AND m.consumer_id > $2
                   AND ($3::text IS NULL OR c.email ILIKE $3 OR c.phone ILIKE $3
                        OR c.full_name ILIKE $3)
                   AND ($4::timestamptz IS NULL OR c.created_at > $4)
                   AND ($5::timestamptz IS NULL OR c.created_at < $5)
                 ORDER BY m.consumer_id LIMIT $6",
                organization,
                after,
                search,
                from as _,
                to as _,
                i64::from(page.first),
                audience
            );
            find.fetch_all(connection).with_timeout().await?
        } else {
            let find = select_consumers!(
                r#"l.changed_at AS "primary_changed_at?""#,
                "FROM consumers c LEFT JOIN LATERAL (
                    SELECT changed_at FROM profile_links
                    WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
                 WHERE c.organization_id = $1 AND c.id > $2
                   AND ($3::text IS NULL OR c.email ILIKE $3 OR c.phone ILIKE $3
                        OR c.full_name ILIKE $3)
                   AND ($4::timestamptz IS NULL OR c.created_at > $4)
                   AND ($5::timestamptz IS NULL OR c.created_at < $5)
                 ORDER BY c.id LIMIT $6",
                organization,
                after,
                search,
                from as _,
                to as _,
                i64::from(page.first)
            );
            find.fetch_all(connection).with_timeout().await?
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
                (SELECT id FROM consumers WHERE organization_id = $1 AND phone = $3
                 ORDER BY id LIMIT 100)
                UNION ALL
                SELECT consumer_id FROM profile_links
                WHERE organization_id = $1 AND profile_id = $4
             ) f
             CROSS JOIN LATERAL (
                SELECT * FROM consumers WHERE organization_id = $1 AND id = f.id OFFSET 0) c
             LEFT JOIN LATERAL (
                SELECT changed_at FROM profile_links
                WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
             ORDER BY c.id LIMIT 100",
            organization,
            email,
            phone,
            profile
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }
}
