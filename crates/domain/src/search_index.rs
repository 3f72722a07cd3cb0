//! The index of searches: which consumers of a section hold a text.
//!
//! A section is up to a few thousand consumers that follow each other in the order of their ids. Of each text by which
//! one of them is found ([`crate::search`]), the index holds its grams: every one, two and three characters that
//! follow each other. For each gram of the section there is a list of the places of those who have it. Lists are
//! kept in blocks in the order of their grams, so that a few hundred rows hold a section, and a search reads a block
//! for each gram.
//!
//! Who has all grams of a needle may still not hold it (`anna` has the grams of `annanna`): a store compares the texts
//! of those whom the index names. Pure functions, the same for all stores.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::search::BETWEEN;

/// The most consumers of a section: places are 16 bits.
pub const MOST_OF_SECTION: u32 = 1 << 16;

/// How many consumers a section has.
pub const SECTION: u32 = 4_096;

/// The most grams that a needle is looked up by. More of them rule hardly anybody out whom these leave.
const MOST_GRAMS: usize = 16;

/// How many bytes a block has, unless its one list is longer.
const BLOCK_BYTES: usize = 900;

/// One to three characters, as a number of 63 bits: 21 for each, the first one in front.
pub type Gram = i64;

/// A part of a section's lists, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GramBlock {
    /// Its first gram. A gram is in the last block that does not begin after it, or nowhere.
    pub first: Gram,
    /// Its lists, for [`places`].
    pub lists: Vec<u8>,
}

/// A block that is not as this program writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of the search index cannot be read")]
pub struct DamagedBlock;

const fn gram(characters: [char; 3]) -> Gram {
    let [a, b, c] = characters;
    // 21 bits hold every character, so 63 are used and the number is not negative.
    ((a as i64) << 42) | ((b as i64) << 21) | c as i64
}

/// Stands for a character that is not there. No folded text holds it.
const NONE: char = '\0';

/// Takes each gram of a folded text as often as it is there. None reaches from one value into the next.
fn each_gram(text: &str, mut take: impl FnMut(Gram)) {
    for value in text.split(BETWEEN) {
        let mut before = [NONE; 2];
        for c in value.chars() {
            take(gram([c, NONE, NONE]));
            if before[1] != NONE {
                take(gram([before[1], c, NONE]));
            }
            if before[0] != NONE {
                take(gram([before[0], before[1], c]));
            }
            before = [before[1], c];
        }
    }
}

