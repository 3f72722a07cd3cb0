//! Seconds in which so many members joined that they cannot be divided: they are read from both ends.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::pass::{Pass, Phase};
use fanfare_domain::scan::{OneSecond, Partition};
use proptest::prelude::*;

use crate::scans::*;
use crate::world::at;

fn ties() -> impl Strategy<Value = Ties> {
    prop::sample::select(vec![Ties::Reversed, Ties::AlwaysAscending, Ties::Unordered])
}

/// Reads to the end, round by round. Returns how many rounds there were.
fn rounds(list: &mut Shared) -> usize {
    let mut rounds = 0;
    while list.run.run().pass.scan().is_some() {
        list.round();
        rounds += 1;
        assert!(rounds < 3_000, "the scan does not end");
    }
    rounds
}

/// The partitions that read backwards.
fn backwards(list: &Shared) -> Vec<Partition> {
    let partitions = scan(&list.run).partitions().iter();
    partitions
        .filter(|one| one.reads_backwards())
        .cloned()
        .collect()
}

proptest! {
    #[test]
    fn every_member_is_seen_wherever_the_chains_are_and_however_their_members_are_ordered(
        chains in prop::collection::vec((0_i64..END, 1_usize..400), 1..4),
        others in prop::collection::vec(0_i64..END, 0..200),
        page in 1_usize..9,
        ties in ties(),
        choices in prop::option::of(prop::collection::vec(0_usize..100, 1..50)),
    ) {
        let chained = chains.into_iter().flat_map(|(second, members)| vec![second; members]);
        let mut list = Shared::of(chained.chain(others).collect(), ties, page);
        let members = list.joins.len();
        match choices {
            Some(choices) => list.read(choices, None),
            None => drop(rounds(&mut list)),
        }
        prop_assert_eq!(list.seen.len(), members);
        let is_read = matches!(list.run.run().pass.phase(), Phase::ComparingCounts | Phase::AddingMembers { .. });
        prop_assert!(is_read);
        let alone = members.div_ceil(page);
        let most = most_pages(ties, alone);
        prop_assert!(list.pages <= most, "{} pages instead of {alone}", list.pages);
    }

    #[test]
    fn a_worker_that_goes_on_from_the_checkpoint_does_what_the_one_before_would_have_done(
        members in 100_usize..600,
        rounds_before in 1_usize..20,
    ) {
        let mut list = Shared::of(vec![700; members], Ties::Reversed, 5);
        for _ in 0..rounds_before {
            if list.run.run().pass.scan().is_some() {
                list.round();
            }
        }
        let pass = &list.run.run().pass;
        let stored = serde_json::to_string(pass).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Pass>(&stored).unwrap(), pass);
        rounds(&mut list);
        prop_assert_eq!(list.seen.len(), members);
    }
}

#[test]
fn a_list_of_one_second_is_read_in_half_the_time_from_both_ends() {
    let of = |ties| rounds(&mut Shared::of(vec![700; 1_000], ties, 5));
    assert!(of(Ties::Reversed) <= 105, "{} rounds", of(Ties::Reversed));
    // Where the order does not say when both ends have met, it is read forwards alone.
    for ties in [Ties::AlwaysAscending, Ties::Unordered] {
        assert!((200..=205).contains(&of(ties)), "{ties:?}: {}", of(ties));
    }
}

#[test]
fn a_fifth_of_a_list_in_one_second_is_no_tail_wherever_it_is() {
    for second in [0, 30_000, 90_000] {
        let spread = (0..800).map(|n| n * 120);
        let joins = spread.chain(std::iter::repeat_n(second, 200)).collect();
        let mut list = Shared::of(joins, Ties::Reversed, 5);
        let rounds = rounds(&mut list);
        // The second alone has 40 pages, and all have 200, which eight partitions read in 25 rounds.
        assert!(rounds <= 48, "{rounds} rounds with {second}");
        assert_eq!(list.seen.len(), 1_000);
    }
}

