//! Members of whom no profile is known: they are looked for by their addresses, linked to what is found, and where the merchant wants
//! it, profiles are made of the others.
//!
//! A look comes before each profile that is made. So a call whose answer was lost is harmless, whether it was done or not, and
//! nobody's own id is written over a foreign one.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::consumer::Consumer;
use fanfare_domain::contact::{
    Contact, ContactField, ContactSettings, NewProfile, Seen, lookups, whose,
};
use fanfare_domain::delivery::DeliveryCode;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::MustConfirm;
use fanfare_domain::writing::{FoundProfile, WriteError, WrittenProfile};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::calls::Trouble;
use super::counting::Asked;
use super::step::Pushing;
use super::writing::{People, next_people};
use super::{AT_ONCE, Slice, Step};
use crate::engine::making::{Made, make_profile};
use crate::error::Error;
use crate::integration::Integration;
use crate::klaviyo::CallError;
use crate::saving::PROFILES_WRITE;

/// For how many people profiles are made one by one in one step; of more an import job makes them.
pub(super) const MADE_SINGLY: u32 = 50;

/// What was found of people who were looked for.
pub(super) type Sought = BTreeMap<ConsumerId, Seen>;

/// People whose profiles are known as far as they can be, or what became of the step instead.
pub(super) enum Linked {
    People(Box<dyn UnitOfWork>, Box<Pushing>, Found),
    Step(Step),
}

/// The people, with what a look and calls have told of them.
pub(super) struct Found {
    pub(super) people: People,
    /// Profiles that were just made, and so are in no list.
    pub(super) new: BTreeSet<ProfileId>,
    /// Why somebody has no profile, where it is more than that none may be made.
    pub(super) not_made: BTreeMap<ConsumerId, DeliveryCode>,
}

/// What has become of profiles that were to be made.
#[derive(Default)]
struct Results {
    linked: BTreeMap<ConsumerId, Contact>,
    new: BTreeSet<ProfileId>,
    not_made: BTreeMap<ConsumerId, DeliveryCode>,
    trouble: Option<Trouble>,
}

/// Of whom a profile can be made, with what is sent.
pub(super) fn makeable(
    people: &[Consumer],
    settings: ContactSettings,
) -> Vec<(ConsumerId, NewProfile)> {
    let new = |one: &Consumer| Some((one.id.clone(), settings.new_profile(one)?));
    people.iter().filter_map(new).collect()
}

