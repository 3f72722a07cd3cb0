//! Contacts and consents through the real adapter on the simulator, whose journal is read at the end: both sides are equal, few
//! writes were made, and nothing is in it that must never be.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::contact::ContactSettingsUpdate;
use fanfare_domain::delivery::{Delivery, DeliveryFilter, DeliveryKind, DeliveryStatus};
use fanfare_domain::ids::{CollectionId, OrganizationId};
use fanfare_domain::ports::{Clock, ConsumerFilter, ConsumerRecord, Store, WorkQueue};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::value::{FullName, Phone};
use fanfare_domain::writing::Channel;
use fanfare_klaviyo::{KlaviyoHttp, Origin, Timeouts};
use fanfare_klaviyo_sim::{
    AccountPlan, EdgeCases, Effect, Endpoint, Fault, Plan, Quota, RunningSimulator, Simulator,
    Written, breaches,
};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{
    ConnectRequest, ConsumerUpdate, ImportRequest, Integration, Patch, Ports, UnsubscribeRequest,
};
use fanfare_testkit::build::{api_key, list};
use fanfare_testkit::clock::{PlainSealer, SeededIds, SkippingClock};
use fanfare_testkit::memory::InMemoryStore;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::test_organization::everything;

const LIST: &str = "LiSt01";
const KEY: &str = "pk_simulated_1";

struct World {
    clock: SkippingClock,
    simulator: RunningSimulator,
    store: InMemoryStore,
    integration: Integration,
    organization: OrganizationId,
}

impl World {
    async fn open(people: u32) -> Self {
        let clock = SkippingClock::default();
        let shown = clock.clone();
        let account = AccountPlan::new("SiMuLa")
            .key(KEY)
            .edge_cases(EdgeCases::None)
            .list(LIST, "Newsletter", people);
        let plan = Plan::new([account]).quota(Quota::Unlimited).clock(move || {
            let nanos = i128::from(shown.now().as_micros()) * 1_000;
            OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap()
        });
        let simulator = Simulator::start(plan).unwrap();
        let origin = Origin::parse(&simulator.url()).unwrap();
        let klaviyo = Arc::new(KlaviyoHttp::new(origin, Timeouts::default()).unwrap());
        let store = InMemoryStore::new(Arc::new(clock.clone()));
        let integration = Integration::new(Ports {
            store: Arc::new(store.clone()),
            directory: Arc::new(store.clone()),
            work_queue: Arc::new(store.clone()),
            ledger: Arc::new(store.clone()),
            request_limits: Arc::new(store.clone()),
            klaviyo: klaviyo.clone(),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        });
        let integration = integration.with_klaviyo_writes(klaviyo);
        let made = integration.create_organization("Simulated").await.unwrap();
        let world = Self {
            clock,
            simulator,
            store,
            integration,
            organization: made.organization,
        };
        world.set_up().await;
        world
    }

