//! Whom the index of searches names, compared with the texts themselves.

use fanfare_domain::search::{folded, text};
use fanfare_domain::search_index::{
    DamagedBlock, Gram, GramBlock, blocks, grams_of_needle, in_all, most_telling_first, places,
};
use proptest::prelude::*;

/// Whom a section's blocks name for a folded needle.
fn named(blocks: &[GramBlock], needle: &str) -> Vec<u16> {
    let list = |gram: &Gram| {
        let block = blocks.iter().rev().find(|block| block.first <= *gram);
        block.map_or_else(Vec::new, |block| places(&block.lists, *gram).unwrap())
    };
    in_all(grams_of_needle(needle).iter().map(list).collect())
}

/// Texts of few letters, so that needles are often found, and some of any letters.
fn a_text() -> impl Strategy<Value = String> {
    let few = "[ab@.]{0,12}";
    let any = any::<String>();
    prop_oneof![4 => few.prop_map(String::from), 1 => any]
}

proptest! {
    #[test]
    fn whoever_holds_a_needle_is_named(
        values in prop::collection::vec((a_text(), a_text()), 0..200),
        needle in a_text(),
    ) {
        let texts: Vec<String> = values
            .iter()
            .map(|(email, name)| text([Some(email), None, Some(name)]))
            .collect();
        let blocks = blocks(texts.iter().map(String::as_str));
        let needle = folded(&needle);
        prop_assume!(!needle.is_empty());
        let named = named(&blocks, &needle);
        for (place, text) in (0..).zip(&texts) {
            let is_named = named.contains(&place);
            prop_assert!(is_named || !text.contains(&needle));
            // Up to three characters the index is exact.
            if needle.chars().count() <= 3 {
                prop_assert_eq!(is_named, text.contains(&needle));
            }
        }
        prop_assert!(named.is_sorted());
    }

    #[test]
    fn blocks_are_in_order_and_begin_with_their_first_gram(
        texts in prop::collection::vec("[a-z]{0,20}", 0..300),
    ) {
        let blocks = blocks(texts.iter().map(String::as_str));
        prop_assert!(blocks.is_sorted_by(|one, other| one.first < other.first));
        for block in &blocks {
            prop_assert!(!places(&block.lists, block.first).unwrap().is_empty());
            prop_assert!(block.lists.len() <= 1_000);
        }
    }

    #[test]
    fn damaged_blocks_are_told_or_read_and_never_panic(
        lists in prop::collection::vec(any::<u8>(), 0..60),
        gram in any::<i64>(),
    ) {
        drop(places(&lists, gram));
    }
}

#[test]
fn a_section_may_have_every_place() {
    let texts: Vec<String> = (0..=u16::MAX).map(|n| format!("{n:x}")).collect();
    let blocks = blocks(texts.iter().map(String::as_str));
    let places = |part: &str| -> Vec<u16> {
        let with_part = (0..=u16::MAX)
            .zip(&texts)
            .filter(|(_, text)| text.contains(part));
        with_part.map(|(place, _)| place).collect()
    };
    for part in ["0", "ab", "abc", "fff"] {
        assert_eq!(named(&blocks, part), places(part), "{part}");
    }
    assert!(named(&blocks, "ffff").contains(&u16::MAX));
}

#[test]
fn no_gram_reaches_from_one_value_into_the_next() {
    let blocks = blocks(["ab\ncd", "abcd"]);
    assert_eq!(named(&blocks, "cd"), [0, 1]);
    assert_eq!(named(&blocks, "bc"), [1]);
    assert_eq!(grams_of_needle("").len(), 0);
    assert_eq!(grams_of_needle("abcdefghijklmnopqrstuvwxyz").len(), 16);
}

#[test]
fn a_list_that_ends_too_soon_is_damaged() {
    assert_eq!(places(&[7, 9, 0], 7), Err(DamagedBlock));
}

#[test]
fn the_grams_that_tell_most_come_first_and_not_two_that_say_the_same() {
    let common: Vec<u16> = (0..100).collect();
    let rare = vec![7, 20, 33];
    let same = vec![7, 20, 33, 40];
    let other = vec![7, 50, 60, 70, 80];
    let lists = vec![(1, common), (2, rare), (3, same), (4, other)];

    // The second one leaves three, the fourth leaves one of them, and the others rule nobody else out.
    assert_eq!(most_telling_first(lists), (vec![2, 4, 3, 1], 2));
    assert_eq!(most_telling_first(vec![(9, vec![])]), (vec![9], 1));
    assert_eq!(most_telling_first(vec![]), (vec![], 0));
}
