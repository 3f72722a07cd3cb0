//! The requests that this process has taken out of the ledger and not made yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanfare_domain::ports::{Clock, QuotaLedger, StoreError};
use fanfare_domain::quota::{Demand, Endpoint, Kept, Lease, Priority, Reservation, Share};
use fanfare_domain::time::Timestamp;
use tokio::time::Instant;

/// For how long this process makes requests of a lease without looking whether another process was asked to wait since.
const LOOK_INTERVAL: Duration = Duration::from_millis(25);

/// For how long requests are kept for a chain after its last one: a page of it is under way meanwhile.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The leases of this process, by bucket. Clones share them.
#[derive(Clone, Default)]
pub(super) struct LeasedRequests(Arc<Mutex<Buckets>>);

type Buckets = HashMap<(String, Endpoint), Arc<Leased>>;

/// What this process has of one bucket.
#[derive(Default)]
struct Leased {
    syncs: Lane,
    chains: Lane,
    /// What the chains that are read need, and when one last asked.
    kept: Mutex<Option<(Kept, Instant)>>,
}

/// The callers of one priority, one of whom at a time asks the ledger, for all.
#[derive(Default)]
struct Lane {
    waiting: AtomicU32,
    asking: tokio::sync::Mutex<()>,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    lease: Option<Lease>,
    /// How many requests the lease had.
    granted: u32,
    /// When it was last known that no block is in force.
    looked_at: Option<Instant>,
    /// Before this time the ledger has nothing for callers of this priority.
    not_before: Option<Timestamp>,
    /// Counts how often leases were dropped because of a block.
    drops: u64,
}

/// Who takes a request.
pub(super) struct Taker<'a> {
    pub(super) ledger: &'a dyn QuotaLedger,
    pub(super) clock: &'a dyn Clock,
    pub(super) share: Share,
}

impl LeasedRequests {
    /// Takes one request. A user's is taken out of the ledger by itself; syncs take several at once.
    pub(super) async fn take(
        &self,
        account: &str,
        endpoint: Endpoint,
        priority: Priority,
        by: &Taker<'_>,
    ) -> Result<Reservation, StoreError> {
        let bucket = (account, endpoint);
        match priority {
            Priority::User => {
                let (ledger, now) = (by.ledger, by.clock.now());
                ledger.reserve(account, endpoint, &Demand::ONE, now).await
            }
            Priority::Serial(kept) => {
                let leased = self.of(account, endpoint);
                *locked(&leased.kept) = Some((kept, Instant::now()));
                leased.chains.take(bucket, priority, by).await
            }
            Priority::Unshared => {
                let leased = self.of(account, endpoint);
                leased.syncs.take(bucket, priority, by).await
            }
            Priority::Sync(_) => {
                let leased = self.of(account, endpoint);
                let kept = locked(&leased.kept).filter(|(_, at)| at.elapsed() < CHAIN_TIMEOUT);
                let kept = kept.map(|(kept, _)| kept).unwrap_or_default();
                leased.syncs.take(bucket, Priority::Sync(kept), by).await
            }
        }
    }

    /// Drops the leases of a bucket: Klaviyo takes no requests for a while.
    pub(super) fn drop_of(&self, account: &str, endpoint: Endpoint) {
        let leased = self.of(account, endpoint);
        for lane in [&leased.syncs, &leased.chains] {
            let mut state = locked(&lane.state);
            let drops = state.drops + 1;
            *state = LaneState {
                drops,
                ..LaneState::default()
            };
        }
    }

    fn of(&self, account: &str, endpoint: Endpoint) -> Arc<Leased> {
        let mut buckets = locked(&self.0);
        let key = (account.to_owned(), endpoint);
        if let Some(leased) = buckets.get(&key) {
            return Arc::clone(leased);
        }
        // Of accounts that nobody syncs now nothing has to be known.
        buckets.retain(|_, leased| Arc::strong_count(leased) > 1 || leased.was_used_lately());
        Arc::clone(buckets.entry(key).or_default())
    }
}

impl Leased {
    fn was_used_lately(&self) -> bool {
        let lanes = [&self.syncs, &self.chains];
        lanes.into_iter().any(|lane| {
            let looked_at = locked(&lane.state).looked_at;
            looked_at.is_some_and(|at| at.elapsed() < Duration::from_mins(1))
        })
    }
}

