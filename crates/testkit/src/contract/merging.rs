//! Pages planned by [`fanfare_domain::page::plan`] and written through the store, compared with an
//! oracle that uses neither.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::{Stamp as DomainStamp, Stamped};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::ports::ConsumerFilter;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncRun;

use super::harness::StoreHarness;
use super::oracle::{GivenEmail, Oracle, PlainConsumer, SentProfile, Stamp, address, keep_latest};
use super::test_organization::{ALL, SeededNumbers, TestOrganization};
use crate::build::{at, profile_id};
use crate::seen;

/// There are few profiles, addresses and values, so that they often collide.
const PROFILES: usize = 8;
const ADDRESSES: usize = 6;

fn pick(numbers: &mut SeededNumbers) -> SentProfile {
    let id = format!("p{}", numbers.below(PROFILES));
    let email = match numbers.below(8) {
        0 => GivenEmail::Absent,
        1 => GivenEmail::Broken,
        _ => GivenEmail::Address(address(numbers.below(ADDRESSES))),
    };
    let updated = [None, Some(numbers.below(40))][numbers.below(9).min(1)];
    SentProfile {
        id,
        email,
        phone: (numbers.below(3) == 0).then(|| format!("+1202555010{}", numbers.below(4))),
        name: (numbers.below(4) > 0).then(|| format!("N\u{e4}me \"{}\"", numbers.below(4))),
        updated: updated.map(|seconds| i64::try_from(seconds).expect("a small number")),
    }
}

