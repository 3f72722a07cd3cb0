//! People from numbers: the same seed and number are the same person, with the untidiness of real
//! data in fixed proportions.
//!
//! Nothing of a generated person is stored: a list of a million costs its order alone.

use serde_json::{Map, Value, json};

use super::profile::Profile;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A good mix of numbers (SplitMix64's).
pub(crate) const fn mix(seed: u64, number: u64, salt: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(salt.wrapping_mul(0xA076_1D64_78BD_642F));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Whether the person is one of `per_10_000` by this trait.
const fn has(seed: u64, number: u64, salt: u64, per_10_000: u64) -> bool {
    mix(seed, number, salt) % 10_000 < per_10_000
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The person's profile id: 26 characters, or 6 as old accounts have them.
pub fn id(seed: u64, number: u64) -> String {
    if has(seed, number, 1, 200) {
        // The number itself in base 62, so that no two are the same, behind two of the seed.
        let mut rest = number;
        let mut text = vec![LETTERS[(mix(seed, 0, 2) % 52) as usize]];
        for _ in 0..5 {
            text.push(LETTERS[(rest % 62) as usize]);
            rest /= 62;
        }
        return String::from_utf8(text).unwrap_or_default();
    }
    let mut text = b"01".to_vec();
    let (mut high, mut low) = (mix(seed, number, 3), number);
    for _ in 0..12 {
        text.push(CROCKFORD[(high % 32) as usize]);
        high /= 32;
    }
    for _ in 0..12 {
        text.push(CROCKFORD[(low % 32) as usize]);
        low /= 32;
    }
    String::from_utf8(text).unwrap_or_default()
}

/// When the `nth` member joined, in seconds: one after the other, a hundred a minute, but each
/// thousand begins with fifty in one second, as imports do.
pub(crate) fn joined(seed: u64, born: i64, nth: u64) -> i64 {
    let step = nth % 1_000;
    let within = if step < 50 { 0 } else { step * 3 / 5 };
    let start = born / SECOND - 200 * 86_400;
    let whole = i64::try_from(nth / 1_000).unwrap_or(i64::MAX / 1_000);
    start + whole * 700 + i64::try_from(within).unwrap_or(0) + (mix(seed, nth / 1_000, 4) % 60) as i64
}

const FIRST: &[&str] = &[
    "Ada", "Ben", "Chloé", "Dmitri", "Émile", "Fatima", "Grace", "Hiro", "Ines", "Jürgen", "Kofi",
    "Lucía", "Mei", "Noor", "Oğuz", "Priya", "Quentin", "Rosa", "Søren", "Tomasz", "Uma", "Viktor",
    "Wren", "Xochitl", "Yara", "Zoë", "小明", "Ольга", "محمد", "さくら",
];
const LAST: &[&str] = &[
    "Abara", "Brandt", "Castillo", "Dubois", "Eriksen", "Ferreira", "García", "Haddad", "Ivanova",
    "Jónsdóttir", "Kowalski", "Lefèvre", "Müller", "Nakamura", "O'Neill", "Papadopoulos", "Quispe",
    "Rossi", "Świątek", "Tanaka", "Ueda", "Varga", "Weiß", "Xu", "Yıldız", "Zimmermann",
];

fn pick(from: &'static [&'static str], by: u64) -> &'static str {
    from[(by % from.len() as u64) as usize]
}

/// The tidy form of the person's address.
fn address(seed: u64, number: u64) -> String {
    let names = ["ada", "ben", "chloe", "dmitri", "emile", "fatima", "grace", "hiro", "ines", "kofi"];
    let hosts = ["example.com", "mail.example.org", "example.co.uk", "shop.example.net"];
    let name = names[(mix(seed, number, 5) % 10) as usize];
    let host = hosts[(mix(seed, number, 6) % 4) as usize];
    format!("{name}.{number}@{host}")
}

fn email(seed: u64, number: u64) -> Option<String> {
    let kind = mix(seed, number, 7) % 10_000;
    Some(match kind {
        // By phone alone, and by nothing at all.
        0..250 => return None,
        250..300 => "not an address".to_owned(),
        300..340 => format!("no-domain-{number}@"),
        340..370 => format!("two@@signs-{number}.example.com"),
        370..400 => String::new(),
        // Another person's address, spelt otherwise: one consumer, two profiles.
        400..550 if number > 0 => {
            let other = address(seed, number - 1);
            if number.is_multiple_of(2) {
                other.to_uppercase()
            } else {
                format!("  {other}")
            }
        }
        550..700 => address(seed, number).to_uppercase(),
        700..800 => format!(" {} ", address(seed, number)),
        800..820 => format!("jörg.{number}@exämple.com"),
        _ => address(seed, number),
    })
}

fn phone(seed: u64, number: u64, has_email: bool) -> Option<String> {
    let kind = mix(seed, number, 8) % 10_000;
    let good = || format!("+1555{:07}", number % 10_000_000);
    match kind {
        0..100 => Some(format!("(555) 01{:02}", number % 100)),
        100..130 => Some("555".to_owned()),
        // Most who have no address have a number; a few have neither.
        _ if !has_email && kind < 8_500 => Some(good()),
        _ if has_email && kind < 2_500 => Some(good()),
        _ => None,
    }
}

fn first_name(seed: u64, number: u64) -> Option<String> {
    match mix(seed, number, 9) % 10_000 {
        0..900 => None,
        900..1_100 => Some(String::new()),
        1_100..1_150 => Some("   ".to_owned()),
        1_150..1_155 => Some("N\u{0}l".to_owned()),
        1_155..1_157 => Some("Longest".repeat(10_000)),
        by => Some(pick(FIRST, by).to_owned()),
    }
}

fn last_name(seed: u64, number: u64) -> Option<String> {
    match mix(seed, number, 10) % 10_000 {
        0..1_200 => None,
        1_200..1_400 => Some(String::new()),
        1_400..1_600 => Some(format!(" {} ", pick(LAST, number))),
        by => Some(pick(LAST, by).to_owned()),
    }
}

fn properties(seed: u64, number: u64) -> Map<String, Value> {
    let mut properties = Map::new();
    if has(seed, number, 11, 3_000) {
        properties.insert("$source".to_owned(), json!(-(i64::from(number % 9 == 0))));
        properties.insert("größe".to_owned(), json!(["S", "M", "L"]));
    }
    if has(seed, number, 12, 10) {
        properties.insert("notes".to_owned(), json!("lorem ipsum ".repeat(4_000)));
    }
    properties
}

/// The person of this number, in an account born at this time.
pub fn profile(seed: u64, born: i64, number: u64) -> Profile {
    let email = email(seed, number);
    let created = born - 400 * DAY + (mix(seed, number, 13) % 300) as i64 * DAY;
    // A few clocks are ahead.
    let updated = if has(seed, number, 14, 10) {
        born + 30 * DAY
    } else {
        created + (mix(seed, number, 15) % 90) as i64 * DAY + (mix(seed, number, 16) % 86_400) as i64 * SECOND
    };
    Profile {
        phone_number: phone(seed, number, email.is_some()),
        email,
        first_name: first_name(seed, number),
        last_name: last_name(seed, number),
        external_id: has(seed, number, 17, 500).then(|| format!("customer-{number}")),
        created,
        updated,
        properties: properties(seed, number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn people_are_the_same_for_the_same_seed_and_their_ids_differ() {
        assert_eq!(profile(7, 0, 123), profile(7, 0, 123));
        assert_ne!(profile(7, 0, 123).email, profile(8, 0, 124).email);
        let ids: HashSet<String> = (0..50_000).map(|number| id(7, number)).collect();
        assert_eq!(ids.len(), 50_000);
        assert!(ids.iter().any(|id| id.len() == 6));
    }

    #[test]
    fn twelve_thousand_people_hold_every_kind_of_untidiness() {
        let people: Vec<Profile> = (0..12_000).map(|n| profile(7, 0, n)).collect();
        let some = |is: &dyn Fn(&Profile) -> bool| people.iter().any(is);
        assert!(some(&|p| p.email.is_none() && p.phone_number.is_some()));
        assert!(some(&|p| p.email.is_none() && p.phone_number.is_none()));
        assert!(some(&|p| p.email.as_deref() == Some("")));
        assert!(some(&|p| p.first_name.as_ref().is_some_and(|n| n.contains('\0'))));
        assert!(some(&|p| p.first_name.as_ref().is_some_and(|n| n.len() > 65_536)));
        assert!(some(&|p| p.updated > 0));
        assert!(some(&|p| p.email.as_ref().is_some_and(|e| e.contains("@@"))));
    }
}
