//! Which revision a request asks for, and whether it is served.

use time::macros::{date, format_description};
use time::{Date, Duration};

use crate::refusal::Refusal;

/// Every revision there has been, oldest first.
const REVISIONS: [Date; 23] = [
    date!(2022 - 10 - 17),
    date!(2022 - 12 - 15),
    date!(2023 - 01 - 24),
    date!(2023 - 02 - 22),
    date!(2023 - 06 - 15),
    date!(2023 - 07 - 15),
    date!(2023 - 08 - 15),
    date!(2023 - 09 - 15),
    date!(2023 - 10 - 15),
    date!(2023 - 12 - 15),
    date!(2024 - 02 - 15),
    date!(2024 - 05 - 15),
    date!(2024 - 06 - 15),
    date!(2024 - 07 - 15),
    date!(2024 - 10 - 15),
    date!(2025 - 01 - 15),
    date!(2025 - 04 - 15),
    date!(2025 - 07 - 15),
    date!(2025 - 10 - 15),
    date!(2026 - 01 - 15),
    date!(2026 - 04 - 15),
    date!(2026 - 07 - 15),
    date!(2026 - 10 - 15),
];

/// A revision is served for two years.
const SERVED_FOR: Duration = Duration::days(2 * 365);

/// What a request's headers say about its revision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RevisionHeader<'a> {
    pub(crate) revision: Option<&'a str>,
    /// Whether a retired revision shall be refused rather than replaced by another.
    pub(crate) opts_out: bool,
}

/// Refuses a request whose revision is not served. All served revisions have the same shapes here.
pub(crate) fn check(
    header: RevisionHeader<'_>,
    today: Date,
    is_required: bool,
) -> Result<(), Refusal> {
    let Some(text) = header.revision else {
        return if is_required {
            Err(Refusal::bad_revision("The revision header is required."))
        } else {
            Ok(())
        };
    };
    let revision = parse(text).ok_or_else(|| {
        let detail = format!("Invalid revision: {text}. Revisions have the form YYYY-MM-DD.");
        Refusal::bad_revision(&detail)
    })?;
    let is_known = REVISIONS.contains(&revision);
    if !is_known && revision > today {
        return Err(Refusal::no_revision(
            "Unable to specify a future revision date",
        ));
    }
    if revision + SERVED_FOR < today {
        return if header.opts_out {
            Err(Refusal::retired_revision(text))
        } else {
            Ok(())
        };
    }
    if !is_known {
        return Err(Refusal::no_revision(
            "No valid revisions found for method, please check our documentation",
        ));
    }
    Ok(())
}

fn parse(text: &str) -> Option<Date> {
    let day = text.strip_suffix(".pre").unwrap_or(text);
    Date::parse(day, format_description!("[year]-[month]-[day]")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(revision: Option<&str>, opts_out: bool) -> u16 {
        let header = RevisionHeader { revision, opts_out };
        match check(header, date!(2026 - 11 - 25), true) {
            Ok(()) => 200,
            Err(refusal) => refusal.status,
        }
    }

    #[test]
    fn a_revision_is_served_for_two_years() {
        assert_eq!(status(Some("2026-07-15"), true), 200);
        assert_eq!(status(Some("2026-10-15"), true), 200);
        assert_eq!(status(Some("2026-07-15.pre"), true), 200);
        assert_eq!(status(Some("2025-01-15"), true), 200);
        assert_eq!(status(Some("2024-10-15"), true), 410);
        assert_eq!(status(Some("2024-10-15"), false), 200);
    }

    #[test]
    fn a_malformed_or_unknown_revision_is_refused() {
        assert_eq!(status(None, false), 400);
        assert_eq!(status(Some(""), false), 400);
        assert_eq!(status(Some("latest"), false), 400);
        assert_eq!(status(Some("2026-13-15"), false), 400);
        assert_eq!(status(Some("2026-07-16"), false), 404);
        assert_eq!(status(Some("2027-01-15"), false), 404);
    }
}
