//! The queue in Postgres: apalis's tables in the store's own database.

use std::convert::Infallible;
use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis_core::backend::ext::BackendExt;
use apalis_core::monitor::Monitor;
use apalis_core::monitor::context::MonitorContext;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_postgres::{Config, PostgresStorage};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::apalis_worker::{AsStored, Payload, handle_job, new_worker_name, run};
use crate::listener::Listener;
use crate::queue::{Queue, QueueError};
use crate::schema;

/// How often apalis looks for jobs. Usually Postgres's notification of a job wakes the worker earlier.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The channel on which apalis's trigger notifies of new jobs.
const NOTIFICATIONS: &str = "apalis::job::insert";

/// How long to wait before listening again after the database was not available.
const RELISTEN_DELAY: Duration = Duration::from_secs(1);

/// How many heartbeats a worker misses before apalis gives its job to another one. Nothing depends on it.
const MISSED_HEARTBEATS: usize = 30;

/// How often to look for due work. Most looks find none, and cost one read of an index.
const REAP_INTERVAL: Duration = Duration::from_secs(1);

/// How long a program that stops waits until its jobs are put back.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a program that starts waits for the database to return its migrations.
const SCHEMA_CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// How long jobs that have ended and workers that have gone stay in the tables, for operators who look there.
const RETENTION: &str = "1 hour";

/// apalis's queue in a Postgres database.
#[derive(Debug, Clone)]
pub struct PostgresQueue {
    pool: PgPool,
    queue: &'static str,
}

impl PostgresQueue {
    /// The queue with this name, on connections of its own. Its tables have to exist.
    pub const fn new(pool: PgPool, queue: &'static str) -> Self {
        Self { pool, queue }
    }

    /// Creates apalis's tables with the owner's login, or migrates them. The store grants programs their rights
    /// to them.
    pub async fn migrate(owner: &SecretString) -> Result<(), QueueError> {
        let owner: PgConnectOptions = owner.expose_secret().parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(owner)
            .await?;
        let ours = PostgresStorage::<()>::migrations();
        let migrated = ours.run(&pool).await;
        migrated.map_err(|error| schema::refused(&ours, error))?;
        pool.close().await;
        Ok(())
    }

    /// Checks whether the database has the tables that [`Self::migrate`] of this program creates.
    pub async fn check(&self) -> Result<(), QueueError> {
        let versions =
            sqlx::query_scalar("SELECT version FROM apalis._sqlx_migrations WHERE success");
        let applied = tokio::time::timeout(SCHEMA_CHECK_TIMEOUT, versions.fetch_all(&self.pool));
        let applied: Vec<i64> = match applied.await {
            Ok(applied) => applied.map_err(schema::unreadable)?,
            Err(_) => return Err(QueueError::Timeout(SCHEMA_CHECK_TIMEOUT)),
        };
        schema::compare(&PostgresStorage::<()>::migrations(), &applied)
    }

    /// Closes its connections, after waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Puts jobs back that a worker had fetched and not handled when it ended: apalis drops a fetch that has not
    /// finished when a worker ends. If the database is not available, the reaper notifies again.
    async fn release_jobs(&self, worker: &str) {
        let free = sqlx::query(
            "UPDATE apalis.jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL
             WHERE lock_by = $1 AND status IN ('Queued', 'Running')",
        )
        .bind(worker)
        .execute(&self.pool);
        let freed = match tokio::time::timeout(RELEASE_TIMEOUT, free).await {
            Ok(freed) => freed.map_err(QueueError::from),
            Err(_) => Err(QueueError::Timeout(RELEASE_TIMEOUT)),
        };
        if let Err(error) = freed {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "jobs that were fetched could not be put back"
            );
        }
    }

    /// Wakes the worker when a job arrives, so that a user's request is worked on at once. apalis's own listener
    /// ends for ever when its connection is cut; this one connects again. A job whose notification it misses is
    /// found at the next heartbeat.
    async fn wake_at_notifications(&self, context: &MonitorContext) -> Infallible {
        loop {
            let listening = async {
                // From a pool of its own: sqlx gives a listener's connection back without a limit of time, and one
                // that no longer answers would keep its place among the others for ever.
                let own = self.pool.options().clone().max_connections(1);
                let own = own.connect_lazy_with(self.pool.connect_options().as_ref().clone());
                let mut notifications = PgListener::connect_with(&own).await?;
                notifications.listen(NOTIFICATIONS).await?;
                loop {
                    // After a reconnection the first notification also wakes the worker for those missed.
                    notifications.try_recv().await?;
                    for worker in context.workers() {
                        drop(context.wake_worker(worker.name()));
                    }
                }
            };
            let ended: Result<Infallible, sqlx::Error> = listening.await;
            let Err(error) = ended;
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "not listening for new jobs; they are found at the next heartbeat"
            );
            tokio::time::sleep(RELISTEN_DELAY).await;
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
impl Queue for PostgresQueue {
    async fn listen(&self, listener: &Listener, stop: CancellationToken) -> Result<(), QueueError> {
        let (pool, config, data) = (self.pool.clone(), self.config(), listener.clone());
        let name = new_worker_name();
        let named = name.clone();
        let monitor = Monitor::new().register(move |_| {
            let storage = PostgresStorage::<Payload>::new(&pool).with_config(config.clone());
            WorkerBuilder::new(named.clone())
                .backend(storage.with_codec(AsStored))
                .catch_panic()
                // One at a time: a handler takes only as long as it waits for a free slot.
                .concurrency(1)
                .data(data.clone())
                .build(handle_job)
        });
        let context = monitor.context();
        let ended = tokio::select! {
            ended = run(monitor, listener, stop) => ended,
            never = self.wake_at_notifications(&context) => match never {},
        };
        self.release_jobs(&name).await;
        ended
    }

    async fn delete_old_jobs(&self, size: u32) -> Result<u64, QueueError> {
        let jobs = sqlx::query(
            "DELETE FROM apalis.jobs WHERE id IN (
                SELECT id FROM apalis.jobs
                WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed')
                    AND done_at < now() - $2::interval
                LIMIT $3 FOR UPDATE SKIP LOCKED)",
        )
        .bind(self.queue)
        .bind(RETENTION)
        .bind(i64::from(size))
        .execute(&self.pool)
        .await?;
        let workers = sqlx::query(
            "DELETE FROM apalis.workers WHERE id IN (
                SELECT id FROM apalis.workers
                WHERE worker_type = $1 AND last_seen < now() - $2::interval
                    AND NOT EXISTS (SELECT FROM apalis.jobs WHERE lock_by = workers.id)
                LIMIT $3 FOR UPDATE SKIP LOCKED)",
        )
        .bind(self.queue)
        .bind(RETENTION)
        .bind(i64::from(size))
        .execute(&self.pool)
        .await?;
        Ok(jobs.rows_affected() + workers.rows_affected())
    }

    fn reap_interval(&self) -> Duration {
        REAP_INTERVAL
    }
}
