//! An audience that is kept in a list of the simulator's, over its HTTP: people come and go on both sides, answers are lost,
//! workers are dropped in the middle. The simulator's journal shows that nobody was removed whom we had not added and
//! that no consent was raised, and at rest the list is what the audience is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::contact::ContactSettingsUpdate;
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, OrganizationId, ProfileId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, ConsumerFilter, WorkQueue};
use fanfare_domain::push::RowStanding;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use fanfare_klaviyo::{KlaviyoHttp, Origin, Timeouts};
use fanfare_klaviyo_sim::{
    AccountHandle, AccountPlan, EdgeCases, Effect, Endpoint, Fault, Kind, Plan, RunningSimulator,
    Simulator, Written, breaches,
};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{
    ConnectRequest, Error, ImportRequest, Integration, ListChoice, NewAudience, NewConsumer, Ports,
};
use fanfare_testkit::build::{api_key, list};
use fanfare_testkit::clock::{PlainSealer, SeededIds, SkippingClock};
use fanfare_testkit::memory::InMemoryStore;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const KEY: &str = "pk_keeping_1";
const SOURCE: &str = "LiSt01";
const TARGET: &str = "LiSt02";
const PEOPLE: u32 = 40;

fn stranger(number: usize) -> String {
    format!("stranger{number}@example.com")
}

const ALL: PageRequest = PageRequest {
    first: 10_000,
    after: None,
};

fn moment(time: Timestamp) -> OffsetDateTime {
    let nanos = i128::from(time.as_micros()) * 1_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap()
}

struct World {
    clock: SkippingClock,
    simulator: RunningSimulator,
    account: AccountHandle,
    store: Arc<InMemoryStore>,
    integration: Integration,
    organization: OrganizationId,
    audience: AudienceId,
    people: Vec<(ConsumerId, ProfileId)>,
}

