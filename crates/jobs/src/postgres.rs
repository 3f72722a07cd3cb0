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

use crate::apalis_worker::{AsStored, Payload, answer, new_worker_name, run};
use crate::listener::Listener;
use crate::queue::{Queue, QueueError};
use crate::schema;

/// A job is seen at the next heartbeat at the latest; mostly its notification wakes the worker before.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Where apalis's trigger notifies of new jobs.
const NOTIFICATIONS: &str = "apalis::job::insert";

/// How long to wait before listening again when the database is away.
const RELISTEN_DELAY: Duration = Duration::from_secs(1);

/// Heartbeats missed before apalis gives a job away. Nothing depends on it.
const MISSED_HEARTBEATS: usize = 30;

/// Most looks find nothing, and cost one read of an index.
const REAP_INTERVAL: Duration = Duration::from_secs(1);

/// How long a program that starts waits to hear which tables there are.
const SCHEMA_CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// How long what is over stays in the queue, for whoever wants to look.
const KEPT: &str = "1 hour";

/// apalis's queue in a Postgres database.
#[derive(Debug, Clone)]
pub struct PostgresQueue {
    pool: PgPool,
    queue: &'static str,
}

impl PostgresQueue {
    /// The queue of that name, over connections of its own. Its tables must be there.
    pub const fn new(pool: PgPool, queue: &'static str) -> Self {
        Self { pool, queue }
    }

    /// Makes apalis's tables by the owner's login, or brings them up to date. The rights of programs on
    /// them are the store's affair.
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

    /// Whether the database has apalis's tables as `migrate` of this program makes them.
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

    /// Closes its connections, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Puts back what a worker that has ended had fetched and not handed over: apalis drops a fetch
    /// that is under way when a worker ends. If the database is away, the reaper notifies again.
    async fn release_jobs(&self, worker: &str) {
        let freed = sqlx::query(
            "UPDATE apalis.jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL
             WHERE lock_by = $1 AND status IN ('Queued', 'Running')",
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

    /// Wakes the worker when a job comes, so that a click is heard at once. apalis's own listener takes a
    /// cut connection for the end; this one is a convenience, and whatever it misses the next heartbeat
    /// finds.
    async fn wake_at_notifications(&self, context: &MonitorContext) -> Infallible {
        loop {
            let listening = async {
                let mut notifications = PgListener::connect_with(&self.pool).await?;
                notifications.listen(NOTIFICATIONS).await?;
                loop {
                    // Missed ones are made up for by the first wake after a reconnection.
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
            // apalis neither beats nor acknowledges while it holds jobs back.
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            // Marking a job as running looks at no owner: late, it would hide a new notification.
            .lock_tasks(false)
            // Without results apalis acknowledges nothing.
            .persist_results(true)
    }
}

#[async_trait]
impl Queue for PostgresQueue {
    async fn listen(&self, listener: &Listener, stop: CancellationToken) -> Result<(), QueueError> {
        let (pool, config, notified) = (self.pool.clone(), self.config(), listener.clone());
        let name = new_worker_name();
        let named = name.clone();
        let monitor = Monitor::new().register(move |_| {
            let storage = PostgresStorage::<Payload>::new(&pool).with_config(config.clone());
            WorkerBuilder::new(named.clone())
                .backend(storage.with_codec(AsStored))
                .catch_panic()
                // One at a time, for an answer takes no longer than a slot is waited for.
                .concurrency(1)
                .data(notified.clone())
                .build(answer)
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
        .bind(KEPT)
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
        .bind(KEPT)
        .bind(i64::from(size))
        .execute(&self.pool)
        .await?;
        Ok(jobs.rows_affected() + workers.rows_affected())
    }

    fn reap_interval(&self) -> Duration {
        REAP_INTERVAL
    }
}
