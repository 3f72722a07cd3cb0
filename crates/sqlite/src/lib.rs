//! The embedded store: every storage port of `fanfare-domain` on one SQLite file.
//!
//! [`SqliteStore::open`] makes the file and migrates it. Programs on one machine may share it; WAL
//! lets them read while one writes. The crate decides nothing: statements are set-based, sets travel
//! as one JSON array, and what they mean is said by the ports.
//!
//! Every statement on an organization's rows names `organization_id`, its first parameter; a test
//! reads them all and checks. Start with `unit.rs` (what a unit of work is here), the repositories in
//! `crates/sql-rows/repositories`, which the crate for Postgres compiles too, and `page_writes/` (a sync's hot path).

mod checkpoints;
mod consumer_reads;
mod error;
mod job_notifier;
mod ledger;
mod ledger_file;
mod migrate;
mod options;
mod page_reads;
mod page_writes;
mod parameters;
#[path = "../../sql-rows/repositories/mod.rs"]
mod repositories;
mod request_limits;
mod search_rows;
mod search_texts;
mod store;
mod timeout;
mod unit;
mod work;

pub use error::OpenError;
pub use fanfare_sql_rows::{JobNotifier, QUEUE};
pub use migrate::{Schema, schema, schema_lock};
pub use options::SqliteOptions;
pub use store::SqliteStore;
