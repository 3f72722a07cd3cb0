//! How long the file is waited for.
//!
//! SQLite's busy timeout (`options.rs`) ends the wait for another writer, and the pool's own limit
//! ends the wait for a connection. There is no server that could stop answering, so nothing is timed
//! here: the method has the name that the text shared with Postgres calls.

use std::time::Duration;

use fanfare_domain::ports::StoreError;

use crate::error::store_error;

/// How long a search may take.
pub(crate) const SEARCH_LIMIT: Duration = Duration::from_secs(2);

/// A request to the file: a statement, a connection, a commit.
pub(crate) trait WithTimeout<T>: Future<Output = Result<T, sqlx::Error>> + Sized {
    /// Its result, in the ports' words.
    fn with_timeout(self) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        Self: Send,
    {
        async move { self.await.map_err(store_error) }
    }
}

impl<T, F: Future<Output = Result<T, sqlx::Error>>> WithTimeout<T> for F {}
