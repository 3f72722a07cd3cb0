//! A run's position.

use fanfare_domain::ids::Cursor;
use fanfare_domain::walk::{Checkpoint, Phase};
use proptest::prelude::*;

use crate::world::at;

fn cursor(n: u64) -> Cursor {
    Cursor::parse(format!("c{n}")).unwrap()
}

proptest! {
    #[test]
    fn the_range_to_fall_back_to_is_the_latest_join_seen(joins in prop::collection::vec(prop::option::of(0_i64..100), 1..30)) {
        let mut checkpoint = Checkpoint::default();
        for (n, joined) in (0_u64..).zip(&joins) {
            checkpoint.advance(Some(cursor(n)), joined.map(at), 1, n + 1).unwrap();
        }
        prop_assert!(checkpoint.reposition());
        prop_assert_eq!(checkpoint.range_from, joins.into_iter().flatten().max().map(at));
        prop_assert_eq!(checkpoint.cursor, None);
    }

    #[test]
    fn a_position_survives_being_stored(steps in 0_u64..200) {
        let mut checkpoint = Checkpoint::default();
        for n in 0..steps {
            checkpoint.advance(Some(cursor(n)), Some(at(1)), n % 3, n + 1).unwrap();
        }
        let text = serde_json::to_string(&checkpoint).unwrap();
        prop_assert_eq!(serde_json::from_str::<Checkpoint>(&text).unwrap(), checkpoint);
    }
}

#[test]
fn the_last_page_leads_to_settling() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.advance(Some(cursor(1)), None, 100, 1).unwrap();
    checkpoint.advance(None, None, 7, 2).unwrap();
    assert_eq!(
        (checkpoint.phase, checkpoint.cursor),
        (Phase::Adding(None), None)
    );
}

#[test]
fn the_last_page_ends_a_walk_however_barren_it_was() {
    let mut checkpoint = Checkpoint::default();
    for n in 0..1_000 {
        checkpoint.advance(Some(cursor(n)), None, 0, n).unwrap();
    }
    checkpoint.advance(None, None, 0, 1_001).unwrap();
    assert_eq!(checkpoint.phase, Phase::Adding(None));
}

#[test]
fn without_a_cursor_to_give_up_the_position_stays_as_it_is() {
    let mut checkpoint = Checkpoint {
        joined_until: Some(at(5)),
        ..Checkpoint::default()
    };
    let before = checkpoint.clone();
    assert!(!checkpoint.reposition());
    assert_eq!(checkpoint, before);
}

#[test]
fn a_range_read_anew_may_pass_the_same_cursors_again() {
    let mut checkpoint = Checkpoint::default();
    for n in 0..50 {
        checkpoint.advance(Some(cursor(n)), None, 1, n).unwrap();
    }
    checkpoint.reposition();
    for n in 0..50 {
        checkpoint
            .advance(Some(cursor(n)), None, 0, 50 + n)
            .unwrap();
    }
}
