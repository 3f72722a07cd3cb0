//! The store: one file, one writer, several readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Clock, Store, StoreError, UnitOfWork};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, Transaction};

use crate::error::{OpenError, store_error};
use crate::job_notifier::JobNotifier;
use crate::migrate;
use crate::options::{SqliteOptions, connect_options, reader_options, writer_options};
use crate::unit::SqliteUnit;

/// Connections for reading. WAL lets them read while one writes.
const READERS: u32 = 4;

/// How long a unit waits for a connection of this process.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// Every storage port on one SQLite file. Clones share its connections.
///
/// Several processes of one machine may open the same file.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) writer: SqlitePool,
    pub(crate) reader: SqlitePool,
    /// Klaviyo's quotas, in a file of their own.
    pub(crate) ledger: SqlitePool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: JobNotifier,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens a store, making its folder and file (modes 0700 and 0600) where there are none, and
    /// brings its schema up to date. Leases are measured by `clock`.
    pub async fn open(
        options: impl Into<SqliteOptions>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let SqliteOptions { path, notifier } = options.into();
        let writer = pool(1).connect_lazy_with(writer_options(&path));
        let ledger = migrate::open(&path, &writer).await?;
        let reader = pool(READERS)
            .connect_with(reader_options(&path))
            .await
            .map_err(|source| migrate::sqlite_error(&path, source))?;
        Ok(Self {
            writer,
            reader,
            ledger,
            clock,
            notifier,
            path,
        })
    }

    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How a connection to the store's file is made, for what else lives in it: apalis's queue.
    pub fn connect_options(&self) -> SqliteConnectOptions {
        connect_options(&self.path)
    }

    /// Whether the store can be read, is still the file that was opened, and has the schema of this
    /// program.
    pub async fn health(&self) -> Result<(), OpenError> {
        migrate::check(&self.reader, &self.path).await
    }

    /// Keeps a value that belongs to the store as a whole, such as a mark to know the master key by,
    /// unless there is one of that name already. Returns the one that is there then.
    pub async fn keep_meta(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut tx = self.begin_writing().await?;
        sqlx::query_file!("../sql-rows/sql/meta/keep.sql", name, value)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        let kept = sqlx::query_file_scalar!("../sql-rows/sql/meta/get.sql", name)
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(kept)
    }

    /// The value of that name that was kept, if one was.
    pub async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_file_scalar!("../sql-rows/sql/meta/get.sql", name)
            .fetch_optional(&self.reader)
            .await
            .map_err(store_error)
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.reader.close().await;
        self.ledger.close().await;
        self.writer.close().await;
    }

    /// A transaction that excludes every other writer of the file.
    pub(crate) async fn begin_writing(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(store_error)
    }

    fn unit(
        &self,
        tx: Transaction<'static, Sqlite>,
        organization: &OrganizationId,
        writer: Option<SqlitePool>,
    ) -> Box<dyn UnitOfWork> {
        Box::new(SqliteUnit {
            tx,
            organization: organization.clone(),
            clock: Arc::clone(&self.clock),
            notifier: self.notifier,
            writer,
            has_shredded: false,
        })
    }
}

/// A file needs neither a ping before use nor fresh connections now and then.
pub(crate) fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

#[async_trait]
impl Store for SqliteStore {
    async fn read(&self, organization: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let tx = self.reader.begin().await.map_err(store_error)?;
        Ok(self.unit(tx, organization, None))
    }

    async fn begin(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let tx = self.begin_writing().await?;
        Ok(self.unit(tx, organization, Some(self.writer.clone())))
    }
}
