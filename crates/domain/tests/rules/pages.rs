//! Pages in any order and of any size.

use std::collections::BTreeSet;

use fanfare_domain::issue::IssueCode;
use fanfare_domain::profile::{Attribute, Profile};
use proptest::prelude::*;

use crate::generate::{Contact, LATER, contact, paged, people, plainly, readings};
use crate::world::{Pass, World, at};

fn distinct(people: &[Contact], is: impl Fn(&Contact) -> bool) -> u64 {
    people.iter().filter(|contact| is(contact)).count() as u64
}

/// Consumers that these people are: one for each e-mail, one for each phone-only profile.
fn consumers_of(people: &[Contact]) -> u64 {
    let emails: BTreeSet<u8> = people
        .iter()
        .filter_map(|contact| match contact {
            Contact::Email(n) => Some(*n),
            Contact::Phone | Contact::None(_) => None,
        })
        .collect();
    emails.len() as u64 + distinct(people, |contact| *contact == Contact::Phone)
}

proptest! {
    #[test]
    fn order_size_and_repeats_of_pages_change_nothing(readings in readings()) {
        let mut one = World::default();
        one.complete_pass(at(LATER), [readings.once.as_slice()]);
        let mut other = World::default();
        other.complete_pass(at(LATER), paged(&readings.again, &readings.cuts));

        prop_assert_eq!(one.portraits(), other.portraits());
    }

    #[test]
    fn each_profile_is_counted_once_by_its_outcome_when_first_seen(readings in readings()) {
        let mut world = World::default();
        let pass = world.complete_pass(at(LATER), paged(&readings.again, &readings.cuts));

        let people = &readings.people;
        let nobodies = distinct(people, |contact| matches!(contact, Contact::None(_)));
        prop_assert_eq!(pass.tally.processed, people.len() as u64);
        prop_assert_eq!(pass.tally.skipped, nobodies);
        prop_assert_eq!(pass.tally.created, consumers_of(people));
        prop_assert_eq!(pass.tally.unchanged, 0);
        prop_assert_eq!(world.consumers.len() as u64, consumers_of(people));
        prop_assert_eq!(world.members.len(), world.consumers.len());
    }

    #[test]
    fn a_pass_meets_each_consumer_of_its_profiles_once(readings in readings()) {
        let mut world = World::default();
        for pages in [paged(&readings.again, &readings.cuts), vec![readings.once.as_slice()]] {
            let pass = world.complete_pass(at(LATER), pages);
            prop_assert_eq!(pass.consumers_met, consumers_of(&readings.people));
        }
    }

    #[test]
    fn every_skipped_profile_and_every_shared_email_is_an_issue(readings in readings()) {
        let mut world = World::default();
        let pass = world.complete_pass(at(LATER), paged(&readings.again, &readings.cuts));

        let people = &readings.people;
        let with_email = distinct(people, |contact| matches!(contact, Contact::Email(_)));
        let phone_only = distinct(people, |contact| *contact == Contact::Phone);
        let sharers = with_email + phone_only - consumers_of(people);
        prop_assert_eq!(pass.issues_of(IssueCode::DuplicateEmail) as u64, sharers);
        let unreachable = distinct(people, |contact| *contact == Contact::None(false));
        prop_assert!(pass.issues_of(IssueCode::MissingContact) as u64 >= unreachable);
        let skipped = pass.issues_of(IssueCode::MissingContact) as u64
            + distinct(people, |contact| *contact == Contact::None(true));
        prop_assert!(skipped >= pass.tally.skipped);
    }

    #[test]
    fn a_second_pass_over_the_same_profiles_writes_nothing(readings in readings()) {
        let mut world = World::default();
        world.complete_pass(at(LATER), [readings.once.as_slice()]);
        let before = world.portraits();

        let mut pass = Pass::at(at(LATER + 1));
        for page in paged(&readings.again, &readings.cuts) {
            let plan = world.take(&mut pass, page);
            prop_assert!(plan.created.is_empty() && plan.updated.is_empty());
            prop_assert!(plan.links().next().is_none());
        }
        prop_assert_eq!(pass.tally.unchanged + pass.tally.skipped, pass.tally.processed);
        prop_assert_eq!(world.portraits(), before);
    }

    #[test]
    fn after_changes_of_emails_every_profile_is_linked_to_the_consumer_with_its_email(
        (before, after) in people().prop_flat_map(|people| {
            let count = people.len();
            (Just(people), prop::collection::vec(contact(), count))
        }),
        cuts in prop::collection::vec(1_usize..6, 1..9),
    ) {
        let read = |people: &[Contact]| -> Vec<Profile> {
            let all = people.iter().enumerate();
            all.map(|(who, contact)| plainly(&format!("P{who}"), contact)).collect()
        };
        let mut world = World::default();
        world.complete_pass(at(LATER), [read(&before).as_slice()]);

        let now = read(&after);
        let pass = world.complete_pass(at(LATER + 1), paged(&now, &cuts));

        prop_assert_eq!(pass.tally.processed, after.len() as u64);
        for (who, contact) in after.iter().enumerate() {
            let consumer = world.consumer_of(&format!("P{who}"));
            match contact {
                Contact::Email(n) => {
                    let bearer = world.owner_of(&format!("m{n}@x.io"));
                    prop_assert!(bearer.is_some() && bearer == consumer);
                }
                Contact::Phone => prop_assert!(consumer.is_some()),
                Contact::None(_) => {
                    let was_known = !matches!(before[who], Contact::None(_));
                    prop_assert_eq!(consumer.is_some(), was_known);
                }
            }
        }
    }

    #[test]
    fn a_change_dated_after_the_start_counts_as_made_at_the_start(ahead in 1_i64..1_000_000) {
        let named = |name: &str, updated| Profile {
            first_name: Attribute::text(name),
            updated: Some(at(updated)),
            ..plainly("P0", &Contact::Email(0))
        };
        let mut world = World::default();
        world.complete_pass(at(10), [[named("Ahead", 10 + ahead)].as_slice()]);
        world.complete_pass(at(20), [[named("Now", 15)].as_slice()]);

        let name = world.consumer_of("P0").unwrap().full_name.clone().unwrap();
        prop_assert_eq!(name.value.as_str(), "Now");
    }
}
