//! Reconciling the members after the last page, in batches of seen profiles and of members.

use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{PagePlan, SeenProfile};
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncRun;

use super::batches::{add_missing, count_absent, own_audience, remove_absent};
use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::{consumer, email, link, profile, profile_id};
use crate::seen;

/// How many profiles the lists have.
const PROFILES: u32 = 12;

/// The sizes of batches, up to one more than all rows.
const SIZES: std::ops::RangeInclusive<u32> = 1..=PROFILES + 1;

fn profiles(numbers: impl Iterator<Item = u32>) -> Vec<Profile> {
    let one = |n| {
        profile(&format!("p{n:02}"))
            .email(&format!("e{n}@example.com"))
            .build()
    };
    numbers.map(one).collect()
}

/// The run sees each of these profiles in a page of its own, so that a batch may end after any of them.
async fn take_singly(org: &TestOrganization<'_>, run: &SyncRun, numbers: std::ops::Range<u32>) {
    for one in profiles(numbers) {
        org.take(run, &[one]).await;
    }
}

/// Batches of every size have the effect of one large batch.
pub async fn members_that_were_not_seen_leave_whatever_the_size_of_the_batches(
    harness: &dyn StoreHarness,
) {
    for size in SIZES {
        let org = TestOrganization::of(harness, &format!("org_{size}"));
        let first = org.queue("list1").await;
        org.take(&first, &profiles(0..PROFILES)).await;
        org.finish(&first).await;
        let second = org.queue("list1").await;
        org.take(&second, &profiles((0..PROFILES).filter(|n| n % 3 == 0)))
            .await;

        let all = (PROFILES, size);
        assert_eq!(
            count_absent(&org, own_audience(&second), all).await,
            8,
            "batches of {size}"
        );
        assert_eq!(
            count_absent(&org, own_audience(&second), all).await,
            8,
            "counting removes no member"
        );
        assert_eq!(
            remove_absent(&org, own_audience(&second), all).await,
            8,
            "batches of {size}"
        );

        let mut unit = org.read().await;
        let mut want = Vec::new();
        for n in (0..PROFILES).filter(|n| n % 3 == 0) {
            let known = seen::known(
                unit.as_mut(),
                &second.id,
                &[email(&format!("e{n}@example.com"))],
                &[],
            )
            .await;
            want.push(known.expect("what is known").consumers[0].id.clone());
        }
        assert_eq!(org.members(&second.audience).await, want);
        assert_eq!(
            count_absent(&org, own_audience(&second), (4, size)).await,
            0
        );
        // The consumer that is no member any more is still stored.
        let gone = seen::known(unit.as_mut(), &second.id, &[email("e1@example.com")], &[]).await;
        assert_eq!(gone.expect("what is known").consumers.len(), 1);
    }
}

/// The same holds for members that are added.
pub async fn seen_profiles_become_members_whatever_the_size_of_the_batches(
    harness: &dyn StoreHarness,
) {
    for size in SIZES {
        let org = TestOrganization::of(harness, &format!("org_{size}"));
        let run = org.queue("list1").await;
        take_singly(&org, &run, 0..PROFILES).await;
        let other = org.import("list2").await;

        let into = (&run.id, &other.audience);
        let all = (PROFILES, size);
        assert_eq!(
            add_missing(&org, into, all).await,
            u64::from(PROFILES),
            "batches of {size}"
        );
        assert_eq!(
            add_missing(&org, into, all).await,
            0,
            "no member is added twice"
        );
        assert_eq!(
            add_missing(&org, own_audience(&run), all).await,
            0,
            "the page made them members"
        );

        let expected = org.members(&run.audience).await;
        assert_eq!(org.members(&other.audience).await, expected);
    }
}

/// If a profile moves after its page was written, its new consumer becomes a member. The consumer that it left,
/// which this run itself had added, is removed and not counted as absent.
pub async fn profiles_that_moved_meanwhile_are_reconciled_where_they_are_now(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let (before, _) = org.take(&run, &profiles(0..3)).await;
    let other = org.queue("list2").await;
    let moved = [
        profile("o1").email("new@example.com").build(),
        profile("p01").email("new@example.com").build(),
    ];
    let (plan, _) = org.take(&other, &moved).await;
    let (left, taken) = (before.created[1].id.clone(), plan.created[0].id.clone());
    assert!(!org.members(&run.audience).await.contains(&taken));

    assert_eq!(add_missing(&org, own_audience(&run), (1, 2)).await, 1);
    assert_eq!(count_absent(&org, own_audience(&run), (4, 2)).await, 0);
    assert_eq!(remove_absent(&org, own_audience(&run), (4, 3)).await, 1);

    let members = org.members(&run.audience).await;
    assert_eq!(members.len(), 3);
    assert!(members.contains(&taken) && !members.contains(&left));
}

