//! Fanfare's webhooks in, and events to Klaviyo out.

mod accepting;
mod chaos;
mod consents;
mod contacts;
mod converging;
mod pausing;
mod reading_back;
mod sending;
mod signing;
mod simulated;

use std::time::Duration;

use fanfare_domain::delivery::{Delivery, DeliveryFilter, DeliveryStatus};
use fanfare_domain::events::EventSettingsUpdate;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{ConsumerFilter, Store};
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_sync::engine::SliceEnd;
use fanfare_sync::{Error, Received, Webhook};
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::fake_writes::FakeWrites;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::test_organization::{TestOrganization, klaviyo_with};

/// A shop whose list is imported, and whose events go to Klaviyo.
pub(crate) struct Shop {
    org: TestOrganization,
    writes: FakeWrites,
    /// The consumers of the list.
    people: Vec<ConsumerId>,
}

const ALL: PageRequest = PageRequest {
    first: 10_000,
    after: None,
};

impl Shop {
    async fn new(people: i64) -> Self {
        let shop = Self::without_events(people).await;
        shop.switch(true).await;
        shop
    }

    async fn without_events(people: i64) -> Self {
        Self::of(&klaviyo_with(&list("L1"), people)).await
    }

    /// A shop whose events go to this Klaviyo, with its list `L1`.
    async fn on(klaviyo: &FakeKlaviyo) -> Self {
        let shop = Self::of(klaviyo).await;
        shop.switch(true).await;
        shop
    }

    async fn of(klaviyo: &FakeKlaviyo) -> Self {
        let mut org = TestOrganization::on(klaviyo).await;
        org.synced(&list("L1")).await;
        let writes = FakeWrites::of(klaviyo, org.clock());
        let port = std::sync::Arc::new(writes.clone());
        org.integration = org.integration.clone().with_klaviyo_writes(port);
        let rotated = org.integration.rotate_webhook_secret(&org.organization);
        rotated.await.unwrap();
        let mut unit = org.store.read(&org.organization).await.unwrap();
        let found = unit
            .consumers(&ConsumerFilter::default(), &ALL)
            .await
            .unwrap();
        let people = found.items.into_iter().map(|one| one.consumer.id);
        Self {
            people: people.collect(),
            writes,
            org,
        }
    }

    async fn switch(&self, enabled: bool) {
        let update = EventSettingsUpdate {
            enabled: Some(enabled),
            ..EventSettingsUpdate::default()
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration
            .update_events(organization, update)
            .await
            .unwrap();
    }

    /// The body of a webhook.
    fn body(&self, id: &str, type_name: &str, data: &Value) -> Vec<u8> {
        json!({"id": id, "type": type_name, "timestamp": self.org.now().to_string(),
            "organizationId": self.org.organization.as_str(), "data": data})
        .to_string()
        .into_bytes()
    }

    /// Sends a webhook as Fanfare does.
    async fn send(&self, id: &str, type_name: &str, data: Value) -> Result<Received, Error> {
        let body = self.body(id, type_name, &data);
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let timestamp = (self.org.now().as_micros() / 1_000_000).to_string();
        let signature = integration
            .sign_webhook(organization, &timestamp, &body)
            .await?;
        let webhook = Webhook {
            timestamp: &timestamp,
            signature: &signature,
            body: &body,
        };
        integration.receive_webhook(organization, webhook).await
    }

    /// Somebody wins a draw.
    async fn win(&self, id: &str, person: usize) -> Received {
        let data = json!({"consumerId": self.people[person].as_str(), "drawId": id});
        let received = self.send(id, "draw.consumer.won", data).await;
        received.unwrap()
    }

    fn work_item(&self) -> WorkItem {
        WorkItem {
            organization: self.org.organization.clone(),
            key: WorkKey::push(),
        }
    }

    /// Sends what is due, for one slice.
    async fn work(&self) -> SliceEnd {
        let engine = self.org.engine();
        let stop = CancellationToken::new();
        engine.work(&self.work_item(), &stop).await.unwrap()
    }

    /// Works until nothing is pending any more.
    async fn work_to_end(&self) {
        for _ in 0..200 {
            let end = self.work().await;
            if self.pending().await == 0 {
                return;
            }
            match end {
                SliceEnd::Paused(until) => self.wait(until.since(self.org.now())).await,
                SliceEnd::NotDue => self.wait(Duration::from_secs(1)).await,
                _ => {}
            }
        }
        let (end, all) = (self.work().await, self.deliveries().await);
        let mut pending = all;
        pending.retain(|one| one.status == DeliveryStatus::Pending);
        panic!("deliveries stay pending: {end:?}, {pending:?}");
    }

    async fn pending(&self) -> usize {
        let all = self.deliveries().await;
        let pending = all
            .iter()
            .filter(|one| one.status == DeliveryStatus::Pending);
        pending.count()
    }

    /// The deliveries, the latest first.
    async fn deliveries(&self) -> Vec<Delivery> {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let every = DeliveryFilter::default();
        let listed = integration.deliveries(organization, &every, &ALL);
        listed.await.unwrap().items
    }

    /// The status and the code of each, the first that was accepted first.
    async fn ends(&self) -> Vec<(DeliveryStatus, Option<&'static str>)> {
        let all = self.deliveries().await;
        let ends = all.iter().rev();
        ends.map(|one| {
            (
                one.status,
                one.code.map(fanfare_domain::delivery::DeliveryCode::as_str),
            )
        })
        .collect()
    }

    async fn wait(&self, by: Duration) {
        tokio::time::advance(by).await;
    }
}
