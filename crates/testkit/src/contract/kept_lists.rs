//! Audiences that are kept in Klaviyo lists.

use fanfare_domain::delivery::{
    DeliveryCode, DeliveryFilter, DeliveryKind, DeliveryStatus, MadeDelivery,
};
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, ProfileId, RunId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::{KeptList, LedgerRow, PushMode, PushPhase, PushRun, RowStanding};
use fanfare_domain::run::{SyncStatus, Trigger};

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization, assert_paged};
use crate::build::{at, consumer_id, delivery_id, profile_id, run_id};

fn list_id(id: &str) -> CollectionId {
    CollectionId::parse(id).expect("an id")
}

fn kept(audience: &AudienceId, list: &str) -> KeptList {
    let name = Some(format!("List {list}"));
    KeptList::new(
        audience.clone(),
        list_id(list),
        name,
        at(1),
        "key_1".to_owned(),
    )
}

fn push(org: &TestOrganization<'_>, id: &str, audience: &AudienceId) -> PushRun {
    let of = (audience.clone(), list_id("L1"));
    let organization = org.organization.clone();
    PushRun::queued(
        run_id(id),
        organization,
        of,
        Trigger::Manual,
        PushMode::Full,
        at(5),
    )
}

/// A row of every kind.
pub(super) async fn set_up(unit: &mut dyn UnitOfWork, audience: &AudienceId) {
    let kept = kept(audience, "L1");
    unit.put_kept_list(&kept).await.expect("a list");
    let rows = pairs(&[("p1", None)]);
    let written = unit.put_standings(&kept.list, &rows, RowStanding::Added, at(1));
    written.await.expect("a row");
    let of = (audience.clone(), kept.list);
    let organization = unit.organization().clone();
    let trigger = Trigger::Manual;
    let run = PushRun::queued(
        run_id("run_push"),
        organization,
        of,
        trigger,
        PushMode::Full,
        at(5),
    );
    unit.put_push_run(&run).await.expect("a push");
    unit.put_push_limit(5).await.expect("a number");
}

/// Each audience has one list at most, and each list keeps one audience.
pub async fn a_kept_list_comes_back_as_it_was_put_last(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let one = org.import("one").await.audience;
    let two = org.import("two").await.audience;
    let mut unit = org.begin().await;
    assert_eq!(unit.kept_list(&one).await.expect("an answer"), None);
    let mut first = kept(&one, "L1");
    unit.put_kept_list(&first).await.expect("a list");
    first.waits_for = None;
    first.follow_from(at(9));
    let second = kept(&two, "L2");
    for put in [&first, &second] {
        unit.put_kept_list(put).await.expect("a list");
    }
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    let found = unit.kept_list(&one).await.expect("an answer");
    assert_eq!(found.as_ref(), Some(&first));
    assert_eq!(
        unit.kept_lists().await.expect("lists"),
        [first.clone(), second.clone()]
    );
    drop(unit);
    let mut unit = org.begin().await;
    let refused = unit.put_kept_list(&kept(&two, "L1")).await;
    assert_refused(refused, "a list that keeps another audience");
    drop(unit);

    let theirs = TestOrganization::of(harness, "org_b");
    assert_eq!(theirs.read().await.kept_lists().await.expect("lists"), []);
    let mut unit = theirs.begin().await;
    unit.forget_kept_lists().await.expect("nothing of theirs");
    unit.commit().await.expect("a commit");
    let mut unit = org.begin().await;
    unit.delete_kept_list(&one).await.expect("a deletion");
    assert_eq!(unit.kept_lists().await.expect("lists"), [second]);
    unit.forget_kept_lists().await.expect("a deletion");
    assert_eq!(unit.kept_lists().await.expect("lists"), []);
}

fn pairs(ids: &[(&str, Option<&str>)]) -> Vec<(ProfileId, Option<ConsumerId>)> {
    let pair = |(profile, consumer): &(&str, Option<&str>)| {
        (profile_id(profile), consumer.map(consumer_id))
    };
    ids.iter().map(pair).collect()
}

