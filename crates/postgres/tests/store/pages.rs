//! Pages: what the store knows after any sequence of them is what their plans say.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::page::{PagePlan, Sighting, keys};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, Lookup, PageWrite, StoreError};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::run::SyncRun;

use crate::support::{Fixture, org, profile, store};

const ALL: PageRequest = PageRequest {
    first: 1_000,
    after: None,
};

/// What the plans of all pages together say.
#[derive(Default)]
struct Model {
    consumers: BTreeMap<ConsumerId, Consumer>,
    links: BTreeMap<ProfileId, ProfileLink>,
    sightings: BTreeSet<Sighting>,
    members: BTreeSet<ConsumerId>,
    issues: BTreeSet<(ProfileId, IssueCode)>,
}

impl Model {
    fn apply(&mut self, plan: &PagePlan) -> u64 {
        let updated = plan.updated.iter().map(|write| &write.consumer);
        for consumer in plan.created.iter().chain(updated) {
            self.consumers.insert(consumer.id.clone(), consumer.clone());
        }
        for link in &plan.links {
            self.links.insert(link.profile.clone(), link.clone());
        }
        self.sightings.extend(plan.sightings.iter().cloned());
        let issues = plan.issues.iter();
        self.issues
            .extend(issues.map(|issue| (issue.profile.clone(), issue.fault.code)));
        let before = self.members.len();
        self.members.extend(plan.members.iter().cloned());
        (self.members.len() - before) as u64
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A few profiles that trade a few e-mails, phone numbers and names with each other.
fn untidy_page(dice: &mut Dice) -> Vec<Profile> {
    (0..=dice.below(7))
        .map(|_| {
            let id = format!("p{}", dice.below(12));
            let email = match dice.below(10) {
                0 => String::new(),
                1 => "broken".to_owned(),
                _ => format!("E{}@example.com", dice.below(10)),
            };
            let mut made = profile(&id, &email, &format!("Näme \"{}\" \\ {{", dice.below(4)));
            if dice.below(3) == 0 {
                made.phone = Attribute::text(format!("+1202555010{}", dice.below(4)));
            }
            let seconds = i64::try_from(dice.below(50)).unwrap();
            made.updated = fanfare_domain::time::Timestamp::from_micros(seconds * 1_000_000);
            made
        })
        .collect()
}

/// Compares everything that can be known of these keys with the model.
async fn compare(fixture: &Fixture, run: &SyncRun, model: &Model) {
    let every: Vec<Profile> = (0..12)
        .map(|n| profile(&format!("p{n}"), &format!("e{n}@example.com"), ""))
        .collect();
    let (emails, profiles) = keys(&every);
    let mut unit = fixture.read(&run.organization).await;

    let mut known = unit.known(&run.id, &emails, &profiles).await.unwrap();

    known.consumers.sort_by(|a, b| a.id.cmp(&b.id));
    known.links.sort_by(|a, b| a.profile.cmp(&b.profile));
    known.sightings.sort();
    let linked: BTreeSet<&ConsumerId> = model.links.values().map(|link| &link.consumer).collect();
    let consumers = model.consumers.values();
    let consumers = consumers.filter(|one| one.email.is_some() || linked.contains(&one.id));
    assert_eq!(known.consumers, consumers.cloned().collect::<Vec<_>>());
    assert_eq!(
        known.links,
        model.links.values().cloned().collect::<Vec<_>>()
    );
    assert_eq!(
        known.sightings,
        model.sightings.iter().cloned().collect::<Vec<_>>()
    );
    let members = unit.members(&run.audience, None, &ALL).await.unwrap().items;
    let members: BTreeSet<ConsumerId> = members.into_iter().map(|one| one.consumer.id).collect();
    assert_eq!(members, model.members);
    let issues = unit.issues(&run.id, &ALL).await.unwrap().items;
    let issues: BTreeSet<_> = issues
        .into_iter()
        .map(|issue| (issue.profile, issue.fault.code))
        .collect();
    assert_eq!(issues, model.issues);
}

#[tokio::test]
async fn any_sequence_of_untidy_pages_is_stored_as_their_plans_say() {
    for seed in 0..6 {
        let fixture = store().await;
        let run = fixture.queue(&org("org_a"), "list1").await;
        let (mut dice, mut model) = (Dice(seed), Model::default());
        for _ in 0..60 {
            let page = untidy_page(&mut dice);

            let (plan, added) = fixture.take(&run, &page).await;

            assert_eq!(added, model.apply(&plan));
            compare(&fixture, &run, &model).await;
        }
    }
}

#[tokio::test]
async fn two_consumers_may_swap_their_emails_on_one_page() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let before = [
        profile("p1", "a@example.com", "A"),
        profile("p2", "b@example.com", "B"),
    ];
    let (plan, _) = fixture.take(&run, &before).await;
    let [mut one, mut other] = [plan.created[0].clone(), plan.created[1].clone()];
    std::mem::swap(&mut one.email, &mut other.email);
    let write = |consumer: &Consumer| fanfare_domain::page::ConsumerWrite {
        consumer: consumer.clone(),
        visible: true,
    };
    let swap = PagePlan {
        updated: vec![write(&one), write(&other)],
        ..PagePlan::default()
    };
    let now = fixture.clock.now();

    let mut unit = fixture.begin(&run.organization).await;
    let page = PageWrite {
        run: &run.id,
        audience: &run.audience,
        plan: &swap,
        now,
    };
    unit.write_page(page).await.unwrap();
    unit.commit().await.unwrap();

    let mut unit = fixture.read(&run.organization).await;
    for consumer in [one, other] {
        let email = consumer.email.as_ref().unwrap().as_str().to_owned();
        let found = unit.lookup_consumers(&Lookup::Email(email)).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].consumer, consumer);
        assert_eq!(found[0].updated_at, Some(now));
    }
}

#[tokio::test]
async fn a_consumer_to_overwrite_must_be_there_and_one_to_insert_must_not() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let (plan, _) = fixture
        .take(&run, &[profile("p1", "a@example.com", "A")])
        .await;
    let stranger = Consumer::new(ConsumerId::parse("cons_stranger").unwrap());
    let missing = PagePlan {
        updated: vec![fanfare_domain::page::ConsumerWrite {
            consumer: stranger,
            visible: false,
        }],
        ..PagePlan::default()
    };
    let twice = PagePlan {
        created: plan.created,
        ..PagePlan::default()
    };
    for plan in [missing, twice] {
        let mut unit = fixture.begin(&run.organization).await;
        let page = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            now: fixture.clock.now(),
        };

        let refused = unit.write_page(page).await;

        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn another_organization_knows_nothing_of_a_page_and_has_its_own_of_the_same() {
    let fixture = store().await;
    let (ours, theirs) = (org("org_a"), org("org_b"));
    let page = [profile("p1", "a@example.com", "A")];
    let run = fixture.queue(&ours, "list1").await;
    let (plan, _) = fixture.take(&run, &page).await;
    let (emails, profiles) = keys(&page);

    let mut unit = fixture.read(&theirs).await;
    let known = unit.known(&run.id, &emails, &profiles).await.unwrap();
    let found = unit.consumer(&plan.created[0].id).await.unwrap();
    let counted = unit.member_count(&run.audience).await.unwrap();
    drop(unit);

    assert_eq!(known, fanfare_domain::page::Known::default());
    assert_eq!((found, counted), (None, 0));
    let same = fixture.queue(&theirs, "list1").await;
    let (plan, added) = fixture.take(&same, &page).await;
    assert_eq!((plan.tally.created, added), (1, 1));
}
