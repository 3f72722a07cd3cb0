//! When continuous audiences are due.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::schedule::ContinuousAudience;
use fanfare_domain::time::Timestamp;

use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::{at, audience_id};

async fn put(org: &TestOrganization<'_>, list: &str, seconds: i64) -> AudienceId {
    let audience = audience_id(&format!("aud_{list}"));
    let mut unit = org.begin().await;
    unit.put_due(&audience, at(seconds)).await.expect("a row");
    unit.commit().await.expect("a commit");
    audience
}

async fn organizations(
    org: &TestOrganization<'_>,
    now: Timestamp,
    limit: u32,
) -> Vec<OrganizationId> {
    let queue = &org.harness.handles()[1].queue;
    let found = queue.organizations_with_due_schedules(now, limit).await;
    found.expect("organizations")
}

/// Those that have been due for longest come first, up to the limit; nothing is due before its time.
pub async fn audiences_are_due_at_their_time_and_not_before(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let late = put(&org, "list1", 300).await;
    let early = put(&org, "list2", 100).await;
    let moved = put(&org, "list3", 50).await;
    put(&org, "list3", 200).await;

    let mut unit = org.read().await;
    let all = [(&early, 100), (&moved, 200), (&late, 300)];
    let all = all.map(|(id, seconds)| (id.clone(), at(seconds)));
    for (now, limit, want) in [
        (99, 9, 0),
        (100, 9, 1),
        (299, 9, 2),
        (300, 9, 3),
        (300, 2, 2),
    ] {
        let due = unit.due_schedules(at(now), limit).await.expect("audiences");
        assert_eq!(due, all[..want], "{now}");
    }
    assert_eq!(unit.due_at(&moved).await.expect("a time"), Some(at(200)));
    let mut every = unit.schedules().await.expect("all");
    every.sort_by_key(|(_, due)| *due);
    assert_eq!(every, all);
}

/// Across organizations: each once, the one that has waited for longest first.
pub async fn organizations_with_due_audiences_are_found(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let other = TestOrganization::of(harness, "org_b");
    let idle = TestOrganization::of(harness, "org_c");
    put(&org, "list1", 200).await;
    put(&org, "list2", 300).await;
    put(&other, "list1", 100).await;
    put(&idle, "list1", 900).await;

    assert_eq!(organizations(&org, at(99), 9).await, []);
    let both = [&other, &org].map(|org| org.organization.clone());
    assert_eq!(organizations(&org, at(100), 9).await, both[..1]);
    assert_eq!(organizations(&org, at(400), 9).await, both);
    assert_eq!(organizations(&org, at(400), 1).await, both[..1]);
}

/// A schedule ends alone, or with all others of its organization and their intervals.
pub async fn schedules_end_one_by_one_and_all_at_once(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let other = TestOrganization::of(harness, "org_b");
    let (one, two) = (put(&org, "list1", 1).await, put(&org, "list2", 2).await);
    put(&other, "list1", 1).await;
    for org in [&org, &other] {
        set_interval(org, "list1", Some(900), None).await;
    }

    let mut unit = org.begin().await;
    unit.end_schedule(&one).await.expect("an end");
    unit.end_schedule(&one).await.expect("no error");
    unit.commit().await.expect("a commit");
    let mut unit = org.begin().await;
    assert_eq!(unit.due_at(&one).await.expect("an answer"), None);
    assert_eq!(unit.due_at(&two).await.expect("a time"), Some(at(2)));
    unit.end_schedules().await.expect("an end");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    assert_eq!(unit.schedules().await.expect("none"), []);
    assert_eq!(unit.continuous_audiences().await.expect("none"), []);
    let mut unit = other.read().await;
    assert_eq!(unit.schedules().await.expect("one").len(), 1);
    assert_eq!(unit.continuous_audiences().await.expect("one").len(), 1);
}

async fn set_interval(
    org: &TestOrganization<'_>,
    list: &str,
    interval: Option<u32>,
    paused_by: Option<FailureCode>,
) {
    let mut source = org.import(list).await;
    source.paused_by = paused_by;
    let mut audience = crate::build::audience(&source.audience, &source.id);
    audience.refresh_interval_seconds = interval;
    audience.archived = list == "archived";
    source.archived = audience.archived;
    let mut unit = org.begin().await;
    unit.put_source(&source).await.expect("a source");
    unit.put_audience(&audience).await.expect("an audience");
    unit.commit().await.expect("a commit");
}

/// With their pauses, which end by their reasons.
pub async fn continuous_audiences_are_those_with_an_interval(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let other = TestOrganization::of(harness, "org_b");
    let key = Some(FailureCode::KeyInvalid);
    let gone = Some(FailureCode::SourceGone);
    for org in [&org, &other] {
        set_interval(org, "list1", Some(60), None).await;
        set_interval(org, "list2", Some(604_800), key).await;
        set_interval(org, "list3", None, None).await;
        set_interval(org, "list4", Some(900), gone).await;
        set_interval(org, "archived", Some(900), None).await;
    }
    let with = |list: &str, interval_seconds, paused_by| ContinuousAudience {
        audience: audience_id(&format!("aud_{list}")),
        interval_seconds,
        paused_by,
    };
    let paused = [
        with("list1", 60, None),
        with("list2", 604_800, key),
        with("list4", 900, gone),
    ];

    let mut unit = org.begin().await;
    assert_eq!(unit.continuous_audiences().await.expect("all"), paused);
    let ended = unit.end_pauses(&[FailureCode::KeyInvalid, FailureCode::Internal]);
    ended.await.expect("an end");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    let resumed = [
        with("list1", 60, None),
        with("list2", 604_800, None),
        with("list4", 900, gone),
    ];
    assert_eq!(unit.continuous_audiences().await.expect("all"), resumed);
    let mut unit = other.read().await;
    assert_eq!(unit.continuous_audiences().await.expect("all"), paused);
}
