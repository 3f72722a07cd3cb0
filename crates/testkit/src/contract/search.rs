//! Finding consumers by a part of their e-mail, phone number or name.

use fanfare_domain::page::PagePlan;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord};
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;

use super::harness::StoreHarness;
use super::test_organization::{ALL, SeededNumbers, TestOrganization, assert_paged};
use crate::build::{at, profile};
use fanfare_domain::ids::AudienceId;
use fanfare_domain::profile::Profile;
use fanfare_domain::search;
use fanfare_domain::search_index::SECTION;

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

/// Names in several scripts, and which of them a text finds.
const NAMES: [&str; 9] = [
    "ÅSA Öberg",
    "Straße",
    "İstanbul",
    "ΟΔΥΣΣΕΥΣ Νίκος",
    "Иван Щукин",
    "Jose\u{301}",
    "Ａｋｉｒａ ﬁn",
    "50%_off\\é",
    "Ngũgĩ",
];
const IN_NAMES: [(&str, &[usize]); 26] = [
    ("åsa", &[0]),
    ("A\u{30a}SA ö", &[0]),
    ("asa", &[]),
    ("STRASSE", &[1]),
    ("strasse", &[1]),
    ("STRAẞE", &[1]),
    ("ße", &[1]),
    ("istanbul", &[2]),
    ("ISTANBUL", &[2]),
    ("ıstanbul", &[2]),
    ("i\u{307}STAN", &[2]),
    ("οδυσσευς", &[3]),
    ("οδυσσευσ", &[3]),
    ("ΝΊΚΟσ", &[3]),
    ("Νικος", &[]),
    ("ИВАН щ", &[4]),
    ("щУК", &[4]),
    ("josé", &[5]),
    ("JOSE\u{301}", &[5]),
    ("jose", &[]),
    ("akira FIN", &[6]),
    ("0%_O", &[7]),
    ("\\É", &[7]),
    ("0_", &[]),
    ("NGŨGĨ", &[8]),
    ("\u{202a}ngu\u{303}", &[8]),
];

