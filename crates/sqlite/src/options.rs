//! What a program may choose about a store, and how every connection to it is made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::doorbell::Doorbell;

/// Where the store is, and who is told about due runs.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    pub(crate) path: PathBuf,
    pub(crate) doorbell: Doorbell,
}

impl SqliteOptions {
    /// The store at this path, with no doorbell.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            doorbell: Doorbell::None,
        }
    }

    /// With this doorbell.
    #[must_use]
    pub fn doorbell(mut self, doorbell: Doorbell) -> Self {
        self.doorbell = doorbell;
        self
    }
}

impl From<&Path> for SqliteOptions {
    fn from(path: &Path) -> Self {
        Self::at(path)
    }
}

/// How long a writer waits for another process's write. Ours are milliseconds long, but SQLite's
/// wait is no queue: whoever tries at the right moment goes first.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a store's file.
pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // What is deleted is overwritten: a disconnected key must not linger in free pages.
        .pragma("secure_delete", "ON")
        .statement_cache_capacity(200)
}
