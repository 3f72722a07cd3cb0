//! Consumers that are made and changed in Fanfare, and contacts that both sides write.

use std::collections::BTreeMap;

use fanfare_domain::consent::{Consent, Consents};
use fanfare_domain::contact::{Contact, ContactField, ContactSettings, Outcome, Winner};
use fanfare_domain::delivery::{DeliveryKind, DeliveryStatus, NewDelivery, Payload, Settled};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord};
use fanfare_domain::search_index::SECTION;
use fanfare_domain::value::{FullName, Phone};
use fanfare_domain::writing::{Channel, PersonalText};

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization};
use crate::build::{self, at, consumer_id, delivery_id, email, made_consumer, profile, profile_id};

/// With everything that it has, its dates and actors.
pub async fn a_consumer_that_was_made_here_comes_back_as_it_was_put_last(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let mut made = made_consumer("cons_1", at(100));
    let mut unit = org.begin().await;
    unit.put_consumer(&made).await.expect("a consumer");
    unit.commit().await.expect("a commit");
    let id = consumer_id("cons_1");
    let read = async || {
        let mut unit = org.read().await;
        unit.consumer(&id)
            .await
            .expect("an answer")
            .expect("the consumer")
    };
    assert_eq!(read().await, made);

    made.consumer.email = Some(email("grace@example.com"));
    made.consumer
        .edit_full_name(FullName::join(Some("Grace"), None).0, at(200));
    made.consumer.edit_phone(None, at(200));
    made.metadata = None;
    (made.updated_at, made.updated_by) = (Some(at(200)), Some("key_2".to_owned()));
    let mut unit = org.begin().await;
    unit.put_consumer(&made).await.expect("a consumer");
    unit.commit().await.expect("a commit");
    assert_eq!(read().await, made);
    let filter = ConsumerFilter {
        search: Some("grace".to_owned()),
        ..ConsumerFilter::default()
    };
    let found = org.read().await.consumers(&filter, &ALL).await;
    assert_eq!(found.expect("consumers").items.len(), 1);
}

/// One consumer of an address.
pub async fn an_address_is_one_consumers(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let one = made_consumer("cons_1", at(1));
    unit.put_consumer(&one).await.expect("a consumer");
    unit.commit().await.expect("a commit");
    let other = made_consumer("cons_2", at(2));
    let twice = org.begin().await.put_consumer(&other).await;
    assert_refused(twice, "an address that another has");
    let mut theirs = TestOrganization::of(harness, "org_b").begin().await;
    theirs
        .put_consumer(&other)
        .await
        .expect("another's consumer");
}

/// Who is found by an index of searches is found by what they are called now.
pub async fn a_consumer_in_the_index_is_found_by_its_new_name(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    for n in 0..4 {
        let mut record = made_consumer(&format!("cons_{n}"), at(1));
        record.consumer.email = Some(email(&format!("e{n}@example.com")));
        unit.put_consumer(&record).await.expect("a consumer");
    }
    while unit.index_search(2.min(SECTION)).await.expect("an index") {}
    let id = consumer_id("cons_1");
    let record = unit.consumer(&id).await.expect("an answer");
    let mut record: ConsumerRecord = record.expect("the consumer");
    let name = FullName::join(Some("Zoe"), None).0;
    record.consumer.edit_full_name(name, at(2));
    unit.put_consumer(&record).await.expect("a consumer");
    unit.commit().await.expect("a commit");
    let find = async |text: &str| {
        let filter = ConsumerFilter {
            search: Some(text.to_owned()),
            ..ConsumerFilter::default()
        };
        let found = org.read().await.consumers(&filter, &ALL).await;
        found.expect("consumers").items.len()
    };
    assert_eq!((find("zoe").await, find("ada").await), (1, 3));
}

