//! Klaviyo's quota, and the rate-limit blocks that it asks for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::RunId;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::{Endpoint, RateLimits, RetryAfter, Share};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use fanfare_sync::engine::{Engine, SliceEnd};
use fanfare_sync::{EndpointQuota, Whom};
use fanfare_testkit::build::{at, list};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::Operation;
use tokio_util::sync::CancellationToken;

use crate::mocks::SlowLedger;
use crate::test_organization::{TestOrganization, klaviyo_with, members, poll, poll_until};

fn throttled(seconds: u64) -> KlaviyoError {
    KlaviyoError::Throttled(RetryAfter::Seconds(seconds))
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_block_is_kept_to_the_second_holds_no_worker_and_is_no_failure() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members(vec![Some(throttled(4_000)); 7]);
    for asked in 1..=7 {
        let until = org.now().plus(Duration::from_secs(4_000));
        assert_eq!(org.work(&run).await, SliceEnd::Paused(until));
        assert_eq!(org.work(&run).await, SliceEnd::NotDue);
        assert_eq!(klaviyo.member_calls().len(), asked);
        tokio::time::advance(Duration::from_secs(4_000)).await;
    }

    let run = org.work_to_end(&run).await;

    assert_eq!(
        (run.status, run.crashes, run.failures),
        (SyncStatus::Success, 0, 0)
    );
}

fn outage(retry_after: RetryAfter) -> KlaviyoError {
    let what = "it answered 503".to_owned();
    KlaviyoError::Outage { what, retry_after }
}

