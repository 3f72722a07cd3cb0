//! The bell, by role: whatever back end apalis has its jobs in.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::slots::Slots;

/// A queue of rings.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Hands every ring to the slots, one at a time and only while one is free, until `stop`. It ends
    /// with `Ok` only then; what was handed over goes on in the slots.
    async fn listen(&self, slots: &Slots, stop: CancellationToken) -> Result<(), QueueError>;

    /// Deletes up to `size` jobs that are over, and the traces of listeners that are gone. Returns how
    /// many rows went.
    async fn tidy(&self, size: u32) -> Result<u64, QueueError>;

    /// How often to look for runs that should be rung for. A run whose worker died must be taken up
    /// within 15 s: the lease of 10 s, this, and the time a ring takes to be heard.
    fn reap_interval(&self) -> Duration;
}

/// Why a queue no longer listens.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The database is not there, or refused a statement.
    #[error("the queue's database failed")]
    Database(#[from] sqlx::Error),
    /// The queue's tables could not be made.
    #[error("the queue's tables could not be made")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// apalis gave up.
    #[error("the queue stopped listening: {0}")]
    Stopped(String),
}
