//! `Retry-After`, in every form that a server or a network in front of it may send.

use std::time::UNIX_EPOCH;

use fanfare_domain::quota::RetryAfter;
use fanfare_domain::time::Timestamp;

/// Reads whole or fractional seconds, or an HTTP date. Negative seconds count as zero; any other text is
/// [`RetryAfter::Unknown`].
///
/// `date` is the answer's own `Date`. A time is meant by the clock that wrote both, which may differ from ours: where
/// the answer says what that clock shows, the difference of the two counts.
pub(crate) fn parse(header: Option<&str>, date: Option<&str>) -> RetryAfter {
    let Some(text) = header.map(str::trim) else {
        return RetryAfter::Unknown;
    };
    if let Some(seconds) = seconds(text) {
        return RetryAfter::Seconds(seconds);
    }
    match (http_date(text), date.and_then(http_date)) {
        (Some(at), Some(sent)) => RetryAfter::Seconds(at.since(sent).as_secs()),
        (Some(at), None) => RetryAfter::At(at),
        (None, _) => RetryAfter::Unknown,
    }
}

/// A date of HTTP, in whole seconds.
fn http_date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).ok()?)
}

/// Seconds, rounded up: a request that is too early would be refused again.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (is_negative, whole) = match whole.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, whole),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    if is_negative {
        return Some(0);
    }
    // A number that does not fit into 64 bits counts as the longest wait.
    let whole = whole.parse::<u64>().unwrap_or(u64::MAX);
    let has_fraction = fraction.bytes().any(|b| b != b'0');
    Some(whole.saturating_add(u64::from(has_fraction)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, want: RetryAfter) {
        assert_eq!(parse(Some(header), None), want, "{header:?}");
    }

    #[test]
    fn a_time_counts_from_the_answers_own_date() {
        let check = |at: &str, date, want| {
            assert_eq!(parse(Some(at), Some(date)), want, "{at} at {date}");
        };
        let at = "Fri, 04 Sep 2026 18:16:52 GMT";
        check(at, "Fri, 04 Sep 2026 18:16:12 GMT", RetryAfter::Seconds(40));
        check(at, at, RetryAfter::Seconds(0));
        check(at, "Fri, 04 Sep 2026 18:20:00 GMT", RetryAfter::Seconds(0));
        check(
            "30",
            "Fri, 04 Sep 2026 18:16:12 GMT",
            RetryAfter::Seconds(30),
        );
        let whole = Timestamp::parse("2026-09-04T18:16:52Z").unwrap();
        check(at, "yesterday", RetryAfter::At(whole));
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        check("1", RetryAfter::Seconds(1));
        check(" 57 ", RetryAfter::Seconds(57));
        check("0", RetryAfter::Seconds(0));
        check("-5", RetryAfter::Seconds(0));
        check("1.2", RetryAfter::Seconds(2));
        check("2.0", RetryAfter::Seconds(2));
        check("259200", RetryAfter::Seconds(259_200));
        check("99999999999999999999999", RetryAfter::Seconds(u64::MAX));
        check(
            "Fri, 04 Sep 2026 18:16:52 GMT",
            RetryAfter::At(Timestamp::parse("2026-09-04T18:16:52Z").unwrap()),
        );
        check(
            "Sun Nov  6 08:49:37 1994",
            RetryAfter::At(Timestamp::parse("1994-11-06T08:49:37Z").unwrap()),
        );
        for nonsense in [
            "",
            "soon",
            "1,5",
            "1s",
            "NaN",
            "--1",
            ".",
            "1.",
            "Fri, 99 Foo",
        ] {
            check(nonsense, RetryAfter::Unknown);
        }
        assert_eq!(parse(None, None), RetryAfter::Unknown);
    }
}
