//! Whom a run has seen, as far as a worker remembers: hashes, a few bytes for each profile.

use std::hash::{BuildHasher, RandomState};

use fastbloom::BloomFilter;

use super::SeenProfile;
use super::filter::{PageHasher, filter_of};

/// How many profiles a stored page of seen profiles has at most: with their ids as Klaviyo makes them, two fit into a page of
/// Postgres.
pub const PROFILES_OF_A_SEEN_PAGE: usize = 90;

/// The most profiles of a block of the index: a megabyte, which is copied when blocks are joined.
const MOST_OF_A_BLOCK: usize = 1 << 17;

/// Profiles that a run has seen and that are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPage {
    /// Its number among those of the run, from 1 on.
    pub number: u64,
    /// At most [`PROFILES_OF_A_SEEN_PAGE`].
    pub profiles: Vec<SeenProfile>,
}

/// In which stored pages a profile may be that a run has seen: in few others than the one that has it, if one has. So the store
/// is asked only for those, and for most profiles that the run has not seen it is not asked at all. The default knows of no page.
///
/// A profile takes eight bytes, and one of the filter.
#[derive(Debug, Default)]
pub struct SeenIndex {
    filter: Option<BloomFilter<PageHasher>>,
    hasher: PageHasher,
    /// A hash and the number of its page, in order. A block is joined with the next as long as both are small, so that they are few.
    blocks: Vec<Vec<(u32, u32)>>,
    last_page: u64,
}

impl SeenIndex {
    /// Of a run of a list with so many members.
    pub fn of_run(members: Option<u64>) -> Self {
        Self {
            filter: Some(filter_of(members)),
            ..Self::default()
        }
    }

    /// The number of the last page that it knows of; 0 if it knows of none.
    pub const fn last_page(&self) -> u64 {
        self.last_page
    }

    /// The run has seen these profiles too. They are stored from the page after [`last_page`](Self::last_page) on, or nowhere
    /// if their unit is refused.
    pub fn add(&mut self, seen: &[SeenProfile]) {
        let mut block = Vec::with_capacity(seen.len());
        for page in seen.chunks(PROFILES_OF_A_SEEN_PAGE) {
            self.last_page += 1;
            self.remember(page, self.last_page, &mut block);
        }
        self.insert(block);
    }

    /// A stored page, which comes after those that it knows of.
    pub fn add_stored(&mut self, page: &SeenPage) {
        let mut block = Vec::with_capacity(page.profiles.len());
        self.last_page = page.number;
        self.remember(&page.profiles, page.number, &mut block);
        self.insert(block);
    }

    /// The pages in which the profile may be, each once, in order.
    pub fn pages_of(&self, profile: &str) -> Vec<u64> {
        let hash = self.hasher.hash_one(profile);
        let filter = self.filter.as_ref();
        if filter.is_some_and(|filter| !filter.contains_hash(hash)) {
            return Vec::new();
        }
        let hash = short(hash);
        let of_block = |block: &Vec<(u32, u32)>| {
            let from = block.partition_point(|(one, _)| *one < hash);
            let found = block[from..].iter().take_while(|(one, _)| *one == hash);
            found.map(|(_, page)| u64::from(*page)).collect::<Vec<_>>()
        };
        let mut pages: Vec<u64> = self.blocks.iter().flat_map(of_block).collect();
        pages.sort_unstable();
        pages.dedup();
        pages
    }

    fn remember(&mut self, page: &[SeenProfile], number: u64, block: &mut Vec<(u32, u32)>) {
        // A run of so many pages would have seen 386 thousand million profiles.
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for seen in page {
            let hash = self.hasher.hash_one(seen.profile.as_str());
            if let Some(filter) = &mut self.filter {
                filter.insert_hash(hash);
            }
            block.push((short(hash), number));
        }
    }

    fn insert(&mut self, mut block: Vec<(u32, u32)>) {
        let joins = |last: &[_], block: &[_]| {
            last.len() <= 2 * block.len() && last.len() + block.len() <= MOST_OF_A_BLOCK
        };
        while let Some(last) = self.blocks.pop_if(|last| joins(last, &block)) {
            block.extend(last);
        }
        block.sort_unstable();
        if !block.is_empty() {
            block.shrink_to_fit();
            self.blocks.push(block);
        }
    }
}

/// The half of a hash by which a filter does not begin.
#[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
const fn short(hash: u64) -> u32 {
    hash as u32
}

/// For how many profiles a set has room at once: one of more grows.
const MOST_ROOM: usize = 10_000_000;

/// All profiles that a run has seen, by hashes of 64 bits with a key of the process's: of a million members, with a profile each, and
/// as many that were seen, one who is absent is taken for seen with a probability of one in eighteen million, and not again in the
/// next pass.
#[derive(Debug, Default)]
pub struct SeenSet {
    hasher: RandomState,
    hashes: Vec<u64>,
}

impl SeenSet {
    /// Of a run that has seen so many profiles.
    pub fn of_run(profiles: u64) -> Self {
        let room = usize::try_from(profiles).unwrap_or_default();
        Self {
            hashes: Vec::with_capacity(room.min(MOST_ROOM)),
            ..Self::default()
        }
    }

    /// The run has seen the profiles of these pages.
    pub fn add(&mut self, pages: &[SeenPage]) {
        let profiles = pages.iter().flat_map(|page| &page.profiles);
        let hash = |seen: &SeenProfile| self.hasher.hash_one(seen.profile.as_str());
        self.hashes.extend(profiles.map(hash));
    }

    /// The same, with everything added, to be asked.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.hashes.sort_unstable();
        self
    }

    /// Whether the run has seen the profile.
    pub fn holds(&self, profile: &str) -> bool {
        let hash = self.hasher.hash_one(profile);
        self.hashes.binary_search(&hash).is_ok()
    }
}
