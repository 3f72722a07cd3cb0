//! The write-ahead log is copied into the database beside the writer, and not by it: the writer is what an import waits for.
//!
//! E-mails come in no order, so a page of profiles touches a hundred pages of their index. Each of those goes into the log with
//! every write, and into the database once for all the writes between two checkpoints. Measured: a fifth of the writer's time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::sleep;

use crate::options::pool;

/// After how many commits the log is copied. Those of an import write some 5 MB each.
const COMMITS: u32 = 8;

/// The pause between two checkpoints. Many small writes need few: what is copied later is copied once.
const PAUSE: Duration = Duration::from_millis(500);

/// Copies the log of a store's file. Clones share one connection.
#[derive(Clone)]
pub(crate) struct Checkpoints {
    connection: SqlitePool,
    commits: Arc<AtomicU32>,
    is_copying: Arc<AtomicBool>,
}

impl Checkpoints {
    pub(crate) fn of(options: SqliteConnectOptions) -> Self {
        Self {
            connection: pool(1).connect_lazy_with(options),
            commits: Arc::default(),
            is_copying: Arc::default(),
        }
    }

    /// Something was committed. The caller does not wait for what follows from it.
    pub(crate) fn committed(&self) {
        if self.commits.fetch_add(1, Ordering::Relaxed) + 1 < COMMITS
            || self.is_copying.swap(true, Ordering::Relaxed)
        {
            return;
        }
        self.commits.store(0, Ordering::Relaxed);
        let this = self.clone();
        tokio::spawn(async move {
            this.copy().await;
            sleep(PAUSE).await;
            this.is_copying.store(false, Ordering::Relaxed);
        });
    }

    /// PASSIVE waits for no reader and keeps no writer waiting. What it cannot copy, the next one does.
    async fn copy(&self) {
        let copied = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&self.connection)
            .await;
        if let Err(error) = copied {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "the write-ahead log was not copied; the writer will");
        }
    }

    pub(crate) async fn close(&self) {
        self.connection.close().await;
    }
}
