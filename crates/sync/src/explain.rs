//! Explaining a membership: what our rows tell of a person, and what Klaviyo says now.

use std::collections::BTreeSet;

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::connection::OpenConnection;
use fanfare_domain::consumer::{Consumer, Stamp};
use fanfare_domain::explain::{
    Facts, HeldRemovals, Live, LiveMember, ProfileFacts, Readdressed, Reason, SkippedProfile,
    profiles, reasons,
};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId, ProfileId, RunId};
use fanfare_domain::klaviyo::MemberLookup;
use fanfare_domain::ports::{AudienceRecord, Lookup, UnitOfWork};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;

use crate::error::{Entity, Error};
use crate::integration::Integration;

/// By what a person is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// An e-mail; `None` for a text that is none, by which nobody is known.
    Email(Option<Email>),
    /// One of our consumers.
    Consumer(ConsumerId),
    /// A profile of Klaviyo's.
    Profile(ProfileId),
}

/// Why somebody is, or is not, a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the person is a member.
    pub is_member: bool,
    /// The consumer, if the person is known.
    pub consumer: Option<ConsumerId>,
    /// When a run of the audience last succeeded.
    pub as_of: Option<Timestamp>,
    /// The person's profiles.
    pub profiles: Vec<ProfileFacts>,
    /// The reasons, the strongest first.
    pub reasons: Vec<Reason>,
    /// What Klaviyo says now.
    pub live: Live,
}

/// What is read of a person at once.
struct Person {
    facts: Facts,
    email: Option<Email>,
    collection: CollectionRef,
}

/// How many values one request to Klaviyo looks for.
const VALUES: usize = 20;

impl Integration {
    /// Why somebody is, or is not, a member of the audience. With `live` Klaviyo is asked, too; if that fails, the
    /// reasons say so.
    pub async fn explain(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        whom: &Whom,
        live: bool,
    ) -> Result<Explanation, Error> {
        let mut person = self.person(organization, audience, whom, &[]).await?;
        let live = if live {
            self.ask_klaviyo(organization, whom, &person).await?
        } else {
            Live::NotAsked
        };
        if let Live::Members(members) = &live {
            // Of a profile that only Klaviyo has named our rows may tell that it was skipped.
            let named: Vec<ProfileId> = members.iter().map(|one| one.profile.clone()).collect();
            person = self.person(organization, audience, whom, &named).await?;
        }
        let facts = person.facts;
        Ok(Explanation {
            is_member: facts.membership.is_some(),
            profiles: profiles(&facts, &live),
            reasons: reasons(&facts, &live),
            consumer: facts.consumer,
            as_of: facts.as_of,
            live,
        })
    }

    /// Reads what is known of a person, and of profiles that Klaviyo names as theirs, in one unit.
    async fn person(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        whom: &Whom,
        named: &[ProfileId],
    ) -> Result<Person, Error> {
        let mut unit = self.read(organization).await?;
        let record = unit.audience(audience).await?;
        let AudienceRecord { source, .. } = record.ok_or(Error::NotFound(Entity::Audience))?;
        let source = source.ok_or(Error::NotSynced)?;
        let last_error = source.data.last_error.as_deref();
        let last_run = source.data.last_run_id.as_deref();
        let last_run = last_run.and_then(|id| RunId::parse(id).ok());
        let is_deferred = match &last_run {
            Some(id) => unit.run(id).await?.is_some_and(|run| run.removals_deferred),
            None => false,
        };
        let mut facts = Facts {
            as_of: source.last_synced_at,
            last_run,
            is_syncing: source.status.is_active(),
            held: HeldRemovals::of(source.guard.is_holding, last_error, is_deferred),
            ..Facts::default()
        };
        let consumer = find(unit.as_mut(), whom).await?;
        if let Some(consumer) = &consumer {
            facts.consumer = Some(consumer.id.clone());
            facts.links = unit.links_of(&consumer.id).await?;
            let last = unit.last_membership(audience, &consumer.id).await?;
            facts.left = last.as_ref().and_then(|last| last.end.clone());
            facts.membership = last.filter(|last| last.end.is_none());
            if facts.membership.is_none() {
                facts.readdressed = readdressed(unit.as_mut(), audience, consumer, &facts).await?;
            }
        }
        if facts.membership.is_none() {
            let asked = match whom {
                Whom::Profile(profile) => Some(profile),
                Whom::Email(_) | Whom::Consumer(_) => None,
            };
            let profiles: BTreeSet<&ProfileId> = named.iter().chain(asked).collect();
            facts.skipped = skipped(unit.as_mut(), audience, &profiles).await?;
        }
        let email = match whom {
            Whom::Email(email) => email.clone(),
            Whom::Consumer(_) | Whom::Profile(_) => consumer.and_then(|consumer| consumer.email),
        };
        Ok(Person {
            facts,
            email,
            collection: source.collection,
        })
    }

