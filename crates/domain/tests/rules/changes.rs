//! Changes of the account's profiles.

use fanfare_domain::issue::IssueCode;
use fanfare_domain::page::PagePlan;
use fanfare_domain::profile::{Attribute, Profile};
use proptest::prelude::*;

use crate::generate::{LATER, bare, paged, readings};
use crate::world::{World, at};

fn person(id: &str, email: &str, updated: i64) -> Profile {
    Profile {
        email: Attribute::text(email),
        updated: Some(at(updated)),
        ..bare(id)
    }
}

/// Whether it writes nothing.
fn is_empty(plan: &PagePlan) -> bool {
    plan.created.is_empty()
        && plan.updated.is_empty()
        && plan.links().next().is_none()
        && plan.issues.is_empty()
        && plan.members.is_empty()
        && plan.seen_profiles.is_empty()
}

proptest! {
    #[test]
    fn what_is_known_is_written_no_second_time(readings in readings()) {
        let mut world = World::default();
        world.complete_pass(at(LATER), [readings.once.as_slice()]);
        let before = world.portraits();
        for page in paged(&readings.again, &readings.cuts) {
            let plan = world.take_changes(at(LATER), page);
            prop_assert!(is_empty(&plan), "{plan:?}");
        }
        prop_assert_eq!(world.portraits(), before);
    }

    /// The same consumers and links, whichever has read them.
    #[test]
    fn changes_do_to_consumers_what_a_page_of_the_list_does(
        readings in readings(), names in prop::collection::vec("[A-C]", 8), later in 10_i64..20,
    ) {
        let changed: Vec<Profile> = readings.once.iter().zip(&names).map(|(one, name)| Profile {
            first_name: Attribute::text(name.as_str()),
            updated: Some(at(later)),
            ..one.clone()
        }).collect();
        let mut by_list = World::default();
        by_list.complete_pass(at(LATER), [readings.once.as_slice()]);
        let mut by_changes = World::default();
        by_changes.complete_pass(at(LATER), [readings.once.as_slice()]);

        by_list.complete_pass(at(LATER), [readings.once.as_slice(), changed.as_slice()]);
        by_changes.take_changes(at(LATER), &changed);

        prop_assert_eq!(by_list.portraits(), by_changes.portraits());
    }
}

#[test]
fn a_profile_that_is_not_linked_is_left_alone() {
    let mut world = World::default();
    world.complete_pass(at(LATER), [[person("p1", "a@x.io", 1)].as_slice()]);
    let plan = world.take_changes(at(LATER), &[person("p2", "b@x.io", 5)]);
    assert!(is_empty(&plan), "{plan:?}");
}

#[test]
fn a_change_in_the_future_is_written_once() {
    let mut world = World::default();
    world.complete_pass(at(LATER), [[person("p1", "a@x.io", 1)].as_slice()]);
    let ahead = [person("p1", "b@x.io", 10 * LATER)];
    let plan = world.take_changes(at(LATER), &ahead);
    assert_eq!(plan.updated.len(), 1);
    for later in 1..4 {
        let plan = world.take_changes(at(LATER + later), &ahead);
        assert!(is_empty(&plan), "{plan:?}");
    }
    // What is changed after it counts from then on.
    let plan = world.take_changes(at(LATER + 9), &[person("p1", "c@x.io", LATER + 8)]);
    assert_eq!(plan.updated.len(), 1);
}

#[test]
fn an_issue_is_told_with_its_change() {
    let mut world = World::default();
    world.complete_pass(at(LATER), [[person("p1", "a@x.io", 1)].as_slice()]);
    let broken = [person("p1", "no address", 5)];
    let plan = world.take_changes(at(LATER), &broken);
    let codes: Vec<IssueCode> = plan.issues.iter().map(|issue| issue.kind.code).collect();
    assert_eq!(codes, [IssueCode::InvalidEmail]);
    assert!(is_empty(&world.take_changes(at(LATER), &broken)));
}

/// Whose lists are whose is known only where the consumer that is left behind had no other profile.
#[test]
fn a_move_tells_whether_the_consumer_left_behind_was_shared() {
    let mut world = World::default();
    let page = [
        person("p1", "a@x.io", 1),
        person("p2", "b@x.io", 1),
        person("p3", "b@x.io", 1),
    ];
    world.complete_pass(at(LATER), [page.as_slice()]);
    let moved = |plan: PagePlan| -> Vec<bool> {
        let moves = plan.link_moves.iter();
        moves.map(|one| one.is_shared).collect()
    };
    let plan = world.take_changes(at(LATER), &[person("p2", "c@x.io", 5)]);
    assert_eq!(moved(plan), [true]);
    let plan = world.take_changes(at(LATER), &[person("p1", "c@x.io", 6)]);
    assert_eq!(moved(plan), [false]);
    // The one that comes takes the place of the one that goes.
    let both = [person("p3", "c@x.io", 7), person("p1", "b@x.io", 7)];
    let plan = world.take_changes(at(LATER), &both);
    assert_eq!(moved(plan), [true, true]);
}
