//! Profiles that are written, in the account of a fake Klaviyo that is read.

use std::sync::Arc;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::klaviyo::MemberLookup;
use fanfare_domain::ports::Clock;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Change, FoundProfile, PersonalText, ProfileChanges, ProfileUpsert, UnsubscribeScope,
    WriteError, WrittenProfile,
};

use crate::fake_klaviyo::{Contents, FakeKlaviyo};

/// A write to a profile that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileCall {
    /// A profile is changed.
    Update(ProfileId, ProfileChanges),
    /// A profile is made, or changed.
    Upsert(ProfileUpsert),
    /// Somebody is unsubscribed.
    Unsubscribe(UnsubscribeScope),
}

/// The account whose profiles are written.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) klaviyo: FakeKlaviyo,
    pub(super) clock: Arc<dyn Clock>,
}

impl Account {
    pub(super) fn find(&self, has: impl Fn(&Profile) -> bool) -> Vec<FoundProfile> {
        let mut found = Vec::new();
        self.klaviyo.change(|contents| {
            let profiles = contents.profiles().into_iter();
            let wanted = profiles.filter(|profile| has(profile));
            found.extend(wanted.map(|profile| {
                let external_id = contents.external_ids.get(&profile.id);
                FoundProfile {
                    external_id: external_id.map_or(Attribute::Absent, Attribute::text),
                    profile,
                }
            }));
        });
        found
    }

    pub(super) fn looked_for(&self, lookup: &MemberLookup) -> Vec<FoundProfile> {
        let is_among = |attribute: &Attribute, texts: &[String]| {
            let text = attribute.as_text().map(str::to_lowercase);
            text.is_some_and(|text| texts.iter().any(|one| one.to_lowercase() == text))
        };
        self.find(|profile| match lookup {
            MemberLookup::Emails(texts) => is_among(&profile.email, texts),
            MemberLookup::Phones(texts) => is_among(&profile.phone, texts),
        })
    }

    /// Does what was asked, or says why not.
    pub(super) fn apply(&self, call: &ProfileCall) -> Result<WrittenProfile, WriteError> {
        let now = self.clock.now().whole_second();
        let mut answer = Err(WriteError::Gone);
        self.klaviyo.change(|contents| {
            answer = match call {
                ProfileCall::Update(id, changes) => update(contents, id, changes, now),
                ProfileCall::Upsert(upsert) => upserted(contents, upsert, now),
                // Who is unsubscribed is in the record of the calls alone.
                ProfileCall::Unsubscribe(_) => ProfileId::parse("nobody")
                    .map(|id| written(id, None))
                    .map_err(|_| WriteError::Gone),
            };
        });
        answer
    }
}

const fn written(id: ProfileId, updated: Option<Timestamp>) -> WrittenProfile {
    WrittenProfile {
        id,
        is_new: false,
        updated,
    }
}

fn update(
    contents: &mut Contents,
    id: &ProfileId,
    changes: &ProfileChanges,
    now: Timestamp,
) -> Result<WrittenProfile, WriteError> {
    let all = contents.profiles();
    if let Change::Set(phone) = &changes.phone {
        let has = |one: &&Profile| one.id != *id && one.phone.as_text() == Some(phone.as_str());
        if let Some(other) = all.iter().find(has) {
            let other = Some(other.id.clone());
            return Err(WriteError::IdentifierConflict { other });
        }
    }
    let before = all.iter().find(|one| one.id == *id);
    let before = before.ok_or(WriteError::Gone)?;
    let mut after = before.clone();
    set(&mut after.phone, &changes.phone);
    set(&mut after.first_name, &changes.first_name);
    set(&mut after.last_name, &changes.last_name);
    let mut is_changed = after != *before;
    if let Change::Set(text) = &changes.external_id {
        let text = text.as_str().to_owned();
        let was = contents.external_ids.insert(id.clone(), text.clone());
        is_changed |= was != Some(text);
    }
    if is_changed {
        after.updated = Some(now);
    }
    contents.change_profile(id, |profile| {
        let joined_at = profile.joined_at;
        profile.clone_from(&after);
        profile.joined_at = joined_at;
    });
    Ok(written(id.clone(), after.updated))
}

fn set(attribute: &mut Attribute, change: &Change<PersonalText>) {
    match change {
        Change::Keep => {}
        Change::Set(text) => *attribute = Attribute::text(text.as_str()),
        Change::Clear => *attribute = Attribute::Absent,
    }
}

/// Changes the profile that has the e-mail or the phone number, or makes one.
fn upserted(
    contents: &mut Contents,
    upsert: &ProfileUpsert,
    now: Timestamp,
) -> Result<WrittenProfile, WriteError> {
    let person = &upsert.person;
    let email = person.email.as_ref().map(PersonalText::as_str);
    let phone = person.phone.as_ref().map(PersonalText::as_str);
    let all = contents.profiles();
    let has = |one: &&Profile| match email {
        Some(email) => one.email.as_text() == Some(email),
        None => one.phone.as_text() == phone,
    };
    let found = all.iter().find(has).map(|one| one.id.clone());
    let is_new = found.is_none();
    let made = ProfileId::parse(format!("made{}", all.len())).map_err(|_| WriteError::Gone)?;
    let id = found.unwrap_or(made);
    if is_new {
        contents.unlisted.push(Profile {
            id: id.clone(),
            email: email.map_or(Attribute::Absent, Attribute::text),
            phone: Attribute::Absent,
            first_name: Attribute::Absent,
            last_name: Attribute::Absent,
            updated: Some(now),
            joined_at: None,
            consents: None,
            unreadable_times: Vec::new(),
        });
    }
    let set_to = |text: &Option<PersonalText>| text.clone().map_or(Change::Keep, Change::Set);
    let changes = ProfileChanges {
        phone: set_to(&person.phone),
        external_id: set_to(&person.external_id),
        ..upsert.changes.clone()
    };
    let done = update(contents, &id, &changes, now);
    if done.is_err() && is_new {
        contents.unlisted.retain(|profile| profile.id != id);
    }
    done.map(|done| WrittenProfile { is_new, ..done })
}
