//! What Klaviyo is to be told.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::delivery::{
    DeliveryCode, DeliveryFilter, DeliveryKind, DeliveryStatus, Payload, Settled, SummaryOfKind,
};
use fanfare_domain::ids::{AccountId, DeliveryId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::time::Timestamp;

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::{ALL, SeededNumbers, TestOrganization, assert_paged};
use crate::build::{at, consumer_id, delivery_id, dropped, pending, purchase};

async fn due(unit: &mut dyn UnitOfWork, now: Timestamp) -> Vec<String> {
    let due = unit.due_deliveries(now, 100).await.expect("deliveries");
    due.iter().map(|one| one.id.to_string()).collect()
}

async fn status(unit: &mut dyn UnitOfWork, id: &str) -> DeliveryStatus {
    let delivery = unit.delivery(&delivery_id(id)).await.expect("an answer");
    delivery.expect("a delivery").status
}

fn ids(of: &[&str]) -> Vec<DeliveryId> {
    of.iter().map(|id| delivery_id(id)).collect()
}

/// With what it says, at the microsecond at which it is due.
pub async fn a_delivery_is_due_at_its_time_as_it_was_written(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let due_at = at(10).plus(Duration::from_micros(1));
    let new = pending("dlv_1", &consumer_id("cons_a"), due_at);
    let mut unit = org.begin().await;
    let written = unit
        .insert_deliveries(std::slice::from_ref(&new), at(9))
        .await;
    written.expect("a delivery");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    assert_eq!(
        unit.next_delivery_due().await.expect("a time"),
        Some(due_at)
    );
    assert_eq!(due(unit.as_mut(), at(10)).await, [""; 0]);
    let found = unit.due_deliveries(due_at, 1).await.expect("deliveries");
    assert_eq!(found.len(), 1);
    assert_eq!(
        Some(&found[0].payload),
        new.outcome.as_ref().ok().map(|(payload, _)| payload)
    );
    assert_eq!((found[0].attempts, found[0].first_tried_at), (0, None));
    let shown = unit
        .delivery(&new.id)
        .await
        .expect("an answer")
        .expect("a delivery");
    assert_eq!(shown.status, DeliveryStatus::Pending);
    assert_eq!(
        (shown.created_at, shown.sent_at, shown.code),
        (at(9), None, None)
    );
    assert_eq!((shown.type_name, shown.target), (new.type_name, new.target));
    let mut other = TestOrganization::of(harness, "org_b").read().await;
    assert_eq!(other.delivery(&new.id).await.expect("an answer"), None);
    assert_eq!(other.next_delivery_due().await.expect("an answer"), None);
    drop((unit, other));
    let twice = org
        .begin()
        .await
        .insert_deliveries(&[pending("dlv_1", &consumer_id("cons_a"), at(9))], at(9))
        .await;
    assert_refused(twice, "an id that is taken");
}

/// Whoever is put off takes along what comes after it, and nobody else's.
pub async fn nothing_of_a_consumer_overtakes_what_came_before_it(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let [ada, bo] = ["cons_a", "cons_b"].map(consumer_id);
    let mut unit = org.begin().await;
    let new = [
        pending("dlv_1", &ada, at(50)),
        pending("dlv_2", &ada, at(10)),
        pending("dlv_3", &bo, at(10)),
    ];
    unit.insert_deliveries(&new, at(10))
        .await
        .expect("deliveries");
    let later = pending("dlv_4", &ada, at(20));
    unit.insert_deliveries(&[later], at(20))
        .await
        .expect("a delivery");
    unit.commit().await.expect("a commit");
    let mut unit = org.begin().await;
    assert_eq!(due(unit.as_mut(), at(49)).await, ["dlv_3"]);
    assert_eq!(
        due(unit.as_mut(), at(50)).await,
        ["dlv_3", "dlv_1", "dlv_2", "dlv_4"]
    );

    let first = ids(&["dlv_1"]);
    unit.begin_tries(&first, at(50)).await.expect("tries");
    let again = (delivery_id("dlv_1"), Settled::Again(at(60)));
    unit.settle_deliveries(&[again], at(51))
        .await
        .expect("settled");
    assert_eq!(due(unit.as_mut(), at(59)).await, ["dlv_3"]);
    assert_eq!(
        due(unit.as_mut(), at(60)).await,
        ["dlv_3", "dlv_1", "dlv_2", "dlv_4"]
    );
    let found = unit.due_deliveries(at(60), 9).await.expect("deliveries");
    assert_eq!(
        (found[1].attempts, found[1].first_tried_at),
        (1, Some(at(50)))
    );
    unit.commit().await.expect("a commit");
}

/// As if it had not been taken up.
pub async fn a_try_that_was_not_made_does_not_count(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let new = pending("dlv_1", &consumer_id("cons_a"), at(1));
    unit.insert_deliveries(&[new], at(1))
        .await
        .expect("a delivery");
    let id = [delivery_id("dlv_1")];
    let mut tries = Vec::new();
    for (second, is_made) in [(2, false), (3, true), (4, false), (5, true)] {
        unit.begin_tries(&id, at(second)).await.expect("a try");
        let settled = if is_made {
            Settled::Again(at(1))
        } else {
            Settled::NotTried
        };
        let settled = [(id[0].clone(), settled)];
        unit.settle_deliveries(&settled, at(second))
            .await
            .expect("settled");
        let due = unit.due_deliveries(at(9), 9).await.expect("deliveries");
        tries.push((due[0].attempts, due[0].first_tried_at));
    }
    let first = Some(at(3));
    assert_eq!(tries, [(0, None), (1, first), (1, first), (2, first)]);
    unit.commit().await.expect("a commit");
}

/// What was sent says no more, what failed can be tried again, and neither becomes anything else.
pub async fn a_delivery_that_was_tried_ends_once(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let new = ["dlv_1", "dlv_2", "dlv_3"].map(|id| pending(id, &consumer_id(id), at(10)));
    let mut unit = org.begin().await;
    unit.insert_deliveries(&new, at(10))
        .await
        .expect("deliveries");
    let all = ids(&["dlv_1", "dlv_2", "dlv_3", "dlv_9"]);
    let begun = unit.begin_tries(&all, at(11)).await.expect("tries");
    assert_eq!(begun, all[..3]);
    let detail = Some("status 400".to_owned());
    let settled = [
        (all[0].clone(), Settled::Sent(None)),
        (
            all[1].clone(),
            Settled::Failed(DeliveryCode::Refused, detail.clone()),
        ),
        (
            all[2].clone(),
            Settled::Sent(Some(DeliveryCode::IdentifierConflict)),
        ),
        (all[3].clone(), Settled::Sent(None)),
    ];
    unit.settle_deliveries(&settled, at(12))
        .await
        .expect("settled");
    unit.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    let mut shown = Vec::new();
    for id in &all[..3] {
        let one = unit
            .delivery(id)
            .await
            .expect("an answer")
            .expect("a delivery");
        shown.push((one.status, one.attempts, one.sent_at, one.code, one.detail));
    }
    let sent = DeliveryStatus::Sent;
    let conflict = Some(DeliveryCode::IdentifierConflict);
    let want = [
        (sent, 1, Some(at(12)), None, None),
        (
            DeliveryStatus::Failed,
            1,
            None,
            Some(DeliveryCode::Refused),
            detail,
        ),
        (sent, 1, Some(at(12)), conflict, None),
    ];
    assert_eq!(shown, want);
    assert_eq!(unit.next_delivery_due().await.expect("an answer"), None);
    assert_eq!(unit.begin_tries(&all, at(13)).await.expect("tries"), []);
    let overtaken = [(
        all[0].clone(),
        Settled::Failed(DeliveryCode::Internal, None),
    )];
    unit.settle_deliveries(&overtaken, at(13))
        .await
        .expect("an answer");
    assert_eq!(status(unit.as_mut(), "dlv_1").await, sent);

    for (id, is_failed) in all.iter().zip([false, true, false, false]) {
        let retried = unit.retry_delivery(id, at(20)).await.expect("an answer");
        assert_eq!(retried, is_failed, "{id}");
    }
    let again = unit.due_deliveries(at(20), 9).await.expect("deliveries");
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].attempts, again[0].first_tried_at), (0, None));
    let payload = new[1].outcome.as_ref().ok().map(|(payload, _)| payload);
    assert_eq!(Some(&again[0].payload), payload);
    unit.commit().await.expect("a commit");
}

