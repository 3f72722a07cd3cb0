//! The faults.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::proxy::Proxy;
use super::scene::{LEASE, LIST, Scene, Setting};
use super::{Case, Play, Played, Stores};
use crate::test::postgres::Cluster;

/// Pages at which things happen: the first, some in the middle, the last of thirty.
const PAGES: &[u32] = &[7, 1, 30, 2, 13, 19, 25, 29];

pub(super) const CASES: &[Case] = &[
    case("nothing, two workers", BOTH, &[0], 1, nothing),
    case("kill -9, started again", BOTH, PAGES, 2, kill_and_restart),
    case(
        "kill -9, another takes over",
        BOTH,
        PAGES,
        1,
        kill_with_a_rival,
    ),
    case("frozen past its lease, then thawed", BOTH, PAGES, 1, freeze),
    case("SIGTERM", BOTH, PAGES, 1, terminate),
    case("a page that kills every worker", BOTH, &[3, 12], 1, poison),
    case("fifty clicks at once", BOTH, &[0], 1, clicks),
    case("API killed in mid-import", BOTH, &[5], 1, settle_alone),
    case("Postgres restarted", SHARED, &[1, 5], 1, database_restarted),
    case(
        "Postgres away past the lease",
        SHARED,
        &[6],
        1,
        database_away,
    ),
    case(
        "cut off after COMMIT was sent",
        SHARED,
        &[9, 3, 4, 17, 30],
        2,
        cut_at_commit,
    ),
    case(
        "429, Retry-After in every form",
        EMBEDDED,
        &[0],
        1,
        throttled,
    ),
    case(
        "5xx, challenge, reset, cut, empty, slow",
        EMBEDDED,
        &[0],
        1,
        unanswered,
    ),
    case("nonsense in every shape", EMBEDDED, &[0], 1, nonsense),
    case("a forgotten cursor", EMBEDDED, &[0], 1, forgotten_cursor),
    case("pages in a circle", EMBEDDED, &[0, 1], 1, circle),
    case("the key revoked half-way", EMBEDDED, &[0], 1, revoked),
    case("a scope lost half-way", EMBEDDED, &[0], 1, scope_lost),
    case("the list deleted half-way", EMBEDDED, &[0], 1, deleted),
];

const BOTH: Stores = Stores::Both;
const EMBEDDED: Stores = Stores::Embedded;
const SHARED: Stores = Stores::Shared;

const fn case(
    name: &'static str,
    stores: Stores,
    rounds: &'static [u32],
    quick: usize,
    play: fn(&Play<'_>) -> Result<Played>,
) -> Case {
    Case {
        name,
        stores,
        rounds,
        quick,
        play,
    }
}

/// Waits for the end, and reads what came of it.
fn finish(scene: &Scene, allowed: u64, recovery: Option<Duration>) -> Result<Played> {
    scene.finish()?;
    let log = scene.log()?;
    Ok(Played {
        outcome: scene.outcome()?,
        recovery,
        refetched: log.refetched(),
        allowed,
        intrusions: log.intrusions(),
        failure: None,
    })
}

fn finish_in_failure(scene: &Scene, code: &'static str, allowed: u64) -> Result<Played> {
    Ok(Played {
        failure: Some(code),
        ..finish(scene, allowed, None)?
    })
}

fn nothing(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&[], 2)?;
    scene.import()?;
    finish(&scene, 0, None)
}

fn kill_and_restart(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.round as usize)?;
    scene.workers[0].kill()?;
    scene.hire()?;
    let recovery = recover(&scene)?;
    finish(&scene, 1, recovery)
}

fn kill_with_a_rival(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.round as usize)?;
    scene.hire()?;
    scene.workers[0].kill()?;
    let recovery = recover(&scene)?;
    finish(&scene, 1, recovery)
}

/// After the last page nobody has to ask for another.
fn recover(scene: &Scene) -> Result<Option<Duration>> {
    let before = scene.log()?.pages();
    if before >= 30 || !scene.run()?.is_active() {
        return Ok(None);
    }
    scene.recover().map(Some)
}

/// A worker that sleeps through its lease is overtaken, and writes nothing when it wakes up.
///
/// It falls asleep while it waits for a page: in the middle of a transaction it would keep the embedded
/// store's one write lock, and everybody with it.
fn freeze(play: &Play<'_>) -> Result<Played> {
    let slow = format!("list-profiles@page={}:slow=900", play.round + 1);
    let mut scene = play.scene(&[&slow], 1)?;
    scene.import()?;
    scene.wait_for_page(play.round as usize)?;
    std::thread::sleep(Duration::from_millis(400));
    scene.workers[0].freeze();
    scene.hire()?;
    let recovery = recover(&scene)?;
    if recovery.is_some() {
        let so_far = scene.log()?.pages();
        scene.wait_for_page((so_far + 2).min(30))?;
    }
    scene.workers[0].thaw();
    // The page it was at, and the one it had asked for when it fell asleep.
    let played = finish(&scene, 2, recovery)?;
    ensure!(
        scene.workers[0].ended()?.is_none(),
        "the thawed worker died"
    );
    Ok(played)
}