/// The grams that every text with this folded needle in it has: the longest, and not more than 16. None for
/// an empty needle, which every text holds.
pub fn grams_of_needle(needle: &str) -> Vec<Gram> {
    let characters: Vec<char> = needle.chars().collect();
    let mut grams: Vec<Gram> = match characters[..] {
        [] => Vec::new(),
        [a] => vec![gram([a, NONE, NONE])],
        [a, b] => vec![gram([a, b, NONE])],
        _ => characters
            .windows(3)
            .map(|w| gram([w[0], w[1], w[2]]))
            .collect(),
    };
    if grams.len() > MOST_GRAMS {
        let last = grams.len() - 1;
        // From the first to the last, at equal distances.
        let spread = (0..MOST_GRAMS).map(|n| grams[n * last / (MOST_GRAMS - 1)]);
        grams = spread.collect();
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The blocks of a section: `texts` are those of its consumers, by place.
pub fn blocks<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<GramBlock> {
    // Grams are few and their places many, so only the grams are sorted: texts come in the order of their places.
    let mut lists: HashMap<Gram, Vec<u16>, RandomState> = HashMap::default();
    for (place, text) in (0..=u16::MAX).zip(texts) {
        each_gram(text, |gram| {
            let list = lists.entry(gram).or_default();
            if list.last() != Some(&place) {
                list.push(place);
            }
        });
    }
    let mut lists: Vec<(Gram, Vec<u16>)> = lists.into_iter().collect();
    lists.sort_unstable_by_key(|(gram, _)| *gram);
    let mut blocks: Vec<GramBlock> = Vec::new();
    let mut before = 0;
    for (gram, list) in lists {
        let places = packed(list.iter().copied());
        let is_full = |block: &GramBlock| block.lists.len() + places.len() + 10 > BLOCK_BYTES;
        if blocks.last().is_none_or(is_full) {
            before = 0;
            blocks.push(GramBlock {
                first: gram,
                lists: Vec::new(),
            });
        }
        let Some(block) = blocks.last_mut() else {
            continue;
        };
        put(&mut block.lists, gram.abs_diff(before));
        put(&mut block.lists, places.len() as u64);
        block.lists.extend(places);
        before = gram;
    }
    blocks
}

/// The places of those who have the gram, in order, by a block's lists; none if it is not in the block.
pub fn places(lists: &[u8], gram: Gram) -> Result<Vec<u16>, DamagedBlock> {
    let mut rest = lists;
    // Each list follows the distance from the gram before, the first one the gram itself.
    let mut at: Gram = 0;
    while !rest.is_empty() {
        at = at
            .checked_add_unsigned(take(&mut rest)?)
            .ok_or(DamagedBlock)?;
        let length = usize::try_from(take(&mut rest)?).map_err(|_| DamagedBlock)?;
        let (list, after) = rest.split_at_checked(length).ok_or(DamagedBlock)?;
        if at == gram {
            return unpacked(list);
        }
        if at > gram {
            break;
        }
        rest = after;
    }
    Ok(Vec::new())
}

/// The places that are in every list, in order. None for no lists.
pub fn in_all(mut lists: Vec<Vec<u16>>) -> Vec<u16> {
    lists.sort_unstable_by_key(Vec::len);
    let mut lists = lists.into_iter();
    let mut common = lists.next().unwrap_or_default();
    for list in lists {
        common.retain(|place| list.binary_search(place).is_ok());
    }
    common
}

/// The grams of a needle in an order in which the first few rule nearly everybody out whom all of them do, and how
/// many of them leave as few as all of them, by the places of those who have them in some section. To take the rarest
/// ones would not do: `334` and `34@` are both rare, and whoever has the one has the other.
pub fn most_telling_first(mut lists: Vec<(Gram, Vec<u16>)>) -> (Vec<Gram>, usize) {
    let mut enough = 0;
    let mut order = Vec::with_capacity(lists.len());
    let mut common: Option<Vec<u16>> = None;
    let in_common = |list: &[u16], common: &Option<Vec<u16>>| match common {
        None => list.len(),
        Some(common) => {
            let is_in = |place: &&u16| list.binary_search(place).is_ok();
            common.iter().filter(is_in).count()
        }
    };
    while !lists.is_empty() {
        let left = lists.iter().enumerate();
        let next = left.min_by_key(|(_, (_, list))| (in_common(list, &common), list.len()));
        let (gram, list) = lists.swap_remove(next.map_or(0, |(at, _)| at));
        order.push(gram);
        let left = match &common {
            None => list,
            Some(common) => in_all(vec![common.clone(), list]),
        };
        if common.is_none_or(|common| left.len() < common.len()) {
            enough = order.len();
        }
        common = Some(left);
    }
    (order, enough)
}

/// The two forms of a list, of which it has the shorter one.
const DISTANCES: u8 = 0;
const BITS: u8 = 1;

/// Places in order, each once.
fn packed(places: impl Iterator<Item = u16> + Clone) -> Vec<u8> {
    let mut distances = vec![DISTANCES];
    let mut before = 0;
    for place in places.clone() {
        put(&mut distances, (place - before).into());
        before = place;
    }
    if distances.len() <= usize::from(before / 8) + 2 {
        return distances;
    }
    let mut bits = vec![0; usize::from(before / 8) + 2];
    bits[0] = BITS;
    for place in places {
        bits[1 + usize::from(place / 8)] |= 1 << (place % 8);
    }
    bits
}

fn unpacked(list: &[u8]) -> Result<Vec<u16>, DamagedBlock> {
    match list.split_first() {
        Some((&DISTANCES, mut rest)) => {
            let mut places = Vec::with_capacity(rest.len());
            let mut at = 0_u16;
            while !rest.is_empty() {
                let distance = u16::try_from(take(&mut rest)?).map_err(|_| DamagedBlock)?;
                at = at.checked_add(distance).ok_or(DamagedBlock)?;
                places.push(at);
            }
            Ok(places)
        }
        Some((&BITS, bits)) if !bits.is_empty() => {
            let mut places = Vec::with_capacity(list.len());
            for (number, byte) in bits.iter().enumerate() {
                let first = u16::try_from(number * 8).map_err(|_| DamagedBlock)?;
                let mut left = *byte;
                while left != 0 {
                    let bit = u16::try_from(left.trailing_zeros()).map_err(|_| DamagedBlock)?;
                    places.push(first | bit);
                    left &= left - 1;
                }
            }
            Ok(places)
        }
        _ => Err(DamagedBlock),
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that another byte follows.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> Result<u64, DamagedBlock> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(DamagedBlock)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(DamagedBlock)
}