/// A consumer with two profiles stays a member if one of them is seen.
pub async fn a_member_stays_while_one_of_its_profiles_is_seen(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let first = org.queue("list1").await;
    let both = [
        profile("p1").email("a@example.com").build(),
        profile("p2").email("a@example.com").build(),
        profile("p3").email("b@example.com").build(),
    ];
    org.take(&first, &both).await;
    org.finish(&first).await;
    let second = org.queue("list1").await;
    org.take(&second, &both[1..2]).await;

    assert_eq!(remove_absent(&org, own_audience(&second), (2, 1)).await, 1);

    let mut unit = org.read().await;
    let kept = seen::known(unit.as_mut(), &second.id, &[email("a@example.com")], &[]).await;
    let kept = kept.expect("what is known").consumers[0].id.clone();
    drop(unit);
    assert_eq!(org.members(&second.audience).await, [kept]);
}

/// What another run has seen keeps no member, and another audience loses none.
pub async fn reconciling_concerns_one_run_and_one_audience(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let first = org.queue("list1").await;
    org.take(&first, &profiles(0..6)).await;
    org.finish(&first).await;
    let other = org.queue("list2").await;
    org.take(&other, &profiles(0..6)).await;
    let second = org.queue("list1").await;

    assert_eq!(remove_absent(&org, own_audience(&second), (6, 4)).await, 6);

    assert_eq!(org.members(&second.audience).await, []);
    assert_eq!(org.members(&other.audience).await.len(), 6);
}

/// A profile that was skipped is seen and linked to no consumer: it is a row of the batch and adds no member.
pub async fn seen_profiles_without_a_consumer_add_no_member(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let mut page: Vec<Profile> = (0..4).map(|n| profile(&format!("o{n}")).build()).collect();
    page.extend(profiles(0..1));
    org.take(&run, &page).await;
    let other = org.import("list2").await;

    assert_eq!(
        add_missing(&org, (&run.id, &other.audience), (1, 2)).await,
        1
    );
}

/// Batches are ordered by the bytes of an id, and skip none, whatever its case and length.
pub async fn batches_skip_no_id(harness: &dyn StoreHarness) {
    let ids = [
        "A", "AA", "B", "Z", "_", "a", "aB", "ab", "b", "z", "~", "0",
    ];
    for size in SIZES {
        let org = TestOrganization::of(harness, &format!("org_{size}"));
        let run = org.queue("list1").await;
        let plan = PagePlan {
            created: ids.iter().map(|id| consumer(id).build()).collect(),
            new_links: ids.iter().map(|id| link(id, id, None)).collect(),
            ..PagePlan::default()
        };
        org.write(&run, &plan).await;
        for id in ids {
            let seen = SeenProfile {
                profile: profile_id(id),
                with_email: false,
                joined_at: None,
            };
            let seen = PagePlan {
                seen_profiles: vec![seen],
                ..PagePlan::default()
            };
            org.write(&run, &seen).await;
        }

        assert_eq!(
            add_missing(&org, own_audience(&run), (PROFILES, size)).await,
            u64::from(PROFILES)
        );
        let next = org.run(&TestOrganization::source("list1"));
        assert_eq!(
            remove_absent(&org, (&next.run().id, &run.audience), (PROFILES, size)).await,
            12
        );
    }
}

/// Seen profiles of ended runs are deleted, up to the limit at a time. Those of an active run and of another
/// organization stay.
pub async fn seen_profiles_of_ended_runs_are_deleted(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    for list in ["list1", "list2", "list3"] {
        let run = org.queue(list).await;
        take_singly(&org, &run, 0..10).await;
        org.finish(&run).await;
    }
    let active = org.queue("list4").await;
    org.take(&active, &profiles(0..10)).await;
    let theirs = TestOrganization::of(harness, "org_b");
    let foreign = theirs.queue("list1").await;
    theirs.take(&foreign, &profiles(0..10)).await;
    theirs.finish(&foreign).await;

    let mut deleted = Vec::new();
    for _ in 0..5 {
        let mut unit = org.begin().await;
        deleted.push(unit.delete_seen_pages(12).await.expect("a count"));
        unit.commit().await.expect("a commit");
    }

    assert_eq!(deleted, [12, 12, 6, 0, 0]);
    let profiles: Vec<ProfileId> = profiles(0..10).into_iter().map(|one| one.id).collect();
    assert_eq!(
        org.known(&active.id, &profiles).await.seen_profiles.len(),
        10
    );
    assert_eq!(
        theirs
            .known(&foreign.id, &profiles)
            .await
            .seen_profiles
            .len(),
        10
    );
}
