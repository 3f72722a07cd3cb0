//! How fast a sync writes: `cargo run --release -p fanfare-postgres --example postgres_page_writes [PROFILES]`,
//! with a superuser's address of a cluster in `FANFARE_TEST_DATABASE_URL`. It makes a database there and
//! drops it. What is measured stands in `fanfare_testkit::page_writes`.
//!
//! With an address after the number, it measures the store that is there, as another organization of it: one
//! with rows of others and statistics, or one that is distributed. Its rows stay.

use std::error::Error;

use fanfare_postgres::{PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::page_writes::{self, Running};
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use ulid::Ulid;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let profiles = match arguments.next() {
        Some(number) => number.parse()?,
        // Enough to run every statement; ask for more to measure.
        None => 2_000,
    };
    if let Some(address) = arguments.next() {
        return measure(&SecretString::from(address), profiles).await;
    }
    let cluster = cluster()?;
    let database = format!("fanfare_bench_{}", Ulid::generate()).to_lowercase();
    run(&cluster, format!("CREATE DATABASE {database}")).await?;
    let address = cluster.clone().database(&database).to_url_lossy();
    let address = SecretString::from(address.to_string());
    let measured = match migrate(&address, None).await {
        Ok(()) => measure(&address, profiles).await,
        Err(error) => Err(error.into()),
    };
    run(&cluster, format!("DROP DATABASE {database} WITH (FORCE)")).await?;
    measured
}

#[expect(clippy::disallowed_methods, reason = "where the cluster is")]
fn cluster() -> Outcome<PgConnectOptions> {
    let address = std::env::var("FANFARE_TEST_DATABASE_URL").map_err(
        |_| "FANFARE_TEST_DATABASE_URL is not set: `cargo xtask test --install` provides Postgres",
    )?;
    Ok(address.parse()?)
}

async fn run(cluster: &PgConnectOptions, statement: String) -> Outcome<()> {
    let mut connection = cluster.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    Ok(())
}

async fn measure(address: &SecretString, profiles: u64) -> Outcome<()> {
    let store = PostgresStore::open(PostgresOptions::at(address)?).await?;
    page_writes::measure(&store, Running::new(), profiles).await
}