/// All consumers in the store, without our ids and in order.
async fn stored_consumers(org: &TestOrganization<'_>, runs: &[&SyncRun]) -> Vec<PlainConsumer> {
    let mut unit = org.read().await;
    let profiles: Vec<_> = (0..PROFILES)
        .map(|n| profile_id(&format!("p{n}")))
        .collect();
    let known = seen::known(unit.as_mut(), &runs[0].id, &[], &profiles)
        .await
        .expect("what is known");
    let all = unit
        .consumers(&ConsumerFilter::default(), &ALL)
        .await
        .expect("consumers");
    let mut consumers: BTreeMap<ConsumerId, PlainConsumer> = BTreeMap::new();
    for record in all.items {
        let consumer = record.consumer;
        let plain = PlainConsumer {
            email: consumer.email.map(|email| email.as_str().to_owned()),
            phone: consumer
                .phone
                .map(|held| stamped(&held, |phone| phone.as_str())),
            name: consumer
                .full_name
                .map(|held| stamped(&held, |name| name.as_str())),
            primary: consumer.primary.map(|primary| stamp(&primary.stamp)),
            ..PlainConsumer::default()
        };
        consumers.insert(consumer.id, plain);
    }
    for link in known.links {
        let plain = consumers
            .get_mut(&link.consumer)
            .expect("a link's consumer");
        plain.profiles.insert(link.profile.to_string());
    }
    drop(unit);
    for run in runs {
        for member in org.members(&run.audience).await {
            let plain = consumers.get_mut(&member).expect("a member is a consumer");
            plain.lists.insert(run.audience.to_string());
        }
    }
    let mut consumers: Vec<PlainConsumer> = consumers.into_values().collect();
    consumers.sort();
    consumers
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

/// Reconciles the members at the end of a pass, in batches of two. Returns how many were added and removed.
async fn reconcile(org: &TestOrganization<'_>, run: &mut SyncRun) -> (u64, u64) {
    let (mut added, mut removed) = (0, 0);
    let mut unit = org.begin().await;
    let mut after = Some(0);
    while let Some(page) = after {
        let (id, audience) = (&run.id, &run.audience);
        let batch = unit.add_missing_members(id, audience, page, 2).await;
        let batch = batch.expect("a batch");
        added += batch.affected;
        after = batch.next;
    }
    let seen = seen::seen_set(unit.as_mut(), &run.id).await;
    let seen = seen.expect("what it has seen");
    let mut after = None;
    loop {
        let (id, audience) = (&run.id, &run.audience);
        let batch = unit
            .remove_absent_members(id, audience, &seen, after.as_ref(), 2)
            .await;
        let batch = batch.expect("a batch");
        removed += batch.affected;
        after = batch.next;
        if after.is_none() {
            break;
        }
    }
    unit.commit().await.expect("a commit");
    org.finish(run).await;
    (added, removed)
}

/// Two lists of one organization are read at the same time, pass after pass, while profiles change and swap their
/// addresses. After every page and after every pass, the rows are those that the oracle expects.
pub async fn any_sequence_of_pages_ends_in_the_rows_that_the_oracle_expects(
    harness: &dyn StoreHarness,
) {
    for seed in 0..10 {
        let org = TestOrganization::of(harness, &format!("org_{seed}"));
        let mut runs = [org.queue("list0").await, org.queue("list1").await];
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        let (mut numbers, mut oracle) = (SeededNumbers::new(seed), Oracle::default());
        for page in 0..40 {
            let which = numbers.below(2);
            let list = runs[which].audience.to_string();
            let page_of: Vec<SentProfile> =
                (0..=numbers.below(5)).map(|_| pick(&mut numbers)).collect();
            let sent: Vec<Profile> = page_of.iter().map(SentProfile::profile).collect();

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
            let stored = stored_consumers(&org, &[&runs[0], &runs[1]]).await;
            assert_eq!(stored, oracle.consumers(), "{place}");
            if numbers.below(6) == 0 {
                let reconciled = reconcile(&org, &mut runs[which]).await;
                assert_eq!(reconciled, oracle.reconcile(&list, &seen[which]), "{place}");
                let stored = stored_consumers(&org, &[&runs[0], &runs[1]]).await;
                assert_eq!(stored, oracle.consumers(), "{place}");
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

/// Several versions of each profile, all with the same address or all without one.
fn steady_versions(numbers: &mut SeededNumbers) -> Vec<SentProfile> {
    let contacts: Vec<Option<String>> = (0..PROFILES)
        .map(|_| (numbers.below(4) > 0).then(|| address(numbers.below(ADDRESSES))))
        .collect();
    let mut versions = Vec::new();
    for (n, contact) in contacts.iter().enumerate() {
        for updated in [None, Some(1), Some(5), Some(9)] {
            let mut version = pick(numbers);
            version.id = format!("p{n}");
            version.email = contact
                .clone()
                .map_or(GivenEmail::Absent, GivenEmail::Address);
            version.updated = updated;
            if contact.is_none() {
                version.phone = Some(format!("+1202555010{}", numbers.below(4)));
            }
            if numbers.below(3) > 0 {
                versions.push(version);
            }
        }
    }
    versions
}

/// The consumers that these versions make, found by grouping alone, which no order can change.
fn grouped(versions: &[SentProfile], list: &AudienceId) -> Vec<PlainConsumer> {
    let mut groups: BTreeMap<(Option<String>, String), PlainConsumer> = BTreeMap::new();
    for version in versions {
        let email = version.email.address().cloned();
        // A profile without an address is a consumer of its own.
        let alone = if email.is_some() {
            String::new()
        } else {
            version.id.clone()
        };
        let plain = groups.entry((email.clone(), alone)).or_default();
        let stamp = (version.updated, version.id.clone());
        plain.email = email;
        plain.profiles.insert(version.id.clone());
        plain.lists.insert(list.to_string());
        keep_latest(&mut plain.phone, version.phone.as_ref(), &stamp);
        keep_latest(&mut plain.name, version.name.as_ref(), &stamp);
        plain.primary = plain.primary.clone().max(Some(stamp));
    }
    let mut consumers: Vec<PlainConsumer> = groups.into_values().collect();
    consumers.sort();
    consumers
}

/// The same versions in any order, in pages of any size and with any repeats give the same rows: those that
/// grouping alone gives.
pub async fn neither_order_nor_pages_nor_repeats_matter(harness: &dyn StoreHarness) {
    for seed in 0..8 {
        let mut numbers = SeededNumbers::new(1_000 + seed);
        let versions = steady_versions(&mut numbers);
        for round in 0..4 {
            let org = TestOrganization::of(harness, &format!("org_{seed}_{round}"));
            let mut run = org.queue("list1").await;
            let mut order = versions.clone();
            for _ in 0..numbers.below(10) {
                let repeat = versions[numbers.below(versions.len())].clone();
                order.push(repeat);
            }
            numbers.shuffle(&mut order);
            let mut rest = order.as_slice();
            while !rest.is_empty() {
                let (page, left) = rest.split_at(rest.len().min(1 + numbers.below(9)));
                let sent: Vec<Profile> = page.iter().map(SentProfile::profile).collect();
                org.take(&run, &sent).await;
                rest = left;
            }

            assert_eq!(
                reconcile(&org, &mut run).await,
                (0, 0),
                "seed {seed}, round {round}"
            );

            let want = grouped(&versions, &run.audience);
            assert_eq!(
                stored_consumers(&org, &[&run]).await,
                want,
                "seed {seed}, round {round}"
            );
        }
    }
}