#[tokio::test(start_paused = true)]
async fn an_announced_outage_is_waited_for_without_a_worker_and_is_no_failure() {
    let klaviyo = klaviyo_with(&list("L1"), 6).with(list("L2"), "Other", members(0..2));
    let org = TestOrganization::on(&klaviyo).await;
    let (run, other) = (
        org.imported(&list("L1")).await,
        org.imported(&list("L2")).await,
    );
    klaviyo.fail_members(vec![Some(outage(RetryAfter::Seconds(120))); 7]);
    for asked in 1..=7 {
        let until = org.now().plus(Duration::from_mins(2));
        assert_eq!(org.work(&run).await, SliceEnd::Paused(until));
        let another_process = Engine::new(org.integration.clone(), org.pace);
        let end = another_process
            .work(&org.due(&other), &CancellationToken::new())
            .await;
        assert!(matches!(
            end.unwrap(),
            SliceEnd::Paused(_) | SliceEnd::NotDue
        ));
        assert_eq!(klaviyo.member_calls().len(), asked);
        tokio::time::advance(Duration::from_mins(2)).await;
    }

    let run = org.work_to_end(&run).await;

    assert_eq!((run.status, run.failures), (SyncStatus::Success, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outage_while_the_list_is_opened_is_waited_for_too() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let until = org.now().plus(Duration::from_mins(2));
    klaviyo.fail_others([Some(outage(RetryAfter::At(until)))]);
    assert_eq!(org.work(&run).await, SliceEnd::Paused(until));
    tokio::time::advance(Duration::from_mins(2)).await;
    assert_eq!(org.work_to_end(&run).await.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_ends_in_the_past_is_a_failed_answer_like_any_other() {
    for retry_after in [RetryAfter::Seconds(0), RetryAfter::At(at(0))] {
        let klaviyo = klaviyo_with(&list("L1"), 6);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.imported(&list("L1")).await;
        klaviyo.fail_members(vec![Some(outage(retry_after)); 5]);

        let run = org.work_to_end(&run).await;

        assert_eq!(run.error.unwrap().code, FailureCode::UpstreamUnavailable);
        assert_eq!(klaviyo.member_calls().len(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_counted_as_claims_since_the_last_page() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([
        None,
        Some(throttled(60)),
        Some(throttled(60)),
        Some(throttled(60)),
    ]);
    let mut attempts = Vec::new();
    for _ in 0..3 {
        assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
        attempts.push(org.run(&run).await.attempt);
        tokio::time::advance(Duration::from_mins(1)).await;
    }
    // The first claim read a page before the rate limit, the others did not.
    assert_eq!(attempts, [0, 1, 2]);
    assert_eq!(org.work_to_end(&run).await.attempt, 1);
}

/// Two imported lists of one account. Klaviyo answers the first call with a rate-limit block until `until`.
struct TwoLists {
    klaviyo: FakeKlaviyo,
    org: TestOrganization,
    first: RunId,
    second: RunId,
    until: Timestamp,
}

impl TwoLists {
    async fn throttled() -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 4).with(list("L2"), "Other", members(0..2));
        let org = TestOrganization::on(&klaviyo).await;
        klaviyo.fail_members([Some(throttled(120))]);
        Self {
            first: org.imported(&list("L1")).await,
            second: org.imported(&list("L2")).await,
            until: org.now().plus(Duration::from_mins(2)),
            klaviyo,
            org,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_engine_and_another_list_of_the_account_keep_the_block_too() {
    let TwoLists {
        klaviyo,
        org,
        first,
        second,
        until,
    } = TwoLists::throttled().await;
    assert_eq!(org.work(&first).await, SliceEnd::Paused(until));

    let another = Engine::new(org.integration.clone(), org.pace);
    let end = another
        .work(&org.due(&second), &CancellationToken::new())
        .await
        .unwrap();

    assert_eq!(end, SliceEnd::Paused(until));
    assert_eq!(klaviyo.member_calls().len(), 1);
    tokio::time::advance(Duration::from_mins(2)).await;
    assert_eq!(org.work_to_end(&second).await.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_block_is_kept_in_this_process_before_the_ledger_knows_of_it() {
    let TwoLists {
        klaviyo,
        org,
        first,
        second,
        until,
    } = TwoLists::throttled().await;
    let ledger = SlowLedger::new(&org.store);
    let org = org.with_ledger(Arc::new(ledger));
    let mut asked = org.worker(&first);
    poll_until(&mut asked, || klaviyo.member_calls().len() == 1);

    assert_eq!(org.work(&second).await, SliceEnd::Paused(until));

    assert!(
        poll(&mut asked, 100).is_none(),
        "the ledger does not answer"
    );
    assert_eq!(klaviyo.member_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_process_learns_of_a_block_though_the_store_failed_and_the_worker_crashed() {
    let TwoLists {
        klaviyo,
        org,
        first,
        second,
        until,
    } = TwoLists::throttled().await;
    let mut asked = org.worker(&first);
    poll_until(&mut asked, || klaviyo.member_calls().len() == 1);
    org.store.fail_next(Operation::Control, 3);
    let _ = poll(&mut asked, 10);
    drop(asked);
    tokio::time::sleep(Duration::from_secs(4)).await;

    let ledger = Arc::new(org.store.clone());
    let another_process = org.with_ledger(ledger);
    let end = another_process.work(&second).await;

    assert_eq!(end, SliceEnd::Paused(until));
    assert_eq!(klaviyo.member_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_block_without_a_time_lasts_a_minute() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([Some(KlaviyoError::Throttled(RetryAfter::Unknown))]);
    let until = org.now().plus(Duration::from_mins(1));
    assert_eq!(org.work(&run).await, SliceEnd::Paused(until));
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_never_exceeded_and_the_wait_for_it_holds_no_worker() {
    let klaviyo = klaviyo_with(&list("L1"), 20);
    klaviyo.announce(RateLimits {
        burst: 2,
        steady: 4,
    });
    let org = TestOrganization::on(&klaviyo).await;
    let began = org.now();
    let run = org.imported(&list("L1")).await;
    let mut pauses = 0;
    loop {
        match org.work(&run).await {
            SliceEnd::Paused(until) => {
                pauses += 1;
                assert!(klaviyo.member_calls().len() <= 4 * pauses);
                tokio::time::sleep(until.since(org.now())).await;
            }
            end => {
                assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
                break;
            }
        }
    }
    // Ten pages at four a minute.
    let minutes = org.now().since(began).as_secs() / 60;
    assert_eq!(minutes, 2);
    assert_eq!(org.run(&run).await.progress.tally.processed, 20);
}

#[tokio::test(start_paused = true)]
async fn pages_share_transactions_of_the_ledger() {
    let klaviyo = klaviyo_with(&list("L1"), 120);
    let org = TestOrganization::on(&klaviyo).await;
    let ledger = SlowLedger::new(&org.store);
    let reserved = ledger.reserved();
    let org = org.with_ledger(Arc::new(ledger));

    let run = org.synced(&list("L1")).await;

    let pages = run.progress.pages;
    assert_eq!(run.progress.tally.processed, 120);
    // The list and its count were asked for, too.
    let reserved = reserved.load(Ordering::Relaxed);
    assert!(
        reserved * 3 <= usize::try_from(pages).unwrap(),
        "{reserved} for {pages} pages"
    );
}

#[tokio::test(start_paused = true)]
async fn syncs_use_no_more_than_their_share_and_users_find_the_rest() {
    let klaviyo = klaviyo_with(&list("L1"), 200);
    klaviyo.announce(RateLimits {
        burst: 100,
        steady: 60,
    });
    let mut org = TestOrganization::on(&klaviyo).await;
    let share = Share::of_percent(50).unwrap();
    org.integration = org.integration.clone().with_klaviyo_share(share);
    let run = org.imported(&list("L1")).await;
    let SliceEnd::Paused(until) = org.work(&run).await else {
        panic!("the share of a minute is used up");
    };
    assert_eq!(klaviyo.member_calls().len(), 30);
    let quota = org
        .integration
        .klaviyo_quota(&org.organization)
        .await
        .unwrap();
    let of_members = |one: &&EndpointQuota| one.endpoint == Endpoint::ListProfiles;
    let members = quota.endpoints.iter().find(of_members).unwrap();
    assert_eq!(
        (members.bucket.steady.used, members.bucket.limits.steady),
        (30, 60)
    );
    assert_eq!((members.waiting_runs, quota.share), (1, share));

    // Whatever a user waits for takes of what is left.
    let whom = Whom::Email(Email::parse("p000@x.io").ok());
    let audience = org.run(&run).await.audience;
    let explaining = org
        .integration
        .explain(&org.organization, &audience, &whom, true);
    assert_eq!(explaining.await.unwrap().live.in_list(), Some(true));

    tokio::time::sleep(until.since(org.now())).await;
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
    assert_eq!(klaviyo.member_calls().len(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_not_counted_is_counted_while_its_run_waits_for_pages() {
    let klaviyo = klaviyo_with(&list("L1"), 20);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    // The quota of counting is one request a second, which this estimate uses.
    let estimated = list("L1");
    let estimate = org.integration.estimate(&org.organization, &estimated);
    estimate.await.unwrap();
    klaviyo.announce(RateLimits {
        burst: 2,
        steady: 8,
    });

    // The first wait ends with the second in which nothing more may be counted either, the next one with the minute.
    let total = loop {
        let end = org.work(&run).await;
        let SliceEnd::Paused(until) = end else {
            panic!("the list was read without a count: {end:?}");
        };
        let progress = org.run(&run).await.progress;
        assert!(progress.tally.processed < 20);
        if progress.total.is_some() {
            break progress.total;
        }
        tokio::time::sleep(until.since(org.now())).await;
    };
    assert_eq!(total, Some(20));
}
