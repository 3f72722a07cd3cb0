//! Ids of profiles, small enough to be kept by the million.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use ulid::{ULID_LEN, Ulid};

/// When a generated account's first profile was made: 2022-01-01.
const FIRST_SECOND: i64 = 1_640_995_200;

/// Seconds between two generated profiles.
const SECONDS_APART: i64 = 30;

/// The most profiles that are generated for one account: the last is made in 2025.
pub(crate) const MOST: u32 = 4_000_000;

/// One generated profile in so many has a short id, as old accounts have.
const LEGACY_EVERY: u32 = 40;

/// An id as the state keeps it. Ordered as its text is, bytewise.
///
/// A generated profile's id is computed from its place in the account (`slot`) and a number that tells
/// accounts apart (`salt`), and a slot can be computed back from an id: nothing need be stored.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum ProfileId {
    /// Of a generated profile.
    Generated { salt: u32, slot: u32 },
    /// Of a profile that was put in.
    Given(Arc<String>),
}

impl ProfileId {
    /// The id of a generated profile by its text, if there is one below `size`.
    pub(crate) fn generated(text: &str, salt: u32, size: u32) -> Option<Self> {
        let slot = match text.len() {
            legacy::LENGTH => legacy::slot(text, salt)?,
            ULID_LEN => {
                let ms = Ulid::from_string(text).ok()?.timestamp_ms();
                let seconds = i64::try_from(ms / 1_000).ok()?.checked_sub(FIRST_SECOND)?;
                u32::try_from(seconds / SECONDS_APART).ok()?
            }
            _ => return None,
        };
        let id = Self::Generated { salt, slot };
        (slot < size && id.is(text)).then_some(id)
    }

    /// Whether this is its text.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text(&mut [0; ULID_LEN]) == text
    }

    fn text<'a>(&'a self, buffer: &'a mut [u8; ULID_LEN]) -> &'a str {
        match self {
            Self::Given(text) => text,
            Self::Generated { salt, slot } if is_legacy(*slot) => {
                legacy::text(*slot, *salt, buffer)
            }
            Self::Generated { salt, slot } => {
                let ms = made_at(*slot) * 1_000 + i64::from(salt % 1_000);
                let random = mix(u64::from(*salt) << 32 | u64::from(*slot));
                let random = u128::from(random) << 16 | u128::from(random & 0xFFFF);
                Ulid::from_parts(ms.unsigned_abs(), random).array_to_str(buffer)
            }
        }
    }
}

/// Seconds since the epoch at which a generated profile was made.
pub(crate) fn made_at(slot: u32) -> i64 {
    FIRST_SECOND + i64::from(slot) * SECONDS_APART
}

/// Spreads a number over all 64 bits; the same number always gives the same (`splitmix64`).
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const fn is_legacy(slot: u32) -> bool {
    slot % LEGACY_EVERY == 7
}

impl Ord for ProfileId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Later slots have later ULIDs.
            (Self::Generated { slot: a, .. }, Self::Generated { slot: b, .. })
                if !is_legacy(*a) && !is_legacy(*b) =>
            {
                a.cmp(b)
            }
            _ => self
                .text(&mut [0; ULID_LEN])
                .cmp(other.text(&mut [0; ULID_LEN])),
        }
    }
}

impl PartialOrd for ProfileId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; ULID_LEN]))
    }
}

impl fmt::Debug for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Six characters, as ids were before ULIDs.
mod legacy {
    use ulid::ULID_LEN;

    pub(super) const LENGTH: usize = 6;
    const ALPHABET: &[u8; 32] = b"QWERTYUPASDFGHJKLZXCVBNMrs234567";
    const BITS: u32 = 30;
    const MASK: u32 = (1 << BITS) - 1;
    /// Odd, so that multiplying by it modulo a power of two can be undone.
    const FACTOR: u32 = 0x2545_F491;
    const INVERSE: u32 = inverse(FACTOR);

    pub(super) fn text(slot: u32, salt: u32, buffer: &mut [u8; ULID_LEN]) -> &str {
        let number = (slot.wrapping_mul(FACTOR) ^ salt) & MASK;
        for (place, byte) in (0..).step_by(5).zip(&mut buffer[..LENGTH]) {
            *byte = ALPHABET[((number >> place) & 31) as usize];
        }
        std::str::from_utf8(&buffer[..LENGTH]).unwrap_or_default()
    }

    pub(super) fn slot(text: &str, salt: u32) -> Option<u32> {
        let mut number = 0;
        for (place, byte) in (0..).step_by(5).zip(text.bytes()) {
            let digit = ALPHABET.iter().position(|known| *known == byte)?;
            number |= u32::try_from(digit).ok()? << place;
        }
        Some(((number ^ salt) & MASK).wrapping_mul(INVERSE) & MASK)
    }

    const fn inverse(of: u32) -> u32 {
        // Newton's iteration; each round doubles the number of right bits.
        let mut x = of;
        let mut round = 0;
        while round < 5 {
            x = x.wrapping_mul(2u32.wrapping_sub(of.wrapping_mul(x)));
            round += 1;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_id_leads_back_to_its_slot() {
        for slot in (0..MOST).step_by(997).chain([7, 47, MOST - 1]) {
            let id = ProfileId::Generated { salt: 4711, slot };
            let text = id.to_string();
            assert_eq!(ProfileId::generated(&text, 4711, MOST), Some(id), "{text}");
            assert_eq!(ProfileId::generated(&text, 4712, MOST), None, "{text}");
            assert_eq!(ProfileId::generated(&text, 4711, slot), None, "{text}");
        }
    }

    #[test]
    fn ids_are_ordered_as_their_texts_are() {
        let generated = (0..200).map(|slot| ProfileId::Generated { salt: 9, slot });
        let given =
            ["", "01FZZZ", "ABC123", "ü"].map(|text| ProfileId::Given(Arc::new(text.to_owned())));
        let mut ids: Vec<_> = generated.chain(given).collect();
        ids.sort();
        let texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
        assert!(texts.is_sorted(), "{texts:?}");
    }

    #[test]
    fn an_id_takes_two_words() {
        assert_eq!(size_of::<ProfileId>(), 16);
    }
}