impl Lane {
    async fn take(
        &self,
        (account, endpoint): (&str, Endpoint),
        priority: Priority,
        by: &Taker<'_>,
    ) -> Result<Reservation, StoreError> {
        let waits = Waits::of(&self.waiting);
        let _asking = self.asking.lock().await;
        let now = by.clock.now();
        let mut demand = Demand {
            wanted: 1,
            priority,
            share: by.share,
            unused: None,
        };
        let (has_lease, must_look, drops) = {
            let mut state = locked(&self.state);
            // A wait of longer than a minute is none of the quota's: the clock was set back.
            let not_before = state
                .not_before
                .filter(|until| now < *until && until.since(now) <= Duration::from_mins(2));
            if let Some(until) = not_before {
                return Ok(Reservation::NotBefore(until));
            }
            let looked_at = state.looked_at;
            let must_look = looked_at.is_none_or(|at| at.elapsed() >= LOOK_INTERVAL);
            let has_lease = state.lease.is_some_and(|lease| lease.allows(now));
            if !has_lease {
                demand.unused = state.lease.take();
                let unused = demand.unused.map_or(0, |lease| lease.requests);
                demand.wanted = Lease::next_size(waits.count(), state.granted, unused);
            }
            (has_lease, must_look, state.drops)
        };
        if has_lease && must_look {
            let bucket = by.ledger.bucket(account, endpoint, now).await?;
            if let Some(until) = bucket.blocked(now) {
                locked(&self.state).lease = None;
                return Ok(Reservation::Blocked(until));
            }
            locked(&self.state).looked_at = Some(Instant::now());
        }
        let asked = Instant::now();
        if has_lease && let Some(lease) = self.take_leased(now) {
            return Ok(Reservation::Granted(lease));
        }
        let ledger = by.ledger;
        let reservation = ledger.reserve(account, endpoint, &demand, now).await?;
        let mut state = locked(&self.state);
        match reservation {
            Reservation::Granted(lease) => {
                state.granted = lease.requests;
                // If Klaviyo has asked to wait meanwhile, no request but this one was taken.
                if state.drops == drops {
                    let requests = lease.requests.saturating_sub(1);
                    state.lease = Some(Lease { requests, ..lease });
                    state.looked_at = Some(asked);
                }
            }
            Reservation::NotBefore(until) => state.not_before = Some(until),
            Reservation::Blocked(_) => {}
        }
        drop(state);
        Ok(reservation)
    }

    /// Takes a request of the lease, if it has one for now.
    fn take_leased(&self, now: Timestamp) -> Option<Lease> {
        let mut state = locked(&self.state);
        let lease = state.lease.as_mut().filter(|lease| lease.allows(now))?;
        lease.requests -= 1;
        Some(*lease)
    }
}

/// A caller that waits for a request, until it is dropped.
struct Waits<'a>(&'a AtomicU32);

impl<'a> Waits<'a> {
    fn of(waiting: &'a AtomicU32) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use fanfare_testkit::clock::FixedClock;
    use fanfare_testkit::memory::InMemoryStore;
    use futures_util::future::join_all;

    use super::*;

    const ENDPOINT: Endpoint = Endpoint::ListProfiles;
    const SYNC: Priority = Priority::Sync(Kept {
        per_second: 0,
        most: 0,
    });

    struct Processes {
        clock: FixedClock,
        ledger: InMemoryStore,
        one: LeasedRequests,
    }

    impl Processes {
        fn new() -> Self {
            let clock = FixedClock::default();
            Self {
                ledger: InMemoryStore::new(Arc::new(clock.clone())),
                clock,
                one: LeasedRequests::default(),
            }
        }

        async fn take(&self, priority: Priority) -> Reservation {
            let taker = Taker {
                ledger: &self.ledger,
                clock: &self.clock,
                share: Share::WHOLE,
            };
            let answer = self.one.take("account", ENDPOINT, priority, &taker);
            answer.await.expect("the ledger answers")
        }

        /// How many requests of the minute the ledger has given away.
        async fn used(&self) -> u32 {
            let bucket = self.ledger.bucket("account", ENDPOINT, self.clock.now());
            bucket.await.expect("a bucket").steady.used
        }

        async fn pass(&self, by: Duration) {
            self.clock.advance(by);
            tokio::time::advance(by).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_who_wait_share_what_is_taken_and_what_is_left_is_given_back() {
        let here = Processes::new();
        join_all((0..9).map(|_| here.take(SYNC))).await;
        assert!((9..=16).contains(&here.used().await));
        here.pass(Duration::from_secs(2)).await;
        here.take(SYNC).await;
        let unused = here.used().await - 10;
        assert!(unused <= 16, "{unused} are leased and not used");
        here.take(Priority::User).await;
        assert_eq!(here.used().await, 11 + unused, "a user takes one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_block_that_another_process_was_told_of_is_known_soon_though_requests_are_leased() {
        let here = Processes::new();
        join_all((0..9).map(|_| here.take(SYNC))).await;
        here.take(SYNC).await;
        let now = here.clock.now();
        let until = now.plus(Duration::from_mins(1));
        let blocked = here.ledger.block("account", ENDPOINT, until, now);
        blocked.await.expect("the ledger answers");

        here.pass(LOOK_INTERVAL).await;

        assert_eq!(here.take(SYNC).await, Reservation::Blocked(until));
        // And so is one of this process's own at once, and its end.
        here.one.drop_of("account", ENDPOINT);
        assert_eq!(here.take(SYNC).await, Reservation::Blocked(until));
        let unblocked = here.ledger.unblock("account", ENDPOINT, now);
        unblocked.await.expect("the ledger answers");
        assert!(matches!(here.take(SYNC).await, Reservation::Granted(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_chains_need_is_kept_for_them_while_they_ask() {
        let here = Processes::new();
        let kept = Kept {
            per_second: 100,
            most: 735,
        };
        assert!(matches!(
            here.take(Priority::Serial(kept)).await,
            Reservation::Granted(_)
        ));
        assert!(matches!(here.take(SYNC).await, Reservation::NotBefore(_)));
        here.pass(CHAIN_TIMEOUT).await;
        assert!(matches!(here.take(SYNC).await, Reservation::Granted(_)));
    }
}
