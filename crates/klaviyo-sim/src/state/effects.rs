//! What requests do to an account, once it is done.

use serde_json::{Map, Value};
use ulid::Ulid;

use super::Account;
use super::account::ChangeError;
use super::writes::{Identifier, Metric, Named, NewEvent, Pending, Recorded};
use crate::instant;
use crate::journal::{By, Channel, ConsentLevel, Written};
use crate::plan::FlowTrigger;
use crate::profiles::{ListSuppression, Profile, ProfileId, Suppression};

/// Why a profile could not be written.
pub(crate) enum ProfileRefusal {
    /// The identifiers belong to several profiles: this is another one than was written to.
    Conflict(String),
    /// A value, at this pointer below the profile, is none.
    Invalid(&'static str, &'static str),
}

impl Account {
    /// Does what is due by now (microseconds).
    pub(super) fn do_due(&mut self, now: i64) {
        while let Some((at, pending)) = self.writes.due(now) {
            self.perform(pending, at);
        }
    }

    fn perform(&mut self, pending: Pending, at: i64) {
        match pending {
            Pending::Event(event) => self.record(*event, at),
            Pending::Join { list, ids } => {
                for id in ids {
                    self.add_member(&list, &id, at);
                }
            }
            Pending::Leave { list, ids } => {
                for id in ids {
                    self.remove_member(&list, &id, at);
                }
            }
            Pending::BeginJob(id) => {
                if let Some(job) = self.writes.jobs.get_mut(&id) {
                    job.state = "processing";
                }
            }
            Pending::EndJob(id) => self.work_job(&id, at),
            Pending::Unsubscribe { people, list } => {
                for who in people {
                    self.unsubscribe(&who, list.as_deref(), at);
                }
            }
            Pending::Subscribe { people, list } => {
                for who in people {
                    self.subscribe(&who, list.as_deref(), at);
                }
            }
            Pending::Suppress(emails) => {
                for email in emails {
                    if let Some(id) = self.who_has(Identifier::Email, &email) {
                        self.suppress(&id, "USER_SUPPRESSED", at);
                    }
                }
            }
            Pending::Unsuppress(emails) => {
                for email in emails {
                    self.unsuppress(&email, at);
                }
            }
        }
    }

    /// Who has an identifier.
    pub(crate) fn who_has(&mut self, of: Identifier, text: &str) -> Option<ProfileId> {
        self.writes.owner(&self.profiles, of, text)
    }

    /// Who is meant: by id if one is named, else by e-mail, phone and external id, in this order. The order is a guess.
    pub(crate) fn who(&mut self, named: &Named) -> Option<ProfileId> {
        if let Some(id) = &named.id {
            return self.profiles.find(id);
        }
        let by = |text: &Option<String>, of| text.as_deref().map(|text| (of, text.to_owned()));
        let all = [
            by(&named.email, Identifier::Email),
            by(&named.phone, Identifier::Phone),
            by(&named.external_id, Identifier::ExternalId),
        ];
        let mut all = all.into_iter().flatten();
        all.find_map(|(of, text)| self.who_has(of, &text))
    }

    fn change(&mut self, id: &ProfileId, at: i64, change: impl FnOnce(&mut Profile)) {
        // The profile is there: its id was just found.
        let _ = self.update(&id.to_string(), at.div_euclid(1_000_000), change);
    }

    /// Makes a profile with identifiers alone.
    fn make(&mut self, named: &Named, at: i64) -> ProfileId {
        let profile = Profile {
            email: named.email.clone(),
            phone_number: named.phone.clone(),
            external_id: named.external_id.clone(),
            ..Profile::default()
        };
        let id = self.put(profile, at.div_euclid(1_000_000));
        let profile = id.to_string();
        self.writes.note(at, Written::ProfileMade { profile });
        id
    }

