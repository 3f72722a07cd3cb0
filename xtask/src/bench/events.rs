//! How fast Fanfare's webhooks are taken, and how soon Klaviyo has their events: by Klaviyo's real quota, on Postgres.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::environment::{Environment, KEY, LIST};
use super::latency::percentile;
use super::{Figure, Options};
use crate::interrupt::Interrupt;
use crate::journal;
use crate::services::api::Page;
use crate::test::postgres::Cluster;
use crate::webhooks::{self, Answered, Webhooks};

/// The webhooks of a flood, and the people whom they concern.
const WEBHOOKS: u64 = 100_000;
const PEOPLE: u64 = 10_000;

/// How many webhooks are under way at once.
const CONNECTIONS: u64 = 32;

/// Webhooks that come alone: enough for a p95.
const ALONE: u64 = 200;

/// The pause before each of them.
const PAUSE: Duration = Duration::from_millis(120);

/// How long an answer of Klaviyo's takes, in milliseconds.
const ANSWER_MS: u64 = 250;

/// What Klaviyo takes: events in a bulk job, and bulk jobs a second and a minute.
const IN_BULK: u64 = 1_000;
const PER_SECOND: u64 = 10;
const PER_MINUTE: u64 = 150;

/// What intake must reach, a second.
const INTAKE: f64 = 2_000.0;

/// How long a webhook alone may be on its way to Klaviyo, in milliseconds.
const SOON: f64 = 1_000.0;

/// How long nothing may move.
const STALLED: Duration = Duration::from_mins(2);

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("events")?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("requests.jsonl");
    let latency = ANSWER_MS.to_string();
    let log_argument = log.to_str().context("a path that is text")?;
    let simulator = [
        ["--latency", latency.as_str()],
        ["--request-log", log_argument],
        ["--at-once", "--no-bodies"],
    ];
    let people = (PEOPLE / options.divide).max(CONNECTIONS);
    let environment =
        Environment::start_on_postgres(&store, people, simulator.as_flattened(), interrupt)?;
    let sender = Sender::new(&environment, interrupt)?;

    let mut figures = alone(&sender, options, &log)?;

    // All of them wait before the first is sent: intake by itself, then sending by itself.
    let number = WEBHOOKS / options.divide;
    let before = Requests::of(&log)?;
    sender.wait_for_answers()?;
    sender.disconnect()?;
    let intake = sender.flood("waiting", number)?;
    figures.push(figure(
        "webhooks in, on Postgres",
        "/s",
        per_second(number, intake),
        "what is asked for",
        INTAKE,
    ));
    sender.connect()?;
    let begun = Instant::now();
    sender.wait_for_all(begun)?;
    let sending = begun.elapsed();
    let schedule = schedule(number.div_ceil(IN_BULK));
    let what = format!("{number} events out that waited");
    figures.push(figure(
        &what,
        "s",
        sending.as_secs_f64(),
        "the schedule that the quota allows",
        schedule,
    ));
    let requests = Requests::of(&log)?.since(before)?;
    figures.push(figure(
        &format!("requests for {number} events that waited"),
        "",
        requests,
        "full bulk jobs",
        count(number.div_ceil(IN_BULK)),
    ));

    // Intake and sending beside each other.
    let before = Requests::of(&log)?;
    let begun = Instant::now();
    let beside = sender.flood("beside", number)?;
    sender.wait_for_all(begun)?;
    let all = begun.elapsed().as_secs_f64();
    figures.push(figure(
        "webhooks in while events go out",
        "/s",
        per_second(number, beside),
        "what is asked for",
        INTAKE,
    ));
    let what = format!("{number} webhooks in, {number} events out");
    figures.push(figure(
        &what,
        "s",
        all,
        "intake alone, or the quota's schedule",
        intake.as_secs_f64().max(schedule),
    ));
    let requests = Requests::of(&log)?.since(before)?;
    figures.push(figure(
        &format!("requests for {number} events as they came"),
        "",
        requests,
        "full bulk jobs",
        count(number.div_ceil(IN_BULK)),
    ));

    let simulator = sender.simulator();
    let recorded = journal::events(simulator)?;
    ensure!(
        recorded.repeated == 0,
        "{} events were sent twice",
        recorded.repeated
    );
    journal::must_have_no_breaches(simulator)?;
    Ok(figures)
}

