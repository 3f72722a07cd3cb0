//! An organization whose events go to Klaviyo, Fanfare that tells of them, and the proof that each has arrived once, in the order of
//! its person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::environment::{Environment, WAIT_TIMEOUT, small_lists};
use super::outcome::all;
use crate::journal;
use crate::services::api::Run;
use crate::webhooks::{self, Answered, Webhooks};

/// How many people there are whom events concern.
pub(super) const PEOPLE: usize = 80;

/// How many send beside each other. Each person's events are sent by one of them, so that Fanfare's order is known.
const SENDERS: usize = 4;

/// The pause between two webhooks of a sender.
const PAUSE: Duration = Duration::from_millis(15);

/// An event that was taken: its `unique_id`, and whom it concerns.
type Taken = (String, usize);

/// The organization, as Fanfare knows it.
pub(super) struct Shop {
    webhooks: Webhooks,
    people: Vec<String>,
    /// Where the API is.
    address: Mutex<String>,
    /// In the order of each person.
    taken: Mutex<Vec<Taken>>,
}

/// What has become of the events.
pub(super) struct Arrived {
    /// How many Klaviyo does not have.
    pub(super) missing: usize,
    /// How many came to Klaviyo again, and were dropped there.
    pub(super) repeated: u64,
}

impl Shop {
    /// Imports people, and switches events on. It needs a worker.
    pub(super) fn open(environment: &Environment) -> Result<Self> {
        let api = &environment.api;
        let list = small_lists(1).next();
        let imported: Value =
            api.post("/api/audiences/import/klaviyo", &json!({"listIds": [list]}))?;
        let imported = &imported["imported"][0];
        let ids = imported["runId"]
            .as_str()
            .zip(imported["audienceId"].as_str());
        let (run, audience) = ids.context("the list was not imported")?;
        environment.wait("the import does not end", || {
            let run: Run = api.get(&format!("/api/sync-runs/{run}"))?;
            Ok(!run.is_active())
        })?;
        let body = json!({"klaviyo": {"events": {"enabled": true}}});
        api.put::<Value>("/api/settings", &body)?;
        let members = all(api, &format!("/api/audiences/{audience}/members"))?;
        let people = members.iter().filter_map(|one| one["id"].as_str());
        let people: Vec<String> = people.take(PEOPLE).map(str::to_owned).collect();
        ensure!(
            people.len() == PEOPLE,
            "there are only {} people",
            people.len()
        );
        Ok(Self {
            webhooks: Webhooks::of(api)?,
            people,
            address: Mutex::new(api.address.clone()),
            taken: Mutex::default(),
        })
    }

    /// Tells of so many events, of one person after the other.
    pub(super) fn tell(&self, events: usize) -> Result<()> {
        let agent = webhooks::agent();
        let begin = locked(&self.taken).len();
        for number in begin..begin + events {
            let taken = self.win(&agent, format!("whk_one{number}"), number % PEOPLE)?;
            locked(&self.taken).push(taken);
        }
        Ok(())
    }

    /// Tells of events, by some senders beside each other, until `meanwhile` has ended.
    pub(super) fn tell_during(&self, meanwhile: impl FnOnce() -> Result<()>) -> Result<()> {
        let is_over = AtomicBool::new(false);
        let send = |sender: usize| -> Result<Vec<Taken>> {
            let (agent, mut taken) = (webhooks::agent(), Vec::new());
            while !is_over.load(Ordering::SeqCst) {
                let number = taken.len() * SENDERS + sender;
                let id = format!("whk_many{number}");
                taken.push(self.win(&agent, id, number % PEOPLE)?);
                thread::sleep(PAUSE);
            }
            Ok(taken)
        };
        let send = &send;
        thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| scope.spawn(move || send(sender)))
                .collect();
            let done = meanwhile();
            is_over.store(true, Ordering::SeqCst);
            for sender in senders {
                let taken = sender.join().expect("no panic while sending")?;
                locked(&self.taken).extend(taken);
            }
            done
        })
    }

    /// The API is elsewhere now.
    pub(super) fn api_moved(&self, environment: &Environment) {
        locked(&self.address).clone_from(&environment.api.address);
    }

    /// Somebody wins a draw. What is not taken, or has no answer, is sent again, as Fanfare does.
    fn win(&self, agent: &ureq::Agent, id: String, person: usize) -> Result<Taken> {
        let data = json!({"consumerId": self.people[person], "drawId": id, "winnerPosition": 1});
        let body = self
            .webhooks
            .body(&id, "draw.consumer.won", data, webhooks::now());
        let begun = Instant::now();
        loop {
            let address = locked(&self.address).clone();
            match self.webhooks.send(agent, &address, &body) {
                Ok(Answered::Taken | Answered::Duplicate) => return Ok((id, person)),
                Ok(Answered::NotTaken(_)) | Err(_) if begun.elapsed() < WAIT_TIMEOUT => {
                    thread::sleep(Duration::from_millis(30));
                }
                Ok(Answered::NotTaken(status)) => bail!("a webhook is answered {status} for ever"),
                Err(error) => return Err(error.context("a webhook is never answered")),
            }
        }
    }

    /// Waits until nothing is pending, and compares what Klaviyo has with what was taken: nothing twice, nothing else, and all of
    /// a person's in their order.
    pub(super) fn finish(&self, environment: &Environment) -> Result<Arrived> {
        let taken = locked(&self.taken).clone();
        let expected = json!(taken.len());
        environment.wait("deliveries stay pending", || {
            let summary: Value = environment.api.get("/api/deliveries/summary")?;
            Ok(summary["EVENT"]["SENT"] == expected)
        })?;
        let journal = journal::read(&environment.klaviyo)?;
        let places: BTreeMap<&str, (usize, usize)> = taken
            .iter()
            .enumerate()
            .map(|(place, (id, person))| (id.as_str(), (*person, place)))
            .collect();
        let (mut recorded, mut last) = (BTreeSet::new(), BTreeMap::new());
        let mut profiles: BTreeMap<usize, &str> = BTreeMap::new();
        for event in journal.iter().filter(|entry| entry.what == "event") {
            let id = event.unique_id.as_str();
            let (person, place) = places
                .get(id)
                .with_context(|| format!("nobody told of {id}"))?;
            ensure!(recorded.insert(id), "{id} is in Klaviyo twice");
            let before = last.insert(*person, *place);
            ensure!(
                before < Some(*place),
                "{id} has overtaken what came before it of its person"
            );
            let profile = *profiles.entry(*person).or_insert(&event.profile);
            ensure!(profile == event.profile, "{id} is another profile's");
        }
        let repeated = journal::events(&environment.klaviyo)?.repeated;
        Ok(Arrived {
            missing: taken.len() - recorded.len(),
            repeated,
        })
    }

    /// The same, where all must have arrived.
    pub(super) fn finish_whole(&self, environment: &Environment) -> Result<Arrived> {
        let arrived = self.finish(environment)?;
        ensure!(
            arrived.missing == 0,
            "{} events are missing in Klaviyo",
            arrived.missing
        );
        Ok(arrived)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
