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
    fn no_text_stops_the_reader_of_times(text in "\\PC{0,20}|[0-9TWZ:.,+ \u{2212}-]{0,30}") {
        let read = Timestamp::parse_iso8601(&text);
        prop_assert!(Timestamp::parse(&text).is_none_or(|instant| read == Some(instant)));
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
fn a_time_is_read_in_every_form_of_iso_8601() {
    for (instant, forms) in [
        (
            "2026-09-04T18:16:52Z",
            &[
                "2026-09-04T18:16:52Z",
                " 2026-09-04t18:16:52z\n",
                "2026-09-04 18:16:52",
                "2026-09-04T18:16:52",
                "2026-09-04 18:16:52 +0000",
                "2026-09-04T20:16:52+02:00",
                "2026-09-04T20:16:52+0200",
                "2026-09-04T20:16:52+02",
                "2026-09-04T15:46:52\u{2212}02:30",
                "2026-09-05T00:01:52+05:45",
                "20260904T181652Z",
                "20260904T181652",
                "20260904T201652+02:00",
                "2026-W36-5T18:16:52Z",
                "2026W365T181652Z",
                "2026-247T18:16:52Z",
                "2026247T181652Z",
                "+002026-09-04T18:16:52Z",
                "2026-09-04T18:16:52,0Z",
            ][..],
        ),
        (
            "2026-09-04T18:16:52.601782Z",
            &[
                "2026-09-04T18:16:52.601782+00:00",
                "2026-09-04T18:16:52,601782",
                "20260904T181652.6017829999999999999999Z",
                "2026-09-04 18:16:52.601782999",
            ],
        ),
        (
            "2026-09-04T18:30:00Z",
            &[
                "2026-09-04T18:30Z",
                "2026-09-04T1830",
                "2026-09-04T18.5",
                "20260904T18,5",
            ],
        ),
        (
            "2026-09-04T18:00:00Z",
            &["2026-09-04T18Z", "2026-09-04 20+02"],
        ),
        ("2026-09-04T18:03:00Z", &["2026-09-04T18.05Z"]),
        (
            "2026-09-05T00:00:00Z",
            &[
                "2026-09-04T24:00:00Z",
                "2026-09-04T24:00",
                "20260904T24",
                "2026-09-05",
            ],
        ),
        (
            "2026-01-01T00:00:00Z",
            &["2026", "2026-01", "2026-001", "2026-01-01", "20260101"],
        ),
        (
            "2026-08-31T00:00:00Z",
            &["2026-W36", "2026W36", "2026-W36-1"],
        ),
        ("1969-12-31T23:59:58.500Z", &["1969-12-31T23:59:58,5"]),
    ] {
        let instant = Timestamp::parse(instant).unwrap();
        for form in forms {
            assert_eq!(Timestamp::parse_iso8601(form), Some(instant), "{form:?}");
        }
    }
}

#[test]
fn a_leap_second_is_the_end_of_the_second_before_it_where_there_can_be_one() {
    let last = Timestamp::parse("2016-12-31T23:59:59.999999Z");
    for form in [
        "2016-12-31T23:59:60Z",
        "2016-12-31 23:59:60.5",
        "20170101T005960+01",
        "2016-366T235960Z",
    ] {
        assert_eq!(Timestamp::parse_iso8601(form), last, "{form:?}");
    }
    for form in [
        "2016-12-30T23:59:60Z",
        "2016-12-31T12:00:60Z",
        "2016-12-31T23:59:60+01",
    ] {
        assert_eq!(Timestamp::parse_iso8601(form), None, "{form:?}");
    }
}

#[test]
fn what_is_no_time_in_any_form_is_not_read() {
    for text in [
        "",
        " ",
        "T",
        "yesterday",
        "a while ago",
        "1788529134",
        "04.09.2026",
        "09/04/2026",
        "2026-13-01",
        "2026-02-29",
        "2026-366",
        "2026-W54-1",
        "2026-W00-1",
        "2026-W36-8",
        "2026-09-04T",
        "2026-09-04TZ",
        "2026-09-04T25:00",
        "2026-09-04T24:00:01",
        "2026-09-04T23:60",
        "2026-09-04T23:59:61",
        "2026-09-04T1:02:03",
        "2026-09-04T18:16:52.",
        "2026-09-04T18:16:52.1.2",
        "2026-09-04T18:16:52+24:00",
        "2026-09-04T18:16:52+02:60",
        "2026-09-04T18:16:52 UTC",
        "2026-09-04T18:16:52ZZ",
        "2026-09-04Z",
        "Fri, 04 Sep 2026 18:16:52 GMT",
        "\u{660}\u{661}\u{662}\u{663}",
        "-000001-01-01",
        "\u{fc}\u{fc}\u{fc}",
    ] {
        assert_eq!(Timestamp::parse_iso8601(text), None, "{text:?}");
    }
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
