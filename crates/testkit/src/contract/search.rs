//! Finding consumers by a part of their e-mail, phone number or name.

use fanfare_domain::page::PagePlan;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord};
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;

use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization, assert_paged};
use crate::build::{at, profile};

/// Three consumers, two of them members of `list1`'s audience. Returns that audience's run.
async fn set_up(org: &TestOrganization<'_>) -> SyncRun {
    let run = org.queue("list1").await;
    let page = [
        profile("p1")
            .email("ada_l@example.com")
            .first_name("Ada")
            .last_name("100%")
            .build(),
        profile("p2")
            .email("adaxl@example.com")
            .phone("+12025550102")
            .first_name("B \\ C")
            .build(),
    ];
    org.take_at(100, &run, &page).await;
    let other = org.queue("list2").await;
    org.take_at(
        200,
        &other,
        &[profile("p3").phone("+4930555").first_name("ADA").build()],
    )
    .await;
    run
}

/// A text, how many of the two members it finds, and how many of the three consumers.
const SEARCHES: [(&str, usize, usize); 16] = [
    ("ada", 2, 3),
    ("ADA", 2, 3),
    ("example.com", 2, 2),
    ("a_l", 1, 1),
    ("axl", 1, 1),
    ("_", 1, 1),
    ("100%", 1, 1),
    ("%", 1, 1),
    ("a%l", 0, 0),
    ("\\", 1, 1),
    ("b \\ c", 1, 1),
    ("\\%", 0, 0),
    ("+1202", 1, 1),
    ("+", 1, 2),
    ("'", 0, 0),
    ("no such text", 0, 0),
];

/// A search among the members of an audience.
pub async fn a_search_among_members_takes_wildcards_literally(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = set_up(&org).await;
    let mut unit = org.read().await;
    for (search, want, _) in SEARCHES {
        let found = unit.members(&run.audience, Some(search), &ALL).await;
        assert_eq!(found.expect("members").items.len(), want, "{search:?}");
    }
}

/// A search among all consumers, and among those of an audience.
pub async fn a_search_among_consumers_takes_wildcards_literally(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = set_up(&org).await;
    let mut unit = org.read().await;
    for (search, members, want) in SEARCHES {
        let mut filter = ConsumerFilter {
            search: Some(search.to_owned()),
            ..ConsumerFilter::default()
        };
        let found = unit.consumers(&filter, &ALL).await.expect("consumers");
        assert_eq!(found.items.len(), want, "{search:?}");
        filter.audience = Some(run.audience.clone());
        let found = unit.consumers(&filter, &ALL).await.expect("consumers");
        assert_eq!(found.items.len(), members, "{search:?}");
    }
}

/// Created after and created before a time, both without that time itself, alone and together with an audience.
pub async fn consumers_are_filtered_by_when_they_were_made(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = set_up(&org).await;
    let mut unit = org.read().await;
    for (after, before, want, members) in [
        (None, None, 3, 2),
        (Some(99), None, 3, 2),
        (Some(100), None, 1, 0),
        (Some(200), None, 0, 0),
        (None, Some(200), 2, 2),
        (None, Some(100), 0, 0),
        (Some(99), Some(101), 2, 2),
        (Some(100), Some(201), 1, 0),
    ] {
        let at = |seconds: Option<i64>| -> Option<Timestamp> { seconds.map(at) };
        let mut filter = ConsumerFilter {
            created_after: at(after),
            created_before: at(before),
            ..ConsumerFilter::default()
        };
        let found = unit.consumers(&filter, &ALL).await.expect("consumers");
        assert_eq!(found.items.len(), want, "{filter:?}");
        filter.audience = Some(run.audience.clone());
        let found = unit.consumers(&filter, &ALL).await.expect("consumers");
        assert_eq!(found.items.len(), members, "{filter:?}");
    }
}

/// A search has the same order with every filter and every size of page.
pub async fn what_a_search_finds_is_paged_by_id(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let one = |n: u32| {
        let name = ["Ada", "Bo"][n as usize % 2];
        profile(&format!("p{n}"))
            .email(&format!("e{n}@example.com"))
            .first_name(name)
            .build()
    };
    let (plan, _): (PagePlan, u64) = org.take(&run, &(0..12).map(one).collect::<Vec<_>>()).await;
    assert_eq!(plan.created.len(), 12);
    let mut unit = org.read().await;

    let every = ConsumerFilter::default();
    let of_name = ConsumerFilter {
        search: Some("bo".to_owned()),
        ..ConsumerFilter::default()
    };
    for (filter, want) in [(every, 12), (of_name, 6)] {
        let all: Vec<ConsumerRecord> = unit
            .consumers(&filter, &ALL)
            .await
            .expect("consumers")
            .items;
        assert_eq!(all.len(), want);
        assert!(all.is_sorted_by(|a, b| a.consumer.id < b.consumer.id));
        assert_paged(&all, async |page| {
            unit.consumers(&filter, page).await.expect("consumers")
        })
        .await;
    }
    let members = unit
        .members(&run.audience, Some("ADA"), &ALL)
        .await
        .expect("members")
        .items;
    assert_eq!(members.len(), 6);
    assert_paged(&members, async |page| {
        unit.members(&run.audience, Some("ADA"), page)
            .await
            .expect("members")
    })
    .await;
}