/// By status, consumer and kind, the latest first.
pub async fn deliveries_are_listed_from_the_latest(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    for n in 0..5 {
        let consumer = consumer_id(&format!("cons_{}", n % 2));
        let new = [
            pending(&format!("dlv_p{n}"), &consumer, at(10)),
            dropped(&format!("dlv_d{n}"), DeliveryCode::UnknownType),
        ];
        unit.insert_deliveries(&new, at(n))
            .await
            .expect("deliveries");
    }
    unit.commit().await.expect("a commit");
    let names = async |filter: &DeliveryFilter, page: &PageRequest| {
        let mut unit = org.read().await;
        let found = unit.deliveries(filter, page).await.expect("deliveries");
        found.map(|delivery| delivery.id.to_string())
    };
    let check = async |filter: DeliveryFilter, want: &[&str]| {
        let want: Vec<String> = want.iter().map(|id| (*id).to_owned()).collect();
        assert_paged(&want, async |page| names(&filter, page).await).await;
    };
    let all = DeliveryFilter::default();
    let every = [
        "dlv_d4", "dlv_p4", "dlv_d3", "dlv_p3", "dlv_d2", "dlv_p2", "dlv_d1", "dlv_p1", "dlv_d0",
        "dlv_p0",
    ];
    check(all.clone(), &every).await;
    let events = DeliveryFilter {
        kind: Some(DeliveryKind::Event),
        ..all.clone()
    };
    check(events, &every).await;
    let contacts = DeliveryFilter {
        kind: Some(DeliveryKind::Contact),
        ..all.clone()
    };
    check(contacts, &[]).await;
    let of_status = |status| DeliveryFilter {
        status: Some(status),
        ..DeliveryFilter::default()
    };
    let dropped = ["dlv_d4", "dlv_d3", "dlv_d2", "dlv_d1", "dlv_d0"];
    check(of_status(DeliveryStatus::Dropped), &dropped).await;
    check(of_status(DeliveryStatus::Sent), &[]).await;
    let of_one = DeliveryFilter {
        consumer: Some(consumer_id("cons_1")),
        ..all
    };
    check(of_one.clone(), &["dlv_p3", "dlv_p1"]).await;
    let pending = DeliveryFilter {
        status: Some(DeliveryStatus::Pending),
        ..of_one.clone()
    };
    check(pending, &["dlv_p3", "dlv_p1"]).await;
    let sent = DeliveryFilter {
        status: Some(DeliveryStatus::Sent),
        ..of_one
    };
    check(sent, &[]).await;
}

