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
        // 16 MiB: the inner pages of every index of a million consumers.
        .pragma("cache_size", "-16384")
        // What a statement would undo is kept in memory: a page touches more than the 64 KiB that
        // SQLite keeps there before it writes a temporary file.
        .pragma("temp_store", "MEMORY")
        // The log is copied into the database by a connection of its own (`checkpoints.rs`). The writer copies what is
        // left at 128 MiB: only then, with no write in between, does the log begin anew.
        .pragma("wal_autocheckpoint", "32000")
        // A log that begins anew gives back what is more than 32 MiB.
        .pragma("journal_size_limit", "33554432")
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
