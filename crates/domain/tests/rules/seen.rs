//! Whom a run has seen, as far as a worker remembers.

use std::collections::BTreeMap;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{PROFILES_OF_A_SEEN_PAGE, SeenIndex, SeenPage, SeenProfile, SeenSet};
use proptest::prelude::*;

fn seen(profile: &str) -> SeenProfile {
    SeenProfile {
        profile: ProfileId::parse(profile).unwrap(),
        with_email: true,
        joined_at: None,
    }
}

/// The pages of what is seen set by set, as a store keeps them.
fn pages(sets: &[Vec<String>]) -> Vec<SeenPage> {
    let chunks = sets
        .iter()
        .flat_map(|set| set.chunks(PROFILES_OF_A_SEEN_PAGE));
    let page = |(number, profiles): (u64, &[String])| SeenPage {
        number,
        profiles: profiles.iter().map(|profile| seen(profile)).collect(),
    };
    (1..).zip(chunks).map(page).collect()
}

proptest! {
    #[test]
    fn each_page_that_has_a_profile_is_among_those_where_it_may_be(
        sets in prop::collection::vec(prop::collection::vec("[0-9A-C]{3,4}", 0..300), 0..12),
        members in prop::option::of(0_u64..3_000),
    ) {
        let pages = pages(&sets);
        let mut index = SeenIndex::of_run(members);
        for set in &sets {
            let set: Vec<SeenProfile> = set.iter().map(|profile| seen(profile)).collect();
            index.add(&set);
        }
        let mut taken_up = SeenIndex::of_run(members);
        for page in &pages {
            taken_up.add_stored(page);
        }

        prop_assert_eq!(index.last_page(), pages.len() as u64);
        let mut found: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for page in &pages {
            for seen in &page.profiles {
                let of_profile = found.entry(seen.profile.as_str()).or_default();
                if of_profile.last() != Some(&page.number) {
                    of_profile.push(page.number);
                }
            }
        }
        for (profile, numbers) in found {
            prop_assert_eq!(index.pages_of(profile), numbers.clone());
            prop_assert_eq!(taken_up.pages_of(profile), numbers);
        }
    }

    #[test]
    fn a_set_holds_those_and_only_those_who_were_seen(
        sets in prop::collection::vec(prop::collection::vec("[0-9A-C]{3,4}", 0..300), 0..6),
        others in prop::collection::vec("[D-Z]{3,4}", 0..50),
    ) {
        let mut set = SeenSet::default();
        set.add(&pages(&sets));
        let set = set.sorted();
        prop_assert!(sets.iter().flatten().all(|profile| set.holds(profile)));
        prop_assert!(!others.iter().any(|profile| set.holds(profile)));
    }
}

#[test]
fn for_most_of_those_who_were_not_seen_no_page_is_looked_at() {
    let all: Vec<String> = (0..40_000).map(|n| format!("01H{n:023}")).collect();
    let (first, others) = all.split_at(20_000);
    let mut index = SeenIndex::of_run(Some(20_000));
    assert!(all.iter().all(|profile| index.pages_of(profile).is_empty()));
    for set in first.chunks(800) {
        let set: Vec<SeenProfile> = set.iter().map(|profile| seen(profile)).collect();
        index.add(&set);
    }
    let looked_at = others.iter().filter(|one| !index.pages_of(one).is_empty());
    let looked_at = looked_at.count();
    assert!(looked_at < 10, "{looked_at} of 20,000");
}

#[test]
fn an_index_of_nothing_knows_of_no_page() {
    let index = SeenIndex::default();
    assert_eq!((index.last_page(), index.pages_of("01H")), (0, Vec::new()));
}