fn row(
    profile: &str,
    consumer: Option<&str>,
    standing: RowStanding,
    (since, seen): (i64, Option<i64>),
) -> LedgerRow {
    LedgerRow {
        profile: profile_id(profile),
        consumer: consumer.map(consumer_id),
        standing,
        since: at(since),
        seen_at: seen.map(at),
    }
}

/// What is held of a profile is replaced, when it was seen stays, and nothing of another list or organization is touched.
pub async fn a_ledger_holds_what_was_written_last(harness: &dyn StoreHarness) {
    use RowStanding::{Added, Adding, Removing, TakenOff, Theirs};
    let org = TestOrganization::new(harness);
    let (list, other) = (list_id("L1"), list_id("L2"));
    let ids = |ids: &[&str]| -> Vec<ProfileId> { ids.iter().map(|id| profile_id(id)).collect() };
    let mut unit = org.begin().await;
    let put = pairs(&[("p1", Some("c1")), ("p2", Some("c2")), ("p3", None)]);
    unit.put_standings(&list, &put, Adding, at(10))
        .await
        .expect("rows");
    unit.note_seen(&list, &ids(&["p1", "p9"]), at(11))
        .await
        .expect("rows");
    let added = pairs(&[("p1", Some("c1"))]);
    unit.put_standings(&list, &added, Added, at(12))
        .await
        .expect("rows");
    let removing = pairs(&[("p2", None)]);
    unit.put_standings(&list, &removing, Removing, at(9))
        .await
        .expect("rows");
    let elsewhere = pairs(&[("p1", Some("c1"))]);
    unit.put_standings(&other, &elsewhere, TakenOff, at(13))
        .await
        .expect("rows");
    unit.put_standings(&list, &[], Added, at(13))
        .await
        .expect("nothing");
    unit.note_seen(&list, &[], at(13)).await.expect("nothing");
    unit.commit().await.expect("a commit");

    let [one, two, three, nine] = [
        row("p1", Some("c1"), Added, (12, Some(11))),
        row("p2", None, Removing, (9, None)),
        row("p3", None, Adding, (10, None)),
        row("p9", None, Theirs, (11, Some(11))),
    ];
    let all = [one.clone(), two.clone(), three.clone(), nine.clone()];
    let mut unit = org.read().await;
    assert_eq!(unit.ledger(&list, None, 10).await.expect("rows"), all);
    let page = unit.ledger(&list, Some(&profile_id("p1")), 2).await;
    assert_eq!(page.expect("rows"), [two.clone(), three.clone()]);
    let open = unit.open_ledger(&list, 10).await.expect("rows");
    assert_eq!(open, [two, three]);
    assert_eq!(unit.open_ledger(&list, 1).await.expect("rows").len(), 1);
    let mut found = unit
        .ledger_of_profiles(&list, &ids(&["p9", "p1", "p7"]))
        .await
        .expect("rows");
    found.sort_by(|a, b| a.profile.cmp(&b.profile));
    assert_eq!(found, [one.clone(), nine]);
    let asked = ["c1", "c2"].map(consumer_id);
    let found = unit.ledger_of_consumers(&list, &asked).await.expect("rows");
    assert_eq!(found, [one]);
    let there = unit
        .ledger_of_consumers(&other, &asked)
        .await
        .expect("rows");
    assert_eq!(there, [row("p1", Some("c1"), TakenOff, (13, None))]);
    drop(unit);

    let theirs = TestOrganization::of(harness, "org_b");
    let mut unit = theirs.begin().await;
    unit.forget_standings(&list, &ids(&["p1", "p2"]))
        .await
        .expect("nothing of theirs");
    assert_eq!(unit.ledger(&list, None, 10).await.expect("rows"), []);
    unit.commit().await.expect("a commit");
    let mut unit = org.begin().await;
    unit.forget_standings(&list, &ids(&["p2", "p3", "p7"]))
        .await
        .expect("rows");
    let left = unit.ledger(&list, None, 10).await.expect("rows");
    let left: Vec<&str> = left.iter().map(|row| row.profile.as_str()).collect();
    assert_eq!(left, ["p1", "p9"]);
    assert_eq!(unit.ledger(&other, None, 10).await.expect("rows").len(), 1);
}

