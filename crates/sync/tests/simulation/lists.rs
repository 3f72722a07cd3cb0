//! The lists that a seed puts into Klaviyo.

use fanfare_domain::profile::Profile;
use fanfare_domain::source::CollectionRef;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::{Refused, UnknownJoins};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::world::PARTITIONS;

/// Seconds from the earliest join to the time that the clock begins at.
const YEAR: i64 = 28_000_000;

/// One list or two, which have profiles in common.
pub(crate) struct Lists {
    pub(crate) page_size: usize,
    pub(crate) collections: Vec<(CollectionRef, Vec<Profile>)>,
    /// Where Klaviyo puts members without a join time.
    pub(crate) unknown_joins: UnknownJoins,
    /// Whether the members of one second come in the order of their ids in both orders.
    pub(crate) ids_always_ascend: bool,
    /// What Klaviyo refuses of requests for members.
    pub(crate) refused: Refused,
    /// How many profiles more than there are Klaviyo counts.
    pub(crate) counts_too_many: u64,
}

impl Lists {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let page_size = random.random_range(1..=4);
        let profiles: Vec<Profile> = (0..random.random_range(1..=60))
            .map(|number| random_profile(number, &mut random))
            .collect();
        let names = ["One", "Two"];
        // Of some lists, members have no join time, so that they cannot be divided.
        let unknown_joins = [
            UnknownJoins::Earliest,
            UnknownJoins::Latest,
            UnknownJoins::AlwaysLast,
        ][random.random_range(0..3)];
        let unknown = if random.random_bool(0.3) { 0.1 } else { 0.0 };
        let refused = match random.random_range(0..10) {
            0 => Refused::Ranges,
            1 => Refused::RangesAndOrder,
            _ => Refused::Nothing,
        };
        let counts_too_many = if random.random_bool(0.1) {
            random.random_range(1..10)
        } else {
            0
        };
        let collections = names[..random.random_range(1..=2)]
            .iter()
            .map(|name| {
                let mut members: Vec<Profile> = profiles
                    .iter()
                    .filter(|_| random.random_bool(0.8))
                    .cloned()
                    .collect();
                for member in &mut members {
                    member.joined_at = member.joined_at.filter(|_| !random.random_bool(unknown));
                }
                // One profile may come twice, as a profile does that leaves a list and joins it again.
                if let Some(again) = members.first().cloned().filter(|_| random.random_bool(0.3)) {
                    members.push(again);
                }
                (list(name), members)
            })
            .collect();
        Self {
            page_size,
            collections,
            unknown_joins,
            ids_always_ascend: seed % 4 == 3,
            refused,
            counts_too_many,
        }
    }

    /// The most pages that one pass over every list asks for. Partitions of one list read some of its pages
    /// twice, and look for members where there are none. A list that turns out to be one that cannot be divided is
    /// read once more.
    pub(crate) fn pages(&self) -> usize {
        let pages = |members: &Vec<Profile>| {
            let alone = members.len().div_ceil(self.page_size).max(1);
            // A chain that is read from both ends costs three pages more at most.
            let divided = alone + 5 * (alone / 20) + 2;
            let is_whole = members.iter().all(|member| member.joined_at.is_some())
                && self.refused == Refused::Nothing
                && self.counts_too_many == 0;
            if is_whole {
                divided
            } else {
                divided + alone + 2 * PARTITIONS
            }
        };
        self.collections
            .iter()
            .map(|(_, members)| pages(members))
            .sum()
    }
}

/// A profile. There are fewer addresses than profiles, so that some profiles share one.
fn random_profile(number: u32, random: &mut StdRng) -> Profile {
    // Half of the profiles joined in one second, the others over the year before the clock's time.
    let joined = if random.random_bool(0.5) {
        7
    } else {
        random.random_range(0..YEAR)
    };
    let mut profile = profile(&format!("P{number:02}"))
        .updated(random.random_range(0..4))
        .joined(joined);
    profile = match random.random_range(0..10) {
        0 => profile,
        1 => profile.email("not an address"),
        2 => profile.phone(&format!("+155500000{number:02}")),
        _ => profile.email(&format!(
            " Person{}@Example.com",
            random.random_range(0..30)
        )),
    };
    if random.random_bool(0.5) {
        profile = profile.first_name(["Ada", "Ben", " ", "\0"][random.random_range(0..4)]);
    }
    if random.random_bool(0.3) {
        profile = profile.phone(&format!("+155511111{number:02}"));
    }
    profile.build()
}
