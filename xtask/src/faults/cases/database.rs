//! Faults of the database, and of the way there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::{finish, lost, recover};
use crate::faults::proxy::Proxy;
use crate::faults::scene::{LEASE, PATIENCE, Scene, Setting};
use crate::faults::{Play, Played};
use crate::test::postgres::Cluster;

fn cluster<'a>(play: &Play<'a>) -> Result<&'a Cluster> {
    match play.setting {
        Setting::Postgres(cluster) => Ok(cluster),
        Setting::Sqlite => bail!("this fault is Postgres's"),
    }
}

/// The database dies in mid-import and is back after so many seconds: nothing is asked twice but the page
/// at hand.
pub(super) fn database_restarted(play: &Play<'_>) -> Result<Played> {
    let seconds = u64::from(play.number()?);
    let scene = play.scene(&[], 1)?;
    scene.import()?;
    scene.wait_for_page(7)?;
    cluster(play)?.halt()?;
    std::thread::sleep(Duration::from_secs(seconds));
    cluster(play)?.go_on()?;
    let recovery = scene.recover()?;
    finish(&scene, lost(1), Some(recovery))
}

pub(super) fn database_away(play: &Play<'_>) -> Result<Played> {
    ensure!(
        u64::from(play.number()?) > LEASE.as_secs(),
        "not past the lease"
    );
    database_restarted(play)
}

/// The connection breaks after the worker has sent a commit and before it hears of it. What was written
/// is found, and not written twice.
pub(super) fn cut_at_commit(play: &Play<'_>) -> Result<Played> {
    let (scene, proxy) = diverted(play, &[])?;
    proxy.cut_at_commit(play.number()?);
    scene.import()?;
    let played = finish(&scene, lost(1), None)?;
    proxy.caught(Duration::ZERO)?;
    Ok(played)
}

/// The worker is killed beside a statement: before it, so that Postgres never hears of it, or after it, so
/// that Postgres has executed it and the worker has not heard.
pub(super) fn kill_at_statement(play: &Play<'_>) -> Result<Played> {
    let moment = play.moment()?;
    let (mut scene, proxy) = moment.journey.prepare(play)?;
    let kind = moment.kind.clone();
    proxy.hold(moment.side, moment.nth, move |sent| *sent == kind);
    moment.journey.begin(&scene)?;
    proxy.caught(PATIENCE)?;
    let killed = Instant::now();
    scene.workers[0].kill()?;
    scene.hire()?;
    let recovery = recover(&scene)?.map(|_| killed.elapsed());
    Ok(Played {
        slowest: PROMISED_RECOVERY,
        undisturbed: Some(Arc::clone(&moment.undisturbed)),
        ..finish(&scene, lost(1), recovery)?
    })
}

/// Where there is no lease yet that could run out, the bell is rung again after ten seconds, whatever the
/// lease.
const PROMISED_RECOVERY: Duration = Duration::from_secs(15);

/// A scene with one worker, whose every connection to the store goes through the proxy. It has started:
/// the last that it does then is to listen for the bell.
pub(in crate::faults) fn diverted(play: &Play<'_>, faults: &[&str]) -> Result<(Scene, Proxy)> {
    let port = cluster(play)?.port();
    let proxy = Proxy::to(port)?;
    let mut scene = play.scene(faults, 0)?;
    scene.divert_workers(port, proxy.port());
    scene.hire()?;
    proxy.passed("LISTEN", PATIENCE)?;
    Ok((scene, proxy))
}
