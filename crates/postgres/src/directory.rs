//! Organizations and their secret keys.

use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey};
use fanfare_domain::ports::{Directory, StoreError};
use fanfare_domain::time::Timestamp;
use sqlx::PgConnection;

use crate::answer::Asked;
use crate::at::{At, at, time};
use crate::error::corrupt;
use crate::rows::{id, parse_enum};
use crate::store::PostgresStore;

struct KeyRow {
    id: String,
    organization_id: String,
    role: String,
    kind: String,
    hash: Vec<u8>,
    created_at: At,
    revoked_at: Option<At>,
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
            created_at: row.created_at.0,
            revoked_at: time(row.revoked_at),
        })
    }
}

fn organization(id_text: String, name: String, created_at: At) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: id(id_text, OrganizationId::parse, "organizations.id")?,
        name,
        created_at: created_at.0,
    })
}

async fn insert_key(connection: &mut PgConnection, key: &SecretKey) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO api_keys (id, organization_id, role, kind, hash, created_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        key.id.as_str(),
        key.organization.as_str(),
        key.role.as_str(),
        key.kind.as_str(),
        &key.hash.0[..],
        At(key.created_at),
        at(key.revoked_at)
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(())
}

#[async_trait]
impl Directory for PostgresStore {
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError> {
        let mut tx = self.control.begin().answer().await?;
        sqlx::query!(
            "INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3)",
            organization.id.as_str(),
            organization.name,
            At(organization.created_at)
        )
        .execute(&mut *tx)
        .answer()
        .await?;
        insert_key(&mut tx, key).await?;
        tx.commit().answer().await
    }

    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        sqlx::query!(
            "SELECT id, name, created_at FROM organizations WHERE id = $1",
            id.as_str()
        )
        .fetch_optional(&self.control)
        .answer()
        .await?
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
            "SELECT id, name, created_at FROM organizations WHERE id > $1 ORDER BY id LIMIT $2",
            after,
            i64::from(first)
        )
        .fetch_all(&self.control)
        .answer()
        .await?
        .into_iter()
        .map(|row| organization(row.id, row.name, row.created_at))
        .collect()
    }

    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError> {
        let mut connection = self.control.acquire().answer().await?;
        insert_key(&mut connection, key).await
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError> {
        sqlx::query_as!(
            KeyRow,
            "SELECT id, organization_id, role, kind, hash, created_at, revoked_at
             FROM api_keys WHERE hash = $1 AND revoked_at IS NULL",
            &hash.0[..]
        )
        .fetch_optional(&self.control)
        .answer()
        .await?
        .map(SecretKey::try_from)
        .transpose()
    }

    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError> {
        sqlx::query_as!(
            KeyRow,
            "SELECT id, organization_id, role, kind, hash, created_at, revoked_at
             FROM api_keys WHERE organization_id = $1 ORDER BY id",
            organization.as_str()
        )
        .fetch_all(&self.control)
        .answer()
        .await?
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
        let done = sqlx::query!(
            "UPDATE api_keys SET revoked_at = $3
             WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL",
            organization.as_str(),
            key.as_str(),
            At(now)
        )
        .execute(&self.control)
        .answer()
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