/// A worker that is asked to end finishes its page and gives the run back: nothing is fetched twice,
/// and nobody waits for a lease.
fn terminate(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.round as usize)?;
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
fn poison(play: &Play<'_>) -> Result<Played> {
    let page = play.round as usize;
    let stall = format!("list-profiles@page={page},times=all:stall=60000");
    let mut scene = play.scene(&[&stall], 1)?;
    scene.import()?;
    for victim in 0..3 {
        scene.wait_for_page(page + victim)?;
        scene.workers[victim].kill()?;
        scene.hire()?;
    }
    finish_in_failure(&scene, "worker_crashed", 2)
}

/// However many ask at once, there is one import, and one sync after it.
fn clicks(play: &Play<'_>) -> Result<Played> {
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
fn settle_alone(play: &Play<'_>) -> Result<Played> {
    let mut scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(play.round as usize)?;
    scene.restart_api()?;
    finish(&scene, 0, None)
}

fn cluster<'a>(play: &Play<'a>) -> Result<&'a Cluster> {
    match play.setting {
        Setting::Postgres(cluster) => Ok(cluster),
        Setting::Sqlite => bail!("this fault is Postgres's"),
    }
}

/// The database dies in mid-import and is back after so many seconds: nothing is asked twice but the page
/// at hand.
fn database_restarted(play: &Play<'_>) -> Result<Played> {
    let seconds = u64::from(play.round);
    let scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(7)?;
    cluster(play)?.halt()?;
    std::thread::sleep(Duration::from_secs(seconds));
    cluster(play)?.go_on()?;
    let recovery = scene.recover()?;
    finish(&scene, 1, Some(recovery))
}

fn database_away(play: &Play<'_>) -> Result<Played> {
    ensure!(
        u64::from(play.round) > LEASE.as_secs(),
        "not past the lease"
    );
    database_restarted(play)
}

/// The connection breaks after the worker has sent a commit and before it hears of it. What was written
/// is found, and not written twice.
fn cut_at_commit(play: &Play<'_>) -> Result<Played> {
    let proxy = Proxy::to(cluster(play)?.port())?;
    let mut scene = play.scene(&[], 0)?;
    scene.divert_workers(cluster(play)?.port(), proxy.port());
    scene.hire()?;
    proxy.cut_at_commit(play.round);
    scene.import()?;
    let played = finish(&scene, 2, None)?;
    ensure!(proxy.has_cut(), "there was no such commit");
    Ok(played)
}

fn throttled(play: &Play<'_>) -> Result<Played> {
    let faults = [
        "list-profiles@page=2:429=2",
        "list-profiles@page=5:429=0",
        "list-profiles@page=9:429=date:2",
        "list-profiles@page=14,times=3:429=1",
        "list@request=2:429=1",
    ];
    through(play, &faults, 0)
}

fn unanswered(play: &Play<'_>) -> Result<Played> {
    let faults = [
        "list-profiles@page=2:500",
        "list-profiles@page=4:503",
        "list-profiles@page=6:524",
        "list-profiles@page=8:challenge",
        "list-profiles@page=10:reset",
        "list-profiles@page=12:truncate",
        "list-profiles@page=14:empty",
        "list-profiles@page=16:slow=700",
        "list@request=2:502",
    ];
    // What was cut was counted as answered.
    through(play, &faults, 2)
}

fn nonsense(play: &Play<'_>) -> Result<Played> {
    let faults = [
        "list-profiles@page=2:shape=not-json",
        "list-profiles@page=4:shape=data-is-text",
        "list-profiles@page=6:shape=data-is-null",
        "list-profiles@page=8:shape=no-links",
        "list-profiles@page=10:shape=no-ids",
        "list-profiles@page=12:foreign-link",
        "list@request=2:shape=data-is-null",
    ];
    through(play, &faults, 6)
}

fn through(play: &Play<'_>, faults: &[&str], allowed: u64) -> Result<Played> {
    let scene = play.scene(faults, 1)?;
    scene.import()?;
    // A machine that is busy with other things for longer than the lease loses it, and a page.
    finish(&scene, allowed + 1, None)
}

/// A cursor that Klaviyo no longer takes costs the pages of one second.
fn forgotten_cursor(play: &Play<'_>) -> Result<Played> {
    through(play, &["list-profiles@page=11:forget-cursor"], 2)
}

fn circle(play: &Play<'_>) -> Result<Played> {
    let kind = ["loop", "fresh-loop"][play.round as usize];
    let fault = format!("list-profiles@page=6,times=all:{kind}");
    let scene = play.scene(&[&fault], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "cursor_loop", u64::MAX)
}

fn revoked(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&["list-profiles@page=8:revoke-key"], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "key_invalid", 0)
}

fn scope_lost(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&["list-profiles@page=8:drop-scope=profiles:read"], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "scope_missing", 0)
}

fn deleted(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&["list-profiles@page=8:delete-collection"], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "source_gone", 0)
}