    fn record(&mut self, event: NewEvent, at: i64) {
        let id = match self.who(&event.who) {
            Some(id) => id,
            // An id that is unknown makes no profile. Whether it is so is not known.
            None if event.who.email.is_none()
                && event.who.phone.is_none()
                && event.who.external_id.is_none() =>
            {
                return;
            }
            None => self.make(&event.who, at),
        };
        let profile = id.to_string();
        if !self
            .writes
            .metrics
            .iter()
            .any(|known| known.name == event.metric)
        {
            let number = self.writes.metrics.len();
            self.writes.metrics.push(Metric {
                id: format!("Mt{number:04}"),
                name: event.metric.clone(),
                created: at.div_euclid(1_000_000),
            });
            let metric = event.metric.clone();
            self.writes.note(at, Written::MetricMade { metric });
        }
        let unique_id = event.unique_id.unwrap_or_else(|| event.at.to_string());
        let metric = event.metric;
        let key = (profile.clone(), metric.clone(), unique_id.clone());
        if !self.writes.known.insert(key) {
            let repeated = Written::EventRepeated {
                profile,
                metric,
                unique_id,
            };
            return self.writes.note(at, repeated);
        }
        let mut properties = event.properties;
        properties.insert("$event_id".to_owned(), unique_id.clone().into());
        let number = self.writes.events.len();
        self.writes.events.push(Recorded {
            id: format!("ev{number:09}"),
            profile: profile.clone(),
            metric: metric.clone(),
            at: event.at,
            properties,
        });
        self.writes.note(
            at,
            Written::Event {
                profile: profile.clone(),
                metric: metric.clone(),
                unique_id,
                backfill: event.backfill,
            },
        );
        if !event.backfill {
            let trigger = FlowTrigger::Metric(metric.clone());
            self.start_flows(&trigger, &profile, &metric, at);
        }
    }

    /// Starts the live flows of something for somebody.
    pub(super) fn start_flows(&mut self, of: &FlowTrigger, profile: &str, cause: &str, at: i64) {
        let flows = self.writes.flows.iter();
        let live = flows.filter(|flow| flow.trigger == *of && flow.mails());
        let live: Vec<String> = live.map(|flow| flow.id.clone()).collect();
        for flow in live {
            let is_again = !matches!(of, FlowTrigger::Metric(_))
                && !self
                    .writes
                    .flowed
                    .insert((flow.clone(), profile.to_owned()));
            if !is_again {
                let started = Written::FlowStarted {
                    flow,
                    profile: profile.to_owned(),
                    of: cause.to_owned(),
                };
                self.writes.note(at, started);
            }
        }
    }

    /// Adds a member, if it is none.
    pub(crate) fn add_member(&mut self, list: &str, id: &str, at: i64) {
        let (Some(found), Some(collection)) = (self.profiles.find(id), self.collections.get(list))
        else {
            return;
        };
        if collection.joined(&found).is_some() {
            return;
        }
        if self.join(list, id, at.div_euclid(1_000_000)).is_ok() {
            self.writes.added.insert((list.to_owned(), found));
            let (list, profile) = (list.to_owned(), id.to_owned());
            self.writes.note(at, Written::Joined { list, profile });
        }
    }

    fn remove_member(&mut self, list: &str, id: &str, at: i64) {
        let Some(found) = self.profiles.find(id) else {
            return;
        };
        let key = (list.to_owned(), found);
        let was_added = self.writes.added.contains(&key);
        if self.leave(list, id).is_ok() {
            let (list, profile) = (list.to_owned(), id.to_owned());
            self.writes.note(
                at,
                Written::Left {
                    list,
                    profile,
                    was_added,
                },
            );
        }
    }

    /// Writes a profile's values. A value that is there and null empties, unless `ignores_null`. Answers with the id and whether
    /// it was made.
    pub(crate) fn write_profile(
        &mut self,
        named: &Named,
        target: Option<ProfileId>,
        row: &Value,
        ignores_null: bool,
        at: i64,
    ) -> Result<(String, bool), ProfileRefusal> {
        check(row)?;
        let found = match target {
            Some(id) => Some(id),
            None => self.who(named),
        };
        let attributes = row["attributes"].as_object().cloned().unwrap_or_default();
        for (of, name) in [
            (Identifier::Email, "email"),
            (Identifier::Phone, "phone_number"),
            (Identifier::ExternalId, "external_id"),
        ] {
            let text = attributes.get(name).and_then(Value::as_str);
            let owner = text.and_then(|text| self.who_has(of, text));
            if let Some(owner) = owner
                && Some(&owner) != found.as_ref()
            {
                return Err(ProfileRefusal::Conflict(owner.to_string()));
            }
        }
        let (id, is_new) = match found {
            Some(id) => (id, false),
            None => (self.make(named, at), true),
        };
        let Some(before) = self.profiles.get(&id) else {
            return Ok((id.to_string(), is_new));
        };
        let mut after = before.clone();
        let fields = write_values(&mut after, &attributes, row, ignores_null);
        if after != before {
            self.change(&id, at, |profile| {
                let updated = profile.updated.take();
                *profile = after;
                profile.updated = updated;
            });
            let profile = id.to_string();
            self.writes
                .note(at, Written::ProfileChanged { profile, fields });
        }
        Ok((id.to_string(), is_new))
    }

