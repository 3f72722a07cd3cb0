//! The rules by which a profile becomes a consumer, one example each.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::issue::IssueCode;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::value::Email;

use crate::generate::bare;
use crate::world::{Pass, World, at};

/// A profile with an e-mail, a phone number and a first name; `-` for none.
fn profile(id: &str, updated: i64, email: &str, phone: &str, name: &str) -> Profile {
    let text = |text: &str| match text {
        "-" => Attribute::Absent,
        text => Attribute::text(text),
    };
    Profile {
        email: text(email),
        phone: text(phone),
        first_name: text(name),
        updated: Some(at(updated)),
        ..bare(id)
    }
}

/// A world after complete passes over these lists.
fn after(passes: &[&[Profile]]) -> World {
    let mut world = World::default();
    for (n, list) in (0_i64..).zip(passes) {
        world.complete_pass(at(1_000 + n), [*list]);
    }
    world
}

fn email(consumer: &Consumer) -> Option<&str> {
    consumer.email.as_ref().map(Email::as_str)
}

fn name(consumer: &Consumer) -> Option<&str> {
    consumer.full_name.as_ref().map(|held| held.value.as_str())
}

fn primary(consumer: &Consumer) -> Option<&str> {
    consumer
        .primary
        .as_ref()
        .map(|primary| primary.stamp.profile.as_str())
}

#[test]
fn a_profile_is_linked_to_the_consumer_with_its_email_and_its_old_consumer_stays() {
    let world = after(&[
        &[
            profile("p", 1, "a@x.io", "-", "Ann"),
            profile("q", 1, "b@x.io", "-", "Bo"),
        ],
        &[
            profile("p", 2, "b@x.io", "-", "Ann"),
            profile("q", 1, "b@x.io", "-", "Bo"),
        ],
    ]);

    assert_eq!(world.consumer_of("p"), world.owner_of("b@x.io"));
    assert_eq!(world.consumer_of("p"), world.consumer_of("q"));
    let left = world.owner_of("a@x.io").unwrap();
    assert_eq!((name(left), primary(left)), (Some("Ann"), None));
    assert!(!world.members.contains(&left.id));
    let joined = world.owner_of("b@x.io").unwrap();
    assert_eq!((name(joined), primary(joined)), (Some("Ann"), Some("p")));
}

#[test]
fn a_changed_email_is_taken_by_the_consumer_its_profile_has_alone() {
    let world = after(&[
        &[profile("p", 1, "a@x.io", "-", "Ann")],
        &[profile("p", 2, "new@x.io", "-", "-")],
    ]);

    assert_eq!(world.consumers.len(), 1);
    let consumer = world.consumer_of("p").unwrap();
    assert_eq!(
        (email(consumer), name(consumer)),
        (Some("new@x.io"), Some("Ann"))
    );
}

#[test]
fn a_changed_email_makes_a_new_consumer_where_the_old_one_is_shared() {
    let world = after(&[
        &[
            profile("p", 1, "a@x.io", "-", "-"),
            profile("q", 1, "a@x.io", "-", "-"),
        ],
        &[
            profile("p", 2, "new@x.io", "-", "-"),
            profile("q", 1, "a@x.io", "-", "-"),
        ],
    ]);

    assert_eq!(email(world.consumer_of("p").unwrap()), Some("new@x.io"));
    assert_eq!(email(world.consumer_of("q").unwrap()), Some("a@x.io"));
    assert_eq!(primary(world.consumer_of("q").unwrap()), Some("q"));
}

#[test]
fn phone_numbers_match_no_consumer() {
    let world = after(&[&[
        profile("p", 1, "-", "+15550001", "-"),
        profile("q", 1, "-", "+15550001", "-"),
        profile("r", 1, "a@x.io", "+15550001", "-"),
    ]]);

    assert_eq!(world.consumers.len(), 3);
}

