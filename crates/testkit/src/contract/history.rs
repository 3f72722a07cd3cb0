//! Who was a member when.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::history::{Change, ChangeKind, ChangeRange, Difference, Membership, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::paging::Page;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;
use fanfare_domain::timeline::Stay;

use super::harness::StoreHarness;
use super::test_organization::{ALL, SeededNumbers, TestOrganization, assert_paged};
use crate::build::{self, audience_id, consumer_id, profile};
use crate::seen;

const SECOND: Duration = Duration::from_secs(1);

/// A pass over a list of these members, each in a second of its own: a page, then the leavings.
pub(super) async fn pass(org: &TestOrganization<'_>, list: &str, members: &[&str]) -> SyncRun {
    let run = org.queue(list).await;
    let member = |id: &&str| profile(id).email(&format!("{id}@example.com")).build();
    let page: Vec<Profile> = members.iter().map(member).collect();
    org.take(&run, &page).await;
    org.advance(SECOND).await;
    remove_absent(org, &run).await;
    org.advance(SECOND).await;
    org.finish(&run).await
}

async fn remove_absent(org: &TestOrganization<'_>, run: &SyncRun) {
    let mut unit = org.begin().await;
    let seen = seen::seen_set(unit.as_mut(), &run.id).await;
    let seen = seen.expect("what it has seen");
    let removed = unit.remove_absent_members(&run.id, &run.audience, &seen, None, 1_000);
    removed.await.expect("a batch");
    unit.commit().await.expect("a commit");
}

/// The consumer with a profile's address.
pub(super) async fn consumer_of(org: &TestOrganization<'_>, run: &SyncRun, id: &str) -> ConsumerId {
    let known = org.known(&run.id, &[crate::build::profile_id(id)]).await;
    known.consumers[0].id.clone()
}

pub(super) async fn members_at(
    org: &TestOrganization<'_>,
    audience: &AudienceId,
    time: Timestamp,
) -> BTreeSet<ConsumerId> {
    let mut unit = org.read().await;
    let members = unit.members_at(audience, time, None, &ALL).await;
    let ids = members.expect("members").items.into_iter();
    ids.map(|record| record.consumer.id).collect()
}

pub(super) async fn all_changes(org: &TestOrganization<'_>, audience: &AudienceId) -> Vec<Change> {
    let range = ChangeRange {
        since: Timestamp::EPOCH,
        until: None,
        after: None,
    };
    let mut unit = org.read().await;
    let changes = unit.changes(audience, &range, 10_000).await;
    changes.expect("changes")
}

/// A first import is everybody's joining; a pass in which nothing changed is no change; who comes back joins anew.
pub async fn a_membership_begins_and_ends_at_the_time_of_its_unit(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let began = moment(harness.now().await);
    let first = pass(&org, "list1", &["p1", "p2"]).await;
    pass(&org, "list1", &["p1", "p2"]).await;
    let left = moment(harness.now().await).plus(SECOND);
    let second = pass(&org, "list1", &["p2"]).await;
    let back = moment(harness.now().await);
    let third = pass(&org, "list1", &["p1", "p2"]).await;
    pass(&org, "list2", &["p1"]).await;

    let audience = &first.audience;
    let [one, two] = [
        consumer_of(&org, &first, "p1").await,
        consumer_of(&org, &first, "p2").await,
    ];
    let change = |at, kind, consumer: &ConsumerId, run: &SyncRun| Change {
        at,
        kind,
        consumer: consumer.clone(),
        run: Some(run.id.clone()),
    };
    let want = [
        change(began, ChangeKind::Joined, &one, &first),
        change(began, ChangeKind::Joined, &two, &first),
        change(left, ChangeKind::Left, &one, &second),
        change(back, ChangeKind::Joined, &one, &third),
    ];
    assert_eq!(all_changes(&org, audience).await, want);
    let before = |time: Timestamp| time.minus(Duration::from_millis(1));
    for (time, members) in [
        (before(began), vec![]),
        (began, vec![&one, &two]),
        (before(left), vec![&one, &two]),
        (left, vec![&two]),
        (before(back), vec![&two]),
        (back, vec![&one, &two]),
    ] {
        let want = members.into_iter().cloned().collect();
        assert_eq!(members_at(&org, audience, time).await, want, "{time}");
    }

    let mut unit = org.read().await;
    for (consumer, began, joined_by) in [(&one, back, &third.id), (&two, began, &first.id)] {
        let last = unit.last_membership(audience, consumer).await;
        let want = Membership {
            consumer: consumer.clone(),
            began,
            joined_by: Some(joined_by.clone()),
            end: None,
        };
        assert_eq!(last.expect("an answer"), Some(want));
    }
    let nobody = consumer_id("cons_nobody");
    let last = unit.last_membership(audience, &nobody).await;
    assert_eq!(last.expect("an answer"), None);
    drop(unit);
    pass(&org, "list1", &["p2"]).await;
    let mut unit = org.read().await;
    let last = unit.last_membership(audience, &one).await;
    let last = last.expect("an answer").expect("a membership");
    assert_eq!(last.began, back);
    assert!(last.end.expect("an end").at > back);

    let theirs = TestOrganization::of(harness, "org_b");
    assert_eq!(members_at(&theirs, audience, began).await, BTreeSet::new());
    assert_eq!(all_changes(&theirs, audience).await, []);
    let never = audience_id("aud_never");
    assert_eq!(members_at(&org, &never, began).await, BTreeSet::new());
}