/// Texts are found without regard to case and to how their letters are composed, by the same rule in every store;
/// among members and among all, and by a name's newest version.
pub async fn a_search_knows_the_letters_of_every_script(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let named = |(n, name): (usize, &&str)| {
        let at = profile(&format!("p{n}")).email(&format!("ÄÖ{n}@example.com"));
        at.first_name(name).build()
    };
    let page: Vec<_> = NAMES.iter().enumerate().map(named).collect();
    let (plan, _) = org.take(&run, &page).await;
    let named = |consumer: &ConsumerRecord| {
        let is_it = |other: &fanfare_domain::consumer::Consumer| other.id == consumer.consumer.id;
        plan.created.iter().position(is_it)
    };

    let mut unit = org.read().await;
    for (search, want) in IN_NAMES {
        let filter = ConsumerFilter {
            search: Some(search.to_owned()),
            ..ConsumerFilter::default()
        };
        let all = unit.consumers(&filter, &ALL).await.expect("consumers");
        let members = unit.members(&run.audience, Some(search), &ALL).await;
        for found in [all, members.expect("members")] {
            let mut found: Vec<usize> = found.items.iter().filter_map(named).collect();
            found.sort_unstable();
            assert_eq!(found, want, "{search:?}");
        }
    }
    for (search, want) in [("äö7@EXAMPLE", 1), ("äö", NAMES.len()), ("com\nåsa", 0)] {
        let found = unit.members(&run.audience, Some(search), &ALL).await;
        assert_eq!(found.expect("members").items.len(), want, "{search:?}");
    }
    drop(unit);

    let renamed = profile("p0")
        .email("äö0@example.com")
        .first_name("ÆGIR")
        .updated(9);
    org.take(&run, &[renamed.build()]).await;
    let mut unit = org.read().await;
    for (search, want) in [("ægir", 1), ("öberg", 0), ("äö0", 1)] {
        let found = unit.members(&run.audience, Some(search), &ALL).await;
        assert_eq!(found.expect("members").items.len(), want, "{search:?}");
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

/// A profile whose texts have few letters, so that short needles find many and longer ones some.
fn of_few_letters(n: usize, numbers: &mut SeededNumbers) -> Profile {
    let mut word = || -> String {
        let letter = |numbers: &mut SeededNumbers| ["a", "b", "é", "."][numbers.below(4)];
        (0..6).map(|_| letter(numbers)).collect()
    };
    let (first, last) = (word(), word());
    let profile = profile(&format!("p{n}")).email(&format!("e{n}@example.com"));
    profile.first_name(&first).last_name(&last).build()
}

/// Brings the index on, and returns how many sections were made.
async fn index(org: &TestOrganization<'_>, size: u32) -> u32 {
    let mut made = 0;
    while !org
        .read()
        .await
        .is_search_indexed(size)
        .await
        .expect("an answer")
    {
        let mut unit = org.begin().await;
        assert!(unit.index_search(size).await.expect("a section"));
        unit.commit().await.expect("a commit");
        made += 1;
    }
    made
}

/// Short ones, of which the index knows exactly who has them, and longer ones.
const NEEDLES: [&str; 16] = [
    "a",
    "é",
    "z",
    "ab",
    ".é",
    "zz",
    "aba",
    "b.a",
    "abab",
    "aab.é",
    "aaaaaaaa",
    "example",
    "e1@",
    "@",
    "no such text",
    "e7@example.com",
];

/// Fails unless each needle finds those whose text has it, among all and among members, in pages of this size.
async fn assert_found(
    org: &TestOrganization<'_>,
    audience: &AudienceId,
    needles: &[&str],
    first: u32,
    when: &str,
) {
    let mut unit = org.read().await;
    let all = ConsumerFilter::default();
    let every = unit.consumers(&all, &ALL).await.expect("consumers").items;
    let members = unit.members(audience, None, &ALL).await.expect("members");
    for &needle in needles {
        for (of, audience) in [(&every, None), (&members.items, Some(audience))] {
            let has_it = |record: &&ConsumerRecord| {
                search::text_of(&record.consumer).contains(&search::folded(needle))
            };
            let want: Vec<&ConsumerRecord> = of.iter().filter(has_it).collect();
            let filter = ConsumerFilter {
                search: Some(needle.to_owned()),
                audience: audience.cloned(),
                ..ConsumerFilter::default()
            };
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = fanfare_domain::paging::PageRequest { first, after };
                let page = unit.consumers(&filter, &page).await.expect("consumers");
                after = page.end().map(str::to_owned);
                found.extend(page.items);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found.iter().collect::<Vec<_>>(), want, "{needle:?} {when}");
        }
    }
}

/// With an index and without, while texts change and consumers are added, within and after its sections.
pub async fn an_index_changes_nothing_of_what_a_search_finds(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (run, other) = (org.queue("list1").await, org.queue("list2").await);
    let mut numbers = SeededNumbers::new(7);
    let mut page = |range: std::ops::Range<usize>| -> Vec<Profile> {
        range.map(|n| of_few_letters(n, &mut numbers)).collect()
    };
    org.take(&run, &page(0..40)).await;
    org.take(&other, &page(40..60)).await;
    assert_found(&org, &run.audience, &NEEDLES, 7, "without an index").await;
    index(&org, 8).await;
    assert_found(&org, &run.audience, &NEEDLES, 7, "with an index").await;
    assert_eq!(index(&org, 8).await, 0, "nothing is made twice");
    org.take(&other, &page(30..75)).await;
    assert_found(
        &org,
        &run.audience,
        &NEEDLES,
        3,
        "with texts that have changed",
    )
    .await;
    index(&org, 8).await;
    assert_found(&org, &run.audience, &NEEDLES, 50, "with an index of them").await;
    index(&org, 30).await;
    org.take(&run, &page(5..9)).await;
    org.take(&run, &page(5..6)).await;
    assert_found(
        &org,
        &run.audience,
        &NEEDLES,
        1,
        "with sections of two sizes",
    )
    .await;
}

/// In an audience of more members than a section has.
pub async fn a_large_audience_is_searched_by_the_index(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (run, other) = (org.queue("list1").await, org.queue("list2").await);
    let mut numbers = SeededNumbers::new(8);
    let mut page = |range: std::ops::Range<usize>| -> Vec<Profile> {
        range.map(|n| of_few_letters(n, &mut numbers)).collect()
    };
    let members = SECTION as usize + 200;
    org.take(&other, &page(0..300)).await;
    org.take(&run, &page(200..members)).await;
    org.take(&run, &page(members..members + 300)).await;
    index(&org, 1_000).await;
    org.take(&run, &page(100..220)).await;
    assert_found(
        &org,
        &run.audience,
        &["b.a", "aab.é", "zz", "e7@"],
        2_000,
        "in a large audience",
    )
    .await;
}
