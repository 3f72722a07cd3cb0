//! A transaction whose connection leaves it in a bounded time, in whatever state it is.
//!
//! sqlx 0.9.0 waits without a limit for a connection that comes back to its pool
//! (<https://github.com/transact-rs/sqlx/issues/4349>), and the connection keeps its place in the pool meanwhile.
//! `after_release` (`session.rs`) bounds the ping. It does not bound closing: of a connection that is past its
//! lifetime, or whose pool is closed, or that did not answer the ping, sqlx first sends what is still to be sent. To a
//! server that has stopped reading in the middle of a page, that is never done. So a connection goes back only where
//! the server has answered everything; any other is cut off, and its place is free.
//!
//! Statements outside of a transaction are small. What is left of them, and the goodbye, has room in the
//! system's buffers, so that closing such a connection waits for no peer.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::session::COMING_BACK;

/// A transaction, which is rolled back unless it was committed.
pub(crate) struct Transaction {
    /// Until it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    is_open: bool,
}

impl Transaction {
    /// Begins one.
    pub(crate) async fn begin(pool: &PgPool) -> Result<Self, sqlx::Error> {
        // Open already: who gives up waiting for the answer cannot know whether it has begun.
        let mut transaction = Self::of_message(pool).await?;
        sqlx::raw_sql("BEGIN").execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// A connection for a message that the caller sends, which begins a transaction or is one, until [`end`](Self::end).
    pub(crate) async fn of_message(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self {
            connection: Some(pool.acquire().await?),
            is_open: true,
        })
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end_by("COMMIT").await
    }

    /// Ends the transaction by this message.
    pub(crate) async fn end_by(mut self, commit: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(commit).execute(&mut *self).await?;
        self.end();
        Ok(())
    }

    /// The server has answered everything, and no transaction is open.
    pub(crate) fn end(mut self) {
        self.is_open = false;
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take().filter(|_| self.is_open) else {
            return;
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(roll_back(connection))),
            Err(_) => drop(connection.detach()),
        }
    }
}

async fn roll_back(mut connection: PoolConnection<Postgres>) {
    let rolled_back = timeout(
        COMING_BACK,
        sqlx::raw_sql("ROLLBACK").execute(&mut *connection),
    );
    if !matches!(rolled_back.await, Ok(Ok(_))) {
        // Out of the pool, and closed without a word.
        drop(connection.detach());
    }
}

const TAKEN: &str = "the connection is taken when the transaction is dropped";

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect(TAKEN)
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect(TAKEN)
    }
}