/// Pages write them with the consumer, and another read of the same writes nothing.
pub async fn consents_come_back_as_they_were_read(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let consents = Consents {
        email: Consent::of(
            Some("SUBSCRIBED"),
            Some(at(5)),
            [("HARD_BOUNCE", Some(at(6)))],
        ),
        sms: Consent::of(Some("UNSUBSCRIBED"), None, []),
    };
    let page = [profile("p1")
        .email("a@example.com")
        .consents(consents)
        .build()];
    let (plan, _) = org.take(&run, &page).await;
    let id: ConsumerId = plan.created[0].id.clone();
    let mut unit = org.begin().await;
    let record = unit.consumer(&id).await.expect("an answer");
    let mut record = record.expect("the consumer");
    assert_eq!(record.consumer.consents.get(), Some(consents));
    record.consumer.consents.end(&[Channel::Email], at(9));
    unit.put_consumer(&record).await.expect("a consumer");
    unit.commit().await.expect("a commit");
    let mut unit = org.read().await;
    let stored = unit.consumer(&id).await.expect("an answer");
    assert_eq!(stored, Some(record));
    drop(unit);
    let again = org.queue("list2").await;
    let (plan, _) = org.take(&again, &page).await;
    let (plan_again, _) = org.take(&again, &page).await;
    assert_eq!((plan.created.len(), plan_again.updated.len()), (0, 0));
}

/// A page does not overwrite what was changed in Fanfare later, and does once its profile has changed after that.
pub async fn a_value_that_was_edited_stays_until_a_later_one_is_read(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let page = |name: &str, updated: i64| {
        let one = profile("p1").email("a@example.com").phone("+12025550101");
        [one.first_name(name).updated(updated).build()]
    };
    let (plan, _) = org.take(&run, &page("Ada", 10)).await;
    let id = plan.created[0].id.clone();
    let mut unit = org.begin().await;
    let record = unit.consumer(&id).await.expect("an answer");
    let mut record = record.expect("the consumer");
    record
        .consumer
        .edit_full_name(FullName::join(Some("Grace"), None).0, at(20));
    record.consumer.edit_phone(None, at(20));
    unit.put_consumer(&record).await.expect("a consumer");
    unit.commit().await.expect("a commit");
    for (updated, name, phone) in [
        (15, "Grace", None),
        (20, "Grace", None),
        (21, "Ada", Some("+12025550101")),
    ] {
        org.take(&run, &page("Ada", updated)).await;
        let mut unit = org.read().await;
        let record = unit.consumer(&id).await.expect("an answer");
        let consumer = record.expect("the consumer").consumer;
        let found = (
            consumer
                .full_name
                .map(|name| name.value.as_str().to_owned()),
            consumer
                .phone
                .map(|phone: fanfare_domain::consumer::Stamped<Phone>| phone.value),
        );
        let want = phone.map(|phone| Phone::parse(phone).expect("a number"));
        assert_eq!(found, (Some(name.to_owned()), want), "{updated}");
    }
}

/// Nothing is sent until somebody wants it.
pub async fn what_is_chosen_of_contacts_comes_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let off = ContactSettings::default();
    assert_eq!(unit.contact_settings().await.expect("settings"), off);
    let on = ContactSettings {
        enabled: true,
        winner: Winner::Klaviyo,
        create_profiles: true,
    };
    for settings in [&off, &on] {
        unit.put_contact_settings(settings).await.expect("settings");
        assert_eq!(unit.contact_settings().await.expect("settings"), *settings);
    }
    unit.commit().await.expect("a commit");
    let mut other = TestOrganization::of(harness, "org_b").read().await;
    assert_eq!(other.contact_settings().await.expect("settings"), off);
}

