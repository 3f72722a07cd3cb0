//! The environment of one probe: a database, and the worker processes on it.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use apalis_postgres::PostgresStorage;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::runtime::Runtime;

pub(crate) const QUEUE: &str = "probe";

/// The heartbeat interval, instead of half a minute, so that probes are short.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);

pub(crate) const MISSED: usize = 3;

/// After so long without a heartbeat a worker's jobs are given away.
pub(crate) const WINDOW: Duration = Duration::from_secs(3);

pub(crate) struct Environment {
    runtime: Runtime,
    cluster: PgConnectOptions,
    url: String,
    database: String,
    pool: PgPool,
}

/// A worker process, killed with its environment.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Process {
    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.0.id())?;
        kill_process(Pid::from_raw(pid).context("a process")?, signal)?;
        Ok(())
    }

    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    pub(crate) fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    pub(crate) fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    pub(crate) fn is_alive(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }

    /// Its exit status, or a text that says that it still runs.
    pub(crate) fn status_within(&mut self, timeout: Duration) -> Result<String> {
        let begun = Instant::now();
        while begun.elapsed() < timeout {
            if let Some(status) = self.0.try_wait()? {
                return Ok(match status.code() {
                    Some(code) => format!("exits with {code}"),
                    None => "is killed".to_owned(),
                });
            }
            sleep(Duration::from_millis(50));
        }
        Ok("goes on".to_owned())
    }
}

impl Environment {
    pub(crate) fn create(cluster: &str, probe: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let options: PgConnectOptions = cluster.parse()?;
        let database = format!("probe_{}", probe.to_lowercase());
        let url = match cluster.rsplit_once('/') {
            Some((server, _)) if server.contains("://") && !server.ends_with('/') => {
                format!("{server}/{database}")
            }
            _ => bail!("the URL names no database"),
        };
        let pool = runtime.block_on(async {
            let mut admin = PgConnection::connect_with(&options).await?;
            for statement in [
                format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
                format!("CREATE DATABASE {database}"),
            ] {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await?;
            }
            let pool = PgPool::connect(&url).await?;
            PostgresStorage::<()>::migrations().run(&pool).await?;
            sqlx::query(
                "CREATE TABLE executions (label text, worker text, at timestamptz DEFAULT clock_timestamp())",
            )
            .execute(&pool)
            .await?;
            anyhow::Ok(pool)
        })?;
        Ok(Self {
            runtime,
            cluster: options,
            url,
            database,
            pool,
        })
    }

    /// Starts a worker and waits until apalis knows it. `how` are more of its arguments.
    pub(crate) fn start_worker(&self, name: &str, action: &str, how: &[&str]) -> Result<Process> {
        let child = Command::new(std::env::current_exe()?)
            .args([
                "test-worker",
                "--url",
                &self.url,
                "--name",
                name,
                "--action",
                action,
            ])
            .args(how)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let process = Process(child);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            let known = "SELECT count(*) FROM apalis.workers WHERE id = $1";
            if self.count(known, name)? > 0 {
                break;
            }
            sleep(Duration::from_millis(20));
        }
        Ok(process)
    }

    /// Puts jobs in the queue: `label`s, due after so many seconds, with so many attempts.
    pub(crate) fn push(&self, labels: &[&str], after: i32, attempts: i32) -> Result<()> {
        self.runtime.block_on(async {
            for label in labels {
                sqlx::query(
                    "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts,
                        run_at, priority, metadata)
                     VALUES ($1, $2, convert_to($3, 'UTF8'), 'Pending', 0, $4,
                        now() + make_interval(secs => $5), 0, '')",
                )
                .bind(ulid::Ulid::generate().to_string())
                .bind(QUEUE)
                .bind(label)
                .bind(attempts)
                .bind(f64::from(after))
                .execute(&self.pool)
                .await?;
            }
            Ok(())
        })
    }

    fn count(&self, query: &'static str, of: &str) -> Result<i64> {
        let count = sqlx::query_scalar(query).bind(of).fetch_one(&self.pool);
        Ok(self.runtime.block_on(count)?)
    }

    /// How often the job was begun.
    pub(crate) fn executions(&self, label: &str) -> Result<i64> {
        self.count("SELECT count(*) FROM executions WHERE label = $1", label)
    }

    pub(crate) fn executions_by(&self, worker: &str) -> Result<i64> {
        self.count("SELECT count(*) FROM executions WHERE worker = $1", worker)
    }

    pub(crate) fn all_executions(&self) -> Result<i64> {
        self.count("SELECT count(*) FROM executions WHERE $1 <> ''", "all")
    }

    /// Milliseconds from when the job was due to when it was begun.
    pub(crate) fn latency(&self, label: &str) -> Result<i64> {
        self.count(
            "SELECT (extract(epoch FROM min(e.at) - min(j.run_at)) * 1000)::bigint
             FROM executions e JOIN apalis.jobs j ON convert_from(j.job, 'UTF8') = e.label
             WHERE e.label = $1",
            label,
        )
    }

    /// The status of the job in apalis.
    pub(crate) fn status(&self, label: &str) -> Result<String> {
        let status = sqlx::query_scalar(
            "SELECT status FROM apalis.jobs WHERE convert_from(job, 'UTF8') = $1",
        )
        .bind(label)
        .fetch_one(&self.pool);
        Ok(self.runtime.block_on(status)?)
    }

    /// Whether apalis has recorded the end of the job.
    pub(crate) fn has_end(&self, label: &str) -> Result<bool> {
        let ended = "SELECT count(*) FROM apalis.jobs
             WHERE convert_from(job, 'UTF8') = $1 AND done_at IS NOT NULL";
        Ok(self.count(ended, label)? > 0)
    }

    /// When and for whom it ended, as text.
    pub(crate) fn end_of(&self, label: &str) -> Result<String> {
        let end = sqlx::query_scalar(
            "SELECT concat(done_at, ' ', lock_by) FROM apalis.jobs
             WHERE convert_from(job, 'UTF8') = $1",
        )
        .bind(label)
        .fetch_one(&self.pool);
        Ok(self.runtime.block_on(end)?)
    }

    /// Waits until the job was begun so often.
    pub(crate) fn wait_for(&self, label: &str, times: i64, timeout: Duration) -> Result<()> {
        let begun = Instant::now();
        while self.executions(label)? < times {
            if begun.elapsed() > timeout {
                bail!("{label} was not begun {times} times");
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Cuts all connections of workers, and refuses new ones for this time.
    pub(crate) fn disconnect_database(&self, time: Duration) -> Result<()> {
        self.admin(format!(
            "ALTER DATABASE {} ALLOW_CONNECTIONS false",
            self.database
        ))?;
        self.cut("true")?;
        sleep(time);
        self.admin(format!(
            "ALTER DATABASE {} ALLOW_CONNECTIONS true",
            self.database
        ))
    }

    /// Cuts the connections that listen.
    pub(crate) fn cut_listeners(&self) -> Result<()> {
        self.cut("query ILIKE 'LISTEN%'")
    }

    fn cut(&self, which: &str) -> Result<()> {
        self.admin(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = '{}' AND pid <> pg_backend_pid() AND {which}",
            self.database
        ))
    }

    fn admin(&self, statement: String) -> Result<()> {
        self.runtime.block_on(async {
            let mut admin = PgConnection::connect_with(&self.cluster).await?;
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut admin)
                .await?;
            Ok(())
        })
    }
}
