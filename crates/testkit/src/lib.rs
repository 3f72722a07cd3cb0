//! In-memory fakes, builders and the contract suites every adapter runs.
//!
//! For tests and `examples/` alone; no program depends on it.
//!
//! * [`contract`]: one suite per storage port. An adapter implements [`contract::StoreHarness`] and
//!   runs them all with one line, [`store_contract!`].
//! * [`memory`]: a store that keeps those contracts in memory, with faults that a test orders.
//! * [`fake_klaviyo`]: a Klaviyo in memory, with faults, changes between pages and a record of the calls.
//! * [`fake_writes`]: the part of it that writes.
//! * [`clock`]: a clock, ids and a key sealer that tests control.
//! * [`build`]: short ways to make values.
//! * [`corpus`]: the bytes that fuzzing has found, given to its targets again.
//! * [`page_writes`]: how fast a store takes a sync's pages.
//! * `program`, with the feature of that name: what every program that serves must do.

#![expect(
    clippy::missing_panics_doc,
    reason = "test code panics to fail a test; a heading on every function would say just that"
)]

pub mod build;
pub mod clock;
pub mod contract;
pub mod corpus;
pub mod earlier_versions;
pub mod fake_klaviyo;
mod fake_lists;
pub mod fake_writes;
pub mod memory;
pub mod page_writes;
#[cfg(feature = "program")]
pub mod program;
pub mod seen;
