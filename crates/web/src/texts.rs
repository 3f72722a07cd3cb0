//! Values as people read them: times, durations and numbers, and what the domain's words mean.

use fanfare_domain::run::{SyncStatus, Trigger};
use fanfare_domain::time::Timestamp;

/// `1,234,567`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 member`, `2,000 members`.
pub(crate) fn count(value: u64, one: &str, many: &str) -> String {
    let noun = if value == 1 { one } else { many };
    format!("{} {noun}", number(value))
}

/// A number of seconds in its two largest units: `1 hour 30 minutes`.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str, &str); 4] = [
        (86_400, "day", "days"),
        (3_600, "hour", "hours"),
        (60, "minute", "minutes"),
        (1, "second", "seconds"),
    ];
    let Some(largest) = UNITS.iter().position(|(length, ..)| seconds >= *length) else {
        return "0 seconds".to_owned();
    };
    let mut left = seconds;
    let mut parts = Vec::new();
    for (length, one, many) in UNITS.iter().skip(largest).take(2) {
        if left >= *length {
            parts.push(count(left / length, one, many));
            left %= length;
        }
    }
    parts.join(" ")
}

/// `3 minutes ago`, `in 2 hours`, `just now`, `now`; the date after a month.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let (past, ahead) = (now.since(at).as_secs(), at.since(now).as_secs());
    let seconds = past.max(ahead);
    let rounded = match seconds {
        0..10 if ahead > 0 => return "now".to_owned(),
        0..10 => return "just now".to_owned(),
        10..60 => duration(seconds),
        60..3_600 => duration(seconds - seconds % 60),
        3_600..86_400 => duration(seconds - seconds % 3_600),
        86_400..2_592_000 => duration(seconds - seconds % 86_400),
        _ => return date(at),
    };
    if past > 0 {
        format!("{rounded} ago")
    } else {
        format!("in {rounded}")
    }
}

/// `2026-11-24`.
pub(crate) fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// `2026-11-24 14:13:23 UTC`.
pub(crate) fn exact(at: Timestamp) -> String {
    let text = at.to_whole_seconds();
    text.replace('T', " ").replace('Z', " UTC")
}

/// `14:13:23 UTC`, for a time of today.
pub(crate) fn clock_time(at: Timestamp) -> String {
    exact(at).chars().skip(11).collect()
}

/// The status as the dashboard names it.
pub(crate) const fn status(status: SyncStatus) -> &'static str {
    match status {
        SyncStatus::Pending => "Pending",
        SyncStatus::Syncing => "Syncing",
        SyncStatus::Success => "Success",
        SyncStatus::Failed => "Failed",
    }
}

/// What started a run.
pub(crate) const fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Import => "Import",
        Trigger::Manual => "Sync now",
        Trigger::Schedule => "Schedule",
        Trigger::Webhook => "Change in Klaviyo",
    }
}

/// What a key lacks, and what to tick in Klaviyo.
pub(crate) fn missing_scopes(scopes: &[String]) -> String {
    let which = match scopes {
        [] => "a scope that this needs".to_owned(),
        [scope] => format!("the scope {scope}"),
        scopes => format!("the scopes {}", scopes.join(", ")),
    };
    let tick: Vec<String> = scopes
        .iter()
        .filter_map(|scope| in_klaviyo(scope))
        .collect();
    let tick = if tick.is_empty() {
        "choose the access it needs".to_owned()
    } else {
        format!("choose {}", tick.join(", "))
    };
    format!(
        "The key lacks {which}. In Klaviyo, open Settings, API keys, Create Private API Key, {tick}, and save the new key here."
    )
}

/// `profiles:read` as Klaviyo's form has it: `Read Access for Profiles`.
fn in_klaviyo(scope: &str) -> Option<String> {
    let (what, access) = scope.split_once(':')?;
    let mut letters = what.chars();
    let what: String = letters.next()?.to_uppercase().chain(letters).collect();
    let access = if access == "read" { "Read" } else { "Full" };
    Some(format!("{access} Access for {what}"))
}

/// A text of Klaviyo's or of a person's as a row can show it: at most so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let grouped = [0, 7, 999, 1_000, 12_345, 1_234_567].map(number);
        assert_eq!(grouped, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(count(1, "member", "members"), "1 member");
        assert_eq!(count(0, "member", "members"), "0 members");
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        let texts = [0, 1, 59, 60, 90, 3_600, 5_400, 90_061].map(duration);
        assert_eq!(
            texts,
            [
                "0 seconds",
                "1 second",
                "59 seconds",
                "1 minute",
                "1 minute 30 seconds",
                "1 hour",
                "1 hour 30 minutes",
                "1 day 1 hour",
            ]
        );
    }

    #[test]
    fn times_are_told_from_now_until_they_are_a_month_away() {
        let now = Timestamp::parse("2026-11-24T14:13:23Z").unwrap();
        let ago = |seconds| relative(now.minus(Duration::from_secs(seconds)), now);
        let ahead = |seconds| relative(now.plus(Duration::from_secs(seconds)), now);
        assert_eq!(ago(3), "just now");
        assert_eq!(ago(185), "3 minutes ago");
        assert_eq!(ago(7_300), "2 hours ago");
        assert_eq!(ago(2 * 86_400 + 5), "2 days ago");
        assert_eq!(ago(40 * 86_400), "2026-10-15");
        assert_eq!(ahead(61), "in 1 minute");
        assert_eq!(ahead(3), "now");
        assert_eq!(exact(now), "2026-11-24 14:13:23 UTC");
        assert_eq!(clock_time(now), "14:13:23 UTC");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("añb", 2), "añ…");
        assert_eq!(cut("añ", 2), "añ");
    }

    #[test]
    fn a_missing_scope_is_named_as_klaviyos_form_has_it() {
        let text = missing_scopes(&["profiles:read".to_owned()]);
        assert!(text.contains("the scope profiles:read"), "{text}");
        assert!(text.contains("choose Read Access for Profiles"), "{text}");
    }
}
