//! Generates the profile of a slot, the same every time.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::edge_case::{EdgeCase, EdgeCases};
use super::id::{ProfileId, made_at, mix};
use super::profile::{Consent, Location, Profile};
use crate::instant;

/// The end of a generated account's past: 2026-01-01. Nothing generated happened later.
pub(crate) const PAST_ENDS: i64 = 1_767_225_600;

const FIRST_NAMES: [&str; 24] = [
    "Ava", "Ben", "Chloé", "David", "Elif", "Fatima", "Grace", "Hiro", "Ines", "Jakub", "Kwame",
    "Lena", "Mateo", "Nora", "Olga", "Priya", "Quinn", "Rosa", "Sven", "Thandi", "Uma", "Viktor",
    "Wei", "Yusuf",
];
const LAST_NAMES: [&str; 24] = [
    "Adams", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova",
    "Jones", "Kim", "Larsen", "Mason", "Nguyen", "Okafor", "Patel", "Quintero", "Rossi", "Schmidt",
    "Tanaka", "Usman", "Varga", "Walker", "Zhang",
];
const DOMAINS: [&str; 5] = [
    "example.com",
    "example.net",
    "example.org",
    "mail.example",
    "shop.example",
];
const PLACES: [(&str, &str, &str); 6] = [
    ("Berlin", "Germany", "Europe/Berlin"),
    ("Boston", "United States", "US/Eastern"),
    ("Lyon", "France", "Europe/Paris"),
    ("Osaka", "Japan", "Asia/Tokyo"),
    ("Lagos", "Nigeria", "Africa/Lagos"),
    ("São Paulo", "Brazil", "America/Sao_Paulo"),
];
const PLANS: [&str; 3] = ["free", "plus", "pro"];

/// A random number generator that draws the same numbers for the same seed and place.
pub(crate) fn random(seed: u64, place: u64) -> SmallRng {
    SmallRng::seed_from_u64(mix(seed ^ mix(place)))
}

/// The profile in a slot.
pub(crate) fn profile(seed: u64, salt: u32, slot: u32, edge_cases: EdgeCases) -> Profile {
    let mut random = random(seed, u64::from(slot));
    let (first, last, email) = identity(&mut random, slot);
    let made = made_at(slot);
    let updated = random.random_range(made..PAST_ENDS);
    let mut profile = Profile {
        id: ProfileId::Generated { salt, slot }.to_string(),
        email: Some(email),
        phone_number: random
            .random_bool(0.4)
            .then(|| format!("+1415{:07}", slot % 10_000_000)),
        external_id: random.random_bool(0.2).then(|| format!("customer-{slot}")),
        first_name: random.random_bool(0.9).then(|| first.to_owned()),
        last_name: random.random_bool(0.85).then(|| last.to_owned()),
        organization: None,
        locale: Some("en-US".to_owned()),
        title: None,
        image: None,
        created: Some(instant::show(made)),
        updated: Some(instant::show(updated)),
        last_event_date: random.random_bool(0.5).then(|| instant::show(updated)),
        location: location(&mut random),
        properties: [("orders".to_owned(), json!(random.random_range(0..40)))]
            .into_iter()
            .collect(),
        suppressions: Vec::new(),
        list_suppressions: Vec::new(),
        email_consent: Consent::default(),
        sms_consent: Consent::default(),
    };
    if let Some(plan) = PLANS.choose(&mut random) {
        profile.properties.insert("plan".to_owned(), json!(plan));
    }
    // A profile that loses its e-mail here gets a phone number, so that one of both is left.
    if edge_cases == EdgeCases::Usual && random.random_bool(0.02) {
        profile.email = None;
        profile.phone_number = Some(format!("+1415{:07}", slot % 10_000_000));
    }
    if let Some(edge_case) = EdgeCase::of(slot, edge_cases) {
        let before = slot.saturating_sub(1);
        let (_, _, neighbour) = identity(&mut self::random(seed, u64::from(before)), before);
        edge_case.apply_to(&mut profile, &neighbour);
    }
    profile
}

/// Names and e-mail: the first values drawn, so that they can be drawn again for the next slot.
fn identity(random: &mut SmallRng, slot: u32) -> (&'static str, &'static str, String) {
    let mut pick = |of: &'static [&'static str]| of.choose(random).copied().unwrap_or_default();
    let (first, last, domain) = (pick(&FIRST_NAMES), pick(&LAST_NAMES), pick(&DOMAINS));
    let local = |name: &str| name.to_lowercase().replace(|c: char| !c.is_ascii(), "");
    let email = format!("{}.{}.{slot}@{domain}", local(first), local(last));
    (first, last, email)
}

fn location(random: &mut SmallRng) -> Location {
    let Some((city, country, timezone)) = PLACES.choose(random).filter(|_| random.random_bool(0.5))
    else {
        return Location::default();
    };
    Location {
        city: Some((*city).to_owned()),
        country: Some((*country).to_owned()),
        timezone: Some((*timezone).to_owned()),
        ..Location::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_slot_always_holds_the_same_profile() {
        for slot in 0..500 {
            let once = profile(1, 2, slot, EdgeCases::Usual);
            assert_eq!(once, profile(1, 2, slot, EdgeCases::Usual));
        }
        assert_ne!(
            profile(1, 2, 3, EdgeCases::None).email,
            profile(9, 2, 3, EdgeCases::None).email
        );
    }

    #[test]
    fn ordinary_profiles_have_an_email_of_their_own() {
        let emails: HashSet<_> = (0..5_000)
            .map(|slot| profile(1, 2, slot, EdgeCases::None).email.unwrap())
            .collect();
        assert_eq!(emails.len(), 5_000);
    }

    #[test]
    fn six_thousand_profiles_have_every_edge_case() {
        let found: Vec<_> = (0..6_000)
            .filter_map(|slot| EdgeCase::of(slot, EdgeCases::Usual))
            .collect();
        for edge_case in EdgeCase::ALL {
            assert!(found.contains(&edge_case), "{edge_case:?}");
        }
        assert!(found.len() < 6_000 / 20, "edge cases are few");
    }

    #[test]
    fn a_duplicate_is_its_neighbours_email_written_otherwise() {
        let (capitals, padded) = (1, 2);
        let before = profile(1, 2, capitals - 1, EdgeCases::None).email.unwrap();
        let odd = profile(1, 2, capitals, EdgeCases::All).email.unwrap();
        assert_ne!(odd, before);
        assert_eq!(odd.to_lowercase(), before);
        let odd = profile(1, 2, padded, EdgeCases::All).email.unwrap();
        assert_ne!(odd, odd.trim());
        assert_eq!(
            odd.trim(),
            profile(1, 2, padded - 1, EdgeCases::None).email.unwrap()
        );
    }
}
