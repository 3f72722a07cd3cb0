//! Records that could not be taken over without a change.

use fanfare_domain::issue::{Field, IssueCode, IssueKind};
use fanfare_domain::profile::{Attribute, Profile};
use proptest::prelude::*;

use crate::generate::bare;
use crate::world::{Pass, World, at};

fn check(profile: &Profile, want: &[(IssueCode, Option<Field>)], is_skipped: bool) {
    let mut world = World::default();
    let mut pass = Pass::at(at(1_000));
    let plan = world.take(&mut pass, std::slice::from_ref(profile));
    let got: Vec<IssueKind> = plan.issues.iter().map(|issue| issue.kind).collect();
    let want: Vec<IssueKind> = want
        .iter()
        .map(|(code, field)| IssueKind {
            code: *code,
            field: *field,
        })
        .collect();
    assert_eq!(got, want, "{profile:?}");
    assert_eq!(plan.tally.skipped == 1, is_skipped, "{profile:?}");
    assert_eq!(world.members.is_empty(), is_skipped);
}

fn with_email(text: &str) -> Profile {
    Profile {
        email: Attribute::text(text),
        ..bare("p")
    }
}

#[test]
fn a_broken_value_costs_itself_and_not_its_record() {
    let fine = || with_email("a@x.io");
    check(&fine(), &[], false);
    check(
        &Profile {
            phone: Attribute::text("555-1234"),
            ..fine()
        },
        &[(IssueCode::InvalidPhone, Some(Field::PhoneNumber))],
        false,
    );
    check(
        &Profile {
            first_name: Attribute::text("A\0n"),
            ..fine()
        },
        &[(IssueCode::InvalidValue, Some(Field::FirstName))],
        false,
    );
    check(
        &Profile {
            last_name: Attribute::Unusable,
            ..fine()
        },
        &[(IssueCode::InvalidValue, Some(Field::LastName))],
        false,
    );
    let long = "x".repeat(64 * 1024 + 1);
    check(
        &Profile {
            last_name: Attribute::text(long),
            ..fine()
        },
        &[(IssueCode::InvalidValue, Some(Field::LastName))],
        false,
    );
    let reachable = Profile {
        phone: Attribute::text("+15550001"),
        ..with_email("a@nowhere")
    };
    check(
        &reachable,
        &[(IssueCode::InvalidEmail, Some(Field::Email))],
        false,
    );
}

#[test]
fn a_time_that_cannot_be_read_is_an_issue_and_costs_nothing_else() {
    let profile = Profile {
        updated: None,
        unreadable_times: vec![Field::Updated, Field::JoinedGroupAt],
        ..with_email("a@x.io")
    };
    let want =
        [Field::Updated, Field::JoinedGroupAt].map(|field| (IssueCode::InvalidValue, Some(field)));
    check(&profile, &want, false);
}

#[test]
fn a_blank_value_is_absent_and_no_issue() {
    let blank = || Attribute::text(" \t\u{2003}");
    let profile = Profile {
        phone: blank(),
        first_name: blank(),
        last_name: blank(),
        ..with_email("a@x.io")
    };
    check(&profile, &[], false);
}

#[test]
fn a_profile_without_contacts_is_skipped_with_an_issue() {
    check(&bare("p"), &[(IssueCode::MissingContact, None)], true);
    check(&with_email(" "), &[(IssueCode::MissingContact, None)], true);
    check(
        &with_email("a@b@x.io"),
        &[(IssueCode::InvalidEmail, Some(Field::Email))],
        true,
    );
    check(
        &Profile {
            email: Attribute::Unusable,
            ..bare("p")
        },
        &[(IssueCode::InvalidEmail, Some(Field::Email))],
        true,
    );
    let broken_phone = Profile {
        phone: Attribute::text("0"),
        ..bare("p")
    };
    check(
        &broken_phone,
        &[
            (IssueCode::InvalidPhone, Some(Field::PhoneNumber)),
            (IssueCode::MissingContact, None),
        ],
        true,
    );
}

#[test]
fn of_a_linked_profile_only_a_broken_value_is_an_issue() {
    let mut world = World::default();
    world.complete_pass(at(1), [[with_email("a@x.io")].as_slice()]);
    let mut pass = Pass::at(at(2));

    let plan = world.take(&mut pass, &[bare("p")]);
    assert_eq!((plan.issues.len(), plan.tally.unchanged), (0, 1));

    let plan = world.take(&mut pass, &[with_email("broken")]);
    assert_eq!(plan.issues[0].kind.code, IssueCode::InvalidEmail);
}

#[test]
fn a_shared_email_is_an_issue_of_the_second_profile_and_only_in_the_run_that_sees_both() {
    let of = |id: &str| Profile {
        id: bare(id).id,
        ..with_email("a@x.io")
    };
    let mut world = World::default();
    let (p, q) = ([of("p")], [of("q")]);

    let first = world.complete_pass(at(1), [p.as_slice(), q.as_slice(), p.as_slice()]);
    let duplicates: Vec<_> = first
        .issues
        .iter()
        .map(|(profile, kind)| (profile.as_str(), kind.code))
        .collect();
    assert_eq!(duplicates, [("q", IssueCode::DuplicateEmail)]);

    let other_list = world.complete_pass(at(2), [p.as_slice()]);
    assert!(other_list.issues.is_empty());
}

proptest! {
    #[test]
    fn of_several_profiles_with_one_email_all_but_the_first_in_the_list_are_duplicates(
        joins in prop::collection::vec(prop::option::of(0_i64..4), 2..6),
        order in Just(vec![0_usize, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let profiles: Vec<Profile> = (0..)
            .zip(&joins)
            .map(|(n, joined)| Profile {
                id: bare(&format!("p{n}")).id,
                joined_at: joined.map(at),
                ..with_email("a@x.io")
            })
            .collect();
        let mut world = World::default();
        let seen = order.iter().filter_map(|n| profiles.get(*n));
        let pass = world.complete_pass(at(9), seen.map(std::slice::from_ref));

        let first = profiles.iter().min_by_key(|one| (one.joined_at, &one.id)).unwrap();
        let mut want: Vec<_> = profiles.iter().map(|one| &one.id).collect();
        want.retain(|id| **id != first.id);
        let mut got: Vec<_> = pass.issues.iter().map(|(profile, _)| profile).collect();
        got.sort();
        prop_assert_eq!(got, want);
    }
}

#[test]
fn a_profile_without_email_is_no_duplicate_of_the_one_it_was_linked_with() {
    let of = |id: &str| Profile {
        id: bare(id).id,
        ..with_email("a@x.io")
    };
    let mut world = World::default();
    world.complete_pass(at(1), [[of("p"), of("q")].as_slice()]);

    let later = world.complete_pass(at(2), [[bare("p"), of("q")].as_slice()]);

    assert_eq!(later.issues_of(IssueCode::DuplicateEmail), 0);
}

#[test]
fn an_issue_holds_nothing_of_the_record() {
    let canary = Profile {
        email: Attribute::text("canary@nowhere"),
        phone: Attribute::text("canary"),
        first_name: Attribute::text("canary\0"),
        ..bare("p")
    };
    let mut world = World::default();
    let plan = world.take(&mut Pass::at(at(1)), std::slice::from_ref(&canary));

    let texts: Vec<String> = plan
        .issues
        .iter()
        .map(|i| format!("{i:?} {}", i.kind.code.message()))
        .collect();
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().all(|text| !text.contains("canary")));
    assert!(!format!("{canary:?}").contains("canary"));
}
