//! Faults on the way of Fanfare's events to Klaviyo.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::faults::environment::Environment;
use crate::faults::report::SLOWEST_RECOVERY;
use crate::faults::shop::{PEOPLE, Shop};
use crate::faults::{RoundContext, RoundResult};

/// The key that replaces the revoked one.
pub(super) const NEW_KEY: &str = "pk_replaced_0123456789abcdef0123456789abcd";

/// Events that are sent each by itself, and events that go in bulk.
const FEW: usize = 12;
const MANY: usize = PEOPLE;

/// The longest time between two kills, in milliseconds: longer than it takes until another worker goes on.
const LONGEST: u64 = 4_500;

/// Programs that are killed at random moments while webhooks come: as many times as the round's number says.
pub(super) fn killed(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&[], 1)?;
    let shop = Shop::open(&environment)?;
    let kills = context.number()?;
    let mut random = Random(u64::from(kills) * 7_919);
    shop.tell_during(|| {
        for _ in 0..kills {
            environment.pause(Duration::from_millis(50 + random.below(LONGEST)));
            if random.below(2) == 0 {
                environment.restart_api()?;
                shop.api_moved(&environment);
            } else {
                environment.workers.last_mut().context("a worker")?.kill()?;
                environment.start_worker()?;
            }
        }
        environment.pause(Duration::from_millis(random.below(LONGEST)));
        Ok(())
    })?;
    shop.finish_whole(&environment)?;
    result(&environment)
}

/// The worker dies when Klaviyo has recorded an event and has not answered yet.
pub(super) fn killed_in_a_call(context: &RoundContext<'_>) -> Result<RoundResult> {
    let slow = "create-event@request=3:slow=20000";
    let mut environment = context.environment(&[slow], 1)?;
    let shop = Shop::open(&environment)?;
    shop.tell(FEW)?;
    environment.wait(
        "no events are sent",
        || Ok(environment.log()?.events() >= 3),
    )?;
    environment.workers[0].kill()?;
    environment.start_worker()?;
    let before = environment.log()?.events();
    let begun = Instant::now();
    environment.wait("no worker goes on", || {
        Ok(environment.log()?.events() > before)
    })?;
    let recovery = begun.elapsed();
    let arrived = shop.finish_whole(&environment)?;
    ensure!(
        arrived.repeated > 0,
        "nothing was sent again, so nothing was tested"
    );
    Ok(RoundResult {
        recovery: Some(recovery),
        ..result(&environment)?
    })
}

/// Answers are lost when Klaviyo has done what it was asked for, of single events and of a bulk job.
pub(super) fn answers_lost(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "create-event@request=2,times=3:reset",
        "create-event@request=7:truncate",
        "create-events:reset",
    ];
    let mut environment = context.environment(&faults, 1)?;
    let shop = Shop::open(&environment)?;
    shop.tell(FEW)?;
    shop.finish_whole(&environment)?;
    // A worker that starts finds many, and sends them in bulk.
    environment.workers[0].kill()?;
    shop.tell(MANY)?;
    environment.start_worker()?;
    let arrived = shop.finish_whole(&environment)?;
    ensure!(
        arrived.repeated >= MANY as u64,
        "only {} events were sent again",
        arrived.repeated
    );
    result(&environment)
}

/// Klaviyo accepts events, and does nothing. Its word is taken: what is missing is told of, and not sent again.
pub(super) fn without_effect(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&["create-event@request=3,times=2:no-effect"], 1)?;
    let shop = Shop::open(&environment)?;
    shop.tell(FEW)?;
    let arrived = shop.finish(&environment)?;
    ensure!(
        arrived.missing == 2,
        "{} events are missing instead of two",
        arrived.missing
    );
    ensure!(
        arrived.repeated == 0,
        "{} events were sent again",
        arrived.repeated
    );
    result(&environment)
}

/// Klaviyo refuses for a while, and the network in front of it answers.
pub(super) fn throttled(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "create-event@request=2:429=2",
        "create-event@request=6:429=date:2",
        "create-event@request=9:503=1",
        "create-event@request=11:500",
        "create-event@request=12:challenge",
        "create-event@request=13:524",
        "create-events@request=1:429=2",
        "create-events@request=2:502",
    ];
    let mut environment = context.environment(&faults, 1)?;
    let shop = Shop::open(&environment)?;
    shop.tell(FEW)?;
    shop.finish_whole(&environment)?;
    environment.workers[0].kill()?;
    shop.tell(MANY)?;
    environment.start_worker()?;
    shop.finish_whole(&environment)?;
    result(&environment)
}

/// What comes while the key is revoked waits for another key.
pub(super) fn key_replaced(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&["create-event@request=4:revoke-key"], 1)?;
    let shop = Shop::open(&environment)?;
    shop.tell(FEW)?;
    environment.wait("the key is not found to be revoked", || {
        let settings: Value = environment.api.get("/api/settings")?;
        Ok(settings["klaviyo"]["status"] == "ERROR")
    })?;
    shop.tell(FEW)?;
    let summary: Value = environment.api.get("/api/deliveries/summary")?;
    ensure!(
        summary["EVENT"]["PENDING"].as_u64() >= Some(FEW as u64),
        "what waits does not wait: {summary}"
    );
    ensure!(
        summary["EVENT"]["FAILED"].as_u64().unwrap_or(0) == 0,
        "something was given up: {summary}"
    );
    environment.order("changes", &format!("any:add-key={NEW_KEY}"))?;
    let body = json!({"klaviyo": {"apiKey": NEW_KEY}});
    environment.api.put::<Value>("/api/settings", &body)?;
    shop.finish_whole(&environment)?;
    result(&environment)
}

/// The round has compared the events itself.
pub(super) fn result(environment: &Environment) -> Result<RoundResult> {
    Ok(RoundResult {
        outcome: None,
        undisturbed: None,
        recovery: None,
        slowest: SLOWEST_RECOVERY,
        refetched: 0,
        allowed: 0,
        blocked_requests: environment.log()?.blocked_requests(),
        failure: None,
    })
}

/// Numbers that a seed decides (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