    fn work_job(&mut self, job: &str, at: i64) {
        let Some(found) = self.writes.jobs.get_mut(job) else {
            return;
        };
        let (rows, fails) = (std::mem::take(&mut found.rows), found.fails);
        let (mut errors, mut profiles) = (Vec::new(), Vec::new());
        for row in &rows {
            let named = crate::write::named(row);
            let done = if fails {
                Err(ProfileRefusal::Invalid("", "Invalid input"))
            } else {
                self.write_profile(&named, None, row, true, at)
            };
            match done {
                Ok((id, _)) => profiles.push(id),
                Err(ProfileRefusal::Conflict(_)) => {
                    let detail = "A profile already exists with one of these identifiers.";
                    errors.push((
                        detail.to_owned(),
                        "/data/attributes".to_owned(),
                        row.clone(),
                    ));
                }
                Err(ProfileRefusal::Invalid(pointer, detail)) => {
                    errors.push((detail.to_owned(), format!("/data{pointer}"), row.clone()));
                }
            }
        }
        if let Some(found) = self.writes.jobs.get_mut(job) {
            found.completed = profiles.len();
            found.state = "complete";
            (found.rows, found.errors, found.profiles) = (rows, errors, profiles);
        }
    }

    /// Changes a consent.
    pub(crate) fn set_consent(
        &mut self,
        id: &ProfileId,
        channel: Channel,
        to: ConsentLevel,
        by: By,
        at: i64,
    ) {
        let Some(before) = self.profiles.get(id) else {
            return;
        };
        let from = before.consent(channel).level;
        if from == to {
            return;
        }
        self.change(id, at, |profile| {
            let consent = profile.consent_mut(channel);
            consent.level = to;
            consent.at = Some(instant::show(at.div_euclid(1_000_000)));
        });
        let profile = id.to_string();
        self.writes.note(
            at,
            Written::Consent {
                profile,
                channel,
                from,
                to,
                by,
            },
        );
    }

    /// Suppresses somebody's e-mail.
    pub(crate) fn suppress(&mut self, id: &ProfileId, reason: &str, at: i64) {
        self.change(id, at, |profile| {
            profile.suppressions.push(Suppression {
                reason: reason.to_owned(),
                timestamp: instant::show(at.div_euclid(1_000_000)),
            });
        });
    }

    fn unsuppress(&mut self, email: &str, at: i64) {
        let Some(id) = self.who_has(Identifier::Email, email) else {
            return;
        };
        self.change(&id, at, |profile| {
            profile
                .suppressions
                .retain(|it| it.reason != "USER_SUPPRESSED");
        });
        let profile = id.to_string();
        self.writes.note(at, Written::Unsuppressed { profile });
    }

    fn unsubscribe(&mut self, who: &Named, list: Option<&str>, at: i64) {
        let channels = [
            (Channel::Email, Identifier::Email, &who.email),
            (Channel::Sms, Identifier::Phone, &who.phone),
        ];
        for (channel, of, text) in channels {
            let Some(id) = text.as_deref().and_then(|text| self.who_has(of, text)) else {
                continue;
            };
            let profile = id.to_string();
            if let Some(list) = list {
                let members = self.collections.get(list);
                let is_member = members.is_some_and(|members| members.joined(&id).is_some());
                // The same request may just have taken them off by the other channel.
                let is_off = self.profiles.get(&id).is_some_and(|profile| {
                    profile
                        .list_suppressions
                        .iter()
                        .any(|it| it.list_id == list)
                });
                if is_member {
                    self.change(&id, at, |profile| {
                        profile.list_suppressions.push(ListSuppression {
                            list_id: list.to_owned(),
                            reason: "UNSUBSCRIBE".to_owned(),
                            timestamp: instant::show(at.div_euclid(1_000_000)),
                        });
                    });
                    let _ = self.leave(list, &profile);
                    continue;
                }
                if is_off {
                    continue;
                }
                let list = list.to_owned();
                self.writes
                    .note(at, Written::UnsubscribedOutside { list, profile });
            }
            if channel == Channel::Email {
                self.suppress(&id, "UNSUBSCRIBE", at);
            }
            self.set_consent(&id, channel, ConsentLevel::Unsubscribed, By::Request, at);
        }
    }

