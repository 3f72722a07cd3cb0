//! The durations and sizes of slices.

use std::time::Duration;

/// The durations and sizes of slices.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a worker keeps a run without renewing its lease.
    pub lease: Duration,
    /// How long a run keeps a worker while other work is due.
    pub slice: Duration,
    /// The most pages of one list that are requested at the same time. A page takes 250 ms mostly, and is written before the
    /// next one of its partition is requested, which takes up to 80 ms more, so 28 partitions use the 75 requests of a second
    /// that Klaviyo grants an account. A chain has one more.
    pub partitions: usize,
    /// How many rows a batch of reconciling memberships has.
    pub batch: u32,
    /// How many bytes the large pages of a process may hold together, from the first byte of an answer until they are
    /// written. The decoded profiles, the rows that are made of them and what the allocator keeps take as much again,
    /// several times. One page alone may always have all of it.
    pub page_memory: usize,
    /// How many bytes one page may have; a page that has all of the page memory may be larger than it.
    pub largest_page: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            slice: Duration::from_secs(10),
            partitions: 28,
            batch: 2_000,
            page_memory: 16 << 20,
            largest_page: 32 << 20,
        }
    }
}
