//! A list lives for a while, and its history is what a watcher saw.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::history::{ChangeKind, Difference};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::clock::SeededIds;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{TestOrganization, everything};

/// Numbers that look random and are the same in every run of the test.
struct Numbers(SeededIds);

impl Numbers {
    fn below(&self, limit: u64) -> u64 {
        use fanfare_domain::ids::Ids;
        let bits = self.0.ulid().random() >> 16;
        u64::try_from(bits % u128::from(limit)).unwrap()
    }
}

/// People who come and go; every now and then somebody takes another's address, or one that nobody had.
struct People {
    addresses: Vec<u64>,
    day: i64,
}

impl People {
    fn next(&mut self, numbers: &Numbers) -> Vec<Profile> {
        self.day += 1;
        let moved = usize::try_from(numbers.below(self.addresses.len() as u64)).unwrap();
        self.addresses[moved] = numbers.below(20);
        let all = self.addresses.iter().enumerate();
        let there = all.filter(|_| numbers.below(3) > 0);
        let person = |(n, address): (usize, &u64)| {
            let address = format!("e{address}@x.io");
            let person = profile(&format!("P{n:02}")).email(&address);
            person.updated(self.day).joined(i64::try_from(n).unwrap())
        };
        there.map(|one| person(one).build()).collect()
    }
}

async fn members_at(org: &TestOrganization, run: &SyncRun, at: Timestamp) -> BTreeSet<ConsumerId> {
    let (organization, page) = (&org.organization, everything());
    let members = org
        .integration
        .members_at(organization, &run.audience, at, None, &page);
    let members = members.await.unwrap().items.into_iter();
    members.map(|record| record.consumer.id).collect()
}

#[tokio::test(start_paused = true)]
async fn the_members_at_a_thousand_times_are_those_whom_a_watcher_saw() {
    let numbers = Numbers(SeededIds::new(11));
    let mut people = People {
        addresses: (0..15).collect(),
        day: 0,
    };
    let klaviyo = FakeKlaviyo::default().page_size(4);
    let klaviyo = klaviyo.with(list("L1"), "L1", Vec::<Profile>::new());
    let org = TestOrganization::on(&klaviyo).await;
    let begin = org.now();
    let mut notes: Vec<(Timestamp, BTreeSet<ConsumerId>)> = Vec::new();
    let mut run: Option<SyncRun> = None;
    for _ in 0..30 {
        let there = people.next(&numbers);
        klaviyo.change(|contents| contents.collections.get_mut(&list("L1")).unwrap().1 = there);
        let synced = match &run {
            None => org.synced(&list("L1")).await,
            Some(run) => org.resynced(run, true).await,
        };
        assert_eq!(synced.status, SyncStatus::Success, "{:?}", synced.error);
        let page = everything();
        let members = org
            .integration
            .members(&org.organization, &synced.audience, None, &page);
        let members = members.await.unwrap().items.into_iter();
        notes.push((org.now(), members.map(|one| one.consumer.id).collect()));
        tokio::time::sleep(Duration::from_millis(1 + numbers.below(90_000))).await;
        run = Some(synced);
    }

    let run = run.unwrap();
    let length = u64::try_from(org.now().since(begin).as_millis()).unwrap();
    let saw = |time: Timestamp| {
        let last = notes.iter().rev().find(|(at, _)| *at <= time);
        last.map(|(_, members)| members.clone()).unwrap_or_default()
    };
    let (organization, audience) = (&org.organization, &run.audience);
    let mut before = org.now();
    for _ in 0..1_000 {
        let time = begin.plus(Duration::from_millis(numbers.below(length)));
        assert_eq!(members_at(&org, &run, time).await, saw(time), "{time}");
        let (from, to) = (before.min(time), before.max(time));
        let [one, other] = [saw(from), saw(to)];
        let difference = org.integration.difference(organization, audience, from, to);
        let want = Difference {
            members_at_from: one.len() as u64,
            members_at_to: other.len() as u64,
            joined: other.difference(&one).count() as u64,
            left: one.difference(&other).count() as u64,
        };
        assert_eq!(difference.await.unwrap(), want, "{from} to {to}");
        before = time;
    }
    let page = everything();
    let changes = org
        .integration
        .changes(organization, audience, None, None, &page);
    let changes = changes.await.unwrap().items;
    let mut told = BTreeSet::new();
    for change in &changes {
        match change.kind {
            ChangeKind::Joined => assert!(told.insert(change.consumer.clone())),
            ChangeKind::Left => assert!(told.remove(&change.consumer)),
        }
    }
    assert_eq!(told, saw(org.now()));
    let left = changes.iter().filter(|one| one.kind == ChangeKind::Left);
    assert!(left.count() > 50, "they come and go");
}
