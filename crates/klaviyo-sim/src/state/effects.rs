//! What requests do to an account, once it is done.

use serde_json::{Map, Value};
use ulid::Ulid;

use super::Account;
use super::writes::{Identifier, Metric, Named, NewEvent, Pending, Recorded};
use crate::journal::Written;
use crate::plan::FlowTrigger;
use crate::profiles::{Profile, ProfileId};

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

    pub(super) fn change(&mut self, id: &ProfileId, at: i64, change: impl FnOnce(&mut Profile)) {
        // The profile is there: its id was just found.
        let _ = self.update(&id.to_string(), at.div_euclid(1_000_000), change);
    }

    /// Makes a profile with identifiers alone.
    pub(super) fn make(&mut self, named: &Named, at: i64) -> ProfileId {
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
        let value = amount(&properties);
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
                value,
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

    /// An id that Klaviyo might give.
    pub(crate) fn fresh_id() -> String {
        Ulid::from_parts(rand::random::<u64>() >> 16, rand::random()).to_string()
    }
}

/// The amount among an event's properties, with its currency if there is one.
fn amount(properties: &Map<String, Value>) -> Option<String> {
    let value = properties.get("$value")?;
    let currency = properties.get("$value_currency").and_then(Value::as_str);
    Some(currency.map_or_else(
        || value.to_string(),
        |currency| format!("{value} {currency}"),
    ))
}
