//! A person for every slot, the same every time.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::id::{ProfileId, made_at, mix};
use super::oddity::{Oddities, Oddity};
use super::profile::{Location, Profile};
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

/// Draws the same numbers for the same place in the same account.
pub(crate) fn dice(seed: u64, place: u64) -> SmallRng {
    SmallRng::seed_from_u64(mix(seed ^ mix(place)))
}

/// The profile in a slot.
pub(crate) fn person(seed: u64, salt: u32, slot: u32, how: Oddities) -> Profile {
    let mut dice = dice(seed, u64::from(slot));
    let (first, last, email) = identity(&mut dice, slot);
    let made = made_at(slot);
    let updated = dice.random_range(made..PAST_ENDS);
    let mut profile = Profile {
        id: ProfileId::Generated { salt, slot }.to_string(),
        email: Some(email),
        phone_number: dice
            .random_bool(0.4)
            .then(|| format!("+1415{:07}", slot % 10_000_000)),
        external_id: dice.random_bool(0.2).then(|| format!("customer-{slot}")),
        first_name: dice.random_bool(0.9).then(|| first.to_owned()),
        last_name: dice.random_bool(0.85).then(|| last.to_owned()),
        organization: None,
        locale: Some("en-US".to_owned()),
        title: None,
        image: None,
        created: Some(instant::show(made)),
        updated: Some(instant::show(updated)),
        last_event_date: dice.random_bool(0.5).then(|| instant::show(updated)),
        location: location(&mut dice),
        properties: [("orders".to_owned(), json!(dice.random_range(0..40)))]
            .into_iter()
            .collect(),
        suppressions: Vec::new(),
        list_suppressions: Vec::new(),
    };
    if let Some(plan) = PLANS.choose(&mut dice) {
        profile.properties.insert("plan".to_owned(), json!(plan));
    }
    // Nobody with an e-mail is without a way to be reached if it is taken away.
    if how == Oddities::Usual && dice.random_bool(0.02) {
        profile.email = None;
        profile.phone_number = Some(format!("+1415{:07}", slot % 10_000_000));
    }
    if let Some(oddity) = Oddity::of(slot, how) {
        let before = slot.saturating_sub(1);
        let (_, _, neighbour) = identity(&mut self::dice(seed, u64::from(before)), before);
        oddity.befall(&mut profile, &neighbour);
    }
    profile
}

/// Names and e-mail: the first things drawn, so that a neighbour's can be told.
fn identity(dice: &mut SmallRng, slot: u32) -> (&'static str, &'static str, String) {
    let mut pick = |of: &'static [&'static str]| of.choose(dice).copied().unwrap_or_default();
    let (first, last, domain) = (pick(&FIRST_NAMES), pick(&LAST_NAMES), pick(&DOMAINS));
    let local = |name: &str| name.to_lowercase().replace(|c: char| !c.is_ascii(), "");
    let email = format!("{}.{}.{slot}@{domain}", local(first), local(last));
    (first, last, email)
}

fn location(dice: &mut SmallRng) -> Location {
    let Some((city, country, timezone)) = PLACES.choose(dice).filter(|_| dice.random_bool(0.5))
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
    fn a_slot_always_holds_the_same_person() {
        for slot in 0..500 {
            let once = person(1, 2, slot, Oddities::Usual);
            assert_eq!(once, person(1, 2, slot, Oddities::Usual));
        }
        assert_ne!(
            person(1, 2, 3, Oddities::None).email,
            person(9, 2, 3, Oddities::None).email
        );
    }

    #[test]
    fn ordinary_people_have_an_email_of_their_own() {
        let emails: HashSet<_> = (0..5_000)
            .map(|slot| person(1, 2, slot, Oddities::None).email.unwrap())
            .collect();
        assert_eq!(emails.len(), 5_000);
    }

    #[test]
    fn six_thousand_people_have_every_oddity() {
        let found: Vec<_> = (0..6_000)
            .filter_map(|slot| Oddity::of(slot, Oddities::Usual))
            .collect();
        for oddity in Oddity::ALL {
            assert!(found.contains(&oddity), "{oddity:?}");
        }
        assert!(found.len() < 6_000 / 30, "odd ones are few");
    }

    #[test]
    fn a_duplicate_is_its_neighbours_email_written_otherwise() {
        let (capitals, padded) = (1, 2);
        let before = person(1, 2, capitals - 1, Oddities::None).email.unwrap();
        let odd = person(1, 2, capitals, Oddities::All).email.unwrap();
        assert_ne!(odd, before);
        assert_eq!(odd.to_lowercase(), before);
        let odd = person(1, 2, padded, Oddities::All).email.unwrap();
        assert_ne!(odd, odd.trim());
        assert_eq!(
            odd.trim(),
            person(1, 2, padded - 1, Oddities::None).email.unwrap()
        );
    }
}