#[test]
fn a_linked_profile_that_loses_its_contacts_stays_a_member_and_its_name_merges() {
    let world = after(&[
        &[profile("p", 1, "a@x.io", "+15550001", "Ann")],
        &[profile("p", 2, "-", "-", "Anna")],
    ]);

    let consumer = world.consumer_of("p").unwrap();
    assert_eq!(
        (email(consumer), name(consumer)),
        (Some("a@x.io"), Some("Anna"))
    );
    assert!(consumer.phone.is_some());
    assert!(world.members.contains(&consumer.id));
}

#[test]
fn emails_that_two_profiles_exchange_move_the_links_and_stay_with_their_consumers() {
    let mut world = after(&[&[
        profile("p", 1, "a@x.io", "-", "-"),
        profile("q", 1, "b@x.io", "-", "-"),
    ]]);
    let (a, b) = (
        world.owner_of("a@x.io").unwrap().id.clone(),
        world.owner_of("b@x.io").unwrap().id.clone(),
    );

    let exchanged = [
        profile("p", 2, "b@x.io", "-", "-"),
        profile("q", 2, "a@x.io", "-", "-"),
    ];
    world.complete_pass(at(2_000), [exchanged.as_slice()]);

    assert_eq!(world.consumer_of("p").unwrap().id, b);
    assert_eq!(world.consumer_of("q").unwrap().id, a);
}

#[test]
fn an_earlier_value_never_replaces_a_later_one_and_an_absent_one_deletes_nothing() {
    let world = after(&[
        &[profile("p", 9, "a@x.io", "+15550001", "Late")],
        &[
            profile("q", 5, "a@x.io", "+15550002", "Early"),
            profile("r", 20, "a@x.io", "-", "-"),
        ],
    ]);

    let consumer = world.owner_of("a@x.io").unwrap();
    assert_eq!(name(consumer), Some("Late"));
    assert_eq!(consumer.phone.as_ref().unwrap().value.as_str(), "+15550001");
    assert_eq!(primary(consumer), Some("r"));
}

#[test]
fn of_two_changes_at_one_time_the_greater_profile_id_wins_and_no_time_is_the_earliest() {
    let world = after(&[&[
        profile("b", 5, "a@x.io", "-", "Of b"),
        profile("a", 5, "a@x.io", "-", "Of a"),
        Profile {
            updated: None,
            ..profile("z", 0, "a@x.io", "-", "Of z")
        },
    ]]);

    let consumer = world.owner_of("a@x.io").unwrap();
    assert_eq!(
        (name(consumer), primary(consumer)),
        (Some("Of b"), Some("b"))
    );
}

#[test]
fn the_same_profile_at_the_same_time_replaces_itself() {
    let world = after(&[
        &[profile("p", 5, "a@x.io", "-", "Before")],
        &[profile("p", 5, "a@x.io", "-", "After")],
    ]);

    assert_eq!(name(world.owner_of("a@x.io").unwrap()), Some("After"));
}

#[test]
fn the_primary_falls_to_the_latest_of_those_that_stay_when_its_profile_moves() {
    let world = after(&[
        &[
            profile("p", 3, "a@x.io", "-", "-"),
            profile("q", 2, "a@x.io", "-", "-"),
            profile("r", 1, "a@x.io", "-", "-"),
        ],
        &[profile("p", 4, "b@x.io", "-", "-")],
    ]);

    assert_eq!(primary(world.owner_of("a@x.io").unwrap()), Some("q"));
    assert_eq!(primary(world.owner_of("b@x.io").unwrap()), Some("p"));
}

#[test]
fn a_link_is_dated_when_its_profile_last_changed_the_consumer_not_when_it_was_last_seen() {
    let mut world = World::default();
    let ann = [profile("p", 1, "a@x.io", "-", "Ann")];
    world.complete_pass(at(100), [ann.as_slice()]);
    world.complete_pass(at(200), [ann.as_slice()]);
    assert_eq!(world.links.values().next().unwrap().changed_at, at(100));

    let anna = [profile("p", 2, "a@x.io", "-", "Anna")];
    world.complete_pass(at(300), [anna.as_slice()]);
    assert_eq!(world.links.values().next().unwrap().changed_at, at(300));
}

