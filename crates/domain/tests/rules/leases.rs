//! Requests that processes take out of a bucket several at a time.

use std::time::Duration;

use fanfare_domain::quota::{
    Bucket, Demand, Endpoint, Kept, Lease, Priority, RateLimits, Reservation, Share,
};
use fanfare_domain::time::Timestamp;
use proptest::prelude::*;

use crate::world::at;

/// Klaviyo's count of requests: fixed windows, each of which begins with the first request after the one before.
pub(crate) struct Klaviyo {
    limits: RateLimits,
    second: (Option<Timestamp>, u32),
    minute: (Option<Timestamp>, u32),
}

impl Klaviyo {
    pub(crate) const fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            second: (None, 0),
            minute: (None, 0),
        }
    }

    /// Whether a request that arrives then is answered. They arrive in order.
    pub(crate) fn takes(&mut self, arrival: Timestamp) -> bool {
        let count = |window: &mut (Option<Timestamp>, u32), length| {
            if window.0.is_none_or(|since| since.plus(length) <= arrival) {
                *window = (Some(arrival), 0);
            }
            window.1 += 1;
            window.1
        };
        count(&mut self.second, Duration::from_secs(1)) <= self.limits.burst
            && count(&mut self.minute, Duration::from_mins(1)) <= self.limits.steady
    }
}

#[derive(Debug, Clone)]
enum Event {
    /// So many milliseconds pass.
    Pass(u64),
    /// A process makes a request if it may, which takes so many milliseconds to Klaviyo.
    Request {
        process: usize,
        wanted: u32,
        delay: u64,
        priority: u8,
    },
    /// A process dies, and what it has taken is lost.
    Crash(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0_u64..40).prop_map(Event::Pass),
        1 => (0_u64..3_000).prop_map(Event::Pass),
        40 => (0_usize..3, 1_u32..20, 0_u64..50, 0_u8..4).prop_map(
            |(process, wanted, delay, priority)| Event::Request { process, wanted, delay, priority }
        ),
        1 => (0_usize..3).prop_map(Event::Crash),
    ]
}

proptest! {
    #[test]
    fn no_window_of_klaviyos_has_more_than_its_limit_whatever_the_processes_do(
        burst in 1_u32..30,
        steady in 5_u32..200,
        percent in 1_u32..=100,
        events in prop::collection::vec(event(), 1..800),
    ) {
        let share = Share::of_percent(percent).unwrap();
        let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
        bucket.limits = RateLimits { burst, steady };
        let mut leases: [Option<Lease>; 3] = [None; 3];
        let (mut now, mut arrivals) = (at(0), Vec::new());
        for event in events {
            match event {
                Event::Pass(ms) => now = now.plus(Duration::from_millis(ms)),
                Event::Crash(process) => leases[process] = None,
                Event::Request { process, wanted, delay, priority } => {
                    let lease = &mut leases[process];
                    if !lease.is_some_and(|lease| lease.allows(now)) {
                        let kept = Kept::for_readers(1, 10);
                        let priority = match priority {
                            0 => Priority::User,
                            1 => Priority::Serial(kept),
                            2 => Priority::Unshared,
                            _ => Priority::Sync(kept),
                        };
                        let demand = Demand { wanted, priority, share, unused: lease.take() };
                        match bucket.reserve(&demand, now) {
                            Reservation::Granted(granted) => {
                                prop_assert!(granted.requests >= 1 && granted.requests <= wanted);
                                *lease = Some(granted);
                            }
                            Reservation::NotBefore(until) => prop_assert!(until > now),
                            Reservation::Blocked(_) => prop_assert!(false, "nothing is blocked"),
                        }
                    }
                    if let Some(lease) = lease.as_mut().filter(|lease| lease.allows(now)) {
                        lease.requests -= 1;
                        arrivals.push(now.plus(Duration::from_millis(delay)));
                    }
                }
            }
        }
        arrivals.sort_unstable();
        let mut klaviyo = Klaviyo::new(bucket.limits);
        for arrival in arrivals {
            prop_assert!(klaviyo.takes(arrival), "at {arrival}");
        }
    }

    #[test]
    fn syncs_use_their_share_of_a_minute_and_users_the_rest(percent in 1_u32..=100, steady in 1_u32..800) {
        let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
        bucket.limits = RateLimits { burst: 10_000, steady };
        let share = Share::of_percent(percent).unwrap();
        let syncs = taken(&mut bucket, Priority::Sync(Kept::default()), share);
        let users = taken(&mut bucket, Priority::User, share);

        prop_assert_eq!(syncs + users, steady);
        prop_assert!(syncs <= (steady * percent / 100).max(1));
        prop_assert!(syncs >= (steady * percent / 100).saturating_sub(steady / 50 + 1).max(1));
        prop_assert!(steady < 50 || users >= steady / 50, "a click finds some");
    }

    #[test]
    fn of_a_bucket_that_no_click_uses_nothing_is_left(percent in 1_u32..=100, steady in 1_u32..800) {
        let mut bucket = Bucket::new(Endpoint::CreateEvents, at(0));
        bucket.limits = RateLimits { burst: 10_000, steady };
        let share = Share::of_percent(percent).unwrap();
        prop_assert_eq!(taken(&mut bucket, Priority::Unshared, share), (steady * percent / 100).max(1));
    }

    #[test]
    fn what_a_process_dies_with_is_one_batch(wanted in 1_u32..50) {
        let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
        let demand = Demand { wanted: Lease::next_size(wanted, 0, 0), ..Demand::ONE };
        let Reservation::Granted(lost) = bucket.reserve(&demand, at(0)) else { panic!() };
        prop_assert!(lost.requests <= 16);
        let lost = lost.requests;
        bucket.limits.burst = 10_000;
        prop_assert_eq!(taken(&mut bucket, Priority::User, Share::WHOLE), 750 - lost);
    }
}

