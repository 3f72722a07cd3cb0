//! The embedded store: every storage port of `fanfare-domain` on one SQLite file.
//!
//! [`SqliteStore::open`] makes the file and migrates it. Programs on one machine may share it; WAL
//! lets them read while one writes. The crate decides nothing: statements are set-based, sets travel
//! as one JSON array, and what they mean is said by the ports.
//!
//! Every statement on an organization's rows names `organization_id`, its first parameter; a test
//! reads them all and checks. Start with `unit.rs` (what a unit of work is here) and `pages/` (a
//! sync's hot path).

#[path = "../../sql-rows/shared/audiences.rs"]
mod audiences;
#[path = "../../sql-rows/shared/connections.rs"]
mod connections;
#[path = "../../sql-rows/shared/consumers.rs"]
mod consumers;
#[path = "../../sql-rows/shared/directory.rs"]
mod directory;
mod error;
mod job_notifier;
#[path = "../../sql-rows/shared/leases.rs"]
mod leases;
mod ledger;
#[path = "../../sql-rows/shared/links.rs"]
mod links;
#[path = "../../sql-rows/shared/meta.rs"]
mod meta;
mod migrate;
mod options;
mod page_writes;
#[path = "../../sql-rows/shared/pages/mod.rs"]
mod pages;
mod parameters;
#[path = "../../sql-rows/shared/quota.rs"]
mod quota;
#[path = "../../sql-rows/shared/runs/mod.rs"]
mod runs;
#[path = "../../sql-rows/shared/sources.rs"]
mod sources;
mod store;
mod timeout;
mod unit;
mod work;
#[path = "../../sql-rows/shared/work_queue.rs"]
mod work_queue;

pub use error::OpenError;
pub use fanfare_sql_rows::{JobNotifier, QUEUE};
pub use migrate::{Schema, schema, schema_lock};
pub use options::SqliteOptions;
pub use store::SqliteStore;
