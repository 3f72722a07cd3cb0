//! What a seed puts into Klaviyo.

use fanfare_domain::profile::Profile;
use fanfare_domain::source::CollectionRef;
use fanfare_testkit::build::{list, profile};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Seconds from the earliest join to the clock's time.
const YEAR: i64 = 28_000_000;

/// One list or two, which share people.
pub(crate) struct Lists {
    pub(crate) page_size: usize,
    pub(crate) lists: Vec<(CollectionRef, Vec<Profile>)>,
}

impl Lists {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let page_size = random.random_range(1..=4);
        let people: Vec<Profile> = (0..random.random_range(1..=60))
            .map(|number| person(number, &mut random))
            .collect();
        let names = ["One", "Two"];
        let lists = names[..random.random_range(1..=2)]
            .iter()
            .map(|name| {
                let mut members: Vec<Profile> = people
                    .iter()
                    .filter(|_| random.random_bool(0.8))
                    .cloned()
                    .collect();
                // A member who joins again during the walk is seen twice.
                if let Some(again) = members.first().cloned().filter(|_| random.random_bool(0.3)) {
                    members.push(again);
                }
                (list(name), members)
            })
            .collect();
        Self { page_size, lists }
    }

    /// Pages that one pass over everything asks for at most: whoever shares a list has pages in common,
    /// and looks for members where there are none.
    pub(crate) fn pages(&self) -> usize {
        let pages = |members: &Vec<Profile>| {
            let alone = members.len().div_ceil(self.page_size).max(1);
            alone + 2 * (alone / 20) + 1
        };
        self.lists.iter().map(|(_, members)| pages(members)).sum()
    }
}

/// Somebody, with few addresses for many people, so that they meet.
fn person(number: u32, random: &mut StdRng) -> Profile {
    // Some joined at once, the others over the year that ends with the clock's time.
    let joined = if random.random_bool(0.5) {
        7
    } else {
        random.random_range(0..YEAR)
    };
    let mut person = profile(&format!("P{number:02}"))
        .updated(random.random_range(0..4))
        .joined(joined);
    person = match random.random_range(0..10) {
        0 => person,
        1 => person.email("not an address"),
        2 => person.phone(&format!("+155500000{number:02}")),
        _ => person.email(&format!(
            " Person{}@Example.com",
            random.random_range(0..30)
        )),
    };
    if random.random_bool(0.5) {
        person = person.first_name(["Ada", "Ben", " ", "\0"][random.random_range(0..4)]);
    }
    if random.random_bool(0.3) {
        person = person.phone(&format!("+155511111{number:02}"));
    }
    person.build()
}
