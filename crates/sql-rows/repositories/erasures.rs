//! Erased people. A person has a few profiles, so rows are deleted one by one, each by its key.

use async_trait::async_trait;
use fanfare_domain::connection::SealedKey;
use fanfare_domain::erasure::ErasedHash;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::{Erasures, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, to_u32};

use super::deliveries::delete_of_consumer;
use super::pages::{Scope, count_link_move};
use super::search;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Erasures for Unit {
    async fn erasure_key(&mut self) -> Result<Option<SealedKey>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file!("../sql-rows/sql/erasure_keys/get.sql", organization);
        let row = get.fetch_optional(connection).with_timeout().await?;
        row.map(|row| {
            Ok(SealedKey {
                form: to_u32(row.master_key_version, "erasure_keys.master_key_version")?,
                bytes: row.sealed_key,
            })
        })
        .transpose()
    }

    async fn put_erasure_key(&mut self, key: &SealedKey) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let insert = sqlx::query_file!(
            "../sql-rows/sql/erasure_keys/insert.sql",
            organization,
            i64::from(key.form),
            key.bytes
        );
        insert.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn reseal_erasure_key(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.writing()?;
        let reseal = sqlx::query_file!(
            "../sql-rows/sql/erasure_keys/reseal.sql",
            organization,
            i64::from(before.form),
            before.bytes,
            i64::from(after.form),
            after.bytes
        );
        let done = reseal.execute(connection).with_timeout().await?;
        Ok(done.rows_affected() > 0)
    }

    async fn forget_erasures(&mut self) -> Result<(), StoreError> {
        let scope = Scope::of(self.writing_secret()?);
        let clear = sqlx::query_file!(
            "../sql-rows/sql/erased_people/clear.sql",
            scope.organization,
            ""
        );
        clear.execute(&mut *scope.connection).with_timeout().await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/erasure_keys/delete.sql",
            scope.organization
        );
        delete.execute(scope.connection).with_timeout().await?;
        Ok(())
    }

    async fn erase(
        &mut self,
        consumer: &ConsumerId,
        profiles: &[ProfileId],
        hashes: &[ErasedHash],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut scope = Scope::of(self.writing_secret()?);
        for profile in profiles {
            delete_issues(scope.reborrow(), profile).await?;
            let delete = sqlx::query_file!(
                "../sql-rows/sql/profile_links/delete.sql",
                scope.organization,
                profile.as_str()
            );
            let delete = delete.execute(&mut *scope.connection);
            delete.with_timeout().await?;
        }
        count_link_move(scope.reborrow()).await?;
        delete_memberships(scope.reborrow(), consumer).await?;
        delete_of_consumer(scope.reborrow(), consumer).await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/contacts/delete.sql",
            scope.organization,
            consumer.as_str()
        );
        let delete = delete.execute(&mut *scope.connection);
        delete.with_timeout().await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/consumers/delete.sql",
            scope.organization,
            consumer.as_str()
        );
        let delete = delete.execute(&mut *scope.connection);
        delete.with_timeout().await?;
        for ErasedHash(hash) in hashes {
            let put = sqlx::query_file!(
                "../sql-rows/sql/erased_people/put.sql",
                scope.organization,
                hash,
                DbTimestamp(at)
            );
            put.execute(&mut *scope.connection).with_timeout().await?;
        }
        // Its grams and its id are in there.
        search::rebuild_of(scope, consumer).await
    }

    async fn erased(&mut self, of: &[ErasedHash]) -> Result<Vec<ErasedHash>, StoreError> {
        let (organization, connection) = self.reading();
        let hashes: Vec<&str> = of.iter().map(|ErasedHash(hash)| hash.as_str()).collect();
        let find = sqlx::query_file_scalar!(
            "sql/erased_people/of_hashes.sql",
            organization,
            texts(&hashes) as _
        );
        let found = find.fetch_all(connection).with_timeout().await?;
        Ok(found.into_iter().map(ErasedHash).collect())
    }
}

async fn delete_issues(scope: Scope<'_>, profile: &ProfileId) -> Result<(), StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/sync_issues/runs_of_profile.sql",
        scope.organization,
        profile.as_str()
    );
    let runs = find.fetch_all(&mut *scope.connection);
    for run in runs.with_timeout().await? {
        let delete = sqlx::query_file!(
            "../sql-rows/sql/sync_issues/delete_of_profile.sql",
            scope.organization,
            run,
            profile.as_str()
        );
        let delete = delete.execute(&mut *scope.connection);
        delete.with_timeout().await?;
    }
    Ok(())
}

/// Those that ended, too.
async fn delete_memberships(scope: Scope<'_>, of: &ConsumerId) -> Result<(), StoreError> {
    let find =
        sqlx::query_file_scalar!("../sql-rows/sql/audiences/ids.sql", scope.organization, "");
    let audiences = find.fetch_all(&mut *scope.connection);
    for audience in audiences.with_timeout().await? {
        let delete = sqlx::query_file!(
            "../sql-rows/sql/audience_list_memberships/delete.sql",
            scope.organization,
            audience,
            of.as_str()
        );
        let delete = delete.execute(&mut *scope.connection);
        delete.with_timeout().await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/ended_memberships/delete_of_consumer.sql",
            scope.organization,
            audience,
            of.as_str()
        );
        let delete = delete.execute(&mut *scope.connection);
        delete.with_timeout().await?;
    }
    Ok(())
}