/// What tells the amount takes the place of what does not, unless that is on its way.
pub async fn a_purchase_is_told_with_its_amount_if_that_comes_in_time(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let ada = consumer_id("cons_a");
    let mut unit = org.begin().await;
    let new = [
        pending("dlv_0", &ada, at(20)),
        pending("dlv_1", &ada, at(70)),
        pending("dlv_2", &ada, at(10)),
    ];
    unit.insert_deliveries(&new, at(10))
        .await
        .expect("deliveries");
    let (with_amount, key) = purchase(&ada, "dlv_1", true);
    let found = unit
        .purchase_delivery(&key)
        .await
        .expect("an answer")
        .expect("a delivery");
    assert_eq!(
        (&found.id, found.status, found.attempts),
        (&new[1].id, DeliveryStatus::Pending, 0)
    );
    let (_, other) = purchase(&ada, "another", true);
    assert_eq!(
        unit.purchase_delivery(&other).await.expect("an answer"),
        None
    );

    let payload = Payload::Event(Box::new(with_amount));
    unit.replace_payload(&found.id, &payload, at(15))
        .await
        .expect("a payload");
    // Not before what came before it; and what waited for it waits no longer than it does.
    assert_eq!(due(unit.as_mut(), at(19)).await, [""; 0]);
    assert_eq!(
        due(unit.as_mut(), at(20)).await,
        ["dlv_0", "dlv_1", "dlv_2"]
    );
    let replaced = unit.due_deliveries(at(20), 9).await.expect("deliveries");
    assert_eq!(replaced[1].payload, payload);

    let sent = ids(&["dlv_0"]);
    unit.begin_tries(&sent, at(20)).await.expect("tries");
    unit.replace_payload(&sent[0], &payload, at(20))
        .await
        .expect("an answer");
    let tried = unit.due_deliveries(at(20), 9).await.expect("deliveries");
    assert_ne!(tried[0].payload, payload);
    unit.commit().await.expect("a commit");
}

