//! The shared store: every storage port of `fanfare-domain` on Postgres 15 or later.
//!
//! [`migrate()`] makes the schema and the role `fanfare_app`; [`PostgresStore::open`] refuses a schema
//! that is not exactly this version's. The crate decides nothing: statements are set-based, sets
//! travel as arrays, and what they mean is said by the ports.
//!
//! An organization's rows are guarded twice. Every statement names `organization_id`, and row
//! security, forced on every such table, shows the rows of the unit's organization alone: a
//! statement that forgot the filter would find nothing more. Every connection takes the role
//! `fanfare_app`, which owns nothing and bypasses nothing, whatever login made it.
//!
//! Start with `unit.rs` (what a unit of work is here), `session.rs` (what every connection is told),
//! the repositories in `crates/sql-rows/repositories`, which the crate for SQLite compiles too, and `page_writes/` (a
//! sync's hot path).

mod clock;
mod consumer_reads;
mod door;
mod encoding;
mod error;
mod fair_pool;
mod job_notifier;
mod ledger;
mod literal;
mod migrate;
mod options;
mod page_reads;
mod page_writes;
mod parameters;
#[path = "../../sql-rows/repositories/mod.rs"]
mod repositories;
mod request_limits;
mod schema;
mod search_rows;
mod search_texts;
mod session;
mod store;
mod timeout;
mod transaction;
mod unit;
mod work;

pub use error::OpenError;
pub use fanfare_sql_rows::{JobNotifier, QUEUE};
pub use migrate::migrate;
pub use options::PostgresOptions;
pub use session::ROLE;
pub use store::PostgresStore;
