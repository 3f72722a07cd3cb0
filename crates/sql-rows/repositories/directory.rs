//! Organizations and their secret keys.

use crate::store::SqlStore;
use crate::timeout::WithTimeout;
use crate::unit::Connection;
use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, Organization, SecretKey};
use fanfare_domain::ports::{Directory, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, KeyRow, OrganizationRow, all, one, to_db};

async fn insert_key(connection: &mut Connection, key: &SecretKey) -> Result<(), StoreError> {
    let insert = sqlx::query_file!(
        "../sql-rows/sql/api_keys/insert.sql",
        key.id.as_str(),
        key.organization.as_str(),
        key.role.as_str(),
        key.kind.as_str(),
        &key.hash.0[..],
        DbTimestamp(key.created_at),
        to_db(key.revoked_at)
    );
    insert.execute(connection).with_timeout().await?;
    Ok(())
}

#[async_trait]
impl Directory for SqlStore {
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_writing().await?;
        let insert = sqlx::query_file!(
            "../sql-rows/sql/organizations/insert.sql",
            organization.id.as_str(),
            organization.name,
            DbTimestamp(organization.created_at)
        );
        insert.execute(&mut *tx).with_timeout().await?;
        insert_key(&mut tx, key).await?;
        tx.commit().with_timeout().await
    }

    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let get = sqlx::query_file_as!(
            OrganizationRow,
            "../sql-rows/sql/organizations/get.sql",
            id.as_str()
        );
        one(get.fetch_optional(self.reader()).with_timeout().await?)
    }

    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError> {
        let find = sqlx::query_file_as!(
            OrganizationRow,
            "../sql-rows/sql/organizations/page.sql",
            after.map_or("", OrganizationId::as_str),
            i64::from(first)
        );
        all(find.fetch_all(self.reader()).with_timeout().await?)
    }

    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().with_timeout().await?;
        insert_key(&mut connection, key).await
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError> {
        let find = sqlx::query_file_as!(KeyRow, "../sql-rows/sql/api_keys/valid.sql", &hash.0[..]);
        one(find.fetch_optional(self.reader()).with_timeout().await?)
    }

    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError> {
        let find = sqlx::query_file_as!(
            KeyRow,
            "../sql-rows/sql/api_keys/of_organization.sql",
            organization.as_str()
        );
        all(find.fetch_all(self.reader()).with_timeout().await?)
    }

    async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoke = sqlx::query_file!(
            "../sql-rows/sql/api_keys/revoke.sql",
            organization.as_str(),
            key.as_str(),
            DbTimestamp(now)
        );
        let done = revoke.execute(self.writer()).with_timeout().await?;
        Ok(done.rows_affected() > 0)
    }
}
