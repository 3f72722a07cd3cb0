//! Faults on the way of contacts to Klaviyo.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::events::{NEW_KEY, result};
use crate::faults::writers::Editor;
use crate::faults::{RoundContext, RoundResult};

/// How many people are edited.
const FEW: usize = 12;

/// Answers are lost when Klaviyo has done what it was asked for.
pub(super) fn answers_lost(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "update-profile@request=2,times=3:reset",
        "update-profile@request=7:truncate",
    ];
    let environment = context.environment(&faults, 1)?;
    let mut editor = Editor::open(&environment)?;
    editor.edit(&environment, FEW)?;
    editor.finish(&environment)?;
    result(&environment)
}

/// Klaviyo refuses looks and writes for a while, and the network in front of it answers.
pub(super) fn throttled(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "profiles@request=1:429=1",
        "profiles@request=2:502",
        "update-profile@request=2:429=2",
        "update-profile@request=5:503=1",
        "update-profile@request=7:500",
        "update-profile@request=8:challenge",
    ];
    let environment = context.environment(&faults, 1)?;
    let mut editor = Editor::open(&environment)?;
    editor.edit(&environment, FEW)?;
    editor.finish(&environment)?;
    result(&environment)
}

/// What changes while the key is revoked waits for another key.
pub(super) fn key_replaced(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&["update-profile@request=4:revoke-key"], 1)?;
    let mut editor = Editor::open(&environment)?;
    editor.edit(&environment, FEW)?;
    environment.wait("the key is not found to be revoked", || {
        let settings: Value = environment.api.get("/api/settings")?;
        Ok(settings["klaviyo"]["status"] == "ERROR")
    })?;
    editor.edit(&environment, FEW)?;
    let summary: Value = environment.api.get("/api/deliveries/summary")?;
    ensure!(
        summary["CONTACT"]["PENDING"].as_u64() >= Some(FEW as u64)
            && summary["CONTACT"]["FAILED"].as_u64().unwrap_or(0) == 0,
        "what waits does not wait: {summary}"
    );
    environment.order("changes", &format!("any:add-key={NEW_KEY}"))?;
    let body = json!({"klaviyo": {"apiKey": NEW_KEY}});
    environment.api.put::<Value>("/api/settings", &body)?;
    NEW_KEY.clone_into(&mut editor.key);
    editor.finish(&environment)?;
    result(&environment)
}

/// The worker dies when Klaviyo has changed a profile and has not answered yet.
pub(super) fn killed_in_a_call(context: &RoundContext<'_>) -> Result<RoundResult> {
    let slow = "update-profile@request=3:slow=20000";
    let mut environment = context.environment(&[slow], 1)?;
    let mut editor = Editor::open(&environment)?;
    editor.edit(&environment, FEW)?;
    let writes = |so_far| -> Result<bool> { Ok(environment.log()?.of("update-profile") >= so_far) };
    environment.wait("no contacts are sent", || writes(3))?;
    environment.workers[0].kill()?;
    let looks = environment.log()?.of("profiles");
    environment.start_worker()?;
    let begun = Instant::now();
    environment.wait("no worker goes on", || {
        Ok(environment.log()?.of("profiles") > looks)
    })?;
    let recovery = begun.elapsed();
    editor.finish(&environment)?;
    Ok(RoundResult {
        recovery: Some(recovery),
        ..result(&environment)?
    })
}
