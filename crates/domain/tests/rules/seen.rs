//! Whom a run may have seen, as far as a worker remembers.

use std::collections::BTreeSet;

use fanfare_domain::page::SeenFilter;
use proptest::prelude::*;

proptest! {
    #[test]
    fn nobody_who_was_seen_is_ruled_out(
        seen in prop::collection::vec("[0-9A-Z]{4,26}", 0..2_000),
        members in prop::option::of(0_u64..3_000),
    ) {
        let mut filter = SeenFilter::of_new_run(members);
        for profile in &seen {
            filter.insert(profile);
        }
        prop_assert!(seen.iter().all(|profile| filter.may_hold(profile)));
    }
}

#[test]
fn most_of_those_who_were_not_seen_are_ruled_out() {
    let mut filter = SeenFilter::of_new_run(Some(20_000));
    let all: Vec<String> = (0..40_000).map(|n| format!("01H{n:023}")).collect();
    let (seen, unseen) = all.split_at(20_000);
    assert!(!all.iter().any(|profile| filter.may_hold(profile)));
    for profile in seen {
        filter.insert(profile);
    }
    let passed: BTreeSet<_> = unseen.iter().filter(|one| filter.may_hold(one)).collect();
    assert!(passed.len() < 400, "{} of 20,000", passed.len());
}

#[test]
fn a_worker_that_has_not_read_the_run_from_its_beginning_rules_nobody_out() {
    assert!(SeenFilter::default().may_hold("01H"));
}
