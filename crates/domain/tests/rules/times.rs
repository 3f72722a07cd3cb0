//! Instants and their texts.

use std::time::Duration;

use fanfare_domain::time::Timestamp;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_shown_instant_reads_back_to_the_millisecond(ms in -60_000_000_000_000_i64..250_000_000_000_000) {
        let instant = Timestamp::from_micros(ms * 1_000).unwrap();
        prop_assert_eq!(Timestamp::parse(&instant.to_string()), Some(instant));
    }

    #[test]
    fn moving_forward_and_measuring_agree(micros in 0_i64..1_000_000_000_000, by in 0_u64..1_000_000_000) {
        let from = Timestamp::from_micros(micros).unwrap();
        let by = Duration::from_micros(by);
        prop_assert_eq!(from.plus(by).since(from), by);
        prop_assert_eq!(from.since(from.plus(by + Duration::from_micros(1))), Duration::ZERO);
    }
}

#[test]
fn instants_are_shown_as_fanfare_shows_them() {
    let instant = Timestamp::parse("2026-11-24T15:13:23.120999+01:00").unwrap();
    assert_eq!(instant.to_string(), "2026-11-24T14:13:23.120Z");
    assert_eq!(instant.to_whole_seconds(), "2026-11-24T14:13:23Z");
}

#[test]
fn nonsense_is_no_instant_and_no_time_is_too_late() {
    for text in [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
    ] {
        assert_eq!(Timestamp::parse(text), None, "{text:?}");
    }
    let far = Timestamp::from_micros(0).unwrap().plus(Duration::MAX);
    assert_eq!(far.to_string(), "9999-12-31T23:59:59.999Z");
}
