//! A plain worker process of apalis.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use apalis::layers::WorkerBuilderExt;
use apalis_core::backend::codec::Codec;
use apalis_core::backend::ext::BackendExt;
use apalis_core::error::{BoxDynError, RetryAfterError};
use apalis_core::monitor::Monitor;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_postgres::{Config, PostgresStorage};
use sqlx::PgPool;
use tokio::signal::unix::{SignalKind, signal};

use crate::environment::{HEARTBEAT, MISSED, QUEUE};

/// How it works.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TestWorker {
    #[arg(long)]
    pub(crate) url: String,
    #[arg(long)]
    pub(crate) name: String,
    /// What it does with a job
    #[arg(long, value_enum)]
    pub(crate) action: JobAction,
    #[arg(long, default_value_t = 0)]
    pub(crate) work_ms: u64,
    #[arg(long, default_value_t = HEARTBEAT.as_millis() as u64)]
    pub(crate) heartbeat_ms: u64,
    #[arg(long, default_value_t = 10)]
    pub(crate) batch: usize,
    #[arg(long)]
    pub(crate) catch_panic: bool,
    #[arg(long)]
    pub(crate) listen: bool,
    #[arg(long, default_value_t = 2_000)]
    pub(crate) grace_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum JobAction {
    /// Takes its time, and ends well.
    Work,
    /// Takes the process with it.
    Die,
    Panic,
    Fail,
    /// Asks to be tried again in a minute.
    Later,
}

pub(crate) struct Label(String);

#[derive(Debug, Clone, Copy)]
struct AsText;

impl Codec<Label> for AsText {
    type Error = Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, label: &Label) -> Result<Vec<u8>, Infallible> {
        Ok(label.0.clone().into_bytes())
    }

    fn decode(&self, stored: &Vec<u8>) -> Result<Label, Infallible> {
        Ok(Label(String::from_utf8_lossy(stored).into_owned()))
    }
}

async fn answer(label: Label, of: Data<(TestWorker, PgPool)>) -> Result<(), BoxDynError> {
    let (worker, pool) = &*of;
    sqlx::query("INSERT INTO executions (label, worker) VALUES ($1, $2)")
        .bind(&label.0)
        .bind(&worker.name)
        .execute(pool)
        .await?;
    tokio::time::sleep(Duration::from_millis(worker.work_ms)).await;
    match worker.action {
        JobAction::Work => Ok(()),
        JobAction::Die => std::process::abort(),
        JobAction::Panic => panic!("as asked"),
        JobAction::Fail => Err("as asked".into()),
        JobAction::Later => Err(RetryAfterError::new("as asked", Duration::from_mins(1)).into()),
    }
}

/// Works until it is told to stop, or until apalis ends by itself. Apalis decides the exit status.
#[tokio::main]
pub(crate) async fn run(worker: &TestWorker) -> Result<ExitCode> {
    let pool = PgPool::connect(&worker.url).await?;
    let config = Config::default()
        .queue(QUEUE)
        .batch_size(worker.batch)
        .heartbeat_interval(Duration::from_millis(worker.heartbeat_ms))
        .missed_heartbeats(MISSED)
        // Without results apalis acknowledges nothing.
        .persist_results(true);
    let data = (worker.clone(), pool.clone());
    let name = worker.name.clone();
    // Each combination is a type of its own.
    macro_rules! monitor {
        ($listening:ident, $guarded:ident) => {
            Monitor::new().register(move |_| {
                let storage = PostgresStorage::<Label>::new(&pool).with_config(config.clone());
                let storage = $listening!(storage).with_codec(AsText);
                let builder = WorkerBuilder::new(name.clone()).backend(storage);
                $guarded!(builder)
                    .concurrency(1)
                    .data(data.clone())
                    .build(answer)
            })
        };
    }
    macro_rules! as_it_is {
        ($it:expr) => {
            $it
        };
    }
    macro_rules! listening {
        ($storage:expr) => {
            $storage.with_pubsub()
        };
    }
    macro_rules! guarded {
        ($builder:expr) => {
            $builder.catch_panic()
        };
    }
    let monitor = match (worker.listen, worker.catch_panic) {
        (false, false) => monitor!(as_it_is, as_it_is),
        (false, true) => monitor!(as_it_is, guarded),
        (true, false) => monitor!(listening, as_it_is),
        (true, true) => monitor!(listening, guarded),
    };
    let mut told = signal(SignalKind::terminate())?;
    let ended = monitor
        .shutdown_timeout(Duration::from_millis(worker.grace_ms))
        .run_with_signal(async move {
            told.recv().await;
            Ok(())
        })
        .await;
    Ok(if ended.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