#[test]
fn what_is_left_behind_a_chain_is_divided_when_little_is_left() {
    // Everybody before the second is read by then, and the six divisions of sixty pages have been made.
    let behind = (0..100).map(|n| 700 + n * 300);
    let joins = std::iter::repeat_n(700, 200).chain(behind).collect();
    let mut list = Shared::of(joins, Ties::Reversed, 5);
    let rounds = rounds(&mut list);
    assert!(rounds <= 28, "{rounds} rounds");
}

#[test]
fn a_chain_is_read_backwards_from_its_first_whole_page_on_and_first() {
    let mut list = Shared::of(vec![700; 1_000], Ties::Reversed, 5);
    list.round();
    let [backwards] = &backwards(&list)[..] else {
        panic!("one reads backwards");
    };
    assert_eq!(backwards.order, MemberOrder::LatestFirst);
    assert_eq!(
        (backwards.from, backwards.until),
        (Some(at(700)), Some(at(701)))
    );
    assert_eq!(scan(&list.run).chain_readers(), 2);
}

#[test]
fn a_second_in_which_people_may_still_join_is_read_forwards_alone() {
    for (second, is_read_backwards) in [(END - 119, false), (END - 120, true)] {
        let mut list = Shared::of(vec![second; 1_000], Ties::Reversed, 5);
        list.round();
        assert_eq!(!backwards(&list).is_empty(), is_read_backwards);
        rounds(&mut list);
        assert_eq!(list.seen.len(), 1_000);
    }
}

#[test]
fn a_long_second_at_the_lists_end_is_come_to_at_once() {
    let spread = (0..800).map(|n| n * 120);
    let joins = spread.chain(std::iter::repeat_n(99_000, 200)).collect();
    let mut list = Shared::of(joins, Ties::Reversed, 5);
    list.round();
    list.round();
    let begins_there = |one: &Partition| one.from == Some(at(99_000));
    assert!(scan(&list.run).partitions().iter().any(begins_there));
}

#[test]
fn where_reading_backwards_fails_the_second_is_read_forwards_and_nobody_is_missed() {
    let failures: [fn(&mut Shared, u32); 3] = [
        |list, number| assert!(list.run.reposition(number)),
        |list, number| assert!(list.run.drop_range(number)),
        |list, number| {
            let code = FailureCode::UpstreamUnavailable;
            list.run
                .count_failure(Some(number), code, "away", at(END))
                .unwrap();
        },
    ];
    for fail in failures {
        let mut list = Shared::of(vec![700; 500], Ties::Reversed, 5);
        for _ in 0..4 {
            list.round();
        }
        let number = backwards(&list)[0].number;
        fail(&mut list, number);
        assert!(backwards(&list).is_empty());
        rounds(&mut list);
        assert_eq!(list.seen.len(), 500);
    }
}

#[test]
fn after_a_crash_the_ends_of_a_chain_are_read_one_after_the_other_until_their_pages_have_come() {
    let mut list = Shared::of(vec![700; 500], Ties::Reversed, 5);
    for _ in 0..4 {
        list.round();
    }
    list.run.claim(true, at(END)).unwrap();
    assert_eq!(numbers(&list.run).len(), 1);
    rounds(&mut list);
    assert_eq!(list.seen.len(), 500);
}

#[test]
fn a_page_of_several_seconds_or_of_unknown_ones_is_no_chain() {
    let id = |text: &str| fanfare_domain::ids::ProfileId::parse(text).unwrap();
    let (a, b) = (id("a"), id("b"));
    assert!(OneSecond::of([(&a, Some(at(1))), (&b, Some(at(2)))]).is_none());
    assert!(OneSecond::of([(&a, Some(at(1))), (&b, None)]).is_none());
    assert!(OneSecond::of([(&a, None), (&b, Some(at(1)))]).is_none());
    assert!(OneSecond::of([]).is_none());
    assert!(OneSecond::of([(&a, Some(at(1))), (&b, Some(at(1)))]).is_some());
}
