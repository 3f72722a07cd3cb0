//! Asks at the door for one person at a time, over many connections, and prints how fast the answers came. It is told what to ask
//! as JSON on its input; with a `pace` it asks so many times a second, whether or not the answers keep up, and counts
//! from when each check was due.

use std::io::{IsTerminal, stdin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// What to ask.
#[derive(Deserialize)]
struct Asking {
    /// The door.
    address: String,
    /// The header of the secret key.
    authorization: String,
    /// The members whom it asks for by turns.
    emails: Vec<String>,
    /// How many checks.
    checks: usize,
    /// How many at once.
    connections: usize,
    /// Checks a second; as fast as they are answered if it is not there.
    pace: Option<f64>,
}

fn main() -> Result<()> {
    if stdin().is_terminal() {
        println!("skipped: `cargo xtask bench` tells it what to ask");
        return Ok(());
    }
    let asking: Option<Asking> = serde_json::from_reader(stdin()).ok();
    let Some(asking) = asking.filter(|asking| !asking.emails.is_empty()) else {
        println!("skipped: `cargo xtask bench` tells it what to ask");
        return Ok(());
    };
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let times = thread::scope(|scope| {
        let askers: Vec<_> = (0..asking.connections)
            .map(|_| scope.spawn(|| asking.ask(&next, begun)))
            .collect();
        let mut times = Vec::with_capacity(asking.checks);
        for asker in askers {
            times.extend(asker.join().expect("an asker panicked")?);
        }
        anyhow::Ok(times)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let micros: Vec<u128> = times.iter().map(Duration::as_micros).collect();
    println!("{}", json!({"seconds": seconds, "micros": micros}));
    Ok(())
}

impl Asking {
    /// Asks until there are as many checks as there should be. Returns how long each took.
    fn ask(&self, next: &AtomicUsize, begun: Instant) -> Result<Vec<Duration>> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None)
            .build();
        let agent: ureq::Agent = config.into();
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.checks {
                return Ok(times);
            }
            let due = self.pace.map(|pace| {
                let after = Duration::from_secs_f64(number_of(number) / pace);
                thread::sleep((begun + after).saturating_duration_since(Instant::now()));
                begun + after
            });
            let asked = due.unwrap_or_else(Instant::now);
            let email = &self.emails[number % self.emails.len()];
            let mut answer = agent
                .post(&self.address)
                .header("authorization", &self.authorization)
                .send_json(json!({"emails": [email]}))?;
            let body: Value = answer.body_mut().read_json()?;
            times.push(asked.elapsed());
            let is_member = body["results"][0]["isMember"].as_bool();
            ensure!(is_member.context("no answer")?, "answered {body}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
const fn number_of(n: usize) -> f64 {
    n as f64
}
