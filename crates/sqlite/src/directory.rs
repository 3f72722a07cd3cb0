//! Organizations and their secret keys.

use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey};
use fanfare_domain::ports::{Directory, StoreError};
use fanfare_domain::time::Timestamp;
use sqlx::SqliteConnection;

use crate::error::{corrupt, store_error};
use crate::rows::{id, micros, parse_enum, time, time_opt};
use crate::store::SqliteStore;

struct KeyRow {
    id: String,
    organization_id: String,
    role: String,
    kind: String,
    hash: Vec<u8>,
    created_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<KeyRow> for SecretKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row.id, KeyId::parse, "api_keys.id")?,
            organization: id(
                row.organization_id,
                OrganizationId::parse,
                "api_keys.organization_id",
            )?,
            role: parse_enum(&row.role, Role::parse, "api_keys.role")?,
            kind: parse_enum(&row.kind, KeyKind::parse, "api_keys.kind")?,
            hash: KeyHash(row.hash.try_into().map_err(|_| corrupt("api_keys.hash"))?),
            created_at: time(row.created_at, "api_keys.created_at")?,
            revoked_at: time_opt(row.revoked_at, "api_keys.revoked_at")?,
        })
    }
}

fn organization(
    id_text: String,
    name: String,
    created_at: i64,
) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: id(id_text, OrganizationId::parse, "organizations.id")?,
        name,
        created_at: time(created_at, "organizations.created_at")?,
    })
}

async fn insert_key(connection: &mut SqliteConnection, key: &SecretKey) -> Result<(), StoreError> {
    let (key_id, organization) = (key.id.as_str(), key.organization.as_str());
    let (role, kind, hash) = (key.role.as_str(), key.kind.as_str(), key.hash.0.to_vec());
    let (created_at, revoked_at) = (key.created_at.as_micros(), micros(key.revoked_at));
    sqlx::query!(
        "INSERT INTO api_keys (id, organization_id, role, kind, hash, created_at, revoked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        key_id,
        organization,
        role,
        kind,
        hash,
        created_at,
        revoked_at
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

#[async_trait]
impl Directory for SqliteStore {
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_writing().await?;
        let (id, created_at) = (
            organization.id.as_str(),
            organization.created_at.as_micros(),
        );
        sqlx::query!(
            "INSERT INTO organizations (id, name, created_at) VALUES (?1, ?2, ?3)",
            id,
            organization.name,
            created_at
        )
        .execute(&mut *tx)
        .await
        .map_err(store_error)?;
        insert_key(&mut tx, key).await?;
        tx.commit().await.map_err(store_error)
    }

    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let id = id.as_str();
        sqlx::query!(
            "SELECT id, name, created_at FROM organizations WHERE id = ?1",
            id
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(store_error)?
        .map(|row| organization(row.id, row.name, row.created_at))
        .transpose()
    }

    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError> {
        let after = after.map_or("", OrganizationId::as_str);
        sqlx::query!(
            "SELECT id, name, created_at FROM organizations WHERE id > ?1 ORDER BY id LIMIT ?2",
            after,
            first
        )
        .fetch_all(&self.reader)
        .await
        .map_err(store_error)?
        .into_iter()
        .map(|row| organization(row.id, row.name, row.created_at))
        .collect()
    }

    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await.map_err(store_error)?;
        insert_key(&mut connection, key).await
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError> {
        let hash = hash.0.to_vec();
        sqlx::query_as!(
            KeyRow,
            "SELECT id, organization_id, role, kind, hash, created_at, revoked_at
             FROM api_keys WHERE hash = ?1 AND revoked_at IS NULL",
            hash
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(store_error)?
        .map(SecretKey::try_from)
        .transpose()
    }

    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError> {
        let organization = organization.as_str();
        sqlx::query_as!(
            KeyRow,
            "SELECT id, organization_id, role, kind, hash, created_at, revoked_at
             FROM api_keys WHERE organization_id = ?1 ORDER BY id",
            organization
        )
        .fetch_all(&self.reader)
        .await
        .map_err(store_error)?
        .into_iter()
        .map(SecretKey::try_from)
        .collect()
    }

    async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (organization, key, now) = (organization.as_str(), key.as_str(), now.as_micros());
        let done = sqlx::query!(
            "UPDATE api_keys SET revoked_at = ?3
             WHERE organization_id = ?1 AND id = ?2 AND revoked_at IS NULL",
            organization,
            key,
            now
        )
        .execute(&self.writer)
        .await
        .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }
}
