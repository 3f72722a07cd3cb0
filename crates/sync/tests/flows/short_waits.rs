//! Many short waits with no page in between: a run that waits keeps its lease.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;

use crate::runtime_clock::RuntimeClock;
use crate::test_organization::{TestOrganization, klaviyo_with};

/// On a machine so busy that a little of a wait of one second is over when the wait begins.
#[tokio::test(start_paused = true)]
async fn a_run_that_waits_a_second_again_and_again_keeps_its_lease() {
    let klaviyo = klaviyo_with(&list("L1"), 1);
    let clock = RuntimeClock::slow_to_read(Duration::from_millis(2));
    let mut org = TestOrganization::on_clock(&klaviyo, Arc::new(clock)).await;
    org.connect("pk_key1").await.unwrap();
    org.pace.lease = Duration::from_secs(3);
    let run = org.imported(&list("L1")).await;
    let wait = Some(KlaviyoError::Throttled(RetryAfter::Seconds(1)));
    klaviyo.fail_members(vec![wait; 12]);

    let end = org.work(&run).await;

    assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
}