/// Webhooks that come one by one.
fn alone(sender: &Sender<'_>, options: &Options, log: &Path) -> Result<Vec<Figure>> {
    let mut times = sender.send_alone(ALONE.min(WEBHOOKS / options.divide), log)?;
    let figures = [50, 95].map(|share| {
        let what = format!("a webhook alone, to Klaviyo's answer, p{share}");
        let measured = percentile(&mut times, share);
        figure(&what, "ms", measured, "within a second", SOON)
    });
    Ok(figures.into())
}

fn figure(
    what: &str,
    unit: &'static str,
    measured: f64,
    limit_is: &'static str,
    limit: f64,
) -> Figure {
    Figure {
        case: "events",
        what: what.to_owned(),
        unit,
        measured,
        limit_is,
        limit: Some(limit),
    }
}

/// Fanfare, and the people whom its events concern.
struct Sender<'a> {
    environment: &'a Environment,
    interrupt: &'a Interrupt,
    webhooks: Webhooks,
    people: Vec<String>,
    /// How many webhooks were taken so far.
    taken: AtomicU64,
}

impl<'a> Sender<'a> {
    /// Imports the people, and switches events on.
    fn new(environment: &'a Environment, interrupt: &'a Interrupt) -> Result<Self> {
        let audience = environment.finish(&environment.import(LIST)?)?.audience_id;
        let (mut people, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/audiences/{audience}/members?first=100{after}");
            let page: Page<Value> = environment.api.get(&path)?;
            let ids = page.data.iter().filter_map(|one| one["id"].as_str());
            people.extend(ids.map(str::to_owned));
            match page.page_info.end_cursor.filter(|_| page.data.len() == 100) {
                Some(cursor) => after = format!("&after={cursor}"),
                None => break,
            }
        }
        ensure!(!people.is_empty(), "the audience has no members");
        let body = json!({"klaviyo": {"events": {"enabled": true}}});
        environment.api.put::<Value>("/api/settings", &body)?;
        Ok(Self {
            webhooks: Webhooks::of(&environment.api)?,
            environment,
            interrupt,
            people,
            taken: AtomicU64::new(0),
        })
    }

    fn simulator(&self) -> &str {
        let address = self.environment.services.simulator_address.as_deref();
        address.unwrap_or_default()
    }

    fn disconnect(&self) -> Result<()> {
        let nothing = json!({"klaviyo": null});
        self.environment
            .api
            .put::<Value>("/api/settings", &nothing)?;
        Ok(())
    }

    fn connect(&self) -> Result<()> {
        let key = json!({"klaviyo": {"apiKey": KEY}});
        self.environment.api.put::<Value>("/api/settings", &key)?;
        Ok(())
    }

    /// The body of a webhook: somebody joins a queue.
    fn body(&self, of: &str, number: u64) -> String {
        let person = usize::try_from(number).unwrap_or(0) % self.people.len();
        let data = json!({"consumerId": self.people[person], "queueId": format!("queue_{of}"),
            "experienceId": "experience_bench", "sequenceId": "sequence_bench", "position": number});
        // Each act of a person has a time of its own.
        let at = webhooks::now();
        self.webhooks.body(
            &format!("whk_{of}{number}"),
            "queue.consumer.entered",
            data,
            at,
        )
    }

    /// Sends webhooks one by one, each when Klaviyo has the one before. Returns how long each was on its way to Klaviyo's answer.
    fn send_alone(&self, number: u64, log: &Path) -> Result<Vec<Duration>> {
        let (agent, mut sent) = (webhooks::agent(), Vec::new());
        for number in 0..number {
            self.interrupt.sleep(PAUSE);
            ensure!(!self.interrupt.is_requested(), "interrupted");
            let body = self.body("alone", number);
            sent.push(webhooks::now());
            let answered = self
                .webhooks
                .send(&agent, &self.environment.api.address, &body)?;
            ensure!(
                answered == Answered::Taken,
                "a webhook alone is not taken: {answered:?}"
            );
            self.taken.fetch_add(1, Ordering::SeqCst);
            self.wait_for_all(Instant::now())?;
        }
        let heard = heard(log)?;
        ensure!(
            heard.len() == sent.len(),
            "{} events of {} came by themselves",
            heard.len(),
            sent.len()
        );
        let times = sent.iter().zip(heard).map(|(sent, heard)| {
            Duration::try_from(heard - *sent).unwrap_or_default() + Duration::from_millis(ANSWER_MS)
        });
        Ok(times.collect())
    }

