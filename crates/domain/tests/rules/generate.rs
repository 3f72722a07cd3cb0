//! Generated lists: a few people, of whom some share an e-mail, read in pages of random sizes and partly
//! more than once.

use fanfare_domain::consent::{Consent, Consents};
use fanfare_domain::ids::ProfileId;
use fanfare_domain::profile::{Attribute, Profile};
use proptest::prelude::*;

use crate::world::at;

/// The start of a run, in seconds: later than every time that a generated profile has.
pub(crate) const LATER: i64 = 1_000;

/// A profile with nothing but its id.
pub(crate) fn bare(id: &str) -> Profile {
    Profile {
        id: ProfileId::parse(id).unwrap(),
        email: Attribute::Absent,
        phone: Attribute::Absent,
        first_name: Attribute::Absent,
        last_name: Attribute::Absent,
        updated: Some(at(0)),
        joined_at: None,
        consents: None,
        unreadable_times: Vec::new(),
    }
}

/// How a person can be reached. It stays the same while the person's other values change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Contact {
    /// By the e-mail of that number.
    Email(u8),
    /// By phone alone; the number may change.
    Phone,
    /// Not at all; `true` if the profile has a broken e-mail.
    None(bool),
}

pub(crate) fn contact() -> impl Strategy<Value = Contact> {
    prop_oneof![
        5 => (0_u8..5).prop_map(Contact::Email),
        2 => Just(Contact::Phone),
        1 => any::<bool>().prop_map(Contact::None),
    ]
}

/// Up to eight people, each known by the index.
pub(crate) fn people() -> impl Strategy<Value = Vec<Contact>> {
    prop::collection::vec(contact(), 1..9)
}

/// The profile of one of the people, as one page shows it.
fn seen(people: Vec<Contact>) -> impl Strategy<Value = Profile> {
    let names = prop::sample::select(vec!["", "  ", "Ann", " Bo ", "\0", "Zoë"]);
    let phones = prop::sample::select(vec!["", "+15550001", "+15550002", "555"]);
    let updated = prop::option::weighted(0.9, 0_i64..5);
    let spelling = 0_usize..5;
    (
        0..people.len(),
        updated,
        names.clone(),
        names,
        phones,
        spelling,
    )
        .prop_map(move |(who, updated, first, last, phone, spelling)| {
            let contact = &people[who];
            // The same profile at the same time has the same values.
            let same = |text: &'static str| if updated == Some(0) { "Eve" } else { text };
            let phone = match (contact, updated) {
                (Contact::Email(_), Some(0)) => "+15550003",
                (Contact::Email(_), _) => phone,
                (Contact::Phone, Some(0)) => "+15550004",
                (Contact::Phone, _) => ["+15550001", "+15550002"][phone.len() % 2],
                (Contact::None(_), _) => "",
            };
            Profile {
                email: match contact {
                    Contact::Email(n) => Attribute::text(spelt(*n, spelling)),
                    Contact::None(true) => Attribute::text("missing@domain"),
                    Contact::Phone | Contact::None(false) => Attribute::Absent,
                },
                phone: Attribute::text(phone),
                first_name: Attribute::text(same(first)),
                last_name: Attribute::text(same(last)),
                updated: updated.map(at),
                consents: updated.map(consents),
                ..bare(&format!("P{who}"))
            }
        })
}

/// The consents of a profile as it is at a time.
fn consents(second: i64) -> Consents {
    let words = ["SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"];
    let word = words[usize::try_from(second.unsigned_abs() % 3).unwrap()];
    Consents {
        email: Consent::of(Some(word), Some(at(second)), []),
        sms: Consent::UNKNOWN,
    }
}

/// An e-mail in one of its spellings.
fn spelt(n: u8, spelling: usize) -> String {
    [
        format!("m{n}@x.io"),
        format!(" M{n}@X.io"),
        format!("m{n}@x.IO\t"),
        format!("\u{200b}m{n}@x.io\u{feff}"),
        format!("m{n}@\u{ff38}.io"),
    ][spelling]
        .clone()
}

/// Profiles of these people as pages show them, each person's at least once. At one time a profile has one
/// set of values.
pub(crate) fn profiles_of(people: Vec<Contact>) -> impl Strategy<Value = Vec<Profile>> {
    let count = people.len();
    prop::collection::vec(seen(people.clone()), count..count * 4).prop_map(move |mut seen| {
        for (who, contact) in people.iter().enumerate() {
            let id = format!("P{who}");
            if !seen.iter().any(|profile| profile.id.as_str() == id) {
                seen.push(plainly(&id, contact));
            }
        }
        one_state_at_a_time(&seen)
    })
}

/// A person's profile with nothing but the contact.
pub(crate) fn plainly(id: &str, contact: &Contact) -> Profile {
    Profile {
        email: match contact {
            Contact::Email(n) => Attribute::text(spelt(*n, 0)),
            Contact::Phone | Contact::None(_) => Attribute::Absent,
        },
        phone: match contact {
            Contact::Phone => Attribute::text("+15550001"),
            Contact::Email(_) | Contact::None(_) => Attribute::Absent,
        },
        ..bare(id)
    }
}

/// Gives all profiles of a person with the same `updated` the values of the first: Klaviyo changes `updated`
/// with every change of a value.
fn one_state_at_a_time(seen: &[Profile]) -> Vec<Profile> {
    let first_like = |profile: &Profile| {
        let mut same = seen.iter();
        let found = same.find(|other| other.id == profile.id && other.updated == profile.updated);
        found.cloned()
    };
    seen.iter().filter_map(first_like).collect()
}

/// A list that is read twice: its people, their profiles in the order of the first reading, the profiles in
/// another order with some of them repeated, and the sizes of the pages of both.
#[derive(Debug, Clone)]
pub(crate) struct Readings {
    pub(crate) people: Vec<Contact>,
    pub(crate) once: Vec<Profile>,
    pub(crate) again: Vec<Profile>,
    pub(crate) cuts: Vec<usize>,
}

pub(crate) fn readings() -> impl Strategy<Value = Readings> {
    people()
        .prop_flat_map(|people| (Just(people.clone()), profiles_of(people)))
        .prop_flat_map(|(people, once)| {
            let repeats = prop::sample::subsequence(once.clone(), 0..=once.len());
            let again = repeats.prop_map({
                let once = once.clone();
                move |repeats| [once.clone(), repeats].concat()
            });
            let cuts = prop::collection::vec(1_usize..6, 1..12);
            (Just(people), Just(once), again.prop_shuffle(), cuts)
        })
        .prop_map(|(people, once, again, cuts)| Readings {
            people,
            once,
            again,
            cuts,
        })
}

/// The profiles in pages of these sizes, which repeat.
pub(crate) fn paged<'a>(all: &'a [Profile], cuts: &[usize]) -> Vec<&'a [Profile]> {
    let mut rest = all;
    let mut pages = Vec::new();
    for size in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (page, left) = rest.split_at((*size).min(rest.len()));
        pages.push(page);
        rest = left;
    }
    pages
}
