//! The interval between an audience's own syncs.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use fanfare_domain::schedule::LONGEST_INTERVAL;

use super::{DecodeError, Place, refuse};

/// A whole number of seconds, up to the longest interval. The shortest one is a setting, which the use case knows.
pub(crate) struct Interval(u32);

impl Interval {
    pub(crate) const fn seconds(&self) -> u32 {
        self.0
    }
}

impl From<Interval> for u32 {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

impl<P: Place> Deserr<DecodeError<P>> for Interval {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        let seconds = match value {
            Value::Integer(seconds) => u32::try_from(seconds).ok(),
            _ => None,
        };
        let fits = seconds.filter(|seconds| (1..=LONGEST_INTERVAL).contains(seconds));
        fits.map(Self).ok_or_else(|| {
            let message = format!("must be a whole number of seconds, at most {LONGEST_INTERVAL}");
            refuse(&value, location, "integer", &message)
        })
    }
}