/// Those that are there and those that ended, of the consumer alone, of archived audiences too.
pub async fn a_consumers_memberships_are_read_of_all_audiences_together(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let first = pass(&org, "list1", &["p1", "p2"]).await;
    pass(&org, "list1", &["p2"]).await;
    pass(&org, "list1", &["p1", "p2"]).await;
    let other = pass(&org, "list2", &["p1"]).await;
    pass(&org, "list3", &["p2"]).await;
    let one = consumer_of(&org, &first, "p1").await;
    let mut archived = build::audience(&other.audience, &other.source);
    archived.archived = true;
    let mut unit = org.begin().await;
    unit.put_audience(&archived).await.expect("an audience");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    let found = unit.memberships_of(&one).await;
    let mut found = found.expect("memberships");
    found.sort_by_key(|stay| stay.began);
    let told: Vec<_> = found
        .iter()
        .map(|stay| (&stay.audience, stay.ended.is_some()))
        .collect();
    let want = [
        (&first.audience, true),
        (&first.audience, false),
        (&other.audience, false),
    ];
    assert_eq!(told, want);
    // They are the same memberships that the audience tells of.
    let changes = all_changes(&org, &first.audience).await.into_iter();
    let of_one = changes.filter(|change| change.consumer == one);
    let want: Vec<_> = of_one.map(|change| (change.at, change.kind)).collect();
    let stays = found.iter().filter(|stay| stay.audience == first.audience);
    let changes = stays.flat_map(Stay::changes);
    let told: Vec<_> = changes.map(|change| (change.at, change.kind)).collect();
    assert_eq!(told, want);
    let nobody = consumer_id("cons_never");
    let none = unit.memberships_of(&nobody).await.expect("an answer");
    assert_eq!(none, []);
    drop(unit);
    let theirs = TestOrganization::of(harness, "org_b");
    let mut unit = theirs.read().await;
    let none = unit.memberships_of(&one).await.expect("an answer");
    assert_eq!(none, []);
}

/// By pages of every size, from any time on and before any other.
pub async fn changes_are_paged_in_their_order(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let first = pass(&org, "list1", &["p1", "p2", "p3"]).await;
    pass(&org, "list1", &["p2"]).await;
    pass(&org, "list1", &["p1", "p2", "p4"]).await;
    let audience = &first.audience;
    let all = all_changes(&org, audience).await;
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted());

    let mut times: Vec<Option<Timestamp>> = all.iter().map(|change| Some(change.at)).collect();
    times.dedup();
    times.push(None);
    for since in &times {
        for until in &times {
            let range = ChangeRange {
                since: since.unwrap_or(Timestamp::EPOCH),
                until: *until,
                after: None,
            };
            let want = all.iter().filter(|change| range.contains(change));
            let want: Vec<Change> = want.cloned().collect();
            assert_paged(&want, async |page| {
                let after = page.after.as_deref();
                let after = after.and_then(fanfare_domain::history::ChangeKey::parse);
                let range = ChangeRange {
                    after,
                    ..range.clone()
                };
                let mut unit = org.read().await;
                let changes = unit.changes(audience, &range, page.first).await;
                Page::of(changes.expect("changes"), |change: &Change| {
                    change.key().to_text()
                })
            })
            .await;
        }
    }
}

