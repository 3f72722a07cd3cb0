//! The filter by which a run remembers what its pages have had: bits, a byte and a quarter for each of them.

use std::hash::{BuildHasherDefault, DefaultHasher};

use fastbloom::BloomFilter;

/// The same for all filters: what is asked of a store does not depend on chance.
pub(super) type PageHasher = BuildHasherDefault<DefaultHasher>;

/// Bits of the filter for each member: one in a hundred that was not there passes it.
const BITS: u64 = 10;

/// The least and the most bits of the filter: 8 KiB and 2 MiB. A list of more than 1.7 million members makes more and more of
/// them pass.
const LEAST: u64 = 1 << 16;
const MOST: u64 = 1 << 24;

/// How many members a list is taken to have that could not be counted.
const UNCOUNTED: u64 = 500_000;

/// Of a run of a list with so many members.
pub(super) fn filter_of(members: Option<u64>) -> BloomFilter<PageHasher> {
    let members = members.unwrap_or(UNCOUNTED).max(1);
    let bits = members.saturating_mul(BITS).clamp(LEAST, MOST);
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let filter = BloomFilter::with_num_bits(size(bits)).hasher(PageHasher::default());
    filter.expected_items(size(members))
}
