//! What a program may choose about a store, and how every connection to it is made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fanfare_sql_rows::JobNotifier;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// Where the store is, and who is told about due runs.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    pub(crate) path: PathBuf,
    pub(crate) notifier: JobNotifier,
}

impl SqliteOptions {
    /// The store at this path, with no notifier.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            notifier: JobNotifier::None,
        }
    }

    /// With this notifier.
    #[must_use]
    pub fn notifier(mut self, notifier: JobNotifier) -> Self {
        self.notifier = notifier;
        self
    }
}

impl From<&Path> for SqliteOptions {
    fn from(path: &Path) -> Self {
        Self::at(path)
    }
}

/// How long a writer waits for another process's write. Ours are milliseconds long, but SQLite's
/// wait is no queue: the program that tries at the right moment goes first.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a store's file.
pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // A killed process loses nothing with NORMAL either, but a power cut would lose the last
        // commits: a secret key that was shown once, an import that was confirmed. Measured with
        // `examples/page_writes.rs`, FULL's one sync for each commit is within the noise.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // What is deleted is overwritten: a disconnected key must not linger in free pages.
        .pragma("secure_delete", "ON")
        .statement_cache_capacity(200)
}

/// The connection that writes.
pub(crate) fn writer_options(path: &Path) -> SqliteConnectOptions {
    connect_options(path)
        // 64 MiB: the inner pages of every index of a million consumers, and all that a set of pages of profiles touches. With
        // less SQLite reads the same pages again for each set, and writes those that no longer fit before they are committed.
        .pragma("cache_size", "-65536")
        // What a statement would undo is kept in memory: a page touches more than the 64 KiB that
        // SQLite keeps there before it writes a temporary file.
        .pragma("temp_store", "MEMORY")
        // 128 MiB of log between checkpoints: e-mails and phone numbers come in no order, so a set of profiles touches as
        // many pages of their indexes, and each is copied into the database once for many sets instead of once for few.
        // Both together: 150,000 new profiles in sets of 1,500 took 5.0 s of processor time and wrote 1.34 GB with 16 MiB and
        // 32 MiB, and take 4.3 s and 1.12 GB.
        .pragma("wal_autocheckpoint", "32000")
}

/// A connection that reads, and that SQLite lets do nothing else.
pub(crate) fn reader_options(path: &Path) -> SqliteConnectOptions {
    connect_options(path).pragma("query_only", "ON")
}

/// How long a unit waits for a connection of this process.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// A file needs neither a ping before use nor fresh connections now and then.
pub(crate) fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
