//! How often a second a statement is answered through a pool as the programs have one: `select STORE CONNECTIONS STATEMENT`.
//! As many ask at once as in the bench of checks.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// How many ask at once.
const ASKERS: usize = 32;

/// How long they ask.
const LENGTH: Duration = Duration::from_secs(5);

/// The pool of either store.
#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    async fn open(store: &str, connections: u32) -> Result<Self> {
        if let Some(path) = store.strip_prefix("sqlite://") {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .synchronous(SqliteSynchronous::Normal)
                .pragma("query_only", "ON");
            let pool = SqlitePoolOptions::new()
                .max_connections(connections)
                .test_before_acquire(false);
            Ok(Self::Sqlite(pool.connect_with(options).await?))
        } else {
            let pool = PgPoolOptions::new()
                .max_connections(connections)
                .test_before_acquire(false);
            Ok(Self::Postgres(pool.connect(store).await?))
        }
    }

    /// How many rows the statement finds.
    async fn select(&self, statement: &str) -> Result<usize> {
        let query = AssertSqlSafe(statement.to_owned());
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query(query).fetch_all(pool).await?.len(),
            Self::Postgres(pool) => sqlx::query(query).fetch_all(pool).await?.len(),
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, connections, statement] = arguments.as_slice() else {
        println!("skipped: `cargo xtask bench` tells it STORE CONNECTIONS STATEMENT");
        return Ok(());
    };
    let pool = Pool::open(store, connections.parse()?).await?;
    let begun = Instant::now();
    let askers: Vec<_> = (0..ASKERS)
        .map(|_| {
            let (pool, statement) = (pool.clone(), statement.clone());
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while begun.elapsed() < LENGTH {
                    let found = pool.select(&statement).await?;
                    anyhow::ensure!(found == 1, "the statement found {found} rows");
                    answered += 1;
                }
                anyhow::Ok(answered)
            })
        })
        .collect();
    let mut answered = 0_u32;
    for asker in askers {
        answered += asker.await.context("an asker panicked")??;
    }
    println!("{:.1}", f64::from(answered) / begun.elapsed().as_secs_f64());
    Ok(())
}