impl World {
    async fn open() -> Self {
        let clock = SkippingClock::default();
        let plan = AccountPlan::new("KeEpEr")
            .key(KEY)
            .edge_cases(EdgeCases::None)
            .list(SOURCE, "Customers", PEOPLE)
            .list(TARGET, "Winners", 0);
        let shown = clock.clone();
        let plan = Plan::new([plan]).clock(move || moment(shown.now()));
        let simulator = Simulator::start(plan).unwrap();
        let origin = Origin::parse(&simulator.url()).unwrap();
        let klaviyo = Arc::new(KlaviyoHttp::new(origin, Timeouts::default()).unwrap());
        let store = Arc::new(InMemoryStore::new(Arc::new(clock.clone())));
        let integration = Integration::new(Ports {
            store: store.clone(),
            directory: store.clone(),
            work_queue: store.clone(),
            ledger: store.clone(),
            request_limits: store.clone(),
            klaviyo: klaviyo.clone(),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        })
        .with_klaviyo_writes(klaviyo);
        let organization = integration
            .create_organization("Keeper")
            .await
            .unwrap()
            .organization;
        let connect = ConnectRequest {
            api_key: api_key(KEY),
            confirm_account_change: false,
        };
        integration.connect(&organization, connect).await.unwrap();
        let import = ImportRequest {
            collections: vec![list(SOURCE)],
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        integration.import(&organization, import).await.unwrap();
        let new = NewAudience {
            name: "Winners".to_owned(),
            ..NewAudience::default()
        };
        let audience = integration
            .create_audience(&organization, new)
            .await
            .unwrap()
            .audience
            .id;
        let mut world = Self {
            account: simulator.account(),
            clock,
            simulator,
            store,
            integration,
            organization,
            audience,
            people: Vec::new(),
        };
        world.work_to_rest().await;
        let filter = ConsumerFilter::default();
        let found = world
            .integration
            .consumers(&world.organization, &filter, &ALL)
            .await;
        for record in found.unwrap().items {
            let profile = record.consumer.primary.unwrap().stamp.profile;
            world.people.push((record.consumer.id, profile));
        }
        assert_eq!(world.people.len(), PEOPLE as usize);
        world
    }

    /// Works what is due and skips what is waited for, up to a quarter of an hour.
    async fn work_to_rest(&self) {
        let engine = Engine::new(self.integration.clone(), Pace::default());
        let mut waited = Duration::ZERO;
        for _ in 0..1_000 {
            let Some(next) = self.store.next().await.unwrap() else {
                self.clock
                    .skip_to(self.clock.now().plus(Duration::from_secs(10)));
                waited += Duration::from_secs(10);
                if waited > Duration::from_mins(16) {
                    return;
                }
                continue;
            };
            let end = engine
                .work(&next.work, &CancellationToken::new())
                .await
                .unwrap();
            assert_ne!(end, SliceEnd::Overtaken);
        }
        panic!("the work does not come to rest");
    }

    async fn change(&self, place: usize, joins: bool) {
        let ids = BTreeSet::from([self.people[place].0.clone()]);
        let (organization, audience) = (&self.organization, &self.audience);
        let changed = if joins {
            self.integration
                .add_members(organization, audience, &ids)
                .await
        } else {
            self.integration
                .remove_members(organization, audience, &ids)
                .await
        };
        changed.unwrap();
    }

    /// Lets pushes make profiles.
    async fn make_profiles(&mut self) {
        let update = ContactSettingsUpdate {
            create_profiles: Some(true),
            ..ContactSettingsUpdate::default()
        };
        let chosen = self.integration.update_contacts(&self.organization, update);
        chosen.await.unwrap();
    }

    /// Somebody joins the audience whom Klaviyo does not know.
    async fn stranger(&self, number: usize) {
        let new = NewConsumer {
            email: Email::parse(&stranger(number)).ok(),
            actor: "key_1".to_owned(),
            ..NewConsumer::default()
        };
        let (integration, organization) = (&self.integration, &self.organization);
        let made = integration
            .create_consumer(organization, new)
            .await
            .unwrap();
        let ids = BTreeSet::from([made.consumer.id]);
        let added = integration
            .add_members(organization, &self.audience, &ids)
            .await;
        added.unwrap();
    }

    /// Whoever is in the audience is in the list, and nobody else, but for those whom people have put there or taken off.
    fn assert_people(&self, wanted: &BTreeSet<usize>, excused: &[BTreeSet<usize>]) {
        for place in 0..PEOPLE as usize {
            let (is_listed, is_wanted) = (self.is_listed(place), wanted.contains(&place));
            let is_excused = excused.iter().any(|some| some.contains(&place));
            assert!(
                is_listed == is_wanted || is_excused,
                "{place}, wanted: {is_wanted}"
            );
        }
    }

    /// Each of them is in the list once.
    fn assert_strangers(&self, count: usize) {
        let members = self.account.members(TARGET).unwrap();
        let emails: Vec<&str> = members
            .iter()
            .filter_map(|member| member.profile.email.as_deref())
            .filter(|email| email.starts_with("stranger"))
            .collect();
        let distinct: BTreeSet<&str> = emails.iter().copied().collect();
        assert_eq!((emails.len(), distinct.len()), (count, count));
    }

    async fn push(&self) {
        let (organization, audience) = (&self.organization, &self.audience);
        let shown = self
            .integration
            .preview_push(organization, audience)
            .await
            .unwrap();
        let text = Some(shown.confirmation.text.as_str());
        self.integration
            .push_audience(organization, audience, text)
            .await
            .unwrap();
        self.work_to_rest().await;
    }

    fn is_listed(&self, place: usize) -> bool {
        self.account
            .is_member(TARGET, self.people[place].1.as_str())
            .unwrap()
    }

    async fn standing(&self, place: usize) -> Option<RowStanding> {
        let mut unit = fanfare_domain::ports::Store::read(self.store.as_ref(), &self.organization)
            .await
            .unwrap();
        let target = CollectionId::parse(TARGET).unwrap();
        let profile = std::slice::from_ref(&self.people[place].1);
        let rows = unit.ledger_of_profiles(&target, profile).await.unwrap();
        rows.first().map(|row| row.standing)
    }
}

#[tokio::test]
async fn the_simulators_journal_shows_that_a_kept_list_is_its_audience_and_nobody_was_wronged() {
    let mut killed = 0;
    for seed in 0..3 {
        killed += run(seed).await;
    }
    assert!(killed > 0, "no worker was dropped in the middle");
}

async fn run(seed: u64) -> u64 {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::open().await;
    world.make_profiles().await;
    let choice = ListChoice::Existing(CollectionId::parse(TARGET).unwrap());
    let chosen =
        world
            .integration
            .choose_list(&world.organization, &world.audience, choice, "key_1");
    chosen.await.unwrap();
    let mut wanted = BTreeSet::new();
    for place in 0..10 {
        world.change(place, true).await;
        wanted.insert(place);
    }
    // Of some people Klaviyo has no profile yet.
    let mut strangers: Vec<bool> = Vec::new();
    for n in 0..3 {
        world.stranger(n).await;
        strangers.push(true);
    }
    world.push().await;
    let (mut theirs, mut taken_off, mut killed) = (BTreeSet::new(), BTreeSet::new(), 0);
    for _ in 0..6 {
        for _ in 0..random.random_range(2..8) {
            let place = random.random_range(0..PEOPLE as usize);
            let profile = world.people[place].1.as_str();
            match random.random_range(0..6) {
                5 => {
                    world.stranger(strangers.len()).await;
                    strangers.push(true);
                }
                0 | 1 => {
                    world.change(place, true).await;
                    wanted.insert(place);
                }
                2 | 3 => {
                    world.change(place, false).await;
                    wanted.remove(&place);
                }
                _ => match world.standing(place).await {
                    None if !wanted.contains(&place) && !world.is_listed(place) => {
                        world.account.join(TARGET, profile).unwrap();
                        theirs.insert(place);
                    }
                    Some(RowStanding::Added) if world.is_listed(place) => {
                        world.account.leave(TARGET, profile).unwrap();
                        taken_off.insert(place);
                    }
                    _ => {}
                },
            }
        }
        for effect in [Effect::Reset, Effect::Status(502, None)] {
            if random.random_ratio(1, 3) {
                let endpoint = [
                    Endpoint::AddToList,
                    Endpoint::RemoveFromList,
                    Endpoint::UpsertProfile,
                ][random.random_range(0..3)];
                world
                    .simulator
                    .handle()
                    .add_fault(Fault::new(effect).on(endpoint));
            }
        }
        world
            .clock
            .skip_to(world.clock.now().plus(Duration::from_secs(11)));
        if let Some(next) = world.store.next().await.unwrap() {
            let engine = Engine::new(world.integration.clone(), Pace::default());
            let stop = CancellationToken::new();
            let slice = engine.work(&next.work, &stop);
            let time = Duration::from_millis(random.random_range(1..12));
            if tokio::time::timeout(time, slice).await.is_err() {
                killed += 1;
                world
                    .clock
                    .skip_to(world.clock.now().plus(Duration::from_mins(1)));
            }
        }
        world.work_to_rest().await;
    }
    world.simulator.handle().clear_faults();
    for _ in 0..2 {
        world
            .clock
            .skip_to(world.clock.now().plus(Duration::from_hours(25)));
        world.work_to_rest().await;
    }
    world.assert_people(&wanted, &[taken_off, theirs]);
    world.assert_strangers(strangers.len());
    let journal = world.account.journal().unwrap();
    assert!(!journal.is_empty());
    assert_eq!(breaches(&journal), Vec::<String>::new(), "seed {seed}");
    killed
}

#[tokio::test]
async fn a_list_by_which_a_segment_of_the_audience_is_defined_is_refused_over_http() {
    const SEGMENT: &str = "SeGm01";
    let world = World::open().await;
    let segment = CollectionRef {
        kind: CollectionKind::Segment,
        id: CollectionId::parse(SEGMENT).unwrap(),
    };
    world
        .account
        .create_collection(Kind::Segment, SEGMENT, "Buyers")
        .unwrap();
    world.account.define_by(SEGMENT, &[TARGET]).unwrap();
    let import = ImportRequest {
        collections: vec![segment],
        refresh_interval_seconds: None,
        actor: "key_1".to_owned(),
    };
    let (integration, organization) = (&world.integration, &world.organization);
    let imported = integration.import(organization, import).await.unwrap();
    let synced = imported.imported[0].audience.clone();
    let choice = || ListChoice::Existing(CollectionId::parse(TARGET).unwrap());
    let refused = integration
        .choose_list(organization, &synced, choice(), "key_1")
        .await;
    match refused {
        Err(Error::CircularSync(chain)) => assert_eq!(chain[1], "Klaviyo segment SeGm01"),
        other => panic!("{other:?}"),
    }
    world.account.define_by(SEGMENT, &[SOURCE]).unwrap();
    let chosen = integration
        .choose_list(organization, &synced, choice(), "key_1")
        .await;
    assert!(chosen.unwrap().is_some());
}

#[tokio::test]
async fn profiles_of_many_are_made_by_a_job_of_the_simulator_s_however_it_goes() {
    for effect in [
        None,
        Some(Effect::JobStuck),
        Some(Effect::JobFails),
        Some(Effect::Reset),
    ] {
        let mut world = World::open().await;
        world.make_profiles().await;
        let choice = ListChoice::Existing(CollectionId::parse(TARGET).unwrap());
        let (organization, audience) = (&world.organization, &world.audience);
        let chosen = world
            .integration
            .choose_list(organization, audience, choice, "key_1");
        chosen.await.unwrap();
        for n in 0..60 {
            world.stranger(n).await;
        }
        if let Some(effect) = effect.clone() {
            let fault = Fault::new(effect).on(Endpoint::StartImport);
            world.simulator.handle().add_fault(fault);
        }
        world.push().await;
        world.assert_strangers(60);
        let journal = world.account.journal().unwrap();
        assert_eq!(breaches(&journal), Vec::<String>::new());
        let calls = |of: &str| {
            let is_one = |what: &Written| matches!(what, Written::Request { endpoint, .. } if endpoint == of);
            journal.iter().filter(|entry| is_one(&entry.what)).count()
        };
        let singles = match effect {
            None | Some(Effect::Reset) => 0,
            _ => 60,
        };
        assert_eq!(calls("upsert-profile"), singles, "{effect:?}");
        assert!(calls("start-import") <= 2, "{effect:?}");
    }
}
