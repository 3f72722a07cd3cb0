//! The store on a database of each test's own.

mod citus;
mod clock;
mod contract;
mod database;
mod earlier_versions;
mod errors;
mod fair_pool;
mod isolation;
mod job_notifier;
mod locking;
mod migrating;
mod plans;
mod read_timeout;
mod statements;
mod support;
mod tables;
mod turns;
mod wire;
