//! What can go wrong, in the ports' words and when opening.

use std::path::{Path, PathBuf};

use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::corrupt;

/// Why a store cannot be used. Each message names the fault and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file cannot be made or written.
    #[error(
        "the store {path} cannot be written: make its folder writable for this user, or choose \
         another place for the store"
    )]
    NotWritable {
        /// The store's file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is something else than a database.
    #[error("{path} is not a SQLite database: move it away, or choose another place for the store")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database holds tables that are not ours, or migrations that differ from ours.
    #[error("the database {path} was not made by this program: choose another place for the store")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this program has migrated it.
    #[error(
        "the store {path} was migrated by a newer version of this program: run that version, or \
         restore a backup from before"
    )]
    Newer {
        /// The store's file.
        path: PathBuf,
    },
    /// The file, or its schema, was taken away or replaced by an older one while it was open.
    #[error("the store {path} was removed or replaced while it was open: restart the program")]
    Replaced {
        /// The store's file.
        path: PathBuf,
    },
    /// SQLite failed otherwise.
    #[error("the store {path} cannot be opened")]
    Sqlite {
        /// The store's file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
}

/// SQLite's result codes that matter here: <https://sqlite.org/rescode.html>. An extended code
/// holds its primary one in the lowest byte.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;

fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Why a file could not be opened or migrated.
pub(crate) fn sqlite_error(path: &Path, source: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    if code(&source).is_some_and(|code| code & 0xff == NOTADB) {
        OpenError::NotADatabase { path }
    } else {
        OpenError::Sqlite { path, source }
    }
}

/// A failed statement, in the ports' words.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match (code(&error), &error) {
        // `query_only` gives the primary code itself; the extended ones tell of a file or folder
        // that has become read-only, which can be cured.
        (Some(READONLY), _) => StoreError::ReadOnly,
        (Some(code), _) => match code & 0xff {
            BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN => {
                StoreError::Unavailable(error.into())
            }
            // Only searches have a time after which SQLite interrupts their statements.
            INTERRUPT => StoreError::SearchTooLong,
            CORRUPT | NOTADB => corrupt("the file itself"),
            _ => StoreError::Refused(error.into()),
        },
        (
            None,
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed,
        ) => StoreError::Unavailable(error.into()),
        (None, sqlx::Error::ColumnDecode { index, .. }) => corrupt(&format!("column {index}")),
        (None, _) => StoreError::Refused(error.into()),
    }
}
