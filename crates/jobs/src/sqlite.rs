//! The queue in SQLite: apalis's tables in the store's own file.

use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis_core::error::BoxDynError;
use apalis_core::monitor::Monitor;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::event::Event;
use apalis_sqlite::{Config, SqliteStorage};
use async_trait::async_trait;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::queue::{Queue, QueueError};
use crate::ring::Ring;
use crate::slots::Slots;

/// A job that another process put there is seen at the next heartbeat, and no sooner.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Heartbeats missed before apalis gives a job away. Nothing depends on it.
const MISSED_HEARTBEATS: usize = 30;

/// The lease of 10 s, this, and a heartbeat stay below 15 s.
const REAP_INTERVAL: Duration = Duration::from_secs(2);

/// How long what is over stays in the queue, for whoever wants to look.
const KEPT_SECONDS: i64 = 3_600;

/// apalis's queue in a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteQueue {
    pool: SqlitePool,
    queue: &'static str,
}

impl SqliteQueue {
    /// Opens the queue of that name, with connections of its own, and makes apalis's tables where they
    /// are missing. The caller holds the lock under which the file's schema may be changed.
    ///
    /// apalis's own `setup` is not used: it would turn off the file's syncing to disk.
    pub async fn open(
        options: SqliteConnectOptions,
        queue: &'static str,
    ) -> Result<Self, QueueError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        SqliteStorage::migrations().run(&pool).await?;
        Ok(Self { pool, queue })
    }
}

/// A handler's whole work: to look who it is for.
async fn answer(ring: Ring, slots: Data<Slots>) -> Result<(), BoxDynError> {
    let due = ring.due().ok_or("the job's payload holds no ids")?;
    slots.work(due).await;
    Ok(())
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn listen(&self, slots: &Slots, stop: CancellationToken) -> Result<(), QueueError> {
        let config = Config::default()
            .queue(self.queue)
            // More would be held back by a busy process while others are free.
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            .persist_results(false);
        let (pool, slots) = (self.pool.clone(), slots.clone());
        let monitor = Monitor::new()
            .register(move |_| {
                let storage = SqliteStorage::<Ring>::new(&pool).with_config(config.clone());
                // A name of its own for every start: apalis never gives a dead worker's jobs to
                // another of the same name.
                WorkerBuilder::new(format!("{}-{}", std::process::id(), Ulid::generate()))
                    .backend(storage)
                    .concurrency(slots.size())
                    .data(slots.clone())
                    .catch_panic()
                    .build(answer)
            })
            .on_event(|_, event| {
                if let Event::Error(error) = event {
                    tracing::error!(error = %error, "a job could not be read and was dropped");
                }
            });
        let handle = monitor.context();
        let mut running = std::pin::pin!(monitor.run());
        let ended = tokio::select! {
            ended = &mut running => ended,
            () = stop.cancelled() => {
                // It fails if there is nothing left to stop.
                drop(handle.shutdown());
                running.await
            }
        };
        match ended {
            Ok(()) if stop.is_cancelled() => Ok(()),
            Ok(()) => Err(QueueError::Stopped("without a reason".to_owned())),
            Err(error) => Err(QueueError::Stopped(error.to_string())),
        }
    }

    async fn tidy(&self, size: u32) -> Result<u64, QueueError> {
        let jobs = sqlx::query(
            "DELETE FROM Jobs WHERE rowid IN (
                SELECT rowid FROM Jobs
                WHERE job_type = ?1 AND status IN ('Done', 'Failed', 'Killed')
                    AND done_at IS NOT NULL AND done_at < strftime('%s', 'now') - ?2
                LIMIT ?3)",
        )
        .bind(self.queue)
        .bind(KEPT_SECONDS)
        .bind(size)
        .execute(&self.pool)
        .await?;
        let workers = sqlx::query(
            "DELETE FROM Workers WHERE rowid IN (
                SELECT rowid FROM Workers
                WHERE worker_type = ?1 AND last_seen < strftime('%s', 'now') - ?2
                    AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)
                LIMIT ?3)",
        )
        .bind(self.queue)
        .bind(KEPT_SECONDS)
        .bind(size)
        .execute(&self.pool)
        .await?;
        Ok(jobs.rows_affected() + workers.rows_affected())
    }

    fn reap_interval(&self) -> Duration {
        REAP_INTERVAL
    }
}
