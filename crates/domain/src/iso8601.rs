//! Times in any form of ISO 8601.
//!
//! `time` reads the dates: of the calendar, of the week and of the year's days. Its parser of whole times knows no
//! time without a zone, no hour 24 and no blank in place of `T`, so the time of day and the zone are read here.

use ::time::Date;
use ::time::format_description::well_known::Iso8601;

const SECOND: i64 = 1_000_000;

/// Microseconds since 1970-01-01T00:00:00Z; `None` if the text is no time. Without a zone it is in UTC, and without
/// a time of day it is the day's beginning.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = match text.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest.trim_start())),
        None => (text, None),
    };
    let midnight = self::date(date)?.midnight().as_utc().unix_timestamp() * SECOND;
    let Some(rest) = rest else {
        return Some(midnight);
    };
    let zone = rest.find(['Z', 'z', '+', '-', '\u{2212}']);
    let (time, zone) = rest.split_at(zone.unwrap_or(rest.len()));
    let time = TimeOfDay::parse(time.trim_end())?;
    let instant = midnight + time.micros - offset(zone)? * SECOND;
    // A leap second can only be the last one of a month in UTC. It counts as the end of the second before it.
    let is_possible = !time.is_leap_second || is_begin_of_month(instant);
    is_possible.then_some(instant - i64::from(time.is_leap_second))
}

/// A date in any form. A year, month or week alone is its first day.
fn date(text: &str) -> Option<Date> {
    let whole = match text.as_bytes() {
        [_, _, _, _] => format!("{text}-01-01"),
        [_, _, _, _, b'-', _, _] => format!("{text}-01"),
        [_, _, _, _, b'W', _, _] => format!("{text}1"),
        [_, _, _, _, b'-', b'W', _, _] => format!("{text}-1"),
        _ => return Date::parse(text, &Iso8601::DATE).ok(),
    };
    Date::parse(&whole, &Iso8601::DATE).ok()
}

/// A time of day; a leap second as the second after it.
struct TimeOfDay {
    micros: i64,
    is_leap_second: bool,
}

impl TimeOfDay {
    /// Hours, with or without minutes and seconds. The last of them may have a fraction.
    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
        let parts = pairs(whole)?;
        let unit = [3_600, 60, 1].get(parts.len().checked_sub(1)?)?;
        let part = |n: usize| parts.get(n).copied().unwrap_or(0);
        let (hour, minute, second) = (part(0), part(1), part(2));
        let fraction = self::fraction(fraction, unit * SECOND)?;
        let is_leap_second = second == 60;
        let seconds = (hour * 60 + minute) * 60 + second;
        let micros = seconds * SECOND + if is_leap_second { 0 } else { fraction };
        let is_within = hour <= 23 && minute <= 59 && second <= 60;
        let is_end_of_day = hour == 24 && micros == 24 * 3_600 * SECOND;
        (is_within || is_end_of_day).then_some(Self {
            micros,
            is_leap_second,
        })
    }
}

/// The fraction with these digits, of a unit of so many microseconds. Smaller parts are cut off.
fn fraction(digits: &str, unit: i64) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = &digits[..digits.len().min(18)];
    let parts = i128::from(unit) * digits.parse::<i128>().ok()?;
    let of = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    i64::try_from(parts / of).ok()
}

/// Seconds east of UTC; none without a zone.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let west = zone.strip_prefix(['-', '\u{2212}']);
    let (sign, parts) = match west {
        Some(parts) => (-1, parts),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = match pairs(parts)?[..] {
        [hours] => (hours, 0),
        [hours, minutes] => (hours, minutes),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60)
}

/// Numbers of two digits, with colons between them or with nothing.
fn pairs(text: &str) -> Option<Vec<i64>> {
    let number = |pair: &[u8]| match pair {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        }
        _ => None,
    };
    if text.contains(':') {
        text.split(':')
            .map(|pair| number(pair.as_bytes()))
            .collect()
    } else {
        text.as_bytes().chunks(2).map(number).collect()
    }
}

fn is_begin_of_month(instant: i64) -> bool {
    let time = ::time::OffsetDateTime::from_unix_timestamp(instant.div_euclid(SECOND));
    time.is_ok_and(|time| time.day() == 1 && time.time() == ::time::Time::MIDNIGHT)
}