impl Slice<'_> {
    /// Looks for people in Klaviyo.
    pub(super) async fn seek(
        &mut self,
        pushing: &Pushing,
        people: &[Consumer],
        stop: &CancellationToken,
    ) -> Result<Asked<Result<Sought, Trouble>>, Error> {
        let look = look(self.integration, &pushing.connection, people);
        let asked = self.ask(look, stop).await?;
        Ok(asked.map(|found| {
            let found = found.map_err(Trouble::of_read)?;
            Ok(whose(people, &found))
        }))
    }

    /// The people whom a push comes to next, after profiles were made of those who have none, as far as that is wanted.
    pub(super) async fn linked_people(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        pushing: Pushing,
        stop: &CancellationToken,
    ) -> Result<Linked, Error> {
        let settings = unit.contact_settings().await?;
        let size = if pushing.run.singly > 0 {
            MADE_SINGLY
        } else {
            AT_ONCE
        };
        let people = next_people(unit.as_mut(), &pushing, size).await?;
        let unlinked = &people.batch.unlinked;
        let wanted = makeable(unlinked, settings);
        if wanted.is_empty() {
            let found = Found {
                people,
                new: BTreeSet::new(),
                not_made: BTreeMap::new(),
            };
            return Ok(Linked::People(unit, Box::new(pushing), found));
        }
        let changes = people.changes();
        unit.commit().await?;

        let sought = match self.seek(&pushing, unlinked, stop).await? {
            Asked::Overtaken => return Ok(Linked::Step(Step::OVERTAKEN)),
            Asked::NotInTime => return Ok(Linked::Step(Step::Continue)),
            Asked::Answer(Ok(sought)) => sought,
            Asked::Answer(Err(trouble)) => return self.in_trouble(pushing, trouble).await,
        };
        let unknown = wanted
            .into_iter()
            .filter(|(id, _)| !sought.contains_key(id));
        let unknown: Vec<(ConsumerId, NewProfile)> = unknown.collect();
        let adds = changes.adds + (links(&sought).len() + unknown.len()) as u64;
        if !pushing.run.may_change(adds, changes.removes) {
            let Some(unit) = self.lease.begin().await? else {
                return Ok(Linked::Step(Step::OVERTAKEN));
            };
            let ended = self.wait_for_person(unit, pushing, MustConfirm::TooMany);
            return Ok(Linked::Step(ended.await?));
        }
        if unknown.len() > MADE_SINGLY as usize {
            return self.import(pushing, &sought, unknown, stop).await;
        }
        let results = match self.make_singly(&pushing, unknown, stop).await? {
            Asked::Overtaken => return Ok(Linked::Step(Step::OVERTAKEN)),
            Asked::NotInTime => return Ok(Linked::Step(Step::Continue)),
            Asked::Answer(results) => results,
        };
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Linked::Step(Step::OVERTAKEN));
        };
        let mut links = links(&sought);
        links.extend(results.linked);
        link(unit.as_mut(), links).await?;
        if let Some(trouble) = results.trouble {
            let ended = self.after_trouble(unit, pushing, trouble).await?;
            return Ok(Linked::Step(ended));
        }
        let people = next_people(unit.as_mut(), &pushing, size).await?;
        let found = Found {
            people,
            new: results.new,
            not_made: results.not_made,
        };
        Ok(Linked::People(unit, Box::new(pushing), found))
    }

    /// What follows from trouble with a call, in a unit of its own.
    pub(super) async fn in_trouble(
        &mut self,
        pushing: Pushing,
        trouble: Trouble,
    ) -> Result<Linked, Error> {
        let Some(unit) = self.lease.begin().await? else {
            return Ok(Linked::Step(Step::OVERTAKEN));
        };
        Ok(Linked::Step(
            self.after_trouble(unit, pushing, trouble).await?,
        ))
    }

    /// Makes profiles, each by a call of its own.
    async fn make_singly(
        &mut self,
        pushing: &Pushing,
        people: Vec<(ConsumerId, NewProfile)>,
        stop: &CancellationToken,
    ) -> Result<Asked<Results>, Error> {
        let (klaviyo, connection) = (&self.integration.klaviyo, &pushing.connection);
        let calls = people
            .iter()
            .map(|(_, new)| make_profile(klaviyo, connection, &new.upsert));
        let asked = self.ask(join_all(calls), stop).await?;
        Ok(asked.map(|answers| {
            let mut results = Results::default();
            for ((id, new), made) in people.iter().zip(answers) {
                self.take_made(&mut results, id, new, made);
            }
            results
        }))
    }

    fn take_made(&self, results: &mut Results, id: &ConsumerId, new: &NewProfile, made: Made) {
        let error = match made.answer {
            Ok(WrittenProfile {
                id: profile,
                is_new,
                updated,
            }) => {
                if is_new {
                    results.new.insert(profile.clone());
                }
                let mut sent = new.sent.clone();
                if made.without_phone.is_some() {
                    sent.remove(&ContactField::Phone);
                }
                let contact = Contact::created(profile, sent, updated, self.integration.now());
                results.linked.insert(id.clone(), contact);
                return;
            }
            Err(error) => error,
        };
        let code = match (&error, made.without_phone) {
            (_, Some(code)) if made.is_empty => code,
            (CallError::Klaviyo(WriteError::ContentRefused(_)), _) => DeliveryCode::Refused,
            (CallError::Klaviyo(WriteError::IdentifierConflict { .. }), _) => {
                DeliveryCode::IdentifierConflict
            }
            _ => {
                results.trouble.get_or_insert(of_making(error));
                return;
            }
        };
        results.not_made.insert(id.clone(), code);
    }
}

/// What a failed call that makes profiles means for the push.
pub(super) fn of_making(error: CallError<WriteError>) -> Trouble {
    match error {
        CallError::Klaviyo(WriteError::Gone) => Trouble::Again(FailureCode::UpstreamInvalid),
        CallError::Klaviyo(WriteError::NotPermitted) => {
            Trouble::ScopesMissing(vec![PROFILES_WRITE.to_owned()])
        }
        CallError::Klaviyo(WriteError::ScopeMissing(scopes)) if scopes.is_empty() => {
            Trouble::ScopesMissing(vec![PROFILES_WRITE.to_owned()])
        }
        error => Trouble::of_write(error),
    }
}

async fn look(
    integration: &Integration,
    connection: &OpenConnection,
    people: &[Consumer],
) -> Result<Vec<FoundProfile>, CallError> {
    let mut found = Vec::new();
    for lookup in lookups(people) {
        let some = integration.klaviyo.find_profiles(connection, &lookup);
        found.extend(some.await?);
    }
    Ok(found)
}

/// Nothing was agreed on with a profile that was found.
pub(super) fn links(sought: &Sought) -> BTreeMap<ConsumerId, Contact> {
    let profiles = sought
        .iter()
        .filter_map(|(id, seen)| Some((id.clone(), seen.profile()?.profile.id.clone())));
    profiles
        .map(|(id, profile)| (id, Contact::new(profile)))
        .collect()
}

/// Remembers the profiles of consumers who are there and of whom none was remembered meanwhile.
pub(super) async fn link(
    unit: &mut dyn UnitOfWork,
    mut links: BTreeMap<ConsumerId, Contact>,
) -> Result<(), Error> {
    if links.is_empty() {
        return Ok(());
    }
    let ids: Vec<ConsumerId> = links.keys().cloned().collect();
    let there = unit.consumers_of(&ids).await?;
    let there: BTreeSet<ConsumerId> = there.into_iter().map(|one| one.consumer.id).collect();
    let known = unit.contacts_of(&ids).await?;
    links.retain(|id, _| there.contains(id) && !known.contains_key(id));
    Ok(unit.put_contacts(&links).await?)
}
