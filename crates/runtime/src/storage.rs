//! The store, of whichever kind the settings name: the one place that knows which kinds there are.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::{
    Clock, Directory, QuotaLedger, RequestLimits, Store, StoreError, WorkQueue,
};
use fanfare_jobs::{PostgresQueue, Queue, QueueError, SqliteQueue};
use fanfare_postgres::{PostgresOptions, PostgresStore};
use fanfare_sqlite::{Schema, SqliteOptions, SqliteStore};
use secrecy::SecretString;
use tokio::time::timeout;

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
    /// The shared store.
    Postgres {
        /// The store.
        store: Box<PostgresStore>,
        /// apalis's queue in the same database.
        queue: PostgresQueue,
    },
}

/// Connections for apalis: one that listens, and some for what it hears.
const QUEUE_CONNECTIONS: u32 = 4;

/// How long a program that ends waits for the store to close its connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The embedded store.
    #[error(transparent)]
    Sqlite(#[from] fanfare_sqlite::OpenError),
    /// The shared store.
    #[error(transparent)]
    Postgres(#[from] fanfare_postgres::OpenError),
    /// apalis's tables.
    #[error("the job queue in the store cannot be used")]
    Queue(#[from] QueueError),
}

/// What [`Storage::open`] would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// No store yet.
    Missing,
    /// An older schema: so many migrations are to be applied, where that is known.
    Behind(Option<usize>),
    /// This version's schema.
    Current,
    /// A newer version's schema, on which this version runs.
    Successor,
}

/// A store's ports.
pub(crate) struct StoragePorts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) work_queue: Arc<dyn WorkQueue>,
    pub(crate) ledger: Arc<dyn QuotaLedger>,
    pub(crate) request_limits: Arc<dyn RequestLimits>,
}

impl Storage {
    /// Opens the store; the embedded one is made and migrated where need be, the shared one must
    /// have been.
    pub async fn open(database: &Database) -> Result<Self, StorageError> {
        match database {
            Database::Sqlite(path) => open_sqlite(path).await,
            Database::Postgres(url) => open_postgres(url).await,
        }
    }

    /// Finds out, changing nothing, what opening it would find.
    pub async fn schema(database: &Database) -> Result<SchemaState, StorageError> {
        match database {
            Database::Sqlite(path) => match fanfare_sqlite::schema(path).await? {
                Schema::Missing => Ok(SchemaState::Missing),
                Schema::Behind(migrations) => Ok(SchemaState::Behind(Some(migrations))),
                found @ (Schema::Current | Schema::Successor) => {
                    match SqliteQueue::check(path).await {
                        Ok(()) if found == Schema::Successor => Ok(SchemaState::Successor),
                        Ok(()) => Ok(SchemaState::Current),
                        Err(QueueError::Older) => Ok(SchemaState::Behind(None)),
                        Err(error) => Err(error.into()),
                    }
                }
            },
            Database::Postgres(url) => {
                use fanfare_postgres::OpenError;
                match open_postgres(url).await {
                    Ok(storage) => {
                        let is_successor = storage.has_successor_schema().await;
                        storage.close().await;
                        Ok(if is_successor? {
                            SchemaState::Successor
                        } else {
                            SchemaState::Current
                        })
                    }
                    Err(StorageError::Postgres(OpenError::NotMigrated { .. })) => {
                        Ok(SchemaState::Missing)
                    }
                    Err(
                        StorageError::Postgres(OpenError::Older { .. })
                        | StorageError::Queue(QueueError::Older),
                    ) => Ok(SchemaState::Behind(None)),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Brings the store's schema up to date, making it where there is none: on Postgres by the
    /// owner's login, for the login of the programs. Returns what was found before.
    pub async fn migrate(config: &Config) -> Result<SchemaState, StorageError> {
        let before = Self::schema(&config.database).await;
        if let Database::Postgres(programs) = &config.database {
            let owner = match &config.migration_database {
                Some(Database::Postgres(owner)) => owner,
                _ => programs,
            };
            fanfare_postgres::migrate(owner, Some(programs)).await?;
            PostgresQueue::migrate(owner).await?;
        }
        // Opening the embedded store is migrating it; the shared one is tried, as programs will.
        let opened = Self::open(&config.database).await?;
        opened.close().await;
        // What kept the shared one from being looked at is cured by now.
        Ok(before.unwrap_or(SchemaState::Missing))
    }

    /// Whether the shared store's schema is a newer version's.
    async fn has_successor_schema(&self) -> Result<bool, StorageError> {
        match self {
            Self::Sqlite { .. } => Ok(false),
            Self::Postgres { store, .. } => Ok(store.has_successor_schema().await?),
        }
    }

    /// Whether the store is there and has the schema of this program.
    pub async fn health(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite { store, .. } => Ok(store.health().await?),
            Self::Postgres { store, .. } => Ok(store.health().await?),
        }
    }

    /// The store's time, by which all times are told that processes compare: the machine's clock on the embedded one,
    /// whose programs are on one machine, and the database server's on the shared one.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::Sqlite { store, .. } => store.clock(),
            Self::Postgres { store, .. } => store.clock(),
        }
    }

    /// Overwrites what is left of deleted secrets, where the store can. Postgres does so by its own vacuum.
    pub(crate) async fn overwrite_deleted(&self) {
        if let Self::Sqlite { store, .. } = self {
            store.empty_log().await;
        }
    }

    /// Closes its connections in good order, waiting for those in use, but not for long: a server that does not
    /// answer keeps no program from ending.
    pub async fn close(&self) {
        let closing = async {
            match self {
                Self::Sqlite { store, queue } => {
                    queue.close().await;
                    store.close().await;
                }
                Self::Postgres { store, queue } => {
                    tokio::join!(queue.close(), store.close());
                }
            }
        };
        if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            tracing::warn!("the store was in use to the last; it is safe nevertheless");
        }
    }