/// Until everybody is forgotten.
pub async fn what_is_remembered_of_contacts_comes_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let [one, other] = ["cons_1", "cons_2"].map(consumer_id);
    let mut contact = Contact::created(
        profile_id("p1"),
        BTreeMap::from([
            (ContactField::FullName, Some(PersonalText::new("Ada"))),
            (ContactField::Phone, None),
        ]),
        Some(at(7)),
        at(8),
    );
    let mut unit = org.begin().await;
    let first = BTreeMap::from([(one.clone(), contact.clone())]);
    unit.put_contacts(&first).await.expect("contacts");
    contact.ended(&Outcome::Unknown, at(9));
    let both = BTreeMap::from([
        (one.clone(), contact),
        (other.clone(), Contact::new(profile_id("p2"))),
    ]);
    unit.put_contacts(&both).await.expect("contacts");
    unit.commit().await.expect("a commit");
    let ids = [one, other, consumer_id("cons_3")];
    let found = org.read().await.contacts_of(&ids).await;
    assert_eq!(found.expect("contacts"), both);
    let theirs = TestOrganization::of(harness, "org_b")
        .read()
        .await
        .contacts_of(&ids)
        .await;
    assert_eq!(theirs.expect("contacts"), BTreeMap::new());

    let mut unit = org.begin().await;
    let erased = unit.erase(&ids[0], &[], &[], at(10)).await;
    erased.expect("an erasure");
    let left = unit.contacts_of(&ids).await.expect("contacts");
    assert_eq!(left.keys().collect::<Vec<_>>(), [&ids[1]]);
    unit.forget_contacts().await.expect("none is left");
    let left = unit.contacts_of(&ids).await.expect("contacts");
    assert_eq!(left, BTreeMap::new());
}

/// In the order in which they were written, until they end.
pub async fn pending_deliveries_of_contacts_are_found(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let [one, other] = ["cons_1", "cons_2"].map(consumer_id);
    let contact = |id: &str, consumer: &ConsumerId| NewDelivery {
        id: delivery_id(id),
        kind: DeliveryKind::Contact,
        type_name: "consumer.updated".to_owned(),
        consumer: Some(consumer.clone()),
        target: None,
        outcome: Ok((Payload::Contact, at(1))),
        purchase: None,
    };
    let mut unit = org.begin().await;
    let new = [
        contact("dlv_2", &one),
        build::pending("dlv_3", &one, at(1)),
        contact("dlv_1", &one),
        contact("dlv_4", &other),
    ];
    unit.insert_deliveries(&new, at(1))
        .await
        .expect("deliveries");
    let due = unit.due_deliveries(at(5), 9).await.expect("deliveries");
    assert_eq!(due[0].payload, Payload::Contact);
    unit.begin_tries(&[delivery_id("dlv_2")], at(2))
        .await
        .expect("a try");
    let pending = unit.pending_contacts(std::slice::from_ref(&one)).await;
    let pending = pending.expect("deliveries");
    let found: Vec<(&str, u32)> = pending
        .iter()
        .map(|one| (one.id.as_str(), one.attempts))
        .collect();
    assert_eq!(found, [("dlv_2", 1), ("dlv_1", 0)]);
    let code = fanfare_domain::delivery::DeliveryCode::AlreadyEqual;
    let settled = [(delivery_id("dlv_2"), Settled::Dropped(code))];
    unit.settle_deliveries(&settled, at(3))
        .await
        .expect("an end");
    let dropped = unit
        .delivery(&delivery_id("dlv_2"))
        .await
        .expect("an answer");
    let dropped = dropped.expect("the delivery");
    assert_eq!(
        (dropped.status, dropped.code),
        (DeliveryStatus::Dropped, Some(code))
    );
    let summary = unit.delivery_summary().await.expect("a summary");
    let counts = &summary[&DeliveryKind::Contact].counts;
    assert_eq!(
        (
            counts[&DeliveryStatus::Dropped],
            counts[&DeliveryStatus::Pending]
        ),
        (1, 2)
    );
    let pending = unit
        .pending_contacts(&[one, other])
        .await
        .expect("deliveries");
    assert_eq!(pending.len(), 2);
}
