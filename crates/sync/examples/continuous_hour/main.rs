//! An hour of continuous audiences, for `cargo xtask bench`: ten Klaviyo accounts, each with twenty lists whose people join,
//! leave and change their names, and after it an interval in which nothing happens. Klaviyo is the simulator, with Klaviyo's
//! own quota and answers without delay; the store is SQLite. Time is skipped where nothing is due.
//!
//! ```text
//! cargo run --release -p fanfare-sync --example continuous_hour -- 1
//! ```
//!
//! The argument divides the number of profiles. The figures are printed as JSON.

mod changes;
mod tally;
mod world;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::changes::{Kind, percentile};
use crate::world::{ACCOUNTS, INTERVAL, LISTS, World};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The people in all lists together.
const PROFILES: u32 = 500_000;

const HOUR: Duration = Duration::from_hours(1);

/// What Klaviyo allows an account for members in a minute.
const PER_MINUTE: u64 = 750;

#[tokio::main]
async fn main() -> Result<()> {
    let Some(divide) = std::env::args().nth(1) else {
        println!("skipped: `cargo xtask bench` tells it the DIVISOR");
        return Ok(());
    };
    let divide: u32 = divide.parse()?;
    let profiles = PROFILES / divide;
    let begun = Instant::now();
    let say = |what: &str| eprintln!("{:6.1} s: {what}", begun.elapsed().as_secs_f64());

    let mut world = World::open(profiles).await?;
    say("the lists are imported");
    let before = world.tally();
    world.sync_everything().await?;
    let complete = world.tally().since(before);
    say(&format!("one complete pass of everything: {complete}"));

    let changes = profiles / 100;
    let before = world.tally();
    world.live(HOUR, changes).await?;
    let hour = world.tally().since(before);
    say(&format!("an hour with {changes} changes: {hour}"));
    world.live(INTERVAL, 0).await?;
    let pending = world.changes.pending();
    say(&format!(
        "an interval later {pending} changes are still to come"
    ));
    let before = world.tally();
    world.live(INTERVAL, 0).await?;
    let quiet = world.tally().since(before);
    say(&format!("an interval in which nothing changed: {quiet}"));

    let [seen, left] = [
        world.changes.seconds(|kind| kind != Kind::Leave),
        world.changes.seconds(|kind| kind == Kind::Leave),
    ];
    let intervals = HOUR.as_secs() / INTERVAL.as_secs();
    let allowed = PER_MINUTE * HOUR.as_secs() / 60 * ACCOUNTS as u64;
    let figures = json!({
        "profiles": profiles,
        "audiences": ACCOUNTS * LISTS,
        "accounts": ACCOUNTS,
        "intervalSeconds": INTERVAL.as_secs(),
        "changes": changes,
        "pending": pending,
        "requests": hour.requests,
        "requestsOfCompletePasses": complete.requests * intervals,
        "pages": hour.pages,
        "pagesOfCompletePasses": complete.pages * intervals,
        "pagesAllowed": allowed,
        "rows": hour.rows,
        "rowsOfChanges": world.changes.rows(),
        "seenP50": percentile(&seen, 50),
        "seenP99": percentile(&seen, 99),
        "leftP99": percentile(&left, 99),
        "removalsWithinSeconds": world.removals_within().await?,
        "quietRequests": quiet.requests,
        "quietPages": quiet.pages,
        "quietRuns": quiet.runs,
        "quietCompletePasses": quiet.full,
        "quietRows": quiet.rows,
    });
    println!("{figures}");
    Ok(())
}