    /// Sends webhooks beside each other, again where there is no room for one. Returns how long that took.
    fn flood(&self, of: &str, number: u64) -> Result<Duration> {
        let next = AtomicU64::new(0);
        let begun = Instant::now();
        thread::scope(|scope| {
            let senders: Vec<_> = (0..CONNECTIONS)
                .map(|_| scope.spawn(|| self.send_next(of, number, &next)))
                .collect();
            senders
                .into_iter()
                .try_for_each(|sender| sender.join().expect("no panic while sending"))
        })?;
        self.taken.fetch_add(number, Ordering::SeqCst);
        Ok(begun.elapsed())
    }

    fn send_next(&self, of: &str, number: u64, next: &AtomicU64) -> Result<()> {
        let agent = webhooks::agent();
        loop {
            let this = next.fetch_add(1, Ordering::Relaxed);
            if this >= number {
                return Ok(());
            }
            let body = self.body(of, this);
            while let Answered::NotTaken(status) =
                self.webhooks
                    .send(&agent, &self.environment.api.address, &body)?
            {
                ensure!(status == 503, "a webhook is answered {status}");
                ensure!(!self.interrupt.is_requested(), "interrupted");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Waits until the worker has Klaviyo's last answer: who is disconnected before it sends the event again.
    fn wait_for_answers(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let summary: Value = self.environment.api.get("/api/deliveries/summary")?;
            if summary["EVENT"]["PENDING"] == 0 {
                return Ok(());
            }
            ensure!(begun.elapsed() < STALLED, "deliveries stay pending");
            ensure!(!self.interrupt.is_requested(), "interrupted");
            self.interrupt.sleep(Duration::from_millis(100));
        }
    }

    /// Waits until Klaviyo has an event of each webhook that was taken.
    fn wait_for_all(&self, begun: Instant) -> Result<()> {
        let taken = self.taken.load(Ordering::SeqCst);
        let (mut moved, mut before) = (begun, 0);
        loop {
            let recorded = journal::events(self.simulator())?.recorded;
            if recorded == taken {
                return Ok(());
            }
            if recorded != before {
                (moved, before) = (Instant::now(), recorded);
            }
            ensure!(
                moved.elapsed() < STALLED,
                "Klaviyo has {recorded} events of {taken}, and no more come"
            );
            ensure!(!self.interrupt.is_requested(), "interrupted");
            self.interrupt.sleep(Duration::from_millis(20));
        }
    }
}

/// When the simulator has got events that came by themselves.
fn heard(log: &Path) -> Result<Vec<OffsetDateTime>> {
    let mut heard = Vec::new();
    for line in std::fs::read_to_string(log)?.lines() {
        let request: Value = serde_json::from_str(line)?;
        if request["endpoint"] == "create-event" {
            let at = request["at"].as_str().context("a request without a time")?;
            heard.push(OffsetDateTime::parse(at, &Rfc3339)?);
        }
    }
    Ok(heard)
}

/// How many requests that make events the simulator has got.
#[derive(Clone, Copy)]
struct Requests {
    made: u64,
    refused: u64,
}

impl Requests {
    fn of(log: &Path) -> Result<Self> {
        let mut requests = Self {
            made: 0,
            refused: 0,
        };
        for line in std::fs::read_to_string(log)?.lines() {
            let request: Value = serde_json::from_str(line)?;
            let makes_events = ["create-event", "create-events"]
                .contains(&request["endpoint"].as_str().unwrap_or_default());
            requests.made += u64::from(makes_events);
            requests.refused += u64::from(request["status"] == 429);
        }
        Ok(requests)
    }

    /// How many more there are, none of them refused.
    fn since(self, before: Self) -> Result<f64> {
        let refused = self.refused - before.refused;
        ensure!(refused == 0, "Klaviyo refused {refused} requests with 429");
        Ok(count(self.made - before.made))
    }
}

/// Seconds until the last of so many bulk jobs is answered, if all are sent as soon as they may be.
fn schedule(jobs: u64) -> f64 {
    let last = jobs.saturating_sub(1);
    let begins = last / PER_MINUTE * 60 + last % PER_MINUTE / PER_SECOND;
    count(begins * 1_000 + ANSWER_MS) / 1_000.0
}

fn per_second(number: u64, taken: Duration) -> f64 {
    count(number) / taken.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
const fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::schedule;

    #[test]
    fn the_schedule_of_bulk_jobs_fills_every_second_and_every_minute() {
        let same = |jobs, seconds: f64| assert!((schedule(jobs) - seconds).abs() < 1e-9);
        same(1, 0.25);
        same(10, 0.25);
        same(11, 1.25);
        same(100, 9.25);
        same(151, 60.25);
    }
}
