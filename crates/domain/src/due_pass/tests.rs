use proptest::prelude::*;

use super::*;
use crate::ids::{AudienceId, CollectionId};
use crate::removal::RemovalGuard;
use crate::run::SyncStatus;
use crate::source::{CollectionKind, CollectionRef, SourceData};

const NOW: i64 = 10_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn id(number: usize) -> SourceId {
    SourceId::parse(format!("sync_{number}")).unwrap()
}

/// A source whose last complete pass began so many seconds ago.
fn continuous(number: usize, interval: u64, profiles: u64, ago: i64) -> ContinuousSource {
    ContinuousSource {
        source: id(number),
        interval: Duration::from_secs(interval),
        watermarks: Some(Watermarks::after_full_pass(at(NOW - ago), profiles, None)),
    }
}

fn passes(sources: Vec<ContinuousSource>) -> FullPasses {
    FullPasses::new(sources, FullPassLimits::default())
}

fn stored(of: &ContinuousSource) -> CollectionSource {
    CollectionSource {
        id: of.source.clone(),
        collection: CollectionRef {
            kind: CollectionKind::List,
            id: CollectionId::parse("L1").unwrap(),
        },
        audience: AudienceId::parse("aud_1").unwrap(),
        status: SyncStatus::Syncing,
        last_synced_at: None,
        data: SourceData::default(),
        created_at: at(0),
        created_by: "key_1".to_owned(),
        updated_at: None,
        archived: false,
        guard: RemovalGuard::default(),
        last_full_pass_at: None,
        paused_by: None,
        watermarks: of.watermarks,
    }
}

fn is_full(passes: &FullPasses, of: &ContinuousSource, count: Option<u64>) -> bool {
    passes.due(&stored(of), count, at(NOW)) == DuePass::Full
}

fn sources() -> impl Strategy<Value = Vec<ContinuousSource>> {
    let one = (60_u64..604_800, 0_u64..5_000_000, 0_i64..90_000);
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let all = all.into_iter().enumerate();
        all.map(|(number, (interval, profiles, ago))| continuous(number, interval, profiles, ago))
            .collect()
    })
}

proptest! {
    /// In the long run, complete passes by turn read no more than half of what Klaviyo allows, but for those whose age
    /// alone calls for one.
    #[test]
    fn complete_passes_by_turn_cost_half_of_the_quota_at_most(sources in sources()) {
        let longest = Duration::from_secs(u64::from(u32::MAX));
        let limits = FullPassLimits {
            longest,
            ..FullPassLimits::default()
        };
        let passes = FullPasses::new(sources.clone(), limits);
        let cost: u128 = sources
            .iter()
            .map(|one| {
                let (turn, _) = passes.turn_and_interval(&one.source);
                u128::from(one.pages()) * 60_000_000 / turn.as_millis().max(1)
            })
            .sum();
        // The thousandths that are cut off, of each source.
        prop_assert!(cost <= 375_000 + 1_000 * sources.len() as u128, "{cost}");
    }

    #[test]
    fn none_waits_for_ever_and_none_much_longer_than_a_larger_one(sources in sources()) {
        let passes = passes(sources.clone());
        for one in &sources {
            let (turn, interval) = passes.turn_and_interval(&one.source);
            prop_assert!(turn <= FullPassLimits::default().longest.max(interval));
            for larger in sources.iter().filter(|two| two.pages() >= one.pages()) {
                let (other, _) = passes.turn_and_interval(&larger.source);
                prop_assert!(turn <= 2 * other.max(interval), "{turn:?} {other:?}");
            }
        }
    }

    /// Whatever comes of counts, the time that the status shows is kept: where the age of the last complete pass and the
    /// interval to come add up to more, a complete pass is due.
    #[test]
    fn who_left_leaves_within_the_time_that_is_told(sources in sources(), late in 0_u64..60) {
        let passes = passes(sources.clone());
        for one in &sources {
            let within = passes.removals_within(&one.source);
            let age = at(NOW).since(one.watermarks.unwrap().full_pass_began_at);
            if age + one.interval > within + Duration::from_secs(late) {
                prop_assert!(is_full(&passes, one, None), "{age:?} {within:?} {:?}", one.interval);
            }
        }
    }

    #[test]
    fn a_source_without_watermarks_has_a_complete_pass_and_so_has_one_that_is_held(
        sources in sources(), count in prop::option::of(0_u64..100),
    ) {
        let passes = passes(sources.clone());
        let mut fresh = sources[0].clone();
        fresh.watermarks = None;
        prop_assert!(is_full(&passes, &fresh, count));
        let mut held = stored(&sources[0]);
        held.guard = RemovalGuard::succeeded(200).held();
        prop_assert_eq!(passes.due(&held, count, at(NOW)), DuePass::Full);
    }
}

#[test]
fn small_audiences_have_a_complete_pass_at_every_interval_beside_a_large_one() {
    let mut all: Vec<ContinuousSource> = (0..50).map(|n| continuous(n, 900, 1_000, 1)).collect();
    all.push(continuous(50, 900, 2_000_000, 900));
    let passes = passes(all.clone());
    for small in &all[..50] {
        assert!(is_full(&passes, small, None));
        assert_eq!(passes.removals_within(&small.source).as_secs(), 900);
    }
    let large = &all[50];
    assert!(!is_full(&passes, large, None));
    // Half of 375 a minute but for 36 pages of the small ones: 20,001 pages in about two hours.
    let within = passes.removals_within(&large.source).as_secs();
    assert!((7_000..=8_000).contains(&within), "{within}");
    let mut later = large.clone();
    later.watermarks = continuous(50, 900, 2_000_000, 6_700).watermarks;
    assert!(is_full(&passes, &later, None), "it is its turn");
}

#[test]
fn an_old_complete_pass_is_repeated_whatever_it_costs() {
    let huge = continuous(0, 60, 900_000_000, 86_399);
    let passes = passes(vec![huge.clone()]);
    assert!(is_full(&passes, &huge, None));
    let young = continuous(0, 60, 900_000_000, 80_000);
    assert!(!is_full(&passes, &young, None));
}

#[test]
fn after_the_clock_was_set_back_a_complete_pass_is_made() {
    assert!(!is_full_at(-1, 0));
    assert!(is_full_at(1, 0));
    assert!(is_full_at(1, 1));
}

/// For a last pass, and a last complete one, so many seconds ahead.
fn is_full_at(joined: i64, full: i64) -> bool {
    let mut huge = continuous(0, 900, 900_000_000, -full);
    let marks = huge.watermarks.as_mut().unwrap();
    marks.joined_until = at(NOW + joined);
    is_full(&passes(vec![huge.clone()]), &huge, None)
}

#[test]
fn a_count_calls_for_a_complete_pass_while_half_of_the_quota_lasts() {
    let large = continuous(0, 900, 1_000_000, 4_000);
    let count = |count| {
        is_full(
            &passes(vec![large.clone(), continuous(1, 900, 1_000_000, 2_000)]),
            &large,
            count,
        )
    };
    assert!(!count(Some(1_000_000)), "nobody has left");
    assert!(!count(Some(1_000_001)) && !count(None));
    assert!(count(Some(999_999)));
    let beside_another = |ago| {
        let other = continuous(1, 900, 1_000_000, ago);
        is_full(&passes(vec![large.clone(), other]), &large, Some(999_999))
    };
    assert!(
        !beside_another(900),
        "10,000 pages are not paid for in a quarter of an hour"
    );
    assert!(beside_another(1_700), "they are within 27 minutes");
}
