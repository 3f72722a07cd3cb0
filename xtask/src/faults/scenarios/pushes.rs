//! Faults on the way of an audience into its list.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::events::{NEW_KEY, result};
use crate::faults::environment::Environment;
use crate::faults::writers::Keeper;
use crate::faults::{RoundContext, RoundResult};

/// How many people are in the audience, and how many more join or leave.
const MANY: usize = 120;
const MORE: usize = 30;

/// The key that replaces the second one that is revoked.
const NEWER_KEY: &str = "pk_replaced_again_0123456789abcdef01234567";

/// How many of them Klaviyo does not know: few, or so many that an import job makes their profiles.
const FEW_STRANGERS: usize = 5;
const MANY_STRANGERS: usize = 60;

/// Answers are lost when Klaviyo has done what it was asked for: of profiles that are made, of adding, and of removing.
pub(super) fn answers_lost(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "upsert-profile@request=2,times=2:reset",
        "add-to-list:reset",
        "remove-from-list:reset",
    ];
    let environment = context.environment(&faults, 1)?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.join(&environment, 0, MANY)?;
    keeper.strangers_join(&environment, FEW_STRANGERS)?;
    let run = keeper.start(&environment)?;
    keeper.finish(&environment, &run)?;
    keeper.leave(&environment, 0, MORE)?;
    keeper.join(&environment, MANY, MANY + MORE)?;
    keeper.follow(&environment)?;
    let log = environment.log()?;
    ensure!(
        log.of("add-to-list") >= 3 && log.of("remove-from-list") >= 2,
        "nothing was sent again, so nothing was tested"
    );
    result(&environment)
}

/// The worker dies when Klaviyo has added people and has not answered yet.
pub(super) fn killed_in_a_call(context: &RoundContext<'_>) -> Result<RoundResult> {
    killed(context, "add-to-list:slow=20000")
}

/// The worker dies when the ledger says that it is adding people, and Klaviyo has not done it.
pub(super) fn killed_before_a_call(context: &RoundContext<'_>) -> Result<RoundResult> {
    killed(context, "add-to-list:429=1")
}

fn killed(context: &RoundContext<'_>, fault: &str) -> Result<RoundResult> {
    let mut environment = context.environment(&[fault], 1)?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.join(&environment, 0, MANY)?;
    let run = keeper.start(&environment)?;
    environment.wait("nobody is added", || {
        Ok(environment.log()?.of("add-to-list") > 0)
    })?;
    environment.workers[0].kill()?;
    environment.start_worker()?;
    let begun = Instant::now();
    environment.wait("no worker goes on", || {
        Ok(environment.log()?.of("add-to-list") > 1)
    })?;
    let recovery = begun.elapsed();
    keeper.finish(&environment, &run)?;
    Ok(RoundResult {
        recovery: Some(recovery),
        ..result(&environment)?
    })
}

/// Klaviyo refuses for a while, and the network in front of it answers.
pub(super) fn throttled(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "upsert-profile@request=2:429=2",
        "add-to-list@request=1:429=2",
        "add-to-list@request=2:503=1",
        "add-to-list@request=3:500",
        "add-to-list@request=4:challenge",
    ];
    let environment = context.environment(&faults, 1)?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.join(&environment, 0, MANY)?;
    keeper.strangers_join(&environment, FEW_STRANGERS)?;
    let run = keeper.start(&environment)?;
    keeper.finish(&environment, &run)?;
    let log = environment.log()?;
    ensure!(
        log.of("add-to-list") >= log.answered("add-to-list") + 4
            && log.of("upsert-profile") > log.answered("upsert-profile"),
        "not all was refused that had to be, so it was not tested"
    );
    result(&environment)
}

/// The list is deleted when people are to be added: the push says so, and another list can be chosen.
pub(super) fn list_deleted(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&["add-to-list:delete-collection"], 1)?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.join(&environment, 0, MANY)?;
    let run = keeper.start(&environment)?;
    Keeper::finish_in_failure(&environment, &run, "source_gone")?;
    keeper.choose_another(&environment)?;
    let run = keeper.start(&environment)?;
    keeper.finish(&environment, &run)?;
    result(&environment)
}

