//! What is kept for a time only.

use fanfare_domain::history::{Snapshot, moment};
use fanfare_domain::ids::{RunId, SnapshotId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::page::PagePlan;
use fanfare_domain::quota::{Demand, Endpoint};
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;

use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization};
use crate::build::{at, issue, profile};

/// A run of a list that was cancelled at this time.
async fn cancelled(org: &TestOrganization<'_>, list: &str, seconds: i64) -> SyncRun {
    let run = org.queue(list).await;
    let mut loaded = org.load(&run).await;
    loaded
        .cancel("The test ends it.", at(seconds))
        .expect("an end");
    org.save(&loaded).await;
    run
}

async fn expired(org: &TestOrganization<'_>, before: Timestamp, size: u32) -> Vec<RunId> {
    let mut unit = org.read().await;
    let mut runs = unit.expired_runs(before, size).await.expect("runs");
    runs.sort();
    runs
}

/// Neither the latest run nor the latest successful one of an audience expires, nor one that is under way.
pub async fn old_runs_expire_but_the_latest_and_the_latest_successful(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let first = cancelled(&org, "list1", 10).await;
    let successful = org.finish(&org.queue("list1").await).await;
    let second = cancelled(&org, "list1", 5_000).await;
    let third = cancelled(&org, "list1", 6_000).await;
    let latest = cancelled(&org, "list1", 7_000).await;
    let only = cancelled(&org, "list2", 10).await;
    let active = org.queue("list3").await;

    assert_eq!(expired(&org, at(10), 9).await, []);
    assert_eq!(
        expired(&org, at(11), 9).await,
        std::slice::from_ref(&first.id)
    );
    let all = [&first.id, &second.id, &third.id].map(Clone::clone);
    assert_eq!(expired(&org, at(9_000), 9).await, all);
    assert_eq!(expired(&org, at(9_000), 2).await.len(), 2);
    let theirs = TestOrganization::of(harness, "org_b");
    assert_eq!(expired(&theirs, at(9_000), 9).await, []);

    for id in &all {
        let mut unit = org.begin().await;
        assert!(unit.delete_run(id, 9).await.expect("a deletion"));
        unit.commit().await.expect("a commit");
    }
    assert_eq!(expired(&org, at(9_000), 9).await, []);
    let mut unit = org.read().await;
    for kept in [&successful, &latest, &only, &active] {
        assert!(unit.run(&kept.id).await.expect("an answer").is_some());
    }
    let of_list1 = unit.runs(&latest.audience, &ALL).await.expect("runs");
    assert_eq!(of_list1.items.len(), 2);
    let count = unit.run_count(&latest.audience).await;
    assert_eq!(
        count.expect("a count"),
        5,
        "those that were deleted are counted"
    );
}

/// A few issues at a time, then the run.
pub async fn a_run_is_deleted_with_its_issues_a_few_at_a_time(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = cancelled(&org, "list1", 10).await;
    let other = cancelled(&org, "list1", 20).await;
    let issues = (0..10).map(|n| issue(&format!("p{n}"), IssueCode::InvalidEmail, None));
    let plan = PagePlan {
        issues: issues.collect(),
        ..PagePlan::default()
    };
    org.write(&run, &plan).await;
    org.write(&other, &plan).await;

    let mut units = 0;
    loop {
        let mut unit = org.begin().await;
        let is_gone = unit.delete_run(&run.id, 3).await.expect("a deletion");
        unit.commit().await.expect("a commit");
        units += 1;
        if is_gone {
            break;
        }
    }

    assert!((3..=5).contains(&units), "{units} units");
    let mut unit = org.read().await;
    assert!(unit.run(&run.id).await.expect("an answer").is_none());
    assert_eq!(unit.issues(&run.id, &ALL).await.expect("issues").items, []);
    let others = unit.issues(&other.id, &ALL).await.expect("issues");
    assert_eq!(others.items.len(), 10);
}

/// Not those of audiences that were archived lately or have a snapshot, and not those of others. Their history is gone
/// with them.
pub async fn members_of_archived_audiences_expire(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let page = |list: &str| -> Vec<_> {
        let one = |n: u32| profile(&format!("{list}p{n}")).email(&format!("{list}{n}@example.com"));
        (0..5).map(|n| one(n).build()).collect()
    };
    let mut audiences = Vec::new();
    for (list, archived_at) in [("list1", Some(100)), ("list2", Some(200)), ("list3", None)] {
        let run = org.queue(list).await;
        org.take(&run, &page(list)).await;
        let mut unit = org.begin().await;
        let record = unit.audience(&run.audience).await.expect("an answer");
        let mut audience = record.expect("an audience").audience;
        audience.archived = archived_at.is_some();
        audience.updated_at = Some(at(archived_at.unwrap_or(1)));
        unit.put_audience(&audience).await.expect("an audience");
        unit.commit().await.expect("a commit");
        audiences.push(run.audience);
    }

    let snapshot = Snapshot {
        id: SnapshotId::parse("snap_1").expect("an id"),
        name: "Draw".to_owned(),
        at: at(1),
        members: 0,
    };
    let mut unit = org.begin().await;
    let inserted = unit.insert_snapshot(&audiences[0], &snapshot).await;
    inserted.expect("a snapshot");
    let expired = unit.expired_audiences(at(200)).await.expect("audiences");
    assert_eq!(expired, []);
    let deleted = unit.delete_snapshot(&audiences[0], &snapshot.id).await;
    assert!(deleted.expect("an answer"));
    let expired = unit.expired_audiences(at(200)).await.expect("audiences");
    assert_eq!(expired, audiences[..1]);
    let mut deleted = 0;
    loop {
        match unit
            .delete_members(&audiences[0], 2)
            .await
            .expect("a count")
        {
            0 => break,
            members => deleted += members,
        }
    }
    assert_eq!(deleted, 5);
    let from = unit.history_from(&audiences[0]).await.expect("a time");
    assert_eq!(from, Some(moment(harness.now().await)));
    unit.commit().await.expect("a commit");
    let mut unit = org.read().await;
    assert_eq!(
        unit.expired_audiences(at(200)).await.expect("audiences"),
        []
    );
    for audience in &audiences[1..] {
        assert_eq!(unit.member_count(audience).await.expect("a count"), 5);
    }
}

/// Buckets that no request has used, and that block none.
pub async fn quotas_that_nobody_uses_are_deleted(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let quota = &org.handle().quota;
    let endpoint = Endpoint::Accounts;
    for (account, seconds) in [("old", 100), ("blocked", 100), ("new", 5_000)] {
        let reserved = quota
            .reserve(account, endpoint, &Demand::ONE, at(seconds))
            .await;
        reserved.expect("a reservation");
    }
    let blocked = quota.block("blocked", endpoint, at(9_000), at(100)).await;
    blocked.expect("a block");

    assert_eq!(quota.delete_unused(at(4_000), 9).await.expect("a count"), 1);
    assert_eq!(quota.delete_unused(at(4_000), 9).await.expect("a count"), 0);
    assert_eq!(
        quota.delete_unused(at(99_000), 1).await.expect("a count"),
        1
    );
    assert_eq!(
        quota.delete_unused(at(99_000), 9).await.expect("a count"),
        1
    );
}
