//! A sample of the events that Klaviyo has taken is looked for there, and what is missing is told of.

use std::time::Duration;

use fanfare_domain::delivery::DeliveryStatus::Sent;
use fanfare_domain::delivery::SAMPLED;
use fanfare_sync::ReadBack;
use fanfare_testkit::fake_writes::WriteFault;

use super::Shop;

impl Shop {
    async fn read_back_after(&self, wait: Duration) -> ReadBack {
        self.wait(wait).await;
        self.org.integration.read_back().await
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn what_klaviyo_took_and_does_not_have_is_told_of_after_an_hour_and_not_sent_again() {
    let shop = Shop::new(3).await;
    shop.writes.fail_next([WriteFault::NoEffect]);
    for person in 0..3 {
        shop.win(&format!("whk_{person}"), person).await;
    }
    shop.work_to_end().await;
    assert_eq!(shop.writes.recorded().len(), 2);
    assert_eq!(shop.ends().await, [(Sent, None); 3], "its word is taken");

    let nothing = ReadBack::default();
    assert_eq!(shop.read_back_after(Duration::ZERO).await, nothing);
    let shown = ReadBack {
        shown: 2,
        missing: 0,
    };
    assert_eq!(shop.read_back_after(MINUTE).await, shown);
    assert_eq!(shop.read_back_after(10 * MINUTE).await, nothing);
    let missing = ReadBack {
        shown: 0,
        missing: 1,
    };
    assert_eq!(shop.read_back_after(50 * MINUTE).await, missing);
    assert_eq!(shop.read_back_after(500 * MINUTE).await, nothing);

    let ends = shop.ends().await;
    let told = ends.iter().filter(|end| **end == (Sent, Some("missing")));
    assert_eq!(told.count(), 1, "{ends:?}");
    assert_eq!(shop.pending().await, 0);
    assert_eq!(shop.writes.calls().len(), 3, "nothing was sent again");
}

#[tokio::test(start_paused = true)]
async fn of_many_events_a_few_are_looked_for_by_a_few_requests() {
    let shop = Shop::new(200).await;
    for person in 0..200 {
        shop.win(&format!("whk_{person}"), person).await;
    }
    shop.work_to_end().await;
    let read = shop.read_back_after(MINUTE).await;
    assert_eq!((read.shown, read.missing), (SAMPLED as u64, 0));
    // The metrics, and one page of events.
    assert_eq!(shop.writes.reads(), 2);
    assert_eq!(shop.read_back_after(MINUTE).await, ReadBack::default());
    assert_eq!(shop.writes.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn events_of_an_account_that_is_connected_no_more_are_not_looked_for() {
    let shop = Shop::new(1).await;
    shop.win("whk_1", 0).await;
    shop.work_to_end().await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration.disconnect(organization).await.unwrap();
    assert_eq!(shop.read_back_after(MINUTE).await, ReadBack::default());
    assert_eq!(shop.writes.reads(), 0);
}
