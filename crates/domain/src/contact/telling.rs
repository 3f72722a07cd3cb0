//! What Klaviyo is told of a consumer that has changed, after a look at the profile.

use std::collections::BTreeMap;

use super::{Contact, ContactField, ContactSettings, Decision, Read, ours_of, split_name};
use crate::consumer::Consumer;
use crate::ids::ProfileId;
use crate::profile::{Attribute, UsableProfile};
use crate::time::Timestamp;
use crate::writing::{
    Change, FoundProfile, PersonIds, PersonalText, ProfileChanges, ProfileUpsert,
};

/// What follows from a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// The profile is changed.
    Update(ProfileId, ProfileChanges),
    /// A profile is made, with these values of the contact.
    Create(ProfileUpsert, BTreeMap<ContactField, Option<PersonalText>>),
    /// Both sides have the same, or what was sent before has arrived (`true`).
    Equal(bool),
    /// A field is left alone for a while, because both sides keep writing it.
    Held,
    /// The look is older than our own last write: it is to be repeated.
    Later,
    /// Klaviyo has no such profile, and none may be made.
    Unknown,
    /// Nothing is known by which Klaviyo would find or make one.
    Unreachable,
}

/// Decides what Klaviyo is told of a consumer. `found` is the profile as a request that began at `began_at` has found it; `None` if
/// there is none. What is pulled is the consumer's from now on, and what is pushed is in flight in `contact`.
pub fn tell(
    consumer: &mut Consumer,
    contact: &mut Option<Contact>,
    found: Option<&FoundProfile>,
    settings: ContactSettings,
    began_at: Timestamp,
    now: Timestamp,
) -> Telling {
    let Some(found) = found else {
        // Gone, or never there: nothing was agreed on with anybody.
        *contact = None;
        return make(consumer, settings);
    };
    let profile = UsableProfile::of(&found.profile, now);
    let read = Read::of(&profile, began_at);
    let contact = contact.get_or_insert_with(|| Contact::new(profile.id.clone()));
    if read.profile == contact.profile && contact.is_stale(&read) {
        return Telling::Later;
    }
    let was_in_flight = contact.is_in_flight();
    let rule = settings.rule();
    let (decisions, _) = contact.read(&read, &ours_of(consumer), |_| rule, now);
    for (field, decision) in decisions {
        if let Decision::Pull(_) = decision {
            consumer.pull(field, &profile);
        }
    }
    let sent = contact.in_flight();
    if sent.is_empty() {
        return if contact.is_held(now) {
            Telling::Held
        } else {
            Telling::Equal(was_in_flight)
        };
    }
    Telling::Update(profile.id, changes(consumer, &sent, found))
}

/// Only what is different is sent, and our id only to a profile that has none.
fn changes(
    consumer: &Consumer,
    sent: &BTreeMap<ContactField, Option<PersonalText>>,
    found: &FoundProfile,
) -> ProfileChanges {
    let mut changes = ProfileChanges::default();
    for (field, value) in sent {
        match (field, value) {
            (ContactField::Phone, Some(phone)) => changes.phone = Change::Set(phone.clone()),
            (ContactField::Phone, None) => changes.phone = Change::Clear,
            (ContactField::FullName, None) => {
                changes.first_name = part(None, &found.profile.first_name);
                changes.last_name = part(None, &found.profile.last_name);
            }
            (ContactField::FullName, Some(name)) => {
                let (first, last) = split_name(name.as_str());
                changes.first_name = part(Some(first), &found.profile.first_name);
                changes.last_name = part(last, &found.profile.last_name);
            }
        }
    }
    if is_blank(&found.external_id) {
        changes.external_id = Change::Set(PersonalText::new(consumer.id.as_str()));
    }
    changes
}

/// What becomes of a part of the name.
fn part(ours: Option<&str>, theirs: &Attribute) -> Change<PersonalText> {
    match ours {
        Some(ours) if theirs.as_text() == Some(ours) => Change::Keep,
        Some(ours) => Change::Set(PersonalText::new(ours)),
        None if is_blank(theirs) => Change::Keep,
        None => Change::Clear,
    }
}

/// Whether there is nothing to lose.
fn is_blank(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Absent => true,
        Attribute::Text(text) => text.trim().is_empty(),
        Attribute::Unusable => false,
    }
}

/// Makes a profile, where that is wanted.
fn make(consumer: &Consumer, settings: ContactSettings) -> Telling {
    match new_profile(consumer, true) {
        None => Telling::Unreachable,
        Some(_) if !settings.create_profiles => Telling::Unknown,
        Some(new) => Telling::Create(new.upsert, new.sent),
    }
}