/// The latest first, by pages of every size, from any time on.
pub async fn the_latest_changes_are_paged_backwards(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let first = pass(&org, "list1", &["p1", "p2", "p3"]).await;
    pass(&org, "list1", &["p2"]).await;
    pass(&org, "list1", &["p1", "p2", "p4"]).await;
    let audience = &first.audience;
    let all = all_changes(&org, audience).await;
    assert_eq!(all.len(), 7);

    for since in [Timestamp::EPOCH, all[3].at, all[6].at] {
        let want = all.iter().rev().filter(|change| since <= change.at);
        let want: Vec<Change> = want.cloned().collect();
        assert_paged(&want, async |page| {
            let before = page.after.as_deref();
            let before = before.and_then(fanfare_domain::history::ChangeKey::parse);
            let mut unit = org.read().await;
            let changes = unit.latest_changes(audience, since, before.as_ref(), page.first);
            Page::of(changes.await.expect("changes"), |change: &Change| {
                change.key().to_text()
            })
        })
        .await;
    }
    let theirs = TestOrganization::of(harness, "org_b");
    let mut unit = theirs.read().await;
    let changes = unit.latest_changes(audience, Timestamp::EPOCH, None, 10);
    assert_eq!(changes.await.expect("changes"), []);
}

/// What a watcher wrote down.
struct Watcher {
    audience: AudienceId,
    notes: Vec<(Timestamp, BTreeSet<ConsumerId>)>,
}

impl Watcher {
    async fn look(&mut self, org: &TestOrganization<'_>) {
        let members = org.members(&self.audience).await.into_iter().collect();
        self.notes.push((moment(org.harness.now().await), members));
    }

    /// Whom the watcher saw last at a time.
    fn saw(&self, time: Timestamp) -> BTreeSet<ConsumerId> {
        let notes = self.notes.iter().rev();
        let last = notes.clone().find(|(at, _)| *at <= time);
        last.map(|(_, members)| members.clone()).unwrap_or_default()
    }
}

/// Lists whose people join, leave, come back, change their addresses and take those of others, in passes of several
/// pages and batches. At a thousand times the members are those whom a watcher saw, and so are the changes and the
/// differences.
pub async fn members_at_any_time_are_those_whom_a_watcher_saw(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut numbers = SeededNumbers::new(7);
    let lists = ["list1", "list2"];
    let mut watchers = lists.map(|list| Watcher {
        audience: audience_id(&format!("aud_{list}")),
        notes: Vec::new(),
    });
    let mut addresses: Vec<usize> = (0..10).collect();
    let begin = moment(harness.now().await);
    for n in 0_i64..24 {
        let list = numbers.below(2);
        let run = org.queue(lists[list]).await;
        let moved = numbers.below(addresses.len());
        addresses[moved] = numbers.below(10);
        let mut page: Vec<Profile> = Vec::new();
        for (one, address) in addresses.iter().enumerate() {
            if numbers.below(3) > 0 {
                let address = format!("e{address}@example.com");
                let one = profile(&format!("p{one}")).email(&address).updated(n);
                page.push(one.build());
            }
        }
        for page in page.chunks(4) {
            org.take(&run, page).await;
            watch(&org, &mut numbers, &mut watchers).await;
        }
        let mut after = Some(0);
        while let Some(page) = after {
            let mut unit = org.begin().await;
            let batch = unit.add_missing_members(&run.id, &run.audience, page, 3);
            after = batch.await.expect("a batch").next;
            unit.commit().await.expect("a commit");
            watch(&org, &mut numbers, &mut watchers).await;
        }
        let mut after = None;
        loop {
            let mut unit = org.begin().await;
            let (id, audience) = (&run.id, &run.audience);
            let seen = seen::seen_set(unit.as_mut(), id).await;
            let seen = seen.expect("what it has seen");
            let batch = unit.remove_absent_members(id, audience, &seen, after.as_ref(), 3);
            after = batch.await.expect("a batch").next;
            unit.commit().await.expect("a commit");
            watch(&org, &mut numbers, &mut watchers).await;
            if after.is_none() {
                break;
            }
        }
        org.finish(&run).await;
    }

    let length = harness.now().await.since(begin).as_millis() + 10;
    let length = usize::try_from(length).expect("a short time");
    let mut time = |_| {
        let millis = u64::try_from(numbers.below(length)).expect("a small number");
        begin.plus(Duration::from_millis(millis))
    };
    let times: Vec<Timestamp> = (0..1_000).map(&mut time).collect();
    for watcher in &watchers {
        let audience = &watcher.audience;
        let changes = all_changes(&org, audience).await;
        let leavings = changes.iter().filter(|one| one.kind == ChangeKind::Left);
        assert!(leavings.count() > 10, "the lists have changed");
        let mut before = times[0];
        for (n, &time) in times.iter().enumerate() {
            let saw = watcher.saw(time);
            assert_eq!(members_at(&org, audience, time).await, saw, "{time}");
            let mut told = BTreeSet::new();
            for change in changes.iter().take_while(|change| change.at <= time) {
                match change.kind {
                    ChangeKind::Joined => assert!(told.insert(change.consumer.clone())),
                    ChangeKind::Left => assert!(told.remove(&change.consumer)),
                }
            }
            assert_eq!(told, saw, "{time}");
            if n % 10 == 0 {
                let (from, to) = (before.min(time), before.max(time));
                assert_difference(&org, watcher, from, to).await;
            }
            before = time;
        }
    }
}