/// The key is revoked when people are being added: the push says so, and waits for another key. The first push is then started again
/// by a person; a later one, which follows changes, goes on by itself.
pub(super) fn key_replaced(context: &RoundContext<'_>) -> Result<RoundResult> {
    let revoked = "add-to-list:revoke-key";
    let environment = context.environment(&[revoked], 1)?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.join(&environment, 0, MANY)?;
    let run = keeper.start(&environment)?;
    Keeper::finish_in_failure(&environment, &run, "key_invalid")?;
    ensure!(is_refused(&environment)?, "nobody is told of the key");
    replace_key(&environment, &mut keeper, NEW_KEY)?;
    let run = keeper.start(&environment)?;
    keeper.finish(&environment, &run)?;

    environment.order("faults", revoked)?;
    keeper.join(&environment, MANY, MANY + MORE)?;
    environment.wait("the key is not found to be revoked", || {
        is_refused(&environment)
    })?;
    // What changes meanwhile waits, too.
    keeper.leave(&environment, 0, MORE)?;
    let asked = environment.log()?.of("add-to-list");
    replace_key(&environment, &mut keeper, NEWER_KEY)?;
    keeper.follow(&environment)?;
    ensure!(
        environment.log()?.of("add-to-list") > asked,
        "whoever joined was added before the key was revoked, so it was not tested"
    );
    result(&environment)
}

fn is_refused(environment: &Environment) -> Result<bool> {
    let settings: Value = environment.api.get("/api/settings")?;
    Ok(settings["klaviyo"]["status"] == "ERROR")
}

fn replace_key(environment: &Environment, keeper: &mut Keeper, key: &str) -> Result<()> {
    environment.order("changes", &format!("any:add-key={key}"))?;
    let body = json!({"klaviyo": {"apiKey": key}});
    environment.api.put::<Value>("/api/settings", &body)?;
    key.clone_into(&mut keeper.key);
    Ok(())
}

/// An import job is complete, and all its rows have failed.
pub(super) fn job_fails(context: &RoundContext<'_>) -> Result<RoundResult> {
    import_job(context, "start-import:job-fails", MANY_STRANGERS)
}

/// The answer to the request for an import job is lost.
pub(super) fn job_unanswered(context: &RoundContext<'_>) -> Result<RoundResult> {
    import_job(context, "start-import:reset", 0)
}

/// `singly` is how many profiles have to be made by a call of their own.
fn import_job(context: &RoundContext<'_>, fault: &str, singly: usize) -> Result<RoundResult> {
    let environment = context.environment(&[fault], 1)?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.strangers_join(&environment, MANY_STRANGERS)?;
    let run = keeper.start(&environment)?;
    keeper.finish(&environment, &run)?;
    let log = environment.log()?;
    ensure!(log.of("start-import") > 0, "no import job was started");
    ensure!(
        log.of("upsert-profile") == singly,
        "{} profiles were made singly",
        log.of("upsert-profile")
    );
    result(&environment)
}

/// An import job stays where it is. The worker's clock jumps over the time for which it is waited for.
pub(super) fn job_stuck(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&["start-import:job-stuck"], 0)?;
    environment.start_worker_with_clock("+0s")?;
    let mut keeper = Keeper::open(&environment)?;
    keeper.strangers_join(&environment, MANY_STRANGERS)?;
    let run = keeper.start(&environment)?;
    environment.wait("the import job is never asked for", || {
        Ok(environment.log()?.of("import-job") > 0)
    })?;
    environment.set_clock(0, "+900s")?;
    keeper.finish(&environment, &run)?;
    ensure!(
        environment.log()?.of("upsert-profile") == MANY_STRANGERS,
        "the job has done something"
    );
    result(&environment)
}
