//! The port of the job queue, and its errors.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::listener::Listener;

/// A queue of job notifications.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Passes every job to the listener, one after the other, and records a heartbeat whenever the store has
    /// answered. It takes no more jobs after `stop` is cancelled. It returns `Ok` only after that: if the queue
    /// ends before, that is an error.
    async fn listen(&self, listener: &Listener, stop: CancellationToken) -> Result<(), QueueError>;

    /// Deletes up to `size` jobs that have ended, and up to `size` rows of workers that have gone. Returns how
    /// many rows were deleted.
    async fn delete_old_jobs(&self, size: u32) -> Result<u64, QueueError>;

    /// How often to look for work of which workers have to be notified. Work whose worker died has to be taken
    /// up within 15 seconds: the lease of 10 seconds, this interval with up to a quarter more, and the time that
    /// a notification takes.
    fn reap_interval(&self) -> Duration;
}

/// Why a queue cannot be used, or no longer listens.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The database is not available, or refused a statement.
    #[error("the queue's database failed")]
    Database(#[from] sqlx::Error),
    /// Its tables are missing, or an older version of this program has migrated them.
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
    /// The queue's tables could not be migrated.
    #[error("the queue's tables could not be made")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database has not answered for this long.
    #[error("its database has not answered for {} s", .0.as_secs())]
    Timeout(Duration),
    /// apalis's worker ended.
    #[error("the queue stopped listening: {0}")]
    Stopped(String),
}
