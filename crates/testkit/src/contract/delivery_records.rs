//! Deliveries as they are listed and counted, and how they go.

use std::collections::BTreeMap;

use fanfare_domain::delivery::{
    DeliveryCode, DeliveryFilter, DeliveryKind, DeliveryStatus, Settled, SummaryOfKind,
};
use fanfare_domain::ids::AccountId;
use fanfare_domain::paging::PageRequest;

use super::harness::StoreHarness;
use super::test_organization::{ALL, SeededNumbers, TestOrganization, assert_paged};
use crate::build::{at, consumer_id, delivery_id, dropped, pending};

/// Of those that are sent, and of no others.
pub async fn what_klaviyo_took_and_does_not_show_says_so(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let consumer = consumer_id("cons_1");
    let new = ["dlv_1", "dlv_2", "dlv_3"].map(|id| pending(id, &consumer, at(1)));
    unit.insert_deliveries(&new, at(1))
        .await
        .expect("deliveries");
    let sent = ["dlv_1", "dlv_2"].map(|id| (delivery_id(id), Settled::Sent(None)));
    unit.settle_deliveries(&sent, at(2)).await.expect("settled");
    let missing = ["dlv_1", "dlv_3", "dlv_gone"].map(delivery_id);
    unit.mark_missing(&missing).await.expect("marked");
    unit.mark_missing(&[]).await.expect("nothing");
    unit.commit().await.expect("a commit");
    let mut unit = org.read().await;
    for (id, status, code) in [
        ("dlv_1", DeliveryStatus::Sent, Some(DeliveryCode::Missing)),
        ("dlv_2", DeliveryStatus::Sent, None),
        ("dlv_3", DeliveryStatus::Pending, None),
    ] {
        let found = unit.delivery(&delivery_id(id)).await.expect("an answer");
        let found = found.expect("a delivery");
        assert_eq!((found.status, found.code), (status, code), "{id}");
    }
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
