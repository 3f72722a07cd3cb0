//! Pages planned by [`fanfare_domain::page::plan`] and written through the store, compared with an
//! oracle that knows neither.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::{Stamp as DomainStamp, Stamped};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::ports::ConsumerFilter;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncRun;

use super::harness::StoreHarness;
use super::oracle::{Given, Oracle, Person, Seen, Stamp, keep_latest};
use super::test_organization::{ALL, Choices, TestOrganization};
use crate::build::{at, profile_id};

/// Profiles, addresses and values are few, so that they meet often.
const PROFILES: usize = 8;
const ADDRESSES: usize = 6;

fn pick(choices: &mut Choices) -> Seen {
    let id = format!("p{}", choices.below(PROFILES));
    let email = match choices.below(8) {
        0 => Given::Absent,
        1 => Given::Broken,
        _ => Given::Address(format!("e{}@example.com", choices.below(ADDRESSES))),
    };
    let updated = [None, Some(choices.below(40))][choices.below(9).min(1)];
    Seen {
        id,
        email,
        phone: (choices.below(3) == 0).then(|| format!("+1202555010{}", choices.below(4))),
        name: (choices.below(4) > 0).then(|| format!("N\u{e4}me \"{}\"", choices.below(4))),
        updated: updated.map(|seconds| i64::try_from(seconds).expect("small")),
    }
}

/// Everybody in the store, in order.
async fn people(org: &TestOrganization<'_>, runs: &[&SyncRun]) -> Vec<Person> {
    let mut unit = org.read().await;
    let profiles: Vec<_> = (0..PROFILES)
        .map(|n| profile_id(&format!("p{n}")))
        .collect();
    let known = unit
        .known(&runs[0].id, &[], &profiles)
        .await
        .expect("what is known");
    let all = unit
        .consumers(&ConsumerFilter::default(), &ALL)
        .await
        .expect("consumers");
    let mut people: BTreeMap<ConsumerId, Person> = BTreeMap::new();
    for record in all.items {
        let consumer = record.consumer;
        let person = Person {
            email: consumer.email.map(|email| email.as_str().to_owned()),
            phone: consumer
                .phone
                .map(|held| stamped(&held, |phone| phone.as_str())),
            name: consumer
                .full_name
                .map(|held| stamped(&held, |name| name.as_str())),
            primary: consumer.primary.map(|primary| stamp(&primary.stamp)),
            ..Person::default()
        };
        people.insert(consumer.id, person);
    }
    for link in known.links {
        let person = people.get_mut(&link.consumer).expect("a link's consumer");
        person.profiles.insert(link.profile.to_string());
    }
    drop(unit);
    for run in runs {
        for member in org.members(&run.audience).await {
            let person = people.get_mut(&member).expect("a member is a consumer");
            person.lists.insert(run.audience.to_string());
        }
    }
    let mut people: Vec<Person> = people.into_values().collect();
    people.sort();
    people
}

fn stamped<T>(held: &Stamped<T>, text: impl Fn(&T) -> &str) -> (String, Stamp) {
    let by = held.by.as_ref().expect("Klaviyo wrote it");
    (text(&held.value).to_owned(), stamp(by))
}

fn stamp(of: &DomainStamp) -> Stamp {
    let seconds = |micros: i64| (micros - at(0).as_micros()) / 1_000_000;
    (
        of.updated.map(|at| seconds(at.as_micros())),
        of.profile.to_string(),
    )
}

/// Ends a pass, in windows of two.
async fn settle(org: &TestOrganization<'_>, run: &mut SyncRun) -> (u64, u64) {
    let (mut added, mut removed) = (0, 0);
    let mut unit = org.begin().await;
    let mut after = None;
    loop {
        let (id, audience) = (&run.id, &run.audience);
        let window = unit
            .add_missing_members(id, audience, after.as_ref(), 2, at(60))
            .await;
        let window = window.expect("a window");
        added += window.affected;
        after = window.next;
        if after.is_none() {
            break;
        }
    }
    let mut after = None;
    loop {
        let (id, audience) = (&run.id, &run.audience);
        let window = unit
            .remove_absent_members(id, audience, after.as_ref(), 2)
            .await;
        let window = window.expect("a window");
        removed += window.affected;
        after = window.next;
        if after.is_none() {
            break;
        }
    }
    unit.commit().await.expect("a commit");
    org.finish(run).await;
    (added, removed)
}

