//! Contacts that are switched on when pushes have linked people already.

use std::time::Duration;

use fanfare_domain::delivery::{Delivery, DeliveryFilter, DeliveryKind};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::profile::Attribute;
use fanfare_domain::value::FullName;
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_domain::writing::{Change, PersonalText};
use fanfare_sync::engine::SliceEnd;
use fanfare_sync::{ConsumerUpdate, Patch};
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_writes::ProfileCall;
use tokio_util::sync::CancellationToken;

use super::{ALL, Shop};

impl Shop {
    /// What Klaviyo is to be told of contacts.
    async fn contacts_told(&self) -> Vec<Delivery> {
        let filter = DeliveryFilter {
            kind: Some(DeliveryKind::Contact),
            ..DeliveryFilter::default()
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let told = integration.deliveries(organization, &filter, &ALL).await;
        told.unwrap().items
    }

    /// Sends what waits.
    async fn send(&self) {
        let work = WorkItem {
            organization: self.org.organization.clone(),
            key: WorkKey::push(),
        };
        let (engine, stop) = (self.org.engine(), CancellationToken::new());
        let end = engine.work(&work, &stop).await.unwrap();
        assert!(matches!(end, SliceEnd::Finished(_)), "{end:?}");
    }

    async fn rename(&self, consumer: &ConsumerId, to: &str) {
        let update = ConsumerUpdate {
            full_name: Patch::Set(FullName::join(Some(to), None).0),
            ..ConsumerUpdate::default()
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let changed = integration.update_consumer(organization, consumer, update);
        changed.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn whom_a_push_linked_is_not_told_of_before_they_change_with_contacts_switched_on() {
    let shop = Shop::new(0).await;
    shop.klaviyo.change(|contents| {
        let found = profile("theirs").email("found@example.com").build();
        contents.unlisted.push(found);
    });
    shop.contacts(false, true).await;
    // They are called Ada King here. Klaviyo knows one of them without a name, and gets a profile of the other.
    let found = shop
        .person(Some("found@example.com"), Some("+15550001"))
        .await;
    shop.person(Some("made@example.com"), Some("+15550002"))
        .await;
    shop.choose("L2").await.unwrap();
    let run = shop.push().await;
    assert_eq!((run.progress.added, run.progress.skipped), (2, 0));
    let made = shop.writes.profile_calls().len();

    shop.contacts(true, true).await;
    shop.wait(Duration::from_mins(1)).await;
    let run = shop.org.synced(&list("L2")).await;
    assert_eq!(run.progress.tally.created, 0);
    assert_eq!(shop.contacts_told().await, []);

    shop.rename(&found, "Ada Lovelace").await;
    shop.send().await;
    assert_eq!(shop.contacts_told().await.len(), 1);
    let calls = shop.writes.profile_calls();
    let [ProfileCall::Update(_, changes)] = &calls[made..] else {
        panic!("{calls:?}");
    };
    assert_eq!(
        changes.last_name,
        Change::Set(PersonalText::new("Lovelace"))
    );
    let mut theirs = Attribute::Absent;
    shop.klaviyo.change(|contents| {
        let all = contents.profiles();
        let of = all.iter().find(|one| one.id.as_str() == "theirs");
        theirs.clone_from(&of.unwrap().first_name);
    });
    assert_eq!(theirs, Attribute::text("Ada"));
    // A later pass has nothing to add.
    shop.wait(Duration::from_mins(1)).await;
    shop.org.resynced(&run, false).await;
    assert_eq!(shop.contacts_told().await.len(), 1);
    shop.assert_no_breach();
}
