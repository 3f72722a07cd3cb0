//! The store: one file, one writer, several readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fanfare_domain::door::{DoorRead, People};
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::ports::{Clock, Store, StoreError, UnitOfWork};
use fanfare_sql_rows::{DbTimestamp, JobNotifier, Permit, Shares};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::time::timeout;

use crate::checkpoints::Checkpoints;
use crate::error::{OpenError, sqlite_error};
use crate::options::{
    ACQUIRE_TIMEOUT, SqliteOptions, connect_options, pool, reader_options, writer_options,
};
use crate::timeout::{SEARCH_LIMIT, WithTimeout};
use crate::unit::{Unit, Writer, empty_log};
use crate::{ledger_file, migrate};

/// Connections for reading. WAL lets them read while one writes.
const READERS: u32 = 4;

/// How many of them an organization's units have at once: large pages of one keep no other's waiting, nor
/// authentication and health.
const READERS_OF_ORGANIZATION: usize = 2;

/// Connections for searching, and how many of them an organization has. Few: a search keeps a core busy.
const SEARCHERS: u32 = 2;
const SEARCHERS_OF_ORGANIZATION: usize = 1;

/// Connections for checks at the door, and how many of them an organization has.
const DOOR: u32 = 4;
const DOOR_OF_ORGANIZATION: usize = 2;

/// After how many of SQLite's instructions it is seen whether a search has to end: less than a millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// Every storage port on one SQLite file. Clones share its connections.
///
/// Several processes of one machine may open the same file.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) writer: SqlitePool,
    checkpoints: Checkpoints,
    pub(crate) reader: SqlitePool,
    reads: Shares<OrganizationId>,
    /// For searches alone: nothing else waits for one.
    searcher: SqlitePool,
    searches: Shares<OrganizationId>,
    /// For checks at the door alone: they wait for nothing else.
    door: SqlitePool,
    checks: Shares<OrganizationId>,
    /// Klaviyo's quotas and the rate limits of organizations, in a file of their own.
    pub(crate) ledger: SqlitePool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: JobNotifier,
    path: PathBuf,
}

/// How the text shared with Postgres calls the store.
pub(crate) type SqlStore = SqliteStore;

impl SqliteStore {
    /// Opens a store, making its folder and file (modes 0700 and 0600) where there are none, and
    /// brings its schema up to date. Leases are measured by `clock`.
    pub async fn open(
        options: impl Into<SqliteOptions>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let SqliteOptions { path, notifier } = options.into();
        let writer = pool(1).connect_lazy_with(writer_options(&path));
        let schema_lock = migrate::open(&path, &writer).await?;
        let ledger = ledger_file::open(&path, &writer).await?;
        drop(schema_lock);
        let reader = pool(READERS)
            .connect_with(reader_options(&path))
            .await
            .map_err(|source| sqlite_error(&path, source))?;
        let checkpoints = Checkpoints::of(connect_options(&path));
        let door = pool(DOOR).connect_lazy_with(reader_options(&path));
        let searcher = pool(SEARCHERS).connect_lazy_with(reader_options(&path));
        Ok(Self {
            writer,
            checkpoints,
            reader,
            reads: Shares::new(READERS_OF_ORGANIZATION),
            searcher,
            searches: Shares::new(SEARCHERS_OF_ORGANIZATION),
            door,
            checks: Shares::new(DOOR_OF_ORGANIZATION),
            ledger,
            clock,
            notifier,
            path,
        })
    }

    /// The store's time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
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

    /// What tells this place of the store from another one to which a backup of it was restored. A restored store
    /// has no file of quotas, and a new one another number.
    pub async fn identity(&self) -> Result<Option<String>, StoreError> {
        let number = ledger_file::number(&self.ledger).with_timeout().await?;
        Ok(Some(number.to_string()))
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.reader.close().await;
        self.searcher.close().await;
        self.door.close().await;
        self.ledger.close().await;
        self.checkpoints.close().await;
        self.writer.close().await;
    }

    /// Overwrites what the write-ahead log still holds, such as sealed keys that were sealed anew.
    pub async fn empty_log(&self) {
        empty_log(&self.writer).await;
    }

    /// The connections for reading.
    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// The connection for writing.
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// The connection to the ledger of quotas.
    pub(crate) fn ledger_connections(&self) -> &SqlitePool {
        &self.ledger
    }

    /// A transaction that excludes every other writer of the file.
    pub(crate) async fn begin_writing(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .with_timeout()
            .await
    }

    pub(crate) fn now(&self) -> DbTimestamp {
        DbTimestamp(self.clock.now())
    }

    /// A unit for reading on one of these connections, of which an organization has a share.
    async fn reading(
        &self,
        connections: &SqlitePool,
        shares: &Shares<OrganizationId>,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let permit = shares.permit(organization, ACQUIRE_TIMEOUT).await;
        let permit = permit.ok_or_else(|| StoreError::Unavailable(BUSY.into()))?;
        let tx = connections.begin().with_timeout().await?;
        Ok(Box::new(self.unit(tx, organization, None, Some(permit))))
    }

    /// A unit for a search, whose statements SQLite interrupts after this time.
    async fn searching(
        &self,
        organization: &OrganizationId,
        limit: Duration,
    ) -> Result<Unit, StoreError> {
        let permit = self.searches.permit(organization, SEARCH_LIMIT).await;
        let permit = permit.ok_or(StoreError::TooManySearches)?;
        let acquired = timeout(SEARCH_LIMIT, self.searcher.begin().with_timeout()).await;
        let mut tx = acquired.map_err(|_| StoreError::TooManySearches)??;
        // A statement goes on after the caller that waited for it has left. Only searches use the connection: the next one
        // puts its own time in the place of this one.
        let end = Instant::now() + limit;
        let mut handle = tx.lock_handle().with_timeout().await?;
        handle.set_progress_handler(INSTRUCTIONS, move || Instant::now() < end);
        drop(handle);
        Ok(self.unit(tx, organization, None, Some(permit)))
    }

    fn unit(
        &self,
        tx: Transaction<'static, Sqlite>,
        organization: &OrganizationId,
        writer: Option<Writer>,
        permit: Option<Permit>,
    ) -> Unit {
        Unit {
            tx,
            organization: organization.clone(),
            clock: Arc::clone(&self.clock),
            opened_at: self.clock.now(),
            notifier: self.notifier,
            writer,
            has_shredded: false,
            _permit: permit,
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn read(&self, organization: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.reading(&self.reader, &self.reads, organization).await
    }

    async fn check_members(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError> {
        let mut unit = self.reading(&self.door, &self.checks, organization).await?;
        unit.members_among(audience, people).await
    }

    async fn search(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let unit = self.searching(organization, SEARCH_LIMIT).await?;
        Ok(Box::new(unit))
    }

    async fn begin(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let tx = self.begin_writing().await?;
        Ok(Box::new(self.unit(
            tx,
            organization,
            Some(Writer {
                connection: self.writer.clone(),
                checkpoints: self.checkpoints.clone(),
            }),
            None,
        )))
    }
}

const BUSY: &str = "other reads of the same organization took longer than 30 s";

#[cfg(test)]
mod interrupted;