/// How many requests can be taken at once, at the beginning.
fn taken(bucket: &mut Bucket, priority: Priority, share: Share) -> u32 {
    taken_at(at(0), bucket, priority, share)
}

fn taken_at(now: Timestamp, bucket: &mut Bucket, priority: Priority, share: Share) -> u32 {
    let demand = Demand {
        priority,
        share,
        ..Demand::ONE
    };
    let grants = std::iter::from_fn(|| match bucket.reserve(&demand, now) {
        Reservation::Granted(lease) => Some(lease.requests),
        Reservation::NotBefore(_) | Reservation::Blocked(_) => None,
    });
    grants.sum()
}

#[test]
fn what_was_not_used_is_given_back_with_the_next_demand() {
    let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
    let demand = Demand {
        wanted: 16,
        ..Demand::ONE
    };
    let Reservation::Granted(lease) = bucket.reserve(&demand, at(0)) else {
        panic!("an unused bucket grants");
    };
    assert_eq!((lease.requests, bucket.steady.used), (16, 16));
    let unused = Lease {
        requests: 10,
        ..lease
    };
    let demand = Demand {
        unused: Some(unused),
        ..Demand::ONE
    };
    assert!(matches!(
        bucket.reserve(&demand, at(2)),
        Reservation::Granted(_)
    ));
    assert_eq!((bucket.burst.used, bucket.steady.used), (1, 7));
    // It is given back once: in the next minute it counts for nothing.
    assert!(matches!(
        bucket.reserve(&demand, at(61)),
        Reservation::Granted(_)
    ));
    assert_eq!(bucket.steady.used, 1);
}

#[test]
fn syncs_leave_to_chains_what_they_need_of_the_minute() {
    let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
    bucket.limits.burst = 10_000;
    let kept = Kept::for_readers(2, 1_000);
    let rest = taken(&mut bucket, Priority::Sync(kept), Share::WHOLE);
    // Eight a second for 59 whole seconds.
    assert_eq!(rest, 735 - 8 * 59);
    let demand = Demand {
        priority: Priority::Sync(kept),
        ..Demand::ONE
    };
    let Reservation::NotBefore(until) = bucket.reserve(&demand, at(0)) else {
        panic!("the rest is kept");
    };
    assert!(until < at(1), "the chain may end before the minute does");
    let chain = taken(&mut bucket, Priority::Serial(kept), Share::WHOLE);
    assert_eq!(chain, 8 * 59);
}

#[test]
fn syncs_use_in_the_last_moment_of_a_minute_what_no_user_has_used_of_it() {
    let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
    bucket.limits.burst = 10_000;
    let sync = Priority::Sync(Kept::default());
    assert_eq!(taken(&mut bucket, sync, Share::WHOLE), 735);
    assert_eq!(taken(&mut bucket, Priority::User, Share::WHOLE), 15);
    bucket.steady.used -= 10;

    let demand = Demand {
        priority: sync,
        ..Demand::ONE
    };
    let Reservation::NotBefore(last_moment) = bucket.reserve(&demand, at(0)) else {
        panic!("what is left is left to users");
    };
    assert!(last_moment > at(58) && last_moment < at(60));
    assert_eq!(
        taken_at(last_moment, &mut bucket, sync, Share::WHOLE),
        10,
        "the next minute is near"
    );
    let Reservation::NotBefore(next) = bucket.reserve(&demand, last_moment) else {
        panic!("the minute is used up");
    };
    assert!(next > at(60));
    assert!(
        next.since(last_moment) < Duration::from_secs(1),
        "a worker keeps its run while it waits for less than a second"
    );
}

#[test]
fn more_is_asked_for_as_more_is_used_and_as_many_as_wait() {
    assert_eq!(Lease::next_size(1, 0, 0), 1);
    assert_eq!(Lease::next_size(8, 1, 0), 8);
    assert_eq!(Lease::next_size(1, 8, 0), 16);
    assert_eq!(Lease::next_size(1, 16, 13), 3);
    assert_eq!(Lease::next_size(40, 16, 0), 16);
}
