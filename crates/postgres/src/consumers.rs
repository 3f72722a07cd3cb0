//! Consumers, to be read.

use async_trait::async_trait;
use fanfare_domain::consumer::{Consumer, Primary, Stamp, Stamped};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Consumers, Lookup, StoreError};
use fanfare_domain::value::{Email, FullName, Phone};

use crate::answer::Asked;
use crate::at::{At, at, time};
use crate::error::corrupt;
use crate::rows::id;
use crate::unit::PostgresUnit;

/// A consumer's values and stamps.
pub(crate) struct ConsumerRow {
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) phone_updated: Option<At>,
    pub(crate) phone_profile: Option<String>,
    pub(crate) full_name: Option<String>,
    pub(crate) full_name_updated: Option<At>,
    pub(crate) full_name_profile: Option<String>,
    pub(crate) primary_profile: Option<String>,
    pub(crate) primary_updated: Option<At>,
    pub(crate) primary_source_id: Option<String>,
}

impl TryFrom<ConsumerRow> for Consumer {
    type Error = StoreError;

    fn try_from(row: ConsumerRow) -> Result<Self, StoreError> {
        let email = row
            .email
            .map(|text| Email::parse(&text).map_err(|_| corrupt("consumers.email")));
        let phone = row
            .phone
            .map(|text| Phone::parse(&text).map_err(|_| corrupt("consumers.phone")));
        let full_name = row
            .full_name
            .map(|text| FullName::from_stored(text).ok_or_else(|| corrupt("consumers.full_name")));
        let primary = match (row.primary_profile, row.primary_source_id) {
            (Some(profile), Some(source)) => Some(Primary {
                stamp: Stamp {
                    updated: time(row.primary_updated),
                    profile: id(profile, ProfileId::parse, "consumers.primary_profile")?,
                },
                source: id(source, SourceId::parse, "consumers.primary_source_id")?,
            }),
            _ => None,
        };
        Ok(Self {
            id: id(row.id, ConsumerId::parse, "consumers.id")?,
            email: email.transpose()?,
            phone: stamped(phone.transpose()?, row.phone_updated, row.phone_profile)?,
            full_name: stamped(
                full_name.transpose()?,
                row.full_name_updated,
                row.full_name_profile,
            )?,
            primary,
        })
    }
}

fn stamped<T>(
    value: Option<T>,
    updated: Option<At>,
    profile: Option<String>,
) -> Result<Option<Stamped<T>>, StoreError> {
    let Some(value) = value else { return Ok(None) };
    let by = match profile {
        None => None,
        Some(profile) => Some(Stamp {
            updated: time(updated),
            profile: id(profile, ProfileId::parse, "consumers.*_profile")?,
        }),
    };
    Ok(Some(Stamped { value, by }))
}

struct RecordRow {
    id: String,
    email: Option<String>,
    phone: Option<String>,
    phone_updated: Option<At>,
    phone_profile: Option<String>,
    full_name: Option<String>,
    full_name_updated: Option<At>,
    full_name_profile: Option<String>,
    primary_profile: Option<String>,
    primary_updated: Option<At>,
    primary_source_id: Option<String>,
    primary_changed_at: Option<At>,
    created_at: At,
    created_by: String,
    updated_at: Option<At>,
    updated_by: Option<String>,
}

impl TryFrom<RecordRow> for ConsumerRecord {
    type Error = StoreError;

    fn try_from(row: RecordRow) -> Result<Self, StoreError> {
        Ok(Self {
            consumer: Consumer::try_from(ConsumerRow {
                id: row.id,
                email: row.email,
                phone: row.phone,
                phone_updated: row.phone_updated,
                phone_profile: row.phone_profile,
                full_name: row.full_name,
                full_name_updated: row.full_name_updated,
                full_name_profile: row.full_name_profile,
                primary_profile: row.primary_profile,
                primary_updated: row.primary_updated,
                primary_source_id: row.primary_source_id,
            })?,
            primary_changed_at: time(row.primary_changed_at),
            created_at: row.created_at.0,
            created_by: row.created_by,
            updated_at: time(row.updated_at),
            updated_by: row.updated_by,
        })
    }
}

/// A pattern that finds the text anywhere, its own wildcards taken literally.
fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in search.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

macro_rules! select_consumers {
    ($from_where:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            RecordRow,
            r#"SELECT c.id, c.email, c.phone, c.phone_updated, c.phone_profile, c.full_name,
                c.full_name_updated, c.full_name_profile, c.primary_profile, c.primary_updated,
                c.primary_source_id, l.changed_at AS "primary_changed_at?", c.created_at,
                c.created_by, c.updated_at, c.updated_by "# + $from_where,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Consumers for PostgresUnit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        select_consumers!(
            "FROM consumers c LEFT JOIN LATERAL (
                SELECT changed_at FROM profile_links
                WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
             WHERE c.organization_id = $1 AND c.id = $2",
            organization,
            id.as_str()
        )
        .fetch_optional(connection)
        .answer()
        .await?
        .map(ConsumerRecord::try_from)
        .transpose()
    }

    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let after = page.after.as_deref().unwrap_or_default();
        let search = filter.search.as_deref().map(pattern);
        let (from, to) = (at(filter.created_after), at(filter.created_before));
        let rows = if let Some(audience) = filter.audience.as_ref().map(AudienceId::as_str) {
            select_consumers!(
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
            )
            .fetch_all(connection)
            .answer()
            .await
        } else {
            select_consumers!(
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
            )
            .fetch_all(connection)
            .answer()
            .await
        };
        Ok(Page::of(records(rows?)?, |record| {
            record.consumer.id.to_string()
        }))
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
        let rows = select_consumers!(
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
        )
        .fetch_all(connection)
        .answer()
        .await?;
        records(rows)
    }
}

fn records(rows: Vec<RecordRow>) -> Result<Vec<ConsumerRecord>, StoreError> {
    rows.into_iter().map(ConsumerRecord::try_from).collect()
}
