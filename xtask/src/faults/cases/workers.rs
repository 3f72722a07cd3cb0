//! Faults of our own programs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{READERS, finish, finish_in_failure, lost, recover};
use crate::faults::scene::{LEASE, LIST, Scene};
use crate::faults::{Play, Played};

pub(super) fn nothing(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&[], 2)?;
    scene.import()?;
    finish(&scene, 0, None)
}

/// The worker that is started again has another name in the queue, as every worker has: a worker that comes
/// back under the same name does not exist.
pub(super) fn kill_and_restart(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.page()?)?;
    scene.workers[0].kill()?;
    scene.hire()?;
    let recovery = recover(&scene)?;
    finish(&scene, lost(1), recovery)
}

pub(super) fn kill_with_a_rival(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.page()?)?;
    scene.hire()?;
    scene.workers[0].kill()?;
    let recovery = recover(&scene)?;
    finish(&scene, lost(1), recovery)
}

/// A worker that sleeps through its lease is overtaken, and writes nothing when it wakes up.
///
/// It falls asleep while all its readers wait for a page: in the middle of a transaction it would keep the
/// store's locks, and everybody with it.
pub(super) fn freeze(play: &Play<'_>) -> Result<Played> {
    let slow = format!(
        "list-profiles@request={},times={READERS}:slow=900",
        play.number()? + 1
    );
    let mut scene = play.scene(&[&slow], 1)?;
    scene.import()?;
    scene.wait_for_page(play.page()?)?;
    std::thread::sleep(Duration::from_millis(400));
    scene.workers[0].freeze();
    scene.hire()?;
    let recovery = recover(&scene)?;
    if recovery.is_some() {
        scene.recover()?;
        scene.recover()?;
    }
    scene.workers[0].thaw();
    // The pages it was at, and those it had asked for when it fell asleep.
    let played = finish(&scene, lost(2), recovery)?;
    ensure!(
        scene.workers[0].ended()?.is_none(),
        "the thawed worker died"
    );
    Ok(played)
}

/// A worker that is asked to end finishes its page and gives the run back: nothing is fetched twice,
/// and nobody waits for a lease.
pub(super) fn terminate(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.page()?)?;
    scene.workers[0].terminate();
    let status = scene.workers[0].wait(Duration::from_secs(30))?;
    ensure!(status.success(), "the worker ended with {status}");
    scene.hire()?;
    let recovery = recover(&scene)?;
    if let Some(recovery) = recovery {
        ensure!(
            recovery < LEASE,
            "the run was not given back: {:.1} s",
            recovery.as_secs_f64()
        );
    }
    finish(&scene, 0, recovery)
}

/// A page at which every worker dies ends the run after three of them.
pub(super) fn poison(play: &Play<'_>) -> Result<Played> {
    let page = play.page()?;
    let stall = format!("list-profiles@request={page},times=all:stall=60000");
    let mut scene = play.scene(&[&stall], 1)?;
    scene.import()?;
    let mut so_far = page - 1;
    for attempt in 1..=3 {
        scene.wait_for_page_of(attempt, so_far + 1)?;
        scene
            .workers
            .last_mut()
            .context("nobody is there")?
            .kill()?;
        so_far = scene.log()?.pages();
        scene.hire()?;
    }
    finish_in_failure(&scene, "worker_crashed", lost(2))
}

/// However many ask at once, there is one import, and one sync after it.
pub(super) fn clicks(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&[], 1)?;
    let body = json!({"listIds": [LIST]});
    let answers = at_once(&scene, "/api/audiences/import/klaviyo", &body)?;
    let imported = answers
        .iter()
        .filter(|(_, answer)| answer["imported"][0].is_object())
        .count();
    let skipped = answers
        .iter()
        .filter(|(_, answer)| answer["skipped"][0]["reason"] == "Already synced")
        .count();
    ensure!(
        (imported, skipped) == (1, 49),
        "{imported} imported, {skipped} skipped"
    );

    let audience = scene.run()?.audience_id;
    let sync = format!("/api/audiences/{audience}/sync");
    let answers = at_once(&scene, &sync, &json!({}))?;
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    ensure!(
        refused == 50,
        "{} syncs beside a running import",
        50 - refused
    );
    let played = finish(&scene, 0, None)?;

    let answers = at_once(&scene, &sync, &json!({}))?;
    let taken = answers.iter().filter(|(status, _)| *status == 200).count();
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    ensure!(
        (taken, refused) == (1, 49),
        "{taken} syncs taken, {refused} refused"
    );
    scene.finish()?;
    Ok(played)
}

fn at_once(scene: &Scene, path: &str, body: &Value) -> Result<Vec<(u16, Value)>> {
    std::thread::scope(|scope| {
        let clicks: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| scene.api.send("POST", path, Some(body))))
            .collect();
        clicks
            .into_iter()
            .map(|click| {
                let answer = click.join().expect("a click does not panic")?;
                Ok((answer.status.as_u16(), answer.body))
            })
            .collect()
    })
}

/// Workers need no API.
pub(super) fn settle_alone(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.page()?)?;
    scene.restart_api()?;
    finish(&scene, 0, None)
}
