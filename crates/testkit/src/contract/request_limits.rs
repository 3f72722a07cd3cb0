//! The rate limit of organizations, which all processes of the API count together.

use std::time::Duration;

use fanfare_domain::ports::RequestLimits;
use fanfare_domain::rate_limit::Counted::{self, Checks, Requests};
use fanfare_domain::rate_limit::{Minute, RequestCount, TakenRequests};
use tokio::task::JoinSet;

use super::harness::StoreHarness;
use super::test_organization::SeededNumbers;
use crate::build::organization_id;

async fn take(limits: &dyn RequestLimits, organization: &str, wanted: u32) -> TakenRequests {
    take_of(limits, organization, Requests, wanted).await
}

async fn take_of(
    limits: &dyn RequestLimits,
    organization: &str,
    counted: Counted,
    wanted: u32,
) -> TakenRequests {
    let organization = organization_id(organization);
    let taken = limits.take_requests(&organization, counted, wanted).await;
    taken.expect("an answer")
}

/// Any takings through either process, at any times, are granted and leave a count as [`RequestCount`] says.
pub async fn any_takings_are_counted_as_a_request_count_does(harness: &dyn StoreHarness) {
    let (mut numbers, mut count) = (SeededNumbers::new(1), None);
    for step in 0..200 {
        if numbers.below(10) == 0 {
            let seconds = numbers.below(70) as u64;
            harness.advance(Duration::from_secs(seconds)).await;
        }
        let limits = harness.handles()[numbers.below(2)].request_limits.as_ref();
        let wanted = u32::try_from(1 + numbers.below(300)).expect("a small number");
        let now = harness.now().await;

        let taken = take(limits, "org_a", wanted).await;

        let (want, granted) = RequestCount::take(Requests, count, Minute::of(now), wanted);
        let want = TakenRequests {
            granted,
            count: want,
            now,
        };
        assert_eq!(taken, want, "step {step}");
        count = Some(taken.count);
    }
}

/// Of many takings at once, in two processes, as many requests are granted as the limit has.
pub async fn a_limit_is_used_up_by_all_processes_together(harness: &dyn StoreHarness) {
    let mut taking = JoinSet::new();
    for n in 0..50 {
        let limits = harness.handles()[n % 2].request_limits.clone();
        taking.spawn(async move { take(limits.as_ref(), "org_a", 30).await.granted });
    }
    let granted: u32 = taking.join_all().await.into_iter().sum();
    assert_eq!(granted, Requests.per_minute());
}

/// What one organization takes is not taken from another, nor from the next minute.
pub async fn each_organization_has_its_own_limit_and_each_minute(harness: &dyn StoreHarness) {
    let [here, there] = harness.handles().each_ref();
    let (here, there) = (here.request_limits.as_ref(), there.request_limits.as_ref());
    let more = Requests.per_minute() + 1;
    assert_eq!(take(here, "org_a", more).await.granted, more - 1);
    assert_eq!(take(there, "org_a", 1).await.granted, 0);
    assert_eq!(take(there, "ORG_A", 1).await.granted, 1);

    let now = harness.now().await;
    let end = Minute::of(now).end();
    harness.advance(end.since(now)).await;

    let taken = take(there, "org_a", 7).await;
    assert_eq!((taken.granted, taken.count.taken), (7, 7));
    assert_eq!(taken.count.minute, Minute::of(end));
}

/// Checks are taken out of a limit of their own, and are counted by the same rules.
pub async fn checks_have_a_limit_of_their_own(harness: &dyn StoreHarness) {
    let [here, there] = harness.handles().each_ref();
    let (here, there) = (here.request_limits.as_ref(), there.request_limits.as_ref());
    let limit = Checks.per_minute();
    let taken = take_of(here, "org_a", Checks, limit - 3).await;
    assert_eq!((taken.granted, taken.count.taken), (limit - 3, limit - 3));
    assert_eq!(take_of(there, "org_a", Checks, 5).await.granted, 3);
    assert_eq!(take_of(here, "org_a", Checks, 1).await.granted, 0);
    assert_eq!(take(here, "org_a", 7).await.granted, 7);
    assert_eq!(take_of(here, "org_b", Checks, 1).await.granted, 1);
}