/// Two lists of one organization are read at once, page by page, over and over, while people change
/// their addresses and trade them: after every page, and after every pass, the rows are the oracle's.
pub async fn any_sequence_of_pages_ends_in_the_same_rows_as_the_oracles(
    harness: &dyn StoreHarness,
) {
    for seed in 0..10 {
        let org = TestOrganization::of(harness, &format!("org_{seed}"));
        let mut runs = [org.queue("list0").await, org.queue("list1").await];
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        let (mut choices, mut oracle) = (Choices::new(seed), Oracle::default());
        for page in 0..40 {
            let which = choices.below(2);
            let list = runs[which].audience.to_string();
            let page_of: Vec<Seen> = (0..=choices.below(5)).map(|_| pick(&mut choices)).collect();
            let sent: Vec<Profile> = page_of.iter().map(Seen::profile).collect();

            let (plan, added) = org.take(&runs[which], &sent).await;

            let place = format!("seed {seed}, page {page}");
            for one in &page_of {
                oracle.take(one);
            }
            let joined = oracle.join(&list, page_of.iter().map(|one| &one.id));
            let new = page_of
                .iter()
                .filter(|one| seen[which].insert(one.id.clone()));
            check_counts(&plan, new.count() as u64, &place);
            assert_eq!(added, joined, "{place}");
            let stored = people(&org, &[&runs[0], &runs[1]]).await;
            assert_eq!(stored, oracle.people(), "{place}");
            if choices.below(6) == 0 {
                let settled = settle(&org, &mut runs[which]).await;
                assert_eq!(settled, oracle.settle(&list, &seen[which]), "{place}");
                let stored = people(&org, &[&runs[0], &runs[1]]).await;
                assert_eq!(stored, oracle.people(), "{place}");
                runs[which] = org.queue(&format!("list{which}")).await;
                seen[which].clear();
            }
        }
    }
}

fn check_counts(plan: &fanfare_domain::page::PagePlan, new: u64, place: &str) {
    let tally = plan.tally;
    assert_eq!(tally.processed, new, "{place}");
    let sum = tally.created + tally.updated + tally.unchanged + tally.skipped;
    assert_eq!(sum, new, "{place}");
}

/// Versions of profiles that keep their address, or their having none.
fn steady_versions(choices: &mut Choices) -> Vec<Seen> {
    let contacts: Vec<Option<String>> = (0..PROFILES)
        .map(|_| {
            (choices.below(4) > 0).then(|| format!("e{}@example.com", choices.below(ADDRESSES)))
        })
        .collect();
    let mut versions = Vec::new();
    for (n, address) in contacts.iter().enumerate() {
        for updated in [None, Some(1), Some(5), Some(9)] {
            let mut version = pick(choices);
            version.id = format!("p{n}");
            version.email = address.clone().map_or(Given::Absent, Given::Address);
            version.updated = updated;
            if address.is_none() {
                version.phone = Some(format!("+1202555010{}", choices.below(4)));
            }
            if choices.below(3) > 0 {
                versions.push(version);
            }
        }
    }
    versions
}

/// Who these are, by grouping alone: order does not come into it.
fn grouped(versions: &[Seen], list: &AudienceId) -> Vec<Person> {
    let mut groups: BTreeMap<(Option<String>, String), Person> = BTreeMap::new();
    for version in versions {
        let email = version.email.address().cloned();
        // Without an address, a profile is one alone.
        let alone = if email.is_some() {
            String::new()
        } else {
            version.id.clone()
        };
        let person = groups.entry((email.clone(), alone)).or_default();
        let stamp = (version.updated, version.id.clone());
        person.email = email;
        person.profiles.insert(version.id.clone());
        person.lists.insert(list.to_string());
        keep_latest(&mut person.phone, version.phone.as_ref(), &stamp);
        keep_latest(&mut person.name, version.name.as_ref(), &stamp);
        person.primary = person.primary.clone().max(Some(stamp));
    }
    let mut people: Vec<Person> = groups.into_values().collect();
    people.sort();
    people
}

/// The same versions in any order, in pages of any size, with any repeats:
/// the same rows, and those that grouping alone gives.
pub async fn neither_order_nor_pages_nor_repeats_matter(harness: &dyn StoreHarness) {
    for seed in 0..8 {
        let mut choices = Choices::new(1_000 + seed);
        let versions = steady_versions(&mut choices);
        for round in 0..4 {
            let org = TestOrganization::of(harness, &format!("org_{seed}_{round}"));
            let mut run = org.queue("list1").await;
            let mut order = versions.clone();
            for _ in 0..choices.below(10) {
                let repeat = versions[choices.below(versions.len())].clone();
                order.push(repeat);
            }
            choices.shuffle(&mut order);
            let mut rest = order.as_slice();
            while !rest.is_empty() {
                let (page, left) = rest.split_at(rest.len().min(1 + choices.below(9)));
                let sent: Vec<Profile> = page.iter().map(Seen::profile).collect();
                org.take(&run, &sent).await;
                rest = left;
            }

            assert_eq!(
                settle(&org, &mut run).await,
                (0, 0),
                "seed {seed}, round {round}"
            );

            let want = grouped(&versions, &run.audience);
            assert_eq!(
                people(&org, &[&run]).await,
                want,
                "seed {seed}, round {round}"
            );
        }
    }
}
