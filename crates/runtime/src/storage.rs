//! The store, of whichever kind the settings name: the one place that knows which kinds there are.

use std::sync::Arc;

use fanfare_domain::ports::{Clock, Directory, DueRuns, QuotaLedger, Store, StoreError};
use fanfare_jobs::{Queue, QueueError, SqliteQueue};
use fanfare_sqlite::{Doorbell, OpenError, QUEUE, Schema, SqliteOptions, SqliteStore};

use crate::config::{Config, Database};
use crate::system::SystemClock;

/// An open store with its queue. Clones share its connections.
#[derive(Clone)]
pub enum Storage {
    /// The embedded store.
    Sqlite {
        /// The store.
        store: SqliteStore,
        /// apalis's queue in the same file.
        queue: SqliteQueue,
    },
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The embedded store.
    #[error(transparent)]
    Sqlite(#[from] OpenError),
    /// apalis's tables.
    #[error("the job queue in the store cannot be opened")]
    Queue(#[from] QueueError),
    /// A kind of store that this version does not have.
    #[error(
        "this version has no Postgres store: set FANFARE_DATABASE_URL to sqlite://PATH, such as \
         sqlite://.fanfare/fanfare.db"
    )]
    NoPostgres,
}

/// What [`Storage::open`] would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// No store yet.
    Missing,
    /// An older schema: so many migrations are to be applied.
    Behind(usize),
    /// This version's schema.
    Current,
}

/// A store's ports.
pub(crate) struct StoragePorts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) due_runs: Arc<dyn DueRuns>,
    pub(crate) ledger: Arc<dyn QuotaLedger>,
}

impl Storage {
    /// Opens the store; the embedded one is made and migrated where need be.
    pub async fn open(database: &Database, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let Database::Sqlite(path) = database else {
            return Err(StorageError::NoPostgres);
        };
        let options = SqliteOptions::at(path).doorbell(Doorbell::Apalis);
        let store = SqliteStore::open(options, clock).await?;
        // The store rings by writing into apalis's tables, so whoever opens it needs them.
        let file = path.clone();
        let lock = tokio::task::spawn_blocking(move || fanfare_sqlite::schema_lock(&file));
        let lock = lock
            .await
            .unwrap_or_else(|lost| Err(std::io::Error::other(lost)));
        let _lock = lock.map_err(|source| OpenError::NotWritable {
            path: path.clone(),
            source,
        })?;
        let queue = SqliteQueue::open(store.connect_options(), QUEUE).await?;
        Ok(Self::Sqlite { store, queue })
    }

    /// Finds out, changing nothing, what opening it would find.
    pub async fn schema(database: &Database) -> Result<SchemaState, StorageError> {
        let Database::Sqlite(path) = database else {
            return Err(StorageError::NoPostgres);
        };
        Ok(match fanfare_sqlite::schema(path).await? {
            Schema::Missing => SchemaState::Missing,
            Schema::Behind(migrations) => SchemaState::Behind(migrations),
            Schema::Current => SchemaState::Current,
        })
    }

    /// Brings the store's schema up to date, making the store where there is none. Returns what was
    /// found before.
    pub async fn migrate(config: &Config) -> Result<SchemaState, StorageError> {
        let before = Self::schema(&config.database).await?;
        // Opening the embedded store is migrating it.
        let opened = Self::open(&config.database, Arc::new(SystemClock)).await?;
        opened.close().await;
        Ok(before)
    }

    /// Whether the store is there and has the schema of this program.
    pub async fn health(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite { store, .. } => Ok(store.health().await?),
        }
    }

    /// Closes its connections, waiting for those in use.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { store, .. } => store.close().await,
        }
    }

    pub(crate) fn ports(&self) -> StoragePorts {
        match self {
            Self::Sqlite { store, .. } => ports_of(store),
        }
    }

    pub(crate) fn queue(&self) -> Arc<dyn Queue> {
        match self {
            Self::Sqlite { queue, .. } => Arc::new(queue.clone()),
        }
    }

    /// A value of the store as a whole, if one of that name was kept.
    pub(crate) async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite { store, .. } => store.meta(name).await,
        }
    }

    /// Keeps a value of the store as a whole unless there is one; returns the one there is then.
    pub(crate) async fn keep_meta(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Sqlite { store, .. } => store.keep_meta(name, value).await,
        }
    }
}

fn ports_of<S>(store: &S) -> StoragePorts
where
    S: Store + Directory + DueRuns + QuotaLedger + Clone + 'static,
{
    let store = Arc::new(store.clone());
    StoragePorts {
        store: store.clone(),
        directory: store.clone(),
        due_runs: store.clone(),
        ledger: store,
    }
}