/// A profile that is made of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProfile {
    /// What is sent.
    pub upsert: ProfileUpsert,
    /// The values of the contact among it.
    pub sent: BTreeMap<ContactField, Option<PersonalText>>,
}

impl ContactSettings {
    /// The profile that is made of a consumer whom Klaviyo does not know; `None` where none may be made, or nothing is known by which
    /// it could be found again. While contacts are switched off, nothing is told but who it is.
    pub fn new_profile(self, consumer: &Consumer) -> Option<NewProfile> {
        new_profile(consumer, self.enabled).filter(|_| self.create_profiles)
    }
}

/// The profile that is made of a consumer whom Klaviyo does not know; `None` where nothing is known by which it could be found
/// again. `with_values` says whether names and numbers are sent: without, it has one address and our id, and nothing was agreed on.
fn new_profile(consumer: &Consumer, with_values: bool) -> Option<NewProfile> {
    let email = consumer.email.as_ref().map(PersonalText::from);
    let phone = consumer.phone.as_ref();
    let phone = phone.map(|phone| PersonalText::from(&phone.value));
    let phone = phone.filter(|_| with_values || email.is_none());
    if email.is_none() && phone.is_none() {
        return None;
    }
    let name = consumer.full_name.as_ref().filter(|_| with_values);
    let name = name.map(|name| PersonalText::from(&name.value));
    let mut changes = ProfileChanges::default();
    if let Some(name) = &name {
        let (first, last) = split_name(name.as_str());
        changes.first_name = Change::Set(PersonalText::new(first));
        changes.last_name = last.map_or(Change::Keep, |last| Change::Set(PersonalText::new(last)));
    }
    let upsert = ProfileUpsert {
        person: PersonIds {
            profile: None,
            email,
            phone: phone.clone(),
            external_id: Some(PersonalText::new(consumer.id.as_str())),
        },
        changes,
    };
    let values = [(ContactField::FullName, name), (ContactField::Phone, phone)];
    let sent = values
        .into_iter()
        .filter(|(_, value)| with_values && value.is_some());
    Some(NewProfile {
        upsert,
        sent: sent.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::{Primary, Stamp, Stamped};
    use crate::ids::{ConsumerId, SourceId};
    use crate::profile::Profile;
    use crate::value::{Email, FullName, Phone};

    const ON: ContactSettings = ContactSettings {
        enabled: true,
        winner: super::super::Winner::Latest,
        create_profiles: false,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn found(first: &str, last: &str, external_id: Attribute) -> FoundProfile {
        FoundProfile {
            profile: Profile {
                id: ProfileId::parse("P").unwrap(),
                email: Attribute::text("ada@example.com"),
                phone: Attribute::text("+15550001"),
                first_name: Attribute::text(first),
                last_name: Attribute::text(last),
                updated: Some(at(10)),
                joined_at: None,
                consents: None,
                unreadable_times: Vec::new(),
            },
            external_id,
        }
    }

    /// A consumer as a pass has left it, and what both sides had then.
    fn synced() -> (Consumer, Option<Contact>) {
        let by = Stamp {
            updated: Some(at(10)),
            profile: ProfileId::parse("P").unwrap(),
        };
        let mut consumer = Consumer::new(ConsumerId::parse("cons_1").unwrap());
        consumer.email = Email::parse("ada@example.com").ok();
        consumer.full_name = Some(Stamped {
            value: FullName::join(Some("Ada King"), None).0.unwrap(),
            by: Some(by.clone()),
        });
        consumer.phone = Some(Stamped {
            value: Phone::parse("+15550001").unwrap(),
            by: Some(by.clone()),
        });
        consumer.primary = Some(Primary {
            stamp: by,
            source: SourceId::parse("sync_1").unwrap(),
        });
        let contact = Contact::before_edit(&consumer);
        (consumer, contact)
    }

    fn name(text: &str) -> Option<FullName> {
        FullName::join(Some(text), None).0
    }

    #[test]
    fn only_the_part_of_a_name_that_differs_is_sent_and_our_id_where_there_is_none() {
        let (mut consumer, mut contact) = synced();
        consumer.edit_full_name(name("Ada Lovelace"), at(50));
        let of = |consumer: &mut Consumer, contact: &mut Option<Contact>, id| {
            tell(
                consumer,
                contact,
                Some(&found("Ada", "King", id)),
                ON,
                at(60),
                at(60),
            )
        };
        let (before, contact_before) = (consumer.clone(), contact.clone());
        let Telling::Update(profile, changes) = of(&mut consumer, &mut contact, Attribute::Absent)
        else {
            panic!("a change");
        };
        assert_eq!(profile.as_str(), "P");
        let want = ProfileChanges {
            last_name: Change::Set(PersonalText::new("Lovelace")),
            external_id: Change::Set(PersonalText::new("cons_1")),
            ..ProfileChanges::default()
        };
        assert_eq!(changes, want);
        assert!(contact.unwrap().is_in_flight());
        let (mut consumer, mut contact) = (before, contact_before);
        let theirs = Attribute::text("theirs");
        let Telling::Update(_, changes) = of(&mut consumer, &mut contact, theirs) else {
            panic!("a change");
        };
        assert_eq!(changes.external_id, Change::Keep, "a foreign id stays");
    }

    #[test]
    fn what_is_equal_is_not_sent_and_a_later_change_of_theirs_is_taken() {
        let (mut consumer, mut contact) = synced();
        consumer.edit_full_name(name("Ada Lovelace"), at(50));
        let theirs = found("Ada", "Lovelace", Attribute::Absent);
        let told = tell(
            &mut consumer,
            &mut contact,
            Some(&theirs),
            ON,
            at(60),
            at(60),
        );
        assert_eq!(told, Telling::Equal(false));
        let (mut consumer, mut contact) = synced();
        consumer.edit_full_name(name("Ada Lovelace"), at(50));
        let mut theirs = found("Augusta", "Byron", Attribute::Absent);
        theirs.profile.updated = Some(at(55));
        let told = tell(
            &mut consumer,
            &mut contact,
            Some(&theirs),
            ON,
            at(60),
            at(60),
        );
        assert_eq!(told, Telling::Equal(false));
        assert_eq!(consumer.full_name.unwrap().value.as_str(), "Augusta Byron");
    }

    #[test]
    fn a_value_that_cannot_be_read_is_not_overwritten() {
        let (mut consumer, mut contact) = synced();
        consumer.edit_phone(Phone::parse("+15550002").ok(), at(50));
        let mut theirs = found("Ada", "King", Attribute::Absent);
        theirs.profile.phone = Attribute::text("call me");
        let told = tell(
            &mut consumer,
            &mut contact,
            Some(&theirs),
            ON,
            at(60),
            at(60),
        );
        assert_eq!(told, Telling::Equal(false));
    }

    #[test]
    fn a_profile_is_made_only_where_that_is_wanted_and_somebody_can_be_reached() {
        let (mut consumer, contact) = synced();
        let making = ContactSettings {
            create_profiles: true,
            ..ON
        };
        let of = |consumer: &mut Consumer, settings| {
            tell(
                consumer,
                &mut contact.clone(),
                None,
                settings,
                at(60),
                at(60),
            )
        };
        assert_eq!(of(&mut consumer, ON), Telling::Unknown);
        let Telling::Create(upsert, sent) = of(&mut consumer, making) else {
            panic!("a profile");
        };
        assert_eq!(
            upsert.person.email,
            Some(PersonalText::new("ada@example.com"))
        );
        assert_eq!(upsert.person.external_id, Some(PersonalText::new("cons_1")));
        assert_eq!(sent.len(), 2);
        let mut nobody = Consumer::new(consumer.id);
        assert_eq!(of(&mut nobody, making), Telling::Unreachable);
    }

    #[test]
    fn a_profile_that_is_made_without_values_has_one_address_and_our_id() {
        let (consumer, _) = synced();
        let made = |consumer: &Consumer, enabled| {
            let settings = ContactSettings {
                enabled,
                create_profiles: true,
                ..ON
            };
            settings.new_profile(consumer)
        };
        assert_eq!(ON.new_profile(&consumer), None, "none may be made");
        let with = made(&consumer, true).unwrap();
        assert!(with.upsert.person.email.is_some() && with.upsert.person.phone.is_some());
        assert_eq!(with.sent.len(), 2);
        let without = made(&consumer, false).unwrap();
        let person = &without.upsert.person;
        assert!(person.email.is_some() && person.phone.is_none());
        assert_eq!(person.external_id, Some(PersonalText::new("cons_1")));
        assert!(without.upsert.changes.is_empty() && without.sent.is_empty());
        let mut by_phone = consumer;
        by_phone.email = None;
        let without = made(&by_phone, false).unwrap();
        assert!(without.upsert.person.phone.is_some());
        assert!(without.upsert.changes.is_empty() && without.sent.is_empty());
        by_phone.phone = None;
        assert_eq!(made(&by_phone, true), None);
    }
}
