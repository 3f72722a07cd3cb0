//! What every store must do, as cases that are tests.
//!
//! An adapter implements [`StoreHarness`] in its tests and writes one line,
//! [`store_contract!`](crate::store_contract). Each case is an `async fn` that takes the harness of
//! a fresh store and panics where the store does otherwise.
//!
//! No case reads a clock or draws random numbers: ids and numbers come from seeds, rows carry the times of
//! [`crate::build::at`], and leases and pauses pass only by [`StoreHarness::advance`].

pub mod audiences;
mod batches;
pub mod boundaries;
pub mod cases;
pub mod clock_steps;
pub mod connections;
pub mod consumers;
pub mod contacts;
pub mod deliveries;
pub mod delivery_records;
pub mod directory;
pub mod door;
pub mod erasures;
mod event_writes;
pub mod explaining;
mod fixture;
mod fixture_rows;
mod harness;
pub mod history;
pub mod issues;
pub mod kept_history;
pub mod kept_lists;
pub mod known;
pub mod leases;
pub mod link_moves;
pub mod merging;
mod oracle;
pub mod pages;
pub mod queue;
pub mod quota;
pub mod reconciling;
pub mod request_limits;
pub mod retention;
pub mod runs;
pub mod schedules;
pub mod scheduling;
pub mod search;
pub mod sources;
pub mod tenancy;
mod test_organization;
pub mod texts;
pub mod turns;
pub mod units;
pub mod webhooks;

pub use cases::{Case, every_case};
pub use harness::{Handle, StoreHarness};

use fanfare_domain::ports::StoreError;

/// Fails the test unless the store refused.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers have no more use for the result"
)]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    assert!(
        matches!(result, Err(StoreError::Refused(_))),
        "{what} must be refused: {result:?}"
    );
}
