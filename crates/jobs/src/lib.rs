//! The job runner: apalis notifies, the store's own rows decide.
//!
//! A job in apalis's queue is an organization, a kind of work and an id, and says only that this work may be
//! due. Which work is due, which worker has it and how far it is are rows of the store. A job that is lost,
//! repeated or late changes nothing, because [`fanfare_sync::engine::Engine::work`] claims the work first and
//! returns at once if there is nothing to claim. So this crate uses no retries, attempts or results of
//! apalis.
//!
//! [`Runner`] does everything: it listens to a [`Queue`], works on slices in a limited number of slots, notifies
//! of work whose notification was lost, whose pause is over or whose worker died, and drains when it has to
//! stop. A back end of the queue is one file beside `sqlite.rs`; what they share of apalis is in
//! `apalis_worker.rs`.

mod apalis_worker;
mod heartbeat;
mod listener;
mod maintenance;
mod payload;
mod postgres;
mod queue;
mod runner;
mod schema;
mod shares;
mod slots;
mod sqlite;
mod sqlite_watch;

pub use heartbeat::Heartbeat;
pub use listener::Listener;
pub use postgres::PostgresQueue;
pub use queue::{Queue, QueueError};
pub use runner::{Runner, RunnerError, RunnerOptions};
pub use sqlite::SqliteQueue;