    /// Does what a client of ours must never ask for.
    fn subscribe(&mut self, who: &Named, list: Option<&str>, at: i64) {
        let channels = [
            (Channel::Email, who.email.is_some()),
            (Channel::Sms, who.phone.is_some()),
        ];
        let Some(id) = self.who(who) else {
            return;
        };
        for (channel, is_named) in channels {
            if is_named {
                self.set_consent(&id, channel, ConsentLevel::Subscribed, By::Request, at);
            }
        }
        self.change(&id, at, |profile| {
            let lifted = ["UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED"];
            profile
                .suppressions
                .retain(|it| !lifted.contains(&it.reason.as_str()));
        });
        if let Some(list) = list {
            self.add_member(list, &id.to_string(), at);
        }
    }

    /// Lets somebody change a consent of theirs, as by a link in a mail or a form.
    pub(crate) fn consent_by_person(
        &mut self,
        id: &str,
        channel: Channel,
        to: ConsentLevel,
        at: i64,
    ) -> Result<(), ChangeError> {
        let missing = || ChangeError::NoProfile(id.to_owned());
        let found = self.profiles.find(id).ok_or_else(missing)?;
        if channel == Channel::Email {
            self.change(&found, at, |profile| {
                profile.suppressions.retain(|it| it.reason != "UNSUBSCRIBE");
            });
            if to == ConsentLevel::Unsubscribed {
                self.suppress(&found, "UNSUBSCRIBE", at);
            }
        }
        self.set_consent(&found, channel, to, By::World, at);
        Ok(())
    }

    /// An id that Klaviyo might give.
    pub(crate) fn fresh_id() -> String {
        Ulid::from_parts(rand::random::<u64>() >> 16, rand::random()).to_string()
    }
}

/// Whether the values can be a profile's.
fn check(row: &Value) -> Result<(), ProfileRefusal> {
    let attributes = &row["attributes"];
    let is_phone = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if attributes["phone_number"]
        .as_str()
        .is_some_and(|text| !is_phone(text))
    {
        let detail = "Invalid phone number format (Example of a valid format: +12345678901)";
        return Err(ProfileRefusal::Invalid("/attributes/phone_number", detail));
    }
    let is_email = |text: &str| {
        text.split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    };
    if attributes["email"]
        .as_str()
        .is_some_and(|text| !is_email(text))
    {
        return Err(ProfileRefusal::Invalid(
            "/attributes/email",
            "Invalid email address",
        ));
    }
    Ok(())
}

/// Writes values into a profile. Answers with their names.
fn write_values(
    profile: &mut Profile,
    attributes: &Map<String, Value>,
    row: &Value,
    ignores_null: bool,
) -> Vec<String> {
    let mut fields = Vec::new();
    let texts = [
        ("email", &mut profile.email),
        ("phone_number", &mut profile.phone_number),
        ("external_id", &mut profile.external_id),
        ("first_name", &mut profile.first_name),
        ("last_name", &mut profile.last_name),
        ("organization", &mut profile.organization),
        ("locale", &mut profile.locale),
        ("title", &mut profile.title),
        ("image", &mut profile.image),
    ];
    for (name, text) in texts {
        let Some(value) = attributes.get(name) else {
            continue;
        };
        if value.is_null() && ignores_null {
            continue;
        }
        let value = value.as_str().map(str::to_owned);
        if *text != value {
            fields.push(name.to_owned());
            *text = value;
        }
    }
    for (name, value) in attributes
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if !(value.is_null() && ignores_null) {
            profile.properties.insert(name.clone(), value.clone());
            fields.push(format!("properties.{name}"));
        }
    }
    let unset = &row["meta"]["patch_properties"]["unset"];
    let unset = unset
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![unset.clone()]);
    for name in unset.iter().filter_map(Value::as_str) {
        if profile.properties.remove(name).is_some() {
            fields.push(format!("properties.{name}"));
        }
    }
    fields
}