async fn watch(
    org: &TestOrganization<'_>,
    numbers: &mut SeededNumbers,
    watchers: &mut [Watcher; 2],
) {
    for watcher in watchers {
        watcher.look(org).await;
    }
    let micros = u64::try_from(1 + numbers.below(5_000)).expect("a small number");
    org.advance(Duration::from_micros(micros)).await;
}

async fn assert_difference(
    org: &TestOrganization<'_>,
    watcher: &Watcher,
    from: Timestamp,
    to: Timestamp,
) {
    let audience = &watcher.audience;
    let [before, after] = [from, to].map(|time| watcher.saw(time));
    let mut unit = org.read().await;
    let got = Difference::of(
        unit.member_count_at(audience, from).await.expect("a count"),
        unit.member_count_at(audience, to).await.expect("a count"),
        unit.left_between(audience, from, to)
            .await
            .expect("a count"),
    );
    let want = Difference {
        members_at_from: before.len() as u64,
        members_at_to: after.len() as u64,
        joined: after.difference(&before).count() as u64,
        left: before.difference(&after).count() as u64,
    };
    assert_eq!(got, want, "{from} to {to}");
}

/// As the members of now are: by pages, and by a part of their texts.
pub async fn members_of_a_time_are_paged_and_searched(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = pass(&org, "list1", &["ada1", "bo1", "ada2", "bo2", "ada3"]).await;
    let then = harness.now().await;
    org.advance(SECOND).await;
    pass(&org, "list1", &["bo1", "ada2", "cleo"]).await;
    let audience = &run.audience;

    for (search, count) in [
        (None, 5),
        (Some("ADA"), 3),
        (Some("bo2@"), 1),
        (Some("cleo"), 0),
    ] {
        let mut unit = org.read().await;
        let all = unit.members_at(audience, then, search, &ALL).await;
        let all = all.expect("members").items;
        assert_eq!(all.len(), count, "{search:?}");
        assert!(all.is_sorted_by_key(|record| record.consumer.id.clone()));
        assert_paged(&all, async |page| {
            let mut unit = org.read().await;
            let members = unit.members_at(audience, then, search, page).await;
            members.expect("members")
        })
        .await;
    }
}

/// A clock that was set back cannot say when such a membership was.
pub async fn a_membership_that_ends_before_its_beginning_leaves_no_history(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let run = pass(&org, "list1", &["p1", "p2"]).await;
    harness.set_back(Duration::from_mins(1)).await;
    pass(&org, "list1", &["p2"]).await;

    assert_eq!(org.members(&run.audience).await.len(), 1);
    let changes = all_changes(&org, &run.audience).await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].kind, ChangeKind::Joined);
}
