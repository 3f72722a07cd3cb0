//! Values as people read them: times, durations and numbers, and what the domain's words mean.

use std::collections::BTreeSet;

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

/// How often something is: `every minute`, `every 15 minutes`.
pub(crate) fn every(seconds: u32) -> String {
    let text = duration(u64::from(seconds));
    match text.strip_prefix("1 ") {
        // One unit alone; "1 minute 30 seconds" keeps its number.
        Some(unit) if !unit.contains(' ') => format!("every {unit}"),
        _ => format!("every {text}"),
    }
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

/// A message of a use case's whose times are written as people read them.
pub(crate) fn humane(message: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(['.', ',', ';']);
        let end = &word[bare.len()..];
        let is_time = bare.ends_with('Z') && bare.contains('T');
        match Timestamp::parse(bare).filter(|_| is_time) {
            Some(at) => format!("{}{end}", exact(at)),
            None => word.to_owned(),
        }
    };
    let words: Vec<String> = message.split(' ').map(word).collect();
    words.join(" ")
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

/// What a key lacks, and what to choose in Klaviyo for a new one. `in_use` are the scopes of all that is switched on: a key cannot be
/// changed later, and the new one takes the place of the whole old one.
pub(crate) fn missing_scopes(scopes: &[String], in_use: &[String]) -> String {
    let which = match scopes {
        [] => "a scope that this needs".to_owned(),
        [scope] => format!("the scope {scope}"),
        scopes => format!("the scopes {}", scopes.join(", ")),
    };
    let choose = accesses(scopes).unwrap_or_else(|| "the access it needs".to_owned());
    let others = in_use.iter().filter(|scope| !scopes.contains(scope));
    let others: Vec<String> = others.cloned().collect();
    let others = accesses(&others).map_or_else(String::new, |others| {
        format!(" What else is switched on needs {others}: choose that for the new key, too.")
    });
    format!(
        "The key lacks {which}. In Klaviyo, open Settings, API keys, Create Private API Key, choose {choose}, and save the new key in \
         Fanfare.{others}"
    )
}

/// Scopes as Klaviyo's form has them, `profiles:read` as `Read Access for Profiles`; those of the same access together. Full access
/// holds the right to read. `None` if there is none.
fn accesses(scopes: &[String]) -> Option<String> {
    let of = |wanted: fn(&str) -> bool| -> BTreeSet<String> {
        let pairs = scopes.iter().filter_map(|scope| scope.split_once(':'));
        let wanted = pairs.filter(|(_, access)| wanted(access));
        wanted.map(|(what, _)| capitalized(what)).collect()
    };
    let full = of(|access| access != "read");
    let read = of(|access| access == "read");
    let read = read.difference(&full).cloned().collect::<Vec<_>>();
    let full = full.into_iter().collect::<Vec<_>>();
    let named = [("Full", full), ("Read", read)].into_iter();
    let named = named.filter(|(_, of)| !of.is_empty());
    let named: Vec<String> = named
        .map(|(access, of)| format!("{access} Access for {}", listed(&of)))
        .collect();
    (!named.is_empty()).then(|| listed(&named))
}

/// `Events`, `Events and Lists`, `Events, Lists and Profiles`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
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
    fn an_interval_of_one_unit_has_no_number() {
        let texts = [1, 60, 90, 900, 86_400].map(every);
        assert_eq!(
            texts,
            [
                "every second",
                "every minute",
                "every 1 minute 30 seconds",
                "every 15 minutes",
                "every day"
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
    fn a_message_has_its_times_as_people_read_them() {
        let message = "must not be before 2026-11-24T14:13:23.123456Z, the earliest";
        let humane = humane(message);
        assert_eq!(
            humane,
            "must not be before 2026-11-24 14:13:23 UTC, the earliest"
        );
        assert_eq!(super::humane("must be TZ"), "must be TZ");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("añb", 2), "añ…");
        assert_eq!(cut("añ", 2), "añ");
    }

    #[test]
    fn missing_scopes_are_named_as_klaviyos_form_has_them_and_so_is_what_else_is_switched_on() {
        let scopes =
            |names: &[&str]| -> Vec<String> { names.iter().map(|it| (*it).to_owned()).collect() };
        let text = missing_scopes(&scopes(&["profiles:read"]), &[]);
        assert!(text.contains("the scope profiles:read"), "{text}");
        assert!(
            text.contains("choose Read Access for Profiles, and save"),
            "{text}"
        );
        assert!(!text.contains("switched on"), "{text}");
        let lacks = scopes(&["events:write", "lists:write", "lists:read", "flows:read"]);
        let in_use = scopes(&["events:write", "lists:write", "profiles:write"]);
        let text = missing_scopes(&lacks, &in_use);
        let choose = "choose Full Access for Events and Lists and Read Access for Flows, and save";
        assert!(text.contains(choose), "{text}");
        assert!(
            text.contains("What else is switched on needs Full Access for Profiles:"),
            "{text}"
        );
        assert!(missing_scopes(&[], &[]).contains("choose the access it needs"));
    }
}