    /// Which of the person's profiles are in the list now: those with the e-mail that was asked for, and those that are
    /// linked, whatever their e-mails are by now.
    async fn ask_klaviyo(
        &self,
        organization: &OrganizationId,
        whom: &Whom,
        person: &Person,
    ) -> Result<Live, Error> {
        let asked = match whom {
            Whom::Profile(profile) => Some(profile.clone()),
            Whom::Email(_) | Whom::Consumer(_) => None,
        };
        let links = person.facts.links.iter().map(|link| link.profile.clone());
        let profiles: BTreeSet<ProfileId> = links.chain(asked).collect();
        let found = async {
            let connection = self.open_connection(organization).await?;
            self.find_in_list(&connection, person, &profiles).await
        };
        match found.await {
            Ok(Some(members)) => Ok(Live::Members(members)),
            Ok(None) => Ok(Live::Unavailable),
            Err(error @ Error::Store(_)) => Err(error),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::info!(error, "Klaviyo could not be asked about a person");
                Ok(Live::Unavailable)
            }
        }
    }

    /// `None` if Klaviyo cannot be asked: it finds members by e-mail and phone number alone.
    async fn find_in_list(
        &self,
        connection: &OpenConnection,
        person: &Person,
        profiles: &BTreeSet<ProfileId>,
    ) -> Result<Option<Vec<LiveMember>>, Error> {
        let ids: Vec<ProfileId> = profiles.iter().cloned().collect();
        let mut theirs = Vec::new();
        for ids in ids.chunks(VALUES) {
            let call = || self.klaviyo.profiles(connection, ids);
            theirs.extend(self.klaviyo.with_short_wait(call).await?);
        }
        let (mut emails, mut phones) = (BTreeSet::new(), BTreeSet::new());
        emails.extend(person.email.iter().map(|email| email.as_str().to_owned()));
        for profile in &theirs {
            match (visible(&profile.email), visible(&profile.phone)) {
                (Some(email), _) => drop(emails.insert(email.to_owned())),
                (None, Some(phone)) => drop(phones.insert(phone.to_owned())),
                (None, None) => return Ok(None),
            }
        }
        let emails: Vec<String> = emails.into_iter().collect();
        let phones: Vec<String> = phones.into_iter().collect();
        let emails = emails
            .chunks(VALUES)
            .map(|some| MemberLookup::Emails(some.to_vec()));
        let phones = phones
            .chunks(VALUES)
            .map(|some| MemberLookup::Phones(some.to_vec()));
        let mut members = Vec::new();
        for lookup in emails.chain(phones) {
            let call = || {
                self.klaviyo
                    .find_members(connection, &person.collection, &lookup)
            };
            members.extend(self.klaviyo.with_short_wait(call).await?);
        }
        let is_theirs = |member: &Profile| {
            let email = member
                .email
                .as_text()
                .and_then(|text| Email::parse(text).ok());
            profiles.contains(&member.id) || (email.is_some() && email == person.email)
        };
        members.retain(is_theirs);
        members.sort_by(|a, b| a.id.cmp(&b.id));
        members.dedup_by(|a, b| a.id == b.id);
        let live = |member: Profile| LiveMember {
            profile: member.id,
            joined_at: member.joined_at,
        };
        Ok(Some(members.into_iter().map(live).collect()))
    }
}

/// The text of an attribute, if it has one.
fn visible(attribute: &Attribute) -> Option<&str> {
    let text = attribute.as_text().map(str::trim);
    text.filter(|text| !text.is_empty())
}

/// The consumer that is asked for. One who is asked for by our own id must be there.
async fn find(unit: &mut dyn UnitOfWork, whom: &Whom) -> Result<Option<Consumer>, Error> {
    let lookup = match whom {
        Whom::Email(None) => return Ok(None),
        Whom::Email(Some(email)) => Lookup::Email(email.as_str().to_owned()),
        Whom::Profile(profile) => Lookup::Profile(profile.clone()),
        Whom::Consumer(id) => {
            let found = unit.consumer(id).await?;
            let found = found.ok_or(Error::NotFound(Entity::Consumer))?;
            return Ok(Some(found.consumer));
        }
    };
    let found = unit.lookup_consumers(&lookup).await?;
    Ok(found.into_iter().next().map(|record| record.consumer))
}

/// Where a profile is now that wrote values of this consumer and is linked to it no longer, if its new consumer is a
/// member.
async fn readdressed(
    unit: &mut dyn UnitOfWork,
    audience: &AudienceId,
    consumer: &Consumer,
    facts: &Facts,
) -> Result<Option<Readdressed>, Error> {
    let phone = consumer.phone.as_ref().and_then(|phone| phone.by.as_ref());
    let name = consumer
        .full_name
        .as_ref()
        .and_then(|name| name.by.as_ref());
    let writers: BTreeSet<&ProfileId> = [phone, name]
        .into_iter()
        .flatten()
        .map(|Stamp { profile, .. }| profile)
        .collect();
    for profile in writers {
        if facts.links.iter().any(|link| link.profile == *profile) {
            continue;
        }
        let found = unit
            .lookup_consumers(&Lookup::Profile(profile.clone()))
            .await?;
        for record in found {
            let now = record.consumer.id;
            let last = unit.last_membership(audience, &now).await?;
            if last.is_some_and(|last| last.end.is_none()) {
                return Ok(Some(Readdressed {
                    profile: profile.clone(),
                    consumer: now,
                }));
            }
        }
    }
    Ok(None)
}

/// The latest issue with which a run of the audience has skipped one of these profiles, if none of its consumers is
/// linked to it.
async fn skipped(
    unit: &mut dyn UnitOfWork,
    audience: &AudienceId,
    profiles: &BTreeSet<&ProfileId>,
) -> Result<Option<SkippedProfile>, Error> {
    let mut latest: Option<SkippedProfile> = None;
    for profile in profiles {
        let lookup = Lookup::Profile((*profile).clone());
        if unit.lookup_consumers(&lookup).await?.is_empty() {
            let found = unit.skipped(audience, profile).await?;
            latest = found.into_iter().chain(latest).max_by_key(|one| one.at);
        }
    }
    Ok(latest)
}
