//! The store on a database of each test's own.

mod boundaries;
mod contract;
mod database;
mod errors;
mod isolation;
mod job_notifier;
mod locking;
mod migrating;
mod shares;
mod silence;
mod statements;
mod support;
mod tables;
mod upgrading;
mod wire;