/// An audience has one active push, and its pushes are paged from the latest.
pub async fn a_push_comes_back_as_it_was_put_last(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let audience = org.import("one").await.audience;
    let other = org.import("two").await.audience;
    let mut unit = org.begin().await;
    for n in 0..5 {
        let mut run = push(&org, &format!("run_{n}"), &audience);
        run.claim(at(6));
        unit.put_push_run(&run).await.expect("a run");
        run.succeed(at(7));
        unit.put_push_run(&run).await.expect("a run");
    }
    let mut active = push(&org, "run_9", &audience);
    unit.put_push_run(&active).await.expect("a run");
    active.go_to(PushPhase::Members {
        after: Some(consumer_id("cons_a")),
    });
    unit.put_push_run(&active).await.expect("a run");
    unit.put_push_run(&push(&org, "run_8", &other))
        .await
        .expect("another's run");
    unit.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    let refused = unit.put_push_run(&push(&org, "run_10", &audience)).await;
    assert_refused(refused, "a second active push");
    drop(unit);
    let mut unit = org.read().await;
    let found = unit.active_push(&audience).await.expect("an answer");
    assert_eq!(found.as_ref(), Some(&active));
    let found = unit.push_run(&active.id).await.expect("an answer");
    assert_eq!(found.as_ref(), Some(&active));
    let all = unit.push_runs(&audience, &ALL).await.expect("runs").items;
    let ids: Vec<&str> = all.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["run_9", "run_4", "run_3", "run_2", "run_1", "run_0"]);
    assert_eq!(all[1].status, SyncStatus::Success);
    assert_paged(&all, async |page| {
        unit.push_runs(&audience, page).await.expect("runs")
    })
    .await;
    drop(unit);

    let mut unit = TestOrganization::of(harness, "org_b").begin().await;
    unit.delete_push_run(&active.id)
        .await
        .expect("nothing of theirs");
    assert_eq!(unit.push_limit().await.expect("an answer"), None);
    unit.commit().await.expect("a commit");
    let mut unit = org.begin().await;
    unit.delete_push_run(&RunId::parse("run_9").expect("an id"))
        .await
        .expect("a deletion");
    assert_eq!(unit.active_push(&audience).await.expect("an answer"), None);
    for limit in [7, 1_000_000] {
        unit.put_push_limit(limit).await.expect("a number");
        assert_eq!(unit.push_limit().await.expect("an answer"), Some(limit));
    }
}

/// They stand among the others, are counted, and are never due.
pub async fn deliveries_that_were_made_are_listed_and_never_due(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let made = |id: &str, dropped| MadeDelivery {
        id: delivery_id(id),
        kind: DeliveryKind::Membership,
        type_name: "added".to_owned(),
        consumer: Some(consumer_id("cons_a")),
        target: Some("L1".to_owned()),
        dropped,
    };
    let mut unit = org.begin().await;
    let both = [
        made("dlv_1", None),
        made("dlv_2", Some(DeliveryCode::UnknownInKlaviyo)),
    ];
    unit.record_deliveries(&both, at(20))
        .await
        .expect("deliveries");
    unit.record_deliveries(&[], at(20)).await.expect("nothing");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    let memberships = DeliveryFilter {
        kind: Some(DeliveryKind::Membership),
        ..DeliveryFilter::default()
    };
    let found = unit
        .deliveries(&memberships, &ALL)
        .await
        .expect("deliveries")
        .items;
    let told: Vec<_> = found
        .iter()
        .map(|it| (it.id.as_str(), it.status, it.attempts, it.sent_at, it.code))
        .collect();
    let want = [
        (
            "dlv_2",
            DeliveryStatus::Dropped,
            0,
            None,
            Some(DeliveryCode::UnknownInKlaviyo),
        ),
        ("dlv_1", DeliveryStatus::Sent, 1, Some(at(20)), None),
    ];
    assert_eq!(told, want);
    assert_eq!(found[0].target.as_deref(), Some("L1"));
    assert_eq!(unit.next_delivery_due().await.expect("an answer"), None);
    let summary = unit.delivery_summary().await.expect("a summary");
    let of_kind = &summary[&DeliveryKind::Membership];
    assert_eq!(of_kind.counts[&DeliveryStatus::Sent], 1);
    assert_eq!(of_kind.counts[&DeliveryStatus::Dropped], 1);
}