    async fn set_up(&self) {
        let request = ConnectRequest {
            api_key: api_key(KEY),
            confirm_account_change: false,
        };
        let connected = self.integration.connect(&self.organization, request);
        connected.await.unwrap();
        let request = ImportRequest {
            collections: vec![list(LIST)],
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        let imported = self.integration.import(&self.organization, request);
        imported.await.unwrap();
        self.work().await;
        let on = ContactSettingsUpdate {
            enabled: Some(true),
            ..ContactSettingsUpdate::default()
        };
        let chosen = self.integration.update_contacts(&self.organization, on);
        chosen.await.unwrap();
    }

    /// Works whatever is due, and skips the times between.
    async fn work(&self) {
        let engine = Engine::new(self.integration.clone(), Pace::default());
        for _ in 0..200 {
            self.clock
                .skip_to(self.clock.now().plus(Duration::from_secs(2)));
            let Some(next) = self.store.next().await.unwrap() else {
                return;
            };
            let end = engine.work(&next.work, &CancellationToken::new()).await;
            if let SliceEnd::Paused(until) = end.unwrap() {
                self.clock.skip_to(until);
            }
        }
        panic!("work does not end");
    }

    async fn consumers(&self) -> Vec<ConsumerRecord> {
        let mut unit = self.store.read(&self.organization).await.unwrap();
        let (every, page) = (ConsumerFilter::default(), everything());
        unit.consumers(&every, &page).await.unwrap().items
    }

    async fn edit(&self, of: &ConsumerRecord, name: &str, phone: Option<&str>) {
        let update = ConsumerUpdate {
            full_name: Patch::Set(FullName::join(Some(name), None).0),
            phone: phone.map_or(Patch::Keep, |phone| Patch::Set(Phone::parse(phone).ok())),
            ..ConsumerUpdate::default()
        };
        let id = &of.consumer.id;
        let edited = self
            .integration
            .update_consumer(&self.organization, id, update);
        edited.await.unwrap();
    }

    async fn unsubscribe(&self, of: &ConsumerRecord, list: Option<&str>) {
        let request = UnsubscribeRequest {
            channels: vec![Channel::Email],
            list: list.map(|list| CollectionId::parse(list).unwrap()),
        };
        let id = &of.consumer.id;
        let ended = self
            .integration
            .unsubscribe(&self.organization, id, request);
        ended.await.unwrap();
    }

    /// A complete pass. Returns how many consumers it changed.
    async fn pass(&self) -> u64 {
        let mut unit = self.store.read(&self.organization).await.unwrap();
        let source = unit.source_of(&list(LIST)).await.unwrap().unwrap();
        drop(unit);
        let (organization, audience) = (&self.organization, &source.audience);
        let started = self
            .integration
            .sync_audience(organization, audience, false);
        let run = started.await.unwrap().run;
        self.work().await;
        let mut unit = self.store.read(organization).await.unwrap();
        let run = unit.run(&run).await.unwrap().unwrap();
        assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
        run.progress.tally.updated
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        let (every, page) = (DeliveryFilter::default(), everything());
        let all = self
            .integration
            .deliveries(&self.organization, &every, &page);
        all.await.unwrap().items
    }

    /// How many requests of an endpoint were answered, or done although their answer was lost.
    fn requests(&self, of: &str) -> usize {
        let journal = self.simulator.account().journal().unwrap();
        let is_one = |what: &Written| match what {
            Written::Request {
                endpoint, status, ..
            } => endpoint == of && *status < 300,
            _ => false,
        };
        journal.iter().filter(|entry| is_one(&entry.what)).count()
    }
}

#[tokio::test]
async fn the_journal_of_the_simulator_shows_few_writes_and_nothing_that_must_not_be() {
    let world = World::open(40).await;
    let people = world.consumers().await;
    assert_eq!(people.len(), 40);
    // The answers of two writes are lost after what they asked for was done.
    let reset = Fault::new(Effect::Reset)
        .on(Endpoint::UpdateProfile)
        .times(2);
    world.simulator.handle().add_fault(reset);
    for (n, person) in people.iter().take(12).enumerate() {
        let phone = format!("+1202555{:04}", 1_000 + n);
        let phone = (n % 2 == 0).then_some(phone.as_str());
        world
            .edit(person, &format!("Edited Person{n}"), phone)
            .await;
    }
    // Somebody edits one of them in Klaviyo later.
    world
        .clock
        .skip_to(world.clock.now().plus(Duration::from_mins(1)));
    let account = world.simulator.account();
    let theirs = people[0]
        .consumer
        .primary
        .as_ref()
        .unwrap()
        .stamp
        .profile
        .clone();
    let rename = |profile: &mut fanfare_klaviyo_sim::Profile| {
        profile.last_name = Some("Theirs".to_owned());
    };
    account.update(theirs.as_str(), rename).unwrap();
    for person in &people[20..23] {
        world.unsubscribe(person, Some(LIST)).await;
    }
    world.unsubscribe(&people[30], None).await;
    world.work().await;
    world
        .clock
        .skip_to(world.clock.now().plus(Duration::from_hours(1)));
    world.pass().await;
    world
        .clock
        .skip_to(world.clock.now().plus(Duration::from_hours(1)));
    assert_eq!(world.pass().await, 0, "at rest a pass changes nothing");

    let deliveries = world.deliveries().await;
    let is_over = |one: &Delivery| {
        one.status == DeliveryStatus::Sent
            || (one.kind == DeliveryKind::Contact && one.status == DeliveryStatus::Dropped)
    };
    assert!(deliveries.iter().all(is_over), "{deliveries:?}");
    for record in world.consumers().await {
        let consumer = record.consumer;
        let Some(primary) = &consumer.primary else {
            continue;
        };
        let profile = account
            .profile(primary.stamp.profile.as_str())
            .unwrap()
            .unwrap();
        let (first, last) = (profile.first_name.as_deref(), profile.last_name.as_deref());
        let ours = consumer.full_name.map(|held| held.value);
        assert!(
            ours == FullName::join(first, last).0,
            "the name of {}",
            profile.id
        );
        let ours = consumer.phone.map(|held| held.value);
        let theirs = profile.phone_number.as_deref();
        assert!(
            ours == theirs.and_then(|text| Phone::parse(text).ok()),
            "{}",
            profile.id
        );
    }
    let people = world.consumers().await;
    let opted_out = |at: usize| {
        people[at]
            .consumer
            .consents
            .get()
            .unwrap()
            .email
            .is_suppressed()
    };
    assert!(opted_out(30) && !opted_out(31));
    // Twelve edits, of which one was undone by a later one in Klaviyo.
    let writes = world.requests("update-profile");
    assert!((11..=12).contains(&writes), "{writes} writes");
    let journal = account.journal().unwrap();
    assert_eq!(breaches(&journal), Vec::<String>::new());
}
