//! The engine under random interleavings and faults, in virtual time.
//!
//! A seed decides the lists, then what happens to the workers. Each worker is a future that is polled one
//! step at a time, so that it can be killed, frozen past its lease or overtaken between any two calls, while
//! the store loses commits or their answers and Klaviyo fails. Whatever happens, the rows end equal to
//! those of an undisturbed run.
//!
//! A failure names its seed; `FANFARE_SIMULATION_SEED=n cargo test -p fanfare-sync --test simulation`
//! repeats it.

mod chaos;
mod lists;
mod outcome;
mod world;

use chaos::Chaos;
use lists::Lists;
use world::World;

/// Seeds in one run of the test, which takes some seconds on an idle machine.
const SEEDS: u64 = 1_500;

#[tokio::test(start_paused = true)]
async fn whatever_happens_to_the_workers_the_rows_end_the_same() {
    let seeds: Vec<u64> = match option_env!("FANFARE_SIMULATION_SEED") {
        Some(seed) => vec![seed.parse().expect("a number")],
        None => (0..SEEDS).collect(),
    };
    let mut happened = chaos::Tally::default();
    for seed in &seeds {
        happened += simulate(*seed).await;
    }
    if seeds.len() > 1 {
        happened.assert_everything_happened();
    }
}

async fn simulate(seed: u64) -> chaos::Tally {
    let lists = Lists::of(seed);

    let undisturbed = World::with(&lists).await;
    undisturbed.work_undisturbed().await;
    let want = undisturbed.outcome().await;

    let disturbed = World::with(&lists).await;
    let mut chaos = Chaos::new(seed, &disturbed);
    chaos.run_to_end().await;
    let got = disturbed.outcome().await;

    assert_eq!(got, want, "seed {seed}");
    let again = disturbed.pages_asked_again(&lists);
    assert!(
        again <= chaos.repeats_allowed(),
        "seed {seed}: {again} pages were read again, and {} may be",
        chaos.repeats_allowed()
    );
    chaos.tally()
}