    pub(crate) fn ports(&self) -> StoragePorts {
        match self {
            Self::Sqlite { store, .. } => ports_of(store),
            Self::Postgres { store, .. } => ports_of(store.as_ref()),
        }
    }

    pub(crate) fn queue(&self) -> Arc<dyn Queue> {
        match self {
            Self::Sqlite { queue, .. } => Arc::new(queue.clone()),
            Self::Postgres { queue, .. } => Arc::new(queue.clone()),
        }
    }

    /// What tells this place of the store from another one to which a backup of it was restored. `None` where the
    /// store cannot tell.
    pub(crate) async fn identity(&self) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite { store, .. } => store.identity().await,
            Self::Postgres { store, .. } => store.identity().await,
        }
    }

    /// A value of the store as a whole, if one of that name was kept.
    pub(crate) async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite { store, .. } => store.meta(name).await,
            Self::Postgres { store, .. } => store.meta(name).await,
        }
    }

    /// Replaces a value of the store as a whole if it is still `before`. Returns whether it was.
    pub(crate) async fn replace_meta(
        &self,
        name: &str,
        before: &[u8],
        after: &[u8],
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite { store, .. } => store.replace_meta(name, before, after).await,
            Self::Postgres { store, .. } => store.replace_meta(name, before, after).await,
        }
    }

    /// Keeps a value of the store as a whole unless there is one; returns the one there is then.
    pub(crate) async fn keep_meta(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Sqlite { store, .. } => store.keep_meta(name, value).await,
            Self::Postgres { store, .. } => store.keep_meta(name, value).await,
        }
    }
}

async fn open_sqlite(path: &Path) -> Result<Storage, StorageError> {
    use fanfare_sqlite::{JobNotifier, OpenError, QUEUE};
    let options = SqliteOptions::at(path).notifier(JobNotifier::Apalis);
    let store = SqliteStore::open(options, Arc::new(SystemClock)).await?;
    // The store notifies workers by writing into apalis's tables, so every program that opens it needs them.
    let file = path.to_owned();
    let lock = tokio::task::spawn_blocking(move || fanfare_sqlite::schema_lock(&file));
    let lock = lock
        .await
        .unwrap_or_else(|lost| Err(io::Error::other(lost)));
    let _lock = lock.map_err(|source| OpenError::NotWritable {
        path: path.to_owned(),
        source,
    })?;
    let queue = SqliteQueue::open(store.connect_options(), QUEUE).await?;
    Ok(Storage::Sqlite { store, queue })
}

async fn open_postgres(url: &SecretString) -> Result<Storage, StorageError> {
    use fanfare_postgres::{JobNotifier, QUEUE};
    let options = PostgresOptions::at(url)?.notifier(JobNotifier::Apalis);
    let store = Box::new(PostgresStore::open(options).await?);
    let queue = PostgresQueue::new(store.job_pool(QUEUE_CONNECTIONS), QUEUE);
    queue.check().await?;
    Ok(Storage::Postgres { store, queue })
}

fn ports_of<S>(store: &S) -> StoragePorts
where
    S: Store + Directory + WorkQueue + QuotaLedger + RequestLimits + Clone + 'static,
{
    let store = Arc::new(store.clone());
    StoragePorts {
        store: store.clone(),
        directory: store.clone(),
        work_queue: store.clone(),
        ledger: store.clone(),
        request_limits: store,
    }
}
