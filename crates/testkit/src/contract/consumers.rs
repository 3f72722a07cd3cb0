//! Reading one consumer, and looking consumers up.

use fanfare_domain::ports::{ConsumerRecord, Lookup};

use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::{at, consumer_id, email, profile, profile_id};

/// Its dates are those of the pages that wrote it. A change of stamps alone leaves them.
pub async fn a_consumer_has_its_dates_and_actors(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let page = |name: &str, updated: i64| {
        let one = profile("p1").email("a@example.com").first_name(name);
        [one.updated(updated).build()]
    };
    let (plan, _) = org.take_at(100, &run, &page("Ada", 1)).await;
    let id = &plan.created[0].id;
    let made = ConsumerRecord {
        consumer: plan.created[0].clone(),
        primary_changed_at: Some(at(100)),
        created_at: at(100),
        created_by: "system:klaviyo".to_owned(),
        updated_at: None,
        updated_by: None,
        metadata: None,
    };
    let mut unit = org.read().await;
    assert_eq!(
        unit.consumer(id).await.expect("an answer"),
        Some(made.clone())
    );
    drop(unit);

    // Only the stamps change, which callers do not see.
    let (plan, _) = org.take_at(200, &run, &page("Ada", 2)).await;
    assert!(!plan.updated[0].visible);
    let restamped = ConsumerRecord {
        consumer: plan.updated[0].consumer.clone(),
        ..made
    };
    let mut unit = org.read().await;
    assert_eq!(
        unit.consumer(id).await.expect("an answer"),
        Some(restamped.clone())
    );
    drop(unit);

    let (plan, _) = org.take_at(300, &run, &page("Grace", 3)).await;
    assert!(plan.updated[0].visible);
    let renamed = ConsumerRecord {
        consumer: plan.updated[0].consumer.clone(),
        primary_changed_at: Some(at(300)),
        updated_at: Some(at(300)),
        updated_by: Some("system:klaviyo".to_owned()),
        ..restamped
    };
    let mut unit = org.read().await;
    assert_eq!(unit.consumer(id).await.expect("an answer"), Some(renamed));
    let unknown = unit.consumer(&consumer_id("cons_none")).await;
    assert_eq!(unknown.expect("an answer"), None);
}

/// By the whole e-mail, phone number or profile id, and not by a part or another case of it.
pub async fn consumers_are_looked_up_exactly(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let page = [
        profile("p1")
            .email("ada@example.com")
            .phone("+12025550101")
            .build(),
        profile("p2").email("ada@example.com").updated(-1).build(),
        profile("p3").phone("+12025550101").build(),
    ];
    let (plan, _) = org.take(&run, &page).await;
    let (ada, other) = (&plan.created[0].id, &plan.created[1].id);
    let mut unit = org.read().await;

    let email_of = |text: &str| Lookup::Email(text.to_owned());
    let phone_of = |text: &str| Lookup::Phone(text.to_owned());
    let profile_of = |text: &str| Lookup::Profile(profile_id(text));
    for (lookup, want) in [
        (email_of(email("Ada@Example.com").as_str()), vec![ada]),
        (email_of("ADA@example.com"), vec![]),
        (email_of("ada"), vec![]),
        (email_of("%"), vec![]),
        (email_of(""), vec![]),
        (phone_of("+12025550101"), vec![ada, other]),
        (phone_of("+1202555010"), vec![]),
        (profile_of("p1"), vec![ada]),
        (profile_of("p2"), vec![ada]),
        (profile_of("p3"), vec![other]),
        (profile_of("P3"), vec![]),
    ] {
        let found = unit.lookup_consumers(&lookup).await.expect("consumers");
        let ids: Vec<_> = found.iter().map(|record| &record.consumer.id).collect();
        assert_eq!(ids, want, "{lookup:?}");
    }
}

/// Many consumers may have one phone number. The first hundred by id are found.
pub async fn a_look_up_finds_a_hundred_at_most(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let page: Vec<_> = (0..101)
        .map(|n| profile(&format!("p{n}")).phone("+12025550101").build())
        .collect();
    let (plan, _) = org.take(&run, &page).await;
    let mut all: Vec<_> = plan
        .created
        .iter()
        .map(|consumer| consumer.id.clone())
        .collect();
    all.sort();
    let mut unit = org.read().await;

    let found = unit
        .lookup_consumers(&Lookup::Phone("+12025550101".to_owned()))
        .await;

    let found = found
        .expect("consumers")
        .into_iter()
        .map(|record| record.consumer.id);
    assert_eq!(found.collect::<Vec<_>>(), all[..100]);
}
