//! Looking in Klaviyo for people of whom no profile is known, by their addresses.

use std::collections::{BTreeMap, BTreeSet};

use crate::consumer::Consumer;
use crate::ids::ConsumerId;
use crate::klaviyo::MemberLookup;
use crate::writing::{FoundProfile, MAX_LOOKED_FOR};

/// What a look has found of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The consumer's profile.
    Profile(Box<FoundProfile>),
    /// The profile of somebody else, who has the same phone number.
    Another,
}

impl Seen {
    /// The consumer's profile, if it is one.
    pub const fn profile(&self) -> Option<&FoundProfile> {
        match self {
            Self::Profile(found) => Some(found),
            Self::Another => None,
        }
    }
}

/// By what a consumer is looked for.
enum Address<'a> {
    Email(&'a str),
    Phone(&'a str),
}

fn address(of: &Consumer) -> Option<Address<'_>> {
    match (&of.email, &of.phone) {
        (Some(email), _) => Some(Address::Email(email.as_str())),
        (None, Some(phone)) => Some(Address::Phone(phone.value.as_str())),
        (None, None) => None,
    }
}

/// The requests that look for these people: by e-mail, and by phone number only for who has none. Of a consumer who has neither
/// nobody can be asked.
pub fn lookups<'a>(people: impl IntoIterator<Item = &'a Consumer>) -> Vec<MemberLookup> {
    let (mut emails, mut phones) = (BTreeSet::new(), BTreeSet::new());
    for consumer in people {
        match address(consumer) {
            Some(Address::Email(email)) => emails.insert(email.to_owned()),
            Some(Address::Phone(phone)) => phones.insert(phone.to_owned()),
            None => continue,
        };
    }
    let parts = |texts: BTreeSet<String>| -> Vec<Vec<String>> {
        let texts: Vec<String> = texts.into_iter().collect();
        texts
            .chunks(MAX_LOOKED_FOR)
            .map(<[String]>::to_vec)
            .collect()
    };
    let emails = parts(emails).into_iter().map(MemberLookup::Emails);
    let phones = parts(phones).into_iter().map(MemberLookup::Phones);
    emails.chain(phones).collect()
}

/// Whose profiles were found by [`lookups`]. Who is not in the answer was not found.
pub fn whose<'a>(
    people: impl IntoIterator<Item = &'a Consumer>,
    found: &[FoundProfile],
) -> BTreeMap<ConsumerId, Seen> {
    let mut by_email: BTreeMap<String, &FoundProfile> = BTreeMap::new();
    let mut by_phone: BTreeMap<&str, &FoundProfile> = BTreeMap::new();
    for one in found {
        if let Some(email) = one.profile.usable_email() {
            by_email.entry(email.as_str().to_owned()).or_insert(one);
        }
        if let Some(phone) = one.profile.phone.as_text() {
            let held = by_phone.entry(phone.trim()).or_insert(one);
            // Who has nothing but the number is rather meant by it.
            if held.profile.usable_email().is_some() && one.profile.usable_email().is_none() {
                *held = one;
            }
        }
    }
    let mut seen = BTreeMap::new();
    for consumer in people {
        let what = match address(consumer) {
            Some(Address::Email(email)) => {
                let one = by_email.get(email).copied();
                one.map(|one| Seen::Profile(Box::new(one.clone())))
            }
            Some(Address::Phone(phone)) => {
                let one = by_phone.get(phone).copied();
                // A number may be a family's: who has an e-mail besides is known to be somebody, and not this consumer.
                one.map(|one| match one.profile.usable_email() {
                    None => Seen::Profile(Box::new(one.clone())),
                    Some(_) => Seen::Another,
                })
            }
            None => None,
        };
        if let Some(what) = what {
            seen.insert(consumer.id.clone(), what);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::Stamped;
    use crate::ids::ProfileId;
    use crate::profile::{Attribute, Profile};
    use crate::value::{Email, Phone};

    fn person(id: &str, email: Option<&str>, phone: Option<&str>) -> Consumer {
        let mut consumer = Consumer::new(ConsumerId::parse(id).unwrap());
        consumer.email = email.map(|email| Email::parse(email).unwrap());
        consumer.phone = phone.map(|phone| Stamped {
            value: Phone::parse(phone).unwrap(),
            by: None,
        });
        consumer
    }

    fn found(id: &str, email: Option<&str>, phone: Option<&str>) -> FoundProfile {
        let text = |text: Option<&str>| text.map_or(Attribute::Absent, Attribute::text);
        FoundProfile {
            profile: Profile {
                id: ProfileId::parse(id).unwrap(),
                email: text(email),
                phone: text(phone),
                first_name: Attribute::Absent,
                last_name: Attribute::Absent,
                updated: None,
                joined_at: None,
                consents: None,
                unreadable_times: Vec::new(),
            },
            external_id: Attribute::Absent,
        }
    }

    #[test]
    fn people_are_asked_for_by_their_e_mail_or_else_by_their_number_a_hundred_at_once() {
        let many = (0..150).map(|n| {
            person(
                &format!("cons_{n}"),
                Some(&format!("e{n}@example.com")),
                None,
            )
        });
        let mut people: Vec<Consumer> = many.collect();
        people.push(person("cons_p", None, Some("+15550001")));
        people.push(person("cons_q", None, Some("+15550001")));
        people.push(person("cons_b", Some("b@example.com"), Some("+15550002")));
        people.push(person("cons_n", None, None));
        let sizes: Vec<(bool, usize)> = lookups(&people)
            .iter()
            .map(|lookup| match lookup {
                MemberLookup::Emails(texts) => (true, texts.len()),
                MemberLookup::Phones(texts) => (false, texts.len()),
            })
            .collect();
        assert_eq!(sizes, [(true, 100), (true, 51), (false, 1)]);
    }

    #[test]
    fn a_number_that_somebody_with_an_e_mail_has_too_is_not_proof_of_a_person() {
        let people = [
            person("cons_1", Some("ada@example.com"), None),
            person("cons_2", None, Some("+15550001")),
            person("cons_3", None, Some("+15550002")),
            person("cons_4", Some("nobody@example.com"), None),
        ];
        let profiles = [
            found("P1", Some(" Ada@Example.com"), None),
            found("P2", Some("mother@example.com"), Some("+15550001")),
            found("P3", Some("mother@example.com"), Some("+15550002")),
            found("P4", None, Some("+15550002")),
        ];
        let seen = whose(&people, &profiles);
        let id = |place: usize| {
            let seen = seen.get(&people[place].id)?;
            Some(seen.profile().map(|one| one.profile.id.to_string()))
        };
        assert_eq!(id(0), Some(Some("P1".to_owned())));
        assert_eq!(id(1), Some(None));
        assert_eq!(id(2), Some(Some("P4".to_owned())));
        assert_eq!(id(3), None);
    }
}