/// Whatever becomes of them, the summary counts what a reader would count.
pub async fn a_summary_counts_what_there_is(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut numbers = SeededNumbers::new(5);
    let mut unit = org.begin().await;
    assert_eq!(
        unit.delivery_summary().await.expect("a summary"),
        BTreeMap::new()
    );
    for n in 0..40 {
        let name = format!("dlv_{n}");
        let new = if numbers.below(4) == 0 {
            dropped(&name, DeliveryCode::EventsOff)
        } else {
            pending(
                &name,
                &consumer_id(&format!("cons_{}", numbers.below(5))),
                at(n),
            )
        };
        unit.insert_deliveries(&[new], at(n))
            .await
            .expect("a delivery");
        let id = delivery_id(&format!("dlv_{}", numbers.below(40)));
        let settled = match numbers.below(4) {
            0 => Settled::Sent(None),
            1 => Settled::Sent(Some(DeliveryCode::IdentifierConflict)),
            2 => Settled::Failed(DeliveryCode::Refused, None),
            _ => Settled::Again(at(100)),
        };
        unit.settle_deliveries(&[(id.clone(), settled)], at(n))
            .await
            .expect("an answer");
        if numbers.below(3) == 0 {
            unit.retry_delivery(&id, at(n)).await.expect("an answer");
        }
        let listed = unit
            .deliveries(&DeliveryFilter::default(), &ALL)
            .await
            .expect("deliveries");
        let mut want = SummaryOfKind::default();
        for one in &listed.items {
            *want.counts.entry(one.status).or_default() += 1;
            if one.status == DeliveryStatus::Pending {
                // The last one of the list is the first that was written.
                want.oldest_pending_at = Some(one.created_at);
            }
        }
        let summary = unit.delivery_summary().await.expect("a summary");
        assert_eq!(summary, BTreeMap::from([(DeliveryKind::Event, want)]));
    }
    let pending = unit.delivery_summary().await.expect("a summary")[&DeliveryKind::Event].counts
        [&DeliveryStatus::Pending];
    let first = unit
        .drop_pending(DeliveryCode::AccountChanged, 3)
        .await
        .expect("a number");
    let rest = unit
        .drop_pending(DeliveryCode::AccountChanged, 100)
        .await
        .expect("a number");
    assert_eq!((first, first + rest), (3, pending));
    assert_eq!(unit.next_delivery_due().await.expect("an answer"), None);
    let summary = unit.delivery_summary().await.expect("a summary");
    let of_events = &summary[&DeliveryKind::Event];
    assert_eq!(of_events.counts.get(&DeliveryStatus::Pending), None);
    assert_eq!(of_events.oldest_pending_at, None);
    assert_eq!(of_events.counts.values().sum::<u64>(), 40);
    unit.commit().await.expect("a commit");
}

/// A few at a time; what is pending stays.
pub async fn old_deliveries_are_deleted(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    for n in 0..6 {
        let new = if n == 2 {
            pending("dlv_2", &consumer_id("cons_a"), at(1))
        } else {
            dropped(&format!("dlv_{n}"), DeliveryCode::EventsOff)
        };
        unit.insert_deliveries(&[new], at(n))
            .await
            .expect("a delivery");
    }
    let (mut after, mut batches) = (None, Vec::new());
    loop {
        let batch = unit
            .delete_deliveries(at(4), after, 2)
            .await
            .expect("a batch");
        batches.push(batch.affected);
        after = batch.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(batches, [2, 1, 0]);
    let left = unit
        .deliveries(&DeliveryFilter::default(), &ALL)
        .await
        .expect("deliveries");
    let left: Vec<&str> = left.items.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(left, ["dlv_5", "dlv_4", "dlv_2"]);
    let summary = unit.delivery_summary().await.expect("a summary");
    assert_eq!(
        summary[&DeliveryKind::Event].counts.values().sum::<u64>(),
        3
    );
    unit.commit().await.expect("a commit");
}

/// Whose they are, and for whose account.
pub async fn an_erased_consumers_deliveries_go_and_the_account_is_kept(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let [ada, bo] = ["cons_a", "cons_b"].map(consumer_id);
    let mut unit = org.begin().await;
    let new = [
        pending("dlv_1", &ada, at(1)),
        pending("dlv_2", &bo, at(1)),
        pending("dlv_3", &ada, at(2)),
    ];
    unit.insert_deliveries(&new, at(1))
        .await
        .expect("deliveries");
    unit.erase(&ada, &[], &[], at(2)).await.expect("an erasure");
    let left = unit
        .deliveries(&DeliveryFilter::default(), &ALL)
        .await
        .expect("deliveries");
    let left: Vec<&str> = left.items.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(left, ["dlv_2"]);
    let summary = unit.delivery_summary().await.expect("a summary");
    assert_eq!(
        summary[&DeliveryKind::Event].counts,
        BTreeMap::from([(DeliveryStatus::Pending, 1)])
    );

    assert_eq!(unit.outbox_account().await.expect("an answer"), None);
    for account in ["AbC123", "XyZ789"] {
        let account = AccountId::parse(account).expect("an id");
        unit.put_outbox_account(&account).await.expect("an account");
        assert_eq!(
            unit.outbox_account().await.expect("an answer"),
            Some(account)
        );
    }
    unit.commit().await.expect("a commit");
}
