//! Instants, to the microsecond, in UTC.

use std::fmt;
use std::time::Duration;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use ::time::macros::format_description;

use crate::iso8601;

/// An instant: whole microseconds since 1970-01-01T00:00:00Z.
///
/// Its text is Fanfare's form of a time, `2026-11-24T14:13:23.120Z`, always in UTC with milliseconds.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant this many microseconds after the epoch; `None` outside the years 0 to 9999, which the
    /// text form cannot show.
    pub fn from_micros(micros: i64) -> Option<Self> {
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()?;
        (0..=9999).contains(&time.year()).then_some(Self(micros))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads any form of ISO 8601; `None` if the text is no time. A time without a zone is in UTC.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        // Klaviyo writes RFC 3339, whose parser is faster.
        Self::parse(text).or_else(|| Self::from_micros(iso8601::parse(text)?))
    }

    /// Reads RFC 3339 with any offset; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
        Self::from_micros(i64::try_from(time.unix_timestamp_nanos() / 1_000).ok()?)
    }

    /// The instant `by` later, at most the end of the year 9999.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(by)).unwrap_or(Self::MAX)
    }

    /// The instant `by` earlier, at least the epoch: nothing of ours is older.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(by)).map_or(Self::EPOCH, |at| at.max(Self::EPOCH))
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later than this instant.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-11-24T14:13:23Z`: the form that Klaviyo's filters accept. Fractions of a second are cut off.
    pub fn to_whole_seconds(self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        self.datetime().format(format).unwrap_or_default()
    }

    /// The beginning of its second.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000_000))
    }

    /// The end of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    fn datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        f.write_str(&self.datetime().format(format).unwrap_or_default())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
