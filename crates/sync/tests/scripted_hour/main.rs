//! The scripted hour: an account lives, and its continuous audiences follow.
//!
//! Klaviyo is the simulator over HTTP, with Klaviyo's own quota. A seed decides who joins, leaves, joins again, changes an
//! e-mail, becomes somebody else or goes blank; besides, a segment is emptied and computed anew, Klaviyo answers nothing
//! for some minutes, and the key is revoked and replaced. Time is skipped where nothing happens.
//!
//! What has to be in the audiences is told by an oracle of a few lines ([`oracle`]), which looks at Klaviyo alone. It holds
//! for complete and for incremental passes: after a complete pass an audience is its list; after every interval whoever is
//! in the list is in the audience, and nobody else is but who left since the last complete pass.

mod oracle;
mod tally;
mod world;

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::{Clock, Directory, QuotaLedger, RequestLimits, Store, WorkQueue};
use fanfare_klaviyo_sim::{Event, Life, Recomputation};
use fanfare_sqlite::{SqliteOptions, SqliteStore};
use fanfare_testkit::clock::SkippingClock;
use fanfare_testkit::memory::InMemoryStore;

use crate::world::{INTERVAL, SEGMENT, World};

/// Changes of the account in the hour, beside those of the script.
const CHANGES: u32 = 240;

fn script(seed: u64) -> Life {
    let minutes = Duration::from_mins;
    let replaced = Event::ReplaceKeys {
        after: minutes(3),
        with: "pk_living_2".to_owned(),
    };
    // Everybody is back in five minutes; for fifteen the definition counts as changed lately.
    let recomputed = Event::Recompute(SEGMENT.to_owned(), Recomputation::at(30));
    Life::hour(seed, CHANGES)
        .with(minutes(5), recomputed)
        .with(minutes(16), Event::Outage(minutes(5)))
        .with(minutes(46), replaced)
}

async fn audiences_follow<S>(store: S, clock: SkippingClock)
where
    S: Store + Directory + WorkQueue + QuotaLedger + RequestLimits + 'static,
{
    let mut world = World::open(store, clock, script(7)).await;
    let (begin, imported) = (world.clock.now(), world.tally());
    for interval in 1..=4 {
        let before = world.tally();
        world.live_until(begin.plus(INTERVAL * interval)).await;
        world.check().await;
        println!("interval {interval}: {}", world.tally().since(before));
    }
    let changes = world.happened;
    assert!(changes >= u64::from(CHANGES), "{changes} changes");
    // The last changes arrive, the segment's among them, and the schedules resume that the key had paused.
    world.live_until(begin.plus(INTERVAL * 6)).await;
    world.check().await;
    let lived = world.tally().since(imported);
    println!("{changes} changes: {lived}");
    assert!(
        lived.rows <= 8 * changes,
        "{lived}: rows are written for what has changed"
    );
    assert!(lived.full > 0, "{lived}");

    let (readdressed, merged) = world.change_members();
    world.live_until(begin.plus(INTERVAL * 7)).await;
    world.check().await;
    world.check_member("LiSt01", &readdressed).await;
    world.check_member("LiSt02", &merged).await;
    world.sync_everything().await;
    world.check_that_all_are_equal().await;

    let before = world.tally();
    world.live_until(begin.plus(INTERVAL * 8)).await;
    world.check().await;
    let quiet = world.tally().since(before);
    println!("an interval without a change: {quiet}");
    assert_eq!(quiet.rows, 0, "{quiet}");
    assert!(quiet.runs >= 3 && quiet.full < quiet.runs, "{quiet}");
    let of_full_passes = quiet.profiles / 100 * 2 + quiet.full * 12;
    let most = 3 * (quiet.runs - quiet.full) + 3 + of_full_passes;
    assert!(quiet.requests <= most, "{quiet}");

    world.check_that_all_are_equal().await;
    world.check_requests();
}

#[tokio::test]
async fn in_the_scripted_hour_every_audience_follows_its_list_in_memory() {
    let clock = SkippingClock::default();
    let store = InMemoryStore::new(Arc::new(clock.clone()));
    Box::pin(audiences_follow(store, clock)).await;
}

#[tokio::test]
async fn in_the_scripted_hour_every_audience_follows_its_list_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SkippingClock::default();
    let options = SqliteOptions::at(folder.path().join("store.db"));
    let store = SqliteStore::open(options, Arc::new(clock.clone()));
    Box::pin(audiences_follow(store.await.unwrap(), clock)).await;
}
