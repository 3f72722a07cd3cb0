//! How fast a sync writes: `cargo run --release -p fanfare-sqlite --example page_writes [PROFILES]`.
//! What is measured stands in `fanfare_testkit::page_writes`.

use std::error::Error;
use std::sync::Arc;

use fanfare_sqlite::SqliteStore;
use fanfare_testkit::page_writes::{Running, measure};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let profiles = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 100_000,
    };
    let folder = tempfile::tempdir_in("target")?;
    let clock = Running::new();
    let store = SqliteStore::open(&*folder.path().join("store.db"), Arc::new(clock)).await?;
    measure(&store, clock, profiles).await
}
