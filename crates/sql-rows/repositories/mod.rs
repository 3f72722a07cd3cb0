//! The repositories: one text that both stores' crates compile, each statement checked against that crate's
//! database. `sql/…` is the crate's own folder of statements, `../sql-rows/sql/…` holds those that are the
//! same on both.
//!
//! What the databases do in their own ways has one name in both crates: `crate::unit`, `crate::store`,
//! `crate::timeout`, `crate::parameters`, `crate::page_reads`, `crate::page_writes`, `crate::ledger`, `crate::work`,
//! `crate::search_rows` and `crate::consumer_reads`.

mod audiences;
mod connections;
mod consumers;
mod contacts;
mod deliveries;
mod directory;
mod erasures;
mod history;
mod kept_lists;
mod leases;
mod links;
mod meta;
pub(crate) mod pages;
pub(crate) mod quota;
mod retention;
mod runs;
mod schedules;
pub(crate) mod search;
mod sources;
mod webhooks;
pub(crate) mod work_queue;
