//! What is SQLite's own, on real files in temporary folders. What every store must do is in
//! `tests/contract.rs`.

mod boundaries;
mod doorbell;
mod errors;
mod opening;
mod secrets;
mod statements;
mod support;
