//! Instants as Klaviyo writes and reads them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// `2026-09-04T13:39:38+00:00`, of seconds since the epoch. Klaviyo reads out whole seconds, always
/// in UTC and never with a `Z`.
pub(crate) fn show(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.format(format).ok())
        .unwrap_or_default()
}

/// Microseconds since the epoch of an RFC 3339 text; `None` for anything else.
pub(crate) fn micros(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(micros_of)
}

/// Microseconds since the epoch.
pub(crate) fn micros_of(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// Microseconds since the epoch of whole seconds.
pub(crate) const fn of_seconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000)
}
