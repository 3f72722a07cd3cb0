//! The queue in SQLite: apalis's tables in the store's own file.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis_core::backend::ext::BackendExt;
use apalis_core::monitor::Monitor;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_sqlite::{Config, SqliteStorage};
use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use tokio_util::sync::CancellationToken;

use crate::apalis_worker::{AsStored, Payload, handle_job, new_worker_name, run};
use crate::listener::Listener;
use crate::queue::{Queue, QueueError};
use crate::schema;
use crate::sqlite_watch::{INTERVAL, Watch};

/// How often apalis looks for jobs. It takes no shorter time than a second; until then [`Watch`] sees them.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How many heartbeats a worker misses before apalis gives its job to another one. Nothing depends on it.
const MISSED_HEARTBEATS: usize = 30;

/// How often to look for due work. Most looks find none, and cost one read of an index.
const REAP_INTERVAL: Duration = Duration::from_secs(1);

/// How long jobs that have ended and workers that have gone stay in the tables, for operators who look there.
const RETENTION_SECONDS: i64 = 3_600;

/// apalis's queue in a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteQueue {
    pool: SqlitePool,
    queue: &'static str,
}

impl SqliteQueue {
    /// Opens the queue with this name, on connections of its own, and creates apalis's tables if they are
    /// missing. The caller holds the lock that permits changes of the file's schema.
    ///
    /// apalis's own `setup` is not used, because it would turn off that the file is synced to disk.
    pub async fn open(
        options: SqliteConnectOptions,
        queue: &'static str,
    ) -> Result<Self, QueueError> {
        let pool = SqlitePoolOptions::new()
            // Two for apalis, and one for the watch.
            .max_connections(3)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        let ours = SqliteStorage::migrations();
        let migrated = ours.run(&pool).await;
        migrated.map_err(|error| schema::refused(&ours, error))?;
        Ok(Self { pool, queue })
    }

    /// Checks whether the file has the tables that this program creates. It changes nothing.
    pub async fn check(store: &Path) -> Result<(), QueueError> {
        let file = SqliteConnectOptions::new().filename(store);
        let mut connection = file.create_if_missing(false).connect().await?;
        let applied: Result<Vec<i64>, _> =
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
                .fetch_all(&mut connection)
                .await;
        connection.close().await?;
        schema::compare(
            &SqliteStorage::migrations(),
            &applied.map_err(schema::unreadable)?,
        )
    }

    /// Closes its connections, after waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Puts jobs back that a worker had fetched and not handled when it ended: apalis drops a fetch that has not
    /// finished when a worker ends. If the database is not available, the reaper notifies again.
    async fn release_jobs(&self, worker: &str) {
        let freed = sqlx::query(
            "UPDATE Jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL
             WHERE lock_by = ?1 AND status IN ('Queued', 'Running')",
        )
        .bind(worker)
        .execute(&self.pool)
        .await;
        if let Err(error) = freed {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "jobs that were fetched could not be put back"
            );
        }
    }

    /// Has the listener look for due work whenever another connection has added a job.
    async fn watch(&self, listener: &Listener) -> Result<Infallible, QueueError> {
        let mut connection = self.pool.acquire().await?;
        let mut watch = Watch::over(&mut connection, self.queue);
        loop {
            if watch.sees_job().await? {
                listener.on_change().await;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn config(&self) -> Config {
        Config::default()
            .queue(self.queue)
            // With larger batches apalis sends no heartbeat and acknowledges nothing while jobs wait.
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            // apalis marks a job as running without checking its owner: a late mark would hide a new
            // notification.
            .lock_tasks(false)
            // Only if results are stored does apalis acknowledge jobs.
            .persist_results(true)
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn listen(&self, listener: &Listener, stop: CancellationToken) -> Result<(), QueueError> {
        let (pool, config, data) = (self.pool.clone(), self.config(), listener.clone());
        let name = new_worker_name();
        let named = name.clone();
        let monitor = Monitor::new().register(move |_| {
            let storage = SqliteStorage::<Payload>::new(&pool).with_config(config.clone());
            WorkerBuilder::new(named.clone())
                .backend(storage.with_codec(AsStored))
                .catch_panic()
                // One at a time: a handler takes only as long as it waits for a free slot.
                .concurrency(1)
                .data(data.clone())
                .build(handle_job)
        });
        let ended = tokio::select! {
            ended = run(monitor, listener, stop) => ended,
            failed = self.watch(listener) => failed.map(|never| match never {}),
        };
        self.release_jobs(&name).await;
        ended
    }

    async fn delete_old_jobs(&self, size: u32) -> Result<u64, QueueError> {
        let jobs = sqlx::query(
            "DELETE FROM Jobs WHERE rowid IN (
                SELECT rowid FROM Jobs
                WHERE job_type = ?1 AND status IN ('Done', 'Failed', 'Killed')
                    AND done_at IS NOT NULL AND done_at < strftime('%s', 'now') - ?2
                LIMIT ?3)",
        )
        .bind(self.queue)
        .bind(RETENTION_SECONDS)
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
        .bind(RETENTION_SECONDS)
        .bind(size)
        .execute(&self.pool)
        .await?;
        Ok(jobs.rows_affected() + workers.rows_affected())
    }

    fn reap_interval(&self) -> Duration {
        REAP_INTERVAL
    }
}
