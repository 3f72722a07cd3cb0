//! The issues of a page: first by what became of the profile, then by reason.

use std::collections::BTreeMap;

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::{Field, Issue, IssueCode};
use fanfare_domain::value::Email;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::klaviyo_address;
use crate::components::{cell, heading, long_text, number, table, time};
use crate::pages::audience::Frame;
use crate::visitor::Visitor;

/// The consumers of a page's profiles.
type People = BTreeMap<ProfileId, Consumer>;

/// What became of a profile that has an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    LeftOut,
    BroughtIn,
    OnePerson,
}

impl Fate {
    /// Whoever is linked to a consumer was brought in: only a value was not.
    fn of(issue: &Issue, people: &People) -> Self {
        match issue.kind.code {
            IssueCode::MissingContact | IssueCode::Erased => Self::LeftOut,
            IssueCode::DuplicateEmail => Self::OnePerson,
            IssueCode::InvalidEmail | IssueCode::InvalidPhone | IssueCode::InvalidValue => {
                if people.contains_key(&issue.profile) {
                    Self::BroughtIn
                } else {
                    Self::LeftOut
                }
            }
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::LeftOut => "Left out",
            Self::BroughtIn => "Brought in, without this value",
            Self::OnePerson => "Brought in, as one consumer",
        }
    }
}

/// The issues of a page.
pub(super) fn groups(
    visitor: &Visitor,
    frame: &Frame,
    issues: &[Issue],
    people: &People,
    totals: &[(IssueCode, u64)],
) -> Markup {
    let mut groups = BTreeMap::<Fate, BTreeMap<IssueCode, Vec<&Issue>>>::new();
    for issue in issues {
        let by_code = groups.entry(Fate::of(issue, people)).or_default();
        by_code.entry(issue.kind.code).or_default().push(issue);
    }
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let is_whole = issues.len() as u64 == all;
    html! {
        @for (fate, by_code) in groups {
            section.panel {
                h2 { (fate.heading()) }
                @for (code, issues) in by_code {
                    @let total = totals.iter().find(|(of, _)| *of == code).map_or(0, |(_, count)| *count);
                    h3 { (code.message()) }
                    p.hint { (how_many(fate, issues.len() as u64, total, is_whole)) " " (remedy(code)) }
                    (rows(visitor, frame, code, &issues, people))
                }
            }
        }
    }
}

/// How many profiles have this fate for this reason. `total` are those of the reason whatever became of them; `is_whole` says whether
/// the page shows the issues of every profile.
fn how_many(fate: Fate, shown: u64, total: u64, is_whole: bool) -> Markup {
    let others = total.saturating_sub(shown);
    html! {
        (number(shown))
        @match fate {
            Fate::LeftOut => " left out",
            Fate::BroughtIn => " brought in without the value",
            Fate::OnePerson => @if shown == 1 { " duplicate" } @else { " duplicates" },
        }
        @if others == 0 { "." }
        @else if is_whole {
            " (" (number(others)) " more "
            @match fate {
                Fate::LeftOut => "were brought in, below).",
                Fate::BroughtIn | Fate::OnePerson => "were left out, above).",
            }
        } @else { " on this page, of " (number(total)) " with this reason." }
    }
}

/// By what the reasons are sorted: those that keep people out come first.
pub(super) const fn rank(code: IssueCode) -> u8 {
    match code {
        IssueCode::MissingContact => 0,
        IssueCode::Erased => 1,
        IssueCode::InvalidEmail => 2,
        IssueCode::InvalidPhone => 3,
        IssueCode::InvalidValue => 4,
        IssueCode::DuplicateEmail => 5,
    }
}

fn rows(
    visitor: &Visitor,
    frame: &Frame,
    code: IssueCode,
    issues: &[&Issue],
    people: &People,
) -> Markup {
    let headings = html! {
        @for name in ["Profile", "Consumer", "Field", "Found", "Membership"] { (heading(name)) }
    };
    let rows = html! {
        @for issue in issues {
            @let profile = issue.profile.as_str();
            tr {
                th scope="row" {
                    a href=(klaviyo_address(profile)) rel="noreferrer" target="_blank" { (long_text(profile)) }
                }
                (cell("Consumer", &who(people.get(&issue.profile), profile)))
                (cell("Field", &html! { (field(issue)) }))
                (cell("Found", &time(issue.at, visitor.now)))
                (cell("Membership", &html! {
                    a href={ (frame.path()) "/why?profileId=" (utf8_percent_encode(profile, NON_ALPHANUMERIC)) } {
                        "Why?" span.hidden { " " (profile) }
                    }
                }))
            }
        }
    };
    table(code.message(), &headings, &rows)
}

/// Whom the profile is.
fn who(person: Option<&Consumer>, profile: &str) -> Markup {
    let Some(person) = person else {
        // Nothing is kept of whoever was left out: Klaviyo alone says who it is.
        return html! {
            span.none { "None. " }
            a href=(klaviyo_address(profile)) rel="noreferrer" target="_blank" {
                "See in Klaviyo" span.hidden { " who " (profile) " is" }
            }
        };
    };
    let name = person.full_name.as_ref().map(|name| name.value.as_str());
    let email = person.email.as_ref().map(Email::as_str);
    let phone = person.phone.as_ref().map(|phone| phone.value.as_str());
    let known = name.or(email).or(phone).unwrap_or(person.id.as_str());
    html! {
        a href={ "/app/customers/" (person.id) } { (long_text(known)) }
        @if let Some(email) = email.filter(|email| *email != known) { " " (long_text(email)) }
    }
}

/// The field that an issue is about, in words.
pub(super) fn field(issue: &Issue) -> &'static str {
    match issue.kind.field {
        Some(Field::Email) => "E-mail",
        Some(Field::PhoneNumber) => "Phone number",
        Some(Field::FirstName) => "First name",
        Some(Field::LastName) => "Last name",
        Some(Field::Updated) => "Time of the last change",
        Some(Field::JoinedGroupAt) => "Time of joining",
        None => "The whole profile",
    }
}

fn remedy(code: IssueCode) -> &'static str {
    match code {
        IssueCode::Erased => "Erasing cannot be undone.",
        IssueCode::DuplicateEmail => "Merge the profiles in Klaviyo if they are one person.",
        IssueCode::MissingContact => {
            "Give the profile an e-mail or a phone number in Klaviyo, then sync."
        }
        _ => "Mend the value in Klaviyo, then sync.",
    }
}
