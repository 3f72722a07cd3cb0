//! What Klaviyo is to be told.

use std::time::Duration;

use fanfare_domain::delivery::{DeliveryCode, DeliveryStatus, NewDelivery, Payload, Settled};
use fanfare_domain::ids::DeliveryId;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::time::Timestamp;

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::{at, consumer_id, delivery_id, pending, purchase};

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

/// As after an outage: to the times that each has, with what comes after it of the same consumer, and never to an earlier one.
pub async fn many_are_put_off_together(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let mut new = Vec::new();
    for n in 0..4 {
        let consumer = consumer_id(&format!("cons_{n}"));
        new.push(pending(&format!("dlv_a{n}"), &consumer, at(10)));
        new.push(pending(&format!("dlv_b{n}"), &consumer, at(10 + n)));
    }
    for n in 0..2 {
        new.push(NewDelivery {
            consumer: None,
            ..pending(&format!("dlv_c{n}"), &consumer_id("cons_9"), at(10))
        });
    }
    unit.insert_deliveries(&new, at(10))
        .await
        .expect("deliveries");
    let again = |id: &str, second| (delivery_id(id), Settled::Again(at(second)));
    let settled = [
        again("dlv_a0", 20),
        again("dlv_a1", 30),
        again("dlv_a3", 12),
        again("dlv_c0", 20),
        again("dlv_gone", 20),
    ];
    unit.settle_deliveries(&settled, at(11))
        .await
        .expect("settled");
    unit.commit().await.expect("a commit");
    let mut unit = org.read().await;
    assert_eq!(due(unit.as_mut(), at(11)).await, ["dlv_a2", "dlv_c1"]);
    let at_twelve = ["dlv_a2", "dlv_c1", "dlv_b2", "dlv_a3"];
    assert_eq!(due(unit.as_mut(), at(12)).await, at_twelve);
    let at_twenty = [
        "dlv_a2", "dlv_c1", "dlv_b2", "dlv_a3", "dlv_b3", "dlv_a0", "dlv_b0", "dlv_c0",
    ];
    assert_eq!(due(unit.as_mut(), at(29)).await, at_twenty);
    assert_eq!(due(unit.as_mut(), at(30)).await.len(), 10);
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
