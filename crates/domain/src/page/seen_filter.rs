//! Which profiles a run may have seen, as far as the worker that has read it from its beginning remembers.

use fastbloom::BloomFilter;

/// Bits for each profile: one in a hundred that was not seen passes for one that may have been.
const BITS: u64 = 10;

/// The least and the most bits of a filter: 8 KiB and 2 MiB. A list of more than 1.7 million members makes more and more of
/// them pass.
const LEAST: u64 = 1 << 16;
const MOST: u64 = 1 << 24;

/// How many members a list is taken to have that could not be counted.
const UNCOUNTED: u64 = 500_000;

/// The filters of all runs are alike: what is asked of a store does not depend on chance.
const SEED: u128 = 0;

/// Tells of most profiles that a run has not seen that it has not, without asking the store. A profile that it has seen is
/// never ruled out. The default rules nobody out.
#[derive(Debug, Default)]
pub struct SeenFilter(Option<BloomFilter>);

impl SeenFilter {
    /// Of a run that has seen nobody, of a list with so many members.
    pub fn of_new_run(members: Option<u64>) -> Self {
        let members = members.unwrap_or(UNCOUNTED).max(1);
        let bits = members.saturating_mul(BITS).clamp(LEAST, MOST);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let filter = BloomFilter::with_num_bits(size(bits)).seed(&SEED);
        Self(Some(filter.expected_items(size(members))))
    }

    /// The run has seen this profile, or sees it in the unit that asks next.
    pub fn insert(&mut self, profile: &str) {
        if let Some(filter) = &mut self.0 {
            filter.insert(profile);
        }
    }

    /// Whether the run may have seen this profile.
    pub fn may_hold(&self, profile: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|filter| filter.contains(profile))
    }
}
