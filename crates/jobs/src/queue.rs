//! The job queue, by role: whatever back end apalis has its jobs in.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::listener::Listener;

/// A queue of job notifications.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Notifies the listener of every job, one after the other, and beats while the store answers. Takes no
    /// more when `stop` is cancelled, and returns `Ok` only then: a queue that ends by itself is an error,
    /// whatever it says.
    async fn listen(&self, listener: &Listener, stop: CancellationToken) -> Result<(), QueueError>;

    /// Deletes up to `size` jobs that are over, and up to `size` rows of workers that are gone.
    /// Returns how many rows went.
    async fn delete_old_jobs(&self, size: u32) -> Result<u64, QueueError>;

    /// How often to look for work that workers should be notified of. Work whose worker died must be taken up
    /// within 15 s: the lease of 10 s, this and its jitter of a quarter, and the time that a notification
    /// takes.
    fn reap_interval(&self) -> Duration;
}

/// Why a queue cannot be used, or no longer listens.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The database is not there, or refused a statement.
    #[error("the queue's database failed")]
    Database(#[from] sqlx::Error),
    /// Its tables are not there, or an older version of this program's.
    #[error("its schema is older than this program: run `fanfare migrate`")]
    Older,
    /// A newer version of this program has migrated them.
    #[error(
        "its schema is newer than this program: run the newer version of this program, or restore a \
         backup from before"
    )]
    Newer,
    /// Migrations were applied that are not apalis's.
    #[error("its schema was not made by this program: choose another database")]
    Foreign,
    /// The queue's tables could not be made.
    #[error("the queue's tables could not be made")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The store has not answered for so long.
    #[error("its database has not answered for {} s", .0.as_secs())]
    Timeout(Duration),
    /// apalis gave up.
    #[error("the queue stopped listening: {0}")]
    Stopped(String),
}
