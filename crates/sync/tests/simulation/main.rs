//! The engine under every interleaving that random can think of, in virtual time.
//!
//! A seed decides the lists, then what happens to the workers: each is a future that is polled one
//! step at a time, so that it can be killed, frozen past its lease or overtaken between any two
//! calls, while the store loses commits or their answers and Klaviyo fails. Whatever happens, the rows
//! end equal to those of a run that nothing happened to.
//!
//! A failure names its seed; `FANFARE_SIMULATION_SEED=n cargo test -p fanfare-sync --test simulation`
//! plays that one again.

mod chaos;
mod lists;
mod outcome;
mod world;

use chaos::Chaos;
use lists::Lists;
use world::World;

/// Seeds in one run of the test: a few seconds' worth.
const SEEDS: u64 = 1_500;

#[tokio::test(start_paused = true)]
async fn whatever_happens_to_the_workers_the_rows_end_the_same() {
    let seeds: Vec<u64> = match option_env!("FANFARE_SIMULATION_SEED") {
        Some(seed) => vec![seed.parse().expect("a number")],
        None => (0..SEEDS).collect(),
    };
    let mut met = chaos::Tally::default();
    for seed in &seeds {
        met += simulate(*seed).await;
    }
    if seeds.len() > 1 {
        met.assert_everything_happened();
    }
}

async fn simulate(seed: u64) -> chaos::Tally {
    let lists = Lists::of(seed);

    let calm = World::with(&lists).await;
    calm.work_undisturbed().await;
    let want = calm.outcome().await;

    let stormy = World::with(&lists).await;
    let mut chaos = Chaos::new(seed, &stormy);
    chaos.play().await;
    let got = stormy.outcome().await;

    assert_eq!(got, want, "seed {seed}");
    let again = stormy.pages_asked_again(&lists);
    assert!(
        again <= chaos.excuses(),
        "seed {seed}: {again} pages were asked for again, with {} excuses",
        chaos.excuses()
    );
    chaos.tally()
}
