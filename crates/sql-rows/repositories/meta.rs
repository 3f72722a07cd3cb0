//! Values that belong to the store as a whole, such as a mark to know the master key by.

use fanfare_domain::ports::StoreError;

use crate::store::SqlStore;
use crate::timeout::WithTimeout;

impl SqlStore {
    /// Keeps a value unless there is one of that name already. Returns the one that is there then.
    pub async fn keep_meta(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        sqlx::query_file!("../sql-rows/sql/meta/keep.sql", name, value)
            .execute(self.writer())
            .with_timeout()
            .await?;
        // The first caller has committed by now: the insert waited for that.
        sqlx::query_file_scalar!("../sql-rows/sql/meta/get.sql", name)
            .fetch_one(self.writer())
            .with_timeout()
            .await
    }

    /// Replaces the value of that name if it is still `before`. Returns whether it was.
    pub async fn replace_meta(
        &self,
        name: &str,
        before: &[u8],
        after: &[u8],
    ) -> Result<bool, StoreError> {
        let replaced = sqlx::query_file!("../sql-rows/sql/meta/replace.sql", name, before, after)
            .execute(self.writer())
            .with_timeout()
            .await?;
        Ok(replaced.rows_affected() > 0)
    }

    /// The value of that name that was kept, if one was.
    pub async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_file_scalar!("../sql-rows/sql/meta/get.sql", name)
            .fetch_optional(self.reader())
            .with_timeout()
            .await
    }
}
