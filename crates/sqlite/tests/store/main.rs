//! What is SQLite's own, on real files in temporary folders. What every store must do is in
//! `tests/contract.rs`.

mod checkpoints;
mod earlier_versions;
mod errors;
mod job_notifier;
mod opening;
mod quota;
mod secrets;
mod shares;
mod statements;
mod support;
