//! A clock that goes with the async runtime's timers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fanfare_domain::ports::Clock;
use fanfare_domain::time::Timestamp;
use tokio::time::Instant;

/// After a sleep of ten seconds it shows ten seconds more.
pub(crate) struct RuntimeClock {
    base: Timestamp,
    since: Instant,
    /// How much further it is each time that it is read.
    read_time: Duration,
    reads: AtomicU32,
}

impl Default for RuntimeClock {
    fn default() -> Self {
        Self {
            base: Timestamp::parse("2026-11-24T12:00:00Z").unwrap(),
            since: Instant::now(),
            read_time: Duration::ZERO,
            reads: AtomicU32::new(0),
        }
    }
}

impl RuntimeClock {
    /// A clock that is this much further each time that it is read.
    pub(crate) fn slow_to_read(read_time: Duration) -> Self {
        Self {
            read_time,
            ..Self::default()
        }
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        let reads = self.reads.fetch_add(1, Ordering::SeqCst);
        self.base
            .plus(self.since.elapsed() + self.read_time * reads)
    }
}