#[test]
fn a_change_that_no_user_can_see_replaces_the_stamp_and_counts_as_unchanged() {
    let mut world = after(&[&[profile("p", 1, "a@x.io", "-", "Ann")]]);

    let mut pass = Pass::at(at(2_000));
    let plan = world.take(&mut pass, &[profile("p", 2, "a@x.io", "-", "Ann")]);

    assert_eq!((plan.tally.unchanged, plan.updated.len()), (1, 1));
    assert!(!plan.updated[0].visible);
}

/// A world whose consumers were stored with these e-mails, each with its profiles.
fn stored_before(consumers: &[(&str, &[&str])]) -> World {
    let mut world = World::default();
    for (n, (_, profiles)) in consumers.iter().enumerate() {
        let page: Vec<Profile> = profiles
            .iter()
            .map(|id| profile(id, 1, &format!("m{n}@x.io"), "-", "Ann"))
            .collect();
        world.take(&mut Pass::at(at(1)), &page);
    }
    for consumer in world.consumers.values_mut() {
        let number =
            email(consumer).and_then(|email| email.strip_prefix('m')?.strip_suffix("@x.io"));
        let number: usize = number.unwrap().parse().unwrap();
        consumer.email = Email::from_stored(consumers[number].0.to_owned());
    }
    world
}

const SPELT: &str = "ann@xn--bcher-kva.de";
const TODAY: &str = "ann@b\u{fc}cher.de";

#[test]
fn an_address_that_was_stored_in_another_form_takes_todays_at_the_next_pass() {
    for (form, today) in [(SPELT, TODAY), ("jose\u{301}@x.io", "jos\u{e9}@x.io")] {
        // Two profiles share the consumer, and are read in two pages.
        let mut world = stored_before(&[(form, &["p", "q"])]);
        let page = ["p", "q"].map(|id| profile(id, 1, form, "-", "Ann"));
        let [p, q] = page.each_ref().map(std::slice::from_ref);

        let pass = world.complete_pass(at(2), [p, q]);

        assert_eq!((pass.tally.created, pass.tally.updated), (0, 1), "{form}");
        assert_eq!(world.consumers.len(), 1, "{form}");
        assert_eq!(email(world.consumer_of("q").unwrap()), Some(today));
        let again = world.complete_pass(at(3), [p, q]);
        assert_eq!(again.tally.unchanged, 2, "{form}");
    }
}

#[test]
fn a_consumer_stored_in_todays_form_is_preferred_to_one_of_another_form() {
    let mut world = stored_before(&[(SPELT, &["p"]), (TODAY, &["q"])]);
    let page = ["p", "q"].map(|id| profile(id, 1, SPELT, "-", "Ann"));

    world.complete_pass(at(2), [page.as_slice()]);

    assert_eq!(world.consumer_of("p"), world.consumer_of("q"));
    assert_eq!(email(world.consumer_of("p").unwrap()), Some(TODAY));
    assert_eq!(world.members.len(), 1);
}

#[test]
fn a_consumer_that_has_left_its_old_form_is_not_found_by_it() {
    let mut world = stored_before(&[(SPELT, &["p"])]);
    let page = [
        profile("p", 2, "new@x.io", "-", "Ann"),
        profile("q", 2, TODAY, "-", "Bo"),
    ];

    world.complete_pass(at(3), [page.as_slice()]);

    assert_eq!(email(world.consumer_of("p").unwrap()), Some("new@x.io"));
    assert_eq!(email(world.consumer_of("q").unwrap()), Some(TODAY));
}

#[test]
fn an_address_of_before_that_is_none_today_stays_with_its_member() {
    let mut world = stored_before(&[("<ann@x.io>", &["p"])]);

    let pass = world.complete_pass(
        at(2),
        [[profile("p", 1, "<ann@x.io>", "-", "Ann")].as_slice()],
    );

    assert_eq!(email(world.consumer_of("p").unwrap()), Some("<ann@x.io>"));
    assert_eq!(pass.issues_of(IssueCode::InvalidEmail), 1);
    assert_eq!(world.members.len(), 1);
}
